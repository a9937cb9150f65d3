"""Plans for the tests of formats: shipped designs, and drawn ones of many families, planes and kinds of servers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

import fabric
from fabric.errors import FabricError
from fabric.export.plan import Plan
from fabric.request.shipped_designs import topologies

MOST_GPUS = 2048
"""The GPUs up to which shipped designs are exported in tests that every run makes."""

CLOS = ("fat-tree", "rail-optimized", "rail-only")
GRAPHS = ("dragonfly", "hyperx", "jellyfish", "slim-fly", "torus")
GBPS = 400


@cache
def shipped_plan(name: str) -> Plan:
    """Return the plan of a shipped design."""
    return fabric.design(name).plan


@cache
def list_shipped(link_layer: str) -> tuple[str, ...]:
    """Return the shipped designs of a link layer that have at most `MOST_GPUS` GPUs."""
    names = [name for name in topologies() if fabric.read(name).gpus <= MOST_GPUS]
    layers = {name: {model.link_layer for model in shipped_plan(name).blueprint.models.values()} for name in names}
    return tuple(name for name in names if layers[name] == {link_layer})


def draw_request(random: Random, link_layer: str, families: tuple[str, ...] = CLOS) -> dict[str, Any]:
    """Return a small request: any number of servers, of one kind or two, with trays or without, on one plane or two."""
    ports, family = random.choice((16, 32, 40)), random.choice(families)
    switch = {"name": "switch", "ports": ports, "rate_gbps": GBPS, "link_layer": link_layer}
    request: dict[str, Any] = {
        "name": f"drawn-{random.randrange(10**6)}",
        "switches": [switch | {"breakouts": {GBPS // 2: 2 * ports}}],
        "family": family,
    }
    nics, trays = random.choice(((8, 1), (4, 1), (2, 1), (8, 2)))
    box = {"name": "box", "gpus": nics, "nics": nics, "nic_gbps": GBPS, "trays": trays, "rails": nics // trays}
    if family in CLOS and random.random() < 0.25:
        store = {"name": "store", "gpus": 0, "nics": random.randint(1, 3), "nic_gbps": GBPS // random.choice((1, 2))}
        counts = random.randint(3, 16), random.randint(1, 6)
        request["servers"] = [{"server": one, "count": count} for one, count in zip((box, store), counts, strict=True)]
        request["mix"] = random.choice(("apart", "together"))
        return request
    request |= {"gpus": nics * random.randint(3, 24), "server": box, "planes": random.choice((1, 1, 2))}
    if family in CLOS and random.random() < 0.3:
        request["uplink_spread"] = "balanced"
    if random.random() < 0.3:
        request["appliances"] = [{"name": "manager", "ports": 1}]
    return request


def draw_plans(seed: int, number: int, link_layer: str, families: tuple[str, ...] = CLOS) -> Iterator[Plan]:
    """Yield the plans of `number` drawn requests that some fabric meets."""
    random = Random(seed)
    while number:
        try:
            plan = fabric.design(draw_request(random, link_layer, families)).plan
        except FabricError:
            continue
        number -= 1
        yield plan
