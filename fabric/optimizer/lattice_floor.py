"""What a lattice of switches takes at least, by the servers at a switch: a bound without a search.

Where the switches are a product of axes, and what an axis adds to a switch (ports, links, hops) depends on its size and
the servers at a switch alone, a lattice with room for all servers is a choice of sizes with a product that is large
enough. By Lagrangian duality, for every price p of at least 0,

    least sum of f(x) over the axes, with a product of at least n  >=  p log n + sum of the least f(x) - p log x

and bisection finds a good p. HyperX, tori and meshes have many candidates that are far from the best, each of which
would otherwise take a search of its own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from ortools.sat.python import cp_model

from fabric.optimizer.candidates import Candidate
from fabric.optimizer.floor import TRUST, Floor
from fabric.optimizer.integer_bounds import MOST_PORTS
from fabric.optimizer.model import Model
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.pair_links import most_links
from fabric.optimizer.weights import Weights, weights_of
from fabric.topology.graph_form import GraphForm, PatternBundle
from fabric.topology.polynomial import Polynomial, evaluate
from fabric.topology.topology import PLANE

__all__ = ["LatticeFloor", "lattice_axes"]

Numbers = npt.NDArray[np.float64]

STEPS = 12
"""The bisections for a price; with fewer a bound is lower, and still one."""


@dataclass(frozen=True, eq=False)
class _Axis:
    """What each of one axis or more that are alike adds to a switch: arrays of shape (servers at a switch, sizes)."""

    names: tuple[str, ...]
    """The axes."""
    bundles: tuple[PatternBundle, ...]
    """The links of each."""
    sizes: Numbers
    """The sizes that it may have, shape (sizes of the axis,)."""
    ports: Numbers
    """The ports of a switch, infinite where no allowed number of links carries the load."""
    links: Numbers
    """The links of the fabric divided by its switches."""
    hops: Numbers
    """The switches that it adds to the longest path."""

    def keep(self, slots: npt.NDArray[np.bool_], most: Numbers) -> _Axis:
        """Return it for some of the servers at a switch, with the sizes that take `most` ports or fewer of one."""
        fits = (self.ports[slots] <= most[slots, None]).any(axis=0)
        ports, links, hops = (each[slots][:, fits] for each in (self.ports, self.links, self.hops))
        return _Axis(self.names, self.bundles, self.sizes[fits], ports, links, hops)


class LatticeFloor(Floor):
    """What the fabrics of a candidate take at least.

    Attributes:
        slots: The numbers of servers at a switch that leave enough ports, in order, shape (slots,).
    """

    def __init__(self, candidate: Candidate, form: GraphForm, axes: Sequence[str]) -> None:
        self._candidate, self._form, (self._role,) = candidate, form, form.roles
        self._known = dict[LinearObjective, Numbers | None]()
        nics, widest = candidate.spec.server.nics, max(candidate.radix(self._role))
        unit = candidate.spec.unit_servers
        self.slots = np.array([unit]) if unit else np.arange(1, widest // nics + 1)
        self._axes = _measure_all(candidate, form, axes, self.slots)
        each = [axis for axis in self._axes for _ in axis.names]
        least = np.array([axis.ports.min(axis=1, initial=np.inf) for axis in each])
        self._ports = nics * self.slots + least.sum(axis=0)
        others = [np.delete(least, each.index(axis), 0).sum(axis=0) for axis in self._axes]
        self._narrow([widest - nics * self.slots - taken for taken in others])
        self._ports = nics * self.slots + self._least([_Term(axis, axis.ports, len(axis.names)) for axis in self._axes])
        self._narrow([np.full(len(self.slots), np.inf)] * len(self._axes))

    def _narrow(self, most: Sequence[Numbers]) -> None:
        """Leave out the numbers of servers that take too many ports, and sizes that take more than `most` at a switch.

        Both are bounds, so that nothing possible is left out.
        """
        fits = self._ports * TRUST <= max(self._candidate.radix(self._role))
        self._axes = [axis.keep(fits, each / TRUST) for axis, each in zip(self._axes, most, strict=True)]
        self.slots, self._ports = self.slots[fits], self._ports[fits]

    @property
    def sizes(self) -> dict[str, list[int]]:
        """The sizes that each axis may have, by its name."""
        return {name: [int(size) for size in axis.sizes] for axis in self._axes for name in axis.names}

    @property
    def has_room(self) -> bool:
        return bool(self.slots.size)

    @cached_property
    def hops(self) -> int:
        base = evaluate(self._form.paths.diameter, dict.fromkeys(_names(self._form.paths.diameter), 0))
        added = self._least([_Term(axis, axis.hops, len(axis.names)) for axis in self._axes])
        return int(base + np.ceil(added.min(initial=np.inf) * TRUST)) if self.slots.size else int(base)

    def add_to(self, model: Model, objectives: Iterable[LinearObjective], most: float = math.inf) -> None:
        # The servers at a switch with which an objective is above `most` are left out.
        slot, bounds = (
            model.sizes["slot"],
            [(each, least) for each in objectives if (least := self.least(each)) is not None],
        )
        flags = []
        for at, number in enumerate(self.slots):
            if all(least[at] <= most for _, least in bounds):
                flags.append(model.var(1, f"{number} servers", least=0))
                model.cp.add(slot == int(number)).only_enforce_if(flags[-1])
                for objective, least in bounds:
                    model.cp.add(model.total(objective) >= int(least[at])).only_enforce_if(flags[-1])
        model.cp.add_bool_or(flags)
        for name, sizes in self.sizes.items():
            model.cp.add_linear_expression_in_domain(model.sizes[name], cp_model.Domain.from_values(sizes))
        model.cp.add(model.hops() >= self.hops)

    def least_total(self, objective: LinearObjective) -> float | None:
        least = self.least(objective)
        return None if least is None else float(least.min(initial=math.inf))

    def least(self, objective: LinearObjective) -> Numbers | None:
        """Return the least of an objective for each of `slots`, in its whole units; None where it has no bounds."""
        if objective not in self._known:
            weights = weights_of(objective, self._candidate)
            self._known[objective] = None if weights is None else self._weigh(weights)
        return self._known[objective]

    def _weigh(self, weights: Weights) -> Numbers:
        """Return the least sum of weights for each of `slots`."""
        spec, planes = self._candidate.spec, self._candidate.planes
        fits = self._ports[:, None] * TRUST <= np.array(self._candidate.radix(self._role))
        switch = np.where(fits, weights.switches[self._role], np.inf).min(axis=1, initial=np.inf)
        each = [(axis, Counter(weights.links[bundle.name] for bundle in axis.bundles)) for axis in self._axes]
        terms = (_Term(axis, weight * axis.links, number) for axis, found in each for weight, number in found.items())
        links = self._least(list(terms))
        hosts = spec.servers * spec.server.nics * planes * weights.links[self._form.host_bundles[0].name]
        hops = weights.hops and weights.hops * self.hops
        total = weights.fixed + hosts + hops + planes * self._switches * (switch + links)
        return np.asarray(total * TRUST)

    @property
    def _switches(self) -> Numbers:
        """The fewest switches of a plane with room for all servers, shape (slots,)."""
        return np.ceil(self._candidate.spec.servers / self.slots)

    def _least(self, terms: Sequence[_Term]) -> Numbers:
        """Return a bound on the sum of a term of each axis, shape (slots,)."""
        room, rows = np.log(self._switches), np.arange(len(self.slots))
        least = sum(term.number * term.values.min(axis=1, initial=np.inf) for term in terms)
        most = max((term.values[np.isfinite(term.values)].max(initial=0) for term in terms), default=0)
        low, high = np.zeros(len(rows)), np.full(len(rows), most / np.log(2))
        logs = [np.log(term.axis.sizes) for term in terms]
        for _ in range(STEPS if most and np.isfinite(least).any() else 0):
            price = (low + high) / 2
            bound, reached = price * room, np.zeros(len(rows))
            for term, log in zip(terms, logs, strict=True):
                priced = term.values - price[:, None] * log
                at = priced.argmin(axis=1)
                bound, reached = bound + term.number * priced[rows, at], reached + term.number * log[at]
            least = np.maximum(least, bound)
            low, high = np.where(reached < room, price, low), np.where(reached < room, high, price)
        return np.asarray(least)


@dataclass(frozen=True)
class _Term:
    """What is summed over axes that are alike."""

    axis: _Axis
    """The axes."""
    values: Numbers
    """What each of them adds, shape (slots, sizes)."""
    number: int
    """How many of them add this."""


def _measure_all(
    candidate: Candidate, form: GraphForm, axes: Sequence[str], slots: npt.NDArray[np.int64]
) -> list[_Axis]:
    """Return what each axis adds to a switch; axes that may trade places, with as many links at most, are alike."""
    alike: dict[Any, tuple[list[str], list[PatternBundle]]] = {}
    for axis, bundle in zip(axes, _links_of(form), strict=True):
        key = most_links(candidate, bundle) if axis in form.sizing.symmetric else axis
        names, bundles = alike.setdefault(key, ([], []))
        names.append(axis)
        bundles.append(bundle)
    return [_measure(candidate, form, names, bundles, slots) for names, bundles in alike.values()]


def _measure(
    candidate: Candidate,
    form: GraphForm,
    names: Sequence[str],
    bundles: Sequence[PatternBundle],
    slots: npt.NDArray[np.int64],
) -> _Axis:
    """Return what each of alike axes adds to a switch, with the fewest links that carry the load of its servers."""
    axis, bundle = names[0], bundles[0]
    columns = _columns(form, axis, max(candidate.radix(form.roles[0])))
    alone = dict.fromkeys((*lattice_axes(form), PLANE), 1)
    sizes = {**alone, **form.given_sizes(candidate.spec.server.nics), **columns, "slot": slots[:, None]}
    needed, ratio = np.ones((len(slots), len(columns[axis]))), float(candidate.spec.ratio(form.roles[0]))
    for load in bundle.loads:
        sent, carried = (evaluate(each, {**sizes, bundle.name: 1}) for each in (load.numerator, load.denominator))
        needed = np.maximum(needed, np.ceil(sent / (ratio * carried) * TRUST))
    full, allowed = {**sizes, bundle.name: needed}, needed <= most_links(candidate, bundle)
    far = {**dict.fromkeys(_names(form.paths.diameter), 0.0), **columns}
    hops = evaluate(form.paths.diameter, far) - evaluate(form.paths.diameter, dict.fromkeys(far, 0.0))
    return _Axis(
        tuple(names),
        tuple(bundles),
        columns[axis],
        np.where(allowed, evaluate(bundle.lower_ports, full), np.inf),
        evaluate(bundle.total, full) / columns[axis],
        np.broadcast_to(np.asarray(hops, float), needed.shape),
    )


def _columns(form: GraphForm, axis: str, widest: int) -> dict[str, Numbers]:
    """Return the sizes that an axis may have, and those that go with them."""
    for table in form.sizing.tables:
        if table.names[0] == axis:
            rows = np.array(table.rows(min(widest, MOST_PORTS)), float).T
            return dict(zip(table.names, rows, strict=True))
    return {axis: np.arange(form.sizing.free[axis], widest + 1, dtype=float)}


def lattice_axes(form: GraphForm) -> tuple[str, ...]:
    """Return the axes of a lattice, each of which has the bundle in its place; none for other topologies."""
    ((factor, names), *others) = form.sizing.capacity.terms
    axes = tuple(name for name in names if name != "slot")
    alike = len(axes) == len(names) - 1 == len(_links_of(form)) and len(form.roles) == 1
    if others or factor != 1 or not alike or form.routing.nic_levels:
        return ()
    pairs = zip(axes, _links_of(form), strict=True)
    return axes if all(_is_separate(form, axes, axis, bundle) for axis, bundle in pairs) else ()


def _is_separate(form: GraphForm, axes: Sequence[str], axis: str, bundle: PatternBundle) -> bool:
    """Say whether a bundle depends on one axis, and the servers at a switch, alone, and has parallel links."""
    columns = next((table.names for table in form.sizing.tables if table.names[0] == axis), (axis,))
    own = {"slot", "nic", *(each.name for each in form.host_patterns), *columns, bundle.name}
    loads, link = [load.numerator for load in bundle.loads], bundle.name
    carried = [load.denominator for load in bundle.loads]
    others = [name for name in (*axes, PLANE) if name != axis]
    return (
        all(_names(each) <= own for each in (bundle.lower_ports, *loads, *carried))
        and all(names.count(link) == 1 for each in (bundle.lower_ports, *carried) for _, names in each.terms)
        and all(link not in _names(each) for each in loads)
        and all(names.count(name) == 1 for _, names in bundle.total.terms for name in (*others, link))
    )


def _links_of(form: GraphForm) -> list[PatternBundle]:
    """Return the bundles between switches."""
    return [bundle for bundle in form.bundles if bundle not in form.host_patterns]


def _names(quantity: Polynomial) -> set[str]:
    return {name for _, names in quantity.terms for name in names}
