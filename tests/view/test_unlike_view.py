"""Views of fabrics with unlike servers: every level has the devices and links of the network."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from fabric.network import Network
from fabric.network.expand import expand
from fabric.topology.clos import ClosForm
from fabric.view import View, view_of
from fabric.view.views import levels_of, partial_place
from tests.unlike_fixtures import FORMS, draw_unlike


def members(network: Network, name: str) -> set[int]:
    """Return the devices that a node stands for."""
    role, _, rest = name.partition("[")
    wanted = [word.partition("=") for word in rest.rstrip("]").split(",") if word]
    group = network.group(role)
    return {
        row
        for row in range(group.first, group.first + group.count)
        if all(
            f"{axis}={value}" in network.name(row).partition("[")[2].rstrip("]").split(",") for axis, _, value in wanted
        )
    }


def check(view: View, network: Network) -> None:
    """Check the devices of every node, and the links and pairs of every edge, against the network."""
    ends = Counter(zip(network.lower.tolist(), network.upper.tolist(), strict=True))
    inside = {node.name: members(network, node.name) for node in view.nodes()}
    for node in view.nodes():
        assert node.multiplicity == len(inside[node.name]), node.name
    joined = {(edge.lower, edge.upper): (edge.links, edge.pairs) for edge in view.edges()}
    for lower, lows in inside.items():
        for upper, highs in inside.items():
            pairs = [ends[low, high] for low in lows for high in highs if ends[low, high]]
            assert joined.get((lower, upper), (0, 0)) == (sum(pairs), len(pairs)), (lower, upper)


@pytest.mark.parametrize("form", FORMS, ids=[f"{form.family}-{form.tiers}-{form.rails_meet_at}" for form in FORMS])
def test_every_level_has_the_devices_and_links_of_the_network(form: ClosForm) -> None:
    """Nodes and edges of the whole, of a pod, of a unit and of every device are counted by place and rail."""
    for seed in range(4):
        plan = draw_unlike(Random(seed), form, most=4)
        network = expand(plan)
        for level in levels_of(plan):
            check(view_of(plan, level), network)
        last = partial_place(plan, "unit") if "unit" in levels_of(plan) else None
        if last is not None:
            check(view_of(plan, "unit", **last), network)
