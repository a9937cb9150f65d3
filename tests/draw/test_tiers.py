"""The pictures: what they say is true, all of it is legible, and a file is the same bytes every time."""

from __future__ import annotations

import dataclasses
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from fabric.blueprint import Blueprint
from fabric.catalog import Switch, servers, switches
from fabric.draw import draw_allreduce, draw_fabric, save
from fabric.draw.canvas import Line, text_width, wrap
from fabric.draw.palette import OKABE_ITO, line_colour, rail_colour
from fabric.draw.render import plain_style
from fabric.draw.sampling import joined_cards, rails_drawn, sample_cards
from fabric.draw.tier_layout import tier_layout
from fabric.draw.tiers import lay_out_tiers
from fabric.errors import InputError
from fabric.topology.clos import ClosForm
from fabric.topology.families import CLOS, FAT_TREE, RAIL_ONLY, RAIL_OPTIMIZED
from fabric.topology.topology import Topology
from fabric.units import count

SMALL = {"slot": 3, "rail": 4}
"""Every other axis has two values."""

LARGE = {
    "zone": 31, "pod": 49, "block": 16, "slot": 128, "rail": 16, "stripe": 9, "group": 64, "spine": 32, "bank": 16,
    "core": 64, "super": 64, "hall": 12, "rack": 1024, "side": 2, "deck": 5,
}  # fmt: skip

THIRD_PARTY = ClosForm.parse("halls", "server(hall, rack, slot) - tor(hall, side) - hub(hall, deck) - backbone(deck)")
FORMS = [*(form for family in CLOS for form in family.forms), THIRD_PARTY]


def size(
    form: Topology, sizes: dict[str, int], planes: int = 1, copies: int = 1, model: Switch | None = None
) -> Blueprint:
    """Give every axis of `form` its size (2 if unsaid), the last server missing."""
    full = {axis: sizes.get(axis, 2) for axis in form.axes} | {"plane": planes}
    full |= {bundle.name: copies for bundle in form.bundles}
    number = math.prod(full[axis] for axis in form.server.axes) - 1
    models = dict.fromkeys(form.roles, model or switches()["sn5600"])
    server = servers()["hgx-h100"]
    name = f"{form.family} in {form.tiers} tiers"
    return Blueprint(name, form, form.complete_sizes(full, 8, number), models, server, 8 * number, 400)


def colossus() -> Blueprint:
    """Return the 100,000-GPU example in three tiers, its last unit filled in part."""
    form = RAIL_OPTIMIZED.forms[2]
    sizes = {"pod": 49, "block": 4, "slot": 64, "rail": 8, "group": 16, "spine": 2, "core": 64, "plane": 1}
    sizes |= {"server-leaf": 1, "leaf-spine": 2, "spine-core": 1}
    models = dict.fromkeys(form.roles, switches()["sn5600"])
    return Blueprint(
        "colossus-100k", form, form.complete_sizes(sizes, 8, 12500), models, servers()["hgx-h100"], 100000, 400
    )


def one_switch() -> Blueprint:
    """Return the smallest fabric: one server on one switch."""
    return size(FAT_TREE.forms[0], {"slot": 2}, copies=8)


def wordy() -> Blueprint:
    """Return a fabric whose names and numbers are as long as they come, and no font has all their letters."""
    switch = Switch("switch", 128, 400, title="one-switch-of-a-very-long-name that a user wrote inline " * 3)
    blueprint = size(FAT_TREE.forms[3], LARGE, planes=1024, copies=128, model=switch)
    return dataclasses.replace(blueprint, name="$a^b$ 数据 <i>" + "very long name " * 20, gpus=12_345_678_901)


PICTURES = [
    *(pytest.param(size(form, SMALL), id=f"small {form.family} {form.text}") for form in FORMS),
    *(pytest.param(size(form, LARGE, 4, 2), id=f"large {form.family} {form.text}") for form in FORMS),
    pytest.param(colossus(), id="colossus"),
    pytest.param(one_switch(), id="one switch"),
    pytest.param(wordy(), id="wordy"),
]


def texts(figure: Figure) -> list[Text]:
    """Return what is written on `figure`, laid out as it will be drawn."""
    with plain_style():
        figure.draw_without_rendering()
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def words(figure: Figure) -> str:
    """Return all that is written on `figure`, in the order of its painting."""
    return " ".join(text.get_text() for text in texts(figure))


def clashes(figure: Figure) -> Iterator[str]:
    """Yield what is illegible: text under 6 pt, beyond the page, or over other text."""
    with plain_style():
        boxes = [(text, text.get_window_extent()) for text in texts(figure)]
    width, height = figure.bbox.size
    for text, box in boxes:
        if float(text.get_fontsize()) < 6:
            yield f"{text.get_text()!r} is set in {text.get_fontsize()} pt"
        if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height:
            yield f"{text.get_text()!r} leaves the page"
    for (text, box), (other, other_box) in combinations(boxes, 2):
        if box.overlaps(other_box):
            yield f"{text.get_text()!r} lies over {other.get_text()!r}"


