"""The picture of a training step: where its time goes, and what every stage of the pipeline does when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fabric.draw.canvas import elide
from fabric.draw.palette import ACCENT, BODY_PT, GREY, HAIR, INK, PALE, SMALL_PT, ink_on
from fabric.draw.plain_style import plain_style
from fabric.draw.plot import HEAD, LEFT, MARGIN, WIDTH, make_page, style_axes, text_type
from fabric.training.timeline import KINDS, MESSAGES, Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_training"]

FILLS = ("#56B4E9", "#E69F00", "#F0E442", "#CC79A7", "#0072B2", "#D55E00", "#3C3C3C")
"""The fill of each kind of span."""

WAITS, WAITS_OPACITY = "#FFFFFF", 0.55
"""What lies over the part of a pass that is messages, and how much it covers."""

SHARES = {"computation": ACCENT, "update": INK, "bubble": PALE}
"""The colours of the parts of a step; messages have the one that no kind of span has."""

MESSAGE = "#009E73"

ROW, LEAST_ROW, LEAST_ROWS, MOST_ROWS = 15.0, 4.0, 45.0, 330.0
"""The height of a stage's row, its least, and the least and greatest height of all rows, in points."""

BAR, GAP, FOOT, KEY = 14.0, 26.0, 38.0, 11.0
"""The height of the bar of shares, of the space below it, of the foot, and of each row of the legend there, in points.
"""

KEYS = 4
"""The kinds of spans in a row of the legend."""

TIME_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))
"""The units of time, in seconds, of which the first that a step is as long as is that of its axis."""

VECTORS = 5000
"""The spans up to which each is drawn as an outline; more are drawn as pixels."""

DIGIT, AROUND = 4.2, 2.0
"""The width of a digit and of the room around a number, in points."""

NUMBERED = 0.9
"""The share of passes whose numbers must fit for any to be written."""

Share = tuple[str, float]
"""A part of the step and its seconds."""


