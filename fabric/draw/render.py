"""Pages made into matplotlib figures, and figures into files that are the same bytes on every run.

Text goes into an SVG as outlines (`svg.fonttype` is `path`): a browser without DejaVu Sans would otherwise put in
another font, and the labels, measured to fit, would collide. The words stay searchable, in a comment beside each
outline and in the file's description. The bytes are those of one matplotlib release: another may write otherwise.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fabric.draw.canvas import Arc, Box, Boxes, Canvas, Dot, Label, Line, Mark, Raster, font
from fabric.draw.plain_style import plain_style
from fabric.errors import InputError

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

__all__ = ["check_suffix", "render", "save", "save_pages", "svg"]

PICTURE_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""The formats by suffix, each with the metadata that would change from run to run or machine to machine."""


def render(canvas: Canvas) -> Figure:
    """Draw `canvas` in the style in force as a figure of its size, one point to a point."""
    from matplotlib.transforms import Affine2D

    from fabric.draw.page_figure import PageFigure

    figure = PageFigure(canvas.width, canvas.height)
    points = Affine2D().scale(1 / 72) + figure.dpi_scale_trans
    for order, mark in enumerate(canvas.marks):
        artist = _artist(mark, points)
        artist.set_zorder(1 + order / len(canvas.marks))
        figure.add_artist(artist, clip=False)
    return figure


def _artist(mark: Mark, points: Transform) -> Artist:
    match mark:
        case Box():
            return _box_artist(mark, points)
        case Boxes():
            return _boxes_artist(mark, points)
        case Line():
            return _line_artist(mark, points)
        case Arc():
            return _arc_artist(mark, points)
        case Dot():
            return _dot_artist(mark, points)
        case Label():
            return _label_artist(mark, points)
        case Raster():
            return _raster_artist(mark, points)


def _box_artist(box: Box, points: Transform) -> Artist:
    from matplotlib.patches import FancyBboxPatch

    style = f"round,pad=0,rounding_size={box.radius}" if box.radius else "square,pad=0"
    return FancyBboxPatch(
        (box.x, box.y), box.width, box.height, boxstyle=style, facecolor=box.fill, edgecolor=box.edge,
        linewidth=box.line_pt, transform=points,
    )  # fmt: skip


def _boxes_artist(boxes: Boxes, points: Transform) -> Artist:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    corners = [(0.0, 0.0), (boxes.width, 0.0), (boxes.width, boxes.height), (0.0, boxes.height), (0.0, 0.0)]
    around = [Outline.MOVETO, Outline.LINETO, Outline.LINETO, Outline.LINETO, Outline.CLOSEPOLY]
    vertices = [(x + right, y + up) for x, y in boxes.spots for right, up in corners]
    outline = Outline(vertices, around * len(boxes.spots))
    return PathPatch(
        outline, facecolor=boxes.fill, edgecolor=boxes.edge, linewidth=boxes.line_pt, transform=points
    )  # fmt: skip


def _line_artist(line: Line, points: Transform) -> Artist:
    from matplotlib.lines import Line2D

    ends = (line.x0, line.x1), (line.y0, line.y1)
    return Line2D(*ends, color=line.colour, linewidth=line.line_pt, alpha=line.alpha, transform=points)


def _arc_artist(arc: Arc, points: Transform) -> Artist:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    across, along = arc.y0 - arc.y1, arc.x1 - arc.x0
    # A quadratic curve passes half as far from its chord as the point that pulls it.
    pull = 2 * arc.rise / ((across**2 + along**2) ** 0.5 or 1)
    middle = (arc.x0 + arc.x1) / 2 + pull * across, (arc.y0 + arc.y1) / 2 + pull * along
    outline = Outline([(arc.x0, arc.y0), middle, (arc.x1, arc.y1)], [Outline.MOVETO, Outline.CURVE3, Outline.CURVE3])
    return PathPatch(
        outline, facecolor="none", edgecolor=arc.colour, linewidth=arc.line_pt, alpha=arc.alpha, transform=points
    )


def _dot_artist(dot: Dot, points: Transform) -> Artist:
    from matplotlib.patches import Circle

    return Circle(
        (dot.x, dot.y), dot.radius, facecolor=dot.colour, edgecolor=dot.edge, linewidth=dot.line_pt, transform=points
    )


def _label_artist(label: Label, points: Transform) -> Artist:
    from matplotlib.text import Text

    return Text(
        label.x, label.y, label.text, fontproperties=font(label.bold), fontsize=label.size_pt, color=label.colour,
        ha=label.align, va="baseline", transform=points, parse_math=False,
    )  # fmt: skip


def _raster_artist(raster: Raster, points: Transform) -> Artist:
    from matplotlib.image import BboxImage
    from matplotlib.transforms import Bbox, TransformedBbox

    box = TransformedBbox(Bbox.from_bounds(raster.x, raster.y, raster.width, raster.height), points)
    image = BboxImage(box, interpolation="nearest", origin="upper")
    image.set_data(raster.cells)
    return image


def check_suffix(path: Path) -> str:
    """Return the format of a picture by the suffix of its file; raises InputError for an unknown suffix."""
    kind = path.suffix.lower().lstrip(".")
    if kind not in PICTURE_METADATA:
        raise InputError(f"{str(path)!r:.200}: a picture ends in .svg, .png or .pdf")
    return kind


def svg(figure: Figure) -> bytes:
    """Return `figure` as SVG."""
    buffer = io.BytesIO()
    with plain_style():
        figure.savefig(buffer, format="svg", metadata=_file_metadata(figure, "svg"))
    return buffer.getvalue()


def save(figure: Figure, path: Path) -> None:
    """Write `figure` to `path` as SVG, PNG or PDF by its suffix: whole, or not at all.

    Raises InputError for another suffix and OSError when the folder cannot be written.
    """
    kind = check_suffix(path)
    partial = path.with_name(f".{os.getpid()}-{id(figure):x}.partial")
    try:
        with plain_style():
            figure.savefig(partial, format=kind, metadata=_file_metadata(figure, kind))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def save_pages(figures: Iterable[Figure], path: Path) -> None:
    """Write figures to a PDF, page by page as they are drawn; raises as `save` does."""
    from matplotlib.backends.backend_pdf import PdfPages

    partial = path.with_name(f".{os.getpid()}-{id(figures):x}.partial")
    try:
        with plain_style(), PdfPages(partial, metadata=PICTURE_METADATA[check_suffix(path)]) as pages:
            for figure in figures:
                pages.savefig(figure)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _file_metadata(figure: Figure, kind: str) -> dict[str, Any]:
    from matplotlib.text import Text

    words = " | ".join(text.get_text() for text in figure.findobj(Text) if text.get_text())
    return PICTURE_METADATA[kind] | ({"Description": words} if kind == "svg" else {})
