"""Pictures of a sweep: panels of curves, a heat map, and bands of percentiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fabric.draw.canvas import elide
from fabric.draw.palette import BODY_PT, GREY, HAIR, HEAD_PT, INK, SMALL_PT, ink_on
from fabric.draw.plain_style import plain_style
from fabric.draw.plot import COLOURS, HEAD, LEFT, MARGIN, MARKERS, WIDTH, make_page, style_axes, text_type

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MOST_CURVES", "MOST_PANELS", "Axis", "Band", "draw_bands", "draw_curves", "draw_heat_map"]

Write = Callable[[float], str]
Points = Sequence[tuple[float, float]]

COLUMNS = 3
"""The panels beside each other."""

MOST_PANELS = 24
MOST_CURVES = len(COLOURS)
"""The curves of a panel that colours tell apart."""

PANEL, ONE_PANEL = 132.0, 200.0
"""The height of a panel among others, and of one alone, in points."""

GAP_X, GAP_Y, FOOT, ROW = 46.0, 44.0, 40.0, 13.0
"""The distances between panels, of the last one from the foot, and between rows of a legend, in points."""

ANNOTATED = 14
"""The cells of a row or column up to which each has its number."""

ALTERNATING = ("-", (0, (4, 2)))
"""The dashes of curves: one that lies on its neighbour still shows."""

SCALE = ("#EAF3FA", "#A9D0E8", "#56B4E9", "#0072B2", "#0B3C5D")
"""The colours of a heat map, the least first."""

UNKNOWN = "#F6F8FA"


@dataclass(frozen=True)
class Axis:
    """What an axis shows."""

    label: str
    """Its name, with the unit."""
    write: Write
    """Returns a value as text, for its ticks."""
    powers: bool = False
    """Whether steps of equal factors are equally far apart."""


@dataclass(frozen=True, eq=False)
class Band:
    """Percentiles over a key: arrays of one shape, the values of `x` ascending."""

    x: npt.NDArray[np.float64]
    """The values of the key."""
    percentiles: Mapping[int, npt.NDArray[np.float64]]
    """The share of bandwidth kept by percentile: 1, 5, 50, 95 and 99."""
    mean: npt.NDArray[np.float64]
    """Its mean."""


def draw_curves(title: str, panels: Mapping[str, Mapping[str, Points]], x: Axis, y: Axis) -> Figure:
    """Draw a panel for each name, with a curve for each label, all on the same axes."""
    labels = list(dict.fromkeys(label for curves in panels.values() for label in curves))
    with plain_style():
        figure, grid = _lay_panels(title, list(panels), labels)
        for axes, curves in zip(grid, panels.values(), strict=True):
            for label, points in curves.items():
                number = labels.index(label)
                axes.plot(
                    *zip(*points, strict=True), color=COLOURS[number % len(COLOURS)], linewidth=1.3, markersize=3.4,
                    linestyle=ALTERNATING[number % 2], marker=MARKERS[number % len(MARKERS)], label=label,
                    clip_on=False,
                )  # fmt: skip
        every = [point for curves in panels.values() for points in curves.values() for point in points]
        _scale_panels(grid, every, x, y)
        if labels != [""]:
            _add_legend(figure, grid, labels)
    return figure


def draw_bands(title: str, panels: Mapping[str, Band], x: Axis) -> Figure:
    """Draw the median and mean of the bandwidth kept in each panel, with the bands of 90 % and 98 % of the draws."""
    names = ["median", "mean", "p5 to p95", "p1 to p99"]
    with plain_style():
        figure, grid = _lay_panels(title, list(panels), names)
        for axes, band in zip(grid, panels.values(), strict=True):
            shares = {percent: 100 * values for percent, values in band.percentiles.items()}
            for low, high, strength in ((1, 99, 0.18), (5, 95, 0.38)):
                axes.fill_between(
                    band.x, shares[low], shares[high], color=COLOURS[0], alpha=strength, linewidth=0,
                    label=f"p{low} to p{high}",
                )  # fmt: skip
            axes.plot(band.x, shares[50], color=COLOURS[0], linewidth=1.6, marker="o", markersize=3, label="median")
            axes.plot(band.x, 100 * band.mean, color=INK, linewidth=1.0, linestyle="--", label="mean")
        every = [
            (at, 100 * share)
            for band in panels.values()
            for values in (*band.percentiles.values(), band.mean)
            for at, share in zip(band.x, values, strict=True)
        ]
        _scale_panels(grid, every, x, Axis("bandwidth kept (%)", lambda value: f"{value:g}"))
        _add_legend(figure, grid, names)
    return figure


def draw_heat_map(
    title: str, rows: Sequence[str], columns: Sequence[str], values: npt.NDArray[np.float64], axes: Sequence[Axis]
) -> Figure:
    """Draw `values`, shape (rows, columns), as coloured cells, a dash where one is not known (nan).

    `axes` are those of the columns, of the rows and of the values.
    """
    from matplotlib.colors import LinearSegmentedColormap, Normalize, to_hex

    height = HEAD + FOOT + max(120.0, min(360.0, 24.0 * len(rows)))
    with plain_style():
        figure = make_page(title, height)
        side = LEFT + max(0.0, 5.2 * max(map(len, rows)) - 24)
        plot = figure.add_axes(_box(side, FOOT, WIDTH - 96 - side, height - FOOT - HEAD, height))
        scale = LinearSegmentedColormap.from_list("fabric", SCALE, bad=UNKNOWN)
        known = values[~np.isnan(values)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        norm = Normalize(low, high if high > low else low + 1)
        image = plot.imshow(np.ma.masked_invalid(values), cmap=scale, norm=norm, aspect="auto", origin="lower")
        if max(values.shape) <= ANNOTATED:
            for (row, column), value in np.ndenumerate(values):
                text = "-" if np.isnan(value) else axes[2].write(float(value))
                ink = GREY if np.isnan(value) else ink_on(to_hex(scale(norm(value))))
                plot.text(column, row, text, ha="center", va="center", color=ink, **text_type(SMALL_PT))
        for ticks, names in ((plot.set_xticks, columns), (plot.set_yticks, rows)):
            shown = range(0, len(names), -(-len(names) // 16))
            ticks(list(shown), [names[index] for index in shown])
        style_axes(plot, axes[0].label, axes[1].label)
        plot.grid(visible=False)
        _add_colour_bar(figure, image, axes[2], height)
    return figure


def _add_colour_bar(figure: Figure, image: Any, axis: Axis, height: float) -> None:
    """Draw the scale of colours at the right, with its name."""
    room = figure.add_axes(_box(WIDTH - 84, FOOT, 9, height - FOOT - HEAD, height))
    bar = figure.colorbar(image, cax=room)
    bar.outline.set(edgecolor=HAIR, linewidth=0.4)
    bar.ax.yaxis.set_major_formatter(lambda value, _: axis.write(value))
    bar.ax.tick_params(color=GREY, width=0.6)
    for label in bar.ax.get_yticklabels():
        label.set(color=GREY, **text_type(BODY_PT))
    bar.set_label(axis.label, color=INK, **text_type(HEAD_PT))


def _lay_panels(title: str, names: Sequence[str], legend: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """Return a page with empty axes for every panel, row by row, and room for a legend above them."""
    across = min(COLUMNS, len(names))
    down = -(-len(names) // across)
    tall = ONE_PANEL if down == 1 else PANEL
    top = HEAD + (ROW if [*legend] != [""] else 0.0) + (14.0 if names != [""] else 0.0)
    height = top + down * tall + (down - 1) * GAP_Y + FOOT
    figure = make_page(title, height)
    wide = (WIDTH - LEFT - MARGIN - (across - 1) * GAP_X) / across
    found = []
    for number, name in enumerate(names):
        row, column = divmod(number, across)
        bottom = height - top - (row + 1) * tall - row * GAP_Y
        axes = figure.add_axes(_box(LEFT + column * (wide + GAP_X), bottom, wide, tall, height))
        if name:
            axes.set_title(elide(name, wide, BODY_PT, bold=True), color=INK, pad=5, **text_type(BODY_PT, bold=True))
        found.append(axes)
    return figure, found


def _box(left: float, bottom: float, width: float, height: float, page: float) -> tuple[float, float, float, float]:
    return left / WIDTH, bottom / page, width / WIDTH, height / page


def _scale_panels(grid: Sequence[Axes], points: Points, x: Axis, y: Axis) -> None:
    """Give all panels the same limits, with their names at the left and at the foot only."""
    across = min(COLUMNS, len(grid))
    x_values, y_values = (sorted({point[index] for point in points}) for index in (0, 1))
    for number, axes in enumerate(grid):
        first, last = number % across == 0, number + across >= len(grid)
        style_axes(axes, x.label if last else "", y.label if first else "")
        _scale_axis(axes.xaxis, x_values, x, most=5 if across > 1 else 9)
        _scale_axis(axes.yaxis, y_values, y, most=5)


def _scale_axis(axis: Any, values: Sequence[float], what: Axis, most: int) -> None:
    """Set the scale, the limits with some room, and the ticks of an axis."""
    low, high = values[0], values[-1]
    axes, name = axis.axes, axis.axis_name
    shown = list(values[:: -(-len(values) // most)]) if name == "x" and len(values) <= 2 * most else []
    if what.powers:
        getattr(axes, f"set_{name}scale")("log", base=2)
        axes.minorticks_off()
        getattr(axes, f"set_{name}lim")(low / 1.15, high * 1.15)
        shown = shown or _round_numbers(low, high)
    else:
        room = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
        getattr(axes, f"set_{name}lim")(low - room, high + room)
        axis.set_major_locator(_locator(most, whole=all(value == int(value) for value in values)))
        shown = shown if _are_apart(shown, high - low, most) else []
    if shown:
        axis.set_ticks(shown, [what.write(value) for value in shown])
        return
    axis.set_major_formatter(lambda value, _: what.write(value))


def _round_numbers(low: float, high: float) -> list[float]:
    """Return the powers of ten between two numbers, with their doubles and halves where these are few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        found = [factor * 10.0**power for power in powers for factor in factors]
        inside = [value for value in found if low / 1.15 <= value <= high * 1.15]
        if len(inside) >= 4:
            break
    return inside


def _locator(most: int, *, whole: bool) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(most, steps=[1, 2, 5, 10], integer=whole)


def _are_apart(values: Sequence[float], width: float, most: int) -> bool:
    """Return whether the labels of these ticks do not touch on an axis of this width that takes `most` of them."""
    return all(following - value >= 0.7 * width / most for value, following in pairwise(values))


def _add_legend(figure: Figure, grid: Sequence[Axes], labels: Sequence[str]) -> None:
    """Put one legend for all panels below the title."""
    handles: dict[str, Any] = {}
    for axes in grid:
        found, names = axes.get_legend_handles_labels()
        handles |= dict(zip(map(str, names), found, strict=True))
    room = (WIDTH - LEFT - MARGIN) / len(labels) - 34
    height = 72 * figure.get_figheight()
    texts = [elide(label or "none", room, BODY_PT) for label in labels]
    figure.legend(
        handles=[handles[label] for label in labels], labels=texts,
        loc="upper left", bbox_to_anchor=((LEFT - 6) / WIDTH, 1 - 30 / height), ncols=len(labels), frameon=False,
        borderaxespad=0, labelcolor=INK, columnspacing=1.4, handlelength=1.8, prop=text_type(BODY_PT)["fontproperties"],
    )  # fmt: skip
