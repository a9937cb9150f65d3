"""Which algorithm and protocol a collective library chooses, by its own cost model.

The model is that of NCCL 2.30.7 (src/graph/tuning.cc and search.cc, re-worded), which RCCL shares with constants of its
own: latency plus bytes over bandwidth for every algorithm and protocol, of which the library takes the least. It knows
servers and NICs, and nothing of the fabric between them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fabric.catalog import GenerationTuning, LibraryTuning, Server, TuningCost, library_tunings
from fabric.errors import InputError
from fabric.flow.collectives import Collective

__all__ = ["choose", "library_us", "search_channels", "tuning_of", "version_with_table"]

USUAL = "hopper"
"""The generation of servers that name none."""


@dataclass(frozen=True)
class Search:
    """What a library finds out about servers before it chooses."""

    tuning: LibraryTuning
    """The cost model."""
    generation: GenerationTuning
    """What it counts the GPUs with."""
    gpus: int
    """The GPUs."""
    servers: int
    """The servers."""
    each: int
    """The GPUs of a server."""
    channels: int
    """The channels of rings and trees."""
    speed: float
    """The speed of one in GB/s."""
    head_speed: float
    """The speed of a channel that reduces in NVLink switches, in GB/s."""
    nic: float
    """The rate of all NICs of one GPU in GB/s."""

    @property
    def size_class(self) -> int:
        """The index in lists for one, two and more servers."""
        return min(self.servers, 3) - 1

    @property
    def heads(self) -> int:
        """The GPUs of a server that reduce in its NVLink switches."""
        return min(self.each, self.tuning.most_heads)

    @property
    def depth(self) -> int:
        """The levels of a tree over the servers."""
        return self.servers.bit_length() - 1


def tuning_of(server: Server, version: str | None = None) -> LibraryTuning | None:
    """Return the cost model of the library of a server's GPUs; None where it is not known.

    Raises InputError for a version without a table.
    """
    generation = server.generation or USUAL
    found = [tuning for tuning in library_tunings() if generation in tuning.generations]
    if not found or version is None:
        return found[0] if found else None
    for tuning in found:
        if tuning.version == version:
            return tuning
    names = ", ".join(tuning.version for tuning in found)
    raise InputError(
        f"nccl.version {version}: no table of {found[0].library.upper()} {version}; known versions: {names}"
    )


def version_with_table(server: Server, stated: str) -> str | None:
    """Return the newest version with a table for a server's GPUs up to the one that a text states, else the oldest.

    The text is as libraries print it, such as `NCCL 2.27.3+cuda12.9`. None where it states none, or none has a table.
    """
    found = re.search(r"([0-9]+)\.([0-9]+)", stated)
    known = [each.version for each in library_tunings() if (server.generation or USUAL) in each.generations]
    if found is None or not known:
        return None
    numbers = int(found[1]), int(found[2])
    return next((each for each in known if tuple(map(int, each.split("."))) <= numbers), known[-1])


def choose(  # noqa: PLR0913
    servers: Sequence[Server],
    gpus: int,
    collective: Collective,
    size_bytes: int,
    candidates: Iterable[tuple[str, str]],
    *,
    version: str | None = None,
    count: int | None = None,
) -> tuple[str, str] | None:
    """Return the algorithm and protocol, of `candidates`, that the library chooses for a collective on `gpus` GPUs.

    `servers` are the kinds of servers, of which the slowest counts, and `count` is their number where the GPUs do not
    fill them. None where the library's cost model is not known, or does not know a candidate: the choice is then not
    the library's.
    """
    tunings = [tuning_of(server, version) for server in servers]
    candidates = tuple(candidates)
    if not all(tuning and all(pair[0] in tuning.costs for pair in candidates) for tuning in tunings):
        return None
    searches = [
        search_channels(server, gpus, tuning, count) for server, tuning in zip(servers, tunings, strict=True) if tuning
    ]
    found = {
        pair: max(each for each in times if each is not None)
        for pair in candidates
        if None not in (times := [library_us(search, collective, size_bytes, *pair) for search in searches])
    }
    return min(found, key=lambda pair: found[pair]) if found else None


def search_channels(server: Server, gpus: int, tuning: LibraryTuning, count: int | None = None) -> Search:
    """Return the channels and speeds that a library finds on `count` servers, by default as few as have the GPUs."""
    generation = tuning.generations[server.generation or USUAL]
    each, servers = min(server.gpus, gpus), count or -(-gpus // server.gpus)
    inside = (server.nvlink_GBps or math.inf) * generation.nvlink_share
    devices = max(1, min(server.nics, each))
    nic = server.nics * server.nic_gbps / 8 / devices
    if servers == 1:
        found = [(min(tuning.most_channels, _times(inside, speed)), speed) for speed in generation.inside]
    else:
        found = [
            (min(tuning.most_channels, _times(inside, speed), devices * _times(nic, speed)), speed)
            for speed in generation.between
        ]
    # Of equal products the first, with the highest speed, as in the search.
    channels, speed = max(found, key=lambda each: each[0] * each[1])
    heads = min(each, tuning.most_heads)
    # A head receives what the others send of its part, so that heads * heads / (heads - 1) speeds fit in NVLink.
    fitting = (s for s in generation.inside if heads > 1 and s * heads * heads / (heads - 1) <= inside)
    return Search(tuning, generation, gpus, servers, each, channels, speed, next(fitting, 0.0), nic)


def _times(whole: float, part: float) -> int:
    """Return how many times a part fits in a whole; rounding does not count."""
    return 1 << 20 if math.isinf(whole) else int(whole / part + 1e-9)


def library_us(search: Search, collective: Collective, size_bytes: int, algorithm: str, protocol: str) -> float | None:
    """Return the time that the library expects of an algorithm in microseconds; None where it does not know it."""
    cost = search.tuning.costs.get(algorithm, {}).get(protocol)
    estimate = _TIMES.get(algorithm)
    if cost is None or estimate is None or not search.channels:
        return None
    found = estimate(search, collective, cost, protocol, size_bytes)
    if found is None:
        return None
    latency_us, algbw = found
    place = min(max(0, (size_bytes >> 6).bit_length() - 1), len(cost.by_size) - 1)
    return latency_us + size_bytes / 1e3 / (algbw * cost.by_size[place])


Cost = Callable[[Search, Collective, TuningCost, str, int], tuple[float, float] | None]
"""Returns the latency in microseconds and the algorithm bandwidth in GB/s; None where it can't run."""


