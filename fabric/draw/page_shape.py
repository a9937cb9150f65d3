"""Pages of a given shape: a slide, A4, A3 or letter, on which a picture is put as large as it fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fabric.draw.canvas import Arc, Box, Boxes, Canvas, Dot, Label, Line, Mark, Raster
from fabric.errors import InputError, nearest

__all__ = ["PAGES", "fit_page", "page_size"]

PAGES = {"16:9": (960.0, 540.0), "a4": (595.28, 841.89), "a3": (841.89, 1190.55), "letter": (612.0, 792.0)}
"""The width and height of each page in points; paper is turned where a picture is larger that way."""

EDGE = 18.0
"""The least margin of a page, in points."""


def page_size(page: str) -> tuple[float, float]:
    """Return the width and height of a page in points; raises InputError for an unknown one."""
    if page not in PAGES:
        raise InputError(f"no page '{page:.40}'{nearest(page, PAGES)}; write one of {', '.join(PAGES)}")
    return PAGES[page]


def fit_page(canvas: Canvas, page: str) -> Canvas:
    """Return a picture on a page, as large as it fits and in its middle.

    The parts of a picture stand side by side where they are larger so, and paper is turned where they are larger so.
    """
    width, height = page_size(page)
    sizes = [(width, height)] if width > height else [(width, height), (height, width)]
    pictures = [canvas, *_set_side_by_side(canvas)]
    scale, size, picture = max(
        ((_scale_to(each, size), size, each) for each in pictures for size in sizes), key=lambda found: found[0]
    )
    x, y = ((room - scale * own) / 2 for room, own in zip(size, (picture.width, picture.height), strict=True))
    return Canvas(*size, tuple(_transform(mark, scale, x, y) for mark in picture.marks))


def _scale_to(canvas: Canvas, size: tuple[float, float]) -> float:
    return min((size[0] - 2 * EDGE) / canvas.width, (size[1] - 2 * EDGE) / canvas.height)


def _set_side_by_side(canvas: Canvas) -> Iterator[Canvas]:
    """Yield the picture with its parts beside one another, the header above them and the legend below."""
    if len(canvas.pieces) < 4:
        return
    head, *parts, foot = canvas.pieces
    highest = max(part.height for part in parts)
    marks = [*foot.marks]
    for number, part in enumerate(parts):
        up = foot.height + highest - part.height
        marks += [_transform(mark, 1.0, canvas.width * number, up) for mark in part.marks]
    marks += [_transform(mark, 1.0, 0.0, foot.height + highest) for mark in head.marks]
    yield Canvas(canvas.width * len(parts), foot.height + highest + head.height, tuple(marks))


def _transform(mark: Mark, scale: float, x: float, y: float) -> Mark:
    """Return a mark scaled about the origin and then moved."""
    match mark:
        case Line():
            return replace(
                mark, x0=mark.x0 * scale + x, y0=mark.y0 * scale + y, x1=mark.x1 * scale + x, y1=mark.y1 * scale + y,
                line_pt=mark.line_pt * scale,
            )  # fmt: skip
        case Arc():
            return replace(
                mark, x0=mark.x0 * scale + x, y0=mark.y0 * scale + y, x1=mark.x1 * scale + x, y1=mark.y1 * scale + y,
                rise=mark.rise * scale, line_pt=mark.line_pt * scale,
            )  # fmt: skip
        case Dot():
            return replace(
                mark,
                x=mark.x * scale + x,
                y=mark.y * scale + y,
                radius=mark.radius * scale,
                line_pt=mark.line_pt * scale,
            )
        case Label():
            return replace(mark, x=mark.x * scale + x, y=mark.y * scale + y, size_pt=mark.size_pt * scale)
        case Boxes():
            return replace(
                mark, spots=tuple((left * scale + x, low * scale + y) for left, low in mark.spots),
                width=mark.width * scale, height=mark.height * scale, line_pt=mark.line_pt * scale,
            )  # fmt: skip
        case Box():
            return replace(
                mark, x=mark.x * scale + x, y=mark.y * scale + y, width=mark.width * scale, height=mark.height * scale,
                radius=mark.radius * scale, line_pt=mark.line_pt * scale,
            )  # fmt: skip
        case Raster():
            return replace(
                mark, x=mark.x * scale + x, y=mark.y * scale + y, width=mark.width * scale, height=mark.height * scale
            )
