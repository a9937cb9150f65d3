"""Balanced bundles: the wiring that they lay, link by link, and the closed forms that follow from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from random import Random

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.blueprint.stages import grow_blueprint
from fabric.network import Network
from fabric.network.expand import expand
from fabric.testing import check_blueprint, random_blueprint
from fabric.topology.axis_bundle import BalancedBundle
from fabric.topology.clos import ClosForm
from fabric.topology.families import CLOS
from tests.marks import slow

FORMS = [form for family in CLOS for form in family.forms if form.tiers > 1]
GATHERED = ClosForm.parse("mine", "server(hall, block, slot) - leaf(hall, block, rail) - spine(spine)")

every_form = pytest.mark.parametrize("form", [*FORMS, GATHERED], ids=lambda form: f"{form.family}-{form.text[:60]}")


def drawn(form: ClosForm, trials: int) -> Iterator[Blueprint]:
    """Yield balanced blueprints of a form with sizes drawn at random."""
    random = Random(form.text)
    return (random_blueprint(form.balanced(), random) for _ in range(trials))


def islands(network: Network, number: int) -> Iterator[Counter[tuple[int, int]]]:
    """Yield the links of each pair of devices of a bundle, for every set of devices that it joins."""
    mask = network.bundle == number
    pairs = Counter(zip(network.lower[mask].tolist(), network.upper[mask].tolist(), strict=True))
    above: dict[int, set[int]] = {}
    for lower, upper in pairs:
        above.setdefault(lower, set()).add(upper)
    for uppers in {tuple(sorted(each)) for each in above.values()}:
        yield Counter({pair: links for pair, links in pairs.items() if pair[1] in uppers})


@pytest.mark.parametrize("trials", [6, *slow(30)])
@every_form
def test_closed_forms_are_what_the_expansion_has(form: ClosForm, trials: int) -> None:
    """Devices, links, ports and hops are the same counted and laid out, and no flow exceeds the bisection."""
    for blueprint in drawn(form, trials):
        check_blueprint(blueprint)


@pytest.mark.parametrize("trials", [6, *slow(30)])
@every_form
def test_links_differ_by_at_most_one_connector_at_both_ends(form: ClosForm, trials: int) -> None:
    """A device's links over those above it, and the links below those that share devices, differ by one connector."""
    for blueprint in drawn(form, trials):
        network = expand(blueprint)
        for number, bundle in enumerate(blueprint.topology.bundles):
            if isinstance(bundle, BalancedBundle):
                together, up = (blueprint.sizes[name] for name in (bundle.connector, bundle.uplinks))
                for pairs in islands(network, number):
                    lowers, uppers = (Counter[int](), Counter[int]())
                    for (lower, upper), links in pairs.items():
                        lowers[lower] += links
                        uppers[upper] += links
                    assert set(lowers.values()) == {up}
                    assert len(pairs) == len(lowers) * len(uppers) == len(lowers) * over(blueprint, bundle)
                    assert not any(links % together for links in pairs.values())
                    assert max(pairs.values()) <= blueprint.sizes[bundle.name] <= min(pairs.values()) + together
                    assert max(uppers.values()) - min(uppers.values()) in (0, together)


def over(blueprint: Blueprint, bundle: BalancedBundle) -> int:
    """Return the upper devices that a lower one reaches."""
    return blueprint.evaluate(bundle.upper_only)


@pytest.mark.parametrize("trials", [6, *slow(30)])
@every_form
def test_the_ports_in_use_are_those_laid_device_by_device(form: ClosForm, trials: int) -> None:
    """The ports in use are counted for every switch in the order of its row, and each is the next one free."""
    for blueprint in drawn(form, trials):
        network = expand(blueprint)
        degrees = network.degrees()
        for group in blueprint.topology.switch_groups:
            rows = network.group(group.role)
            laid = degrees[rows.first : rows.first + rows.count].tolist()
            runs = [(len(list(some)), ports) for ports, some in groupby(laid)]
            assert [fill for fill in blueprint.port_fills(group) if fill[0]] == runs
        for number, bundle in enumerate(blueprint.topology.bundles):
            if not bundle.uniform:
                mask = network.bundle == number
                ends = sorted(zip(network.upper[mask].tolist(), network.upper_port[mask].tolist(), strict=True))
                for _, some in groupby(ends, lambda end: end[0]):
                    ports = [port for _, port in some]
                    assert ports == list(range(len(ports)))


@every_form
def test_links_that_divide_evenly_are_laid_as_an_even_bundle(form: ClosForm) -> None:
    """With as many links for each switch above, a balanced form joins the pairs of an even one by as many links."""
    random = Random(form.text)
    for _ in range(5):
        even = random_blueprint(form, random)
        sizes, balanced = dict(even.sizes), form.balanced()
        for bundle in balanced.bundles[1:]:
            assert isinstance(bundle, BalancedBundle)
            together = sizes.pop(bundle.name) if random.random() < 0.5 else 1
            each = even.sizes[bundle.name] * even.evaluate(bundle.upper_only)
            sizes |= {bundle.connector: together, bundle.uplinks: each}
        full = balanced.complete_sizes(sizes, even.server.nics, even.servers)
        other = replace(even, topology=balanced, sizes=full)
        assert {name: full[name] for name in even.sizes} == dict(even.sizes)
        assert pair_links(expand(other)) == pair_links(expand(even))
        assert [other.ports_down(role) for role in form.roles] == [even.ports_down(role) for role in form.roles]


def pair_links(network: Network) -> Counter[tuple[int, int]]:
    """Return the links of each pair of devices."""
    return Counter(zip(network.lower.tolist(), network.upper.tolist(), strict=True))


@every_form
def test_a_fabric_grows_without_moving_a_cable(form: ClosForm) -> None:
    """The links of a fabric with fewer servers are among those of the full one, at the same ports."""
    for full in drawn(form, 6):
        nics = full.server.nics
        for servers in {1, full.servers // 2, full.servers - 1} - {0}:
            sizes = full.topology.complete_sizes(full.sizes, nics, servers)
            today = replace(full, sizes=sizes, gpus=servers * nics)
            assert cables(today) <= cables(grow_blueprint(today, full.servers * nics))


def cables(blueprint: Blueprint) -> set[tuple[str, int, str, int]]:
    """Return the links between switches by the names and ports of their ends."""
    network = expand(blueprint)
    rows = np.flatnonzero(network.lower >= network.servers.count)
    columns = (network.lower, network.lower_port, network.upper, network.upper_port)
    ends = zip(*(column[rows].tolist() for column in columns), strict=True)
    return {(network.name(low), port, network.name(high), other) for low, port, high, other in ends}


def test_eighteen_leaves_of_64_uplinks_fill_nine_spines() -> None:
    """18 leaves of 64 uplinks give each of 9 spines 128 links, where an even spread would leave the ninth out."""
    form = next(each for each in FORMS if each.family == "fat-tree" and each.tiers == 2).balanced()
    sizes = {"block": 18, "slot": 8, "stripe": 1, "spine": 9, "plane": 1, "server-leaf": 8}
    sizes |= {"leaf-uplinks": 64, "leaf-connector": 1}
    full = form.complete_sizes(sizes, 8, 144)
    assert (full["spine-downlinks"], full["leaf-spine"]) == (128, 8)
