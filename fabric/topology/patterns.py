"""Link patterns of direct networks: pairs of device numbers as arrays, without a loop over links.

Each function returns two arrays of shape (links,), the ends of the links of one plane without parallel links, as
numbers of the group's devices, whose coordinates are the digits of the number with the last axis fastest.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.errors import InputError

__all__ = [
    "Rows",
    "agreeing",
    "all_to_all",
    "balanced",
    "mms_global",
    "mms_local",
    "paths",
    "prime_powers",
    "random_regular",
    "rings",
]

Rows = npt.NDArray[np.int64]
Pairs = tuple[Rows, Rows]

SWAPS = 200
"""The rounds of swaps after which a random graph that is still not simple is drawn anew."""


def all_to_all(shape: Sequence[int], axis: int) -> Pairs:
    """Join all devices that differ on one axis alone."""
    low, high = np.triu_indices(shape[axis], 1)
    return _along(shape, axis, low.astype(np.int64), high.astype(np.int64))


def rings(shape: Sequence[int], axis: int) -> Pairs:
    """Join each device to the next on one axis, around; two devices by one link."""
    at = np.arange(shape[axis] if shape[axis] > 2 else 1, dtype=np.int64)
    return _along(shape, axis, at, (at + 1) % shape[axis])


def paths(shape: Sequence[int], axis: int) -> Pairs:
    """Join each device to the next on one axis, with two ends."""
    at = np.arange(shape[axis] - 1, dtype=np.int64)
    return _along(shape, axis, at, at + 1)


def _along(shape: Sequence[int], axis: int, low: Rows, high: Rows) -> Pairs:
    """Repeat the pairs of one axis for every combination of the others."""
    step = int(np.prod(shape[axis + 1 :], dtype=np.int64))
    outer = np.arange(int(np.prod(shape[:axis], dtype=np.int64)), dtype=np.int64) * (step * shape[axis])
    base = (outer[:, None] + np.arange(step)).reshape(-1, 1)
    return (base + low * step).reshape(-1), (base + high * step).reshape(-1)


def agreeing(lower: Sequence[tuple[str, int]], upper: Sequence[tuple[str, int]]) -> Pairs:
    """Join the devices of two groups that agree on every axis that both have; each axis comes with its size."""
    sizes = dict(upper) | dict(lower)
    extra = [name for name, _ in upper if name not in dict(lower)]
    order = [name for name, _ in lower] + extra
    grid = np.indices([sizes[name] for name in order]).reshape(len(order), -1)
    digits = dict(zip(order, grid, strict=True))
    return _number(lower, digits), _number(upper, digits)


def _number(axes: Sequence[tuple[str, int]], digits: dict[str, Any]) -> Rows:
    total = np.zeros(next(iter(digits.values())).shape, np.int64)
    for name, size in axes:
        total = total * size + digits[name]
    return total


def balanced(groups: int, routers: int, ports: int) -> Pairs:
    """Join groups of routers with `ports` links each to other groups, every pair of groups by as many as can be.

    Link slot s of a group is on its router s // ports and leads a number of groups on: 1 to groups - 1 in turn, as
    many times as slots suffice, and those left over to the nearest groups on both sides. So all groups are equivalent.
    Raises InputError when some pair would have no link, or a link would have one end.
    """
    slots, others = routers * ports, groups - 1
    times, rest = divmod(slots, others)
    if times == 0 or groups * slots % 2:
        raise InputError(f"{groups} groups of {slots} links each cannot all be joined")
    # Slots left over lead 1, -1, 2, -2 and so on; an odd one leads to the group opposite, which is its own inverse.
    near = np.arange(1, rest // 2 + 1)
    extra = np.sort(np.concatenate([near, groups - near, [groups // 2][: rest % 2]])).astype(np.int64)
    offset = np.concatenate([np.tile(np.arange(1, groups), times), extra])
    # A slot that leads `offset` on ends at the one that leads `groups - offset` on: the slot counted from the end.
    mirror = np.concatenate([np.arange(times * others).reshape(times, -1)[:, ::-1].reshape(-1), np.arange(rest)[::-1]])
    mirror[times * others :] += times * others
    group = np.arange(groups, dtype=np.int64)[:, None]
    there = (group + offset) % groups
    slot = np.arange(slots)
    # A link is laid by the end whose offset is the smaller; between opposite groups by the lower number.
    once = (2 * offset < groups) | ((2 * offset == groups) & (group < there))
    low = group * routers + slot // ports
    high = there * routers + mirror // ports
    return low[once], high[once]


@cache
def prime_powers(most: int) -> tuple[int, ...]:
    """Return the prime powers from 3 to `most`, in order."""
    sieve = np.ones(most + 1, bool)
    found: list[int] = []
    for prime in range(2, most + 1):
        if sieve[prime]:
            sieve[prime::prime] = False
            power = prime
            while power <= most:
                found.append(power)
                power *= prime
    return tuple(sorted(number for number in found if number > 2))


def mms_local(q: int) -> Pairs:
    """Join the routers of each column of the McKay-Miller-Siran graph of `q`: half, column and row as their axes.

    In half 0 those whose rows differ by an element of one generator set, in half 1 by one of the other set (P. Hafner
    2004, doi 10.1016/S0012-365X(03)00202-7; M. Besta and T. Hoefler 2014, doi 10.1109/SC.2014.34).
    """
    add, sets = _field(q)[0], _generators(q)
    row = np.arange(q)
    parts = []
    for half, members in enumerate(sets):
        other = add[row[:, None], np.asarray(members)[None, :]]
        low, high = np.repeat(row, len(members)), other.reshape(-1)
        keep = low < high
        first = (half * q + np.arange(q))[:, None] * q
        parts.append(((first + low[keep]).reshape(-1), (first + high[keep]).reshape(-1)))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def mms_global(q: int) -> Pairs:
    """Join (0, x, y) to (1, m, c) of the McKay-Miller-Siran graph where y = m x + c in the field of `q` elements."""
    add, multiply = _field(q)
    x, m, c = np.indices((q, q, q)).reshape(3, -1)
    y = add[multiply[m, x], c]
    return (x * q + y).astype(np.int64), (q * q + m * q + c).astype(np.int64)


@cache
def _field(q: int) -> tuple[Rows, Rows]:
    """Return the addition and multiplication tables of the field of `q` elements."""
    import galois

    elements = galois.GF(q, compile="python-calculate").elements
    add, multiply = np.add.outer(elements, elements), np.multiply.outer(elements, elements)
    return np.asarray(add).astype(np.int64), np.asarray(multiply).astype(np.int64)


def _generators(q: int) -> tuple[list[int], list[int]]:
    """Return the generator sets, by powers of a primitive element; q is 4w + 1, 4w or 4w - 1."""
    import galois

    multiply, element = _field(q)[1], int(galois.GF(q, compile="python-calculate").primitive_element)
    powers = [1]
    for _ in range(q - 2):
        powers.append(int(multiply[powers[-1], element]))
    if q % 4 == 1:
        return powers[0::2], powers[1::2]
    # The power q - 1 is 1 again; the second generator set has it by that exponent.
    powers.append(1)
    if q % 4 == 3:
        w = (q + 1) // 4
        return powers[0 : 2 * w - 1 : 2] + powers[2 * w - 1 : 4 * w - 2 : 2], powers[1 : 2 * w : 2] + powers[2 * w :: 2]
    return powers[0 : q - 1 : 2], powers[1:q:2]


@lru_cache(maxsize=2)
def random_regular(devices: int, degree: int, seed: int) -> Pairs:
    """Join `devices` at random, each to `degree` different others, reproducibly for a seed.

    One design asks for the same graph many times, so the last ones are kept; their arrays are read-only.
    Ends are paired at random; loops and repeated pairs swap ends with others until none is left (A. Singla et al.,
    NSDI 2012, join by the same kind of swap). Raises InputError when no such graph exists.
    """
    if degree >= devices or devices * degree % 2:
        raise InputError(f"{devices} devices cannot have {degree} different neighbours each")
    # In a dense graph hardly any swap is free of repeated pairs; its complement is sparse.
    if 2 * degree > devices:
        return _read_only(*_others(devices, *random_regular(devices, devices - 1 - degree, seed)))
    random = np.random.default_rng(seed)
    while True:
        ends = random.permutation(np.repeat(np.arange(devices, dtype=np.int64), degree)).reshape(-1, 2)
        for _ in range(SWAPS):
            ends.sort(axis=1)
            bad = _faulty(ends, devices)
            if not len(bad):
                return _read_only(ends[:, 0].copy(), ends[:, 1].copy())
            with_ = random.integers(0, len(ends), len(bad))
            for one, other in zip(bad.tolist(), with_.tolist(), strict=True):
                ends[one, 1], ends[other, 1] = ends[other, 1], ends[one, 1]


def _read_only(low: Rows, high: Rows) -> Pairs:
    low.flags.writeable = high.flags.writeable = False
    return low, high


def _others(devices: int, low: Rows, high: Rows) -> Pairs:
    """Return all pairs of devices but those given."""
    left = np.ones((devices, devices), bool)
    left[low, high] = left[high, low] = False
    rows = np.nonzero(np.triu(left, 1))
    return rows[0].astype(np.int64), rows[1].astype(np.int64)


def _faulty(ends: Rows, devices: int) -> Rows:
    """Return the rows that join a device to itself, or repeat a pair."""
    key = ends[:, 0] * devices + ends[:, 1]
    order = np.argsort(key, kind="stable")
    again = np.zeros(len(key), bool)
    again[order[1:]] = key[order[1:]] == key[order[:-1]]
    return np.flatnonzero(again | (ends[:, 0] == ends[:, 1]))