def _ring(
    search: Search, collective: Collective, cost: TuningCost, protocol: str, size_bytes: int
) -> tuple[float, float]:
    tuning, place = search.tuning, search.size_class
    passes = collective.passes or 1
    steps, crossing = passes * (search.gpus - 1), passes * (search.servers - 1)
    bus = search.channels * search.speed * cost.bus[place]
    if protocol == "ll":
        bus = min(bus, search.generation.ll[place])
    if protocol == "ll128":
        bus = min(bus, search.channels * search.generation.ring_ll128[place])
    base, inside, between = cost.us
    if search.servers > 1:
        inside = max(inside, tuning.post_us * (3 if protocol == "simple" else 1))
    latency = base + (steps - crossing) * inside + crossing * between
    sent = size_bytes / (search.channels * search.gpus)
    if search.servers > 1 and protocol == "simple" and collective.passes == 2 and sent >= tuning.plateau_bytes:
        latency *= tuning.plateau
    return latency, bus * search.gpus / steps if collective.passes and steps else bus


def _tree(search: Search, _: Collective, cost: TuningCost, protocol: str, __: int) -> tuple[float, float]:
    place, channels = search.size_class, search.channels
    bus = min(channels * search.speed * search.tuning.tree_bus, channels * search.generation.tree[place])
    bus *= cost.bus[place]
    if protocol == "ll":
        bus = min(bus, search.generation.ll[place])
    if protocol == "ll128":
        bus = min(bus, channels * search.generation.tree_ll128[place])
    base, inside, between = cost.us
    return base + 2 * ((search.each - 1) * inside + search.depth * between), bus / 2


def _nvls(search: Search, _: Collective, cost: TuningCost, __: str, ___: int) -> tuple[float, float] | None:
    """Cost a reduction in the NVLink switches of one server, or of each with a tree over them."""
    heads, place, tuning = search.heads, search.size_class, search.tuning
    if search.each < 3 or not search.generation.nvls_efficiency or not search.head_speed:
        return None
    speed, ratio = search.head_speed, tuning.nvls_ratio
    if ratio is None:
        speed *= 2 * search.generation.nvls_efficiency * (heads - 1) / heads
        ratio = search.gpus / (2 * (search.gpus - 1))
    if search.servers > 1:
        between = next((each for each in search.generation.between if each <= search.nic), 0.0)
        speed = min(speed, between * tuning.nvls_between[place], search.generation.nvls_tree[place])
    base, _inside, network = cost.us
    return base + 2 * search.depth * network, heads * speed * ratio


_TIMES: dict[str, Cost] = {"ring": _ring, "tree": _tree, "nvls": _nvls, "nvls-tree": _nvls}
