"""Requests of Ethernet fabrics drawn at random, from which the syntax of exported files is checked."""

from __future__ import annotations

from random import Random
from typing import Any

DRAWN = range(8)
"""The seeds of the drawn requests that the tests use."""

SWITCH = {"name": "box", "ports": 32, "rate_gbps": 400, "breakouts": {200: 64, 100: 128}, "cages": 32, "cage": "osfp"}


def draw_request(random: Random, system: str) -> dict[str, Any]:
    """Return a small request: of any kind of network, with planes, partial units, unlike servers or split ports."""
    rate = random.choice([100, 200, 400])
    planes = random.choice([1, 1, 2])
    request: dict[str, Any] = {
        "name": "drawn",
        "switches": {**SWITCH, "adaptive_routing": random.choice([True, False, None])},
        "family": random.choice(["fat-tree", "rail-optimized", "rail-only", "torus", "dragonfly"]),
        "planes": planes,
        "site": {"port_names": system},
        "link_price_usd": 100,
    }
    request["switches"] |= {"price_usd": 10_000}
    node = {"name": "node", "gpus": 4, "nics": 4, "nic_gbps": rate * planes, "trays": random.choice([1, 2])}
    if random.random() < 0.4 and request["family"] in ("fat-tree", "rail-optimized"):
        store = {"name": "store", "gpus": 0, "nics": 2, "nic_gbps": rate * planes}
        request["servers"] = [
            {"server": node, "count": random.randint(5, 30)}, {"server": store, "count": random.randint(1, 9)}
        ]  # fmt: skip
    else:
        request |= {"gpus": random.randint(17, 150), "server": node}
    return request
