"""The look of the pictures, compared with baselines: `make baselines` draws them again after a change that is meant.

They are compared tile by tile, of 16 by 16 pixels: the root mean square of a tile's differences may be 1.5 of 255, less
than a thin line or the edge of a white card comes to. matplotlib brings its own FreeType, so letters are the same on
every machine; another release of it may ask for new baselines.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text

import fabric
from fabric.draw import Diagram, draw_diagram
from fabric.draw.plain_style import plain_style

FOLDER, TOLERANCE, DPI, TILE = Path(__file__).parent / "baselines", 1.5, 72, 16

SMALL = {"name": "small", "gpus": 128, "server": "hgx-h100"}
LARGE = {"name": "large", "gpus": 16384, "server": "hgx-h100", "family": "rail-optimized", "unit_gpus": 256}
BASELINES: Mapping[str, tuple[dict[str, object], Diagram]] = {
    "small": (SMALL, Diagram(highlight=(0, 100))),
    "large": (LARGE, Diagram()),
    "pod": (LARGE, Diagram(level="unit", unit=1)),
    "dragonfly": (SMALL | {"family": "dragonfly"}, Diagram(highlight=(0, 120))),
    "adjacency": (LARGE, Diagram("adjacency")),
    "racks": (LARGE, Diagram("racks")),
    "load": (SMALL | {"gpus": 512, "unit_gpus": 64}, Diagram("load")),
}


def drawn(name: str) -> Figure:
    """Draw one of the BASELINES."""
    request, diagram = BASELINES[name]
    return draw_diagram(fabric.design(**request).blueprint, diagram)


def write(figure: Figure, file: Path) -> None:
    """Write a picture small, for what it looks like."""
    with plain_style():
        figure.savefig(file, dpi=DPI, metadata={"Software": None})


@pytest.mark.parametrize("name", BASELINES)
def test_look(name: str, tmp_path: Path) -> None:
    """A fabric looks as it did when its picture was last agreed on."""
    write(drawn(name), tmp_path / f"{name}.png")
    assert worst(FOLDER / f"{name}.png", tmp_path / f"{name}.png") <= TOLERANCE


def worst(kept: Path, new: Path) -> float:
    """Return the greatest root mean square of the differences of a tile, of 255."""
    one, other = (255 * imread(file)[..., :3] for file in (kept, new))
    if one.shape != other.shape:
        return 255.0
    square = ((one - other) ** 2).mean(axis=2)
    high, wide = (-(-size // TILE) * TILE for size in square.shape)
    padded = np.zeros((high, wide))
    padded[: square.shape[0], : square.shape[1]] = square
    tiles = padded.reshape(high // TILE, TILE, wide // TILE, TILE).mean(axis=(1, 3))
    return float(np.sqrt(tiles.max()))


@pytest.mark.parametrize("kind", [FancyBboxPatch, Line2D, Text])
def test_a_mark_that_is_missing_is_seen(kind: type[Artist], tmp_path: Path) -> None:
    """Without any one of its cards, links or words a picture is no longer the one that is kept."""
    figure = drawn("small")
    found = [each for each in figure.findobj(kind) if each.get_visible()]
    assert len(found) > 5
    for mark in found[:: max(1, len(found) // 6)]:
        mark.set_visible(False)
        write(figure, tmp_path / "small.png")
        mark.set_visible(True)
        assert worst(FOLDER / "small.png", tmp_path / "small.png") > TOLERANCE, mark


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in BASELINES:
        write(drawn(name), FOLDER / f"{name}.png")
