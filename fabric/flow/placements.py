"""Placements: which GPU each rank of a collective has, in arrays of GPU numbers (server * GPUs of a server + gpu)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError
from fabric.registry import Registry

__all__ = [
    "NO_GPUS",
    "PLACEMENTS",
    "ClosedOrder",
    "Placement",
    "Ranks",
    "arrange",
    "check_stride",
    "place",
    "without_failed",
]

Gpus = npt.NDArray[np.int64]

NO_GPUS = "no GPU stands on this fabric, so no collective runs there"
"""Why a fabric of storage or management alone has no times."""


@dataclass(frozen=True)
class Ranks:
    """What a placement has to place, and where."""

    ranks: int
    """The number of ranks."""
    gpus: int
    """The number of GPUs there are, at least `ranks`."""
    per_server: int
    """The GPUs of a server; of unlike servers the most."""
    seed: int = 0
    """The seed of placements that are drawn."""
    stride: int = 8
    """The distance of ranks in strided placements."""
    starts: Gpus | None = None
    """The first GPU of each server that has some, where servers are unlike; None where they follow from `per_server`.
    """

    @property
    def first_gpus(self) -> Gpus:
        """The first GPU of each server that has some, and the number of GPUs, shape (servers + 1,)."""
        starts = np.arange(0, self.gpus, self.per_server) if self.starts is None else self.starts
        return np.append(starts, self.gpus)

    def number_in_server(self, gpus: Gpus) -> Gpus:
        """Return the number of each GPU in its server, shape (gpus,)."""
        starts = self.first_gpus
        return np.asarray(gpus - starts[np.searchsorted(starts, gpus, side="right") - 1])


@dataclass(frozen=True)
class ClosedOrder:
    """How ranks follow each other, as closed forms know it: by default server after server."""

    scattered: bool = False
    """Whether each rank is in another server than the one before it."""
    grouped: bool = False
    """Whether ranks are in groups, each of which has its part of every server."""
    random: bool = False
    """Whether servers follow each other in random order, and not in that of their places."""


@dataclass(frozen=True)
class Placement:
    """A way to place ranks on GPUs."""

    name: str
    """The word by which it is asked for."""
    description: str
    """Which GPUs ranks get, in a few words."""
    order: Callable[[Ranks], Gpus]
    """Returns the GPU of each rank, shape (ranks,), or (groups, ranks) of groups that run the same collective."""
    drawn: bool = False
    """Whether the seed draws it."""
    in_order: bool = False
    """Whether servers follow each other in the order of the fabric's localities, so that rings go to neighbours."""
    closed_form: ClosedOrder | None = None
    """What closed forms know of it; None: nothing."""
    takes_jobs: bool = False
    """Whether several jobs can share a fabric in it: orders of whole servers, one job after another."""

    def describe(self, seed: int) -> str:
        """Return its description, with the seed where that draws it."""
        return f"{self.description} (seed {seed})" if self.drawn else self.description


def _contiguous(ranks: Ranks) -> Gpus:
    return np.arange(ranks.ranks)


def _by_rail(ranks: Ranks) -> Gpus:
    gpus = np.arange(ranks.ranks)
    return gpus[np.lexsort((gpus, ranks.number_in_server(gpus)))]


def _strided(ranks: Ranks) -> Gpus:
    """Return the data-parallel rings of a layout whose tensor and pipeline ranks (TP x PP = stride) are neighbours."""
    check_stride(ranks.ranks, ranks.stride)
    return np.arange(ranks.ranks).reshape(-1, ranks.stride).T


