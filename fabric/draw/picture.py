"""The picture of a fabric: by tiers, or in the natural layout of switches that are joined otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabric.blueprint import Blueprint
from fabric.draw.page import plain_style, render
from fabric.draw.tiers import lay_out
from fabric.draw.wiring import lay_out_wired
from fabric.wired import Wired

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_fabric"]


def draw_fabric(blueprint: Blueprint) -> Figure:
    """Draw `blueprint`, 7.5 inches wide."""
    with plain_style():
        return render((lay_out_wired if isinstance(blueprint.form, Wired) else lay_out)(blueprint))
