"""The estimate of a workload: a collective, how its ranks are placed and routed, and what failures disturb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.catalog import LibrarySettings, collectives
from fabric.errors import InputError, is_whole, nearest
from fabric.flow.algorithms import algorithm_of
from fabric.flow.checked_arrays import read_numbers, refuse_duplicates, refuse_out_of_range
from fabric.flow.closed_form import ClosedForm
from fabric.flow.collective_bound import CollectiveBound, bound_collective
from fabric.flow.collectives import COLLECTIVES
from fabric.flow.engine_choice import choose_engine, closed_form_of, is_near, list_solvable
from fabric.flow.engines import CLOSED, ENGINES, FLOWS, Engine
from fabric.flow.estimate import (
    Estimate,
    doubt,
    estimate,
    estimate_in_closed_form,
    with_expected_error,
)
from fabric.flow.explicit_flows import Bounds, ExplicitFlows, NoPath
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.failover import servers_up
from fabric.flow.failures import fail
from fabric.flow.flow_work import work_of_flows
from fabric.flow.graph_shares import deviation_of
from fabric.flow.machines import LibraryUse, library_use, subflows_of
from fabric.flow.placements import NO_GPUS, PLACEMENTS, Placement, place, without_failed
from fabric.flow.router import FEWER_FLOWS, summarize
from fabric.flow.routings import Routing
from fabric.frozen import as_integers
from fabric.frozen_columns import FrozenColumns
from fabric.presented import Presented
from fabric.resources import refuse_excess

__all__ = [
    "Answer",
    "Workload",
    "answer_by_flows",
    "bound_flows",
    "estimate_all",
    "estimate_workload",
    "lay_flows",
    "place_ranks",
    "read_sizes",
    "refuse_long_runs",
    "refuse_mistaken",
]


@dataclass(frozen=True, eq=False)
class Workload(FrozenColumns):
    """A collective on GPUs of a design, and how it is placed, routed and disturbed.

    Raises InputError for a value of the wrong type, for an unknown name, for an algorithm that does not implement the
    collective, and with the first element of a placement that is not a GPU's number or stands there before.
    """

    collective: str = "all-reduce"
    """The name of the collective, one of COLLECTIVES."""
    gpus: int | None = None
    """The number of GPUs; None for all of the design's, or those that the placement lists."""
    algorithm: str | None = None
    """The name of the algorithm, one of ALGORITHMS; None for the fastest that NCCL chooses from."""
    routing: Routing = field(default_factory=lambda: Routing(qps=collectives().ecmp_subflows))
    """How flows take paths."""
    placement: str | npt.NDArray[np.int64] = "random"
    """How ranks are placed: one of PLACEMENTS, or the GPU of each rank as a list or an array of shape (ranks,).

    Of shape (groups, ranks) where several groups run the collective at the same time.
    """
    stride: int = 8
    """The stride of a strided placement."""
    seed: int = 0
    """The seed of placements and failures."""
    failures: tuple[str, ...] = ()
    """What has failed, in words of `fabric.flow.fail`."""
    library: LibrarySettings = field(default_factory=LibrarySettings)
    """What is set of the collective library, before what the design sets."""
    engine: str | None = None
    """The name of the engine, one of ENGINES; None for the closed form where flows agree with it, else flows."""

    def __post_init__(self) -> None:
        """Raise InputError as the class says."""
        self._check_numbers()
        if not isinstance(self.routing, Routing):
            raise InputError(f"routing {self.routing!r:.40}: not a Routing; write for example Routing('ecmp', qps=4)")
        if not isinstance(self.failures, tuple) or not all(isinstance(word, str) for word in self.failures):
            raise InputError(f"failures {self.failures!r:.40}: not a tuple of words, such as ('leaf:3',)")
        COLLECTIVES.get_record(self.collective)
        if isinstance(self.placement, str):
            PLACEMENTS.get_record(self.placement)
        else:
            self._read_placement()
        if self.algorithm is not None:
            algorithm_of(self.collective, self.algorithm)
        if self.engine is not None and self.engine not in ENGINES:
            raise InputError(f"unknown engine '{self.engine}'{nearest(self.engine, ENGINES)}")
        super().__post_init__()

    def _check_numbers(self) -> None:
        """Check the whole numbers, and keep them as Python's."""
        for name, least in (("gpus", 1), ("stride", 1), ("seed", 0)):
            value = getattr(self, name)
            if not (is_whole(value, least) or (name == "gpus" and value is None)):
                raise InputError(f"{name} {value!r:.40}: not a whole number from {least}")
        as_integers(self, "gpus", "stride", "seed")

    def _read_placement(self) -> None:
        """Check the GPUs that the placement lists, and take their number."""
        placed = read_numbers(self.placement, "placement", most_dims=2)
        refuse_duplicates(placed, "placement", "GPU")
        if not placed.size:
            raise InputError("placement: no GPUs; list one or more")
        if self.gpus not in (None, placed.size):
            raise InputError(f"gpus {self.gpus:,}: the placement lists {placed.size:,}; leave gpus out")
        object.__setattr__(self, "placement", placed)
        object.__setattr__(self, "gpus", placed.size)

    @property
    def order(self) -> Placement:
        """The record of its placement; one of its own where the placement lists the GPUs."""
        placed = self.placement
        return PLACEMENTS[placed] if isinstance(placed, str) else Placement("listed", "as listed", lambda _: placed)


