"""Charts: bandwidth against message size and against the size of the machine, and a Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fabric.draw.canvas import elide, font
from fabric.draw.palette import BODY_PT, GREY, HAIR, HEAD_PT, INK, OKABE_ITO, SMALL_PT, TIER_PT, line_colour
from fabric.draw.render import plain_style
from fabric.units import size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_allreduce", "draw_front", "draw_scale"]

WIDTH, HEIGHT, MARGIN = 540.0, 270.0, 20.0
LEFT, RIGHT, FOOT, HEAD = 56.0, 372.0, 46.0, 42.0
"""The plot's sides from the page's left edge, and its distances from the foot and the head, in points."""

LEGEND_LEAD, HANDLE = 12.0, 34.0
COLOURS = tuple(line_colour(colour) for colour in OKABE_ITO if colour != "#F0E442")
"""The colours of curves: without yellow, which does not show as a line on white."""
MARKERS, DASHES = "os^Dv<>", ("-", "--", "-.", ":")
ALTERNATING = ("-", (0, (3, 2)))
"""The dashes of a scaling chart: a curve that lies on its neighbour still shows."""

BANDWIDTH = "bus bandwidth (busbw), GB/s"

Points = Sequence[tuple[int, float]]
FrontPoint = tuple[float, float, str]
"""The values of a design on the two axes, and the group that its colour shows."""


def draw_allreduce(title: str, curves: Mapping[str, Points], line_rate_GBps: float | None) -> Figure:
    """Draw busbw in GB/s over the message size, a curve `[(size_bytes, busbw_GBps), ...]` for each label."""
    height = max(HEIGHT, FOOT + HEAD + LEGEND_LEAD * len(curves))
    with plain_style():
        figure, axes = _make_plot(title, height)
        for number, (label, points) in enumerate(curves.items()):
            dashes = DASHES[number // len(COLOURS) % len(DASHES)]
            _plot_curve(axes, number, label, points, dashes)
        _scale_sizes(axes, [point for points in curves.values() for point in points], line_rate_GBps or 0)
        _draw_line_rate(axes, line_rate_GBps)
        _finish_axes(axes, "message size", BANDWIDTH)
    return figure


def draw_front(title: str, points: Sequence[FrontPoint], labels: tuple[str, str]) -> Figure:
    """Draw a Pareto front: the points, numbered in their order and coloured by group, lower left being better."""
    with plain_style():
        figure, axes = _make_plot(title)
        axes.step([x for x, _, _ in points], [y for _, y, _ in points], where="post", color=GREY, linewidth=0.6)
        for number, group in enumerate(dict.fromkeys(group for _, _, group in points)):
            members = [(x, y) for x, y, name in points if name == group]
            axes.plot(
                *zip(*members, strict=True), MARKERS[number % len(MARKERS)], color=COLOURS[number % len(COLOURS)],
                markersize=4.5, label=_fit_legend(group), clip_on=False,
            )  # fmt: skip
        every = -(-len(points) // 20)
        for index, (x, y, _) in enumerate(points[::every]):
            text = str(1 + index * every)
            axes.annotate(text, (x, y), (4, 4), textcoords="offset points", color=INK, **_text_type(BODY_PT))
        axes.set_xlim(*_padded_limits([x for x, _, _ in points]))
        axes.set_ylim(*_padded_limits([y for _, y, _ in points]))
        _finish_axes(axes, *labels)
    return figure


def draw_scale(
    title: str, curves: Mapping[str, Points], bends: Mapping[str, Points], steps: Mapping[int, str]
) -> Figure:
    """Draw busbw in GB/s over the GPUs, a curve `[(gpus, busbw_GBps), ...]` for each label, with rings at its bends.

    `steps` describes the fabric from each number of GPUs on.
    """
    with plain_style():
        figure, axes = _make_plot(title)
        for number, (label, points) in enumerate(curves.items()):
            _plot_curve(axes, number, label, points, ALTERNATING[number % 2])
            if ringed := bends.get(label):
                colour = COLOURS[number % len(COLOURS)]
                columns = zip(*ringed, strict=True)
                axes.plot(*columns, "o", color=colour, fillstyle="none", markersize=7.5, clip_on=False)
        _scale_gpus(axes, [gpus for points in curves.values() for gpus, _ in points])
        _draw_steps(axes, steps)
        _finish_axes(axes, "GPUs", BANDWIDTH)
    return figure


def _make_plot(title: str, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """Return a page with its title and empty axes, with room for the legend at the right."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=200, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((LEFT / WIDTH, FOOT / height, (RIGHT - LEFT) / WIDTH, (height - FOOT - HEAD) / height))
    heading = elide(title, WIDTH - MARGIN - LEFT, TIER_PT, bold=True)
    figure.text(LEFT / WIDTH, 1 - 24 / height, heading, color=INK, **_text_type(TIER_PT, bold=True))
    return figure, axes


def _text_type(size_pt: float, bold: bool = False) -> dict[str, Any]:
    """Return the type of a text as matplotlib's keywords."""
    properties = font(bold).copy()
    properties.set_size(size_pt)
    return {"fontproperties": properties}


def _fit_legend(text: str) -> str:
    """Return a text that fits into the legend, in two lines where it has a comma to break at."""
    room = WIDTH - MARGIN - RIGHT - 12 - HANDLE
    if elide(text, room, BODY_PT) == text:
        return text
    first, comma, rest = text.partition(", ")
    return "\n".join(elide(part, room, BODY_PT) for part in ((f"{first},", rest) if comma else (text,)))


def _plot_curve(axes: Axes, number: int, label: str, points: Points, dashes: Any) -> None:
    """Plot one curve, with the colour and marker of its number."""
    axes.plot(
        [x for x, _ in points], [y for _, y in points], label=_fit_legend(label),
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
        text, start, (4, 3), ("axes fraction", "data"), textcoords="offset points", color=INK, **_text_type(BODY_PT)
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
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8}, **_text_type(SMALL_PT),
        )  # fmt: skip


def _finish_axes(axes: Axes, horizontal: str, vertical: str) -> None:
    """Name the axes, set their type and lines, and put the legend beside the plot."""
    axes.set_xlabel(horizontal, color=INK, **_text_type(HEAD_PT))
    axes.set_ylabel(vertical, color=INK, **_text_type(HEAD_PT))
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(color=GREY, **_text_type(BODY_PT))
    axes.tick_params(color=GREY, width=0.6)
    axes.grid(axis="y", color=HAIR, linewidth=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=GREY, linewidth=0.6)
    if axes.get_legend_handles_labels()[1]:
        prop = _text_type(BODY_PT)["fontproperties"]
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(1 + 12 / (RIGHT - LEFT), 1),
            borderaxespad=0,
            frameon=False,
            labelcolor=INK,
            prop=prop,
        )
