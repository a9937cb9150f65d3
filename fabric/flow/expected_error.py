"""The error to expect of an estimate: that of systems which were left out of the fit, where the like was measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fabric import units
from fabric.catalog import MeasuredKind, constant_at, expected_errors, with_constants
from fabric.flow.algorithms import ALGORITHMS
from fabric.flow.collectives import COLLECTIVES
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.machine import Machine
from fabric.flow.machines import machine_of
from fabric.flow.routings import RoutingPolicy

if TYPE_CHECKING:
    from fabric.flow.estimate import Estimate

__all__ = ["LAYOUTS", "ExpectedError", "expected_error", "layout_of"]

LAYOUTS = ("one server", "two servers", "several servers", "one rack", "several racks")
"""How the GPUs of a run are joined: NVLink domains of a server's size or of a rack's, and how many of them."""
RACK = 17
"""The GPUs from which an NVLink domain is a rack; servers have up to 16."""
MEASURED_LIMITS = ("latency", "NVLink", "NIC", "channels")
"""What limited measured runs, as far as is known: no source tells of failures, oversubscription or hashed paths."""
WORTH = 0.01
"""The share of a time that a constant must be able to move to be named."""
NINE_OF_TEN = 1.645
"""Standard deviations of a normal variable within which nine of ten lie, on both sides of its mean."""


@dataclass(frozen=True)
class ExpectedError:
    """What is known of an estimate's error."""

    share: float | None
    """The share e such that nine of ten measured times are from 1/(1+e) to 1+e times the estimate; None: not known."""
    not_measured: tuple[str, ...] = ()
    """What was not measured, in words; empty where the error is known."""
    unmeasured_constants: tuple[str, ...] = ()
    """The names of the constants on which the estimate depends and no measured run does."""


def layout_of(servers: int, gpus_per_server: int) -> str:
    """Return the layout of a run, one of LAYOUTS."""
    if gpus_per_server >= RACK:
        return "one rack" if servers == 1 else "several racks"
    return ("one server", "two servers", "several servers")[min(servers, 3) - 1]


def expected_error(summary: FabricSummary, estimate: Estimate, policy: RoutingPolicy) -> ExpectedError:
    """Return the error to expect of an estimate on a fabric, under the routing of this policy.

    On constants calibrated to a cluster it is that of its own runs, where they were of the kind.
    None where no run of the kind was measured: of the collective, the vendor, the layout, the algorithm, the size, up
    to `reach` times the servers, without collisions and failures.
    """
    if (own := _own_error(summary, estimate)) is not None:
        return _state(own)
    kind = _find_kind(summary, estimate.collective)
    doubts = _find_doubts(summary, estimate)
    names = tuple(name for name, spread in doubts.items() if spread > WORTH)
    missing = tuple(_list_missing(summary, estimate, policy, kind))
    if missing or kind is None:
        return ExpectedError(None, missing, names)
    found = next((error for least, error in kind.errors.items() if estimate.size_bytes >= least), None)
    if found is None:
        return ExpectedError(None, (f"messages of this size in {estimate.collective} on {kind.layout}",), names)
    share = math.expm1(math.hypot(math.log1p(found), NINE_OF_TEN * math.hypot(*doubts.values())))
    return _state(share, names)


def _state(share: float, names: tuple[str, ...] = ()) -> ExpectedError:
    """Return an error to expect, or none where it is too wide to be one."""
    widest = expected_errors().widest
    if share > widest:
        return ExpectedError(
            None, (f"enough runs of the kind (the error would be over {units.percent(widest, '.0f')})",), names
        )
    return ExpectedError(share, (), names)


def _own_error(summary: FabricSummary, estimate: Estimate) -> float | None:
    """Return the error of a cluster's own runs in the layout, up to twice the servers of the largest; None without one.

    A run on several servers says nothing of what one does inside, nor does any of failures or of what the fabric leaves
    where the fit, to one switch between the servers, has no part for it.
    """
    own = summary.constants.own_runs
    if own is None or summary.server.generation != own.generation or summary.kinds:
        return None
    each = min(summary.server.gpus, summary.gpus)
    alike = [
        servers
        for servers in own.servers.get(estimate.collective, ())
        if layout_of(servers, each) == layout_of(summary.servers, each)
    ]
    if summary.servers > max(alike, default=0) * expected_errors().reach or estimate.limited_by not in MEASURED_LIMITS:
        return None
    return next((error for least, error in own.errors.items() if estimate.size_bytes >= least), None)


