"""Which switches are joined to which, as a matrix: switch by switch, or in bands of as many where there are more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.draw.curve import plot, type_of
from fabric.draw.page import plain_style
from fabric.draw.palette import BODY_PT, GREY, INK, SMALL_PT
from fabric.expansion import expand
from fabric.units import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CELLS", "draw_adjacency", "matrix"]

CELLS = 256
"""The most rows of the matrix."""


def matrix(blueprint: Blueprint, cells: int = CELLS) -> tuple[npt.NDArray[np.int64], int]:
    """Return the links between bands of switches, a symmetric matrix, and the switches of a band.

    Switches stand role by role as the network has them; a link within a band counts twice, as in a sum over switches.
    """
    network = expand(blueprint)
    first, switches = network.servers.count, network.devices - network.servers.count
    band = max(1, -(-switches // cells))
    rows = np.flatnonzero(network.lower >= first)
    low, high = ((ends[rows].astype(np.int64) - first) // band for ends in (network.lower, network.upper))
    bands = -(-switches // band)
    one_way = np.bincount(low * bands + high, minlength=bands * bands).reshape(bands, bands)
    return one_way + one_way.T, band


def draw_adjacency(blueprint: Blueprint, _seed: int = 0) -> Figure:
    """Draw the matrix, 7.5 inches wide, the roles named along both sides; nothing of it is random."""
    from matplotlib.colors import LogNorm

    links, band = matrix(blueprint)
    most = max(1, int(links.max(initial=0)))
    with plain_style():
        figure, axes = plot(f"{blueprint.name}: which switches are joined", 420.0)
        shown = np.ma.masked_equal(links, 0)
        image = axes.imshow(
            shown, cmap="cividis_r", norm=LogNorm(1, max(2, most)), interpolation="nearest", aspect="auto"
        )
        edges = np.cumsum([0, *(blueprint.devices(role) for role in blueprint.form.roles)]) / band
        _sides(axes, blueprint, edges)
        bar = figure.colorbar(image, ax=axes, fraction=0.04, pad=0.02)
        what = "two switches" if band == 1 else f"two bands of {count(band)} switches"
        bar.set_label(f"links between {what}", color=INK, **type_of(BODY_PT))
        bar.ax.minorticks_off()
        bar.set_ticks([10**power for power in range(9) if 10**power <= max(2, most)])
        bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        for label in bar.ax.get_yticklabels():
            label.set(color=GREY, **type_of(SMALL_PT))
    return figure


def _sides(axes: object, blueprint: Blueprint, edges: npt.NDArray[np.float64]) -> None:
    """Name the roles along both sides, with a line between them; one whose band is thin stands with the next."""
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    middles = (edges[1:] + edges[:-1]) / 2 - 0.5
    names = [f"{role} × {count(blueprint.devices(role))}" for role in blueprint.form.roles]
    kept = [place for place in range(len(names)) if (edges[place + 1] - edges[place]) > 0.04 * edges[-1]]
    axes.set_xticks([middles[place] for place in kept], [names[place] for place in kept])
    axes.set_yticks([middles[place] for place in kept], [names[place] for place in kept], rotation=90, va="center")
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(color=INK, **type_of(BODY_PT))
    for edge in edges[1:-1]:
        axes.axhline(edge - 0.5, color=GREY, linewidth=0.5)
        axes.axvline(edge - 0.5, color=GREY, linewidth=0.5)
    axes.tick_params(length=0)
