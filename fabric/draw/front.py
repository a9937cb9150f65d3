"""The Pareto front: each fabric a point, its cost against what the money buys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fabric.draw.curve import COLOURS, MARKERS, dress, legend_label, plot, type_of
from fabric.draw.palette import BODY_PT, GREY, INK
from fabric.draw.render import plain_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_front"]

Point = tuple[float, float, str]
"""Where a fabric stands on the two axes, and the group that its colour shows."""


def draw_front(title: str, points: Sequence[Point], labels: tuple[str, str]) -> Figure:
    """Draw the points, numbered in their order, coloured by group; the least of both axes is the corner to reach."""
    with plain_style():
        figure, axes = plot(title)
        axes.step([x for x, _, _ in points], [y for _, y, _ in points], where="post", color=GREY, linewidth=0.6)
        for place, group in enumerate(dict.fromkeys(group for _, _, group in points)):
            _group(axes, place, group, [(x, y) for x, y, name in points if name == group])
        every = -(-len(points) // 20)
        for place, (x, y, _) in enumerate(points[::every]):
            number = str(1 + place * every)
            axes.annotate(number, (x, y), (4, 4), textcoords="offset points", color=INK, **type_of(BODY_PT))
        axes.set_xlim(*_limits([x for x, _, _ in points]))
        axes.set_ylim(*_limits([y for _, y, _ in points]))
        dress(axes, *labels)
    return figure


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis: what is nearly equal fills only a part of it."""
    low, high = min(values), max(values)
    room = max(0.08 * (high - low), (0.1 * abs(high) - (high - low)) / 2) or 0.5
    return low - room, high + room


def _group(axes: Axes, place: int, group: str, points: Sequence[tuple[float, float]]) -> None:
    colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
    horizontal, vertical = zip(*points, strict=True)
    axes.plot(horizontal, vertical, marker, color=colour, markersize=4.5, label=legend_label(group), clip_on=False)
