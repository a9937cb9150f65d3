"""A failure never helps: exactly where packets are sprayed over a Clos, and on average under every other routing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from random import Random

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.flow import Kept, Routing, Workload, estimate_impact
from fabric.flow.explicit_flows import NoPath
from fabric.testing import random_blueprint
from fabric.topology.clos import ClosForm
from fabric.topology.families import families
from fabric.topology.topology import Topology

SIZE = 2**34
PAIRS = 32
LARGEST = 400
"""The GPUs of the largest fabric that is drawn."""

KINDS = ("link:2%", "link:15%", "leaf:1", "nic:1", "nic:2", "server:1", "plane:1")
FORMS = [form for family in families().values() for form in family.forms]
COLLECTIVES = ("all-reduce", "all-to-all", "all-gather")
PLACEMENTS = ("contiguous", "random", "fragmented", "by-rail")


def name_form(form: Topology) -> str:
    """Return the family and the tiers of a form."""
    return f"{form.family}-{form.tiers}"


def draw_fabrics(form: Topology, count: int) -> Iterator[tuple[Blueprint, Random]]:
    """Yield small fabrics of a form, each with what draws its traffic."""
    seed = 0
    while count:
        random = Random(f"{form.family} {form.text} {seed}")
        seed += 1
        plan = random_blueprint(form, random)
        if plan.servers > 1 and 0 < plan.gpus <= LARGEST:
            count -= 1
            yield plan, random


def draw_kept(plan: Blueprint, random: Random, routing: Routing, seeds: int) -> tuple[Workload, Kept]:
    """Return a workload with failures, drawn until they leave a path under the first seed, and what they leave."""
    bundles = [f"{bundle.name}:10%" for bundle in plan.topology.bundles]
    while True:
        work = Workload(
            collective=random.choice(COLLECTIVES),
            routing=routing,
            placement=random.choice(PLACEMENTS),
            failures=tuple(random.sample([*KINDS, *bundles], random.choice([1, 1, 2]))),
            seed=random.randrange(1000),
            engine="flows",
        )
        with suppress(NoPath):
            return work, estimate_impact(plan, work, [SIZE], seeds).kept[0]


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("form", [form for form in FORMS if isinstance(form, ClosForm)], ids=name_form)
def test_no_failure_speeds_up_sprayed_packets_on_a_clos(form: ClosForm, balanced: bool) -> None:
    """In the fluid limit no seed of any drawn failure gets more than the healthy fabric gives the same GPUs."""
    for plan, random in draw_fabrics(form.balanced() if balanced and form.tiers > 1 else form, 3):
        for _ in range(2):
            work, kept = draw_kept(plan, random, Routing("adaptive"), 2)
            assert max(kept.shares) <= 1 + 1e-9, work


@pytest.mark.parametrize(
    "form",
    [pytest.param(form, marks=() if number % 3 == 0 else pytest.mark.slow) for number, form in enumerate(FORMS)],
    ids=name_form,
)
def test_failures_cost_on_average(form: Topology) -> None:
    """Over 32 paired seeds failures leave no more than the healthy fabric, within two standard errors."""
    names = ["ecmp", "dmodk", *(["valiant"] if "valiant" in form.virtual_channels else [])]
    for plan, random in draw_fabrics(form, 1):
        routing = Routing(random.choice(names), qps=random.choice([1, 2, 4]))
        work, kept = draw_kept(plan, random, routing, PAIRS)
        healthy = np.array([each.algbw_GBps for each in kept.healthy])
        left = np.array([each.algbw_GBps if each else 0.0 for each in kept.left])
        gained = (left - healthy) / healthy.mean()
        assert gained.mean() <= 2 * gained.std(ddof=1) / np.sqrt(PAIRS) + 1e-9, work
