"""Pictures within a page."""

from __future__ import annotations

import base64
from typing import Any

from fabric.draw import svg

__all__ = ["encode_svg"]


def encode_svg(figure: Any) -> str:
    """Return a picture as SVG in base64."""
    return base64.b64encode(svg(figure)).decode("ascii")
