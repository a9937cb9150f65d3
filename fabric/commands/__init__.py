"""The commands of `fabric`, one module for each thing that people come for."""

from __future__ import annotations

from fabric.commands.compare import compare
from fabric.commands.design import check, cluster, design, optimize
from fabric.commands.diagram import diagram
from fabric.commands.estimate import allreduce, scale
from fabric.commands.export import export
from fabric.commands.look import list_, show

__all__ = ["COMMANDS"]

COMMANDS = (design, optimize, cluster, check, compare, allreduce, scale, diagram, export, list_, show)
