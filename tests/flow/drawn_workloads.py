"""Designs and workloads drawn at random, on which the two engines of the flow model are compared."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

from fabric.blueprint import Blueprint
from fabric.catalog import Server, Switch
from fabric.errors import InputError
from fabric.flow import COLLECTIVES, Routing, Workload, place, summarize, usable
from fabric.flow.algorithms import algorithms_of
from fabric.topology.families import BUILTIN, CLOS
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import PLANE, Topology

GBPS = 400

FORMS: tuple[Topology, ...] = tuple(form for family in CLOS for form in family.forms)
"""The forms that designs are drawn of."""

DIRECT_FORMS = tuple(form for family in BUILTIN for form in family.forms if isinstance(form, GraphForm))
"""The forms that direct designs are drawn of."""

MOST_DIRECT_NICS = 600
"""The most NICs of a direct design."""

MOST_NICS = 2048
"""The most NICs of a design: explicit flows of its all-to-all take seconds."""

SIZE = 2**38
"""The bytes of a collective: latency is a small part of its time."""


def draw_design(random: Random) -> Blueprint:
    """Return a design of a random form and sizes, with uneven link rates and links in some, its last places in part."""
    form = random.choice(FORMS)
    if form.tiers > 1 and random.random() < 0.07:
        form = form.balanced()  # type: ignore[attr-defined]
    while True:
        sizes = form.random_sizes(random, random.choice([4, 8, 16, 32]))
        nics = math.prod(sizes[axis] for axis in form.rail_axes) * sizes[form.bundles[0].name]
        room = form.capacity(form.complete_sizes(sizes, nics, 0))
        if room > 1 and 32 <= room * nics <= MOST_NICS and nics <= 32:
            break
    servers = random.randint(room // 2 + 1, room)
    gpus = nics * random.choice([1, 1, 1, 2])
    server = Server("any", gpus=gpus, nics=nics, nic_gbps=GBPS * sizes[PLANE], nvlink_GBps=10**5)
    models = dict.fromkeys(form.roles, Switch("any", ports=10**4, rate_gbps=GBPS))
    rest = random.randrange(gpus) if random.random() < 0.15 else 0
    full = form.complete_sizes(sizes, nics, servers)
    plan = Blueprint("drawn", form, full, models, server, servers * gpus - rest, GBPS)
    if random.random() < 0.2:
        plan = replace(plan, rates={each.name: GBPS * random.choice([1, 2]) for each in form.fabric_bundles})
    return plan


def with_several_nics(random: Random, plan: Blueprint) -> Blueprint:
    """Return a design with two NICs or more for each GPU, where its servers have as many, the last in part in some."""
    gpus = plan.server.nics // random.choice([each for each in (2, 3, 4, 8, 1) if plan.server.nics % each == 0])
    rest = random.randrange(gpus) if random.random() < 0.15 else 0
    return replace(plan, server=replace(plan.server, gpus=gpus), gpus=plan.servers * gpus - rest)


def draw_workload(random: Random, plan: Blueprint) -> Workload:
    """Return a random collective, algorithm, placement and routing on all or some of a design's GPUs."""
    while True:
        collective = random.choice(list(COLLECTIVES.values()))
        algorithm = random.choice(
            [None, *(each.name for each in algorithms_of(collective) if each.time and each.flows)]
        )
        routing = Routing(random.choice(["adaptive", "ecmp"]), random.choice([1, 2, 2, 4]))
        placement = random.choice(["contiguous", "random", "fragmented", "by-rail", "strided"])
        some = random.randint(2, plan.gpus)
        gpus = random.choice([None, None, some, max(1, some // plan.server.gpus) * plan.server.gpus])
        stride = random.choice([each for each in range(1, plan.server.gpus + 1) if plan.server.gpus % each == 0])
        try:
            work = Workload(collective.name, gpus, algorithm, routing, placement, stride)
            place(plan, placement, gpus, stride=stride)
            group = summarize(plan).first(gpus).group(stride if placement == "strided" else 1)
        except InputError:
            continue
        if algorithm is None or algorithm in usable(group, collective.name):
            return work


def draw_direct_design(random: Random, fewest: int = 16, widths: tuple[int, ...] = (3, 4, 8)) -> Blueprint:
    """Return a design of a random direct or server-centric form and sizes, not all places of some filled.

    It has room for `fewest` NICs at least, and sizes beyond the least from a range of one of `widths`.
    """
    form = random.choice(DIRECT_FORMS)
    room, nics = 0, 1
    while not (room > 1 and fewest <= room * nics <= MOST_DIRECT_NICS):
        sizes = form.random_sizes(random, random.choice(widths))
        nics = sizes[form.host_patterns[0].name]
        room = form.capacity(form.complete_sizes(sizes, nics, 0))
    servers = random.choice([room, random.randint(room // 2 + 1, room)])
    gpus = nics * random.choice([1, 1, 2])
    server = Server("any", gpus=gpus, nics=nics, nic_gbps=GBPS * sizes[PLANE], nvlink_GBps=10**5)
    models = dict.fromkeys(form.roles, Switch("any", ports=10**4, rate_gbps=GBPS))
    return Blueprint("drawn", form, form.complete_sizes(sizes, nics, servers), models, server, servers * gpus, GBPS)