@dataclass(frozen=True)
class Answer(Presented):
    """An estimate with what its flows get."""

    estimate: Estimate
    """The estimate."""
    engine: str
    """The name of the engine."""
    mean: float
    """The mean share of line rate over the flows."""
    min: float
    """The share of line rate of the slowest flow."""
    groups: int = 1
    """The groups that run the collective at the same time, each on the estimate's GPUs."""
    lost: int = 0
    """The GPUs in servers that failures cut off: the collective runs without them."""
    qps: int = 1
    """The queue pairs of a flow, where each is hashed on its own."""
    library: LibraryUse | None = field(default=None, repr=False)
    """The collective library that the estimate assumes."""
    deviation: float | None = None
    """The factor within which flows are of a closed form that is only near them; None where it agrees, and of flows."""


def estimate_all(
    blueprint: Blueprint, collective: str, sizes: Sequence[int], routing: str = "adaptive", algorithm: str | None = None
) -> tuple[Estimate, ...]:
    """Estimate a collective of each size over all GPUs in random order.

    Flows estimate unlike servers, routings without a closed form, and direct networks where theirs does not hold.
    """
    workload = Workload(collective, routing=Routing(routing, qps=collectives().ecmp_subflows), algorithm=algorithm)
    alike = blueprint.topology.ratios_are_cuts and not blueprint.kinds
    if alike and workload.routing.policy.closed_form:
        return tuple(estimate(blueprint, collective, size, routing, algorithm) for size in sizes)
    return tuple(answer.estimate for answer in estimate_workload(blueprint, workload, sizes)[0])


def read_sizes(sizes: Any) -> Sequence[int]:
    """Return sizes, of an array as a list; raises InputError for none. Each is checked where it is estimated."""
    sizes = sizes.tolist() if isinstance(sizes, np.ndarray) else sizes
    if not isinstance(sizes, Sequence):
        raise InputError(f"sizes {sizes!r:.40}: not a list of sizes in bytes; write for example [2**30]")
    if not sizes:
        raise InputError("no sizes; give one or more, in bytes")
    return sizes


def refuse_mistaken(blueprint: object, workload: object) -> None:
    """Raise InputError for what is not a blueprint and a workload, such as a study in place of its blueprint."""
    if not isinstance(blueprint, Blueprint):
        raise InputError(f"blueprint {blueprint!r:.60}: not a blueprint; give that of a study, study.blueprint")
    if not isinstance(workload, Workload):
        raise InputError(f"workload {workload!r:.60}: not a workload; write for example Workload(placement='random')")


def estimate_workload(
    blueprint: Blueprint, workload: Workload, sizes: Sequence[int]
) -> tuple[tuple[Answer, ...], Bounds]:
    """Estimate `workload` for each of `sizes` in bytes, with bounds on its flows and the collective, solved when read.

    Raises InputError where the engine can't estimate it, and TooLarge as `phases` and `route` do.
    """
    refuse_mistaken(blueprint, workload)
    sizes = read_sizes(sizes)
    if not blueprint.gpus:
        raise InputError(f"{blueprint.name}: {NO_GPUS}")
    blueprint = replace(blueprint, library=workload.library.over(blueprint.library))
    engine = choose_engine(blueprint, workload)
    if engine is CLOSED:
        answers, cut = _estimate_in_closed_form(closed_form_of(blueprint, workload), workload, sizes)
        if is_near(blueprint, workload):
            factor = deviation_of(workload.routing.policy)
            answers = tuple(replace(each, estimate=doubt(each.estimate, factor), deviation=factor) for each in answers)
        collective = partial(_bound_placed, blueprint, workload)
        return answers, Bounds(answers[-1].estimate.algorithm, lambda: cut, lambda _: None, collective)
    return _estimate_by_flows(blueprint, workload, engine, sizes)


def _estimate_in_closed_form(
    form: ClosedForm, workload: Workload, sizes: Sequence[int]
) -> tuple[tuple[Answer, ...], float]:
    """Estimate in closed form; the second is the bound by cuts of the largest size's algorithm."""
    transport, library = form.policy.transport_share(), library_use(form.summary)
    found = []
    for size in sizes:
        each = with_expected_error(form.summary, estimate_in_closed_form(form, size, workload.algorithm))
        got = form.left(algorithm_of(workload.collective, each.algorithm))
        mean, least = transport * got.mean, transport * got.least
        found.append(Answer(each, CLOSED.name, mean, least, form.groups, qps=form.qps, library=library))
    return tuple(found), got.cut


