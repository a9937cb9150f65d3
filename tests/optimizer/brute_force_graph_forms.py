"""An exhaustive sizer for small networks that are no tiers, written from the papers' formulas, family by family."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, combinations_with_replacement, product
from math import prod

from tests.optimizer.brute_force import Request

Fabric = tuple[int, int]
"""Switches, and links between them."""

POWERS = (3, 4, 5, 7, 8, 9, 11, 13, 16, 17, 19)


def cheapest(request: Request, family: str, dimensions: int) -> int | None:
    """Return the cost of the cheapest fabric of a family, or None; of a cube every NIC has a port for each level."""
    ports = dimensions if family in ("bcube", "zcube") else 2 if family == "zcube-partial" else 1
    hosts = request.servers * request.nics * ports
    if ports == 1 and not request.attaches(request.nics):
        return None
    found = FAMILIES[family](request, dimensions)
    costs = [switches * request.switch_price + (hosts + links) * request.link_price for switches, links in found]
    return min(costs, default=None)


def _slots(request: Request) -> range:
    return range(1, request.ports // request.nics + 1)


def _dragonfly(request: Request, _: int) -> Iterator[Fabric]:
    if 1 not in request.pairs:
        return
    for p, a, h in product(_slots(request), range(2, request.ports + 1), range(1, request.ports)):
        load = p * request.nics
        if load + a - 1 + h > request.ports:
            continue
        for g in range(2, a * h + 2):
            enough = g * a * p >= request.servers and g * a * h % 2 == 0
            even = load * (2 * g - 1) <= request.ratio * a * g and load * (g - 1) <= request.ratio * h * g
            pair = a * h // (g - 1)
            busy = load * (2 * a * h + pair) * 16 <= request.ratio * 17 * a * g * pair
            even = even and busy and load * a * 16 <= request.ratio * 17 * g * pair
            enough = enough and h <= request.copies * request.split * (g - 1)
            if enough and even:
                yield a * g, g * a * (a - 1) // 2 + g * a * h // 2


def _dragonfly_plus(request: Request, _: int) -> Iterator[Fabric]:
    sizes = range(1, request.ports)
    for p, leaves, spines, h, copies in product(_slots(request), sizes[1:], sizes, sizes, request.pairs):
        load = p * request.nics
        if load + spines * copies > request.ports or leaves * copies + h > request.ports:
            continue
        for g in range(2, spines * h + 2):
            enough = g * leaves * p >= request.servers and g * spines * h % 2 == 0
            even = load <= request.ratio * spines * copies and leaves * load * (g - 1) <= request.ratio * g * spines * h
            pair = spines * h // (g - 1)
            busy = load * (spines * h + pair) * 16 <= request.ratio * 17 * g * pair * spines * copies
            even = even and busy and load * leaves * 16 <= request.ratio * 17 * g * pair
            whole = 1 in request.pairs or h % (request.pairs[0] * (g - 1)) == 0
            if enough and even and whole and h <= request.copies * request.split * (g - 1):
                yield g * (leaves + spines), g * leaves * spines * copies + g * spines * h // 2


def _slim_fly(request: Request, _: int) -> Iterator[Fabric]:
    if 1 not in request.pairs:
        return
    for p, q in product(_slots(request), POWERS):
        degree = (3 * q - {0: 0, 1: 1, 3: -1}[q % 4 if q % 2 else 0]) // 2
        load = p * request.nics
        fits = load + degree <= request.ports and 2 * q * q * p >= request.servers
        if fits and 2 * load - 1 <= request.ratio * degree:
            yield 2 * q * q, q * q * degree


def _lattice(request: Request, dimensions: int, kind: str) -> Iterator[Fabric]:
    most = request.ports + 1 if kind == "hyperx" else request.servers
    lines = [_line(kind, n, k) for n, k in product(range(2, max(3, most + 1)), request.pairs)]
    for p in _slots(request):
        load = p * request.nics
        fit = [line for line in lines if line[1] <= request.ports - load and load * line[3] <= request.ratio * line[4]]
        for chosen in combinations_with_replacement(fit, dimensions):
            switches = prod(line[0] for line in chosen)
            if load + sum(line[1] for line in chosen) <= request.ports and switches * p >= request.servers:
                yield switches, sum(switches // line[0] * line[2] for line in chosen)


def _line(kind: str, n: int, k: int) -> tuple[int, int, int, int, int]:
    """Return a line's switches, ports of each and links, and what uniform traffic of one NIC sends over what it can."""
    if kind == "hyperx":
        return n, (n - 1) * k, n * (n - 1) // 2 * k, 1, n * k
    ends = 1 if n == 2 else 2
    if kind == "mesh":
        return n, ends * k, (n - 1) * k, n * n // 4, n * k
    return n, ends * k, (1 if n == 2 else n) * k, n * n // 4, n * k * ends


