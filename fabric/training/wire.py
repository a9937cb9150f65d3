"""How long the network carries the flows of a message, healthy and in closed form, for each byte of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow.algorithms import Algorithm
from fabric.flow.collectives import COLLECTIVES
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.host_links import line_gbps
from fabric.flow.router import router_of
from fabric.flow.routings import Routing
from fabric.flow.subflows import Subflows
from fabric.flow.tiered_links import TieredLinks
from fabric.flow.tiered_router import TieredRouter
from fabric.training.groups import Group
from fabric.training.link_loads import LinkLoads, count_all_pairs, count_flows, lay_phases, send_to_next
from fabric.training.server_loads import ServerCounts

__all__ = ["STATES", "CountedNetwork", "Wire"]

SENDS = {"send": False, "send-recv": True}
"""Messages from each rank to the next of its group, and whether the last sends to the first."""

SAME = 1e-9
"""Times that differ relatively by less than this are equal."""

STATES = {"line_s": "NIC", "fits_s": "oversubscription", "taken_s": "collisions", "shared_s": "contention"}
"""The times of a wire, each with what comes before it, and what limits a network that takes longer by it."""


@dataclass(frozen=True)
class Wire:
    """The seconds for each byte of a message that the network takes, without latency, and the switches of its paths."""

    line_s: float
    """Those at the line rate of the busiest NIC."""
    fits_s: float
    """Those through the narrowest cut, if no flows collided."""
    taken_s: float
    """Those that the flows take, healthy and alone."""
    shared_s: float
    """Those beside other messages."""
    switches: float
    """The switches of a path: the mean of a ring, and otherwise the most."""

    def limit(self, state: str) -> str:
        """Return what limits the network up to the time `state`: the last of STATES by which it takes longer."""
        found, before = STATES["line_s"], self.line_s
        for name, limit in STATES.items():
            if getattr(self, name) > before * (1 + SAME):
                found, before = limit, getattr(self, name)
            if name == state:
                break
        return found


@dataclass(frozen=True, eq=False)
class CountedNetwork:
    """A healthy Clos on which messages are counted, group by group, in closed form."""

    blueprint: Blueprint
    """The fabric."""
    summary: FabricSummary
    """The fabric as closed forms see it."""
    routing: Routing
    """How flows take paths."""
    counted: dict[tuple[Any, ...], list[LinkLoads]] = field(default_factory=dict)
    """The loads so far, by collective, group and algorithm's flows."""

    @cached_property
    def links(self) -> TieredLinks:
        """The links as arithmetic."""
        router = router_of(self.blueprint)
        assert isinstance(router, TieredRouter)
        return router.links

    @cached_property
    def capacity(self) -> list[npt.NDArray[np.float64]]:
        """The bytes per second of each equal-cost group, bundle by bundle, the host links first."""
        links = self.links
        ends = [layer.first_group for layer in links.layers[1:]]
        return np.split(links.group_links * links.group_gbps * 1e9 / 8, ends)

    def loads(self, collective: str, group: Group, algorithm: Algorithm) -> list[LinkLoads]:
        """Return the loads of a collective, or a `send`, in every group by an algorithm, phase by phase."""
        key = collective, group.axes, algorithm.flows
        if key not in self.counted:
            whole = self._count_servers(collective, group, algorithm)
            self.counted[key] = whole or self._count_flows(collective, group, algorithm)
        return self.counted[key]

    @property
    def _beside(self) -> bool:
        """Whether data goes by NVLink to the rail of its target before it leaves."""
        return self.routing.pxn or not self.blueprint.topology.rails_meet_at

    def _count_servers(self, collective: str, group: Group, algorithm: Algorithm) -> list[LinkLoads]:
        """Return the loads from server to server; none where they depend on the GPU."""
        if group.servers is None:
            return []
        counts = ServerCounts(self.links, group.run.hosts, group.servers)
        if collective in SENDS:
            # Of several ranks in a server only the last sends to another.
            return [counts.send(around=SENDS[collective])] if counts.each == 1 else []
        if COLLECTIVES[collective].all_pairs:
            return [counts.pairs(beside=self._beside)]
        return counts.lay(COLLECTIVES[collective], algorithm)

    def _count_flows(self, collective: str, group: Group, algorithm: Algorithm) -> list[LinkLoads]:
        """Return the loads of the flows between GPUs."""
        hosts, gpus = group.run.hosts, group.gpus
        if collective in SENDS:
            phases = [send_to_next(hosts, gpus, around=SENDS[collective])]
        elif COLLECTIVES[collective].all_pairs:
            return [count_all_pairs(self.links, hosts, gpus, beside=self._beside)]
        else:
            phases = lay_phases(hosts, gpus, COLLECTIVES[collective], algorithm)
        return count_flows(self.blueprint, self.links, phases, pxn=self.routing.pxn)

    def wire(
        self,
        loads: list[LinkLoads],
        algorithm: Algorithm,
        qps: int,
        others: list[LinkLoads],
    ) -> Wire:
        """Return how long the network takes for loads, phase by phase, beside `others`, each by `qps` queue pairs."""
        line, fits, taken, shared = 0.0, 0.0, 0.0, 0.0
        for load in loads:
            own = self._line_s(load)
            fit, hashed = max(own, self._fits_s(load)), self._hashed_s(load, algorithm, qps)
            line, fits, taken = line + own, fits + fit, taken + max(fit, hashed)
            shared += max(fit, hashed) if not others else self._share(load, algorithm, qps, others)
        paths = loads[0]
        switches = paths.switches(self.summary.steps, longest=not algorithm.traffic.ring)
        return Wire(line, fits, taken, shared, switches)

    def _line_s(self, load: LinkLoads) -> float:
        return load.busiest * 8e-9 / line_gbps(self.blueprint)

    def _fits_s(self, load: LinkLoads) -> float:
        return max(float((each / capacity).max()) for each, capacity in zip(load.layers, self.capacity, strict=True))

    def _hashed_s(self, load: LinkLoads, algorithm: Algorithm, qps: int) -> float:
        share = self.routing.policy.slowest_share
        if share is None:
            raise InputError(f"{self.routing.policy.label} routing has no closed form; use explicit flows")
        sent = Subflows(algorithm.traffic.queue_pairs(qps), load.partners)
        return self._line_s(load) / share(self.summary, load.step(self.summary), sent)

    def _share(self, load: LinkLoads, algorithm: Algorithm, qps: int, others: list[LinkLoads]) -> float:
        """Return the time of loads beside others whose busiest NICs would send as much at the same time.

        All rates of a message go together, since its slowest flow holds up the others, and grow alike until a link is
        full (max-min fairness); the messages that use it keep their rate, and the others have what is left.
        """
        every = [each.scaled(1 / each.busiest) for each in (load, *others)]
        rates = self._fair_rates(every)
        together = every[0]
        for each in every[1:]:
            together = together.beside(each)
        collide = max(1.0, self._hashed_s(together, algorithm, qps) / self._fits_s(together))
        return load.busiest / rates[0] * collide

    def _fair_rates(self, loads: list[LinkLoads]) -> list[float]:
        """Return the max-min fair rate of the busiest NIC of each message in bytes per second."""
        rates, left = dict[int, float](), set(range(len(loads)))
        while left:
            level = np.inf
            for layer, capacity in enumerate(self.capacity):
                waiting = sum(loads[each].layers[layer] for each in left)
                used = sum(loads[each].layers[layer] * rate for each, rate in rates.items())
                with np.errstate(divide="ignore", invalid="ignore"):
                    room = np.where(waiting > 0, (capacity - used) / waiting, np.inf)
                level = min(level, float(room.min()))
            full = {each for each in left if self._is_full(loads, each, left, rates, level)}
            rates |= dict.fromkeys(full, level)
            left -= full
        return [rates[each] for each in range(len(loads))]

    def _is_full(self, loads: list[LinkLoads], own: int, left: set[int], rates: dict[int, float], level: float) -> bool:
        """Return whether a message uses a link that is full where the messages left have the rate `level`."""
        for layer, capacity in enumerate(self.capacity):
            at = dict.fromkeys(left, level) | rates
            used = sum(loads[each].layers[layer] * rate for each, rate in at.items())
            if ((used >= capacity * (1 - 1e-9)) & (loads[own].layers[layer] > 0)).any():
                return True
        return False
