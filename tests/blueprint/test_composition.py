"""What links are composed of: parts that fit at both ends, in whole pieces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fabric
from fabric.blueprint.composition import End, Wanted, choose_parts
from fabric.catalog import LinkPart, optics
from fabric.report.describe import describe
from fabric.studies.study import Study

CATALOGUE = tuple(optics().values())
TWIN = End(800, 2, 2, "osfp")
"""A twin-port OSFP cage at 400G."""
NIC = End(400, 1, 1, "osfp")
"""The cage of one 400G NIC."""
PRICED = {"osfp-2xsr4": 900, "mpo12-mmf": 40, "osfp-sr4-400g": 500, "dac-split-2x400g": 150, "dac-osfp-2x400g": 100}
POD = {"gpus": 256, "server": "hgx-h100", "family": "rail-optimized", "switches": "qm9700", "unit_gpus": 256}


def quantities(study: Study, *kinds: str) -> dict[tuple[str, str], int]:
    """Return the quantities of a bill by part and use."""
    return {(row.part, row.used_for): row.quantity for row in study.bill.of(*kinds)}


def names(media: str, lower: End, length_m: float = 0, parts: tuple[LinkPart, ...] = CATALOGUE) -> set[str] | None:
    """Return the names of the parts chosen for 400G links of a medium up to a twin-port cage."""
    found = choose_parts(Wanted(400, length_m, media, whole_cables=True), lower, TWIN, parts)
    return None if found is None else {part.name for part, _ in found.shares}


def test_modules_of_one_standard_meet_over_fibre_that_reaches() -> None:
    """NVIDIA's tables: SR4 with multimode to 50 m, DR4 -NS to 100 m, -NM to 500 m, FR4 with duplex LC to 2 km."""
    assert names("mmf", TWIN, 50) == {"osfp-2xsr4", "mpo12-mmf"}
    assert names("mmf", NIC, 50) == {"osfp-sr4-400g", "osfp-2xsr4", "mpo12-mmf"}
    assert names("mmf", TWIN, 51) is None
    modules = tuple(part for part in CATALOGUE if part.kind != "link")
    assert [names("smf", TWIN, metres, modules) for metres in (100, 500, 2000, 2001)] == [
        {"osfp-2xdr4", "mpo12-smf"},
        {"osfp-2xdr4-500m", "mpo12-smf"},
        {"osfp-2xfr4", "lc-smf"},
        None,
    ]


def test_copper_fits_the_cages_at_both_ends() -> None:
    """A twin-port cage joins two single NICs by a splitter (MCP7Y00) and another twin-port cage by MCP4Y10."""
    assert names("dac", NIC, 3) == {"dac-split-2x400g"}
    assert names("dac", End(400, 1, 1, "qsfp112"), 3) == {"dac-split-2x400g-qsfp112"}
    assert names("dac", TWIN, 2) == {"dac-osfp-2x400g"}
    assert names("dac", TWIN, 3) == {"dac-800g"}


def test_a_cage_takes_no_module_that_draws_more_than_its_limit() -> None:
    """A 2 x DR4 module draws 17 W at most, so it fits a cage of 18 W and not one of 16 W; FR4 of unknown power may."""
    modules = tuple(part for part in CATALOGUE if part.kind != "link")
    cages = (End(800, 2, 2, "osfp", power_w=watts) for watts in (18, 16))
    chosen = [choose_parts(Wanted(400, 100, "smf"), cage, cage, modules) for cage in cages]
    assert [found and found.upper and found.upper.name for found in chosen] == ["osfp-2xdr4", "osfp-2xfr4"]


