"""The shipped catalogue: enough real parts, each with a source, and no value that cannot be true."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from importlib.resources import files

import pytest
import yaml

from fabric.blueprint.composition import Wanted, choose_parts
from fabric.catalog import (
    MEDIA,
    PRECISIONS,
    LinkPart,
    Server,
    Switch,
    accelerators,
    models,
    optics,
    servers,
    switches,
)
from fabric.cli.main import main
from fabric.report.catalog_lists import list_switches

PARTS: list[Switch | Server | LinkPart] = [*switches().values(), *servers().values(), *optics().values()]
SHELVES: dict[str, Callable[[], Mapping[str, Switch | Server | LinkPart]]] = {
    "switches": switches,
    "servers": servers,
    "optics": optics,
}
USUAL = {
    "switches": "qm8700 qm9700 q3400-ra sn4700 sn5600 tomahawk5-64x800g tomahawk6-128x800g",
    "servers": "hgx-a100 hgx-h100 hgx-h200 dgx-h100 dgx-h200 dgx-b200 dgx-b300 gb200-nvl72 gb300-nvl72 mi300x",
}


def test_the_catalogue_is_wide_enough() -> None:
    """It ships at least 14 switches, 10 link kinds and 8 servers."""
    assert len(switches()) >= 14
    assert len(optics()) >= 10
    assert len(servers()) >= 8


def test_the_usual_parts_are_there() -> None:
    """The switches and servers that designs use most can be asked for by their names."""
    for shelf, names in USUAL.items():
        assert set(names.split()) <= set(SHELVES[shelf]())


def test_names_are_unique_and_lower_case() -> None:
    """No name is used twice, even across kinds, and each is lower-case letters, digits and hyphens."""
    names = [part.name for part in PARTS]
    assert sorted(set(names)) == sorted(names)
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []


def test_no_row_replaces_another() -> None:
    """Each row of a file is a separate part: none is lost to a later row with the same name."""
    for shelf, parts in SHELVES.items():
        text = (files("fabric.catalog") / "data" / f"{shelf}.yaml").read_text(encoding="utf-8")
        rows = yaml.load(text, Loader=yaml.CSafeLoader)
        assert [row["name"] for row in rows] == list(parts())


def test_every_part_has_a_title_and_a_source() -> None:
    """Each part has its full name and the source of its values."""
    assert [part.name for part in PARTS if not (part.title.strip() and part.source.strip())] == []


def test_no_value_is_zero_or_negative() -> None:
    """A value that is not known is absent: a given one is positive."""
    values = [(part.name, getattr(part, field.name)) for part in PARTS for field in fields(part)]
    assert [row for row in values if isinstance(row[1], (int, float)) and row[1] <= 0] == []


def test_every_price_has_a_date() -> None:
    """A part has a price and its year or month, or neither."""
    for part in [*switches().values(), *optics().values()]:
        assert (part.price_usd is None) == (part.price_date == ""), part.name
        assert re.fullmatch(r"(20\d\d(-(0[1-9]|1[0-2]))?)?", part.price_date), part.name


def test_breakouts_never_exceed_the_bandwidth_of_the_switch() -> None:
    """Split ports are slower and more than whole ones, and together have at most the bandwidth of the switch."""
    for switch in switches().values():
        for rate, ports in (switch.breakouts or {}).items():
            assert rate < switch.rate_gbps, switch.name
            assert ports > switch.ports, switch.name
            assert ports * rate <= switch.ports * switch.rate_gbps, switch.name


def test_cages_share_the_ports_evenly() -> None:
    """Each cage has the same whole number of ports, at every rate."""
    for switch in switches().values():
        cages = switch.cages or switch.ports
        assert {switch.radix(rate) % cages for rate in switch.rates} == {0}, switch.name


def test_servers_share_their_nics_evenly() -> None:
    """GPUs and NICs divide evenly over the trays, and NICs over the GPUs and the rails."""
    for server in servers().values():
        assert server.gpus % server.trays == 0, server.name
        assert server.nics % server.trays == 0, server.name
        assert server.nics % server.gpus == 0, server.name
        assert server.nics % (server.rails or server.nics) == 0, server.name


def test_a_dgx_has_twin_port_cages_and_an_hgx_one_per_nic() -> None:
    """A DGX H100 has its 8 NICs behind 4 twin-port OSFP cages; a board in another box has a cage for each."""
    for name in ("dgx-h100", "dgx-h200", "dgx-b200"):
        box = servers()[name]
        assert (box.nics, box.cages, box.connectors, box.links_per_cage(1), box.links_per_connector(1)) == (
            8,
            4,
            2,
            2,
            1,
        )
    assert {servers()[name].links_per_cage(1) for name in ("hgx-h100", "hgx-h200", "dgx-b300", "aws-p5")} == {1}
    assert servers()["gaudi3"].links_per_cage(1) == 4


def test_boxes_have_the_published_heights_and_powers() -> None:
    """A DGX H100 is 8 rack units and 10.2 kW, a B200 10 and 14.3 kW at most, an A100 6 and 6.5 kW."""
    published = {"dgx-a100": (6, 6500), "dgx-h100": (8, 10_200), "dgx-h200": (8, 10_200), "dgx-b200": (10, 14_300)}
    assert {name: (servers()[name].rack_units, servers()[name].peak_power_w) for name in published} == published


def test_typical_power_is_at_most_the_maximum() -> None:
    """Where both are known, typical power is not above the maximum, which limits count; one alone stands for both."""
    boxes = [*switches().values(), *servers().values()]
    both = [box for box in boxes if box.power_w is not None and box.max_power_w is not None]
    assert both
    assert [box.name for box in both if (box.power_w or 0) > (box.max_power_w or 0)] == []
    assert {box.peak_power_w for box in both} == {box.max_power_w for box in both}
    assert switches()["qm9700"].peak_power_w == 747
    assert switches()["sn6810"].peak_power_w is None


def test_switches_of_one_box_split_alike() -> None:
    """The externally managed InfiniBand switches are the managed ones without their CPU: the same ports at any rate."""
    for managed, external in (("qm8700", "qm8790"), ("qm9700", "qm9790")):
        assert switches()[managed].breakouts == switches()[external].breakouts
        assert switches()[managed].cages == switches()[external].cages


def test_an_unknown_breakout_is_not_none() -> None:
    """A switch of unknown breakouts may have ports at a slower rate that divides its own; one without has none."""
    unknown, whole = Switch("unknown", 64, 800), Switch("whole", 64, 800, breakouts={})
    assert [unknown.may_split(rate) for rate in (1600, 800, 400, 300)] == [False, False, True, False]
    assert not whole.may_split(400)
    assert (unknown.radix(400), whole.radix(400), unknown.rates) == (0, 0, (800,))


def test_dates_of_sale_are_quarters_or_halves() -> None:
    """A switch that is not sold yet has the quarter or the half of a year in which it will be."""
    dates = {switch.name: switch.available for switch in switches().values() if switch.available}
    assert {name for name, date in dates.items() if not re.fullmatch(r"20\d\d-(Q[1-4]|H[12])", date)} == set()
    assert dates["7060xe7-128pe"] == "2027-Q1"


def test_mi355x_reaches_the_rate_of_its_platform() -> None:
    """Each of 8 GPUs has 7 links of 153.6 GB/s both ways: 1,075 GB/s, half of them in each direction."""
    assert servers()["mi355x"].nvlink_GBps == pytest.approx(1075 / 2, rel=1e-3)


def test_the_list_of_switches_tells_none_from_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list has bandwidth, date and part number, and says `unknown` where breakouts are, as JSON says null."""
    none = Switch("whole", 64, 800, breakouts={}, max_power_w=2000, power_w=900)
    monkeypatch.setattr("fabric.catalog.switches", lambda: {**switches(), "whole": none})
    listing = list_switches()
    shown = {row[0]: row for row in listing.rows}
    facts = {item["name"]: item for item in listing.objects()}
    assert (facts["q3400-ra"]["breakouts"], shown["q3400-ra"][2]) == (None, "unknown")
    assert (facts["whole"]["breakouts"], shown["whole"][2], shown["whole"][4]) == ("none", "none", "900 max 2,000")
    assert facts["sn6800"]["bandwidth_tbps"] == 409.6
    assert shown["7060xe7-64ps"][-1] == facts["7060xe7-64ps"]["available"] == "2026-Q4"
    assert facts["qm9790"]["vendor_number"] == "MQM9790-NS2F"