def _jellyfish(request: Request, depth: int) -> Iterator[Fabric]:
    if 1 not in request.pairs:
        return
    for p, d in product(_slots(request), range(3, request.ports)):
        load, reach = p * request.nics, d * (d - 1) ** (depth - 1)
        if load + d > request.ports:
            continue
        for n in range(max(4, d + 1), reach // 24 + 1):
            passed = {2: 2 * (n - 1) - d, 3: 3 * (n - 1) - d - d * d}
            least = max(passed[each] for each in range(2, depth + 1))
            if n * d % 2 == 0 and n * p >= request.servers and load * least <= request.ratio * n * d:
                yield n, n * d // 2


def _digits(request: Request, digits: int) -> Iterator[tuple[int, ...]]:
    """Yield the values of a cube's digits with room for all servers."""
    for slot, *others in product(_slots(request), *[range(2, request.ports + 1)] * (digits - 1)):
        if slot * prod(others) >= request.servers:
            yield (slot * request.nics, *others)


def _bcube(request: Request, digits: int) -> Iterator[Fabric]:
    for values in _digits(request, digits):
        every = prod(values)
        switches = sum(every // value for value in values)
        even = all(digits * (value - 1) <= request.ratio * value for value in values)
        if max(values) <= request.ports and even:
            yield switches, 0


def _zcube(request: Request, digits: int) -> Iterator[Fabric]:
    pairs = list(combinations(range(digits), 2))
    for values in _digits(request, digits):
        every = prod(values)
        for copies in product(request.pairs, repeat=len(pairs)):
            ports = [
                value * (1 + sum(k for pair, k in zip(pairs, copies, strict=True) if place in pair))
                for place, value in enumerate(values)
            ]
            if max(ports) <= request.ports:
                yield sum(every // value for value in values), every * sum(copies)


def _zcube_partial(request: Request, _: int) -> Iterator[Fabric]:
    copies = request.pairs
    for (low, y, z), part in product(_digits(request, 3), range(1, request.ports + 1)):
        if low != y or part > y:
            continue
        for join, up, over in product(copies, repeat=3):
            leaf = low + low * join + part * up
            spine = y + y * join + part * over
            even = low * (z - 1) <= request.ratio * part * z * up and y * (z - 1) <= request.ratio * part * z * over
            if max(leaf, spine, z * (up + over)) <= request.ports and even:
                yield z * y + z * low + y * part, z * y * low * join + z * y * part * (up + over)


FAMILIES = {
    "dragonfly": _dragonfly,
    "dragonfly-plus": _dragonfly_plus,
    "slim-fly": _slim_fly,
    "hyperx": lambda request, dimensions: _lattice(request, dimensions, "hyperx"),
    "torus": lambda request, dimensions: _lattice(request, dimensions, "torus"),
    "mesh": lambda request, dimensions: _lattice(request, dimensions, "mesh"),
    "jellyfish": _jellyfish,
    "bcube": _bcube,
    "zcube": _zcube,
    "zcube-partial": _zcube_partial,
}
