"""The pictures by tiers: what they say is true, and a file is the same bytes every time."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.draw import draw_allreduce, draw_fabric, save
from fabric.draw.canvas import Line, text_width, wrap
from fabric.draw.diagram import Diagram, lay_out_diagram
from fabric.draw.palette import OKABE_ITO, line_colour, rail_colour
from fabric.draw.sampling import Card, joined_cards, rails_drawn, sample_cards
from fabric.draw.tier_layout import tier_layout
from fabric.draw.tiers import lay_out_tiers
from fabric.errors import InputError
from fabric.network import Devices
from fabric.network.expand import expand
from fabric.topology.families import RAIL_ONLY
from fabric.units import count
from tests.draw.fabrics import CLOS_FORMS, LARGE, SMALL, build, colossus, names, page, sized
from tests.draw.legibility import drawn_problems, words


def curves(labels: int) -> dict[str, list[tuple[int, float]]]:
    """Return made-up curves that rise with the message size, from 1 MiB to 32 GiB."""
    sizes = [2**power for power in range(20, 36)]
    return {
        f"routing {label}": [(bytes_, 390 / (1 + label + 2**24 / bytes_)) for bytes_ in sizes]
        for label in range(labels)
    }


def test_cards_stand_apart_in_their_frames() -> None:
    """Cards stand apart within their frames, and frames within those around them."""
    for name in [*names("small clos"), *names("large clos"), "colossus", "one switch", "wordy"]:
        layout = tier_layout(build(name), 0)
        for row in layout.rows:
            assert all(left.x + left.width < right.x for left, right in pairwise(row.spots)), name
            for frame in [frame for frame in layout.frames if row.y < frame.y + frame.height]:
                assert frame.x < row.spots[0].x, name
                assert row.spots[-1].x + row.spots[-1].width < frame.x + frame.width, name
        for outer, inner in pairwise(layout.frames):
            assert outer.x < inner.x < inner.x + inner.width < outer.x + outer.width, name
            assert outer.y < inner.y < inner.y + inner.height < outer.y + outer.height, name


def card_of_devices(blueprint: Blueprint, devices: Devices, cards: tuple[Card, ...]) -> np.ndarray:
    """Return the card of each device of a group, shape (devices,), -1 for those in another place than the first."""
    values = np.unravel_index(np.arange(devices.count), devices.shape) if devices.shape else ()
    digits = dict(zip(devices.axes, values, strict=True))
    card_of = np.full(devices.count, -1)
    first = np.ones(devices.count, bool)
    for axis in blueprint.topology.server.axes:
        if axis in digits and axis not in cards[0].values:
            first &= digits[axis] == 0
    for number, card in enumerate(cards):
        card_of[np.logical_and.reduce([first, *(digits[axis] == value for axis, value in card.values.items())])] = (
            number
        )
    return card_of


def test_lines_are_links() -> None:
    """A line is drawn between two cards exactly where the network has a link between devices that they stand for."""
    for form in CLOS_FORMS:
        blueprint = sized(form, SMALL)
        network = expand(blueprint)
        for number, bundle in enumerate(form.bundles):
            groups = network.group(bundle.lower.role), network.group(bundle.upper.role)
            cards = sample_cards(blueprint, bundle.lower), sample_cards(blueprint, bundle.upper)
            rows = np.flatnonzero(network.bundle == number)
            ends = zip((network.lower, network.upper), groups, cards, strict=True)
            low, high = (
                card_of_devices(blueprint, group, shown)[end[rows] - group.first] for end, group, shown in ends
            )
            linked = {pair for pair in zip(low.tolist(), high.tolist(), strict=True) if min(pair) >= 0}
            assert set(joined_cards(*cards)) == linked, (form.family, form.text, bundle.name)


def test_rails_never_meet() -> None:
    """Where the rails never meet, each rail's lines keep to its colour, and the picture says what joins the GPUs."""
    for form in RAIL_ONLY.forms:
        blueprint = sized(form, SMALL)
        for bundle in form.fabric_bundles:
            for lower, upper in product(sample_cards(blueprint, bundle.lower), sample_cards(blueprint, bundle.upper)):
                crossing = lower.values["rail"] != upper.values["rail"]
                assert not (crossing and list(joined_cards((lower,), (upper,))))
        said = words(lay_out_diagram(blueprint, Diagram()))
        assert "The rails never meet: GPUs of different rails reach each other only through NVLink." in said


