"""Why a request is infeasible: what each form carries at most, and which limit, relaxed alone, would let it through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fabric import units
from fabric.catalog import Switch
from fabric.errors import Conflict, Infeasible
from fabric.optimizer.build_model import build_model
from fabric.optimizer.candidates import Candidate, Rejected
from fabric.optimizer.conflict import smallest_conflict
from fabric.optimizer.infeasibility import WORK, share
from fabric.optimizer.objectives import LIMITS, OBJECTIVES
from fabric.optimizer.solve import minimise
from fabric.request import Spec

__all__ = ["explain", "told"]

SHOWN = 3
"""The nearest candidates that are explained in full; the rest are counted."""


BLAMELESS = "no single limit alone is to blame"


def explain(
    spec: Spec, found: Sequence[Candidate], rejected: Sequence[Rejected], facts: Sequence[str] = ()
) -> Infeasible:
    """Return the Infeasible that names a smallest set of limits that conflict, then the candidates that come nearest.

    `facts` are those that must be known of every part, as the candidates were found with (see `candidates`).
    """
    met = smallest_conflict(spec, facts)
    work = share(found) / (8 if len(found) > 8 else 1) if met else 4 * share(found)
    reasons = list(dict.fromkeys(_reasons(spec, found, rejected, work)))
    text = f"no fabric joins {units.count(spec.gpus)} GPUs within the request"
    if not met:
        return Infeasible(text, reasons)
    named = {_named(spec, item): item for item in met.conflict}
    nearest = [reason for reason in reasons if not reason.endswith(BLAMELESS)]
    return Infeasible(text, [*told(named, smallest=met.smallest), *nearest[:SHOWN]], met.conflict)


def told(named: Mapping[str, Conflict], *, smallest: bool = True) -> Iterator[str]:
    """Say which limits conflict, each by its name with its value, and of each what would be enough."""
    names = list(named)
    less = "" if smallest else ", though perhaps fewer of them do"
    if len(names) == 1:
        yield f"this limit alone excludes every fabric: {names[0]}"
    else:
        yield f"these limits conflict{less}: {', '.join(names[:-1])} and {names[-1]}"
    for name, item in named.items():
        yield _enough(name, item)


def _named(spec: Spec, item: Conflict) -> str:
    """Return a limit with its value."""
    if item.limit == "available":
        return f"available {', '.join(f'{count:,} {name}' for name, count in item.value.items())}"
    if not item.limit.startswith("ports"):
        return f"{item.limit} {_said(item.value)}"
    models = {model.name: model for allowed in spec.switches.values() for model in allowed}
    rates = dict.fromkeys(gbps for planes in spec.planes if (gbps := spec.plane_gbps(planes)))
    each = [f"{box.name} ({_ports(box, rates)})" for box in models.values() if any(map(box.radix, rates))]
    left = len(each) - SHOWN
    more = f" and {left} more switch{'es'[: 2 * (left > 1)]}" if left > 0 else ""
    return f"the ports of {', '.join(each[:SHOWN])}{more}"


def _ports(box: Switch, rates: Iterable[int]) -> str:
    return ", ".join(f"{units.count(box.radix(gbps))} at {gbps}G" for gbps in rates if box.radix(gbps))


SHORT = "short: the least within the rest is"
LONG = "too many: the most within the rest is"
MUCH = "too much: the most within the rest is"
OFF = "no good: the nearest within the rest is"


def _enough(name: str, item: Conflict) -> str:
    """Say what the limit would have to be for the request to be feasible, all others kept."""
    if not item.settled:
        return f"{name}: what it would have to be was not settled within the limit on work"
    if item.nearest is None:
        return f"{name}: no other value of this alone is enough"
    word = LONG if item.limit in ("gpus", "grow_to_gpus", "reserve") else SHORT
    if item.limit == "least_oversubscription" or item.limit.startswith("survive"):
        word = MUCH
    if item.limit in ("tiers", "planes", "unit_gpus") or item.limit.startswith("pinned"):
        word = OFF
    if item.limit.startswith("ports"):
        at = item.limit.partition(" ")[2]
        return f"{name} are too few: within the rest a switch needs {_said(item.nearest)} {at} at the least"
    return f"{name} is {word} {_said(item.nearest)}"


def _reasons(spec: Spec, found: Sequence[Candidate], rejected: Sequence[Rejected], work: float) -> Iterator[str]:
    """Say what the nearest candidates lack, and why others could not be tried."""
    asked = [(_most_gpus(candidate, work), candidate) for candidate in found]
    reached = sorted(((most, one) for most, one in asked if most is not None), key=lambda pair: -pair[0])
    for most, candidate in reached[:SHOWN]:
        yield _reason(candidate, most)
    if len(reached) > SHOWN:
        most = reached[SHOWN][0]
        reach = f"carry {units.count(most)} GPUs or fewer" if most else "can't be built at any size"
        yield f"{len(reached) - SHOWN} more forms {reach}"
    grouped: dict[str, list[str]] = {}
    for item in rejected:
        grouped.setdefault(item.reason, []).append(item.name)
    for reason, names in grouped.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"{names[0]}{more}: {reason}"
    if not found and not rejected:
        tiers = " or ".join(str(tier) for tier in spec.tiers)
        yield f"no allowed family ({', '.join(spec.families)}) has a form in {tiers} tiers"


def _most_gpus(candidate: Candidate, work: float) -> int | None:
    """Return the most GPUs that the candidate carries within every other limit, at most those asked for."""
    model = build_model(candidate, ["gpus", "grow_to_gpus"])
    answer = minimise(model, [-1 * model.excess], work)
    if answer.status == "INFEASIBLE":
        return 0
    return -answer.values[0] * candidate.spec.server.gpus if answer.status == "OPTIMAL" else None


def _reason(candidate: Candidate, most: int) -> str:
    reach = f"carries {units.count(most)} GPUs at most" if most else f"can't be built at any size{_broken(candidate)}"
    mends = ", or ".join(_mends(candidate))
    return f"{candidate}: {reach}; {mends or BLAMELESS}"


def _broken(candidate: Candidate) -> str:
    """Return the rule that the pinned sizes break, if they do."""
    form, spec = candidate.topology, candidate.spec
    broken = form.broken_rule({**form.given_sizes(spec.server.nics), **spec.pinned})
    return f" ({broken})" if broken else ""


def _mends(candidate: Candidate) -> Iterator[str]:
    """Say, for each limit that would be enough if it alone were relaxed, what it is and what it would have to be."""
    spec, gbps = candidate.spec, candidate.link_gbps
    for role in candidate.topology.roles:
        needed = _least(candidate, f"ports.{role}")
        if needed is not None:
            model = max(candidate.models[role], key=lambda model: model.radix(gbps))
            yield f"the {role} needs {units.count(needed)} ports, {model.name} has {model.radix(gbps)} at {gbps}G"
    if candidate.topology.fabric_bundles:
        needed = _least(candidate, "limits.parallel_links")
        if needed is not None:
            yield f"parallel_links must be {needed}, the limit is {spec.limits.parallel_links}"
        yield from _ratio_mends(candidate)
    yield from _total_mends(candidate)
    for key in ("unit_gpus", "reserve", "grow_to_gpus"):
        if getattr(spec, key) and _least(candidate, key) is not None:
            yield f"{key} {_said(getattr(spec, key))} is in the way"
    for axis, value in spec.pinned.items():
        if _least(candidate, f"pinned.{axis}") is not None:
            yield f"pinned.{axis} {value} is in the way"


def _ratio_mends(candidate: Candidate) -> Iterator[str]:
    needed = _least(candidate, "oversubscription")
    if needed is not None:
        yield f"oversubscription must be {needed / 100:g}"
    if any(candidate.spec.least_oversubscription.values()) and _least(candidate, "least_oversubscription") is not None:
        yield "oversubscription must be allowed to be lower"


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return " or ".join(map(str, value))
    return str(dict(value)) if isinstance(value, Mapping) else f"{value:,.12g}"


def _total_mends(candidate: Candidate) -> Iterator[str]:
    """Say of each limit on a total that would be enough if it alone were relaxed, how little it could be."""
    for limit, word in LIMITS.items():
        most, objective = getattr(candidate.spec.limits, limit), OBJECTIVES[word]
        if most is not None:
            model = build_model(candidate, [f"limits.{limit}"])
            answer = minimise(model, [objective.expression(model)], WORK)
            if answer.status == "OPTIMAL":
                least = answer.values[0] / objective.scale
                yield f"limits.{limit} {most:,.10g} is short, the least within the rest is {least:,.10g}"


def _least(candidate: Candidate, limit: str) -> int | None:
    """Return the least that the relaxed limit would have to be (0 where it has no number), None if that is no help."""
    model = build_model(candidate, [limit])
    answer = minimise(model, [1 * model.excess], WORK)
    return answer.values[0] if answer.status == "OPTIMAL" else None
