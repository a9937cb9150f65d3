"""Requests of Ethernet fabrics drawn at random, from which exported files are checked."""

from __future__ import annotations

from random import Random
from typing import Any

KINDS: tuple[dict[str, Any], ...] = (
    {"family": "fat-tree", "tiers": 1, "planes": 2, "most": 30},
    {"family": "fat-tree", "tiers": 2, "unlike": True},
    {"family": "rail-optimized", "tiers": 2, "planes": 2},
    {"family": "rail-only", "tiers": 2},
    {"family": "rail-optimized", "tiers": 3, "oversubscription": 2},
    {"family": "torus", "whole": True},
    {"family": "fat-tree", "tiers": 2, "uplink_spread": "balanced", "unlike": True},
    {"family": "dragonfly", "whole": True, "planes": 2},
)
"""The kinds of fabrics: of one to three tiers and direct, with planes, unlike servers or balanced uplinks. The ports of
some are all `whole`, and `most` is the most GPUs."""

DRAWN = range(len(KINDS))
"""The seeds of the drawn requests that the tests use, one of each kind."""

SWITCH = {
    "name": "box",
    "ports": 16,
    "rate_gbps": 400,
    "breakouts": {200: 32, 100: 64},
    "cages": 16,
    "cage": "osfp",
    "price_usd": 10_000,
}


def draw_request(random: Random, system: str, kind: int) -> dict[str, Any]:
    """Return a small request of a kind with ports named by a system: last units, servers and trays filled in part."""
    asked = dict(KINDS[kind])
    unlike, whole, most = asked.pop("unlike", False), asked.pop("whole", False), asked.pop("most", 130)
    planes = asked.get("planes", 1)
    rate = 400 if whole else random.choice([100, 200])
    node = {"name": "node", "gpus": 4, "nics": 4, "nic_gbps": rate * planes, "trays": random.choice([1, 2])}
    request: dict[str, Any] = {
        "name": "drawn",
        "switches": {**SWITCH, "adaptive_routing": random.choice([True, False, None])},
        "site": {"port_names": system},
        "link_price_usd": 100,
        **asked,
    }
    if unlike:
        store = {"name": "store", "gpus": 0, "nics": 2, "nic_gbps": rate * planes}
        counts = {"node": random.randint(20, 30), "store": random.randint(1, 9)}
        request["servers"] = [{"server": each, "count": counts[each["name"]]} for each in (node, store)]  # type: ignore[index]
    else:
        request |= {"gpus": random.randint(most * 2 // 3, most), "server": node}
    if not unlike and random.random() < 0.5:  # appliances at leaves of unlike servers are not placed
        request["appliances"] = [{"name": "tester", "ports": random.randint(1, 2)}]
    return request
