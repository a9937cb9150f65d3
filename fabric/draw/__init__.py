"""The pictures, drawn by matplotlib: a fabric by tiers, bandwidth against size and scale, and a Pareto front."""

from __future__ import annotations

from fabric.draw.curve import draw_allreduce
from fabric.draw.front import draw_front
from fabric.draw.page import save
from fabric.draw.scale import draw_scale
from fabric.draw.tiers import draw_tiers

__all__ = ["draw_allreduce", "draw_front", "draw_scale", "draw_tiers", "save"]
