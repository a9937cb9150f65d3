"""Drawn fabrics with unlike servers: two or three kinds, apart or together, with any numbers and rates of NICs."""

from __future__ import annotations

import math
from random import Random

from fabric.blueprint import Blueprint
from fabric.catalog import Server, Switch
from fabric.topology.clos import ClosForm
from fabric.topology.families import families
from fabric.topology.unlike_servers import UnlikeForm

GBPS = 100
FORMS = [form for name in ("fat-tree", "rail-optimized", "rail-only", "hpn") for form in families()[name].forms]
"""Every form of the Clos families."""


def draw_unlike(random: Random, form: ClosForm, most: int = 6) -> Blueprint:
    """Return a small fabric of a form with unlike servers, drawn at random; `most` of each kind."""
    kinds = tuple(f"kind-{number}" for number in range(random.randint(2, 3)))
    unlike = UnlikeForm.of(form, kinds, together=random.random() < 0.5)
    while True:
        sizes = unlike.random_sizes(random, 3)
        rails = math.prod(sizes[axis] for axis in unlike.rail_axes)
        counts = {f"slots {kind}": random.randint(1, most) for kind in kinds}
        if unlike.rails_meet_at is None:
            sizes |= {bundle.nics: rails * random.randint(1, 2) for bundle in unlike.dealt}
        full = unlike.complete_sizes(sizes | counts, 0, sum(counts.values()))
        room = math.prod(full[axis] for axis in unlike.outer)
        if all(full[each.units] <= 1 for each in unlike.dealt) if not unlike.outer else unlike.units(full) <= room:
            rates = {bundle.name: GBPS * random.choice((1, 2, 4)) for bundle in unlike.bundles}
            return _blueprint_of(unlike, full, rates)


def _blueprint_of(form: UnlikeForm, sizes: dict[str, int], rates: dict[str, int]) -> Blueprint:
    servers = {
        each.lower.role: Server(
            each.lower.role, gpus=sizes[each.nics], nics=sizes[each.nics], nvlink_GBps=100,
            nic_gbps=rates[each.name] * sizes["plane"],
        )
        for each in form.dealt
    }  # fmt: skip
    breakouts = {2 * GBPS: 2 * 10**4, GBPS: 4 * 10**4}
    models = dict.fromkeys(form.roles, Switch("any", ports=10**4, rate_gbps=4 * GBPS, breakouts=breakouts))
    fastest = max(rates[each.name] for each in form.dealt)
    gpus = sum(sizes[f"slots {kind}"] * server.gpus for kind, server in servers.items())
    return Blueprint(
        "random", form, sizes, models, next(iter(servers.values())), gpus, fastest, kinds=servers, rates=rates
    )
