"""Which GPUs the groups of a run have: from the order of ranks, and from where the job stands."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.errors import InputError, nearest
from fabric.request.parallel import Parallel

__all__ = ["AXES", "ServerGroups", "gpus_of_server", "group_ranks", "group_servers", "place_run"]

Rows = npt.NDArray[np.int64]

AXES = ("tp", "cp", "dp", "pp", "etp", "ep", "edp", "shard", "replica")
"""What the ranks of a group may run over.

The tensor, context and data ranks of a stage are also numbered as `etp`, `ep` and `edp`, neighbours first: those that
divide an expert, those that divide the experts, and those that have the same ones. Its context and data ranks are also
numbered as `shard` and `replica`: those that share out states, and the copies of these.
"""

LEAST_USED = 0.75
"""The part of a server's GPUs below which a job rather has servers that its groups do not fill evenly."""


def group_ranks(parallel: Parallel, axes: tuple[str, ...]) -> Rows:
    """Return the ranks of every group whose ranks run over `axes`, shape (groups, ranks), neighbours first.

    Raises InputError for an unknown axis, for axes that number the same ranks in two ways, and where the experts' ones
    do not divide a stage.
    """
    return _group(*_number_ranks(parallel, axes), axes)


def _group(grid: Rows, names: tuple[str, ...], axes: tuple[str, ...]) -> Rows:
    """Return the entries of a grid in groups that run over some of its axes, shape (groups, entries)."""
    inner = [name for name in names if name in axes]
    order = [*(each for each, name in enumerate(names) if name not in axes), *(names.index(name) for name in inner)]
    members = math.prod(grid.shape[names.index(name)] for name in inner)
    return np.ascontiguousarray(grid.transpose(order)).reshape(-1, members)


@dataclass(frozen=True, eq=False)
class ServerGroups:
    """Groups on whole servers: those with ranks in the same servers stand for each other, shifted from GPU to GPU."""

    servers: Rows
    """The servers of each group of such groups, neighbours first, shape (groups, servers)."""
    local: Rows
    """The GPUs, in each of its servers, of each of the groups in the same servers, shape (groups, GPUs)."""


def group_servers(parallel: Parallel, axes: tuple[str, ...], size: int) -> ServerGroups | None:
    """Return the groups of a run on whole servers of `size` GPUs in order; None where servers divide no axis evenly."""
    grid, names = _number_ranks(parallel, axes)
    if parallel.gpus % size:
        return None
    # Along each axis, as many ranks as follow the first one in its server.
    inside = [
        max(1, int((along < size).cumprod().sum()))
        for along in (np.moveaxis(grid, axis, -1)[(0,) * (grid.ndim - 1)] for axis in range(grid.ndim))
    ]
    if math.prod(inside) != size or any(length % each for length, each in zip(grid.shape, inside, strict=True)):
        return None
    first = grid[tuple(slice(each) for each in inside)]
    every = grid[tuple(slice(None, None, each) for each in inside)]
    if int(first.max()) != size - 1 or (every % size).any():
        return None
    return ServerGroups(_group(every // size, names, axes), _group(first, names, axes))


def _number_ranks(parallel: Parallel, axes: tuple[str, ...]) -> tuple[Rows, tuple[str, ...]]:
    """Return the ranks as a grid that has the axes, and the names of all of its axes, outermost first."""
    if unknown := [name for name in axes if name not in AXES]:
        raise InputError(f"unknown axis of ranks '{unknown[0]}'{nearest(unknown[0], AXES)}")
    tp, cp, pp, dp = parallel.tp, parallel.cp, parallel.pp, parallel.dp
    rank = np.arange(parallel.gpus)
    if parallel.order == "tp-cp-pp-dp":
        stages = rank.reshape(dp, pp, cp * tp).transpose(1, 0, 2)
    else:
        stages = rank.reshape(pp, dp, cp * tp)
    shard = parallel.shard_group or cp * dp
    shapes = {
        ("pp", "dp", "cp", "tp"): (pp, dp, cp, tp),
        ("pp", "edp", "ep", "etp"): (pp, -1, parallel.ep, parallel.etp),
        ("pp", "replica", "shard", "tp"): (pp, -1, shard, tp),
    }
    for names, shape in shapes.items():
        if set(axes) <= set(names):
            parts = math.prod(each for each in shape if each > 0)
            if parallel.gpus % parts:
                stage, axes_ = parallel.gpus // pp, " x ".join(names[1:])
                raise InputError(f"a stage of {stage:,} ranks is not a multiple of {axes_} = {parts // pp:,}")
            return stages.reshape(shape), names
    raise InputError(f"axes {', '.join(axes)}: no one numbering of ranks has all of them")


def place_run(blueprint: Blueprint, parallel: Parallel) -> Rows:
    """Return the GPU of each rank of a run on the first servers of a design, in order, shape (ranks,).

    Raises InputError where the run needs more GPUs than there are.
    """
    rank, size = np.arange(parallel.gpus), blueprint.server.gpus
    used = gpus_of_server(blueprint, parallel)
    return rank if used == size else rank // used * size + rank % used


def gpus_of_server(blueprint: Blueprint, parallel: Parallel) -> int:
    """Return the GPUs of each server that a run has.

    They divide it into equal parts of whole tensor-parallel groups, such as 64 of 72, where these are at least three
    quarters of a server and there are servers enough; otherwise the run has all, the last server's in part. Raises
    InputError where the run needs more GPUs than there are.
    """
    gpus, size = parallel.gpus, blueprint.server.gpus
    if gpus > blueprint.gpus:
        raise InputError(f"the run needs {gpus:,} GPUs ({_product(parallel)}); {blueprint.name} has {blueprint.gpus:,}")
    if gpus <= size or not Hosts.of(blueprint).alike:
        return size
    used = next((each for each in range(size, 0, -1) if gpus % each == 0 and each % parallel.tp == 0), size)
    return size if used < LEAST_USED * size or gpus // used > blueprint.gpus // size else used


def _product(parallel: Parallel) -> str:
    return f"TP {parallel.tp} x CP {parallel.cp} x PP {parallel.pp} x DP {parallel.dp}"
