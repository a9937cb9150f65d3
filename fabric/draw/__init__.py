"""The pictures, drawn by matplotlib: a fabric, bandwidth against size and scale, and a Pareto front."""

from __future__ import annotations

from fabric.draw.adjacency import draw_adjacency
from fabric.draw.curve import draw_allreduce
from fabric.draw.front import draw_front
from fabric.draw.load import draw_load
from fabric.draw.page import save
from fabric.draw.picture import draw_fabric
from fabric.draw.racks import draw_racks
from fabric.draw.scale import draw_scale
from fabric.draw.seen import draw_view

__all__ = [
    "draw_adjacency",
    "draw_allreduce",
    "draw_fabric",
    "draw_front",
    "draw_load",
    "draw_racks",
    "draw_scale",
    "draw_view",
    "save",
]