def test_link_parts_are_of_a_known_kind() -> None:
    """A part is a whole link, a module, a fibre, a cable or an offer, of a known medium."""
    for optic in optics().values():
        assert optic.kind in {"link", "module", "fibre", "cable", "offer"}, optic.name
        assert optic.media in MEDIA, optic.name
        assert [number for number in (*optic.splits, optic.tails) if (optic.rate_gbps or 0) % number] == [], optic.name


def test_only_whole_links_are_sized_with() -> None:
    """At 200, 400 and 800G sizing prices the whole link of the cost sheet, however many other parts are listed."""
    parts = {rate: choose_parts(Wanted(rate), None, None, tuple(optics().values())) for rate in (200, 400, 800)}
    assert {rate: part and part.price_usd for rate, part in parts.items()} == {
        200: 620,
        400: 1240,
        800: 2480,
    }


@pytest.mark.parametrize("shelf", SHELVES)
def test_lists_fit_a_terminal(shelf: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each list shows every name whole within 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["fabric", "list", shelf])
    with pytest.raises(SystemExit) as done:
        main()
    lines = capsys.readouterr().out.splitlines()
    assert not done.value.code
    assert max(map(len, lines)) <= 80
    assert set(SHELVES[shelf]()) <= {line.split()[0] for line in lines if line.strip()}


@pytest.mark.parametrize(
    ("title", "vendor"),
    [("Acme 64 (Tomahawk 5)", "Acme"), ("The 64 x 400G switch of a paper", ""), ("A box", ""), ("", "")],
)
def test_an_article_is_no_vendor(title: str, vendor: str) -> None:
    """The vendor of a switch whose title does not begin with one is unknown."""
    assert replace(switches()["qm9700"], title=title).vendor == vendor


def test_accelerators_agree_with_their_servers() -> None:
    """Each GPU has a title, a source and peaks that grow as precision falls, and the generation of its servers."""
    for item in accelerators().values():
        assert item.title
        assert item.source
        assert set(item.peak_tflops) <= set(PRECISIONS)
        peaks = [item.peak_tflops[name] for name in ("bf16", "fp8", "nvfp4") if name in item.peak_tflops]
        assert peaks == sorted(set(peaks))
    for server in servers().values():
        if server.accelerator:
            assert accelerators()[server.accelerator].generation == server.generation


def test_models_have_their_names_and_sources() -> None:
    """Each model has a name of its own that can be typed, a title and a source, and heads that groups divide."""
    text = (files("fabric.catalog") / "data" / "models.yaml").read_text(encoding="utf-8")
    assert [row["name"] for row in yaml.load(text, Loader=yaml.CSafeLoader)] == list(models())
    for model in models().values():
        assert re.fullmatch(r"[a-z0-9]+([-.][a-z0-9]+)*", model.name)
        assert model.title
        assert model.source
        assert model.heads % model.kv_heads == 0
        assert model.experts >= model.top_k
