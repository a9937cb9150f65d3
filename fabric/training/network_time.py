"""The time of a training step's collectives on a fabric, all groups of a kind at once, and beside others."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow.algorithm_times import Pair, choose_pair, fastest_pair, list_times, slowest
from fabric.flow.algorithms import Algorithm, algorithm_of
from fabric.flow.collectives import COLLECTIVES, Collective
from fabric.flow.estimate import candidates
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.failover import servers_up
from fabric.flow.jobs import Job, list_checked, middle_phase, place_jobs
from fabric.flow.machine import Machine
from fabric.flow.machines import beyond_one_switch_us, machine_of, sent_bytes, subflows_of
from fabric.flow.router import summarize
from fabric.flow.routings import Routing
from fabric.flow.time_models import Parts
from fabric.flow.transports import USUAL
from fabric.request.parallel import Parallel
from fabric.training.counted_network import CountedNetwork
from fabric.training.counted_sends import time_counted_sends
from fabric.training.flow_network import FlowNetwork
from fabric.training.groups import Group, Run
from fabric.training.message import Message
from fabric.training.message_time import MessageTime
from fabric.training.wire import SENDS, STATES, Wire

__all__ = ["NetworkTime"]

PIPELINE = ("pp",)
"""What the ranks of a pipeline's groups run over."""

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Amounts = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NetworkTime:
    """What a fabric makes of the messages of a run on it."""

    network: CountedNetwork | FlowNetwork
    """The fabric."""
    run: Run
    """Where its ranks stand."""
    qps: int | None = None
    """The queue pairs of a flow; None for the library's."""
    jobs: tuple[Any, ...] = ()
    """What other jobs on the fabric send all the while."""
    _groups: dict[tuple[str, ...], Group] = field(default_factory=dict)
    _chosen: dict[Hashable, tuple[Pair, Algorithm]] = field(default_factory=dict)
    _machines: dict[Hashable, tuple[Machine, float]] = field(default_factory=dict)
    _wires: dict[Hashable, Wire] = field(default_factory=dict)
    _ideal: dict[Hashable, Wire] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        blueprint: Blueprint,
        parallel: Parallel,
        routing: str | Routing = "adaptive",
        *,
        placement: Rows | None = None,
        up: Mask | None = None,
        jobs: Sequence[Job] = (),
    ) -> NetworkTime:
        """Return the times on a blueprint of a run whose ranks stand in order, or on the GPUs that `placement` lists.

        With the name of a routing, flows have the queue pairs of the library and cross to their target's rail by NVLink
        before they leave, as those of NCCL by default since 2.12 (PXN), and of DeepEP; a `Routing` says both. `up` says
        which links are up, shape (links,); the run stands on servers that these still join. The `jobs` have the GPUs
        that they list, or the next ones after the run's. Raises InputError where the run needs more GPUs than there
        are, or another number than are listed, and as `fabric.flow.interference` does.
        """
        if not isinstance(blueprint, Blueprint):
            raise InputError(f"blueprint {blueprint!r:.60}: not a blueprint; give that of a study, study.blueprint")
        summary = summarize(blueprint)
        usual = summary.constants.ecmp_subflows
        routing = routing if isinstance(routing, Routing) else Routing(routing, qps=usual, pxn=True)
        network = _network_of(blueprint, summary, routing, up)
        run = Run(blueprint, parallel, placement, None if up is None else servers_up(blueprint, up))
        run.refuse_unlike_servers()
        qps = None if routing.qps == usual else routing.qps
        return cls(network, run, qps, tuple(_load_jobs(network, run, list_checked(jobs or ()))))

    def time(self, message: Message, beside: Sequence[Message] = ()) -> MessageTime:
        """Return the time of one call that every group of the message's kind makes at once.

        The messages `beside` it are sent all the while; a link that both need is shared fairly between them.
        """
        return self._time(message, beside)

    def ideal(self, message: Message, beside: Sequence[Message] = ()) -> MessageTime:
        """Return the time on an ideal network, which NICs alone limit, beside other messages there.

        No cut is narrow, no flows collide, nothing has failed, there are no other jobs, and all servers are at one
        switch.
        """
        return self._time(message, beside, ideal=True)

    def at_ratios(self, ratios: tuple[float, ...]) -> NetworkTime:
        """Return the least times on a Clos with other bandwidth up from each tier, places being the same."""
        assert isinstance(self.network, CountedNetwork)
        return replace(self, network=self.network.at_ratios(ratios), _wires={})

    def crosses(self, message: Message) -> bool:
        """Return whether a message leaves servers."""
        return self._group(message).domains > 1

    def fullest(self, message: Message, tier: int, sizes: Sequence[int]) -> Amounts | None:
        """Return the part of line rate that a message sends out of the fullest place below a tier, of each size.

        None where it stays in servers, or where these do not divide its groups evenly.
        """
        group = self._group(message)
        if group.domains == 1 or not isinstance(self.network, CountedNetwork):
            return None
        return self.network.fullest(message.collective, group, self._choose(message)[1], tier, sizes)

    def _group(self, message: Message) -> Group:
        if message.group not in self._groups:
            self._groups[message.group] = self.run.group(message.group, self.network.summary)
        return self._groups[message.group]

    def _time(self, message: Message, beside: Sequence[Message], *, ideal: bool = False) -> MessageTime:
        group = self._group(message)
        if group.ranks == 1:
            return MessageTime()
        pair, algorithm = self._choose(message)
        wire = self._wire(message, algorithm, beside, ideal=ideal)
        parts = [self._parts_at(message, pair, wire, "line_s")]
        for before, state in pairwise(STATES):
            same = wire is None or getattr(wire, state) == getattr(wire, before)
            parts.append(parts[-1] if same else self._parts_at(message, pair, wire, state))
        return MessageTime.of(parts, wire, pair)

    def _choose(self, message: Message) -> tuple[Pair, Algorithm]:
        """Return the algorithm and protocol that the library chooses, which knows nothing of the fabric.

        Where its choice is not known, it is the fastest at line rate.
        """
        group, collective, size = self._group(message), _collective(message), _whole_bytes(message)
        key = group.axes, collective.name, size, message.groups, message.copies
        if key not in self._chosen:
            able, library = candidates(group.summary, collective, None), group.summary.library
            times = list_times(
                lambda each: [self._machine(message, each, None, "line_s")], collective, size, able, library
            )
            pair = choose_pair(group.summary, collective, size, times) or fastest_pair(times)
            self._chosen[key] = pair, algorithm_of(collective.name, pair[0])
        return self._chosen[key]

    def _wire(
        self, message: Message, algorithm: Algorithm, beside: Sequence[Message], *, ideal: bool = False
    ) -> Wire | None:
        """Return how long the network takes by an algorithm; None where all is inside servers."""
        group = self._group(message)
        if group.domains == 1 or algorithm.flows is None:
            return None
        others = [each for each in map(self._kind, beside) if each]
        key = (message.collective, group.axes, algorithm.flows, tuple(others))
        found = self._ideal if ideal else self._wires
        if key not in found:
            loads = [self._main_load(*each, failed=not ideal) for each in others]
            if ideal:
                found[key] = self.network.ideal_wire(message.collective, group, algorithm, loads)
                return found[key]
            qps, jobs = self.qps or subflows_of(group.summary), self.jobs
            wire = self.network.wire(message.collective, group, algorithm, qps, [*loads, *jobs])
            average = group.axes == PIPELINE and message.collective in SENDS
            alone = self._wire(message, algorithm, ()) if average and others else None
            found[key] = self._average(message, group, algorithm, qps, wire, alone) if average else wire
        return found[key]

    def _average(
        self, message: Message, group: Group, algorithm: Algorithm, qps: int, slowest: Wire, alone: Wire | None
    ) -> Wire:
        """Return the wire of a pipeline's sends on average over its boundaries, from that of the slowest send.

        Beside other messages they are as they are `alone`, but for what these add.
        """
        if alone is not None:
            return slowest.on_average(alone.fits_s, alone.taken_s, alone.failed_s)
        if isinstance(self.network, CountedNetwork):
            return time_counted_sends(self.network, message.collective, group, qps, slowest)
        return self.network.average_sends(message.collective, group, algorithm, qps, slowest)

    def _kind(self, message: Message) -> tuple[str, tuple[str, ...], Algorithm] | None:
        """Return the collective, the group and the algorithm of a message; None where it does not leave servers."""
        if self._group(message).domains == 1:
            return None
        return message.collective, message.group, self._choose(message)[1]

    def _main_load(self, collective: str, axes: tuple[str, ...], algorithm: Algorithm, *, failed: bool) -> Any:
        """Return the loads of a message's longest phase."""
        loads = self.network.loads(collective, self._groups[axes], algorithm, failed=failed)
        return max(loads, key=lambda each: each.busiest)

    def _parts_at(self, message: Message, pair: Pair, wire: Wire | None, state: str) -> Parts:
        """Return the parts of a message's time where the network takes as long as the state of its wire."""
        collective, algorithm = _collective(message), algorithm_of(_collective(message).name, pair[0])
        machine = self._machine(message, algorithm, wire, state)
        protocol = next(each for each in machine.protocols if each.name == pair[1])
        assert algorithm.time is not None
        found = slowest(algorithm.time, [machine], collective, protocol, _whole_bytes(message) / 1e9)
        assert found is not None
        return found

    def _machine(self, message: Message, algorithm: Algorithm, wire: Wire | None, state: str) -> Machine:
        """Return the machine that an algorithm finds where the network takes as long as the state of `wire` says."""
        group = self._group(message)
        machine, line_s = self._line_machine(message, algorithm)
        share, limit, switches = 1.0, "NIC", 1.0
        if wire is not None:
            share, limit, switches = line_s / getattr(wire, state), wire.limit(state), wire.switches
        own = (group.summary.server.nic_us or 0.0) + beyond_one_switch_us(group.summary, switches)
        machine = replace(machine, network=machine.network * share, network_limit=limit, extra_us=own)
        return self._forwarded(message, machine)

    def _line_machine(self, message: Message, algorithm: Algorithm) -> tuple[Machine, float]:
        """Return the machine at line rate, and the seconds at line rate of a byte of what a closed form has sent."""
        group, collective = self._group(message), _collective(message)
        key = group.axes, collective.name, algorithm.name
        if key not in self._machines:
            summary = group.summary
            transport = self.network.routing.delivery.share if group.domains > 1 else 1.0
            machine = machine_of(summary, (transport, "NIC"), algorithm.traffic, in_order=True)
            line = summary.server.nics * summary.planes * summary.link_gbps / 8e-9
            self._machines[key] = machine, sent_bytes(summary, collective, algorithm) / line
        return self._machines[key]

    def _forwarded(self, message: Message, machine: Machine) -> Machine:
        """Return the machine as an all-to-all finds it whose tokens cross the network once for each server.

        NVLink then passes them on to every expert there, as in DeepSeek-V3 (arXiv:2412.19437, section 3.2.2).
        """
        if machine.domains == 1:
            return machine
        crossing = message.servers(machine.domains) / message.copies
        if crossing >= 1:
            return machine
        return replace(machine, network=machine.network / crossing, nvlink=machine.nvlink / machine.domains)


