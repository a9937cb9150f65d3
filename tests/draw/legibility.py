"""What makes a picture illegible: tiny text, text over text, and marks beyond the page."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.image import BboxImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox

from fabric.draw.canvas import Arc, Box, Boxes, Canvas, Dot, Label, Line, Mark, Raster, font
from fabric.draw.plain_style import plain_style

SLACK = 0.36
"""How far a mark may leave the page, in points: one pixel of a picture."""


def problems(canvas: Canvas) -> list[str]:
    """Return what is illegible on a canvas, before it is drawn."""
    labels = [mark for mark in canvas.marks if isinstance(mark, Label) and mark.text.strip()]
    boxes = np.array([extent(label) for label in labels]).reshape(-1, 4)
    found = [f"{label.text!r} is set in {label.size_pt} pt" for label in labels if label.size_pt < 6]
    out = _beyond(boxes, canvas.width, canvas.height, 0)
    found += [f"{labels[row].text!r} leaves the page" for row in np.flatnonzero(out)]
    found += [f"{labels[one].text!r} lies over {labels[two].text!r}" for one, two in _overlaps(boxes)]
    others = [mark for mark in canvas.marks if not isinstance(mark, Label)]
    out = _beyond(np.array([*map(bounds, others)]).reshape(-1, 4), canvas.width, canvas.height, SLACK)
    return found + [f"{others[row]} leaves the page" for row in np.flatnonzero(out)]


def _beyond(boxes: npt.NDArray[np.float64], width: float, height: float, slack: float) -> npt.NDArray[np.bool_]:
    left, low, right, high = boxes.T
    return (left < -slack) | (low < -slack) | (right > width + slack) | (high > height + slack)


def _overlaps(boxes: npt.NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    left, low, right, high = boxes.T
    across = (left[:, None] < right) & (left < right[:, None])
    yield from np.argwhere(np.triu(across & (low[:, None] < high) & (low < high[:, None]), 1)).tolist()


def extent(label: Label) -> tuple[float, float, float, float]:
    """Return the sides of a text, as matplotlib lays it out: as high as its font at least."""
    width, height, descent = _size(label.text, label.size_pt, label.bold)
    least = _size("lp", label.size_pt, label.bold)
    height, descent = max(height - descent, least[1] - least[2]) + max(descent, least[2]), max(descent, least[2])
    left = label.x - width * {"left": 0.0, "center": 0.5, "right": 1.0}[label.align]
    return left, label.y - descent, left + width, label.y - descent + height


@cache
def _size(text: str, size_pt: float, bold: bool) -> tuple[float, float, float]:
    properties = font(bold).copy()
    properties.set_size(size_pt)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        width, height, descent = text_to_path.get_text_width_height_descent(text, properties, ismath=False)
    return float(width), float(height), float(descent)


def bounds(mark: Mark) -> tuple[float, float, float, float]:
    """Return the sides of a mark that is not a text."""
    points: Sequence[tuple[float, float]]
    match mark:
        case Box() | Raster():
            points = [(mark.x, mark.y), (mark.x + mark.width, mark.y + mark.height)]
        case Boxes():
            points = [(x + by * mark.width, y + by * mark.height) for x, y in mark.spots for by in (0, 1)] or [(0, 0)]
        case Line():
            points = [(mark.x0, mark.y0), (mark.x1, mark.y1)]
        case Arc():
            across, along = mark.y0 - mark.y1, mark.x1 - mark.x0
            rise = mark.rise / ((across**2 + along**2) ** 0.5 or 1)
            middle = ((mark.x0 + mark.x1) / 2 + rise * across, (mark.y0 + mark.y1) / 2 + rise * along)
            points = [(mark.x0, mark.y0), (mark.x1, mark.y1), middle]
        case Dot():
            points = [(mark.x + by, mark.y + by) for by in (-mark.radius, mark.radius)]
        case other:
            raise AssertionError(other)
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def texts(figure: Figure) -> list[Text]:
    """Return what is written on `figure`, laid out as it will be drawn."""
    with plain_style():
        figure.draw_without_rendering()
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def words(drawn: Figure | Canvas) -> str:
    """Return all that is written on a figure or canvas, in the order of its painting."""
    if isinstance(drawn, Canvas):
        return " ".join(mark.text for mark in drawn.marks if isinstance(mark, Label) and mark.text.strip())
    return " ".join(text.get_text() for text in texts(drawn))


def drawn_problems(figure: Figure) -> list[str]:
    """Return what is illegible on a figure as matplotlib draws it."""
    found = texts(figure)
    width, height = figure.bbox.size
    with plain_style():
        boxes = np.array([text.get_window_extent().extents for text in found]).reshape(-1, 4)
        marks = [each for each in figure.get_children() if isinstance(each, (Patch, Line2D, BboxImage))]
        marks = [mark for mark in marks if mark is not figure.patch]
        sides = np.array([_window_extent(mark).extents for mark in marks]).reshape(-1, 4)
    tiny = [f"{text.get_text()!r} is tiny" for text in found if float(text.get_fontsize()) < 6]
    tiny += [f"{found[row].get_text()!r} leaves the page" for row in np.flatnonzero(_beyond(boxes, width, height, 0))]
    tiny += [f"{found[one].get_text()!r} lies over {found[two].get_text()!r}" for one, two in _overlaps(boxes)]
    return tiny + [f"{marks[row]} leaves the page" for row in np.flatnonzero(_beyond(sides, width, height, 1))]


def _window_extent(artist: Artist) -> Bbox:
    return artist.get_window_extent(artist.figure.canvas.get_renderer())
