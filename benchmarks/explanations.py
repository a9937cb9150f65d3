"""Explain infeasible requests for 2,048 GPUs, against sizing the same requests without what makes them infeasible.

Both are timed in seconds of the processor, one after the other. An explanation, with the search that finds nothing,
must take at most RATIO times its solution, and at most MOST_S seconds; a solution of milliseconds counts as LEAST_S,
less than it takes to start the command.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import fabric
from fabric.topology.families import FAMILIES

RATIO, MOST_S, LEAST_S = 10, 5.0, 0.1
BASE = {"gpus": 2048, "server": "hgx-h100"}
OPEN = BASE | dict.fromkeys(("family", "planes", "tiers", "switches"), "any")
SMALL = {"name": "small", "ports": 8, "rate_gbps": 400, "price_usd": 1000}
TREE = BASE | {"family": "fat-tree", "switches": "qm9700"}

Case = tuple[str, Mapping[str, Any], Mapping[str, Any]]
"""A name, a request, and what makes it infeasible."""


def cases() -> Iterator[Case]:
    """Yield infeasible requests of every kind: with all else open, for one family, and for each family a budget."""
    yield "cost", OPEN, {"limits": {"cost_usd": 1_000_000}}
    yield "cost, just too low", OPEN, {"limits": {"cost_usd": 5_000_000}}
    yield "power", OPEN, {"limits": {"power_w": 10_000}}
    yield "rack units", OPEN, {"limits": {"rack_units": 20}}
    yield "hops", OPEN, {"limits": {"hops": 1}}
    yield "survive", OPEN, {"survive": {"leaf": 0.99, "spine": 0.99}}
    yield "unit", OPEN, {"unit_gpus": 2048, "reserve": 8, "limits": {"hops": 1}}
    yield "cost and power", OPEN, {"limits": {"cost_usd": 3_000_000, "power_w": 30_000}, "reserve": 4}
    yield "ports", BASE | {"family": "any", "switches": "qm9700", "tiers": [1, 2]}, {"switches": SMALL}
    yield "pins", TREE, {"pinned": {"spine": 3, "slot": 5, "leaf-spine": 7}}
    yield "tiers", TREE, {"tiers": 1}
    yield "parallel links", TREE | {"tiers": 2}, {"limits": {"parallel_links": 1}, "pinned": {"spine": 8}}
    for name in FAMILIES:
        each = BASE | {"family": name, "planes": "any", "switches": "any", "oversubscription": 4}
        yield f"cost, {name}", each, {"limits": {"cost_usd": 500_000}}


def seconds(request: Mapping[str, Any], *, feasible: bool) -> float:
    """Return the seconds of the processor that sizing takes, with its explanation where nothing is feasible."""
    start = time.process_time()
    try:
        fabric.design(request)
        found = True
    except fabric.Infeasible:
        found = False
    took = time.process_time() - start
    if found != feasible:
        sys.exit(f"{request} is {'' if found else 'not '}feasible")
    return took


def main() -> None:
    """Print each explanation as a multiple of its solution; exit with 1 where one takes too long."""
    missed = []
    fabric.design(BASE | {"switches": "qm9700"})  # loads what both need
    for name, request, hostile in cases():
        solution, explanation = seconds(request, feasible=True), seconds({**request, **hostile}, feasible=False)
        ratio = explanation / max(solution, LEAST_S)
        print(f"{name}: {explanation:.2f} s, {ratio:.1f} times its solution of {solution:.2f} s", flush=True)
        missed += [name] if ratio > RATIO or explanation > MOST_S else []
    if missed:
        sys.exit(f"explanations take too long: {', '.join(missed)}")


if __name__ == "__main__":
    main()
