"""Requests of the fuzz: those that mostly are valid, and what spoils them and every other file."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

__all__ = ["FAMILIES", "SERVERS", "SHIPPED", "SWITCHES", "draw_request", "draw_text", "write_file"]

SHIPPED = ("superpod-h100-1su", "superpod-b300-1su", "superpod-h100-2su", "atop-roft-4096", "deepseek-mpft")
FAMILIES = ("fat-tree", "rail-optimized", "rail-only", "hpn", "dragonfly", "dragonfly-plus", "slim-fly", "hyperx",
            "torus", "mesh", "jellyfish", "bcube", "zcube", "clos", "direct")  # fmt: skip
SWITCHES = ("sn5600", "qm9700", "tomahawk5-64x800g", "sn2201", "sn3700", "q3400-ra", "any")
SERVERS = ("hgx-h100", "dgx-h100", "hgx-a100", "dgx-b300", "gb200-nvl72")

HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**40, 0.5, -0.0, 1e308, float("inf"), float("nan"), "", " ", "any",
    "none", "~", "1e3", "0x10", "1_000", "١٢", "64 ", "sn5600\n", "\x1b[31mred", "a\u202eb", "\ud800", "\x00", "```",
    "<script>alert(1)</script>", "=SUM(A1)", "+1", "../../etc/passwd", "é" * 300, "x" * 5000, "{{7*7}}", "$(id)", [],
    {}, [[]], [None], {"": None}, {"a": {"b": {"c": 1}}}, [1, [2, [3]]], "8.8", "1/0", "1:0", "%s%n", "-", "--help",
)  # fmt: skip
"""Values that some key, option or file may not expect."""

KEYS = (
    "gpus", "server", "servers", "family", "switches", "tiers", "planes", "oversubscription", "limits", "prices_usd",
    "link_price_usd", "survive", "unit_gpus", "pod_gpus", "reserve", "grow_to_gpus", "pinned", "expected", "available",
    "uplink_spread", "racks", "spares", "discount", "currency", "title", "description", "sources", "name", "links",
    "constants", "nccl", "electricity", "appliances", "rails", "$schema", "common", "cables", "per_unit", "site",
    "lengths_m", "media", "optics", "years", "pue", "mix", "calibration", "link_gbps",
)  # fmt: skip


def draw_request(rng: random.Random) -> dict[str, Any]:
    """Return a request that mostly is valid, of a small cluster."""
    gpus = rng.choice([1, 8, 16, 64, 96, 100, 128, 250, 256, 506, 512, 1000, 1024, 2048])
    request: dict[str, Any] = {"name": "drawn", "gpus": gpus, "server": rng.choice(SERVERS[:3])}
    if rng.random() < 0.4:
        request["server"] = {
            "name": "box", "gpus": rng.choice([1, 2, 4, 8]), "nics": rng.choice([1, 2, 3, 4, 8, 9]), "nic_gbps": 400,
        }  # fmt: skip
    if rng.random() < 0.85:
        request["family"] = rng.choice(FAMILIES) if rng.random() < 0.8 else rng.sample(FAMILIES, 2)
    switch = {"name": "own", "ports": rng.choice([8, 16, 24, 32, 36, 64, 128]), "rate_gbps": 400}
    if rng.random() < 0.7:
        switch["price_usd"] = rng.choice([0, 1, 10_000])
    if rng.random() < 0.8:
        request["switches"] = rng.choice([switch, *SWITCHES[:3], [*SWITCHES[:2]]])
    extras: dict[str, Callable[[], Any]] = {
        "oversubscription": lambda: rng.choice([1, 1.5, 2, 3, "3:1", {"leaf": 2}]),
        "planes": lambda: rng.choice([1, 2, 4, "any"]),
        "tiers": lambda: rng.choice([1, 2, 3, "any"]),
        "limits": lambda: rng.choice([{"cost_usd": 10**6}, {"parallel_links": 2}, {"models": 1}, {"power_w": 10**5}]),
        "survive": lambda: {"leaf": rng.choice([0.5, 0.9])},
        "uplink_spread": lambda: rng.choice(["even", "balanced"]),
        "link_price_usd": lambda: rng.choice([0, 100, 1e6]),
        "grow_to_gpus": lambda: gpus * rng.choice([1, 2, 4]),
        "spares": lambda: rng.choice([0, 0.02, {"link": 0.1}]),
        "unit_gpus": lambda: rng.choice([8, 16, 64]),
        "reserve": lambda: rng.choice([1, {"leaf": 4}]),
        "pod_gpus": lambda: rng.choice([256, 512, {"min": 64, "max": 1024}]),
        "lengths_m": lambda: rng.choice([3, 30, {"server-leaf": 5}]),
        "media": lambda: rng.choice(["dac", "aoc", "smf"]),
        "electricity_usd_per_kwh": lambda: rng.choice([0, 0.1]),
        "discount": lambda: rng.choice([0.2, {"switch": 0.5}]),
        "available": lambda: {"own": rng.choice([1, 40, 1000])},
        "site": lambda: _draw_site(rng),
        "title": lambda: rng.choice(["ok", "a\u202eb", "```\n# x", "<b>", "=1+1"]),
    }
    for key in rng.sample(list(extras), rng.choice([0, 0, 1, 1, 2, 3])):
        request[key] = extras[key]()
    return request


def _draw_site(rng: random.Random) -> dict[str, Any]:
    """Return a site that mostly is valid."""
    site: dict[str, Any] = {"layout": rng.choice(["in-rack", "middle-of-row", "end-of-row", "network-rows"])}
    extras: dict[str, Callable[[], Any]] = {
        "rack": lambda: {"units": rng.choice([24, 42, 48, 52]), "power_kw": rng.choice([12, 45, 120])},
        "group_racks": lambda: rng.choice([1, 4, 8, 16]),
        "slack_m": lambda: rng.choice([0, 1.5]),
        "heights": lambda: {"own": rng.choice([1, 2, 16]), "box": rng.choice([2, 8])},
        "power_w": lambda: {"own": 900, "box": rng.choice([1000, 10_000])},
        "feeds": lambda: rng.choice(["both", "by-rack", "by-row"]),
        "trays": lambda: {"height_m": 3, "width_mm": rng.choice([100, 600]), "fill": 0.4},
        "halls": lambda: [{"name": name, "rows": rng.choice([1, 4, 12]), "racks_per_row": 10} for name in "AB"],
    }
    for key in rng.sample(list(extras), rng.choice([0, 1, 2])):
        site[key] = extras[key]()
    return site


def spoil(rng: random.Random, value: Any, depth: int = 0) -> Any:
    """Return a value with one part replaced, removed, repeated or renamed."""
    if isinstance(value, dict) and value and rng.random() < (0.9 if depth < 2 else 0.5):
        spoiled = dict(value)
        key = rng.choice(list(spoiled))
        action = rng.random()
        if action < 0.6:
            spoiled[key] = spoil(rng, spoiled[key], depth + 1)
        elif action < 0.7:
            del spoiled[key]
        elif action < 0.85:
            spoiled[rng.choice(KEYS)] = rng.choice(HOSTILE)
        else:
            spoiled[str(rng.choice(HOSTILE))] = spoiled.pop(key)
        return spoiled
    if isinstance(value, list) and value and rng.random() < 0.6:
        position = rng.randrange(len(value))
        return [*value[:position], spoil(rng, value[position], depth + 1), *value[position + rng.randint(0, 1) :]]
    return rng.choice(HOSTILE)


def write_file(rng: random.Random, files: dict[str, bytes], name: str, value: Any) -> str:
    """Write a value as a file of the case, spoiled now and then, and return its name."""
    for _ in range(rng.choice([0, 0, 0, 0, 1, 2])):
        value = spoil(rng, value)
    content = (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")
    action = rng.random()
    if action < 0.04:
        content = content[: rng.randrange(len(content) + 1)]
    elif action < 0.08 and content:
        position = rng.randrange(len(content))
        content = content[:position] + bytes([rng.randrange(256)]) + content[position + 1 :]
    elif action < 0.1:
        content = rng.randbytes(rng.choice([0, 1, 40, 2000]))
    files[name] = content
    return name if rng.random() > 0.02 else "missing.yaml"


def draw_text(rng: random.Random) -> str:
    """Return a word as only strange command lines have it: what no system passes on is left out."""
    return str(rng.choice(HOSTILE)).replace("\0", "").encode("utf-8", "replace").decode()