def draw_training(title: str, shares: Sequence[Share], spans: Timeline) -> Figure:
    """Draw the parts of a step as one bar, and below it the spans of every stage over time."""
    row = max(LEAST_ROW, LEAST_ROWS / spans.ranks, min(ROW, MOST_ROWS / spans.ranks))
    rows = row * spans.ranks
    keys = _name_fills(spans)
    foot = FOOT + KEY * -(-len(keys) // KEYS)
    height = HEAD + BAR + GAP + rows + foot
    with plain_style():
        figure = make_page(title, height)
        width = (WIDTH - LEFT - MARGIN) / WIDTH
        bar = figure.add_axes((LEFT / WIDTH, (height - HEAD - BAR) / height, width, BAR / height))
        _draw_shares(bar, shares)
        axes = figure.add_axes((LEFT / WIDTH, foot / height, width, rows / height))
        _draw_spans(axes, spans, row)
        _add_legend(axes, keys, rows)
    return figure


def _draw_shares(axes: Axes, shares: Sequence[Share]) -> None:
    """Draw the parts of the step beside each other, each with its name where there is room, and list them below."""
    total, left = sum(seconds for _, seconds in shares), 0.0
    room = WIDTH - LEFT - MARGIN
    for name, seconds in shares:
        fill = SHARES.get(name, MESSAGE)
        axes.barh(0, seconds, 1.0, left, color=fill, edgecolor="white", linewidth=0.5)
        if elide(name, room * seconds / total - 4, SMALL_PT) == name:
            place = (left + seconds / 2, 0)
            axes.text(*place, name, ha="center", va="center", color=ink_on(fill), **text_type(SMALL_PT))
        left += seconds
    parts = ", ".join(f"{name} {100 * seconds / total:.1f} %" for name, seconds in shares)
    text = elide(parts, room, BODY_PT)
    axes.annotate(
        text, (0, 0), (0, -4), xycoords="axes fraction", textcoords="offset points", va="top", color=GREY,
        annotation_clip=False, **text_type(BODY_PT),
    )  # fmt: skip
    axes.set_xlim(0, total)
    axes.set_ylim(-0.5, 0.5)
    axes.set_axis_off()


def _draw_spans(axes: Axes, spans: Timeline, row: float) -> None:
    """Draw a row for each stage, the first on top: passes above, messages of data-parallel ranks below."""
    from matplotlib.collections import PolyCollection

    beside = np.isin(spans.kind, MESSAGES)
    low = spans.rank + np.where(beside, 0.74, 0.06)
    high = spans.rank + np.where(beside, 0.92, 0.70)
    pixels = len(spans.kind) > VECTORS
    edge = 0.25 if row > LEAST_ROW and not pixels else 0.0

    def add(start: npt.NDArray[np.float64], fills: Sequence[str], alpha: float) -> None:
        corners: Any = np.stack((start, low, start, high, spans.end_s, high, spans.end_s, low), 1).reshape(-1, 4, 2)
        axes.add_collection(
            PolyCollection(
                corners, facecolors=fills, edgecolors="white", linewidths=edge, alpha=alpha, rasterized=pixels
            )
        )

    add(spans.start_s, [FILLS[kind] for kind in spans.kind], 1.0)
    add(spans.end_s - spans.waits_s, [WAITS] * len(spans.kind), WAITS_OPACITY)
    _number_spans(axes, spans, row)
    axes.set_xlim(0, spans.step_s)
    axes.set_ylim(spans.ranks, 0)
    every = max(1, -(-spans.ranks // 16))
    shown = range(0, spans.ranks, every)
    axes.set_yticks([rank + 0.4 for rank in shown], [str(rank) for rank in shown])
    axes.tick_params(axis="y", length=0)
    axes.set_facecolor(PALE)
    size, unit = next((each for each in TIME_UNITS if spans.step_s >= each[0]), TIME_UNITS[-1])
    times = [float(time) for time in axes.get_xticks() if 0 <= time <= spans.step_s]
    axes.set_xticks(times, [f"{time / size:g}" for time in times])
    style_axes(axes, f"time ({unit})", "pipeline stage")
    axes.grid(visible=False)


def _number_spans(axes: Axes, spans: Timeline, row: float) -> None:
    """Write the micro-batch into each pass that is wide enough, or into none where many are not."""
    passes = np.flatnonzero(spans.micro_batch >= 0)
    width = (spans.end_s - spans.start_s)[passes] * (WIDTH - LEFT - MARGIN) / spans.step_s
    fits = width >= AROUND + DIGIT * len(str(spans.micro_batch.max()))
    if row < ROW or fits.mean() < NUMBERED:
        return
    for span in passes[fits]:
        place = ((spans.start_s[span] + spans.end_s[span]) / 2, spans.rank[span] + 0.4)
        text, ink = str(spans.micro_batch[span]), ink_on(FILLS[spans.kind[span]])
        axes.text(*place, text, ha="center", va="center", color=ink, **text_type(SMALL_PT))


def _name_fills(spans: Timeline) -> list[tuple[str, str]]:
    """Return the fill and the name of each kind of span shown, of messages in a pass, and of idle time."""
    kinds = np.unique(spans.kind)
    keys = [(FILLS[kind], KINDS[kind]) for kind in kinds]
    if spans.waits_s.any():
        keys.append((_blend(FILLS[kinds[0]], WAITS, WAITS_OPACITY), "paler: messages in a pass"))
    return [*keys, (PALE, "idle")]


def _add_legend(axes: Axes, keys: Sequence[tuple[str, str]], rows: float) -> None:
    """Name the fills, below the axis of time."""
    from matplotlib.patches import Patch

    patches = [Patch(color=fill, label=label) for fill, label in keys]
    axes.legend(
        handles=patches, loc="upper left", bbox_to_anchor=(0, -28 / rows), ncols=KEYS, borderaxespad=0, frameon=False,
        labelcolor=INK, prop=text_type(BODY_PT)["fontproperties"], handlelength=1.2, handleheight=0.8,
        columnspacing=1.4,
    )  # fmt: skip
    axes.spines[["left"]].set(color=HAIR)


def _blend(fill: str, over: str, opacity: float) -> str:
    """Return the colour of a fill under another colour that covers it in part."""
    pairs = ((int(fill[at : at + 2], 16), int(over[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(low + (high - low) * opacity):02X}" for low, high in pairs)
