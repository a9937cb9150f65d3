"""The pictures, drawn by matplotlib: a fabric by tiers, all-reduce bandwidth against size, and a Pareto front."""

from __future__ import annotations

from fabric.draw.curve import draw_allreduce
from fabric.draw.front import draw_front
from fabric.draw.page import save
from fabric.draw.tiers import draw_tiers

__all__ = ["draw_allreduce", "draw_front", "draw_tiers", "save"]
