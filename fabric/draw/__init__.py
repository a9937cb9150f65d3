"""The pictures, drawn by matplotlib: a fabric, bandwidth against size and scale, and a Pareto front."""

from __future__ import annotations

from fabric.draw.curve import draw_allreduce
from fabric.draw.diagram import KINDS, Diagram, draw_diagram, draw_fabric
from fabric.draw.front import draw_front
from fabric.draw.load import Traffic
from fabric.draw.render import save, svg
from fabric.draw.scale import draw_scale

__all__ = [
    "KINDS",
    "Diagram",
    "Traffic",
    "draw_allreduce",
    "draw_diagram",
    "draw_fabric",
    "draw_front",
    "draw_scale",
    "save",
    "svg",
]
