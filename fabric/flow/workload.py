"""One question about a collective on a fabric: what runs where and how, and the answer by closed form or by flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.catalog import collectives
from fabric.errors import FabricError, InputError, nearest, whole
from fabric.flow.bounds import cut_bound, lp_bound
from fabric.flow.estimate import LIBRARY, ORDERS, Estimate, estimate, given, shares_of, usable
from fabric.flow.failures import fail, failover, live_servers, nics_left
from fabric.flow.lattice import Lattice
from fabric.flow.placement import on_live, place
from fabric.flow.routes import Routing
from fabric.flow.shape import Shape
from fabric.flow.shares import Shares, shares
from fabric.flow.traffic import FLOWS_OF, TRAFFIC, Phase, phases

__all__ = ["ENGINES", "Answer", "Bounds", "Workload", "answer"]

ENGINES = ("closed", "flows", "lp")
"""In closed form; max-min fair rates of explicit flows; and what the best of all routings would leave."""

QUICK_PROGRAM = 40_000
"""The variables of the largest linear program that is solved without being asked for: about a second."""

ROUNDS = 8
"""The rounds of a pairwise all-to-all that are laid out, spread over all of them."""


@dataclass(frozen=True)
class Workload:
    """A collective on `gpus` GPUs of a design (by default all), and how it is placed, routed and disturbed.

    `failures` are words of `flow.fail`, `seed` draws them and a random placement; `stride` is of a strided one. The
    engine is one of ENGINES; left out, closed form where flows agree with it, and flows elsewhere.
    """

    collective: str = "all-reduce"
    gpus: int | None = None
    algorithm: str | None = None
    routing: Routing = field(default_factory=lambda: Routing(qps=collectives().ecmp_subflows))
    placement: str = "random"
    stride: int = 8
    seed: int = 0
    failures: tuple[str, ...] = ()
    engine: str | None = None

    def __post_init__(self) -> None:
        """Raise InputError for what is of no use as a field."""
        if self.gpus is not None and not whole(self.gpus, 1):
            raise InputError(f"gpus {self.gpus!r:.40} is no whole, positive number")
        if not isinstance(self.routing, Routing):
            raise InputError(f"routing {self.routing!r:.40} is no Routing; write for example Routing('ecmp', qps=4)")
        if not isinstance(self.failures, tuple) or not all(isinstance(word, str) for word in self.failures):
            raise InputError(f"failures {self.failures!r:.40} are no tuple of words, such as ('leaf:3',)")
        if not whole(self.seed, 0):
            raise InputError(f"seed {self.seed!r:.40} is no whole number from 0")

    @property
    def explicit(self) -> str:
        """The engine that answers.

        By default the closed form of all GPUs in random order, as the collective's algorithms use the fabric alike.
        """
        plain = self.placement == "random" and not self.failures and self.gpus is None and not self.routing.pxn
        usual = self.routing.name == "ecmp" and self.routing.qps == collectives().ecmp_subflows
        return self.engine or ("closed" if plain and (usual or self.routing.name == "adaptive") else "flows")


@dataclass(frozen=True)
class Answer:
    """An estimate with where it ran and the share of line rate that its flows get, the mean and the slowest.

    `groups` run the collective at the same time, each on
    the estimate's GPUs, and `lost` GPUs are in servers that failures cut off: the collective runs without them.
    """

    estimate: Estimate
    engine: str
    mean: float
    min: float
    groups: int = 1
    lost: int = 0


@dataclass(frozen=True)
class Bounds:
    """The shares of line rate beyond which no routing of an algorithm's flows gets; None for what is not known.

    The algorithm is that of the largest size.
    """

    algorithm: str
    lp: float | None
    cut: float


def answer(blueprint: Blueprint, workload: Workload, sizes: Sequence[int]) -> tuple[tuple[Answer, ...], Bounds]:
    """Answer `workload` for each of `sizes`, with the bounds of its flows.

    Raises InputError for unknown words, and for what closed forms can't say, and TooLarge as `phases` and `route` do.
    """
    engine = workload.explicit
    if not sizes:
        raise InputError("no sizes; give one or more, in bytes")
    if engine not in ENGINES:
        raise InputError(f"no engine '{engine}'{nearest(engine, ENGINES)}")
    if engine == "closed":
        _refuse_in_closed_form(workload)
        return _closed(Shape.of(blueprint).first(workload.gpus), workload, sizes)
    return _by_flows(blueprint, workload, sizes)


def _refuse_in_closed_form(workload: Workload) -> None:
    routing = workload.routing
    reasons = {
        "failures": bool(workload.failures),
        f"the placement {workload.placement}": workload.placement not in ORDERS,
        "random placement of some of the GPUs": workload.placement == "random" and workload.gpus is not None,
        routing.name: routing.name == "dmodk",
        f"{routing.qps} queue pairs": routing.name == "ecmp" and routing.qps != collectives().ecmp_subflows,
        "pxn": routing.pxn,
    }
    if found := [what for what, there in reasons.items() if there]:
        raise InputError(f"engine closed: there is no closed form of {' and '.join(found)}; take flows")


def _closed(shape: Shape, workload: Workload, sizes: Sequence[int]) -> tuple[tuple[Answer, ...], Bounds]:
    routing, place = workload.routing.name, workload.placement
    found, cut = [], 1.0
    for size in sizes:
        each = estimate(shape, workload.collective, size, routing, workload.algorithm, place)
        mean, least, cut = shares_of(shape, routing, each.algorithm, place) if shape.servers > 1 else (1.0, 1.0, 1.0)
        found.append(Answer(each, "closed", mean, least))
    return tuple(found), Bounds(found[-1].estimate.algorithm, None, cut)


def _by_flows(blueprint: Blueprint, workload: Workload, sizes: Sequence[int]) -> tuple[tuple[Answer, ...], Bounds]:
    """Answer by the flows of every algorithm that may be the fastest, each solved once for all sizes."""
    up = fail(blueprint, workload.failures, workload.seed) if workload.failures else None
    asked = place(blueprint, workload.placement, workload.gpus, seed=workload.seed, stride=workload.stride)
    gpus = asked if up is None else on_live(asked, live_servers(blueprint, up), blueprint.server.gpus)
    if not gpus.size:
        raise InputError(f"after {', '.join(workload.failures)} no server is left to run on")
    groups = len(np.atleast_2d(gpus))
    shape = Shape.of(blueprint).first(gpus.size).group(groups)
    names = [name for name in usable(shape, workload.collective) if name in LIBRARY]
    names = [workload.algorithm] if workload.algorithm else names
    traffic = {name: _traffic(blueprint, workload, name, gpus, up) for name in names}
    got = {name: _shares(blueprint, each, workload, up) for name, each in traffic.items()}
    found = []
    for size in sizes:
        every = [(_estimate(shape, workload, name, size, got[name], up), name) for name in names]
        best, name = min(every, key=lambda pair: pair[0].time_s)
        mean, least = (min(_transport(workload), share) for share in (got[name].mean, got[name].min))
        lost = asked.size - gpus.size
        found.append(Answer(best, workload.explicit, mean, least, groups, lost))
    name = found[-1].estimate.algorithm
    lp, cut = _bounds(blueprint, traffic[name], workload, up)
    return tuple(found), Bounds(name, got[name].min if workload.explicit == "lp" else lp, cut)


def _traffic(
    blueprint: Blueprint, workload: Workload, name: str, gpus: npt.NDArray[Any], up: npt.NDArray[Any] | None
) -> list[Phase]:
    """Return the phases of an algorithm's flows between `gpus`; none where it stays inside a server."""
    key = (workload.collective, FLOWS_OF.get(name, name))
    if key not in TRAFFIC:
        return []
    found = [each for each in phases(blueprint.server, gpus, *key, rounds=ROUNDS) if each.flows]
    if up is None:
        return found
    left, nics = nics_left(blueprint, up), Lattice(blueprint).nics
    return [failover(each, left, nics) for each in found]


