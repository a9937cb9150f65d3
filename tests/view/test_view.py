"""Truths about views: what is seen at a level is what the network has, however the fabric is built."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import metrics_of
from fabric.errors import InputError
from fabric.network import Network
from fabric.network.expand import expand
from fabric.testing import random_blueprint
from fabric.topology.families import families
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import Topology
from fabric.view import LEVELS, View, levels_of, node_count, partial_place, readable_level, view_of
from tests.marks import slow

EVEN = [form for family in families().values() for form in family.forms]
FORMS = [*EVEN, *(balanced for form in EVEN if (balanced := form.balanced()) != form)]
NAME = re.compile(r"(\w+)(?:\[(.*)\])?")


def blueprints(trials: int = 2) -> Iterator[Blueprint]:
    """Yield random small blueprints of every form."""
    for form in FORMS:
        for seed in range(trials):
            yield random_blueprint(form, Random(f"{form.text} {seed}"))


def places(plan: Blueprint, level: str) -> Iterator[tuple[int, int]]:
    """Yield the numbers of a few pods and units of a level, those that there are."""
    for pod, unit in {"pod": [(0, 0), (1, 0)], "unit": [(0, 0), (0, 1), (1, 0)]}.get(level, [(0, 0)]):
        try:
            view_of(plan, level, pod=pod, unit=unit)
        except InputError:
            continue
        yield pod, unit


def views_of(plan: Blueprint) -> Iterator[View]:
    """Yield views of a blueprint at every level that it has."""
    for level in levels_of(plan):
        for pod, unit in places(plan, level):
            yield view_of(plan, level, pod=pod, unit=unit)


def views(trials: int) -> Iterator[tuple[Blueprint, View]]:
    """Yield views of random small blueprints of every form, at every level that they have."""
    for plan in blueprints(trials):
        for view in views_of(plan):
            yield plan, view


def coordinates(plan: Blueprint, network: Network) -> list[tuple[str, dict[str, int]]]:
    """Return the role and the coordinates of every device, of servers of a graph form those of their leaf too."""
    found = []
    for row in range(network.devices):
        role, digits = NAME.fullmatch(network.name(row)).groups()
        found.append((role, {k: int(v) for k, v in (pair.split("=") for pair in (digits or "").split(",") if pair)}))
    if isinstance(plan.topology, GraphForm):
        for low, high in zip(network.lower.tolist(), network.upper.tolist(), strict=True):
            if found[low][0] == "server" and found[high][0] == "leaf":
                leaf = found[high][1]
                found[low][1].update({axis: value for axis, value in leaf.items() if axis != "plane"})
    return found


def members(view: View, devices: list[tuple[str, dict[str, int]]]) -> dict[int, int]:
    """Return the node of every device that is seen, by reading the nodes' names."""
    found: dict[int, int] = {}
    for node, name in enumerate(view.names):
        role, text = NAME.fullmatch(name).groups()
        words = [word.partition("=") for word in (text or "").split(",") if word]
        for row, (kind, digits) in enumerate(devices):
            if kind == role and all(
                (digits.get(key.rstrip("!")) == int(v)) != key.endswith("!") for key, _, v in words
            ):
                assert row not in found, f"{name} and {view.names[found[row]]} share a device"
                found[row] = node
    return found


def counted(
    plan: Blueprint, view: View, network: Network, devices: list[tuple[str, dict[str, int]]]
) -> tuple[Counter, Counter, set]:
    """Count, in the network laid out, the devices of every node and the links and pairs between every two."""
    of = members(view, devices)
    place = axes_of(plan, view)
    inside = {row for row, (_, digits) in enumerate(devices) if place.items() <= digits.items()}
    links: Counter = Counter()
    pairs = set()
    for low, high, bundle in zip(network.lower.tolist(), network.upper.tolist(), network.bundle.tolist(), strict=True):
        seen = low in of and high in of
        if isinstance(plan.topology, GraphForm):
            assert seen or not {low, high} & inside
            seen = bool({low, high} & inside)
        if seen:
            same = plan.topology.bundles[bundle].lower == plan.topology.bundles[bundle].upper
            links[*in_order(of[low], of[high], same), bundle] += 1
            pairs.add((*in_order(low, high, same), bundle))
    return Counter(of.values()), links, pairs


