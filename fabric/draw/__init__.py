"""The pictures, drawn by matplotlib: a fabric, bandwidth against size and scale, and a Pareto front."""

from __future__ import annotations

from fabric.draw.charts import draw_allreduce, draw_front, draw_scale
from fabric.draw.diagram import KINDS, Diagram, DiagramKind, draw_diagram, draw_fabric
from fabric.draw.failure_charts import draw_failures
from fabric.draw.floor_plan import FloorPicture, draw_floor
from fabric.draw.label_sheets import draw_label_sheets
from fabric.draw.page_shape import PAGES
from fabric.draw.render import save, save_pages, svg
from fabric.draw.traffic import Traffic
from fabric.draw.training_timeline import draw_training

__all__ = [
    "KINDS",
    "PAGES",
    "Diagram",
    "DiagramKind",
    "FloorPicture",
    "Traffic",
    "draw_allreduce",
    "draw_diagram",
    "draw_fabric",
    "draw_failures",
    "draw_floor",
    "draw_front",
    "draw_label_sheets",
    "draw_scale",
    "draw_training",
    "save",
    "save_pages",
    "svg",
]
