"""Pictures of a sweep show the numbers of its table, with no text off the page or on another."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

import fabric
from fabric.draw.plain_style import plain_style
from fabric.errors import InputError
from fabric.sweeps import SweepTable, make_plan, read_sweep
from fabric.sweeps.picture import read_picture

BASE = {"name": "mine", "server": "hgx-h100", "switches": "qm9700"}


@pytest.fixture(scope="module")
def table() -> SweepTable:
    """Return a sweep over sizes, families and ratios; the largest of one family is missing."""
    grid = {"family": ["fat-tree", "rail-only"], "gpus": [256, 1024, 4096], "oversubscription": [1, 2]}
    return fabric.sweep(BASE, grid=grid, measures=["cost", "fabric", "allreduce"], jobs=1)


@pytest.fixture(scope="module")
def kept() -> SweepTable:
    """Return what a fabric of two sizes keeps after failures."""
    settings = {"failures": {"counts": {"leaf-spine": 4, "nic": 1}, "draws": 6, "algorithm": "ring", "size": "16GiB"}}
    base = {**BASE, "family": "fat-tree", "tiers": 2}
    return fabric.sweep(
        base, grid={"gpus": [128, 256], "oversubscription": [2, 4]}, measures=["failures"], settings=settings, jobs=1
    )


def texts_of(figure: Any) -> list[tuple[str, Any]]:
    """Return the texts of a figure that are drawn, with their boxes in pixels."""
    from matplotlib.text import Text

    with plain_style():
        figure.canvas.draw()
    found = [each for each in figure.findobj(Text) if each.get_visible() and each.get_text().strip()]
    ticks = {label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in hidden_labels(axis)}
    return [(each.get_text(), each.get_window_extent()) for each in found if each not in ticks]


def hidden_labels(axis: Any) -> set[Any]:
    """Return the labels of ticks outside an axis' limits, which are not drawn."""
    low, high = sorted(axis.get_view_interval())
    ticks = axis.get_major_ticks()
    return {tick.label1 for tick in ticks if not low <= tick.get_loc() <= high} | {tick.label2 for tick in ticks}


@pytest.mark.parametrize(
    "words",
    [
        "curves:x=gpus,y=cost_usd,colour=oversubscription,by=family",
        "curves:x=gpus,y=allreduce_s,colour=family,by=oversubscription",
        "curves:x=oversubscription,y=cost_per_gpu_usd,colour=family,by=gpus",
    ],
)
def test_curves_have_every_point_of_the_table(table: SweepTable, words: str) -> None:
    """The lines of all panels together are the table's points, and each text is on the page and apart."""
    picture = read_picture(words)
    figure = table.plot(words)
    drawn = sorted((x, y) for axes in figure.axes for line in axes.lines for x, y in zip(*line.get_data(), strict=True))
    assert drawn == sorted((float(row[picture.x]), row[picture.y]) for row in table.rows())
    check_texts(figure)


def check_texts(figure: Any) -> None:
    """Check that no text is off the page, or on another."""
    texts, page = texts_of(figure), figure.bbox
    for text, box in texts:
        assert page.x0 <= box.x0 < box.x1 <= page.x1, text
        assert page.y0 <= box.y0 < box.y1 <= page.y1, text
    for (one, first), (other, second) in combinations(texts, 2):
        assert not first.overlaps(second), (one, other)


def test_a_heat_map_has_the_numbers_of_the_table(table: SweepTable) -> None:
    """Each cell has its value, and one whose value is not known a dash."""
    rows = [row for row in table.rows() if row["family"] == "rail-only"]
    small = SweepTable(table.arrow.filter([row["family"] == "rail-only" for row in table.rows()]), table.request)
    figure = small.plot({"kind": "heat", "x": "gpus", "y": "oversubscription", "value": "cost_usd"})
    (image,) = figure.axes[0].images
    values = np.array(image.get_array()).reshape(2, 3)
    assert values.tolist() == [
        [row["cost_usd"] for row in rows if row["oversubscription"] == ratio] for ratio in (1, 2)
    ]
    assert len(figure.axes[0].texts) == 6
    check_texts(figure)
    fewer = SweepTable(small.arrow.slice(0, 5), table.request).plot("heat:x=gpus,y=oversubscription,value=cost_usd")
    assert [each.get_text() for each in fewer.axes[0].texts].count("-") == 1


def test_bands_have_the_percentiles(kept: SweepTable) -> None:
    """The median is drawn as it is in the table, between the other percentiles."""
    figure = kept.plot("bands:x=gpus,by=oversubscription")
    for axes, ratio in zip(figure.axes, (2, 4), strict=True):
        rows = [row for row in kept.rows() if row["oversubscription"] == ratio]
        assert axes.lines[0].get_ydata() == pytest.approx([100 * row["failures_kept_p50"] for row in rows])
        low = axes.collections[0].get_paths()[0].vertices[:, 1].min()
        assert low == pytest.approx(100 * min(row["failures_kept_p1"] for row in rows))
    check_texts(figure)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("curves:x=gpus,y=cost_usd,colour=family", "points 0 and 1 have one place; they differ in oversubscription"),
        ("heat:x=gpus,y=family,value=cost_usd", "differ in oversubscription"),
        ("curves:x=family,y=cost_usd", "holds text"),
        ("bands:x=gpus", "not among the measures"),
    ],
)
def test_what_cannot_be_drawn_is_refused(table: SweepTable, words: str, message: str) -> None:
    """The message has the points and the columns in which they differ."""
    with pytest.raises(InputError, match=message):
        table.plot(words)


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("curves:x=gpus,y=cost_usd", "oversubscription"),
        ("heat:x=gpus,y=planes,value=cost_usd", "oversubscription"),
        ("curves:x=gpus,y=cost_usd,colour=oversubscription", ""),
        ("curves:x=fabric_tiers,y=cost_usd", ""),
    ],
)
def test_a_picture_without_a_key_of_the_grid_is_refused_before_the_sweep(words: str, left: str) -> None:
    """A key with one value need not be named, nor any where a point's place is measured."""
    grid = {"gpus": [128, 256], "oversubscription": [1, 2], "planes": [1]}
    document = {"base": BASE, "grid": grid, "measures": ["cost", "fabric"], "pictures": [words]}
    if not left:
        assert make_plan(read_sweep(document)).sweep.pictures
        return
    with pytest.raises(InputError, match=f"differ in {left} have one place"):
        make_plan(read_sweep(document))
