"""The time of a training step's collectives on a fabric, all groups of a kind at once, and beside others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow.algorithm_times import Pair, choose_pair, fastest_pair, list_times, slowest
from fabric.flow.algorithms import Algorithm, algorithm_of
from fabric.flow.collectives import COLLECTIVES, Collective
from fabric.flow.estimate import candidates
from fabric.flow.machine import Machine
from fabric.flow.machines import beyond_one_switch_us, machine_of, sent_bytes, subflows_of
from fabric.flow.router import summarize
from fabric.flow.routings import Routing
from fabric.flow.time_models import Parts
from fabric.presented import Presented
from fabric.request.parallel import Parallel
from fabric.training.groups import Group, Run
from fabric.training.link_loads import LinkLoads
from fabric.training.message import Message
from fabric.training.wire import STATES, CountedNetwork, Wire

__all__ = ["MessageTime", "NetworkTime"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MessageTime(Presented):
    """The time of one call of a message, which every group of its kind makes at once, and what it is made of."""

    total_s: float = 0.0
    """The seconds of the call: the sum of the parts below."""
    latency_s: float = 0.0
    """The part that its steps take whatever their size, and until pipelines are full."""
    bandwidth_s: float = 0.0
    """The part that its bytes take on NVLink and at the line rate of NICs."""
    oversubscription_s: float = 0.0
    """What is added by cuts that are narrower than the NICs below them."""
    collisions_s: float = 0.0
    """What is added by flows that a hash puts on one link."""
    contention_s: float = 0.0
    """What is added by the messages beside it."""
    limited_by: str = ""
    """What takes the most time, as in `fabric.flow.Estimate`; empty for a group of one rank."""
    share: float = 1.0
    """The share of line rate that is left to its slowest NIC."""
    algorithm: str = ""
    """The algorithm that the library chooses."""
    protocol: str = ""
    """The protocol that it chooses."""


@dataclass(frozen=True, eq=False)
class NetworkTime:
    """What a fabric makes of the messages of a run on it."""

    network: CountedNetwork
    """The fabric."""
    run: Run
    """Where its ranks stand."""
    qps: int | None = None
    """The queue pairs of a flow; None for the library's."""
    _groups: dict[tuple[str, ...], Group] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        blueprint: Blueprint,
        parallel: Parallel,
        routing: str = "adaptive",
        *,
        qps: int | None = None,
        pxn: bool = False,
        placement: Rows | None = None,
    ) -> NetworkTime:
        """Return the times on a blueprint of a run whose ranks stand in order, or on the GPUs that `placement` lists.

        Raises InputError where the run needs more GPUs than there are, or another number than are listed.
        """
        if not isinstance(blueprint, Blueprint):
            raise InputError(f"blueprint {blueprint!r:.60}: not a blueprint; give that of a study, study.blueprint")
        network = CountedNetwork(blueprint, summarize(blueprint), Routing(routing, pxn=pxn))
        return cls(network, Run(blueprint, parallel, placement), qps)

    def time(self, message: Message, beside: Sequence[Message] = ()) -> MessageTime:
        """Return the time of one call that every group of the message's kind makes at once.

        The messages `beside` it are sent all the while; a link that both need is shared fairly between them.
        """
        if self._group(message).ranks == 1:
            return MessageTime()
        others = [self._main_load(each) for each in beside]
        return self._time(message, [each for each in others if each is not None])

    def ideal(self, message: Message) -> MessageTime:
        """Return the time on an ideal network, which NICs alone limit.

        No cut is narrow, no flows collide, and all servers are at one switch.
        """
        if self._group(message).ranks == 1:
            return MessageTime()
        return self._time(message, [], ideal=True)

    def _group(self, message: Message) -> Group:
        if message.group not in self._groups:
            self._groups[message.group] = self.run.group(message.group, self.network.summary)
        return self._groups[message.group]

    def _main_load(self, message: Message) -> LinkLoads | None:
        """Return the loads of a message's longest phase by the algorithm that the library chooses; None without any."""
        group = self._group(message)
        if group.domains == 1:
            return None
        algorithm = algorithm_of(_collective(message).name, self._time(message, []).algorithm)
        return max(self._loads(message, algorithm), key=lambda each: each.busiest)

    def _loads(self, message: Message, algorithm: Algorithm) -> list[LinkLoads]:
        return self.network.loads(message.collective, self._group(message), algorithm)

    def _wire(self, message: Message, algorithm: Algorithm, others: list[LinkLoads]) -> Wire | None:
        """Return how long the network takes by an algorithm; None where all is inside servers."""
        group = self._group(message)
        if group.domains == 1 or algorithm.flows is None:
            return None
        qps = self.qps or subflows_of(group.summary)
        return self.network.wire(self._loads(message, algorithm), algorithm, qps, others)

    def _time(self, message: Message, others: list[LinkLoads], *, ideal: bool = False) -> MessageTime:
        group, collective = self._group(message), _collective(message)
        size = max(1, math.ceil(message.size_bytes))
        wires = {each.name: self._wire(message, each, others) for each in candidates(group.summary, collective, None)}

        def parts_at(pair: Pair, part: str) -> Parts:
            machine = self._machine(message, wires[pair[0]], pair[0], part, ideal=ideal)
            protocol = next(each for each in machine.protocols if each.name == pair[1])
            algorithm = algorithm_of(collective.name, pair[0])
            assert algorithm.time is not None
            found = slowest(algorithm.time, [machine], collective, protocol, size / 1e9)
            assert found is not None
            return found

        times = list_times(
            lambda algorithm: [self._machine(message, wires[algorithm.name], algorithm.name, "line_s", ideal=ideal)],
            collective, size, [algorithm_of(collective.name, name) for name in wires], group.summary.library,
        )  # fmt: skip
        pair = choose_pair(group.summary, collective, size, times) or fastest_pair(times)
        line = parts_at(pair, "line_s")
        if ideal:
            return _add_up([line, line, line, line], wires[pair[0]], pair)
        return _add_up([parts_at(pair, part) for part in STATES], wires[pair[0]], pair)

    def _machine(self, message: Message, wire: Wire | None, name: str, part: str, *, ideal: bool) -> Machine:
        """Return the machine that an algorithm finds where the network takes as long as the part of `wire` says."""
        group, collective = self._group(message), _collective(message)
        summary, algorithm = group.summary, algorithm_of(collective.name, name)
        share, limit, switches = 1.0, "NIC", 1.0
        if wire is not None:
            line = summary.server.nics * summary.planes * summary.link_gbps / 8e-9
            share = sent_bytes(summary, collective, algorithm) / line / getattr(wire, part)
            limit = wire.limit(part)
            switches = 1.0 if ideal else wire.switches
        transport = self.network.routing.policy.transport_share() if group.domains > 1 else 1.0
        machine = machine_of(summary, (transport * share, limit), algorithm.traffic, in_order=True)
        own = (summary.server.nic_us or 0.0) + beyond_one_switch_us(summary, switches)
        return self._forwarded(message, replace(machine, extra_us=own))

    def _forwarded(self, message: Message, machine: Machine) -> Machine:
        """Return the machine as an all-to-all finds it whose tokens cross the network once for each server.

        NVLink then passes them on to every expert there, as in DeepSeek-V3 (arXiv:2412.19437, section 3.2.2).
        """
        if message.node_limit is None or machine.domains == 1:
            return machine
        crossing = min(message.node_limit, machine.domains) / message.copies
        if crossing >= 1:
            return machine
        return replace(machine, network=machine.network / crossing, nvlink=machine.nvlink / machine.domains)


def _collective(message: Message) -> Collective:
    return COLLECTIVES["send-recv" if message.collective == "send" else message.collective]


def _add_up(parts: list[Parts], wire: Wire | None, pair: Pair) -> MessageTime:
    """Return the time of a message from its parts at line rate, through cuts, with collisions, and beside others."""
    totals = [each.total for each in parts]
    at_line = totals[0] - parts[0].latency - parts[0].filling
    fits, taken, shared = (late - early for early, late in pairwise(totals))
    return MessageTime(
        total_s=totals[-1],
        latency_s=totals[-1] - at_line - fits - taken - shared,
        bandwidth_s=at_line,
        oversubscription_s=fits,
        collisions_s=taken,
        contention_s=shared,
        limited_by=parts[-1].limit,
        share=wire.line_s / wire.shared_s if wire and parts[-1] is not parts[0] else 1.0,
        algorithm=pair[0],
        protocol=pair[1],
    )
