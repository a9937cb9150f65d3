"""Charts: bandwidth against message size and against the size of the machine, and a Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fabric.draw.palette import BODY_PT, GREY, HAIR, INK, SMALL_PT
from fabric.draw.plain_style import plain_style
from fabric.draw.plot import (
    COLOURS,
    FOOT,
    HEAD,
    HEIGHT,
    LEGEND_LEAD,
    MARKERS,
    finish_axes,
    fit_legend,
    make_plot,
    text_type,
)
from fabric.units import size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_allreduce", "draw_front", "draw_scale"]

DASHES = ("-", "--", "-.", ":")
ALTERNATING = ("-", (0, (3, 2)))
"""The dashes of a scaling chart: a curve that lies on its neighbour still shows."""

BANDWIDTH = "bus bandwidth (busbw), GB/s"

Points = Sequence[tuple[int, float]]
"""A curve: its points, whole number and value."""
FrontPoint = tuple[float, float, str]
"""The values of a design on the two axes, and the group that its colour shows."""


def draw_allreduce(title: str, curves: Mapping[str, Points], line_rate_GBps: float | None) -> Figure:
    """Draw busbw in GB/s over the message size, a curve `[(size_bytes, busbw_GBps), ...]` for each label."""
    height = max(HEIGHT, FOOT + HEAD + LEGEND_LEAD * len(curves))
    with plain_style():
        figure, axes = make_plot(title, height)
        for number, (label, points) in enumerate(curves.items()):
            dashes = DASHES[number // len(COLOURS) % len(DASHES)]
            _plot_curve(axes, number, label, points, dashes)
        _scale_sizes(axes, [point for points in curves.values() for point in points], line_rate_GBps or 0)
        _draw_line_rate(axes, line_rate_GBps)
        finish_axes(axes, "message size", BANDWIDTH)
    return figure


def draw_front(title: str, points: Sequence[FrontPoint], labels: tuple[str, str]) -> Figure:
    """Draw a Pareto front: the points, numbered in their order and coloured by group, lower left being better."""
    with plain_style():
        figure, axes = make_plot(title)
        axes.step([x for x, _, _ in points], [y for _, y, _ in points], where="post", color=GREY, linewidth=0.6)
        for number, group in enumerate(dict.fromkeys(group for _, _, group in points)):
            members = [(x, y) for x, y, name in points if name == group]
            axes.plot(
                *zip(*members, strict=True), MARKERS[number % len(MARKERS)], color=COLOURS[number % len(COLOURS)],
                markersize=4.5, label=fit_legend(group), clip_on=False,
            )  # fmt: skip
        every = -(-len(points) // 20)
        for index, (x, y, _) in enumerate(points[::every]):
            text = str(1 + index * every)
            axes.annotate(text, (x, y), (4, 4), textcoords="offset points", color=INK, **text_type(BODY_PT))
        axes.set_xlim(*_padded_limits([x for x, _, _ in points]))
        axes.set_ylim(*_padded_limits([y for _, y, _ in points]))
        finish_axes(axes, *labels)
    return figure


def draw_scale(
    title: str, curves: Mapping[str, Points], bends: Mapping[str, Points], steps: Mapping[int, str]
) -> Figure:
    """Draw busbw in GB/s over the GPUs, a curve `[(gpus, busbw_GBps), ...]` for each label, with rings at its bends.

    `steps` describes the fabric from each number of GPUs on.
    """
    with plain_style():
        figure, axes = make_plot(title)
        for number, (label, points) in enumerate(curves.items()):
            _plot_curve(axes, number, label, points, ALTERNATING[number % 2])
            if ringed := bends.get(label):
                colour = COLOURS[number % len(COLOURS)]
                columns = zip(*ringed, strict=True)
                axes.plot(*columns, "o", color=colour, fillstyle="none", markersize=7.5, clip_on=False)
        _scale_gpus(axes, [gpus for points in curves.values() for gpus, _ in points])
        _draw_steps(axes, steps)
        finish_axes(axes, "GPUs", BANDWIDTH)
    return figure


def _plot_curve(axes: Axes, number: int, label: str, points: Points, dashes: Any) -> None:
    """Plot one curve, with the colour and marker of its number."""
    axes.plot(
        [x for x, _ in points], [y for _, y in points], label=fit_legend(label),
        color=COLOURS[number % len(COLOURS)], linestyle=dashes, linewidth=1.4,
        marker=MARKERS[number % len(MARKERS)], markersize=3.2, clip_on=False,
    )  # fmt: skip


def _scale_sizes(axes: Axes, points: Points, line_rate: float) -> None:
    """Set the size axis to powers of two, at most eight of them labelled, and the bandwidth axis to start at 0."""
    sizes = [bytes_ for bytes_, _ in points] or [1]
    low, high = min(sizes).bit_length() - 1, (max(sizes) - 1).bit_length()
    every = max(1, -(-(high - low) // 7))
    axes.set_xscale("log", base=2)
    axes.set_xlim(2 ** (low - 0.5), 2 ** (high + 0.5))
    powers = [2**power for power in range(low, high + 1, every)]
    axes.set_xticks(powers, [size(power) for power in powers])
    axes.minorticks_off()
    axes.set_ylim(0, 1.14 * max([line_rate, *(speed for _, speed in points)]) or 1)


def _draw_line_rate(axes: Axes, line_rate: float | None) -> None:
    if line_rate is None:
        return
    axes.axhline(line_rate, color=INK, linewidth=0.9, dashes=(4, 3), zorder=1)
    text, start = f"line rate, {line_rate:.4g} GB/s", (0, line_rate)
    axes.annotate(
        text, start, (4, 3), ("axes fraction", "data"), textcoords="offset points", color=INK, **text_type(BODY_PT)
    )


def _padded_limits(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis, with room that keeps nearly equal values close together."""
    low, high = min(values), max(values)
    room = max(0.08 * (high - low), (0.1 * abs(high) - (high - low)) / 2) or 0.5
    return low - room, high + room


def _scale_gpus(axes: Axes, gpus: Sequence[int]) -> None:
    sizes = sorted(set(gpus))
    axes.set_xscale("log", base=2)
    axes.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
    every = -(-len(sizes) // 7)
    shown = sizes[::-1][::every]
    axes.set_xticks(shown, [f"{count:,}" for count in shown])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.margins(y=0.12)


def _draw_steps(axes: Axes, steps: Mapping[int, str]) -> None:
    """Draw a line where the fabric changes, with its description from there on; the last one left of its line."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * 1.15)
    for number, (gpus, text) in enumerate(steps.items()):
        last = 0 < number == len(steps) - 1
        start = gpus / 2**0.5 if number else axes.get_xlim()[0]
        if number:
            axes.axvline(start, color=HAIR, linewidth=0.8, zorder=0)
        axes.annotate(
            f"from here {text}" if last else text, (start, high * 1.15), (-3 if last else 3, -2 - 9 * (number % 3)),
            textcoords="offset points", ha="right" if last else "left", va="top", color=GREY, zorder=3,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8}, **text_type(SMALL_PT),
        )  # fmt: skip
