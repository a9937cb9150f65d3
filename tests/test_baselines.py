"""The look of the pictures, held by baselines: `make baselines` draws them again after a change that is meant.

They are compared pixel by pixel: the root mean square of the differences may be 6 of 255, which letters that another
release of FreeType sets half a pixel off come to, and a line or a card that is missing does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images

import fabric
from fabric.draw import Diagram, draw_diagram
from fabric.draw.page import plain_style

FOLDER, TOLERANCE, DPI = Path(__file__).parent / "baselines", 6.0, 72

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
    assert compare_images(str(FOLDER / f"{name}.png"), str(tmp_path / f"{name}.png"), TOLERANCE) is None


def test_tolerance_sees_a_link(tmp_path: Path) -> None:
    """A picture without a path is not taken for the same with one."""
    request, _ = BASELINES["small"]
    write(draw_diagram(fabric.design(**request).blueprint, Diagram(highlight=(0, 90))), tmp_path / "small.png")
    assert compare_images(str(FOLDER / "small.png"), str(tmp_path / "small.png"), TOLERANCE) is not None


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in BASELINES:
        write(drawn(name), FOLDER / f"{name}.png")
