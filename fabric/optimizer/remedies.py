"""What the candidates that come nearest to an infeasible request lack, in words, and why others could not be tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from ortools.sat.python import cp_model

from fabric import units
from fabric.optimizer.allowance import Aims, Allowance
from fabric.optimizer.appliances import APPLIANCES
from fabric.optimizer.build_model import build_model
from fabric.optimizer.cages import CAGES, chooses_parts
from fabric.optimizer.candidates import Candidate, Rejected
from fabric.optimizer.limit_relaxation import KEPT, Near
from fabric.optimizer.link_layers import LAYERS
from fabric.optimizer.model import Model
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.objectives import LIMIT_OBJECTIVES
from fabric.optimizer.pair_links import CONNECTORS, LIMIT, bundle_splits
from fabric.optimizer.pods import POD
from fabric.optimizer.port_limits import PORTS, UPLINKS
from fabric.topology.topology import title

__all__ = ["describe_near", "describe_rejected", "write_value"]

MOST_S = 0.3
"""The most work for finding what one limit of a candidate would have to be."""


def describe_near(near: Sequence[Near], others: int | None, allowance: Allowance) -> Iterator[str]:
    """Yield what each of the nearest candidates carries and which limit it would be enough to relax, if any.

    Last comes how many GPUs the others carry (see `ConflictSet`).
    """
    names = [str(each.candidate) for each in near]
    for name, each in zip(names, near, strict=True):
        if remedies := ", or ".join(_Remedies(each.candidate, allowance).list_all()):
            layer = _name_layer(each.candidate) if names.count(name) > 1 else ""
            yield f"{name}{layer}: {_reach(each)}; {remedies}"
    if others:
        most = near[-1].gpus if len(near) == KEPT else 0
        what = "GPUs" if near[-1].candidate.spec.gpus else "endpoints"
        capacity = f"carry {units.count(most)} {what} or fewer" if most else "can't be built at any size"
        yield f"{others} of {others + len(near)} topologies {capacity}"


def _name_layer(candidate: Candidate) -> str:
    """Return the link layer of the candidate's switches, in words that follow its name."""
    layers = {model.link_layer for models in candidate.models.values() for model in models} - {None}
    return "".join(f", {LAYERS[layer]}" for layer in layers if layer)


def _reach(near: Near) -> str:
    """Return how many GPUs a candidate carries, or which rule the pinned sizes break."""
    if near.gpus:
        what = "GPUs" if near.candidate.spec.gpus else "endpoints"
        return f"carries at {'most' if near.proven else 'least'} {units.count(near.gpus)} {what}"
    topology, spec = near.candidate.topology, near.candidate.spec
    broken = topology.broken_rule({**topology.given_sizes(spec.server.nics), **spec.pinned})
    return f"can't be built at any size{f' ({broken})' if broken else ''}"


def describe_rejected(rejected: Iterable[Rejected]) -> Iterator[str]:
    """Yield why candidates could not be tried, those of one reason together."""
    grouped: dict[str, list[str]] = {}
    for item in rejected:
        grouped.setdefault(item.reason, []).append(item.name)
    for reason, names in grouped.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"{names[0]}{more}: {reason}"


