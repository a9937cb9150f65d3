"""Truths about InfiniBand exports that the tools of real clusters tell: ibsim, OpenSM, ibnetdiscover and ibdmchk."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import fabric
from fabric.export import list_plan_files
from fabric.export.infiniband.ibnetdiscover import IBNETDISCOVER_HDR
from fabric.export.plan import Plan
from fabric.layout.wiring import Wiring
from tests.export.infiniband.forwarding import Loads, load_by_modulo, load_by_tables
from tests.export.infiniband.open_sm import Routed, check_balance, discover, needs_opensm, run_opensm
from tests.export.plans import draw_plans, list_shipped, shipped_plan
from tests.marks import slow

pytestmark = needs_opensm

SMALL = {"name": "small", "ports": 16, "rate_gbps": 400, "link_layer": "infiniband"}
SHIPPED = ("superpod-h100-1su", "superpod-h100-2su", "superpod-h100-4su", "superpod-h100-8su")
HOSTS = r"Fabric has (\d+) CAs, (\d+) CA ports \(\d+ of them CNs\), (\d+) switches"
ROOTS = r"Fabric has (\d+) switches at rank 0 \(roots\)"
RANKS = r"FatTree rank \(roots to leaf switches\): (\d+)"


@cache
def three_tiers(gpus: int = 256, family: str = "fat-tree") -> Plan:
    """Return a plan of three tiers."""
    name = f"three-tiers-{family}-{gpus}"
    return fabric.design(name=name, gpus=gpus, server="hgx-h100", family=family, switches=[SMALL], tiers=3).plan


def plan_called(name: str) -> Plan:
    """Return a shipped plan, or the one of three tiers."""
    return three_tiers() if name == "three tiers" else shipped_plan(name)


def text_of(plan: Plan, place: int = 0) -> str:
    """Return a subnet of a plan as ibsim reads it, the first by default."""
    return "".join(list_plan_files(plan, "ibnetdiscover-hdr")[place][1])


def text_of_wiring(plan: Plan, wiring: Wiring) -> str:
    """Return the only subnet of a plan with other cables."""
    ((_, pieces),) = IBNETDISCOVER_HDR.files(Plan(plan.spec, plan.blueprint, lambda: wiring))
    return "".join(pieces)


def check_nodes(plan: Plan, routed: Routed, subnets: int) -> None:
    """Hold OpenSM's nodes against the design, of whose subnets all are alike."""
    found = (routed.folder / "opensm-subnet.lst").read_text()
    nodes = set(re.findall(r"\{ (CA|SW)\S* Ports:\S+ SystemGUID:\S+ NodeGUID:(\S+)", found))
    kinds = Counter(kind for kind, _ in nodes)
    hosts = int((plan.host >= 0).sum())
    assert (kinds["CA"] * subnets, kinds["SW"] * subnets) == (hosts, plan.blueprint.switches)