def curves(labels: int) -> dict[str, list[tuple[int, float]]]:
    """Return made-up curves that rise with the message size, from 1 MiB to 32 GiB."""
    sizes = [2**power for power in range(20, 36)]
    return {
        f"routing {label}": [(bytes_, 390 / (1 + label + 2**24 / bytes_)) for bytes_ in sizes]
        for label in range(labels)
    }


@pytest.mark.parametrize("blueprint", PICTURES)
def test_legible(blueprint: Blueprint) -> None:
    """In the picture of a fabric of any family, tiers and size no text is tiny, cut off or over other text."""
    assert list(clashes(draw_fabric(blueprint))) == []


@pytest.mark.parametrize("blueprint", PICTURES)
def test_on_the_page(blueprint: Blueprint) -> None:
    """Cards stand apart within their frames, and frames within those around them."""
    drawn = tier_layout(blueprint, 0)
    for row in drawn.rows:
        assert all(left.x + left.width < right.x for left, right in zip(row.spots, row.spots[1:], strict=False))
        for frame in [frame for frame in drawn.frames if row.y < frame.y + frame.height]:
            assert frame.x < row.spots[0].x
            assert row.spots[-1].x + row.spots[-1].width < frame.x + frame.width
    for outer, inner in zip(drawn.frames, drawn.frames[1:], strict=False):
        assert outer.x < inner.x < inner.x + inner.width < outer.x + outer.width
        assert outer.y < inner.y < inner.y + inner.height < outer.y + outer.height


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.text)
def test_lines_are_links(form: Topology) -> None:
    """A line is drawn between two whole devices exactly when their axis values agree wherever both have them."""
    blueprint = size(form, SMALL)
    for bundle in form.bundles:
        lowers, uppers = sample_cards(blueprint, bundle.lower), sample_cards(blueprint, bundle.upper)
        drawn = set(joined_cards(lowers, uppers))
        for (low, lower), (high, upper) in product(enumerate(lowers), enumerate(uppers)):
            agree = all(lower.values[axis] == upper.values[axis] for axis in lower.values.keys() & upper.values.keys())
            assert ((low, high) in drawn) == agree


@pytest.mark.parametrize("form", RAIL_ONLY.forms, ids=lambda form: form.text)
def test_rails_never_meet(form: Topology) -> None:
    """Where the rails never meet, each rail's lines keep to its colour, and the picture says what joins the GPUs."""
    blueprint = size(form, SMALL)
    for bundle in form.fabric_bundles:
        for lower, upper in product(sample_cards(blueprint, bundle.lower), sample_cards(blueprint, bundle.upper)):
            crossing = lower.values["rail"] != upper.values["rail"]
            assert not (crossing and list(joined_cards((lower,), (upper,))))
    said = words(draw_fabric(blueprint))
    assert "The rails never meet: GPUs of different rails reach each other only through NVLink." in said


def test_rails_that_meet() -> None:
    """A fabric whose rails meet names the tier, and one with planes says where these are joined."""
    said = words(draw_fabric(size(RAIL_OPTIMIZED.forms[5], SMALL, planes=2)))
    assert "meeting at the core" in said
    assert "NVLink" not in said
    assert "× 2 planes" in said
    assert "The planes are joined only at the NICs." in said
    assert "plane" not in words(draw_fabric(colossus()))


def test_numbers() -> None:
    """The picture says each tier's devices, each bundle's links, the multiplicity of each place and the ports used."""
    blueprint = colossus()
    said = words(draw_fabric(blueprint))
    for role in blueprint.topology.roles:
        assert f"{role.capitalize()} × {count(blueprint.devices(role))}" in said
    for bundle in blueprint.topology.bundles:
        assert f"{count(blueprint.links(bundle))} links {blueprint.sizes[bundle.name]} per pair, 400 Gb/s" in said
    for fact in (
        "pod × 49", "unit × 4 in each pod 196 in total", "64 down, 64 up of 128 ports", "98 down of 128 ports",
        "the last unit has 20 of 64 servers", "100,000 GPUs · 12,500 servers", "NVIDIA SN5600",
        f"{count(blueprint.switches)} switches and {count(blueprint.links_total)} links connect 100,000 GPUs.",
    ):  # fmt: skip
        assert fact in said


def test_rows_share_their_axes() -> None:
    """The cards of one row are told apart on the same axes, on two at the most."""
    for form in FORMS:
        for blueprint in (size(form, SMALL), size(form, LARGE, 4)):
            for row in tier_layout(blueprint, 0).rows:
                assert len({len(card.values) for card in row.cards}) == 1
                assert len(row.cards[0].values) <= 2


