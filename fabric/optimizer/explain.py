"""Why a request is infeasible: what each form carries at most, and which limit, freed alone, would let it through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fabric import units
from fabric.errors import Infeasible
from fabric.optimizer.candidates import Candidate, Rejected
from fabric.optimizer.objectives import LIMITS, OBJECTIVES, limited
from fabric.optimizer.solve import minimise
from fabric.spec import Spec

__all__ = ["explain"]

WORK = 2.0
"""The work spent on each question of why, in CP-SAT's deterministic time; one that takes more stays unanswered."""

SHOWN = 3
"""The nearest candidates that are explained in full; the rest are counted."""


def explain(spec: Spec, found: Sequence[Candidate], rejected: Sequence[Rejected]) -> Infeasible:
    """Return the Infeasible that says which limits bind, the candidate that comes nearest first."""
    reached = sorted(((_most_gpus(candidate), candidate) for candidate in found), key=lambda pair: -pair[0])
    reasons = [_reason(candidate, most) for most, candidate in reached[:SHOWN]]
    if len(reached) > SHOWN:
        most = reached[SHOWN][0]
        reach = f"carry {units.count(most)} GPUs or fewer" if most else "can't be built at any size"
        reasons.append(f"{len(reached) - SHOWN} more forms {reach}")
    grouped: dict[str, list[str]] = {}
    for item in rejected:
        grouped.setdefault(item.reason, []).append(item.name)
    for reason, names in grouped.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        reasons.append(f"{names[0]}{more}: {reason}")
    if not found and not rejected:
        tiers = " or ".join(str(tier) for tier in spec.tiers)
        reasons.append(f"no allowed family ({', '.join(spec.families)}) has a form in {tiers} tiers")
    return Infeasible(f"no fabric joins {units.count(spec.gpus)} GPUs within the request", reasons)


def _most_gpus(candidate: Candidate) -> int:
    """Return the most GPUs that the candidate carries within every other limit, at most those asked for."""
    answer = minimise(limited(candidate, "gpus"), [lambda model: -1 * model.excess])
    return -answer.values[0] * candidate.spec.server.gpus if answer.values else 0


def _reason(candidate: Candidate, most: int) -> str:
    reach = f"carries {units.count(most)} GPUs at most" if most else "can't be built at any size"
    mends = list(_mends(candidate))
    return f"{candidate}: {reach}" + (f"; {', or '.join(mends)}" if mends else "; no single limit alone is to blame")


def _mends(candidate: Candidate) -> Iterator[str]:
    """Say, for each limit that would be enough if it alone were freed, what it is and what it would have to be."""
    spec, gbps = candidate.spec, candidate.link_gbps
    for role in candidate.form.roles:
        needed = _least(candidate, f"ports {role}")
        if needed is not None:
            model = max(candidate.models[role], key=lambda model: model.radix(gbps))
            yield f"the {role} needs {units.count(needed)} ports, {model.name} has {model.radix(gbps)} at {gbps}G"
    if candidate.form.fabric_bundles:
        needed = _least(candidate, "parallel_links")
        if needed is not None:
            yield f"parallel_links must be {needed}, the limit is {spec.limits.parallel_links}"
        yield from _ratio_mends(candidate)
    yield from _total_mends(candidate)
    for key in ("unit_gpus", "reserve", "grow_to_gpus"):
        if getattr(spec, key) and _least(candidate, key) is not None:
            yield f"{key} {_said(getattr(spec, key))} is in the way"
    for axis, value in spec.pinned.items():
        if _least(candidate, f"pinned {axis}") is not None:
            yield f"pinned {axis} {value} is in the way"


def _ratio_mends(candidate: Candidate) -> Iterator[str]:
    if _least(candidate, "oversubscription") is not None:
        yield "oversubscription must be higher"
    if any(candidate.spec.least_oversubscription.values()) and _least(candidate, "least_oversubscription") is not None:
        yield "oversubscription must be allowed to be lower"


def _said(value: Any) -> str:
    return str(dict(value)) if isinstance(value, Mapping) else f"{value:,}"


def _total_mends(candidate: Candidate) -> Iterator[str]:
    """Say of each limit on a total that would be enough if it alone were freed, how little it could be."""
    for limit, word in LIMITS.items():
        most, objective = getattr(candidate.spec.limits, limit), OBJECTIVES[word]
        if most is not None:
            answer = minimise(limited(candidate, f"limits.{limit}"), [objective.expression], WORK)
            if answer.status == "OPTIMAL":
                least = answer.values[0] / objective.scale
                yield f"limits.{limit} {most:,.10g} is short, the least within the rest is {least:,.10g}"


def _least(candidate: Candidate, limit: str) -> int | None:
    """Return the least that the freed limit would have to be (0 where it has no number), or None if that is no help."""
    answer = minimise(limited(candidate, limit), [lambda model: 1 * model.excess], WORK)
    return answer.values[0] if answer.status == "OPTIMAL" else None
