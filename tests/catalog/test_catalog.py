"""The shipped catalogue: enough real parts, each with a source, and no value that cannot be true."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib.resources import files

import pytest
import yaml

from fabric.catalog import Optic, Server, Switch, link_part, optics, servers, switches
from fabric.cli.main import main

PARTS: list[Switch | Server | Optic] = [*switches().values(), *servers().values(), *optics().values()]
SHELVES: dict[str, Callable[[], Mapping[str, Switch | Server | Optic]]] = {
    "switches": switches,
    "servers": servers,
    "optics": optics,
}
USUAL = {
    "switches": "qm8700 qm9700 q3400-ra sn4700 sn5600 tomahawk5-64x800g tomahawk6-128x800g",
    "servers": "hgx-a100 hgx-h100 hgx-h200 dgx-b200 dgx-b300 gb200-nvl72 gb300-nvl72 mi300x",
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
        for rate, ports in switch.breakouts.items():
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


def test_link_parts_are_of_a_known_kind() -> None:
    """A part is a whole link, a module, a cable or an offer, of copper or fibre, and splits into whole rates."""
    for optic in optics().values():
        assert optic.kind in {"link", "module", "cable", "offer"}, optic.name
        assert optic.media in {"copper", "fibre"}, optic.name
        assert [number for number in (*optic.splits, optic.links) if optic.rate_gbps % number] == [], optic.name


def test_only_whole_links_are_sized_with() -> None:
    """At 200, 400 and 800G sizing prices the whole link of the cost sheet, however many other parts are listed."""
    parts = {rate: link_part(rate) for rate in (200, 400, 800)}
    assert {rate: part and part.price_usd and part.price_usd * part.share(rate) for rate, part in parts.items()} == {
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
