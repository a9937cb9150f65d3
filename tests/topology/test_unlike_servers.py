"""Unlike servers below the leaves of a Clos: closed forms against the network, and the rule by which NICs are dealt."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from fabric.network import Network
from fabric.network.expand import expand
from fabric.testing import check_blueprint, random_blueprint
from fabric.topology.clos import ClosForm
from fabric.topology.unlike_servers import UnlikeForm
from tests.unlike_fixtures import FORMS, draw_unlike

BALANCED = [form.balanced() for form in FORMS if form.tiers > 1]


@pytest.mark.parametrize("form", [*FORMS, *BALANCED], ids=lambda form: f"{form.text} {len(form.balanced_bundles)}")
def test_closed_forms_of_unlike_servers_are_what_the_network_has(form: ClosForm) -> None:
    """Counts, ports, hops and bisection are those of the laid network and of networkx, apart and together."""
    random = Random(7)
    for _ in range(12):
        blueprint = draw_unlike(random, form, most=4)
        check_blueprint(blueprint)
        network = expand(blueprint)
        degrees = network.degrees()
        for group in network.groups:
            fills = [n for count, n in blueprint.port_fills(blueprint.topology.group(group.role)) for _ in range(count)]
            assert fills == degrees[group.first : group.first + group.count].tolist()


@pytest.mark.parametrize("form", FORMS, ids=[f"{form.family}-{form.tiers}-{form.rails_meet_at}" for form in FORMS])
def test_a_list_of_one_kind_is_the_fabric_of_equal_servers(form: ClosForm) -> None:
    """Where all servers are of one kind, the list of kinds lays every link as the plain form does."""
    random = Random(3)
    for together in (False, True):
        plain = random_blueprint(form, random)
        unlike = UnlikeForm.of(form, ("server",), together=together)
        slot, nics = form.placement[-1], plain.server.nics
        sizes = {
            **plain.sizes,
            f"{slot} server": plain.sizes[slot],
            "server-nics": nics,
            f"{slot}s server": plain.servers,
        }
        full = unlike.complete_sizes(sizes, 0, plain.servers)
        ours, theirs = (
            expand(replace(plain, topology=unlike, sizes=full, kinds={"server": plain.server})),
            expand(plain),
        )
        assert sorted(_ends(ours)) == sorted(_ends(theirs))
        assert [ours.name(row) for row in range(ours.devices)] == [theirs.name(row) for row in range(theirs.devices)]


def _ends(network: Network) -> list[tuple[int, ...]]:
    """Return the ends of every link, with the ports of switches; the NICs of a server on one rail are alike."""
    ports = np.where(network.lower < network.server_count, 0, network.lower_port)
    return list(
        zip(*(each.tolist() for each in (network.lower, network.upper, ports, network.upper_port)), strict=True)
    )


def test_units_hold_one_kind_or_some_of_every_kind() -> None:
    """Apart, a leaf has servers of one kind below it; together, a full unit has some of every kind."""
    random = Random(5)
    for _ in range(60):
        blueprint = draw_unlike(random, FORMS[1])
        assert isinstance(blueprint.topology, UnlikeForm)
        network = expand(blueprint)
        kinds: dict[int, set[int]] = {}
        for lower, upper in zip(network.lower.tolist(), network.upper.tolist(), strict=True):
            if lower < network.server_count:
                kinds.setdefault(upper, set()).add(int(network.role[lower]))
        if not blueprint.topology.together:
            assert all(len(each) == 1 for each in kinds.values())
        else:
            fewest = min(blueprint.sizes[each.units] for each in blueprint.topology.dealt)
            leaf = network.group("leaf")
            per_unit = leaf.count // blueprint.topology.units(blueprint.sizes)
            first = range(leaf.first, leaf.first + fewest * per_unit)
            assert set().union(*(kinds.get(row, set()) for row in first)) == set(range(network.kinds))


def test_few_nics_fill_the_rails_of_a_unit_evenly() -> None:
    """Servers of 2 NICs on 8 rails: NIC j of slot s is on rail 2 s + j modulo 8, so four of them fill every rail."""
    unlike = UnlikeForm.of(FORMS[5], ("box", "storage"))
    sizes = {
        "block": 2, "slot box": 4, "slot storage": 6, "rail": 8, "plane": 1, "spine": 2, "leaf-spine": 1,
        "box-nics": 8, "storage-nics": 2, "slots box": 4, "slots storage": 6,
    }  # fmt: skip
    full = unlike.complete_sizes(sizes, 0, 10)
    drawn = draw_unlike(Random(1), FORMS[5])
    network = expand(replace(drawn, topology=unlike, sizes=full, kinds=dict.fromkeys(("box", "storage"), drawn.server)))
    storage = network.group("storage")
    columns = (network.lower.tolist(), network.lower_port.tolist(), network.upper.tolist())
    found = [
        (network.name(low), port, network.group("leaf").digits(high)["rail"])
        for low, port, high in zip(*columns, strict=True)
        if storage.first <= low < storage.first + storage.count
    ]
    assert found[:4] == [
        ("storage[block=1,slot=0]", 0, 0), ("storage[block=1,slot=0]", 1, 1),
        ("storage[block=1,slot=1]", 0, 2), ("storage[block=1,slot=1]", 1, 3),
    ]  # fmt: skip
    assert Counter(rail for _, _, rail in found) == {0: 2, 1: 2, 2: 2, 3: 2, 4: 1, 5: 1, 6: 1, 7: 1}
