"""The picture of failures: how often at least so much bandwidth is left, and what each kind of part costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabric.draw.palette import BODY_PT, INK
from fabric.draw.plain_style import plain_style
from fabric.draw.plot import COLOURS, FOOT, HEAD, HEIGHT, LEFT, MARGIN, WIDTH, make_page, style_axes, text_type

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_failures"]

SPLIT = 0.55
"""The share of the width of the left plot."""

SAME = 1e-9
"""Shares that differ by less than this are equal."""

NAMES = 78.0
"""The room for the names of kinds, in points."""

Gain = tuple[str, float, float]
"""A kind of part, how much larger the mean would be without its failures, and the standard error of that."""


def draw_failures(title: str, kept: npt.NDArray[np.float64], gains: Sequence[Gain], what: str) -> Figure:
    """Draw the share of `what` (time, or draws) with at least a share of bandwidth, and the gain of each kind.

    `kept` is the share of bandwidth kept in each draw, shape (draws,).
    """
    height = max(HEIGHT, FOOT + HEAD + 16.0 * len(gains))
    with plain_style():
        figure = make_page(title, height)
        room, top = WIDTH - LEFT - 2 * MARGIN - NAMES, (height - FOOT - HEAD) / height
        left = figure.add_axes((LEFT / WIDTH, FOOT / height, SPLIT * room / WIDTH, top))
        start = LEFT + SPLIT * room + MARGIN + NAMES
        right = figure.add_axes((start / WIDTH, FOOT / height, (1 - SPLIT) * room / WIDTH, top))
        _plot_shares(left, kept, what)
        _plot_gains(right, gains)
    return figure


def _plot_shares(axes: Axes, kept: npt.NDArray[np.float64], what: str) -> None:
    """Plot the share of draws with at least each share of bandwidth, a falling step, with the mean."""
    low, mean = float(kept.min()), 100 * float(kept.mean())
    first = 0.0 if low < 0.5 else max(0.0, low - 0.2 * (1 - low) - 0.002)
    levels = np.unique(np.append(kept, first))
    at_least = 1 - np.searchsorted(np.sort(kept), levels - SAME) / len(kept)
    axes.step(100 * levels, 100 * at_least, where="pre", color=COLOURS[0], linewidth=1.4, clip_on=False)
    axes.axvline(mean, color=INK, linewidth=0.9, dashes=(4, 3), zorder=1)
    axes.set_xlim(100 * first, 100 * max(1.0, float(kept.max())))
    axes.set_ylim(0, 104)
    near = mean > 40 * first + 60
    axes.annotate(
        f"mean {mean:.2f} %", (mean, 8), (-4 if near else 4, 0), textcoords="offset points",
        ha="right" if near else "left", color=INK, **text_type(BODY_PT),
    )  # fmt: skip
    style_axes(axes, "at least this share of bandwidth (%)", f"share of {what} (%)")


def _plot_gains(axes: Axes, gains: Sequence[Gain]) -> None:
    """Plot a bar for each kind, the largest on top, with its standard error."""
    places = np.arange(len(gains))[::-1]
    values, errors = (100 * np.array([each[index] for each in gains]) for index in (1, 2))
    axes.barh(
        places,
        values,
        0.6,
        xerr=errors,
        color=COLOURS[0],
        ecolor=INK,
        error_kw={"linewidth": 0.9, "capsize": 2},
        zorder=2,
    )
    axes.set_yticks(places, [each[0] for each in gains])
    axes.set_ylim(-0.6, len(gains) - 0.4)
    if not values.any():
        axes.set_xlim(0, 1)
    style_axes(axes, "gain of the mean without it (points)", "")
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0)