def _shares(blueprint: Blueprint, traffic: list[Phase], workload: Workload, up: npt.NDArray[Any] | None) -> Shares:
    if workload.explicit == "flows":
        return shares(blueprint, traffic, workload.routing, up)
    if not traffic:
        return Shares(1.0, 1.0, 0.0, 0, 0)
    least = _over_phases(traffic, [lp_bound(blueprint, phase, up, pxn=workload.routing.pxn) for phase in traffic])
    return Shares(least, least, 0.0, sum(phase.flows for phase in traffic), 0)


def _transport(workload: Workload) -> float:
    """Return the share of line rate that the transport leaves of what the links could carry."""
    return collectives().adaptive_share if workload.routing.name == "adaptive" else collectives().nic_share


def _estimate(
    shape: Shape, workload: Workload, name: str, size: int, got: Shares, up: npt.NDArray[Any] | None
) -> Estimate:
    """Estimate one algorithm with what its flows get; without any path it never ends."""
    if got.min == 0:
        raise InputError(
            f"{got.apart:,} of {got.flows:,} flows have no path left after {', '.join(workload.failures)};"
            " the collective never ends"
        )
    left = min(_transport(workload), got.min)
    limit = _limit(workload, got, up)
    found = given(shape, workload.collective, size, name, workload.placement, (left, limit))
    return replace(found, routing=workload.routing.name, placement=workload.placement)


def _limit(workload: Workload, got: Shares, up: npt.NDArray[Any] | None) -> str:
    """Return what holds the slowest flow back."""
    if got.min >= _transport(workload):
        return "NIC"
    if up is not None:
        return "failures"
    return "oversubscription" if workload.routing.name == "adaptive" or workload.explicit == "lp" else "collisions"


def _bounds(
    blueprint: Blueprint, traffic: list[Phase], workload: Workload, up: npt.NDArray[Any] | None
) -> tuple[float | None, float]:
    """Return the bounds of the phases one after another, LP and cut; programs that are not quick are left out."""
    if not traffic:
        return 1.0, 1.0
    pxn = workload.routing.pxn
    cut = _over_phases(traffic, [cut_bound(blueprint, phase, up, pxn=pxn) for phase in traffic])
    most = QUICK_PROGRAM // len(traffic)
    try:
        return _over_phases(traffic, [lp_bound(blueprint, each, up, pxn=pxn, most=most) for each in traffic]), cut
    except FabricError:
        return None, cut


def _over_phases(traffic: list[Phase], shares_: list[float]) -> float:
    """Return the share over phases one after another: their time at line rate over that at these shares."""
    if not all(shares_):
        return 0.0
    waited = sum(phase.busiest / share for phase, share in zip(traffic, shares_, strict=True))
    return sum(phase.busiest for phase in traffic) / waited