def in_order(low: int, high: int, same: bool) -> tuple[int, int]:
    """Return both ends of a link, of one within a group the lesser first."""
    return (high, low) if same and low > high else (low, high)


def axes_of(plan: Blueprint, view: View) -> dict[str, int]:
    """Return the coordinates of the place that a view of a graph form shows, by its numbers."""
    axes = [axis for axis in plan.topology.switch_groups[0].axes if axis != "plane"]
    if view.level not in ("pod", "unit"):
        return {}
    outer = {axes[0]: view.place["pod"]} if "pod" in view.place else {}
    if view.level == "pod":
        return outer
    inner = axes[len(outer) :]
    digits = np.unravel_index(view.place["unit"], [plan.sizes[axis] for axis in inner])
    return outer | {axis: int(digit) for axis, digit in zip(inner, digits, strict=True)}


@pytest.mark.parametrize("trials", [1, *slow(2)])
@pytest.mark.parametrize(("inside", "above"), [(128, 16), (2, 1)])
def test_a_view_is_the_network_with_equal_devices_in_one_node(
    monkeypatch: pytest.MonkeyPatch, inside: int, above: int, trials: int
) -> None:
    """At every level, each node has as many devices and each edge as many links as the network laid out."""
    for module in ("clos_view", "graph_view"):
        monkeypatch.setattr(f"fabric.view.{module}.INSIDE", inside)
        monkeypatch.setattr(f"fabric.view.{module}.ABOVE", above)
    number = 0
    for plan in blueprints(trials):
        network = expand(plan)
        named = coordinates(plan, network)
        for view in views_of(plan):
            devices, links, pairs = counted(plan, view, network, named)
            said = (plan.topology.text, view.title, view.names)
            assert dict(devices) == dict(enumerate(view.multiplicity.tolist())), said
            ends = zip(view.lower.tolist(), view.upper.tolist(), view.bundle.tolist(), strict=True)
            edges = dict(zip(ends, view.links.tolist(), strict=True))
            assert edges == dict(links), said
            assert sum(view.pairs.tolist()) == len(pairs)
            number += 1
    assert number > 100 * trials


@pytest.mark.parametrize("level", ["fabric", "device"])
def test_a_view_of_the_whole_counts_what_the_blueprint_counts(level: str) -> None:
    """Multiplicities add up to the devices of every role, and links to those of every bundle."""
    for plan in blueprints():
        view = view_of(plan, level)
        links = np.bincount(view.bundle, weights=view.links, minlength=len(view.bundles)).astype(int)
        assert dict(zip(view.bundles, links.tolist(), strict=True)) == {
            bundle.name: plan.links(bundle) for bundle in plan.topology.bundles
        }
        devices = np.bincount(view.role, weights=view.multiplicity, minlength=len(view.roles)).astype(int)
        assert dict(zip(view.roles, devices.tolist(), strict=True)) == {role: plan.devices(role) for role in view.roles}


@pytest.mark.parametrize("trials", [1, *slow(3)])
def test_no_two_nodes_stand_closer_than_one(trials: int) -> None:
    """In no layout do nodes overlap."""
    for plan, view in views(trials):
        spots = np.stack([view.x, view.y], axis=1)
        apart = np.hypot(*(spots[:, None] - spots[None]).transpose(2, 0, 1)) + 9 * np.eye(len(view))
        assert apart.min() > 0.999, (plan.topology.text, view.title)
        assert min(view.y.min(), view.x.min()) > -1e-9