def expect_balance(plan: Plan) -> dict[int, int]:
    """Return how many links between switches have each number of destinations, down and up, where all are full.

    The NICs below a leaf, or in a pod, are shared evenly by the links from above; and all others by those links up.
    """
    blueprint, nics = plan.blueprint, plan.blueprint.nics
    places = blueprint.devices("leaf"), nics // (blueprint.pod_gpus or nics)
    expected: Counter[int] = Counter()
    for bundle, number in zip(blueprint.topology.fabric_bundles, places, strict=False):
        links, below = blueprint.links(bundle), nics // number
        assert below % (links // number) == (nics - below) % (links // number) == 0
        expected.update({below * number // links: links, (nics - below) * number // links: links})
    return expected


def list_loads(plan: Plan, loads: Loads) -> list[list[dict[int, int]]]:
    """Return how many links of each bundle have each load, up and down, in flows and in destinations."""
    links, bundle = plan.network.links, plan.network.bundle
    return [
        [Counter(column[np.flatnonzero(bundle == number) + way].tolist()) for way in (0, links)]
        for number in range(len(plan.network.bundles))
        for column in (loads.flows, loads.targets)
    ]


@pytest.mark.parametrize("name", [*SHIPPED, "three tiers"])
def test_opensm_routes_every_shipped_design_as_a_fat_tree(name: str, tmp_path: Path) -> None:
    """Both ftree and updn take the fabric without an error; its nodes, tiers, roots and balance are the design's."""
    plan = plan_called(name)
    blueprint = plan.blueprint
    routed = run_opensm(text_of(plan), tmp_path / "ftree", "ftree")
    assert routed.bad_lines() == []
    assert "ftree tables configured on all switches" in routed.log
    assert routed.find(HOSTS) == (blueprint.nics, blueprint.nics, blueprint.switches)
    assert routed.find(RANKS) == (blueprint.tiers,)
    assert routed.find(ROOTS) == (blueprint.devices(blueprint.topology.roles[-1]),)
    check_nodes(plan, routed, 1)
    assert check_balance(routed) == expect_balance(plan)
    routed = run_opensm(text_of(plan), tmp_path / "updn", "updn")
    assert routed.bad_lines() == []
    assert "updn tables configured on all switches" in routed.log
    assert routed.reach_all(blueprint.nics)
    check_nodes(plan, routed, 1)


def test_every_shipped_design_of_that_size_is_routed() -> None:
    """The list above is that of all shipped InfiniBand designs up to 2,048 GPUs."""
    assert list_shipped("infiniband") == SHIPPED


@pytest.mark.parametrize("name", ["superpod-h100-1su", "three tiers", *slow("superpod-h100-2su", "superpod-h100-4su")])
def test_destination_modulo_loads_links_as_opensm_does(name: str, tmp_path: Path) -> None:
    """Flows and destinations of the links of a bundle have one distribution in OpenSM's tables and in ours."""
    plan = plan_called(name)
    routed = run_opensm(text_of(plan), tmp_path / "ftree", "ftree")
    theirs = load_by_tables(plan, (routed.folder / "opensm-lfts.dump").read_text())
    assert list_loads(plan, theirs) == list_loads(plan, load_by_modulo(plan))


def has_even_pairs(plan: Plan) -> bool:
    """Return whether pairs of joined switches of a bundle have as many links, and upper switches as many lower ones."""
    network, found = plan.network, []
    for number in np.unique(network.bundle[plan.host < 0]):
        rows = np.flatnonzero((network.bundle == number) & (plan.host < 0))
        pairs, links = np.unique(np.stack([network.lower[rows], network.upper[rows]]), axis=1, return_counts=True)
        below = np.unique(pairs[1], return_counts=True)[1]
        found += [len(set(links.tolist())) == 1, len(set(below.tolist())) == 1]
    return all(found)


def test_opensm_routes_drawn_designs(tmp_path: Path) -> None:
    """Drawn subnets have the design's nodes and are routed by updn, and by ftree where pairs have as many links."""
    accepted = Counter[bool]()
    for number, plan in enumerate(draw_plans(5, 9, "infiniband")):
        subnets = len(list_plan_files(plan, "ibnetdiscover"))
        text = text_of(plan, subnets - 1)
        routed = run_opensm(text, tmp_path / f"updn{number}", "updn")
        assert routed.bad_lines() == []
        if subnets == 1 or (len(plan.blueprint.servers_by_role) == 1 and not plan.network.appliances):
            check_nodes(plan, routed, subnets)
        routed = run_opensm(text, tmp_path / f"ftree{number}", "ftree")
        tree = plan.blueprint.tiers > 1 and has_even_pairs(plan)
        assert (routed.bad_lines() == []) == tree
        if tree:
            tops = plan.blueprint.devices(plan.blueprint.topology.roles[-1])
            assert (routed.find(ROOTS), routed.find(RANKS)) == ((tops // subnets,), (plan.blueprint.tiers,))
        accepted[tree] += 1
    assert min(accepted[True], accepted[False]) > 0


def test_ibnetdiscover_finds_what_was_written(tmp_path: Path) -> None:
    """On the simulated fabric ibnetdiscover writes the same records, byte for byte, in an order of its own."""
    for number, plan in enumerate([shipped_plan("superpod-h100-1su"), three_tiers(), *draw_plans(7, 4, "infiniband")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        file = folder / "fabric.ibnetdiscover"
        file.write_text(text_of(plan))
        ours, theirs = (
            sorted(each for each in text.split("\n\n") if "guid=" in each)
            for text in (file.read_text(), discover(file, folder))
        )
        assert [each.strip() for each in theirs] == [each.strip() for each in ours]


def test_two_cables_changed_at_the_spines_are_noticed(tmp_path: Path) -> None:
    """Where links of two leaves to different spines are exchanged, OpenSM refuses ftree, as the tests would see."""
    plan = shipped_plan("superpod-h100-1su")
    rows = np.flatnonzero(plan.host < 0)
    lower, upper = plan.network.lower[rows], plan.network.upper[rows]
    one, other = rows[0], rows[np.flatnonzero((lower != lower[0]) & (upper != upper[0]))[0]]
    swapped = plan.network.upper.copy()
    swapped[[one, other]] = swapped[[other, one]]
    ports = plan.network.upper_port.copy()
    ports[[one, other]] = ports[[other, one]]
    wiring = replace(plan.wiring, network=replace(plan.network, upper=swapped, upper_port=ports))
    routed = run_opensm(text_of_wiring(plan, wiring), tmp_path / "ftree", "ftree")
    assert any("AB0" in line for line in routed.bad_lines())


def test_partly_filled_pods_are_loaded_as_measured(tmp_path: Path) -> None:
    """With a last pod partly filled ftree gives way to minhop, which carries as many flows over each tier as we do."""
    plan = three_tiers(200)
    routed = run_opensm(text_of(plan), tmp_path / "ftree", "ftree")
    assert any("AB0A: Different number of downward port groups" in line for line in routed.bad_lines())
    assert "minhop tables configured on all switches" in routed.log
    assert routed.reach_all(plan.blueprint.nics)
    (roots,) = ("".join(pieces) for name, pieces in list_plan_files(plan, "ib-topology") if name == "subnet.roots")
    assert len(roots.splitlines()) == plan.blueprint.devices("core")
    assert not run_opensm(text_of(plan), tmp_path / "updn", "updn").reach_all(plan.blueprint.nics)
    assert run_opensm(text_of(plan), tmp_path / "roots", "updn", roots).reach_all(plan.blueprint.nics)
    both = load_by_tables(plan, (routed.folder / "opensm-lfts.dump").read_text()), load_by_modulo(plan)
    number, links = plan.network.bundles.index("spine-core"), plan.network.links
    for bundle in range(len(plan.network.bundles)):
        for way in (0, links):
            rows = np.flatnonzero(plan.network.bundle == bundle) + way
            assert both[0].flows[rows].sum() == both[1].flows[rows].sum()
    rows = np.flatnonzero(plan.network.bundle == number)
    busiest = [[int(loads.flows[rows + way].max()) for way in (0, links)] for loads in both]
    assert busiest == [[368, 368], [256, 768]]
    balance = check_balance(routed)
    carried = sum(
        int(both[0].targets[rows + way].sum()) for rows in [np.flatnonzero(plan.host < 0)] for way in (0, links)
    )
    assert sum(targets * ports for targets, ports in balance.items()) == carried
