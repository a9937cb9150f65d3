"""The figure that pages and charts are drawn on, which a notebook shows without pyplot.

This module imports matplotlib, and is imported by what draws, when it draws.
"""

from __future__ import annotations

import io

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fabric.draw.plain_style import plain_style

__all__ = ["PageFigure"]

SCREEN_DPI = 110
"""The resolution at which a notebook shows a figure, so that it keeps small."""


class PageFigure(Figure):
    """A white figure of a size in points, which pyplot does not know and a notebook shows all the same."""

    def __init__(self, width_pt: float, height_pt: float) -> None:
        super().__init__(figsize=(width_pt / 72, height_pt / 72), dpi=200, facecolor="white")
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        """Return it as PNG in its own style: what Jupyter shows where it is the value of a cell."""
        buffer = io.BytesIO()
        with plain_style():
            self.savefig(buffer, format="png", dpi=SCREEN_DPI, metadata={"Software": None})
        return buffer.getvalue()
