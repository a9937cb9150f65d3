"""The one visual language of the pictures: colours that colour-blind readers can tell apart, and the sizes of type."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "ACCENT",
    "BODY_PT",
    "GREY",
    "HAIR",
    "HEAD_PT",
    "INK",
    "LATER",
    "OKABE_ITO",
    "PALE",
    "PLATES",
    "SMALL_PT",
    "TIER_PT",
    "TITLE_PT",
    "WHITE",
    "ink_on",
    "line_colour",
    "rail_colour",
    "role_fills",
]  # fmt: skip

OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#3C3C3C")
"""The eight colours of Okabe and Ito (https://jfly.uni-koeln.de/color/), black softened, neighbours far apart."""

INK, GREY, HAIR, PALE, WHITE = "#1F2933", "#56616E", "#B4BECA", "#DDE3EA", "#FFFFFF"
ACCENT = "#5B7083"
"""The colour of devices and links that belong to no rail."""

LATER = "#F2D58A"
"""The fill of ports that are connected when the fabric has grown."""

PLATES = ("#F6F8FA", "#EDF1F5", "#E4EAF0")
"""The tints of nested places, outermost first."""

TITLE_PT, HEAD_PT, TIER_PT, BODY_PT, SMALL_PT = 15.0, 8.0, 9.5, 7.0, 6.5


def rail_colour(number: int | None) -> str:
    """Return the colour of a rail, which repeats after eight, or that of devices and links of no rail."""
    return ACCENT if number is None else OKABE_ITO[number % len(OKABE_ITO)]


LINES = {"#E69F00": "#B87700", "#56B4E9": "#2A86BD", "#F0E442": "#8A7F00"}
"""What is too pale for a line on white, and the same hue as dark as a contrast of 3:1 asks (WCAG 1.4.11)."""


def line_colour(fill: str) -> str:
    """Return the colour of a line that belongs to cards of this fill."""
    return LINES.get(fill, fill)


def role_fills(roles: Sequence[str]) -> dict[str, str]:
    """Return the fill of the cards of each switch role, from the leaf up."""
    return dict(zip(roles, (ACCENT, INK, GREY, "#93A1AF"), strict=False))


def ink_on(fill: str) -> str:
    """Return the ink, dark or white, that reads best on `fill` (`#RRGGBB`), by its WCAG relative luminance."""
    red, green, blue = (_linear(int(fill[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return WHITE if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.18 else "#000000"


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