def test_small_fabric_is_whole() -> None:
    """A fabric of a few servers is drawn whole: every server, every leaf and every pair that is joined."""
    blueprint = size(RAIL_ONLY.forms[0], {"slot": 8, "rail": 8})
    marks = lay_out_tiers(blueprint).marks
    coloured = [mark for mark in marks if isinstance(mark, Line) and mark.colour in map(line_colour, OKABE_ITO)]
    assert len(coloured) == blueprint.links_total == 7 * 8
    assert len({line.colour for line in coloured}) == 8


@pytest.mark.parametrize("rails", [1, 2, 4, 8, 9, 18, 72])
def test_lanes_have_colours(rails: int) -> None:
    """Up to eight rails have colours of their own, and a rail has the same wherever it is drawn."""
    drawn = rails_drawn(size(RAIL_ONLY.forms[1], {"rail": rails}))
    assert len(drawn) <= len(OKABE_ITO)
    assert len({rail_colour(number) for number in drawn}) == len(drawn) or rails > len(OKABE_ITO)


@pytest.mark.parametrize("labels", [0, 1, 3, 16])
@pytest.mark.parametrize("line_rate", [None, 400.0, 40.0])
def test_allreduce_is_legible(labels: int, line_rate: float | None) -> None:
    """The bandwidth curves name each label and the line rate, and no text is tiny, cut off or over other text."""
    figure = draw_allreduce("any fabric: " + "a long title " * 20, curves(labels), line_rate)
    assert list(clashes(figure)) == []
    said = words(figure)
    assert all(f"routing {label}" in said for label in range(labels))
    assert (f"line rate, {line_rate:.4g} GB/s" in said) if line_rate else ("line rate" not in said)


def test_allreduce_axes() -> None:
    """Message sizes stand on a logarithmic axis in binary units, and the curves are the points that were given."""
    figure = draw_allreduce("fabric", curves(2), 400.0)
    axes = figure.axes[0]
    ticks = [tick.get_text() for tick in axes.get_xticklabels()]
    assert axes.get_xscale() == "log"
    assert ticks == ["1 MiB", "8 MiB", "64 MiB", "512 MiB", "4 GiB", "32 GiB"]
    assert np.array_equal(axes.lines[1].get_xydata(), curves(2)["routing 1"])


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_same_bytes(kind: str, tmp_path: Path) -> None:
    """The same fabric gives the same bytes, drawn again here or in a process whose user has styled matplotlib."""
    for name in ("a", "b"):
        save(draw_fabric(colossus()), tmp_path / f"{name}.{kind}")
    (tmp_path / "matplotlibrc").write_text("font.size: 20\nsvg.fonttype: none\nlines.linewidth: 9\nsavefig.dpi: 30\n")
    code = (
        "import sys, tests.draw.test_tiers as t; from pathlib import Path;"
        "t.save(t.draw_fabric(t.colossus()), Path(sys.argv[1])); assert 'matplotlib.pyplot' not in sys.modules"
    )
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    styled = {
        **os.environ,
        "PYTHONPATH": paths,
        "MATPLOTLIBRC": str(tmp_path),
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Tokyo",
    }
    subprocess.run([sys.executable, "-c", code, str(tmp_path / f"c.{kind}")], env=styled, check=True)
    first = (tmp_path / f"a.{kind}").read_bytes()
    assert first == (tmp_path / f"b.{kind}").read_bytes() == (tmp_path / f"c.{kind}").read_bytes()


def test_searchable(tmp_path: Path) -> None:
    """An SVG needs no font of its reader, and its words can still be searched for."""
    save(draw_fabric(colossus()), tmp_path / "fabric.svg")
    text = (tmp_path / "fabric.svg").read_text(encoding="utf-8")
    assert "<text" not in text
    assert "Spine × 1,568" in text


def test_saved_whole_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that cannot be written leaves nothing behind, and what stood there before still stands."""
    figure = draw_fabric(one_switch())
    with pytest.raises(InputError, match="svg"):
        save(figure, tmp_path / "fabric.docx")
    (tmp_path / "fabric.png").write_text("before")
    monkeypatch.setattr(figure, "savefig", _disk_full)
    with pytest.raises(OSError, match="disk full"):
        save(figure, tmp_path / "fabric.png")
    assert [path.name for path in tmp_path.iterdir()] == ["fabric.png"]
    assert (tmp_path / "fabric.png").read_text() == "before"


def _disk_full(path: Path, **_: object) -> None:
    path.write_bytes(b"half a pict")
    raise OSError("disk full")


def test_light_import() -> None:
    """Importing the drawing does not import matplotlib, which only a picture needs."""
    code = "import sys, fabric.draw; sys.exit('matplotlib' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_wrap_keeps_words() -> None:
    """Text broken into lines keeps every word, and no line is wider than it may be."""
    text = "The planes are joined only at the NICs and nowhere else."
    lines = wrap(text, 80, 7)
    assert " ".join(lines) == text
    assert all(text_width(line, 7) <= 80 for line in lines)
