"""The times of a collective by every algorithm and protocol: the fastest, and what the library chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fabric.catalog import LibrarySettings, Protocol
from fabric.errors import InputError
from fabric.flow.algorithms import Algorithm, algorithm_of, algorithms_of
from fabric.flow.collectives import Collective
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.library_choice import choose
from fabric.flow.machine import Machine
from fabric.flow.time_models import Parts, TimeModel

__all__ = ["Choice", "Pair", "choose_pair", "fastest_pair", "list_times", "slowest", "timed_algorithms"]

MachinesOf = Callable[[Algorithm], Sequence[Machine]]
"""Returns the machine as an algorithm's traffic finds it; of unlike servers one for each kind."""

Pair = tuple[str, str]
"""The names of an algorithm and of a protocol."""


@dataclass(frozen=True)
class Choice:
    """An algorithm and a protocol, and how long a collective takes by them."""

    algorithm: str
    """The name of the algorithm."""
    protocol: str
    """The name of the protocol."""
    time_s: float
    """The time in seconds."""


def timed_algorithms(collective: Collective, name: str | None) -> list[Algorithm]:
    """Return the algorithm of this name, by default all that NCCL chooses from; raises InputError without a time."""
    if name is not None:
        algorithm = algorithm_of(collective.name, name)
        if algorithm.time is None:
            raise InputError(
                f"algorithm '{name}' has no closed form, and so no time (fabric.flow.shares solves its flows)"
            )
        return [algorithm]
    every = algorithms_of(collective)
    if not any(each.time for each in every):
        raise InputError(f"collective '{collective.name}' has no algorithm with a closed form, and so no time")
    return [each for each in every if each.automatic and each.time]


def list_times(
    machines_of: MachinesOf,
    collective: Collective,
    size_bytes: int,
    algorithms: Iterable[Algorithm],
    settings: LibrarySettings,
) -> dict[Pair, Parts]:
    """Return the parts of the time by every algorithm and protocol that can run there, the usual first.

    Of unlike servers the slowest decides. Only the protocol of the settings counts where any algorithm has it.
    """
    found = {
        (algorithm.name, protocol.name): parts
        for algorithm in algorithms
        if algorithm.time and (machines := machines_of(algorithm))
        for protocol in machines[0].protocols
        if (parts := slowest(algorithm.time, machines, collective, protocol, size_bytes / 1e9))
    }
    held = {pair: parts for pair, parts in found.items() if pair[1] == settings.protocol}
    return held or found


def slowest(
    time: TimeModel, machines: Sequence[Machine], collective: Collective, protocol: Protocol, gigabytes: float
) -> Parts | None:
    """Return the parts of the time on the slowest of several machines; None where one can't run it."""
    found = [time(machine, collective, protocol, gigabytes) for machine in machines]
    known = [parts for parts in found if parts is not None]
    return max(known, key=lambda parts: parts.total) if len(known) == len(found) else None


def fastest_pair(times: Mapping[Pair, Parts]) -> Pair:
    """Return the algorithm and protocol of the least time, of equal ones the first."""
    return min(times, key=lambda pair: times[pair].total)


def choose_pair(
    summary: FabricSummary, collective: Collective, size_bytes: int, times: Mapping[Pair, Parts]
) -> Pair | None:
    """Return the algorithm and protocol of `times` that the library chooses; None where its choice is not known."""
    servers = [each.server for each in summary.each_kind]
    return choose(
        servers, summary.gpus, collective, size_bytes, times, version=summary.library.version, count=summary.servers
    )
