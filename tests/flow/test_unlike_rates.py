"""Fabrics whose bundles have unlike link rates: closed forms, flows and bounds against the network laid out."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.flow import Routing, cut_bound, lp_bound, permutation, shares
from fabric.network.expand import expand
from fabric.testing import check_blueprint, random_blueprint
from fabric.topology.topology import Topology
from tests.draw.fabrics import CLOS_FORMS, FORMS
from tests.flow.flow_fabrics import crossing, links_of

GRAPHS = [form for form in FORMS if form not in CLOS_FORMS and not form.routing.nic_levels]


def with_rates(form: Topology, seed: int) -> Blueprint:
    """Return a random fabric whose links between switches are faster or slower than those of the servers.

    Those of a Clos differ by tier; all others of a graph topology are alike.
    """
    random = Random(seed)
    plan = random_blueprint(form, random)
    one = plan.link_gbps * random.choice([1, 2, 4])
    rates = {
        bundle.name: plan.link_gbps * random.choice([1, 2, 4]) if form.layered else one
        for bundle in form.fabric_bundles
    }
    slower = {bundle.name: plan.link_gbps // random.choice([1, 2]) for bundle in form.host_bundles[:1]}
    return replace(plan, link_gbps=min(slower.values()), rates=rates)


@pytest.mark.parametrize("form", [*CLOS_FORMS, *GRAPHS], ids=lambda form: form.text)
def test_closed_forms_are_what_the_network_has(form: Topology) -> None:
    """Bisection is the maximum flow of the network with its rates, and every link has the rate of its bundle."""
    for seed in range(3):
        plan = with_rates(form, seed)
        check_blueprint(plan)
        network = expand(plan)
        assert network.rate_gbps.tolist() == [plan.rate(form.bundles[number]) for number in network.bundle.tolist()]


@pytest.mark.parametrize("form", [form for form in CLOS_FORMS if form.tiers < 4], ids=lambda form: form.text)
def test_adaptive_routing_reaches_the_program_at_any_rates(form: Topology) -> None:
    """On an intact Clos: hashed flows, at most adaptive ones, which are the linear program's and the fullest cut's."""
    tried = 0
    for seed in range(12):
        plan = with_rates(form, seed)
        if links_of(plan).all_nics > 60 or plan.servers == 1:
            continue
        phase = crossing(plan, permutation(np.arange(links_of(plan).all_nics), seed))
        if not phase.flows:
            continue
        adaptive = shares(plan, [phase], Routing("adaptive")).min
        cut = cut_bound(plan, phase)
        assert lp_bound(plan, phase) == pytest.approx(cut, rel=1e-6)
        assert adaptive == pytest.approx(cut, rel=1e-6)
        assert shares(plan, [phase], Routing("ecmp", qps=2, seed=seed)).min <= adaptive * (1 + 1e-9)
        tried += 1
    assert tried