@dataclass(frozen=True)
class _Remedies:
    """The limits of a candidate each of which it would be enough to relax alone."""

    candidate: Candidate
    """The candidate."""
    allowance: Allowance
    """The work that is left to find them."""

    def list_all(self) -> Iterator[str]:
        """Yield each limit with what it would have to be."""
        yield from self._ports()
        if self.candidate.topology.fabric_bundles:
            yield from self._links()
        coarse = list(_whole_connectors(self.candidate))
        if coarse and self._least_excess(CONNECTORS) is not None:
            yield f"links must not have to fill whole connectors and cables ({', '.join(coarse)})"
        if chooses_parts(self.candidate.spec) and self._least_excess(CAGES) is not None:
            yield "links below and above a switch must be of like parts, which share cages"
        yield from self._totals()
        yield from self._choices()

    def _ports(self) -> Iterator[str]:
        for role in self.candidate.topology.roles:
            yield from self._ports_of(role, uplinks=False)
            if any(self.candidate.counted_ports(role, uplinks=True)):
                yield from self._ports_of(role, uplinks=True)

    def _ports_of(self, role: str, *, uplinks: bool) -> Iterator[str]:
        """Yield the limit on the ports of a tier, or on those that only links up use."""
        needed = self._least_excess(f"{UPLINKS if uplinks else PORTS}.{role}")
        if needed is not None:
            counts = self.candidate.counted_ports(role, uplinks=uplinks)
            ports, model = max(zip(counts, self.candidate.models[role], strict=True), key=itemgetter(0))
            gbps = self.candidate.rates_at(role).up if uplinks else self.candidate.counted_gbps(role)
            what = "uplinks" if uplinks else "ports"
            yield f"the {title(role)} needs {units.count(needed)} {what}, {model.name} has {ports} at {gbps}G"

    def _links(self) -> Iterator[str]:
        """Yield limits on the links between switches."""
        spec = self.candidate.spec
        needed = self._least_excess(LIMIT)
        if needed is not None:
            each = _split(self.candidate, needed)
            yield f"parallel_links must be {needed}{each}, the limit is {spec.limits.parallel_links}"
        needed = self._least_excess("oversubscription")
        if needed is not None:
            yield f"oversubscription must be {needed / 100:g}"
        least = any(spec.least_oversubscription.values())
        if least and self._least_excess("least_oversubscription") is not None:
            yield "oversubscription must be allowed to be lower"

    def _totals(self) -> Iterator[str]:
        """Yield limits on totals."""
        for limit, most in self.candidate.spec.limits.on_objectives.items():
            least = self._least(f"limits.{limit}", partial(_total, LIMIT_OBJECTIVES[limit]))
            if least is not None:
                value = least / LIMIT_OBJECTIVES[limit].scale
                yield f"limits.{limit} {most:,.10g} is too low; minimum feasible value: {value:,.10g}"

    def _choices(self) -> Iterator[str]:
        """Yield what the request chooses of the fabric."""
        spec = self.candidate.spec
        asked = {key: (key, getattr(spec, key)) for key in ("unit_gpus", "reserve")} | {"grow_to_gpus": spec.growth}
        asked |= {f"per_unit.{kind.name}": (f"per_unit.{kind.name}", kind.per_unit) for kind in spec.kinds}
        for key, (name, value) in asked.items():
            if value and self._least_excess(key) is not None:
                yield f"{name} {write_value(value)} must change"
        if spec.appliances and self._least_excess(APPLIANCES) is not None:
            yield f"{APPLIANCES} must change"
        if spec.pod_gpus and self._least_excess(POD) is not None:
            yield f"pod_gpus {write_value(spec.pod_gpus.keys)} must change"
        for axis, value in spec.pinned.items():
            if self._least_excess(f"pinned.{axis}") is not None:
                yield f"pinned.{axis} {write_value(value)} must change"

    def _least_excess(self, limit: str) -> int | None:
        """Return what the relaxed limit would have to be (0 if it has no number)."""
        return self._least(limit, lambda model: [1 * model.excess])

    def _least(self, limit: str, aims: Aims) -> int | None:
        """Return the least value of what is minimised without a limit; None if relaxing it is not enough."""
        solution = self.allowance.solve(partial(build_model, self.candidate, [limit]), aims, MOST_S)
        return solution.values[0] if solution.status == "OPTIMAL" else None


def _total(objective: LinearObjective, model: Model) -> list[cp_model.LinearExprT]:
    return [model.total(objective)]


def _split(candidate: Candidate, ports: int) -> str:
    """Return what native ports are in links, where they are split and all models split them alike."""
    bundles = candidate.topology.fabric_bundles
    each = {pair.split.per_port for bundle in bundles for pair in bundle_splits(candidate, bundle)}
    links = ports * max(each)
    return f" native ports ({links} links of {candidate.link_gbps}G)" if len(each) == 1 and links > ports else ""


def _whole_connectors(candidate: Candidate) -> Iterator[str]:
    """Yield how many links a pair may have where both ends put several on one connector."""
    found: dict[int, list[str]] = {}
    for bundle in candidate.topology.bundles:
        for number in sorted({pair.split.whole for pair in bundle_splits(candidate, bundle)} - {1}):
            found.setdefault(number, []).append(bundle.name)
    for number, names in found.items():
        shared = f"are {number} or a multiple" if number else "share their connectors with other planes"
        yield f"the {' and '.join(names)} links of a pair {shared}"


def write_value(value: Any) -> str:
    """Return the value of a limit as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return " or ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{'' if name == '*' else f'{name} '}{each:,.12g}" for name, each in value.items())
    return f"{value:,.12g}"
