"""Bus bandwidth against the size of the machine: curves, where they bend, and the tiers that the fabric takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fabric.draw.curve import COLOURS, MARKERS, dress, legend_label, plot, type_of
from fabric.draw.palette import GREY, HAIR, SMALL_PT
from fabric.draw.render import plain_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_scale"]

DASHES = ("-", (0, (3, 2)))
"""Every other curve is dashed, so that one that lies on its neighbour is still seen."""

Points = Sequence[tuple[int, float]]


def draw_scale(
    title: str, curves: Mapping[str, Points], bends: Mapping[str, Points], steps: Mapping[int, str]
) -> Figure:
    """Draw busbw in GB/s over the GPUs, a curve `[(gpus, busbw_GBps), ...]` for each label, ringed where it bends.

    `steps` says what the fabric is from each number of GPUs on.
    """
    with plain_style():
        figure, axes = plot(title)
        for place, (label, points) in enumerate(curves.items()):
            _curve(axes, place, label, points, bends.get(label, ()))
        _scales(axes, [gpus for points in curves.values() for gpus, _ in points])
        _steps(axes, steps)
        dress(axes, "GPUs", "bus bandwidth (busbw), GB/s")
    return figure


def _curve(axes: Axes, place: int, label: str, points: Points, bends: Points) -> None:
    colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
    axes.plot(
        *zip(*points, strict=True), label=legend_label(label), color=colour, marker=marker, markersize=3.2,
        linewidth=1.4, linestyle=DASHES[place % 2], clip_on=False,
    )  # fmt: skip
    if bends:
        axes.plot(*zip(*bends, strict=True), "o", color=colour, fillstyle="none", markersize=7.5, clip_on=False)


def _scales(axes: Axes, gpus: Sequence[int]) -> None:
    sizes = sorted(set(gpus))
    axes.set_xscale("log", base=2)
    axes.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
    every = -(-len(sizes) // 7)
    shown = sizes[::-1][::every]
    axes.set_xticks(shown, [f"{count:,}" for count in shown])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.margins(y=0.12)


def _steps(axes: Axes, steps: Mapping[int, str]) -> None:
    """Mark where the fabric becomes another by a line, with what it is from there on: the last one left of its line."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * 1.15)
    for place, (gpus, words) in enumerate(steps.items()):
        last = 0 < place == len(steps) - 1
        start = gpus / 2**0.5 if place else axes.get_xlim()[0]
        if place:
            axes.axvline(start, color=HAIR, linewidth=0.8, zorder=0)
        axes.annotate(
            f"from here {words}" if last else words, (start, high * 1.15), (-3 if last else 3, -2 - 9 * (place % 3)),
            textcoords="offset points", ha="right" if last else "left", va="top", color=GREY, zorder=3,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8}, **type_of(SMALL_PT),
        )  # fmt: skip
