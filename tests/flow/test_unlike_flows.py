"""Flows between unlike servers: their paths on the laid network, and bounds that the linear program witnesses."""

from __future__ import annotations

from random import Random
from typing import cast

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.flow import Phase, Routing, fail, permutation, phases, place, route, shares
from fabric.flow.bounds import cut_bound, lp_bound
from fabric.flow.paths import shortest_path
from fabric.flow.router import router_of
from fabric.flow.unlike_links import UnlikeLinks
from fabric.network.expand import expand
from fabric.topology.clos import ClosForm
from fabric.topology.unlike_servers import UnlikeForm
from tests.unlike_fixtures import FORMS, draw_unlike

BALANCED = [form.balanced() for form in FORMS if form.tiers > 1]
MEETING = [form for form in FORMS if form.rails_meet_at]


def crossing(plan: Blueprint, seed: int) -> Phase:
    """Return the flows of a random permutation of all NICs, without those within a server."""
    phase, hosts = permutation(np.arange(plan.nics), seed), Hosts.of(plan)
    leaves = hosts.server_of_nic(phase.source) != hosts.server_of_nic(phase.target)
    return Phase(phase.source[leaves], phase.target[leaves])


def drawn(seed: int, form: ClosForm) -> Blueprint:
    """Return a drawn fabric of unlike servers, of which several have NICs."""
    return draw_unlike(Random(seed), form, most=4)


@pytest.mark.parametrize("form", FORMS, ids=[f"{form.family}-{form.tiers}-{form.rails_meet_at}" for form in FORMS])
def test_nics_and_links_are_those_of_the_network(form: ClosForm) -> None:
    """The link of each NIC in each plane, by arithmetic, is the one that the network has at the server's port."""
    for seed in range(6):
        plan = drawn(seed, form)
        network, hosts = expand(plan), Hosts.of(plan)
        nic = router_of(plan).nic_of_links()
        assert (hosts.server_of_nic(nic) == network.lower[: len(nic)]).all()
        ports = hosts.first_nic_of(network.lower[: len(nic)]) + network.lower_port[: len(nic)] // plan.planes
        assert (ports == nic).all()


@pytest.mark.parametrize("form", FORMS, ids=[f"{form.family}-{form.tiers}-{form.rails_meet_at}" for form in FORMS])
def test_a_nic_is_numbered_by_the_port_of_its_leaf(form: ClosForm) -> None:
    """On each rail NICs of all kinds are numbered by unit, and in it by the port of the leaf that they have."""
    for seed in range(6):
        plan = drawn(seed, form)
        network, links = expand(plan), UnlikeLinks(plan, cast(UnlikeForm, plan.topology))
        nic = router_of(plan).nic_of_links()
        ends, port = links.ends(nic), network.upper_port[: len(nic)].astype(np.int64)
        assert (links.number(ends) == ends.server * plan.ports_down("leaf") + port).all()


@pytest.mark.parametrize("routing", ["ecmp", "dmodk"])
@pytest.mark.parametrize("form", [*FORMS, *BALANCED], ids=lambda form: f"{form.text} {len(form.balanced_bundles)}")
def test_routed_flows_walk_from_server_to_server(form: ClosForm, routing: str) -> None:
    """Every path of a flow is a walk in the network, from its source's server up and down to its target's."""
    for seed in range(4):
        plan = drawn(seed, form)
        network, hosts = expand(plan), Hosts.of(plan)
        phase = crossing(plan, seed)
        if plan.topology.rails_meet_at is None:
            continue
        routes = route(plan, phase, Routing(routing, qps=2))
        for flow in range(routes.flows):
            at = int(hosts.server_of_nic(phase.source[flow // 2]))
            for arc in routes.arcs[flow]:
                if arc < network.links:
                    assert network.lower[arc] == at
                    at = int(network.upper[arc])
                elif arc < 2 * network.links:
                    assert network.upper[arc - network.links] == at
                    at = int(network.lower[arc - network.links])
            assert at == hosts.server_of_nic(phase.target[flow // 2])


@pytest.mark.parametrize("form", MEETING, ids=[f"{form.family}-{form.tiers}-{form.rails_meet_at}" for form in MEETING])
def test_adaptive_routing_reaches_what_the_program_allows_at_most(form: ClosForm) -> None:
    """No routing beats the linear program, and that no cut; adaptive routing is between hashing and the cut."""
    for seed in range(5):
        plan = drawn(seed, form)
        phase = crossing(plan, seed)
        adaptive, hashed = (shares(plan, [phase], Routing(name)) for name in ("adaptive", "ecmp"))
        program, cut = lp_bound(plan, phase), cut_bound(plan, phase)
        assert hashed.min <= adaptive.min + 1e-6
        assert program == pytest.approx(cut, abs=1e-6)
        assert adaptive.min == pytest.approx(program, abs=1e-4)


def test_failures_of_a_kind_take_its_servers() -> None:
    """`kind-1:1` fails one server of a kind, `server:2` any two, and `nic:1` the links of one NIC."""
    plan = drawn(3, FORMS[5])
    network = expand(plan)
    down = ~fail(plan, ["kind-1:1"])
    lower = set(network.lower[down].tolist())
    group = network.group("kind-1")
    assert len(lower) == 1
    assert lower <= set(range(group.first, group.first + group.count))
    assert len(set(network.lower[~fail(plan, ["server:2"])].tolist())) == 2
    assert (~fail(plan, ["nic:1"])).sum() == plan.planes


def test_collectives_run_over_the_gpus_of_all_kinds() -> None:
    """A ring passes every server that has GPUs once, in the order of the kinds, and leaves out those without."""
    plan = drawn(11, FORMS[5])
    gpus = place(plan, "contiguous")
    assert gpus.tolist() == list(range(plan.gpus))
    hosts = Hosts.of(plan)
    (phase,) = phases(hosts, gpus, "all-reduce", "ring")
    order = [int(server) for server in dict.fromkeys(hosts.server_of_nic(phase.source).tolist())]
    assert order == sorted(set(hosts.server_of_gpu(gpus).tolist()))
    assert shares(plan, [phase]).disconnected == 0


def test_the_shortest_path_names_the_servers_of_both_kinds() -> None:
    """A path between GPUs of two kinds begins and ends at servers with the names of their kinds."""
    plan = drawn(2, FORMS[5])
    path = shortest_path(plan, 0, plan.gpus - 1)
    assert path[0].startswith("kind-0[")
    assert path[-1].startswith(f"{list(plan.kinds)[-1]}[")
