"""Which engine estimates a workload: the closed form where flows agree with it, or else explicit flows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import uneven_bundles
from fabric.errors import InputError
from fabric.flow.algorithm_times import timed_algorithms
from fabric.flow.algorithms import Algorithm
from fabric.flow.closed_form import ClosedForm
from fabric.flow.collectives import COLLECTIVES
from fabric.flow.ecmp_model import few_links
from fabric.flow.engines import CLOSED, ENGINES, FLOWS, Engine
from fabric.flow.estimate import candidates, explain_none, usable
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.flow_work import work_of_flows
from fabric.flow.graph_shares import fits_surely
from fabric.flow.placements import check_stride
from fabric.flow.router import summarize
from fabric.flow.transports import USUAL

if TYPE_CHECKING:
    from fabric.flow.workload import Workload

__all__ = ["choose_engine", "closed_form_of", "is_near", "list_solvable"]

QUICK_S = {True: 10.0, False: 2.0}
"""The seconds that flows on a direct network may take, sprayed and hashed; beyond, the closed form answers, although it
is only near. Every design of a front shows hashed flows, so that these are to be quick at any size."""

SAME_ORDERS = 0.025
"""The standard deviation of times over random orders up to which their mean stands for each of them."""


def choose_engine(blueprint: Blueprint, workload: Workload) -> Engine:
    """Return the engine that estimates a workload: the one asked for, or the closed form where it holds.

    Raises InputError where the closed form is asked for and doesn't hold, with the reasons.
    """
    engine = ENGINES[workload.engine] if workload.engine else None
    if engine not in (None, CLOSED):
        return engine
    reasons = list(_gaps(blueprint, workload))
    if engine is CLOSED and reasons:
        raise InputError(f"engine closed: there is no closed form for {' and '.join(reasons)}; use engine flows")
    return FLOWS if reasons else CLOSED


def closed_form_of(blueprint: Blueprint, workload: Workload) -> ClosedForm:
    """Return the closed form of a workload; raises InputError where there is none, or no equal groups."""
    routing, order = workload.routing, workload.order.closed_form
    groups = workload.stride if order and order.grouped else 1
    check_stride(workload.gpus or blueprint.gpus, groups)
    whole = summarize(blueprint)
    return ClosedForm.of(
        whole, workload.collective, routing.name, workload.order.name, workload.gpus,
        groups=groups, qps=None if routing.qps == whole.constants.ecmp_subflows else routing.qps, pxn=routing.pxn,
    )  # fmt: skip


def _gaps(blueprint: Blueprint, workload: Workload) -> Iterator[str]:
    """Yield what about a workload has no closed form, in words; once something has none at all, nothing further."""
    policy, placement = workload.routing.policy, workload.order
    whole = {
        "failures": bool(workload.failures),
        f"placement {placement.name}": placement.closed_form is None,
        f"{policy.label} routing": not policy.closed_form,
        "unlike servers": bool(blueprint.kinds),
        f"transport {workload.routing.transport}": workload.routing.transport != USUAL,
    }
    if any(whole.values()):
        yield from (what for what, applies in whole.items() if applies)
        return
    if not any(each.flows for each in timed_algorithms(COLLECTIVES[workload.collective], workload.algorithm)):
        return  # such as SHARP, which no other engine estimates
    if not blueprint.topology.ratios_are_cuts:
        yield from _gaps_on_graph(blueprint, workload)
        return
    if (workload.gpus or blueprint.gpus) <= blueprint.server.gpus:
        return
    if uneven := _gap_of_order(blueprint, workload):
        yield uneven
        return
    form = closed_form_of(blueprint, workload)
    yield from _gaps_of_routing(blueprint, workload, form, _candidates(form, workload))


def is_near(blueprint: Blueprint, workload: Workload) -> bool:
    """Say whether the closed form of a workload is only near the flows: on direct networks unless it is exact."""
    direct = not blueprint.topology.ratios_are_cuts
    return direct and (workload.gpus or blueprint.gpus) > blueprint.server.gpus and not _is_exact(blueprint, workload)


def _is_exact(blueprint: Blueprint, workload: Workload) -> bool:
    """Say whether the closed form of a workload over several servers of a direct network is exact."""
    algorithms = _candidates(closed_form_of(blueprint, workload), workload)
    return workload.routing.policy.sprays and all(_holds_on_graph(blueprint, workload, each) for each in algorithms)


def _gaps_on_graph(blueprint: Blueprint, workload: Workload) -> Iterator[str]:
    """Yield what has no closed form on a direct network; where explicit flows take long, one that is near is taken."""
    routing, placement = workload.routing, workload.order
    gpus = workload.gpus or blueprint.gpus
    if gpus <= blueprint.server.gpus:
        return
    plain = {
        "pxn": routing.pxn,
        "servers that are not all full": bool(gpus % blueprint.server.gpus),
        f"placement {placement.name}": placement.closed_form is not None and placement.closed_form.scattered,
        f"{routing.qps} queue pairs": not (routing.policy.sprays or routing.qps == blueprint.constants.ecmp_subflows),
    }
    if any(plain.values()):
        yield from (what for what, applies in plain.items() if applies)
        return
    if _is_exact(blueprint, workload):
        return
    algorithms = _candidates(closed_form_of(blueprint, workload), workload)
    quick = work_of_flows(blueprint, algorithms, routing, gpus).seconds <= QUICK_S[routing.policy.sprays]
    if quick or gpus < blueprint.gpus or placement.name != "random":
        yield f"{routing.policy.label} routing of such traffic on a direct network"


def _holds_on_graph(blueprint: Blueprint, workload: Workload, algorithm: Algorithm) -> bool:
    """Say whether the closed form of sprayed packets is exact: all fit, or uniform traffic loads every link alike."""
    summary, topology, whole = summarize(blueprint), blueprint.topology, workload.gpus in (None, blueprint.gpus)
    in_order = workload.order.in_order and not topology.routing.nic_levels
    if fits_surely(summary, algorithm.traffic, in_order):
        return True
    full = blueprint.servers == topology.capacity(blueprint.sizes) and not blueprint.gpus % blueprint.server.gpus
    order = workload.order.closed_form
    together = order is not None and not order.grouped
    return algorithm.traffic.uniform and whole and full and together and topology.routing.loads_are_least


def _gap_of_order(blueprint: Blueprint, workload: Workload) -> str:
    """Return what of the ranks' order has no closed form on a Clos, in words; empty where it has one."""
    server, placement, stride = blueprint.server, workload.order, workload.stride
    gpus, order, record = workload.gpus or blueprint.gpus, placement.closed_form, COLLECTIVES[workload.collective]
    assert order is not None
    algorithms = timed_algorithms(record, workload.algorithm)
    own_rail = not record.all_pairs and not any(each.traffic.next_rank for each in algorithms)
    in_turn = record.all_pairs or _in_turn(algorithms)
    some, never_meet = gpus < blueprint.gpus, not blueprint.topology.rails_meet_at
    apart = max(summarize(blueprint).unmet_rails, default=1) > 1
    gaps = {
        f"groups of stride {stride} in servers of {server.gpus} GPUs": order.grouped
        and bool(server.gpus % stride or (stride > 1 and server.gpus % server.nics)),
        f"groups of stride {stride} that exchange data across rails": order.grouped
        and 1 < stride < server.gpus
        and apart
        and not own_rail,
        f"placement {placement.name} of trees": order.scattered and not in_turn,
        f"placement {placement.name} of servers that are not all full": order.scattered
        and bool(gpus % server.gpus)
        and (workload.routing.pxn or never_meet or gpus < 2 * server.gpus),
        f"placement {placement.name} of trees on some of the GPUs": placement.drawn
        and some
        and not (order.random or in_turn),
        "some of the GPUs of servers that are not all full": placement.drawn
        and some
        and bool(blueprint.gpus % server.gpus),
    }
    return next((what for what, applies in gaps.items() if applies), "")