def check_stride(ranks: int, stride: int) -> None:
    """Raise InputError unless that many ranks are equal groups of this stride, and name the nearest ones that are."""
    if stride < 1:
        raise InputError(f"stride {stride}: not a whole number from 1")
    if ranks % stride:
        least = max(stride, ranks // stride * stride)
        smaller = next(each for each in range(min(stride, ranks), 0, -1) if ranks % each == 0)
        raise InputError(
            f"{ranks:,} GPUs can't be divided into {stride:,} equal groups (the stride);"
            f" take a stride of {smaller:,}, or {least:,} GPUs"
        )


def _random(ranks: Ranks) -> Gpus:
    return _fill_servers(_draw_servers(ranks), ranks)


def _fragmented(ranks: Ranks) -> Gpus:
    return np.sort(_fill_servers(_draw_servers(ranks), ranks))


def _draw_servers(ranks: Ranks) -> npt.NDArray[Any]:
    """Return all servers in random order."""
    return np.random.default_rng(ranks.seed).permutation(len(ranks.first_gpus) - 1)


def _fill_servers(servers: npt.NDArray[Any], ranks: Ranks) -> Gpus:
    """Return the GPUs of the first of `servers` that the ranks need."""
    starts = ranks.first_gpus
    first, width = starts[servers], np.diff(starts)[servers]
    found = np.arange(ranks.gpus) - np.repeat(np.cumsum(width) - width, width) + np.repeat(first, width)
    return np.asarray(found[: ranks.ranks])


PLACEMENTS = Registry(
    "placement",
    "placements",
    Placement,
    lambda: (
        Placement("contiguous", "in order", _contiguous, in_order=True, closed_form=ClosedOrder(), takes_jobs=True),
        Placement(
            "by-rail", "by their number in the server: GPU 0 of every server, then GPU 1", _by_rail,
            closed_form=ClosedOrder(scattered=True),
        ),
        Placement(
            "strided", "in groups of GPUs at equal distances", _strided, in_order=True,
            closed_form=ClosedOrder(grouped=True),
        ),
        Placement(
            "random", "on servers in random order", _random, drawn=True, closed_form=ClosedOrder(random=True),
            takes_jobs=True,
        ),
        Placement(
            "fragmented", "in order on randomly chosen servers", _fragmented, drawn=True, in_order=True,
            closed_form=ClosedOrder(),
        ),
    ),
)  # fmt: skip
"""The placements by name; another package adds one under the entry-point group `fabric.placements`."""


def place(
    blueprint: Blueprint, name: str = "contiguous", ranks: int | None = None, *, seed: int = 0, stride: int = 8
) -> Gpus:
    """Place `ranks` ranks, by default as many as the design has GPUs, as one of PLACEMENTS; `stride` is of `strided`.

    Returns the GPU of each rank, shape (ranks,), or (stride, ranks / stride) for `strided`. Raises InputError for an
    unknown name, or more ranks than the design has GPUs.
    """
    total = blueprint.gpus
    if not total:
        raise InputError(f"{blueprint.name}: {NO_GPUS}")
    ranks = total if ranks is None else ranks
    if not 1 <= ranks <= total:
        raise InputError(f"{ranks:,} ranks do not fit the {total:,} GPUs of {blueprint.name}")
    hosts = Hosts.of(blueprint)
    return arrange(name, Ranks(ranks, total, most_gpus(hosts), seed, stride, _starts(hosts)))


def most_gpus(hosts: Hosts) -> int:
    """Return the GPUs of a server, of unlike ones the most."""
    return int(hosts.gpus.max())


def _starts(hosts: Hosts) -> Gpus | None:
    """Return the first GPU of each of unlike servers that has some; None where all are alike."""
    if hosts.alike:
        return None
    first = hosts.first_gpu_of(np.arange(hosts.first_server[-1]))
    return np.asarray(first[np.diff(np.append(first, hosts.first_gpu[-1])) > 0])


def arrange(name: str, ranks: Ranks) -> Gpus:
    """Return the GPU of each rank as the placement `name` has it; raises InputError for an unknown name."""
    return PLACEMENTS.get_record(name).order(ranks)


def without_failed(gpus: Gpus, up: npt.NDArray[np.bool_], hosts: Hosts) -> Gpus:
    """Return a placement without the ranks of servers that are not `up`, shape (servers,).

    Of groups, only the ranks that all groups keep stay, so that the groups remain equal.
    """
    kept = up[hosts.server_of_gpu(gpus)]
    return gpus[..., kept if gpus.ndim == 1 else kept.all(axis=0)]
