"""The parts of cables by their lengths, against every other choice of each cage, and against the bill."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pytest

import fabric
from fabric.blueprint.composition import Composition
from fabric.blueprint.part_counts import count_parts
from fabric.blueprint.prices import prices_of
from fabric.layout.cable_parts import round_up_lengths, sold_reach_m
from fabric.layout.cables import CableKind, group_longest, number_cables
from fabric.layout.site_bill import bill_on_site
from fabric.layout.wired_parts import count_wired_parts
from fabric.layout.wiring import Wiring
from fabric.studies.study import Study

PRICES = {
    "dac-split-2x400g": 100, "dac-osfp-2x400g": 60, "dac-split-4x200g": 120, "osfp-2xsr4": 900, "osfp-sr4-400g": 500,
    "osfp-sr4-200g": 300, "mpo12-mmf": 40, "mpo12-mmf-split-2": 60,
}  # fmt: skip
NEAR = {"layout": "in-rack", "slack_m": 0.5, "rack": {"power_kw": None}}
BASE: dict[str, Any] = {
    "switches": "qm9700", "exclude_optics": ["optical-400g"], "prices_usd": PRICES, "site": NEAR,
    "limits": {"parallel_links": 64},
}  # fmt: skip
FLAT = {"name": "flat", "gpus": 8, "nics": 8, "nic_gbps": 400, "cage": "osfp", "rack_units": 8}
RAILS = BASE | {"gpus": 256, "server": FLAT, "family": "rail-optimized", "unit_gpus": 256}
TWIN = BASE | {"gpus": 64, "server": "dgx-h100", "family": "fat-tree", "tiers": 2}
ODD = BASE | {"gpus": 80, "server": FLAT, "family": "rail-optimized", "tiers": 2, "unit_gpus": 40}
SPLIT = BASE | {"gpus": 72, "server": FLAT, "family": "fat-tree", "tiers": 2, "link_gbps": 200, "unit_gpus": 24}
BALANCED = BASE | {"gpus": 72, "server": "dgx-h100", "family": "fat-tree", "tiers": 2, "uplink_spread": "balanced"}
BALANCED |= {"unit_gpus": 24}
METRES = {"dac-split-2x400g": 150, "dac-osfp-2x400g": 95.5, "mpo12-mmf": 4.25, "mpo12-mmf-split-2": 7}
METRED = RAILS | {"prices_usd_per_m": METRES, "prices_usd": PRICES | {"dac-split-2x400g": 700}}
MIXED = [RAILS, TWIN, ODD, SPLIT, BALANCED, METRED, ODD | {"prices_usd_per_m": METRES}]
"""Links with a cage each, two in a cage at both ends, an odd number of links down, and splitters of four."""
KINDS = ["rails", "twin", "odd", "split", "balanced", "metres", "odd-metres"]


def sets_of(wiring: Wiring) -> list[list[int]]:
    """Return the links that share cages, directly or by others."""
    graph, network = nx.Graph(), wiring.network
    columns = (network.lower, wiring.a_cage, network.upper, wiring.b_cage)
    for link, (lower, a_cage, upper, b_cage) in enumerate(zip(*(each.tolist() for each in columns), strict=True)):
        graph.add_edges_from([(("link", link), (lower, a_cage)), (("link", link), (upper, b_cage))])
    return [[node[1] for node in part if node[0] == "link"] for part in nx.connected_components(graph)]


def fits(wiring: Wiring, links: list[int], found: Composition) -> bool:
    """Say whether parts reach the longest of some links, and a cable of several links has all of one cage."""
    far = max(wiring.way_m[links].tolist()) <= sold_reach_m(found) + 1e-5
    cages = {(wiring.network.upper[link], wiring.b_cage[link]) for link in links}
    return far and (found.kind != "cable" or found.joint_links == 1 or len(cages) == 1)


def cost_with(study: Study, links: list[int], found: Composition) -> float:
    """Return the price of the bill if some links had other parts."""
    wiring = study.wiring
    like = wiring.kinds[wiring.kind[links[0]]]
    kinds, kind = (*wiring.kinds, CableKind(like.bundle, like.like, found)), wiring.kind.copy()
    kind[links] = len(wiring.kinds)
    cable, length = (
        number_cables(study.blueprint, wiring.network, kinds, kind, wiring.prices.ends),
        wiring.length_m.copy(),
    )
    length[links] = round_up_lengths(group_longest(cable, wiring.way_m.astype(np.float64))[cable][links], found.joint)
    changed = replace(wiring, kinds=kinds, kind=kind, cable=cable, length_m=length)
    cost = bill_on_site(study.blueprint, changed).cost_usd()
    assert cost is not None
    return cost


@pytest.mark.parametrize("request_", MIXED, ids=KINDS)
def test_no_cage_would_cost_less_with_other_parts_that_reach(request_: dict[str, Any]) -> None:
    """Of all parts of each set of links that share cages, one costs least: sets are priced apart, so all are least."""
    study = fabric.design(request_)
    wiring, least = study.wiring, study.bill.cost_usd()
    assert least is not None
    for links in sets_of(wiring):
        taken = {wiring.kinds[number] for number in wiring.kind[links].tolist()}
        names = {kind.like for kind in taken}
        if len(names) > 1:  # a cage with links up and down keeps the part of both bundles
            assert {kind.found for kind in taken} == {wiring.prices.parts(name) for name in names}
            continue
        (kind,) = taken
        assert kind.found in (wiring.prices.parts(kind.like), *wiring.prices.cheaper_parts(kind.like))
        for found in wiring.prices.cheaper_parts(kind.like)[:6]:
            if found != kind.found and fits(wiring, links, found):
                assert cost_with(study, links, found) >= least - 1e-6


@pytest.mark.parametrize("request_", MIXED, ids=KINDS)
def test_every_cable_reaches_and_every_cage_has_one_kind(request_: dict[str, Any]) -> None:
    """Parts reach as far as they are sold, links of a cage have one module, and those of a cable one kind."""
    wiring = fabric.design(request_).wiring
    for number, kind in enumerate(wiring.kinds):
        rows = wiring.kind == number
        assert kind.found is not None
        assert wiring.length_m[rows].max() <= (kind.found.reach_m or 0) + 1e-6
        assert (wiring.length_m[rows] >= wiring.way_m[rows] - 1e-5).all()
    for devices, cages, end in ((wiring.network.lower, wiring.a_cage, 0), (wiring.network.upper, wiring.b_cage, 1)):
        modules = defaultdict[tuple[int, int], set[object]](set)
        for device, cage, number in zip(devices.tolist(), cages.tolist(), wiring.kind.tolist(), strict=True):
            found = wiring.kinds[number].found
            modules[device, cage].add(found and ((found.lower, found.upper)[end] or found.joint))
        assert all(len(each) == 1 for each in modules.values())
    kinds = defaultdict[int, set[int]](set)
    for cable, number in zip(wiring.cable.tolist(), wiring.kind.tolist(), strict=True):
        kinds[cable].add(number)
    assert all(len(each) == 1 for each in kinds.values())


def test_short_links_have_copper_and_long_ones_fibre() -> None:
    """Leaves above their servers: links within a rack, of at most 3 m, are copper where both of a cage are."""
    study = fabric.design(RAILS)
    wiring, racks = study.wiring, study.layout.device_rack
    found = {kind.part: number for number, kind in enumerate(wiring.kinds) if kind.bundle == "server-leaf"}
    assert set(found) == {"mpo12-mmf", "dac-split-2x400g"}
    copper = wiring.kind == found["dac-split-2x400g"]
    lower, upper = wiring.network.lower, wiring.network.upper
    assert (racks[lower[copper]] == racks[upper[copper]]).any()
    assert wiring.way_m[copper].max() <= 3
    one = replace(study.spec, exclude_optics=("optical-400g", "dac-split-2x400g"))
    assert (study.bill.cost_usd() or 0) < (fabric.design(one).bill.cost_usd() or 0)
    assert sum(row.quantity for row in study.bill.of("link") if row.used_for == "server-leaf") == 256
    cables = sum(row.quantity for row in study.bill.of("cable"))
    fibres = sum(row.quantity for row in study.bill.of("fibre") if row.used_for == "server-leaf")
    assert (2 * cables, 2 * cables + fibres) == (copper.sum(), 256)


def test_cables_by_the_metre_cost_what_their_lengths_add_up_to() -> None:
    """Fibres, splitters and whole links: the bill is the sum over cables of their price and their metres as sold."""
    link = {"name": "own", "rate_gbps": 400, "price_usd": 300, "price_usd_per_m": 2.5, "reach_m": 500, "splits": [2]}
    base = {"gpus": 72, "server": "hgx-h100", "switches": "sn5600", "tiers": 2, "site": {"slack_m": 2}}
    whole = fabric.design(base | {"links": [link], "optics": ["own"]})
    lengths = whole.wiring.length_m.astype(float)
    assert whole.bill.cost_usd("link") == pytest.approx((300 + 2.5 * lengths).sum())
    assert len({row.length_m for row in whole.bill.of("link")}) > 1
    study = fabric.design(METRED)
    kinds, wiring = study.wiring.kinds, study.wiring
    _, firsts = np.unique(wiring.cable, return_index=True)
    total = 0.0
    for cable in firsts.tolist():
        part = kinds[int(wiring.kind[cable])].part
        total += METRED["prices_usd"][part] + METRES[part] * float(wiring.length_m[cable])
    modules = sum(row.price_usd or 0 for row in study.bill.of("module"))
    assert study.bill.cost_usd("link") == pytest.approx(total + modules)


def test_metres_count_where_lengths_are_given_and_only_there() -> None:
    """With `lengths_m` a link costs its metres, as sold; without, the bill says that they are not counted."""
    base = {"gpus": 64, "server": "dgx-h100", "switches": "qm9700", "tiers": 2, "optics": ["osfp-2xsr4", "mpo12-mmf"]}
    base |= {"prices_usd": {"osfp-2xsr4": 900, "mpo12-mmf": 40}, "prices_usd_per_m": {"mpo12-mmf": 2}}
    plain, long = fabric.design(base), fabric.design(base | {"lengths_m": 30})
    fibres = plain.bill.of("fibre")
    assert {(row.unit_price_usd, row.note) for row in fibres} == {(40, "price from the request, without its metres")}
    assert {row.unit_price_usd for row in long.bill.of("fibre")} == {40 + 2 * 30}
    links = sum(row.quantity for row in fibres)
    assert (long.bill.cost_usd() or 0) - (plain.bill.cost_usd() or 0) == 2 * 30 * links
    assert long.proof.objective == long.bill.cost_usd()
    cheaper = fabric.design(base | {"lengths_m": 30, "discount": {"fibre": 0.5}})
    assert {row.unit_price_usd for row in cheaper.bill.of("fibre")} == {20 + 30}


@pytest.mark.parametrize("name", ["superpod-h100-4su", "deepseek-ft2", "alibaba-hpn-pod", "examples/superpod-ufm.yaml"])
def test_parts_of_one_kind_are_counted_as_without_a_site(name: str) -> None:
    """By cages and cables in use, or by closed forms from the blueprint: the same modules, links, fibres and cables."""
    study = fabric.design(name)
    laid, plain = (
        count_wired_parts(study.blueprint, study.wiring),
        count_parts(study.blueprint, prices_of(study.spec, study.blueprint)),
    )
    assert laid.links == plain.links
    assert sorted(laid.modules, key=str) == sorted(plain.modules, key=str)
    joints = [defaultdict[object, int](int) for _ in range(2)]
    for count, counts in zip(joints, (laid, plain), strict=True):
        for joint, _ in counts.joints:
            count[replace(joint, count=0)] += joint.count
    assert joints[0] == joints[1]


def test_colossus_has_copper_in_its_racks_where_it_has_a_price() -> None:
    """Each server has one leaf above it in its rack: splitters of 3 m lead there, where they reach, and no others."""
    study = fabric.design("colossus-100k", gpus=2048, tiers=2, prices_usd={"dac-split-2x400g": 150})
    wiring, racks = study.wiring, study.layout.device_rack
    copper = np.array([kind.part == "dac-split-2x400g" for kind in wiring.kinds])[wiring.kind]
    near = racks[wiring.network.lower] == racks[wiring.network.upper]
    assert near.sum() == 256
    assert (near & (wiring.way_m <= 3)).sum() == copper.sum() == 192
    assert not (copper & ~near).any()
    assert sum(row.quantity for row in study.bill.of("cable")) == 96
