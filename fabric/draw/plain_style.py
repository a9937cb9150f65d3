"""The style of every picture: it comes from matplotlib's defaults, never from a user's matplotlibrc."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fabric.draw.canvas import import_matplotlib

__all__ = ["plain_style"]


@contextmanager
def plain_style() -> Iterator[None]:
    """Put matplotlib's own defaults in force for a while, with what makes its files repeatable.

    A name in a script that DejaVu Sans lacks is drawn as boxes; matplotlib's warning of each helps nobody.
    """
    import_matplotlib()
    import matplotlib

    style: Any = {key: value for key, value in matplotlib.rcParamsDefault.items() if key != "backend"}
    style |= {"svg.hashsalt": "fabric", "svg.fonttype": "path", "font.family": "DejaVu Sans", "text.parse_math": False}
    with matplotlib.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
