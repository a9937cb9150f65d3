"""Why a request is infeasible, in words: the limits that conflict, and what the candidates that come nearest lack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fabric import units
from fabric.blueprint.appliances import name_appliances
from fabric.catalog import Switch
from fabric.errors import Conflict, Infeasible, InputError
from fabric.optimizer.appliances import APPLIANCES
from fabric.optimizer.build_model import build_model
from fabric.optimizer.cages import CAGES, chooses_parts
from fabric.optimizer.candidates import Candidate, Rejected
from fabric.optimizer.infeasibility import BUDGET, RATE, budget_per_candidate
from fabric.optimizer.limit_relaxation import smallest_conflict
from fabric.optimizer.objectives import LIMIT_OBJECTIVES
from fabric.optimizer.pair_links import CONNECTORS, LIMIT, bundle_splits
from fabric.optimizer.pods import POD
from fabric.optimizer.solve import minimise
from fabric.request import Spec
from fabric.topology.families import family
from fabric.topology.topology import title

__all__ = ["describe_conflict", "explain"]

SHOWN = 3
"""The nearest candidates that are explained in full; the rest are counted."""

WIRING = {
    CONNECTORS: (
        "whole connectors and cables",
        "no cable joins parts of two connectors or cages; one for each link at one end",
    ),
    CAGES: (
        "cages with one kind of part each",
        "no cage holds links below and above a switch whose parts are unlike; alike ones",
    ),
}
"""What limits that have no value are called, and why they exclude a fabric with what would do instead."""

NO_SINGLE_LIMIT = "relaxing any single limit is not enough"


def explain(
    spec: Spec, found: Sequence[Candidate], rejected: Sequence[Rejected], facts: Sequence[str] = ()
) -> Infeasible | InputError:
    """Return the Infeasible that names a smallest set of limits that conflict, then the candidates that come nearest.

    `facts` are those that must be known of every part, as the candidates were found with (see `candidates`). Where
    there is no candidate because a fact is not known, it is an InputError that asks for it.
    """
    if not found and (unknown := [item for item in rejected if item.unknown]):
        return InputError([spec.mistake(unknown[0].unknown, unknown[0].reason)])
    clashes = dict.fromkeys(item.reason for item in rejected if item.clash)
    text = f"no fabric for {units.count(spec.gpus)} GPUs meets the request"
    if clashes and not found:
        return Infeasible(text, clashes)
    conflict = smallest_conflict(spec, facts)
    budget = budget_per_candidate(found)
    # The conflict explains the most; beside it, many candidates are not worth the time that each takes.
    budget = budget / (8 if len(found) > 8 else 1) if conflict else 4 * budget
    reasons = list(dict.fromkeys(_reasons(spec, found, rejected, budget)))
    if not conflict:
        return Infeasible(text, [*clashes, *reasons])
    named = {_name_limit(spec, item): item for item in conflict.conflict}
    nearest = [reason for reason in reasons if not reason.endswith(NO_SINGLE_LIMIT)]
    lines = [*describe_conflict(named, smallest=conflict.smallest), *_suppositions(spec, conflict.conflict)]
    lines += _whole_cables(found) if any(item.limit == CONNECTORS for item in conflict.conflict) else []
    # Where no port is as fast as the links, that is the cause, and the limits are the ways out.
    causes_first = any(item.limit == RATE for item in conflict.conflict)
    ordered = [*nearest[:SHOWN], *lines] if causes_first else [*lines, *nearest[:SHOWN]]
    asked = list(_group_by_reason(item for item in rejected if item.unknown))
    ordered = [line for line in ordered if line not in asked]
    return Infeasible(text, [*clashes, *asked, *ordered], conflict.conflict)


def _suppositions(spec: Spec, conflict: Iterable[Conflict]) -> Iterator[str]:
    """Yield which rule of the wiring the ports of an upper tier are too few for."""
    forms = [form for name in spec.families for form in family(name).forms if form.layered]
    for role in filter(None, (_ports_role(spec, item.limit) for item in conflict)):
        below = {form.bundle_below(role) for form in forms if role in form.roles} & {
            bundle for form in forms for bundle in form.fabric_bundles if bundle.uniform
        }
        for lower in dict.fromkeys(title(bundle.lower.role) for bundle in below):
            yield f"this supposes that each {lower} is joined to every {title(role)} above it, by equally many links"


def _whole_cables(found: Iterable[Candidate]) -> Iterator[str]:
    """Yield which cables between two cages of several links were asked for, so that no pair may have a part of one."""
    bundles = ((each.prices, bundle) for each in found for bundle in each.topology.bundles)
    chosen = (parts for prices, bundle in bundles if (parts := prices.parts(bundle.name)))
    cables = {(parts.joint.name, parts.links_in_step): None for parts in chosen if parts.links_in_step > 1}
    for name, links in cables:
        yield f"{name} carries {links} links between two cages; `media` can ask for another where a pair has one"


def describe_conflict(named: Mapping[str, Conflict], *, smallest: bool = True) -> Iterator[str]:
    """Yield which limits conflict, each by its name with its value, and then the nearest feasible value of each."""
    names = list(named)
    unproven = "" if smallest else " (perhaps fewer of them do)"
    if len(names) == 1:
        yield f"this limit alone excludes every fabric: {names[0]}"
    else:
        yield f"these limits conflict{unproven}: {', '.join(names[:-1])} and {names[-1]}"
    for name, item in named.items():
        yield f"{name}{_nearest_value(item)}"


def _name_limit(spec: Spec, item: Conflict) -> str:
    """Return a limit with its value."""
    if item.limit == "available":
        return f"available {', '.join(f'{count:,} {name}' for name, count in item.value.items())}"
    if item.limit == APPLIANCES:
        return f"appliances ({name_appliances(item.value)})"
    if item.limit in WIRING:
        return WIRING[item.limit][0]
    if not item.limit.startswith("ports"):
        return f"{item.limit} {_write_value(item.value)}"
    role = _ports_role(spec, item.limit)
    choices = [spec.models(role)] if role else spec.switches.values()
    rates = dict.fromkeys(gbps for planes in spec.planes if (gbps := spec.plane_gbps(planes)))
    named = {model.name: model for allowed in choices for model in allowed if any(map(model.radix, rates))}
    if len(named) > SHOWN:
        each = [(f"{len(named)} switch models", f"at most {_ports(named.values(), rates)}")]
    else:
        each = [(name, _ports([model], rates)) for name, model in named.items()]
    if role:
        return f"the ports of the {title(role)} ({'; '.join(f'{model}: {ports}' for model, ports in each)})"
    return f"the ports of {', '.join(f'{model} ({ports})' for model, ports in each)}"


def _ports_role(spec: Spec, limit: str) -> str | None:
    """Return the role whose ports a limit of a conflict bounds; None for those of every tier."""
    roles = (role for name in spec.families for form in family(name).forms for role in form.roles)
    return next((role for role in roles if limit.partition(" at ")[0] == f"ports of the {title(role)}"), None)


def _ports(models: Iterable[Switch], rates: Iterable[int]) -> str:
    """Return the most ports that a switch of the models has at each rate."""
    each = {gbps: max(model.radix(gbps) for model in models) for gbps in rates}
    return ", ".join(f"{units.count(ports)} at {gbps}G" for gbps, ports in each.items() if ports)


UPPER = ("gpus", "grow_to_gpus", "reserve", "least_oversubscription", "survive")
"""Limits that conflict because they are too high."""

EITHER = ("tiers", "planes", "unit_gpus", "pod_gpus", "pinned")
"""Limits that may be too high or too low."""


def _nearest_value(item: Conflict) -> str:
    """Return what is wrong with a limit, and the nearest value with which the request is feasible, others unchanged."""
    if not item.settled:
        return ": nearest feasible value not determined within the solve budget"
    if item.nearest is None:
        return ": changing this alone is not enough"
    if item.limit in WIRING:
        return f" exclude it: {WIRING[item.limit][1]} would do"
    if item.limit == RATE:
        return f" is faster than the ports; fastest feasible rate (others unchanged): write {RATE}: {item.nearest}"
    kind = item.limit.partition(" ")[0].partition(".")[0]
    verb, problem, nearest, unit = "is", "too low", "minimum feasible value", ""
    if kind == "ports":
        verb, problem, nearest = "are", "too few", "minimum per switch"
        rate = item.limit.partition(" at ")[2]
        unit = f" at {rate}" if rate else ""
    elif item.limit == APPLIANCES:
        most = sum(each["ports"] for each in item.value)
        verb, problem, nearest, unit = "take", "too many ports", "maximum feasible value", f" of their {most:,} ports"
    elif item.limit == LIMIT:
        unit = " native ports per pair"
    elif kind in UPPER:
        problem, nearest = "too high", "maximum feasible value"
    elif kind in EITHER:
        problem, nearest = "infeasible", "nearest feasible value"
    return f" {verb} {problem}; {nearest} (others unchanged): {_write_value(item.nearest)}{unit}"


def _reasons(spec: Spec, found: Sequence[Candidate], rejected: Sequence[Rejected], budget: float) -> Iterator[str]:
    """Yield what the nearest candidates lack, and why others could not be tried."""
    reach = [(_most_gpus(candidate, budget), candidate) for candidate in found]
    reached = sorted(((most, one) for most, one in reach if most is not None), key=lambda pair: -pair[0])
    for most, candidate in reached[:SHOWN]:
        yield _reason(candidate, most)
    if len(reached) > SHOWN:
        most = reached[SHOWN][0]
        capacity = f"carry {units.count(most)} GPUs or fewer" if most else "can't be built at any size"
        yield f"{len(reached) - SHOWN} of {len(reached)} topologies {capacity}"
    yield from _group_by_reason(one for one in rejected if not one.clash)
    if not found and not rejected:
        tiers = " or ".join(str(tier) for tier in spec.tiers)
        yield f"no allowed family ({', '.join(spec.families)}) exists in {tiers} tiers"


def _group_by_reason(rejected: Iterable[Rejected]) -> Iterator[str]:
    """Yield each reason once, with the first topology that it rules out and how many more."""
    grouped: dict[str, list[str]] = {}
    for item in rejected:
        grouped.setdefault(item.reason, []).append(item.name)
    for reason, names in grouped.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"{names[0]}{more}: {reason}"


def _most_gpus(candidate: Candidate, budget: float) -> int | None:
    """Return the most GPUs that the candidate carries within every other limit, at most those asked for."""
    model = build_model(candidate, ["gpus", "grow_to_gpus"])
    solution = minimise(model, [-1 * model.excess], budget)
    if solution.status == "INFEASIBLE":
        return 0
    return -solution.values[0] * candidate.spec.server.gpus if solution.status == "OPTIMAL" else None


def _reason(candidate: Candidate, most: int) -> str:
    broken = _broken_rule(candidate)
    reach = f"carries at most {units.count(most)} GPUs" if most else f"can't be built at any size{broken}"
    return f"{candidate}: {reach}; {', or '.join(_remedies(candidate)) or NO_SINGLE_LIMIT}"


def _broken_rule(candidate: Candidate) -> str:
    """Return the rule that the pinned sizes break, if they do."""
    topology, spec = candidate.topology, candidate.spec
    broken = topology.broken_rule({**topology.given_sizes(spec.server.nics), **spec.pinned})
    return f" ({broken})" if broken else ""


def _remedies(candidate: Candidate) -> Iterator[str]:
    """Yield, for each limit that it would be enough to relax alone, what it is and what it would have to be."""
    spec, gbps = candidate.spec, candidate.link_gbps
    for role in candidate.topology.roles:
        needed = _least_excess(candidate, f"ports.{role}")
        if needed is not None:
            model = max(candidate.models[role], key=lambda model: model.radix(gbps))
            yield f"the {role} needs {units.count(needed)} ports, {model.name} has {model.radix(gbps)} at {gbps}G"
    if candidate.topology.fabric_bundles:
        needed = _least_excess(candidate, LIMIT)
        if needed is not None:
            each = _split(candidate, needed)
            yield f"parallel_links must be {needed}{each}, the limit is {spec.limits.parallel_links}"
        yield from _ratio_remedies(candidate)
    coarse = list(_whole_connectors(candidate))
    if coarse and _least_excess(candidate, CONNECTORS) is not None:
        yield f"links must not have to fill whole connectors and cables ({', '.join(coarse)})"
    if chooses_parts(candidate.spec) and _least_excess(candidate, CAGES) is not None:
        yield "links below and above a switch must be of like parts, which share cages"
    yield from _total_remedies(candidate)
    yield from _size_remedies(candidate)


def _size_remedies(candidate: Candidate) -> Iterator[str]:
    spec = candidate.spec
    for key in ("unit_gpus", "reserve", "grow_to_gpus", APPLIANCES):
        if getattr(spec, key) and _least_excess(candidate, key) is not None:
            yield f"{key if key == APPLIANCES else f'{key} {_write_value(getattr(spec, key))}'} must change"
    if spec.pod_gpus and _least_excess(candidate, POD) is not None:
        yield f"pod_gpus {_write_value(spec.pod_gpus.keys)} must change"
    for axis, value in spec.pinned.items():
        if _least_excess(candidate, f"pinned.{axis}") is not None:
            yield f"pinned.{axis} {value} must change"


def _ratio_remedies(candidate: Candidate) -> Iterator[str]:
    needed = _least_excess(candidate, "oversubscription")
    if needed is not None:
        yield f"oversubscription must be {needed / 100:g}"
    least = any(candidate.spec.least_oversubscription.values())
    if least and _least_excess(candidate, "least_oversubscription") is not None:
        yield "oversubscription must be allowed to be lower"


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


def _write_value(value: Any) -> str:
    if isinstance(value, tuple):
        return " or ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{'' if name == '*' else f'{name} '}{each:,.12g}" for name, each in value.items())
    return f"{value:,.12g}"


def _total_remedies(candidate: Candidate) -> Iterator[str]:
    """Yield, for each limit on a total that it would be enough to relax alone, the least it could be."""
    for limit, most in candidate.spec.limits.on_objectives.items():
        objective = LIMIT_OBJECTIVES[limit]
        model = build_model(candidate, [f"limits.{limit}"])
        solution = minimise(model, [model.total(objective)], BUDGET)
        if solution.status == "OPTIMAL":
            least = solution.values[0] / objective.scale
            yield f"limits.{limit} {most:,.10g} is too low; minimum feasible value: {least:,.10g}"


def _least_excess(candidate: Candidate, limit: str) -> int | None:
    """Return what the relaxed limit would have to be (0 if it has no number); None if relaxing it is not enough."""
    model = build_model(candidate, [limit])
    solution = minimise(model, [1 * model.excess], BUDGET)
    return solution.values[0] if solution.status == "OPTIMAL" else None
