"""Why no candidate keeps to all limits of a request: a smallest set of limits that none can keep to together.

A set of limits is a *conflict* when it excludes every candidate by itself. A smallest conflict, a minimum-cardinality
irreducible infeasible set (IIS), is found by implicit hitting sets (E. Moreno-Centeno and R. Karp 2013, doi
10.1287/opre.1120.1139). The limits that a feasible fabric breaks are a *remainder*: whatever conflicts has a limit of
each remainder, since without one that fabric would do. So the next set to test is a smallest one that has a limit of
each remainder found so far, and the first of these that is a conflict is a smallest one of all. That takes few solves,
because each feasible fabric rules out every set that misses its remainder. Candidates of any number of tiers and planes
are tested, since these are limits as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations, islice
from typing import Any

from fabric.catalog import Switch
from fabric.optimizer.allowance import Allowance
from fabric.optimizer.appliances import APPLIANCES
from fabric.optimizer.build_model import build_model
from fabric.optimizer.cages import CAGES, chooses_parts
from fabric.optimizer.candidates import Candidate, allowed_sizes, candidates
from fabric.optimizer.pair_links import CONNECTORS, LIMIT
from fabric.optimizer.pods import POD
from fabric.optimizer.port_limits import port_limits
from fabric.request import Spec
from fabric.topology.families import family
from fabric.topology.topology import PLANE

__all__ = ["RATE", "SPREAD", "FeasibilityOracle", "has_size", "request_limits"]

SPREAD = "uplink_spread"
"""The limit that uplinks are spread evenly."""

MOST_S = 1.0
"""The most work for one test; what takes more stays undecided."""

RATE = "link_gbps"
"""The limit on the rate of links, below that of the NICs or not."""

MAX_TESTED, MAX_TRIED = 100, 10**5
"""The most sets of limits that are tested, and the most that are gone through to find the next one."""

Limits = frozenset[str]
"""Names of limits."""


def request_limits(spec: Spec) -> dict[str, Any]:
    """Return the limits of `spec` with their values; of several smallest conflicts, the one of the first is named."""
    limits, topologies = spec.limits, [form for name in spec.families for form in family(name).forms]
    found: dict[str, Any] = {"gpus": spec.gpus or spec.servers} if spec.servers > 1 else {}
    if not {topology.tiers for topology in topologies} <= set(spec.tiers):
        found["tiers"] = spec.tiers
    if not set(_any_planes(spec)) <= set(spec.planes):
        found["planes"] = spec.planes
    found |= {RATE: spec.link_gbps} if _slower_rates(spec) else {}
    found |= {f"limits.{key}": most for key, most in limits.on_objectives.items()}
    found |= {name: value for name in ("unit_gpus", "grow_to_gpus") if (value := getattr(spec, name))}
    found |= {f"per_unit.{kind.name}": kind.per_unit for kind in spec.kinds if kind.per_unit}
    found |= {POD: spec.pod_gpus.keys} if spec.pod_gpus else {}
    found |= {"reserve": _plain(spec.reserve)} if any(spec.reserve.values()) else {}
    found |= {APPLIANCES: [each.keys for each in spec.appliances]} if spec.appliances else {}
    found |= {f"pinned.{axis}": size for axis, size in spec.pinned.items()}
    # After what the request chooses: where a unit or a pin is what makes a tier short, it is named and not a tier.
    found |= dict.fromkeys(port_limits(spec, topologies))
    found |= {f"survive.{role}": float(share) for role, share in spec.survive.items()}
    found |= {f"available.{name}": stock for name, stock in spec.available.items()}
    if any(spec.least_oversubscription.values()):
        found["least_oversubscription"] = _plain(spec.least_oversubscription)
    caged = _most_links(spec, Switch.links_per_cage)
    shared = caged if spec.media or spec.optics else _most_links(spec, Switch.links_per_connector)
    return {
        **found,
        "oversubscription": _plain(spec.oversubscription) or 1,
        LIMIT: limits.parallel_links,
        **({CONNECTORS: shared} if shared > 1 else {}),
        **({CAGES: caged} if caged > 1 and chooses_parts(spec) else {}),
    }


def _most_links(spec: Spec, each: Callable[[Switch, int], int]) -> int:
    """Return the most links that share a connector or a cage of a switch allowed, on any number of planes."""
    rates = {gbps for planes in _any_planes(spec) if (gbps := spec.plane_gbps(planes))}
    models = {model.name: model for allowed in spec.switches.values() for model in allowed}
    return max((each(model, gbps) for model in models.values() for gbps in rates), default=1)


def _plain(values: Any) -> Any:
    """Return a mapping with plain numbers, or the number where it is the same for every role."""
    plain = {role: value if isinstance(value, int) else float(value) for role, value in values.items()}
    return plain["*"] if list(plain) == ["*"] else plain


def _any_planes(spec: Spec) -> tuple[int, ...]:
    return tuple(dict.fromkeys([*spec.planes, *(planes for planes in range(1, 9) if spec.plane_gbps(planes))]))


def _slower_rates(spec: Spec) -> list[int]:
    """Return the slower rates of the ports of switches, where those of some tier have none at the rate of any link."""
    rates = {gbps for planes in spec.planes if (gbps := spec.plane_gbps(planes))}
    tiers = spec.switches.values()
    if any(all(any(model.radix(gbps) for model in models) for models in tiers) for gbps in rates):
        return []
    ports = {rate for models in tiers for model in models for rate in model.rates}
    return sorted((rate for rate in ports if rate < max(rates, default=0)), reverse=True)


class FeasibilityOracle:
    """Says which limits each candidate can keep to together, and remembers the answers.

    Attributes:
        spec: The request.
        limits: Its limits by name, with their values.
        candidates: Every topology on every number of planes.
        broken: For each candidate the limits that it breaks whatever its sizes.
        allowance: The work that is left for tests.
        decided: False once a test ran out of work and the set found need not be a smallest one.
    """

    def __init__(self, spec: Spec, facts: Sequence[str], allowance: Allowance) -> None:
        self.spec = spec
        self.allowance = allowance
        self._facts = facts
        self.limits = request_limits(spec)
        self.decided = True
        tiers = {form.tiers for name in spec.families for form in family(name).forms}
        wide = replace(spec, tiers=tuple(sorted(tiers)), planes=_any_planes(spec), pinned={}, pod_gpus=None)
        found = candidates(wide, facts)[0]
        for gbps in _slower_rates(spec):
            slower = candidates(replace(wide, link_gbps=gbps), facts)[0]
            found += [one for one in slower if one.link_gbps < spec.plane_gbps(one.planes)]
        known = [one for one in found if not any(one.unknown(fact) for fact in facts)]
        self.candidates = [candidate.with_spec(spec) for candidate in known]
        self.broken = [frozenset(_broken_limits(candidate)) for candidate in self.candidates]
        everything = frozenset(self.limits)
        self._infeasible: list[list[Limits]] = [[everything] for _ in known]
        self._feasible: list[list[Limits]] = [[] for _ in known]
        self._order = list(range(len(known)))

    def is_feasible(self, index: int, limits: Limits) -> bool | None:
        """Return whether a candidate can keep to the limits together; None if not decided within the allowance."""
        if limits & self.broken[index] or any(limits >= known for known in self._infeasible[index]):
            return False
        if any(limits <= known for known in self._feasible[index]):
            return True
        answer = self.solve(self.candidates[index], frozenset(self.limits) - limits)
        if answer is not None:
            (self._feasible if answer else self._infeasible)[index].append(limits)
        return answer

    def solve(self, candidate: Candidate, relaxed: Limits) -> bool | None:
        """Return whether a candidate is feasible without the limits in `relaxed`; None if not decided."""
        status = self.allowance.solve(partial(build_model, candidate, relaxed), lambda model: [0], MOST_S).status
        return {"OPTIMAL": True, "INFEASIBLE": False}.get(status)

    def breaks_only(self, limit: str) -> list[int]:
        """Return the candidates that no other limit rules out whatever their sizes.

        Those known to be feasible without it come first, then the simpler ones: their values bound the rest soonest.
        """
        rest = frozenset(self.limits) - {limit}
        within = [index for index, broken in enumerate(self.broken) if broken <= {limit}]
        return sorted(within, key=lambda index: self._rank(index, rest))

    def _rank(self, index: int, limits: Limits) -> tuple[bool, int, int]:
        topology = self.candidates[index].topology
        known = any(limits <= each for each in self._feasible[index])
        return not known, topology.tiers, len(topology.axes)

    def is_feasible_balanced(self) -> bool:
        """Return whether the request is known to be feasible with balanced uplinks instead of evenly spread ones."""
        spec = replace(self.spec, uplink_spread="balanced")
        if self.spec.uplink_spread == "balanced":
            return False
        found = candidates(spec, self._facts)[0]
        known = [one for one in found if not any(one.unknown(fact) for fact in self._facts)]
        return any(self.solve(one, frozenset()) for one in known if one.topology.balanced_bundles)

    def smallest_conflict(self) -> Limits:
        """Return a smallest set of limits that no candidate can keep to, or an empty one where none was found."""
        remainders: list[Limits] = []
        for _ in range(MAX_TESTED):
            limits = _smallest_hitting_set(remainders, list(self.limits))
            if limits is None:
                break
            remainder = self._remainder(limits)
            if remainder is None:
                return limits
            remainders.append(remainder)
        return frozenset()

    def _remainder(self, limits: Limits) -> Limits | None:
        """Return the limits broken by some fabric that keeps to those given; None if no fabric keeps to them."""
        undecided = False
        for index in self._order:
            answer = self.is_feasible(index, limits)
            if answer:
                # What kept to some limits is the likeliest to keep to others, and one that does is enough.
                self._order.sort(key=lambda each: each != index)
                return frozenset(self.limits) - self._extend(index, limits)
            undecided = undecided or answer is None
        if not undecided:
            return None
        self.decided = False
        return frozenset(self.limits) - limits

    def _extend(self, index: int, limits: Limits) -> Limits:
        """Add as many more limits as a candidate can keep to: the fewer remain, the more sets they rule out."""
        for limit in self.limits:
            if limit not in limits and self.is_feasible(index, limits | {limit}):
                limits |= {limit}
        return limits


def _broken_limits(candidate: Candidate) -> Iterator[str]:
    """Yield the limits that a candidate breaks whatever its sizes."""
    spec = candidate.spec
    if candidate.topology.tiers not in spec.tiers:
        yield "tiers"
    if candidate.planes not in spec.planes:
        yield "planes"
    if spec.pod_gpus and candidate.topology.servers_sharing(2) is None:
        yield POD
    if candidate.link_gbps < spec.plane_gbps(candidate.planes):
        yield RATE
    for axis, size in spec.pinned.items():
        allowed = (candidate.planes,) if axis == PLANE else allowed_sizes(spec, axis)
        if not has_size(candidate, axis) or (allowed and size not in allowed):
            yield f"pinned.{axis}"


def has_size(candidate: Candidate, name: str) -> bool:
    """Return whether the candidate's topology has an axis or a bundle of this name."""
    return name in candidate.topology.size_names


def _smallest_hitting_set(remainders: Sequence[Limits], order: Sequence[str]) -> Limits | None:
    """Return a smallest set that has a limit of each remainder, the first in order; None after `MAX_TRIED` sets.

    The only limit of a remainder is in every such set. The rest are few, so that trying sets by size is fast enough.
    """
    forced = frozenset[str]().union(*(each for each in remainders if len(each) == 1))
    left = [each for each in remainders if not each & forced]
    names = [name for name in order if any(name in each for each in left)]
    sets = (forced.union(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size))
    return next((chosen for chosen in islice(sets, MAX_TRIED) if all(chosen & each for each in left)), None)
