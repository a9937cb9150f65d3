"""Loads of links under failures and every routing: what enters a switch leaves it, and links that are down are idle."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

import fabric
from fabric.draw.load import lay_out_load
from fabric.draw.traffic import Traffic, ring_phase
from fabric.flow import ROUTINGS, Phase, Routing, fail, link_loads, router_of, solve_phase
from fabric.network.expand import expand
from fabric.testing import random_blueprint
from fabric.topology.families import BUILTIN
from fabric.topology.topology import Topology

FORMS = [form for family in BUILTIN for form in family.forms[:2]]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.family}-{form.size_label}")
@pytest.mark.parametrize("name", ["adaptive", "ecmp", "dmodk", "valiant"])
def test_traffic_is_kept_at_every_switch(form: Topology, name: str) -> None:
    """What flows carry in fact and what they would at line rate both leave switches as they come, over links up.

    Sprayed packets on a Clos load the links of each equal-cost group alike, so there it is so of each tier together.
    """
    if ROUTINGS[name].paths not in form.virtual_channels:
        return
    for seed in range(2):
        plan = random_blueprint(form, Random(f"loads {form.text}{seed}"))
        if plan.servers < 3 or plan.links_total < 10:
            continue
        network, up = expand(plan), fail(plan, ["link:1"], seed)
        nics = np.random.default_rng(seed).permutation(plan.nics)
        source, target = nics, np.roll(nics, 1)
        apart = source // plan.server.nics != target // plan.server.nics
        source, target = source[apart], target[apart]
        joined = router_of(plan, up).joins(source, target)
        if form.rails_meet_at is None or not joined.any():
            continue
        phase = Phase(source[joined], target[joined])
        routing = Routing(name, qps=2 * plan.planes, seed=seed)
        found, loads = solve_phase(plan, phase, routing, up), link_loads(plan, phase, routing, up)
        for gbps in (found.link_gbps, loads * network.rate_gbps):
            assert not gbps[:, ~up].any()
            inward = np.bincount(network.upper, gbps[0], network.devices)
            inward += np.bincount(network.lower, gbps[1], network.devices)
            outward = np.bincount(network.lower, gbps[0], network.devices)
            outward += np.bincount(network.upper, gbps[1], network.devices)
            if name == "adaptive" and form.ratios_are_cuts:
                inward, outward = (np.bincount(network.role, side) for side in (inward, outward))
            first = 1 if len(inward) == len(network.groups) else network.server_count
            assert inward[first:] == pytest.approx(outward[first:], abs=1e-6)
        assert found.load.max() <= 1 + 1e-9


def test_columns_join_the_frame_of_links() -> None:
    """The loads are columns of the frame of links, row by row."""
    study = fabric.design("superpod-h100-1su")
    up = fail(study.blueprint, ["spine:1"], 0)
    phase = Phase([0], [8 * 17])
    found = solve_phase(study.blueprint, phase, Routing("ecmp", qps=1), up)
    frame = fabric.to_pandas(study.network).links.assign(**found.columns())
    used = frame[(frame.load_up > 0) | (frame.load_down > 0)]
    assert len(used) == len(found.load[:, found.load.any(axis=0)].T) >= 2
    assert used.gbps_up.max() == pytest.approx(found.link_gbps.max())


def test_the_picture_of_loads_leaves_failed_links_out() -> None:
    """Its note counts the links that are down, and its mean is that of the others."""
    plan = fabric.design("superpod-h100-4su").blueprint
    page = lay_out_load(plan, Traffic((Routing("adaptive"),), failures=("spine:4",)))
    words = " ".join(str(getattr(mark, "text", "")) for mark in page.marks)
    assert "After spine:4 (seed 0): 256 links down" in words
    up = fail(plan, ["spine:4"], 0)
    loads = link_loads(plan, ring_phase(plan, "random", 0, up), Routing("adaptive"), up)
    left = loads[:, np.flatnonzero(up[1024:]) + 1024]
    assert f"mean {left.mean():.2f}, max {left.max():.2f}" in words


@pytest.mark.parametrize("up", [np.ones(3, bool), np.ones(512), "leaf"])
def test_a_mask_of_another_shape_or_type_is_refused(up: object) -> None:
    """The links that are up are a boolean each."""
    plan = fabric.design("superpod-h100-1su").blueprint
    with pytest.raises(fabric.InputError, match=r"up: .*; give booleans of shape \(512,\)"):
        link_loads(plan, Phase([0], [9]), up=up)  # type: ignore[arg-type]
