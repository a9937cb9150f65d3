"""Which limits of a request each candidate can keep to, asked as seldom as possible, and a smallest set that none can.

A set of limits is a conflict when it excludes every candidate by itself; a smallest one is a minimum-cardinality
irreducible infeasible set, found by implicit hitting sets (E. Moreno-Centeno and R. Karp 2013, doi
10.1287/opre.1120.1139). Whatever a feasible fabric does not keep to
must be in every conflict in part, so the next set to try is a smallest one that has a limit of each such remainder;
the first that turns out to be a conflict is a smallest of all. Candidates are those of any tiers and planes, since
these are limits as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, islice
from typing import Any

from fabric.errors import FabricError
from fabric.optimizer.build_model import build_model
from fabric.optimizer.candidates import Candidate, candidates, lane_sizes
from fabric.optimizer.objectives import LIMITS
from fabric.optimizer.solve import minimise
from fabric.request import Spec
from fabric.topology.families import family
from fabric.topology.topology import PLANE

__all__ = ["WORK", "FeasibilityOracle", "conflicting", "has", "share"]

WORK = 2.0
"""The work spent on a question of why, in CP-SAT's deterministic time; one that takes more stays unanswered."""

ROUNDS, TRIALS = 100, 10**5
"""The most sets that are asked about, and the most that are looked through for the next of them."""

Kept = frozenset[str]


def share(candidates: Sequence[Candidate]) -> float:
    """Return the work that may be spent on each of so many candidates."""
    return WORK / max(1, len(candidates) // 3)


def conflicting(spec: Spec) -> dict[str, Any]:
    """Return the limits that `spec` has, with their values, those first that had better be named."""
    limits, forms = spec.limits, [form for name in spec.families for form in family(name).forms]
    found: dict[str, Any] = {"gpus": spec.gpus} if spec.servers > 1 else {}
    if not {form.tiers for form in forms} <= set(spec.tiers):
        found["tiers"] = spec.tiers
    if not set(_any_planes(spec)) <= set(spec.planes):
        found["planes"] = spec.planes
    found["ports"] = None
    found |= {f"limits.{name}": most for name in LIMITS if (most := getattr(limits, name)) is not None}
    found |= {name: value for name in ("unit_gpus", "grow_to_gpus") if (value := getattr(spec, name))}
    found |= {"reserve": _plain(spec.reserve)} if any(spec.reserve.values()) else {}
    found |= {f"pinned.{axis}": size for axis, size in spec.pinned.items()}
    found |= {f"survive.{role}": float(share) for role, share in spec.survive.items()}
    found |= {"available": dict(spec.available)} if spec.available else {}
    if any(spec.least_oversubscription.values()):
        found["least_oversubscription"] = _plain(spec.least_oversubscription)
    return {
        **found,
        "oversubscription": _plain(spec.oversubscription) or 1,
        "limits.parallel_links": limits.parallel_links,
    }


def _plain(values: Any) -> Any:
    """Return a mapping with plain numbers, or the number where it is the same for every role."""
    plain = {role: value if isinstance(value, int) else float(value) for role, value in values.items()}
    return plain["*"] if list(plain) == ["*"] else plain


def _any_planes(spec: Spec) -> tuple[int, ...]:
    return tuple(dict.fromkeys([*spec.planes, *(planes for planes in range(1, 9) if spec.plane_gbps(planes))]))


class FeasibilityOracle:
    """What is known so far of which limits each candidate can keep to."""

    def __init__(self, spec: Spec, facts: Sequence[str]) -> None:
        self.spec = spec
        self.limits = conflicting(spec)
        self.settled = True
        tiers = {form.tiers for name in spec.families for form in family(name).forms}
        wide = replace(spec, tiers=tuple(sorted(tiers)), planes=_any_planes(spec), pinned={})
        found = [one for one in candidates(wide, facts)[0] if not any(one.unknown(fact) for fact in facts)]
        self.candidates = [replace(candidate, spec=spec) for candidate in found]
        self.against = [frozenset(_against(candidate)) for candidate in self.candidates]
        everything = frozenset(self.limits)
        self._impossible: list[list[Kept]] = [[everything] for _ in found]
        self._possible: list[list[Kept]] = [[] for _ in found]

    def feasible(self, place: int, kept: Kept) -> bool | None:
        """Say whether a candidate can keep to so many limits at once; None if that takes too much work."""
        if kept & self.against[place] or any(kept >= known for known in self._impossible[place]):
            return False
        if any(kept <= known for known in self._possible[place]):
            return True
        answer = self.ask(self.candidates[place], frozenset(self.limits) - kept)
        if answer is not None:
            (self._possible if answer else self._impossible)[place].append(kept)
        return answer

    @staticmethod
    def ask(candidate: Candidate, relaxed: Kept) -> bool | None:
        """Say whether a candidate is feasible without the limits that are relaxed."""
        try:
            status = minimise(build_model(candidate, relaxed), [0], WORK).status
        except FabricError:
            return None
        return {"OPTIMAL": True, "INFEASIBLE": False}.get(status)

    def conflict(self) -> Kept:
        """Return a smallest set of limits that no candidate can keep to, or an empty one where none was found."""
        remainders: list[Kept] = []
        for _ in range(ROUNDS):
            kept = _smallest(remainders, list(self.limits))
            if kept is None:
                break
            remainder = self._remainder(kept)
            if remainder is None:
                return kept
            remainders.append(remainder)
        return frozenset()

    def _remainder(self, kept: Kept) -> Kept | None:
        """Return the limits that some fabric does not keep to that keeps to those given; None if there is no such."""
        doubted = False
        for place in range(len(self.candidates)):
            answer = self.feasible(place, kept)
            if answer:
                return frozenset(self.limits) - self._grown(place, kept)
            doubted = doubted or answer is None
        if not doubted:
            return None
        self.settled = False
        return frozenset(self.limits) - kept

    def _grown(self, place: int, kept: Kept) -> Kept:
        """Add to the limits that a candidate can keep to as many more as it can keep to as well."""
        for limit in self.limits:
            if limit not in kept and self.feasible(place, kept | {limit}):
                kept |= {limit}
        return kept


def _against(candidate: Candidate) -> Iterator[str]:
    """Yield the limits that a candidate breaks whatever its sizes."""
    spec, form = candidate.spec, candidate.topology
    if form.tiers not in spec.tiers:
        yield "tiers"
    if candidate.planes not in spec.planes:
        yield "planes"
    for axis, size in spec.pinned.items():
        domain = (candidate.planes,) if axis == PLANE else lane_sizes(spec, axis)
        if not has(candidate, axis) or (domain and size not in domain):
            yield f"pinned.{axis}"


def has(candidate: Candidate, axis: str) -> bool:
    """Say whether the candidate's form has such an axis or bundle."""
    return axis in candidate.topology.axes or axis in (bundle.name for bundle in candidate.topology.bundles)


def _smallest(remainders: Sequence[Kept], order: Sequence[str]) -> Kept | None:
    """Return a smallest set that has a limit of each remainder, the first in order, or None if that takes too long."""
    forced = frozenset[str]().union(*(each for each in remainders if len(each) == 1))
    left = [each for each in remainders if not each & forced]
    names = [name for name in order if any(name in each for each in left)]
    sets = (forced.union(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size))
    return next((chosen for chosen in islice(sets, TRIALS) if all(chosen & each for each in left)), None)
