"""A plot on a page: its size and margins, the type of its title, axes and legend, and its colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fabric.draw.canvas import elide, font
from fabric.draw.palette import BODY_PT, GREY, HAIR, HEAD_PT, INK, OKABE_ITO, TIER_PT, line_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "FOOT",
    "HEAD",
    "HEIGHT",
    "LEFT",
    "LEGEND_LEAD",
    "MARGIN",
    "MARKERS",
    "RIGHT",
    "WIDTH",
    "finish_axes",
    "fit_legend",
    "make_page",
    "make_plot",
    "style_axes",
    "text_type",
]

WIDTH, HEIGHT, MARGIN = 540.0, 270.0, 20.0
LEFT, RIGHT, FOOT, HEAD = 56.0, 372.0, 46.0, 42.0
"""The plot's sides from the page's left edge, and its distances from the foot and the head, in points."""

LEGEND_LEAD, HANDLE = 12.0, 34.0
COLOURS = tuple(line_colour(colour) for colour in OKABE_ITO if colour != "#F0E442")
"""The colours of curves: without yellow, which does not show as a line on white."""
MARKERS = "os^Dv<>"


def make_page(title: str, height: float = HEIGHT) -> Figure:
    """Return a page with its title, `height` points high."""
    from fabric.draw.page_figure import PageFigure

    figure = PageFigure(WIDTH, height)
    heading = elide(title, WIDTH - MARGIN - LEFT, TIER_PT, bold=True)
    figure.text(LEFT / WIDTH, 1 - 24 / height, heading, color=INK, **text_type(TIER_PT, bold=True))
    return figure


def make_plot(title: str, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """Return a page with its title and empty axes, with room for the legend at the right."""
    figure = make_page(title, height)
    axes = figure.add_axes((LEFT / WIDTH, FOOT / height, (RIGHT - LEFT) / WIDTH, (height - FOOT - HEAD) / height))
    return figure, axes


def text_type(size_pt: float, bold: bool = False) -> dict[str, Any]:
    """Return the type of a text as matplotlib's keywords."""
    properties = font(bold).copy()
    properties.set_size(size_pt)
    return {"fontproperties": properties}


def fit_legend(text: str) -> str:
    """Return a text that fits into the legend, in two lines where it has a comma to break at."""
    room = WIDTH - MARGIN - RIGHT - 12 - HANDLE
    if elide(text, room, BODY_PT) == text:
        return text
    first, comma, rest = text.partition(", ")
    return "\n".join(elide(part, room, BODY_PT) for part in ((f"{first},", rest) if comma else (text,)))


def style_axes(axes: Axes, horizontal: str, vertical: str) -> None:
    """Name the axes, and set their type and lines."""
    axes.set_xlabel(horizontal, color=INK, **text_type(HEAD_PT))
    axes.set_ylabel(vertical, color=INK, **text_type(HEAD_PT))
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(color=GREY, **text_type(BODY_PT))
    axes.tick_params(color=GREY, width=0.6)
    axes.grid(axis="y", color=HAIR, linewidth=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=GREY, linewidth=0.6)


def finish_axes(axes: Axes, horizontal: str, vertical: str) -> None:
    """Name the axes, set their type and lines, and put the legend beside the plot."""
    style_axes(axes, horizontal, vertical)
    if axes.get_legend_handles_labels()[1]:
        prop = text_type(BODY_PT)["fontproperties"]
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(1 + 12 / (RIGHT - LEFT), 1),
            borderaxespad=0,
            frameon=False,
            labelcolor=INK,
            prop=prop,
        )
