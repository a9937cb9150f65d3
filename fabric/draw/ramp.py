"""Numbers as colours: of links in a cell by their order of magnitude, of load by what fits and what does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.draw.canvas import Box, Label, Mark, Raster
from fabric.draw.palette import GREY, HAIR, SMALL_PT

__all__ = ["count_colours", "draw_ramp", "load_colours"]

Values = npt.NDArray[np.float64]

NONE = "#F6F8FA"
LOADS = ((0.0, "#FFFFFF"), (0.5, "#A9D0E8"), (1.0, "#0072B2"), (1.0001, "#F6C65B"), (2.0, "#E69F00"), (3.0, "#D55E00"),
         (4.0, "#6E2400"))  # fmt: skip
"""Up to 1, what a link carries, shades of blue; above, of orange. No number has no colour of these."""

MANY = ((0.0, "#A9D0E8"), (0.5, "#56B4E9"), (1.0, "#0B3C5D"))


def load_colours(loads: Any) -> npt.NDArray[np.uint8]:
    """Return the colour of each load, of the shape of `loads` and 3; what is not a number is the page's grey."""
    return _interpolate(np.asarray(loads, np.float64), LOADS)


def count_colours(numbers: Any) -> npt.NDArray[np.uint8]:
    """Return the colour of each count by its logarithm, the greatest the darkest; none where there is none."""
    counts = np.asarray(numbers, np.float64)
    most = np.log(max(2.0, float(counts.max(initial=0))))
    with np.errstate(divide="ignore"):
        return _interpolate(np.where(counts > 0, np.log(counts) / most, np.nan), MANY)


def _interpolate(values: Values, stops: Sequence[tuple[float, str]]) -> npt.NDArray[np.uint8]:
    at = [value for value, _ in stops]
    channels = [np.interp(values, at, [_channel(colour, index) for _, colour in stops]) for index in range(3)]
    none = [_channel(NONE, index) for index in range(3)]
    found = np.where(np.isnan(values)[..., None], none, np.stack(channels, axis=-1))
    return np.rint(found).astype(np.uint8)


def _channel(colour: str, index: int) -> int:
    return int(colour[1 + 2 * index : 3 + 2 * index], 16)


def draw_ramp(
    x: float, y: float, width: float, colours: npt.NDArray[np.uint8], ticks: Sequence[tuple[float, str]]
) -> list[Mark]:
    """Draw a scale of colours, shape (steps, 3), with labels at shares of its width."""
    marks: list[Mark] = [Raster(x, y, width, 6, colours[None]), Box(x, y, width, 6, "none", HAIR, 0, 0.4)]
    return marks + [Label(x + width * at, y - 8, text, SMALL_PT, GREY, align="center") for at, text in ticks]
