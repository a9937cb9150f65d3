"""An exhaustive sizer for small requests, written from the rules and sharing no code with the optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil


@dataclass(frozen=True)
class Request:
    """A small request: `servers` of `nics` NICs, one switch model, prices, limits; `unit` servers share leaves."""

    servers: int
    nics: int
    ports: int
    switch_price: int
    link_price: int
    ratio: int = 1
    copies: int = 4
    unit: int | None = None


def cheapest(request: Request, family: str, tiers: tuple[int, ...]) -> int | None:
    """Return the least cost of `family` within `tiers`, or None when nothing fits."""
    costs = [cost for tier in tiers for cost in _costs(request, family, tier)]
    return min(costs, default=None)


def _costs(request: Request, family: str, tiers: int) -> Iterator[int]:
    if tiers == 1:
        yield from _one_tier(request, family)
        return
    lanes = 1 if family == "fat-tree" else request.nics
    for slot in [request.unit] if request.unit else range(1, min(request.ports, request.servers) + 1):
        down = slot * request.nics // lanes
        for copies, spines in product(range(1, request.copies + 1), range(1, request.ports + 1)):
            up = copies * spines
            if down + up <= request.ports and down <= request.ratio * up:
                units = ceil(request.servers / slot)
                make = _two_tiers if tiers == 2 else _three_tiers
                yield from make(request, family, lanes, units, copies, spines)


def _one_tier(request: Request, family: str) -> Iterator[int]:
    lanes = request.nics if family == "rail-only" else 1
    hosts = request.unit or request.servers
    if request.servers <= hosts and hosts * request.nics // lanes <= request.ports:
        yield lanes * request.switch_price + request.servers * request.nics * request.link_price


def _two_tiers(request: Request, family: str, lanes: int, units: int, copies: int, spines: int) -> Iterator[int]:
    apart = lanes if family == "rail-only" else 1
    if units * (lanes // apart) * copies > request.ports:
        return
    leaves = units * lanes
    links = request.servers * request.nics + leaves * copies * spines
    yield (leaves + apart * spines) * request.switch_price + links * request.link_price


def _three_tiers(request: Request, family: str, lanes: int, units: int, copies: int, spines: int) -> Iterator[int]:
    apart = {"fat-tree": [1], "rail-optimized": [1, lanes], "rail-only": [lanes]}[family]
    for rails_apart, block in product(apart, range(1, units + 1)):
        pods = ceil(units / block)
        down = block * (lanes // rails_apart) * copies
        if down >= request.ports:
            continue
        for share in (share for share in range(1, spines + 1) if spines % share == 0):
            yield from _cores(request, family, lanes, units, (copies, spines, rails_apart, pods, down, share))


def _cores(
    request: Request, family: str, lanes: int, units: int, pod: tuple[int, int, int, int, int, int]
) -> Iterator[int]:
    copies, spines, rails_apart, pods, down, share = pod
    for core, parallel in product(range(1, request.ports + 1), range(1, request.copies + 1)):
        up = core * parallel
        rails_at_core = 1 if family == "rail-only" else rails_apart
        fits = down + up <= request.ports and pods * rails_at_core * share * parallel <= request.ports
        if fits and down <= request.ratio * up:
            leaves, spine_count = units * lanes, pods * rails_apart * spines
            cores = (spines // share) * core * (lanes if family == "rail-only" else 1)
            links = request.servers * request.nics + leaves * copies * spines + spine_count * up
            yield (leaves + spine_count + cores) * request.switch_price + links * request.link_price
