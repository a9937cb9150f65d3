"""A picture before it is drawn: marks as frozen values in points, and the size of text."""

from __future__ import annotations

import os
import sys
from bisect import bisect
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.font_manager import FontProperties

__all__ = [
    "HARD_SPACE",
    "Align",
    "Arc",
    "Box",
    "Boxes",
    "Canvas",
    "Dot",
    "Label",
    "Line",
    "Mark",
    "Raster",
    "elide",
    "font",
    "import_matplotlib",
    "shift_up",
    "text_width",
    "wrap",
]

HARD_SPACE = "\N{NO-BREAK SPACE}"
Align = Literal["left", "center", "right"]

GAP = 0.45
"""About the room between two words, for letters of size 1."""


@dataclass(frozen=True)
class Box:
    """A rounded rectangle."""

    x: float
    """Its left edge, in points."""
    y: float
    """Its lower edge, in points."""
    width: float
    """Its width."""
    height: float
    """Its height."""
    fill: str
    """The colour of its inside."""
    edge: str
    """The colour of its edge."""
    radius: float = 0.0
    """The radius of its corners."""
    line_pt: float = 0.6
    """The width of its edge."""


@dataclass(frozen=True)
class Boxes:
    """Many equal rectangles, as one mark."""

    spots: tuple[tuple[float, float], ...]
    """Their lower left corners, in points."""
    width: float
    """The width of each."""
    height: float
    """The height of each."""
    fill: str
    """The colour of their inside."""
    edge: str
    """The colour of their edges."""
    line_pt: float = 0.6
    """The width of their edges."""


@dataclass(frozen=True)
class Line:
    """A straight stroke."""

    x0: float
    """The x of its start, in points."""
    y0: float
    """The y of its start."""
    x1: float
    """The x of its end."""
    y1: float
    """The y of its end."""
    colour: str
    """Its colour."""
    line_pt: float = 0.6
    """Its width."""
    alpha: float = 1.0
    """Its opacity, from 0 to 1."""


@dataclass(frozen=True)
class Arc:
    """A curved stroke."""

    x0: float
    """The x of its start, in points."""
    y0: float
    """The y of its start."""
    x1: float
    """The x of its end."""
    y1: float
    """The y of its end."""
    rise: float
    """How far its middle is to the left of the straight line from start to end."""
    colour: str
    """Its colour."""
    line_pt: float = 0.6
    """Its width."""
    alpha: float = 1.0
    """Its opacity, from 0 to 1."""


@dataclass(frozen=True)
class Dot:
    """A filled circle, perhaps with an edge."""

    x: float
    """The x of its centre, in points."""
    y: float
    """The y of its centre."""
    radius: float
    """Its radius."""
    colour: str
    """The colour of its inside."""
    edge: str = "none"
    """The colour of its edge; `none` for no edge."""
    line_pt: float = 0.6
    """The width of its edge."""


@dataclass(frozen=True)
class Label:
    """One line of text."""

    x: float
    """Its start, middle or end, by `align`, in points."""
    y: float
    """Its baseline."""
    text: str
    """The text."""
    size_pt: float
    """The size of its type."""
    colour: str
    """Its colour."""
    bold: bool = False
    """Whether it is bold."""
    align: Align = "left"
    """What `x` is the position of."""


@dataclass(frozen=True, eq=False)
class Raster:
    """A rectangle of equal coloured cells."""

    x: float
    """Its left edge, in points."""
    y: float
    """Its lower edge."""
    width: float
    """Its width."""
    height: float
    """Its height."""
    cells: npt.NDArray[np.uint8]
    """The colours, shape (rows, columns, 3), 0 to 255, the top row first."""


Mark = Box | Boxes | Line | Arc | Dot | Label | Raster


def shift_up(mark: Mark, by: float) -> Mark:
    """Return `mark`, `by` points higher."""
    if isinstance(mark, (Line, Arc)):
        return replace(mark, y0=mark.y0 + by, y1=mark.y1 + by)
    if isinstance(mark, Boxes):
        return replace(mark, spots=tuple((x, y + by) for x, y in mark.spots))
    return replace(mark, y=mark.y + by)


@dataclass(frozen=True)
class Canvas:
    """A page with its marks, the origin at the lower left."""

    width: float
    """Its width in points."""
    height: float
    """Its height in points."""
    marks: tuple[Mark, ...]
    """The marks in the order of painting."""
    pieces: tuple[Canvas, ...] = ()
    """What it is put together of, each from 0 up: header, parts from the top down, and the legend with notes."""


def import_matplotlib() -> None:
    """Import matplotlib even where MPLBACKEND names a missing backend: pictures in files need no window."""
    if "matplotlib" in sys.modules:
        return
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend:
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = backend


@cache
def font(bold: bool = False) -> FontProperties:
    """Return DejaVu Sans from matplotlib's own files, whatever fonts the machine has."""
    from pathlib import Path

    import matplotlib
    from matplotlib.font_manager import FontProperties

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return FontProperties(fname=str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)))


@cache
def text_width(text: str, size_pt: float, bold: bool = False) -> float:
    """Return the width of `text` in points."""
    from matplotlib.textpath import text_to_path

    properties = font(bold).copy()
    properties.set_size(size_pt)
    return float(text_to_path.get_text_width_height_descent(text, properties, ismath=False)[0])


def elide(text: str, width: float, size_pt: float, bold: bool = False) -> str:
    """Return `text`, its middle replaced by an ellipsis where it is wider than `width` points."""

    def short(keep: int) -> str:
        return text if keep == len(text) else f"{text[: keep - keep // 3]}…{text[len(text) - keep // 3 :]}"

    if not text or text_width(text, size_pt, bold) <= width:
        return text
    fits = bisect(range(1, len(text)), width, key=lambda keep: text_width(short(keep), size_pt, bold))
    return short(fits) if fits else ""


def wrap(text: str, width: float, size_pt: float) -> tuple[str, ...]:
    """Break `text` at its plain spaces into lines no wider than `width` points; a longer word is elided."""
    lines, words = list[str](), [*filter(None, text.split(" "))]
    while words:
        words[0] = elide(words[0], width, size_pt)
        count = _count_fitting(words, width, size_pt)
        lines.append(" ".join(words[:count]))
        words = words[count:]
    return tuple(line.replace(HARD_SPACE, " ") for line in lines)


def _count_fitting(words: Sequence[str], width: float, size_pt: float) -> int:
    """Return how many words, one at least, fit on a line.

    Long texts take long to measure, so it is guessed from the words' own widths, which recur, and then corrected.
    """

    def fits(count: int) -> bool:
        return text_width(" ".join(words[:count]), size_pt) <= width

    ends = accumulate(text_width(word, size_pt) + GAP * size_pt for word in words)
    count = max(1, sum(1 for _ in takewhile(lambda end: end <= width + GAP * size_pt, ends)))
    while count < len(words) and fits(count + 1):
        count += 1
    while count > 1 and not fits(count):
        count -= 1
    return count