def _find_kind(summary: FabricSummary, collective: str) -> MeasuredKind | None:
    vendor, layout = _vendor_of(summary.server.generation), _layout(summary)
    kinds = expected_errors().kinds
    wanted = (vendor, collective, layout)
    return next((kind for kind in kinds if (kind.vendor, kind.collective, kind.layout) == wanted), None)


def _layout(summary: FabricSummary) -> str:
    return layout_of(summary.servers, min(summary.server.gpus, summary.gpus))


def _vendor_of(generation: str) -> str | None:
    vendors = expected_errors().vendors
    return next((vendor for vendor, generations in vendors.items() if generation in generations), None)


def _list_missing(
    summary: FabricSummary, estimate: Estimate, policy: RoutingPolicy, kind: MeasuredKind | None
) -> Iterator[str]:
    """Yield what was not measured, in words."""
    collective, algorithm, limit = estimate.collective, estimate.algorithm, estimate.limited_by
    table, generation = expected_errors(), summary.server.generation
    if summary.gpus == 1:
        yield "a GPU by itself"
    elif _vendor_of(generation) is None:
        yield f"GPUs of the generation {generation}" if generation else "GPUs of an unknown generation"
    elif collective not in {each.collective for each in table.kinds}:
        yield collective
    elif kind is None:
        yield f"{collective} on {_layout(summary)} of {str(_vendor_of(generation)).upper()} GPUs"
    elif algorithm not in kind.algorithms:
        yield f"{algorithm} on {kind.layout}"
    elif summary.servers > table.reach * kind.servers:
        domains = "racks" if "rack" in kind.layout else "servers"
        yield f"{collective} beyond {table.reach * kind.servers:.0f} {domains} (the largest run had {kind.gpus} GPUs)"
    if summary.kinds:
        yield "unlike servers"
    crossing = summary.several_paths and summary.peers and summary.servers > summary.peers[0]
    if limit not in MEASURED_LIMITS:
        yield {"collisions": "collisions of hashed paths"}.get(limit, limit)
    elif crossing and not policy.sprays and policy.digits_of is None:
        yield "collisions of hashed paths"


def _find_doubts(summary: FabricSummary, estimate: Estimate) -> dict[str, float]:
    """Return the standard deviation of the time's logarithm that each constant without a measured point causes."""
    generation = summary.server.generation
    every = expected_errors().unmeasured.get(generation, ())
    names = [name for name in every if _is_used(name, estimate.protocol)]
    algorithm, collective = ALGORITHMS[estimate.algorithm], COLLECTIVES[estimate.collective]
    if not names or algorithm.time is None:
        return {}
    machine = machine_of(summary, (1.0, "NIC"), algorithm.traffic, in_order=False)

    def log_time(machine: Machine) -> float | None:
        assert algorithm.time is not None
        record = next(each for each in machine.protocols if each.name == estimate.protocol)
        parts = algorithm.time(machine, collective, record, estimate.size_bytes / 1e9)
        return math.log(parts.total) if parts else None

    usual = log_time(machine)
    if usual is None:
        return {}
    return {f"generations.{generation}.{name}": _spread(machine, name, usual, log_time) for name in names}


def _is_used(name: str, protocol: str) -> bool:
    """Return whether a constant is one for all protocols, or for this one: `tree.ll128.1` is of LL128 alone."""
    first, *rest = name.split(".")
    return first not in ("ring", "tree", "protocols") or rest[0] == protocol


def _spread(machine: Machine, name: str, usual: float, log_time: Callable[[Machine], float | None]) -> float:
    """Return how much the logarithm of the time moves where a constant is as far off as such constants are."""
    value = constant_at(machine.generation, name)
    found = (
        log_time(replace(machine, generation=with_constants(machine.generation, {name: moved})))
        for moved in _doubtful_values(name, value)
    )
    return max((abs(each - usual) for each in found if each is not None), default=0.0)


def _doubtful_values(name: str, value: float) -> tuple[float, ...]:
    """Return the values of a constant one standard deviation away."""
    table = expected_errors()
    if not name.endswith("_us"):
        return value * math.exp(table.doubt_share), value * math.exp(-table.doubt_share)
    if not value:
        return (table.doubt_from_zero_us,)
    return value * math.exp(table.doubt_us), value * math.exp(-table.doubt_us)