@pytest.mark.parametrize("family", ["dragonfly", "dragonfly-plus", "slim-fly", "hyperx", "torus", "mesh", "jellyfish"])
def test_no_two_nodes_of_larger_fabrics_stand_closer_than_one(family: str) -> None:
    """Nor do they in direct networks of fifty to some hundred servers, at any level, on one plane or two."""
    box = {"name": "box", "gpus": 2, "nics": 2, "nic_gbps": 400}
    switch = {"name": "any", "ports": 36, "rate_gbps": 400, "price_usd": 1}
    slow = {**switch, "rate_gbps": 200}
    for planes, used in ((1, switch), (2, slow)):
        words = {"family": family, "planes": planes, "switches": [used], "link_gbps": 400 // planes}
        gpus = 100 if family in ("torus", "mesh") else 1700
        plan = fabric.design(gpus=gpus, server=box, oversubscription=8, **words).blueprint
        for level in levels_of(plan):
            view = view_of(plan, level)
            spots = np.stack([view.x, view.y], axis=1)
            for one in range(len(view)):
                apart = np.hypot(*(spots - spots[one]).T)
                apart[one] = 9
                assert apart.min() > 0.999, (level, view.names[one], view.names[int(apart.argmin())])


def test_servers_stand_below_all_switches_of_a_fabric_by_tiers() -> None:
    """Every tier is a row above the one below it."""
    for plan, view in views(1):
        if not isinstance(plan.topology, GraphForm):
            low, high = view.y[view.lower], view.y[view.upper]
            assert (low < high).all()


def test_the_counts_of_a_view_need_no_view_of_every_device() -> None:
    """The number of nodes is known before a view is made, and the readable level is the finest within the limit."""
    for plan in blueprints(1):
        counts = {level: node_count(plan, level) for level in levels_of(plan)}
        assert counts == {level: len(view_of(plan, level)) for level in counts}
        for most in (0, counts["fabric"], max(counts.values())):
            found = readable_level(plan, most)
            finer = [*LEVELS][[*LEVELS].index(found) + 1 :]
            assert counts[found] <= most or found == "fabric"
            assert all(counts[level] > most for level in finer if level in counts)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.family} {form.text} {len(form.balanced_bundles)}")
def test_the_links_per_pair_are_those_of_the_devices(form: Topology) -> None:
    """What a design says of two joined devices, on average, is what a view of every device has."""
    for seed in range(3):
        plan = random_blueprint(form, Random(f"pairs {form.text} {seed}"))
        found: dict[str, list[float]] = {}
        for edge in view_of(plan, "device").edges():
            found.setdefault(edge.bundle, []).append(edge.links)
        for bundle in plan.topology.bundles:
            assert metrics_of(plan).links_per_pair(bundle) == pytest.approx(np.mean(found[bundle.name]))


def test_the_last_place_is_told_where_it_is_filled_in_part() -> None:
    """Of 12,500 servers by 256 and 64 the last pod and unit hold 212 and 20; full ones have no remark."""
    plan = fabric.design("colossus-100k").blueprint
    for level, numbers, servers in (("pod", {"pod": 48}, 212), ("unit", {"pod": 48, "unit": 3}, 20)):
        assert partial_place(plan, level) == numbers
        view = view_of(plan, level, **numbers)
        assert int(view.multiplicity[view.role == 0].sum()) == servers
    assert partial_place(plan, "fabric") is None
    assert partial_place(fabric.design("superpod-h100-4su").blueprint, "unit") is None


def test_the_levels_of_a_hundred_thousand_gpus_stay_small() -> None:
    """A pod and a unit of Colossus are some hundred nodes each, and the whole by groups is four."""
    plan = fabric.design("colossus-100k").blueprint
    sizes = {level: node_count(plan, level) for level in levels_of(plan)}
    assert sizes["fabric"] == 4
    assert sizes["device"] == 12_500 + 1568 + 1568 + 1024
    assert all(8 < sizes[level] < 400 for level in ("pod", "unit"))
    last = view_of(plan, "pod", pod=plan.sizes["pods"] - 1)
    assert sum(last.multiplicity[last.role == 0]) == 12_500 - (plan.sizes["pods"] - 1) * plan.sizes["block"] * 64


@pytest.mark.parametrize(
    ("level", "words", "said"),
    [
        ("rack", {}, "unknown level of detail 'rack'"),
        ("pod", {"pod": 10**9}, "numbered from 0"),
        ("unit", {"unit": -1}, "numbered from 0"),
        ("unit", {"pod": True}, "numbered from 0"),
        ("fabric", {"pod": 1}, "has no pod to choose"),
        ("pod", {"unit": 1}, "has no unit to choose"),
    ],
)
def test_a_place_that_is_not_there_is_refused(level: str, words: dict[str, int], said: str) -> None:
    """A level, pod or unit that the fabric has not is named, with those it has."""
    plan = fabric.design("colossus-100k").blueprint
    with pytest.raises(InputError, match=said):
        view_of(plan, level, **words)
