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
NAMED = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
EVERY_SWITCH = pytest.mark.parametrize("switch", switches().values(), ids=lambda switch: switch.name)
SHELVES: dict[str, Callable[[], Mapping[str, Switch | Server | Optic]]] = {
    "switches": switches,
    "servers": servers,
    "optics": optics,
}
ISSUE = {
    "switches": "qm8700 qm9700 q3400-ra sn4700 sn5600 tomahawk5-64x800g tomahawk6-128x800g",
    "servers": "hgx-a100 hgx-h100 hgx-h200 dgx-b200 dgx-b300 gb200-nvl72 gb300-nvl72 mi300x",
}


def test_the_catalogue_is_wide_enough() -> None:
    """It ships at least 14 switches, 10 link kinds and 8 servers."""
    assert len(switches()) >= 14
    assert len(optics()) >= 10
    assert len(servers()) >= 8


@pytest.mark.parametrize("shelf", ISSUE)
def test_every_name_of_the_issue_is_there(shelf: str) -> None:
    """Each switch and server that the original issue names can be asked for by that name."""
    assert set(ISSUE[shelf].split()) <= set(SHELVES[shelf]())


def test_names_are_unique_and_lower_case() -> None:
    """No name is used twice, even across kinds, and each is lower-case letters, digits and hyphens."""
    names = [part.name for part in PARTS]
    assert sorted(set(names)) == sorted(names)
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []


@pytest.mark.parametrize("shelf", SHELVES)
def test_no_row_replaces_another(shelf: str) -> None:
    """Each row of a file is a part of its own: none is lost to a later row with the same name."""
    text = (files("fabric.catalog") / "data" / f"{shelf}.yaml").read_text(encoding="utf-8")
    assert [row["name"] for row in yaml.safe_load(text)] == list(SHELVES[shelf]())


@NAMED
def test_every_part_has_a_title_and_a_source(part: Switch | Server | Optic) -> None:
    """Each part says in words what it is and where its values come from."""
    assert part.title.strip()
    assert part.source.strip()


@NAMED
def test_no_value_is_zero_or_negative(part: Switch | Server | Optic) -> None:
    """A value that is not known is absent: what is given is more than zero."""
    values = [getattr(part, field.name) for field in fields(part)]
    assert [value for value in values if isinstance(value, (int, float)) and value <= 0] == []


@pytest.mark.parametrize("part", [part for part in PARTS if not isinstance(part, Server)], ids=lambda part: part.name)
def test_every_price_has_a_date(part: Switch | Optic) -> None:
    """A part has a price and the year or month when it was seen, or neither."""
    assert (part.price_usd is None) == (part.price_date == "")
    assert re.fullmatch(r"(20\d\d(-(0[1-9]|1[0-2]))?)?", part.price_date)


@EVERY_SWITCH
def test_breakouts_never_exceed_the_bandwidth_of_the_box(switch: Switch) -> None:
    """Split ports are slower and more than whole ones, and together carry no more than the box does."""
    for rate, ports in switch.breakouts.items():
        assert rate < switch.rate_gbps
        assert ports > switch.ports
        assert ports * rate <= switch.ports * switch.rate_gbps


@EVERY_SWITCH
def test_cages_share_the_ports_evenly(switch: Switch) -> None:
    """Each cage holds the same whole number of ports, at every rate."""
    cages = switch.cages or switch.ports
    assert {switch.radix(rate) % cages for rate in switch.rates} == {0}


@pytest.mark.parametrize("server", servers().values(), ids=lambda server: server.name)
def test_servers_share_their_nics_evenly(server: Server) -> None:
    """GPUs and NICs divide evenly over the trays, and NICs over the GPUs and the rails."""
    assert server.gpus % server.trays == 0
    assert server.nics % server.trays == 0
    assert server.nics % server.gpus == 0
    assert server.nics % (server.rails or server.nics) == 0


@pytest.mark.parametrize("optic", optics().values(), ids=lambda optic: optic.name)
def test_link_parts_are_of_a_known_kind(optic: Optic) -> None:
    """A part is a whole link, a module, a cable or an offer, of copper or fibre, and splits into whole rates."""
    assert optic.kind in {"link", "module", "cable", "offer"}
    assert optic.media in {"copper", "fibre"}
    assert [ways for ways in (*optic.splits, optic.links) if optic.rate_gbps % ways] == []


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
