"""The commands of `fabric`, one module for each thing that people come for."""

from __future__ import annotations

from fabric.cli.commands.bill import bill
from fabric.cli.commands.changes import diff, grow
from fabric.cli.commands.compare import compare
from fabric.cli.commands.design import check, cluster, design, optimize
from fabric.cli.commands.diagram import diagram
from fabric.cli.commands.discover import discover
from fabric.cli.commands.estimate import allreduce, scale
from fabric.cli.commands.export import export
from fabric.cli.commands.failures import failures
from fabric.cli.commands.init import init
from fabric.cli.commands.list_show import list_, show
from fabric.cli.commands.maximum_flow import maxflow
from fabric.cli.commands.measure import accept, calibrate
from fabric.cli.commands.report import report
from fabric.cli.commands.site import layout, wiring
from fabric.cli.commands.sweep import sweep
from fabric.cli.commands.train import train
from fabric.cli.commands.verification import verify

__all__ = ["COMMANDS"]

COMMANDS = (
    init, design, optimize, bill, layout, wiring, diff, grow, cluster, check, compare, allreduce, failures, maxflow,
    train, scale, sweep, calibrate, accept, discover, verify, report, diagram, export, list_, show,
)  # fmt: skip
