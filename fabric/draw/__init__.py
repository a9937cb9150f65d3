"""The pictures: a fabric by tiers, and all-reduce bandwidth against message size, drawn by matplotlib."""

from __future__ import annotations

from fabric.draw.curve import draw_allreduce
from fabric.draw.page import save
from fabric.draw.tiers import draw_tiers

__all__ = ["draw_allreduce", "draw_tiers", "save"]