def _bound_placed(blueprint: Blueprint, workload: Workload) -> CollectiveBound | None:
    """Return the bound of a workload's collective on the GPUs of its ranks."""
    order, every = workload.order.closed_form, workload.gpus is None
    gpus = None if every and order and not order.grouped else place_ranks(blueprint, workload)
    return bound_collective(blueprint, workload.collective, gpus)


def _estimate_by_flows(
    blueprint: Blueprint, workload: Workload, engine: Engine, sizes: Sequence[int]
) -> tuple[tuple[Answer, ...], Bounds]:
    """Estimate by the flows of every algorithm that may be the fastest, each solved once for all sizes."""
    if engine is FLOWS:
        refuse_long_runs(blueprint, workload, 1 if workload.failures else 0)
    flows, lost = lay_flows(blueprint, workload, engine)
    found = answer_by_flows(flows, workload, sizes, lost)
    return found, bound_flows(flows, found[-1])


def bound_flows(flows: ExplicitFlows, answer: Answer) -> Bounds:
    """Return the bounds of the flows by which an answer is, and of their collective, none solved yet."""
    return flows.bounds(algorithm_of(flows.collective, answer.estimate.algorithm))


def refuse_long_runs(blueprint: Blueprint, workload: Workload, failures: float, remedy: str = "") -> None:
    """Raise TooLarge where solving the flows of a workload needs more memory or time than a run may.

    They are solved under as many sets of failures, and with all links up once for each of these, at least once.
    """
    gpus = min(workload.gpus or blueprint.gpus, blueprint.gpus)
    summary = summarize(blueprint).first(gpus)
    if summary.servers > 1:
        routing = _with_library_qps(workload.routing, summary)
        algorithms = list_solvable(summary, workload)
        whole, failed = (work_of_flows(blueprint, algorithms, routing, gpus, failed=each) for each in (False, True))
        work = whole.times(max(1, failures)).then(failed.times(failures))
        remedy = remedy or ("take fewer seeds or GPUs" if workload.failures else FEWER_FLOWS)
        refuse_excess(f"{blueprint.name}: the flows of {gpus:,} GPUs", work, remedy)


def _with_library_qps(routing: Routing, summary: FabricSummary) -> Routing:
    """Return a routing with the queue pairs of the library's own connections where it has the usual number."""
    usual = routing.qps == summary.constants.ecmp_subflows
    return replace(routing, qps=subflows_of(summary)) if usual else routing


def lay_flows(
    blueprint: Blueprint, workload: Workload, engine: Engine = FLOWS, up: npt.NDArray[np.bool_] | None = None
) -> tuple[ExplicitFlows, int]:
    """Return the explicit flows of a workload, none solved yet, and the GPUs that its failures cut off.

    `up` says which links are up, shape (links,), in place of the failures that the workload names. Raises NoPath where
    they cut off all.
    """
    if up is None and workload.failures:
        up = fail(blueprint, workload.failures, workload.seed)
    placed = place_ranks(blueprint, workload)
    gpus = placed if up is None else without_failed(placed, servers_up(blueprint, up), Hosts.of(blueprint))
    if not gpus.size:
        raise NoPath(f"no server is left to run on after {', '.join(workload.failures)}")
    groups = len(np.atleast_2d(gpus))
    summary = summarize(blueprint).first(gpus.size).group(groups)
    routing = _with_library_qps(workload.routing, summary)
    flows = ExplicitFlows(
        blueprint, workload.collective, routing, workload.order, workload.failures,
        engine, summary, gpus, up,
    )  # fmt: skip
    return flows, placed.size - gpus.size


def answer_by_flows(
    flows: ExplicitFlows, workload: Workload, sizes: Sequence[int], lost: int = 0
) -> tuple[Answer, ...]:
    """Estimate a workload of each size by its flows; `lost` GPUs are missing from them."""
    algorithms, groups = list_solvable(flows.summary, workload), len(np.atleast_2d(flows.gpus))
    found = []
    for size in sizes:
        best = flows.estimate(algorithms, size)
        solution = flows.solve(algorithm_of(workload.collective, best.algorithm))
        got, share = solution.got, solution.delivered
        engine, used, qps = flows.engine.name, library_use(flows.summary), flows.routing.qps
        found.append(Answer(best, engine, share * got.mean, share * got.min, groups, lost, qps, used))
    return tuple(found)


def place_ranks(blueprint: Blueprint, workload: Workload) -> npt.NDArray[np.int64]:
    """Return the GPU of each rank, as `place` does; raises InputError with the first that the design does not have."""
    if not isinstance(workload.placement, str):
        refuse_out_of_range(workload.placement, blueprint.gpus, "placement", "GPU", blueprint.name)
        return workload.placement
    return place(blueprint, workload.placement, workload.gpus, seed=workload.seed, stride=workload.stride)