def test_parts_fit_every_model_of_a_choice() -> None:
    """An SN5600 gives a cage 18 W and nobody says what an SN5610 gives: a 2 x DR4 module, of 17 W, fits both.

    With a switch of 16 W among them it does not, and QSFP-DD cages take no part of OSFP ones.
    """
    dr4 = {"optics": ["osfp-2xdr4", "mpo12-smf"], "server": "dgx-h100", "link_gbps": 400}
    either = fabric.design(POD, switches=["sn5600", "sn5610"], **dr4)
    assert {row.part for row in either.bill.of("module")} == {"osfp-2xdr4"}
    box = {"name": "box", "ports": 64, "rate_gbps": 800, "breakouts": [2], "price_usd": 10**5, "cages": 64}
    unknown = fabric.design(POD, switches=["sn5600", box], **dr4)
    assert quantities(unknown, "module") == quantities(either, "module")
    for facts, reason in (({"cage_power_w": 16}, "more than the 16 W"), ({"cage": "qsfp-dd"}, "no part for")):
        with pytest.raises(fabric.InputError, match=reason):
            fabric.design(POD, switches=["sn5600", box | facts], **dr4)


def test_the_cheapest_composition_is_bought_part_by_part() -> None:
    """Two twin-port modules carry two links, so a link costs one module and a fibre: $940 is less than $1,240."""
    study = fabric.design(POD, server="dgx-h100", prices_usd=PRICED)
    assert quantities(study, "module") == {
        ("osfp-2xsr4", "server"): 128,
        ("osfp-2xsr4", "leaf"): 256,
        ("osfp-2xsr4", "spine"): 128,
    }
    assert quantities(study, "fibre") == {("mpo12-mmf", "server-leaf"): 256, ("mpo12-mmf", "leaf-spine"): 256}
    assert study.bill.cost_usd("link") == 512 * 900 + 512 * 40 == 512 * 940
    assert study.bill.cost_usd() == study.proof.objective


def test_copper_takes_no_module() -> None:
    """Below the leaves 128 splitters join 256 NICs without a transceiver; half of the leaves' cages have optics."""
    study = fabric.design(POD, prices_usd=PRICED, media={"server-leaf": "dac"}, lengths_m={"server-leaf": 3})
    assert quantities(study, "cable") == {("dac-split-2x400g", "server-leaf"): 128}
    assert quantities(study, "module") == {("osfp-2xsr4", "leaf"): 128, ("osfp-2xsr4", "spine"): 128}
    assert study.bill.cost_usd("link") == 128 * 150 + 256 * 900 + 256 * 40


def test_a_server_has_the_cages_that_it_has() -> None:
    """8 NICs stand behind 4 twin-port cages of a DGX H100, and behind 8 of an HGX board: 128 or 256 server modules."""
    servers = ("dgx-h100", "hgx-h100")
    studies = [fabric.design(POD, server=server) for server in servers]
    assert [study.bill.of("module")[0].quantity for study in studies] == [128, 256]
    assert {study.bill.of("module")[0].used_for for study in studies} == {"server"}


@pytest.mark.parametrize(
    ("key", "names"), [("exclude_optics", ["optical-400g"]), ("optics", ["osfp-2xsr4", "mpo12-mmf"])]
)
def test_parts_can_be_chosen_and_excluded(key: str, names: list[str]) -> None:
    """Either way the whole link of the cost sheet is not bought."""
    study = fabric.design(POD, server="dgx-h100", prices_usd=PRICED, **{key: names})
    assert {row.part for row in study.bill.of("module")} == {"osfp-2xsr4"}


def test_no_part_of_the_media_asked_for_is_an_answer() -> None:
    """Nobody sells a 400G link over twisted pair."""
    with pytest.raises(fabric.InputError, match="no twisted-pair cable part for server-leaf at 400G is known"):
        fabric.design(POD, media="rj45")


def test_every_listed_part_can_be_priced() -> None:
    """The names of `fabric list optics` are those that `prices_usd` takes."""
    assert fabric.design(POD, prices_usd=dict.fromkeys(optics(), 1)).bill.cost_usd() is not None


PLUGS = [
    End(gbps, links, connectors, form)
    for form in ("osfp", "qsfp112", "qsfp56", "qsfp-dd", "rj45")
    for gbps, links, connectors in [
        *((1600, 2, 2), (800, 4, 2), (800, 2, 2), (800, 1, 1), (400, 2, 1), (400, 1, 1)),
        *((200, 2, 1), (200, 1, 1), (100, 1, 1), (10, 1, 1), (1, 1, 1)),
    ]
]
"""Cages of several kinds."""


