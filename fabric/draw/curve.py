"""All-reduce bus bandwidth against message size, one curve for each way of doing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fabric.draw.canvas import elide, font
from fabric.draw.palette import BODY_PT, GREY, HAIR, HEAD_PT, INK, OKABE_ITO, TIER_PT, line_colour
from fabric.draw.render import plain_style
from fabric.units import size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "MARKERS", "draw_allreduce", "dress", "legend_label", "plot", "type_of"]

WIDTH, HEIGHT, MARGIN = 540.0, 270.0, 20.0
LEFT, RIGHT, FOOT, HEAD = 56.0, 372.0, 46.0, 42.0
"""The plot's sides from the page's left edge, and its distances from the foot and the head, in points."""

LEGEND_LEAD, HANDLE = 12.0, 34.0
COLOURS = tuple(line_colour(colour) for colour in OKABE_ITO if colour != "#F0E442")
"""Yellow is no line on white."""
MARKERS, DASHES = "os^Dv<>", ("-", "--", "-.", ":")

Points = Sequence[tuple[int, float]]


def draw_allreduce(title: str, curves: Mapping[str, Points], line_rate_GBps: float | None) -> Figure:
    """Draw busbw in GB/s over the message size, a curve `[(size_bytes, busbw_GBps), ...]` for each label."""
    height = max(HEIGHT, FOOT + HEAD + LEGEND_LEAD * len(curves))
    with plain_style():
        figure, axes = plot(title, height)
        for place, (label, points) in enumerate(curves.items()):
            _curve(axes, place, label, points)
        _scales(axes, [point for points in curves.values() for point in points], line_rate_GBps or 0)
        _line_rate(axes, line_rate_GBps)
        dress(axes, "message size", "bus bandwidth (busbw), GB/s")
    return figure


def plot(title: str, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """Return a page with its title and the empty axes on it, room for the legend at the right."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=200, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((LEFT / WIDTH, FOOT / height, (RIGHT - LEFT) / WIDTH, (height - FOOT - HEAD) / height))
    head = elide(title, WIDTH - MARGIN - LEFT, TIER_PT, bold=True)
    figure.text(LEFT / WIDTH, 1 - 24 / height, head, color=INK, **type_of(TIER_PT, bold=True))
    return figure, axes


def type_of(size_pt: float, bold: bool = False) -> dict[str, Any]:
    """Return the type of a text as matplotlib's keywords."""
    properties = font(bold).copy()
    properties.set_size(size_pt)
    return {"fontproperties": properties}


def legend_label(text: str) -> str:
    """Return a text that fits into the legend, in two lines where a comma parts it so."""
    room = WIDTH - MARGIN - RIGHT - 12 - HANDLE
    if elide(text, room, BODY_PT) == text:
        return text
    first, comma, rest = text.partition(", ")
    return "\n".join(elide(part, room, BODY_PT) for part in ((f"{first},", rest) if comma else (text,)))


def _curve(axes: Axes, place: int, label: str, points: Points) -> None:
    """Plot one curve; its colour and marker, and after seven curves its dashes, tell it from the others."""
    axes.plot(
        [bytes_ for bytes_, _ in points], [speed for _, speed in points],
        label=legend_label(label), color=COLOURS[place % len(COLOURS)],
        linestyle=DASHES[place // len(COLOURS) % len(DASHES)], linewidth=1.4,
        marker=MARKERS[place % len(MARKERS)], markersize=3.2, clip_on=False,
    )  # fmt: skip


def _scales(axes: Axes, points: Points, line_rate: float) -> None:
    """Set the size axis in powers of two, eight named at the most, and the bandwidth axis from nought."""
    sizes = [bytes_ for bytes_, _ in points] or [1]
    low, high = min(sizes).bit_length() - 1, (max(sizes) - 1).bit_length()
    every = max(1, -(-(high - low) // 7))
    axes.set_xscale("log", base=2)
    axes.set_xlim(2 ** (low - 0.5), 2 ** (high + 0.5))
    powers = [2**power for power in range(low, high + 1, every)]
    axes.set_xticks(powers, [size(power) for power in powers])
    axes.minorticks_off()
    axes.set_ylim(0, 1.14 * max([line_rate, *(speed for _, speed in points)]) or 1)


def _line_rate(axes: Axes, line_rate: float | None) -> None:
    if line_rate is None:
        return
    axes.axhline(line_rate, color=INK, linewidth=0.9, dashes=(4, 3), zorder=1)
    words, start = f"line rate, {line_rate:.4g} GB/s", (0, line_rate)
    axes.annotate(
        words, start, (4, 3), ("axes fraction", "data"), textcoords="offset points", color=INK, **type_of(BODY_PT)
    )


def dress(axes: Axes, horizontal: str, vertical: str) -> None:
    """Name the axes, set their type and lines, and put the legend beside the plot."""
    axes.set_xlabel(horizontal, color=INK, **type_of(HEAD_PT))
    axes.set_ylabel(vertical, color=INK, **type_of(HEAD_PT))
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(color=GREY, **type_of(BODY_PT))
    axes.tick_params(color=GREY, width=0.6)
    axes.grid(axis="y", color=HAIR, linewidth=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=GREY, linewidth=0.6)
    if axes.get_legend_handles_labels()[1]:
        prop = type_of(BODY_PT)["fontproperties"]
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(1 + 12 / (RIGHT - LEFT), 1),
            borderaxespad=0,
            frameon=False,
            labelcolor=INK,
            prop=prop,
        )
