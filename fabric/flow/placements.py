"""Which GPU each rank of a collective has: arrays of GPU numbers, server * GPUs of a server + gpu."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError, nearest

__all__ = ["PLACEMENTS", "arranged", "by_rail", "contiguous", "fragmented", "on_live", "place", "scattered", "strided"]

PLACEMENTS = ("contiguous", "by-rail", "strided", "random", "fragmented")
"""The placements by name."""

Gpus = npt.NDArray[np.int64]


def place(
    blueprint: Blueprint, name: str = "contiguous", ranks: int | None = None, *, seed: int = 0, stride: int = 8
) -> Gpus:
    """Place `ranks` ranks, by default as many as the design has GPUs, as one of PLACEMENTS; `stride` is of `strided`.

    Returns the GPU of each rank, shape (ranks,), or (stride, ranks / stride) for `strided`. Raises InputError for
    another name, or ranks that the design has not.
    """
    total = blueprint.gpus
    ranks = total if ranks is None else ranks
    if not 1 <= ranks <= total:
        raise InputError(f"{ranks:,} ranks do not fit the {total:,} GPUs of {blueprint.name}")
    return arranged(name, ranks, total, blueprint.server.gpus, seed=seed, stride=stride)


def arranged(name: str, ranks: int, gpus: int, per_server: int, *, seed: int = 0, stride: int = 8) -> Gpus:
    """Place ranks as `place` does on `gpus` GPUs, numbered from 0, with `per_server` in a server."""
    ways: dict[str, Callable[[], Gpus]] = {
        "contiguous": lambda: contiguous(ranks),
        "by-rail": lambda: by_rail(ranks, per_server),
        "strided": lambda: strided(ranks, stride),
        "random": lambda: scattered(ranks, gpus, per_server, seed),
        "fragmented": lambda: fragmented(ranks, gpus, per_server, seed),
    }
    if name not in ways:
        raise InputError(f"no placement '{name}'{nearest(name, ways)}")
    return ways[name]()


def on_live(gpus: Gpus, live: npt.NDArray[np.bool_], per_server: int) -> Gpus:
    """Return a placement without the ranks of servers that are not `live`, shape (servers,).

    Of groups, only the ranks that all groups keep, so that they stay equal.
    """
    kept = live[gpus // per_server]
    return gpus[..., kept if gpus.ndim == 1 else kept.all(axis=0)]


def contiguous(ranks: int) -> Gpus:
    """Return the first GPUs in order, shape (ranks,)."""
    return np.arange(ranks)


def by_rail(ranks: int, per_server: int) -> Gpus:
    """Return the first GPUs by their number in the server: GPU 0 of every server, then GPU 1, shape (ranks,)."""
    gpus = np.arange(ranks)
    return gpus[np.lexsort((gpus, gpus % per_server))]


def strided(ranks: int, stride: int) -> Gpus:
    """Return `stride` groups of GPUs that are `stride` apart, shape (stride, ranks / stride).

    They are the data-parallel rings of a layout whose tensor and pipeline ranks (TP x PP = stride) stand together.
    Raises InputError when the groups would not be equal.
    """
    if stride < 1 or ranks % stride:
        raise InputError(f"{ranks:,} ranks are no whole number of rings {stride} apart")
    return np.arange(ranks).reshape(-1, stride).T


def scattered(ranks: int, gpus: int, per_server: int, seed: int) -> Gpus:
    """Return the GPUs of whole servers in random order, shape (ranks,); `gpus` are those there are."""
    return _in_servers(np.random.default_rng(seed).permutation(-(-gpus // per_server)), ranks, gpus, per_server)


def fragmented(ranks: int, gpus: int, per_server: int, seed: int) -> Gpus:
    """Return the GPUs of servers that chance left free, in order, shape (ranks,); `gpus` are those there are."""
    servers = np.random.default_rng(seed).permutation(-(-gpus // per_server))
    return np.sort(_in_servers(servers, ranks, gpus, per_server))


def _in_servers(servers: npt.NDArray[Any], ranks: int, gpus: int, per_server: int) -> Gpus:
    found = (servers[:, None] * per_server + np.arange(per_server)).reshape(-1)
    return found[found < gpus][:ranks]