def _collective(message: Message) -> Collective:
    return COLLECTIVES["send-recv" if message.collective == "send" else message.collective]


def _whole_bytes(message: Message) -> int:
    return max(1, math.ceil(message.size_bytes))


def _network_of(
    blueprint: Blueprint, summary: FabricSummary, routing: Routing, up: Mask | None
) -> CountedNetwork | FlowNetwork:
    """Return the fabric as messages find it: counted on a Clos by a routing with a closed form, or else by flows."""
    counted = blueprint.topology.ratios_are_cuts and not blueprint.kinds
    closed = routing.policy.closed_form and routing.transport == USUAL
    return (CountedNetwork if counted and closed else FlowNetwork)(blueprint, summary, routing, up)


def _load_jobs(network: CountedNetwork | FlowNetwork, run: Run, jobs: Sequence[Job]) -> Iterator[Any]:
    """Yield what each job sends on the GPUs that it lists, or that follow those of the run."""
    if not jobs:
        return
    blueprint, up, pxn = network.blueprint, network.up, network.routing.pxn
    own, *others = place_jobs(blueprint, [Job("the run", run.gpus), *jobs], "contiguous", 0)
    assert len(own) == run.parallel.gpus
    for job, gpus in zip(jobs, others, strict=True):
        phase = middle_phase(blueprint, job, gpus, up, pxn=pxn)
        yield from network.count_job(phase)
