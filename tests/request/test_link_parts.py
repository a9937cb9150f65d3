"""Link parts by reach, where lengths are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fabric

DAC = {"name": "dac", "rate_gbps": 400, "price_usd": 100, "reach_m": 3, "power_w": 0.2, "media": "copper"}
SR = {"name": "sr", "rate_gbps": 400, "price_usd": 700, "reach_m": 50, "power_w": 16}
REQUEST: dict[str, Any] = {
    "gpus": 1024,
    "server": "hgx-h100",
    "switches": "qm9700",
    "family": "fat-tree",
    "tiers": 2,
    "links": [DAC, SR],
}


def parts(**words: Any) -> dict[str, str]:
    """Return the link part of each bundle."""
    return {row.used_for: row.part for row in fabric.design(REQUEST, **words).bill.of("link")}


def test_each_bundle_takes_the_cheapest_part_that_reaches() -> None:
    """Short links are copper, longer ones multimode, and what neither reaches is the catalogue's."""
    assert parts(lengths_m={"server-leaf": 3, "leaf-spine": 40}) == {"server-leaf": "dac", "leaf-spine": "sr"}
    assert parts(lengths_m={"server-leaf": 3.5, "leaf-spine": 51}) == {
        "server-leaf": "sr",
        "leaf-spine": "optical-400g",
    }
    assert parts(lengths_m=3) == {"server-leaf": "dac", "leaf-spine": "dac"}


def test_a_length_that_no_part_reaches_is_refused() -> None:
    """50 km is refused with the longest reach known, whoever says the price; a part of one's own can reach it."""
    with pytest.raises(fabric.InputError, match=r"leaf-spine at 400G reaches 50,000 m; the longest known is 2,000 m"):
        fabric.design(REQUEST, lengths_m={"leaf-spine": 50_000}, link_price_usd=1)
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(REQUEST, lengths_m={"leaf-spine": 50_000}, tiers="any")
    assert "leaf-spine at 400G reaches 50,000 m" in caught.value.reasons[0], "the cause comes before the limits"
    coherent = {"name": "zr", "rate_gbps": 400, "price_usd": 9000, "reach_m": 80_000}
    study = fabric.design(REQUEST, links=[coherent], lengths_m={"leaf-spine": 50_000})
    assert {row.used_for: row.part for row in study.bill.of("link")}["leaf-spine"] == "zr"


def test_a_part_of_unknown_reach_is_used_only_where_no_length_is_asked() -> None:
    """What is not known of a part is no promise of any length."""
    cheap = {"name": "cheap", "rate_gbps": 400, "price_usd": 1}
    parts = [
        {row.part for row in fabric.design(REQUEST, links=[cheap], lengths_m=length).bill.of("link")}
        for length in (None, 3)
    ]
    assert parts[0] == {"cheap"}
    assert "cheap" not in parts[1]


def test_the_cost_and_power_are_those_of_the_parts() -> None:
    """The bill adds up part by part, and is what was minimised."""
    study = fabric.design(REQUEST, lengths_m={"server-leaf": 2, "leaf-spine": 30})
    plan = study.blueprint
    below, above = (plan.links(bundle) for bundle in plan.topology.bundles)
    assert study.bill.cost_usd("link") == 100 * below + 700 * above
    assert study.proof.objective == study.bill.cost_usd()
    power = fabric.optimize(REQUEST, "power", lengths_m={"server-leaf": 2, "leaf-spine": 30})
    assert power.proof.objective == pytest.approx(power.bill.power_w)


def test_a_length_that_nothing_reaches_is_refused() -> None:
    """Where no part with a price reaches, the cost cannot be minimised, and the link is named with its length."""
    words = {"lengths_m": 40, "links": [DAC | {"rate_gbps": 100}], "link_gbps": 300}
    server = {"name": "odd", "gpus": 8, "nics": 8, "nic_gbps": 300}
    box = {"name": "box", "ports": 64, "rate_gbps": 300, "price_usd": 1000}
    with pytest.raises(fabric.InputError, match="300G link of 40 m"):
        fabric.optimize({**REQUEST, **words, "server": server, "switches": box})


@pytest.mark.parametrize(
    ("links", "mistake"),
    [
        ([DAC, {**SR, "name": "dac"}], "links[1].name: 'dac' is already the name of another of `links`"),
        ([{**DAC, "name": "qm9700"}], "links[0].name: 'qm9700' is already the name of a switch"),
    ],
)
def test_each_link_part_has_a_name_of_its_own(links: list[dict[str, Any]], mistake: str) -> None:
    """Of two parts of one name a bill or a price could mean either."""
    with pytest.raises(fabric.InputError) as caught:
        fabric.design(REQUEST, links=links)
    assert [str(one) for one in caught.value.mistakes] == [f"{mistake}; give this one another name"]


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("server", {"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 400}),
        ("switches", {"name": "box", "ports": 64, "rate_gbps": 400}),
        ("links", {"name": "box", "rate_gbps": 400, "price_usd": 1}),
    ],
)
def test_a_maximum_power_is_no_less_than_the_typical_one(key: str, part: dict[str, Any]) -> None:
    """Limits count the maximum, so one below the typical power would let a fabric draw more than its limit."""
    powers = ({"power_w": 100, "max_power_w": 100}, {"max_power_w": 50}, {"power_w": 100, "max_power_w": 50})
    *valid, wrong = ({key: [{**part, **each}] if key == "links" else {**part, **each}} for each in powers)
    for words in valid:
        fabric.read(REQUEST, **words)
    with pytest.raises(fabric.InputError, match="50 is less than the typical power, power_w: 100; make them agree"):
        fabric.read(REQUEST, **wrong)


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("lengths_m: 50000", "lengths_m: no part for server-leaf at 400G reaches 50,000 m"),
        ("media: rj45", "media: no twisted-pair cable part for server-leaf at 400G is known"),
        ("optics: [mpo12-smf]", "optics: no part for server-leaf at 400G is known among those"),
        (
            "appliances: [{name: ufm, ports: 2, tier: spine, per: unit}]",
            "appliances: ufm: the spine is not inside a unit",
        ),
        ("switches: {name: box, ports: 64, rate_gbps: 800}", "switches: the breakouts of box to 400G are not known"),
    ],
)
def test_what_sizing_refuses_is_told_with_its_file_and_line(tmp_path: Path, key: str, problem: str) -> None:
    """A mistake that shows only when parts are matched is as easy to find as one that shows when the file is read."""
    path = tmp_path / "mine.yaml"
    switches = "" if key.startswith("switches") else "switches: qm9700\n"
    path.write_text(f"gpus: 256\nserver: hgx-h100\n{switches}{key}\n")
    with pytest.raises(fabric.InputError) as caught:
        fabric.design(path)
    assert str(caught.value).startswith(f"{path}:{3 + bool(switches)}: {problem}")