@pytest.mark.parametrize("name", sorted(set(optics()) - {"optical-400g-third-party"}))
def test_every_listed_part_can_be_chosen(name: str) -> None:
    """Each part is the cheapest between some two cages when it alone is free."""
    part = optics()[name]
    others = (replace(each, price_usd=1) for each in CATALOGUE if each.kind in ("module", "fibre") and each != part)
    offered = (replace(part, price_usd=0), *others)
    chosen = (
        choose_parts(Wanted(upper.gbps // upper.links, media=part.media, whole_cables=True), lower, upper, offered)
        for lower in PLUGS
        for upper in PLUGS
        if upper.gbps * lower.links == lower.gbps * upper.links
    )
    assert any(found and name in {each.name for each, _ in found.shares} for found in chosen)


@pytest.mark.parametrize("words", [{"optics": ["optical-400g-third-party"]}, {"prices_usd": {"optical-400g": 301}}])
def test_an_offer_is_taken_only_where_it_is_named(words: dict[str, Any]) -> None:
    """A price that somebody had is no price of the catalogue, until the request names it."""
    offer = "optical-400g-third-party"
    named = {"prices_usd": {**words.get("prices_usd", {}), offer: 300}} if "prices_usd" in words else words
    assert {row.part for row in fabric.design(POD, **named).bill.of("link")} == {offer}
    others = {row.part for row in fabric.design(POD, prices_usd=words.get("prices_usd", {})).bill.of("link")}
    assert others == {"optical-400g"}


def test_a_whole_link_heats_no_cage_beyond_its_limit() -> None:
    """At each end is half of its power: two links of 18 W in a cage of 18 W, and none of a coherent one of 40 W."""
    watts = {18: True, 19: False, 40: False}
    for power, fits in watts.items():
        own = {"name": "own", "rate_gbps": 400, "price_usd": 1, "power_w": power, "reach_m": 80_000}
        words = {"switches": "sn5600", "tiers": 2, "links": [own], "lengths_m": {"leaf-spine": 50_000}}
        if fits:
            assert quantities(fabric.design(POD, **words), "link")["own", "leaf-spine"] == 256
        else:
            with pytest.raises(fabric.InputError, match="own for leaf-spine draws more than the 18 W that a cage"):
                fabric.design(POD, **words)


def test_a_module_of_unknown_power_in_a_limited_cage_is_named() -> None:
    """Nobody states the power of the FR4 module, and a QM9700's cage gives 17 W: the design says so."""
    study = fabric.design(POD, lengths_m={"leaf-spine": 600})
    notes = [note for note in describe(study).notes if "is not known" in note]
    assert notes == ["The power of osfp-2xfr4 is not known; a cage gives a module at most 17 W."]


def test_a_cable_between_twin_port_cages_takes_whole_pairs() -> None:
    """1,024 GPUs: 2 links from each of 32 leaves to each of 16 spines are one MCP4Y10 a pair, 512 in all."""
    short = {"media": {"leaf-spine": "dac"}, "lengths_m": {"leaf-spine": 2}}
    study = fabric.design(POD, gpus=1024, **short)
    assert study.blueprint.sizes["leaf-spine"] % 2 == 0
    assert quantities(study, "cable") == {("dac-osfp-2x400g", "leaf-spine"): 512}


def test_a_fabric_whose_pairs_have_one_link_can_not_take_such_cables() -> None:
    """The largest two-tier fabric of 64 ports has one link a pair; half of a twin-port cable does not exist."""
    full = {"gpus": 2048, "tiers": 2}
    assert fabric.design(POD, **full).blueprint.sizes["leaf-spine"] == 1
    with pytest.raises(fabric.Infeasible, match="whole connectors and cables exclude it") as caught:
        fabric.design(POD, **full, media={"leaf-spine": "dac"}, lengths_m={"leaf-spine": 2})
    cause = "dac-osfp-2x400g carries 2 links between two cages; `media` can ask for another"
    assert any(reason.startswith(cause) for reason in caught.value.reasons)


def test_such_a_cable_is_not_chosen_for_its_price_alone() -> None:
    """It would bind the links of a pair, so that the choice by price could exclude the cheapest fabric."""
    study = fabric.design(POD, lengths_m=2, prices_usd={"dac-osfp-2x400g": 1})
    assert {row.part for row in study.bill.of("link")} == {"optical-400g"}


def count_occupied(study: Study, role: str, links: int, bundle: str = "") -> int:
    """Return the runs of `links` neighbouring ports of a role's devices in which some port has a link, of a bundle."""
    network = study.network
    rows, runs = network.group(role), set()
    asked = np.ones(network.links, bool)
    if bundle:
        names = [each.name for each in study.blueprint.topology.bundles]
        asked = network.bundle == names.index(bundle)
    for device, port in ((network.lower, network.lower_port), (network.upper, network.upper_port)):
        here = asked & (device >= rows.first) & (device < rows.first + rows.count)
        pairs = np.stack([device[here].astype(np.int64), port[here].astype(np.int64) // links])
        runs |= set(map(tuple, np.unique(pairs, axis=1).T.tolist()))
    return len(runs)


BOXES = st.fixed_dictionaries(
    {
        "servers": st.integers(2, 40),
        "switch": st.sampled_from(["qm9700", "sn5600", "sn4700", "qm8700"]),
        "family": st.sampled_from(["fat-tree", "rail-optimized", "rail-only"]),
    }
)


def study_of(drawn: dict[str, Any], **words: Any) -> Study:
    """Return a design with NICs at a slower rate where the switch can split its ports."""
    nic = {"qm8700": 100, "sn4700": 200}.get(drawn["switch"], 400)
    box = {"name": "box", "gpus": 4, "nics": 4, "nic_gbps": nic}
    request = {"gpus": 4 * drawn["servers"], "server": box, "family": drawn["family"], "switches": drawn["switch"]}
    return fabric.design(request, tiers=[1, 2], **words)


@settings(max_examples=25)
@given(BOXES)
def test_modules_and_fibres_are_those_that_the_ports_of_the_network_need(drawn: dict[str, Any]) -> None:
    """Counting the expanded network port by port gives the modules of each role and the fibres of each bundle."""
    study = study_of(drawn, link_price_usd=1)
    modules, fibres = ({row.used_for: row.quantity for row in study.bill.of(kind)} for kind in ("module", "fibre"))
    rate = study.blueprint.link_gbps
    for role in study.blueprint.topology.roles:
        assert modules[role] == count_occupied(study, role, study.blueprint.models[role].links_per_cage(rate)), role
    leaf = study.blueprint.models["leaf"]
    assert fibres["server-leaf"] == count_occupied(study, "leaf", leaf.links_per_connector(rate), "server-leaf")
    for bundle in study.blueprint.topology.fabric_bundles:
        assert fibres[bundle.name] * leaf.links_per_connector(rate) == study.blueprint.links(bundle)


@settings(max_examples=15)
@given(BOXES.filter(lambda drawn: drawn["switch"] in ("qm9700", "sn5600")))
def test_rounding_costs_less_than_a_module_for_each_switch_and_direction(drawn: dict[str, Any]) -> None:
    """Whole twin-port modules are at least the shares that links use, and never two halves more on one switch."""
    prices = {"osfp-2xsr4": 900, "mpo12-mmf": 40, "osfp-sr4-400g": 500}
    study = study_of(drawn, prices_usd=prices, exclude_optics=["optical-400g"])
    assert 0 <= (study.bill.rounding_usd or 0) < 2 * study.blueprint.switches * prices["osfp-2xsr4"]
    assert study.bill.cost_usd() == pytest.approx(study.proof.objective + (study.bill.rounding_usd or 0))


def test_a_part_without_a_price_makes_no_fabric_infeasible() -> None:
    """One tier is too small and two need a part without a price, which does not prove the request infeasible."""
    far = {"lengths_m": {"leaf-spine": 1000}}
    assert fabric.design(POD, **far).blueprint.tiers == 2
    with pytest.raises(fabric.InputError, match="no known price of osfp-2xfr4; give it in the request"):
        fabric.optimize(POD, **far)
    priced = fabric.optimize(POD, **far, prices_usd={"osfp-2xfr4": 5000, "lc-smf": 50})
    assert priced.bill.cost_usd() == priced.proof.objective