def test_numbers() -> None:
    """The picture says each tier's devices, each bundle's links, the multiplicity of each place and the ports used."""
    blueprint = build("colossus")
    said = words(page("colossus"))
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
    """The cards of one row differ on the same axes, at most two."""
    for form in CLOS_FORMS:
        for blueprint in (sized(form, SMALL), sized(form, LARGE, 4)):
            for row in tier_layout(blueprint, 0).rows:
                assert len({len(card.values) for card in row.cards}) == 1
                assert len(row.cards[0].values) <= 2


def test_small_fabric_is_whole() -> None:
    """A fabric of a few servers is drawn whole: every server, every leaf and every pair that is joined."""
    blueprint = sized(RAIL_ONLY.forms[0], {"slot": 8, "rail": 8})
    marks = lay_out_tiers(blueprint).marks
    coloured = [mark for mark in marks if isinstance(mark, Line) and mark.colour in map(line_colour, OKABE_ITO)]
    assert len(coloured) == blueprint.links_total == 7 * 8
    assert len({line.colour for line in coloured}) == 8


def test_unlike_servers_are_named_as_drawn_only_where_they_are() -> None:
    """The whole picture has every kind of server, the first unit only its own."""
    storage = {"name": "nvme-box", "gpus": 0, "nics": 2, "nic_gbps": 200}
    servers = [{"server": "hgx-h100", "count": 8}, {"server": storage, "count": 40}]
    blueprint = fabric.design(servers=servers, family="fat-tree", switches="qm9700", tiers=2).blueprint
    whole, unit = (words(lay_out_diagram(blueprint, Diagram(level=level))) for level in ("fabric", "unit"))
    assert "Of unlike servers" not in whole
    assert "one per slot" not in whole
    assert "Of unlike servers hgx-h100 is drawn; the others are 40 nvme-box" in unit


def test_rails_have_colours() -> None:
    """Up to eight rails have colours of their own, and a rail has the same wherever it is drawn."""
    for rails in (1, 2, 4, 8, 9, 18, 72):
        drawn = rails_drawn(sized(RAIL_ONLY.forms[1], {"rail": rails}))
        assert len(drawn) <= len(OKABE_ITO)
        assert len({rail_colour(number) for number in drawn}) == len(drawn) or rails > len(OKABE_ITO)


@pytest.mark.parametrize("labels", [0, 1, 3, 16])
@pytest.mark.parametrize("line_rate", [None, 400.0, 40.0])
def test_allreduce_is_legible(labels: int, line_rate: float | None) -> None:
    """The bandwidth curves name each label and the line rate, and no text is tiny, cut off or over other text."""
    figure = draw_allreduce("any fabric: " + "a long title " * 20, curves(labels), line_rate)
    assert drawn_problems(figure) == []
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


def test_same_bytes(tmp_path: Path) -> None:
    """The same fabric gives the same bytes, drawn again here or in a process whose user has styled matplotlib."""
    suffixes = ("svg", "png", "pdf")
    for name, written in (("a", suffixes), ("b", suffixes[:1])):
        figure = draw_fabric(colossus())
        for suffix in written:
            save(figure, tmp_path / f"{name}.{suffix}")
    (tmp_path / "matplotlibrc").write_text("font.size: 20\nsvg.fonttype: none\nlines.linewidth: 9\nsavefig.dpi: 30\n")
    code = (
        "import sys; from pathlib import Path; from fabric.draw import draw_fabric, save;"
        "from tests.draw.fabrics import colossus;"
        "figure = draw_fabric(colossus());"
        "[save(figure, Path(file)) for file in sys.argv[1:]];"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    styled = os.environ | {
        "PYTHONPATH": paths, "MATPLOTLIBRC": str(tmp_path), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo",
    }  # fmt: skip
    files = [str(tmp_path / f"c.{suffix}") for suffix in suffixes]
    subprocess.run([sys.executable, "-c", code, *files], env=styled, check=True)
    for suffix in suffixes:
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"c.{suffix}").read_bytes(), suffix
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_searchable(tmp_path: Path) -> None:
    """An SVG needs no font of its reader, and its words can still be searched for."""
    save(draw_fabric(build("colossus")), tmp_path / "fabric.svg")
    text = (tmp_path / "fabric.svg").read_text(encoding="utf-8")
    assert "<text" not in text
    assert "Spine × 1,568" in text


def test_saved_whole_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that cannot be written leaves nothing behind, and what stood there before still stands."""
    figure = draw_fabric(build("one switch"))
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