def _in_turn(algorithms: list[Algorithm]) -> bool:
    """Return whether each rank sends to the next alone."""
    return all(each.traffic.ring or each.traffic.next_rank for each in algorithms)


def _candidates(form: ClosedForm, workload: Workload) -> list[Algorithm]:
    """Return the algorithms that the estimate is by, or may be by."""
    every = candidates(form.summary, form.collective, workload.algorithm)
    if workload.algorithm:
        return every
    able = usable(form.summary, workload.collective)
    return [each for each in every if each.name in able]


def _fills_up(form: ClosedForm, algorithm: Algorithm) -> bool:
    """Return whether the NICs of a server that is not full may send more on their rails than leads up from there.

    They are as busy as the busiest, and those of the other servers of their place as an even part makes them. Under
    ECMP those others collide sooner than that, which the closed form knows.
    """
    sprays, in_turn = form.policy.sprays, _in_turn([algorithm])
    return any(
        ratio * (1 + (tier.size - 1) / step.multiple * sprays) > tier.size or (sprays and not in_turn)
        for ratio, tier in zip(form.whole.ratios, form.ranks.tiers, strict=True)
        for step in form.steps(algorithm)
        if tier.sets > 1 and ratio > 1 and step.multiple > 1
    )


def _gaps_of_routing(
    blueprint: Blueprint, workload: Workload, form: ClosedForm, algorithms: list[Algorithm]
) -> Iterator[str]:
    """Yield what a routing does that depends on the draw, or on how links are laid."""
    routing, policy = workload.routing, workload.routing.policy
    if form.ranks.rest and any(_fills_up(form, each) for each in algorithms):
        yield "a server that is not full on oversubscribed rails"
        return
    if policy.sprays:
        if any(form.left(each).deviation > SAME_ORDERS for each in algorithms):
            yield "so few servers that their order decides"
        return
    ranks, server = form.ranks, blueprint.server
    if server.nics > server.gpus and ranks.rest and ranks.beside and not form.collective.all_pairs:
        yield f"{policy.label} routing of GPUs of several NICs to a server that is not full, by NVLink to other rails"
        return
    if routing.qps > blueprint.planes and routing.qps % blueprint.planes:
        yield f"{routing.qps} queue pairs over {blueprint.planes} planes"
    if uneven_bundles(blueprint):
        yield f"{policy.label} routing over uneven uplinks"
    if any(few_links(form.whole, step, form.subflows(each, step)) for each in algorithms for step in form.steps(each)):
        yield f"{policy.label} routing over so few links"


def list_solvable(summary: FabricSummary, workload: Workload) -> list[Algorithm]:
    """Return the algorithms whose flows are solved: the one asked for, or all that may be the fastest.

    Raises InputError where there is none.
    """
    timed = candidates(summary, COLLECTIVES[workload.collective], workload.algorithm)
    if workload.algorithm:
        return timed
    able = set(usable(summary, workload.collective))
    every = [each for each in timed if each.name in able]
    if not every:
        raise InputError(explain_none(summary, workload.collective, None))
    found = [each for each in every if each.flows or summary.servers == 1]
    if not found:
        raise InputError(f"collective '{workload.collective}' has no explicit flows; use engine closed")
    return found
