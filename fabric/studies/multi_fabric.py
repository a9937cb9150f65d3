"""A cluster of several fabrics (compute, storage, management) that share limits on cost, power and rack units.

Alone, each fabric is its cheapest. Where these together exceed a shared limit, each fabric's Pareto front over cost and
the limited totals is found, and one point of each front is chosen so that the sums hold and the cost is the least: no
other choice can be better, for a fabric off its front could be exchanged for one on it that is no worse in any sum.

A management network that joins the switches of all other fabrics is sized for those that are chosen: all fabrics are
chosen for a number of switches until that is the number they have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any, Unpack

from fabric.errors import Conflict, FabricError, Infeasible
from fabric.frozen import freeze
from fabric.optimizer import cheapest_combination, describe_conflict
from fabric.optimizer.objectives import LIMIT_OBJECTIVES
from fabric.presented import Plotted
from fabric.request import LIMITS, Document, Spec
from fabric.request.cluster import ClusterSpec, read_cluster
from fabric.request.request_keys import RequestKeys, list_request_keys
from fabric.request.resolve import read_spec
from fabric.studies.pareto import Pareto, optimize, pareto
from fabric.studies.study import Source, Study
from fabric.topology.families import known_names

__all__ = ["AMOUNTS", "Attached", "Cluster", "amount_of", "cluster", "limited_key", "prefix_progress"]


@dataclass(frozen=True)
class Attached:
    """Equal endpoints that a fabric joins."""

    endpoint: str
    """The name of their kind: one of the cluster's endpoints, or a server of the fabric's own request."""
    count: int
    """The number of them."""
    gpus: int
    """The GPUs of one; 0 where it joins by ports of no GPU."""
    nics: int
    """The NICs, or ports, by which one joins."""
    nic_gbps: int
    """The rate of one of them in Gb/s."""
    links: int
    """The links of all of them."""


@dataclass(frozen=True, repr=False)
class Cluster(Plotted):
    """A cluster with its designs."""

    spec: ClusterSpec
    """The request."""
    fabrics: Mapping[str, Study]
    """The designs by name."""
    status: str
    """OPTIMAL when no choice of fabrics within the limits costs less, else FEASIBLE."""

    def __post_init__(self) -> None:
        freeze(self)

    def __repr__(self) -> str:
        return f"<Cluster {self.spec.name}: {', '.join(self.fabrics)}>"

    @property
    def totals(self) -> dict[str, float | None]:
        """The `AMOUNTS` of all fabrics together; None where one is unknown."""
        return {key: _sum([amount_of(study, key) for study in self.fabrics.values()]) for key in AMOUNTS}

    def attached(self, name: str) -> tuple[Attached, ...]:
        """Return what the fabric of this name joins."""
        plan = self.fabrics[name].blueprint
        if name in self.spec.joins:
            keys = ("gpus", "nics", "nic_gbps")
            joined = self.spec.joins[name]
            ends = [(each.endpoint, each.count, tuple(each.facts[key] for key in keys)) for each in joined]
        else:
            servers = plan.servers_by_role.items()
            ends = [
                (server.name, plan.devices(role), (server.gpus, server.cards_total, server.card_gbps))
                for role, server in servers
            ]
        # Where NICs are bonded, each is the port to one of the planes; equal servers only are bonded.
        ports = Fraction(plan.planes, plan.server.cards)
        return tuple(
            Attached(end, count, gpus, nics, gbps, int(count * nics * ports)) for end, count, (gpus, nics, gbps) in ends
        )

    def switches_but(self, name: str) -> int:
        """Return the switches of all fabrics but the one of this name."""
        return sum(study.blueprint.switches for key, study in self.fabrics.items() if key != name)


AMOUNTS = ("cost_usd", "power_w", "max_power_w", "rack_units")
"""The keys of what is summed over the fabrics: cost in USD, typical and maximum power in W, and rack units."""

Rows = Sequence[Sequence[Sequence[float]]]
"""For each fabric the points of its front, each the totals that matter."""


@list_request_keys
def cluster(
    source: Source,
    *,
    progress: Callable[[str], None] | None = None,
    **request: Unpack[RequestKeys],
) -> Cluster:
    """Design every fabric of a cluster, together the cheapest within the limits that they share.

    `source` is a file or a mapping (docs/request.md); keywords override the words of every fabric's request. Raises
    InputError with every mistake, and Infeasible when a fabric, or all of them within the limits, can't be built.
    """
    say = progress or (lambda text: None)
    spec = read_cluster(source, partial(_resolve, request))
    designer = _Designer(say)
    if spec.resized is None:
        return _choose(spec, designer)
    try:
        return _choose_managed(spec, designer)
    except Infeasible as answer:
        raise _settle(spec, designer, answer) from None


def _choose_managed(spec: ClusterSpec, designer: _Designer) -> Cluster:
    """Return the cheapest designs where one fabric joins the switches of all others; raises as `cluster` does.

    All are chosen for a number of switches until it is the number that they have. Where nothing is feasible for it, the
    fewest switches are tried: a fabric that joins fewer endpoints is no worse in any total, so if that is infeasible,
    every other number is.
    """
    others = {name: each for name, each in spec.fabrics.items() if name != spec.managing}
    number, tried = sum(designer.alone(name, each).blueprint.switches for name, each in others.items()), set[int]()
    while spec.resized and number not in tried:
        tried.add(number)
        try:
            found = _choose(replace(spec.resized(number), limits=spec.limits), designer)
            switches = found.switches_but(str(spec.managing))
        except Infeasible:
            switches = sum(designer.fewest(name, each).blueprint.switches for name, each in others.items())
            if switches == number:
                raise
        if switches == number:
            return found
        number = switches
    raise FabricError(
        f"{spec.name}: not determined: within the shared limits each number of switches that {spec.managing} joins"
        " leads to another; loosen a limit"
    )


def _settle(spec: ClusterSpec, designer: _Designer, answer: Infeasible) -> Infeasible:
    """Return the same answer with the nearest limits that are enough for the switches that are then chosen."""
    if any(item.limit.removeprefix("limits.") not in spec.limits for item in answer.conflict):
        return answer
    found = []
    for item in answer.conflict:
        key, enough = item.limit.removeprefix("limits."), item.nearest is None
        with suppress(FabricError):
            limits = {**spec.limits, key: float(item.nearest or 0)}
            enough = enough or bool(_choose_managed(replace(spec, limits=limits), designer))
        found.append(item if enough else replace(item, nearest=None, settled=False))
    return _explain(spec, found)


class _Designer:
    """Designs each request once for each purpose; an error names the fabric."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._designs: list[tuple[Spec, str, Study]] = []
        self._fronts: list[tuple[Spec, str, Pareto]] = []

    def alone(self, name: str, spec: Spec) -> Study:
        """Return the cheapest design of the fabric called `name`."""
        return self._design(name, spec, "cost")

    def fewest(self, name: str, spec: Spec) -> Study:
        """Return its design with the fewest switches."""
        return self._design(name, spec, "switches")

    def _design(self, name: str, spec: Spec, objective: str) -> Study:
        found = next((study for known, aim, study in self._designs if (known, aim) == (spec, objective)), None)
        if found is None:
            with _named(name):
                found = optimize(spec, objective, progress=prefix_progress(self._say, name))
            self._designs.append((spec, objective, found))
        return found

    def front(self, name: str, spec: Spec, objectives: str) -> Pareto:
        """Return its front over the objectives."""
        found = next((front for known, names, front in self._fronts if (known, names) == (spec, objectives)), None)
        if found is None:
            with _named(name):
                found = pareto(spec, objectives, progress=prefix_progress(self._say, name))
            self._fronts.append((spec, objectives, found))
        return found


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Put the name of a fabric before an error of its design."""
    try:
        yield
    except FabricError as error:
        error.args = (f"{name}: {error}",)
        raise


def _choose(spec: ClusterSpec, designer: _Designer) -> Cluster:
    """Return the cheapest designs within the shared limits; raises as `cluster` does."""
    alone = {name: designer.alone(name, each) for name, each in spec.fabrics.items()}
    found = Cluster(spec, alone, _status(alone.values()))
    totals = found.totals
    if all((total := totals[limited_key(name)]) is not None and total <= most for name, most in spec.limits.items()):
        return found
    names = ["cost_usd", *(name for name in spec.limits if name != "cost_usd")]
    objectives = ",".join(str(LIMITS[name].objective) for name in names)
    if len(names) == 1:
        alone_rows = [[[amount_of(study, "cost_usd") or 0.0]] for study in alone.values()]
        raise _infeasible(spec, names, alone_rows)
    fronts = {name: designer.front(name, each, objectives) for name, each in spec.fabrics.items()}
    keys = [limited_key(name) for name in names]
    rows = [[[values[key] for key in keys] for values in front.values] for front in fronts.values()]
    picked = cheapest_combination(rows, [spec.limits.get(name) for name in names])
    proven = all(front.status == "OPTIMAL" for front in fronts.values())
    if picked is None and not proven:
        raise FabricError(f"{spec.name}: not determined within the solve budget: whether the shared limits can be met")
    if picked is None:
        raise _infeasible(spec, names, rows)
    chosen = {name: front.studies[index] for (name, front), index in zip(fronts.items(), picked, strict=True)}
    return Cluster(spec, chosen, "OPTIMAL" if proven else "FEASIBLE")


def _resolve(overrides: Mapping[str, Any], document: Document) -> Spec:
    return read_spec(document, dict(overrides), names=known_names())


def prefix_progress(say: Callable[[str], None], name: str) -> Callable[[str], None]:
    """Return `say` for the progress of the fabric called `name`."""
    return lambda text: say(f"{name}: {text}")


def _status(studies: Any) -> str:
    return "OPTIMAL" if all(study.proof.status == "OPTIMAL" for study in studies) else "FEASIBLE"


def limited_key(limit: str) -> str:
    """Return which of the `AMOUNTS` a shared limit bounds: `power_w` bounds the maximum power."""
    return LIMIT_OBJECTIVES[limit].key


def amount_of(study: Study, key: str) -> float | None:
    """Return one of the `AMOUNTS` of one fabric; None where a part's is unknown."""
    match key:
        case "cost_usd":
            return study.bill.cost_usd()
        case "power_w":
            return study.bill.power_w
        case "max_power_w":
            return study.bill.max_power_w
        case _:
            return study.blueprint.rack_units


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _infeasible(spec: ClusterSpec, names: Sequence[str], rows: Rows) -> Infeasible:
    """Return why no choice of rows meets the shared limits: a smallest set that conflicts, and the nearest of each.

    Each limit that the rest conflict without is left out of the set.
    """
    kept = list(spec.limits)
    for name in spec.limits:
        rest = [other for other in kept if other != name]
        if rest and cheapest_combination(rows, _within(spec, names, rest)) is None:
            kept = rest
    conflict = tuple(_nearest(spec, names, rows, name) for name in kept)
    return _explain(spec, conflict)


def _explain(spec: ClusterSpec, conflict: Sequence[Conflict]) -> Infeasible:
    by_name = {f"{item.limit} {item.value:,.10g}": item for item in conflict}
    return Infeasible(f"{spec.name}: no fabrics meet the shared limits", describe_conflict(by_name), conflict)


def _nearest(spec: ClusterSpec, names: Sequence[str], rows: Rows, name: str) -> Conflict:
    """Return a limit with its least total over all choices of fabrics that meet the other limits."""
    column = names.index(name)
    picked = cheapest_combination(rows, _within(spec, names, [other for other in spec.limits if other != name]), column)
    if picked is None:
        return Conflict(f"limits.{name}", spec.limits[name])
    least = sum(table[row][column] for table, row in zip(rows, picked, strict=True))
    return Conflict(f"limits.{name}", spec.limits[name], least)


def _within(spec: ClusterSpec, names: Sequence[str], limits: Sequence[str]) -> list[float | None]:
    return [spec.limits[name] if name in limits else None for name in names]
