"""Whole modules, fibres and cables, against the ports of the network laid out, link by link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import attach_appliances
from fabric.blueprint.composition import Composition, End
from fabric.blueprint.physical import count_joints, count_modules
from fabric.catalog import LinkPart, Switch
from fabric.network import Network
from fabric.network.expand import expand
from fabric.testing import random_blueprint
from fabric.topology.topology import Topology
from tests.draw.fabrics import CLOS_FORMS, FORMS

POD: dict[str, Any] = {
    "gpus": 248, "server": "dgx-h100", "family": "rail-optimized", "tiers": 2, "unit_gpus": 256, "switches": "qm9700",
}  # fmt: skip
"""A SuperPOD of one unit whose last server leaves its place to UFM."""
PRICED = {"osfp-2xsr4": 900, "mpo12-mmf": 40}
ALL = [*((form.text, form) for form in FORMS), *((f"balanced {form.text}", form.balanced()) for form in CLOS_FORMS)]
each_form = pytest.mark.parametrize("form", [form for _, form in ALL], ids=[name for name, _ in ALL])


def twin(form: Topology, seed: int) -> tuple[Blueprint, int]:
    """Return a random fabric of switches with one, two or four links in a cage, and that number."""
    random = Random(seed)
    blueprint, links = random_blueprint(form, random), random.choice([1, 2, 4])
    cages = max(-(-(blueprint.ports_down(role) + blueprint.ports_up(role)) // links) for role in form.roles)
    model = Switch("any", ports=cages * links, rate_gbps=100, cages=cages)
    return replace(blueprint, models=dict.fromkeys(form.roles, model)), links


def modules_of(name: str) -> Composition:
    """Return links with a module of a name at each end."""
    module = LinkPart(name, "module", "smf", 100)
    return Composition("fibre", LinkPart("mpo", "fibre", "smf"), 1, module, module)


def ends_of(network: Network, place: int, role: str) -> Iterator[tuple[int, int]]:
    """Yield the device and the port of every end of a bundle's links at devices of a role."""
    group, here = network.group(role), network.bundle == place
    for device, port in ((network.lower, network.lower_port), (network.upper, network.upper_port)):
        at = here & (device >= group.first) & (device < group.first + group.count)
        yield from zip(device[at].tolist(), port[at].astype(int).tolist(), strict=True)


@pytest.mark.parametrize("alike", [True, False])
@each_form
def test_a_module_is_in_every_cage_with_a_link(form: Topology, alike: bool) -> None:
    """Of every form, counted port by port; where bundles take unlike modules each has cages of its own."""
    for seed in range(5):
        blueprint, links = twin(form, seed)
        network, cages = expand(blueprint), set[tuple[str, str, int, int]]()
        for place, bundle in enumerate(form.bundles):
            for group in {bundle.lower, bundle.upper} - {form.server}:
                name, first = ("any", 0) if alike else (bundle.name, form.first_port(group, bundle, blueprint.sizes))
                ends = ends_of(network, place, group.role)
                cages |= {(group.role, name, device, (port - first) // links) for device, port in ends}
        parts = {each.name: modules_of("any" if alike else each.name) for each in form.bundles}
        found = Counter[tuple[str, str]]()
        for each in count_modules(blueprint, parts):
            if each.role != "server" and each.part:
                found[each.role, each.part.name] += each.count
        assert +found == Counter((role, name) for role, name, *_ in cages), (blueprint.sizes, links)


@pytest.mark.parametrize("tails_below", [True, False])
@each_form
def test_a_splitter_fills_a_connector_of_one_device(form: Topology, tails_below: bool) -> None:
    """Of every form, its tails at the lower or the upper devices, the last one of a device perhaps used in part."""
    ends = (End(100, 1, 1), End(100, 2, 1)) if tails_below else (End(100, 2, 1), End(100, 1, 1))
    for seed in range(3):
        blueprint, _ = twin(form, seed)
        network, bundles = expand(blueprint), [each for each in form.bundles if each.lower != each.upper]
        joints = count_joints(blueprint, dict.fromkeys(network.bundles), {each.name: ends for each in form.bundles})
        counts = {each.bundle: each.count for each in joints}
        for bundle in bundles:
            role = (bundle.upper if tails_below else bundle.lower).role
            links = Counter(device for device, _ in ends_of(network, form.bundles.index(bundle), role))
            assert counts[bundle.name] == sum(-(-each // 2) for each in links.values())


def test_a_link_price_of_one_bundle_leaves_the_modules_of_others() -> None:
    """128 modules of the leaves come with the 256 links below them, and 128 are bought with those above."""
    study = fabric.design(POD, gpus=256, prices_usd=PRICED, link_price_usd={"server-leaf": 1000})
    bought = [row for row in study.bill.of("module") if row.counted]
    assert {(row.part, row.used_for): row.quantity for row in bought} == {
        ("osfp-2xsr4", "leaf"): 128,
        ("osfp-2xsr4", "spine"): 128,
    }
    assert study.bill.cost_usd("link") == 256 * 1000 + 256 * 900 + 256 * 40
    assert study.bill.cost_usd() == study.proof.objective


@pytest.mark.parametrize(("servers", "testers", "below"), [(30, 8, 16), (30, 24, 17), (31, 8, 16), (31, 16, 17)])
def test_modules_of_appliances_are_in_cages_of_their_own_kind(servers: int, testers: int, below: int) -> None:
    """Multimode to servers and single-mode to 31 spines: a tester's port on a leaf is in no cage of the links above.

    With 30 servers the first one takes a cage of its own; with 31 it fills the cage of the last server.
    """
    prices = PRICED | {"osfp-2xdr4": 1000, "mpo12-smf": 60}
    asked = POD | {"gpus": 8 * servers, "unit_gpus": 8 * servers, "pinned": {"spine": 31, "leaf-spine": 1}}
    asked |= {"media": {"server-leaf": "mmf", "leaf-spine": "smf"}, "exclude_optics": ["optical-400g"]}
    study = fabric.design(asked, prices_usd=prices, appliances=[{"name": "tester", "ports": testers}])
    (tester,) = attach_appliances(study.blueprint)
    assert set(tester.ports.tolist()) == {testers // 8}
    modules = {row.part: row.quantity for row in study.bill.of("module") if row.used_for == "leaf"}
    assert modules == {"osfp-2xsr4": 8 * below, "osfp-2xdr4": 8 * 16}


def test_a_splitter_of_an_appliance_has_its_one_end_where_links_share_a_connector() -> None:
    """UFM has the server's cages, of two links a connector: two tails of one splitter go to two leaves."""
    box = {"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 400, "cages": 4, "connectors": 1}
    leaf = {"name": "leaf", "ports": 64, "rate_gbps": 400, "price_usd": 1, "breakouts": []}
    asked = POD | {"server": box, "switches": leaf, "appliances": [{"name": "ufm", "ports": 2}], "link_price_usd": 1}
    rows = fabric.design(asked).bill.rows
    found = {(row.kind, row.part): row.quantity for row in rows if row.used_for == "ufm"}
    assert found == {("link", "400G link"): 2, ("module", "2 x 400G module"): 1, ("fibre", "fibre splitter to 2"): 1}
