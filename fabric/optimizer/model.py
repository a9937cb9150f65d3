"""The CP-SAT reading of a form: every size a variable, every count a product of them, every limit a constraint."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from ortools.sat.python import cp_model

from fabric.flow import slowest_ns
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.feature import Feature
from fabric.optimizer.integer_bounds import any_width, ceiling
from fabric.topology.polynomial import Expression, Monomial, Polynomial
from fabric.topology.topology import Bundle, Group, Topology

__all__ = ["Model", "Term"]

Term = cp_model.IntVar | int
"""A size or a count: a variable, or an integer where it is known."""


class Model(ABC):
    """One candidate as a CP-SAT model. `relaxed` names limits to leave out, so that a search can ask what they cost.

    A relaxed limit is `ports`, `ports.ROLE`, `limits.parallel_links`, `oversubscription`, `least_oversubscription`,
    `unit_gpus`, `reserve`, `grow_to_gpus`, `pinned.AXIS` or `gpus`. Where one is relaxed alone, `excess` holds what it
    would have to be, to minimise: the ports of a switch that has too few, the parallel links, the ratio in hundredths;
    or to maximise: the ports in reserve, the servers, those to grow to. Which sizes there are depends on the form: of a
    chain of joins they are in `chain`, of wires in `wiring`.
    """

    def __init__(self, candidate: Candidate, relaxed: Iterable[str] = ()) -> None:
        self.candidate = candidate
        self.relaxed = frozenset(relaxed)
        self.cp = cp_model.CpModel()
        self.excess: Term = 0
        self._ceiling = ceiling(candidate)
        self.widest = max(max(candidate.radix(role)) for role in candidate.topology.roles)
        if any(name.startswith("ports") for name in self.relaxed):
            self.widest = any_width(candidate, self.widest)
        self._products: dict[tuple[str, ...], Term] = {}
        self._links: dict[str, Term] = {}
        self._bounds: dict[int, tuple[int, int]] = {}
        self._order: dict[str, int] = {}
        self.sizes: dict[str, Term] = {}
        self.servers: Term = self._servers()
        self.used: dict[str, tuple[Term, ...]] = {}
        self.boxes: dict[str, tuple[Term, ...]] = {}
        self._size_all()
        for group in candidate.topology.switch_groups:
            self._choose(group)
            self._limit_ports(group)
            self._balance(group)

    @abstractmethod
    def links(self, bundle: Bundle) -> Term:
        """Return the number of links of `bundle`."""

    @abstractmethod
    def survive(self, role: str, share: Fraction) -> None:
        """Demand that a share of the throughput remain without any one switch of `role`, or without one plane."""

    @abstractmethod
    def features(self) -> dict[str, Feature]:
        """Return the features on which flow objectives depend, by name."""

    @abstractmethod
    def _diameter(self) -> cp_model.LinearExprT:
        """Return the switches on the longest minimal path between different servers."""

    @abstractmethod
    def _size_all(self) -> None:
        """Make every size, so that the servers find room; `_order` is that in which products are made of them."""

    @abstractmethod
    def _limit_ratio(self, group: Group) -> None:
        """Keep the group's oversubscription within what the request allows."""

    @abstractmethod
    def _balance(self, group: Group) -> None:
        """Say of all the group's devices what is true of each: nothing new, but linear, which makes bounds tight."""

    def count(self, quantity: Expression, most: int | None = None) -> cp_model.LinearExprT:
        """Return a count, a single product at most `most`; of a sum over a number, that many times as much."""
        if not isinstance(quantity, Polynomial):
            return self.product(quantity, most)
        return sum(factor * self.product(monomial) for factor, monomial in quantity.terms)

    @property
    def topology(self) -> Topology:
        return self.candidate.topology

    def product(self, monomial: Monomial, most: int | None = None) -> Term:
        """Return the product of the named sizes, at most `most`; the same product is made once."""
        names = tuple(sorted(monomial, key=self._order.__getitem__))
        if not names:
            return 1
        if names not in self._products:
            head = self.product(names[:-1])
            self._products[names] = self.times(head, self.sizes[names[-1]], "*".join(names))
        term = self._products[names]
        if most is not None:
            self.cp.add(term <= most)
        return term

    def times(self, left: Term, right: Term, name: str, most: int | None = None) -> Term:
        """Return the product of two counts, at least 1 and at most the ceiling, or of totals, from 0 to `most`."""
        least, most = (1, self._ceiling) if most is None else (0, most)
        if isinstance(left, int) and isinstance(right, int):
            return left * right
        if isinstance(left, int) or isinstance(right, int):
            factor, term = (left, right) if isinstance(left, int) else (right, left)
            if factor == 1:
                return term
        result = self.var(min(self.upper(left) * self.upper(right), most), name, least)
        self.cp.add_multiplication_equality(result, [left, right])
        return result

    def upper_count(self, quantity: Polynomial) -> int:
        """Return the most that a sum of products may be."""
        return sum(
            factor * math.prod(self.upper(self.sizes[name]) for name in names) for factor, names in quantity.terms
        )

    def var(self, most: int, name: str, least: int = 1) -> cp_model.IntVar:
        var = self.cp.new_int_var(least, most, name)
        self._bounds[var.index] = least, most
        return var

    def upper(self, term: Term) -> int:
        return term if isinstance(term, int) else self._bounds[term.index][1]

    def lower(self, term: Term) -> int:
        return term if isinstance(term, int) else self._bounds[term.index][0]

    def devices(self, group: Group) -> Term:
        """Return the number of devices of `group`."""
        return self.product(self.topology.devices(group))

    def hops(self) -> cp_model.LinearExprT:
        """Return the switches on the longest minimal path; 0 where there is only one server."""
        return 0 if self.candidate.spec.servers == 1 else self._diameter()

    def to_feature(self, expression: cp_model.LinearExprT, most: int = 1) -> Feature:
        """Return a count as a feature; an expression that is not a single variable is at most `most`."""
        if isinstance(expression, int):
            return Feature(expression, expression)
        if isinstance(expression, cp_model.IntVar):
            return Feature(self.lower(expression), self.upper(expression), expression)
        term = self.var(most, "feature", least=0)
        self.cp.add(term >= expression)
        return Feature(1, most, term)

    def to_negative_feature(self, term: Term) -> Feature:
        """Return a count of which more is better as a feature."""
        expression = None if isinstance(term, int) else -1 * term
        return Feature(-self.upper(term), -self.lower(term), expression)

    def slowest_switch(self) -> Feature:
        """Return the latency of the slowest switch in use, in picoseconds."""
        models = self.candidate.models
        each = {role: [round(1000 * slowest_ns([box])) for box in boxes] for role, boxes in models.items()}
        most, least = max(max(values) for values in each.values()), max(min(values) for values in each.values())
        if most == least:
            return Feature(most, most)
        slowest = self.var(most, "slowest", least)
        for role, values in each.items():
            for value, used in zip(values, self.used[role], strict=True):
                self.cp.add(slowest >= value * used)
        return Feature(least, most, slowest)

    def _servers(self) -> Term:
        servers = self.candidate.spec.servers
        if "gpus" not in self.relaxed:
            return servers
        self.excess = self.var(servers, "servers")
        return self.excess

    def _limit_ports(self, group: Group) -> None:
        role, each = group.role, (*self.topology.ports_down(group), *self.topology.ports_up(group))
        total = sum((self.count(ports, self.widest) for ports in each), self._spare(role))
        flags = list(zip(self.candidate.radix(role), self.used[role], strict=True))
        if self.relaxed == {f"ports.{role}"}:
            self.cp.add(total <= self._excess(self.widest))
        elif self.relaxed == {"ports"}:
            short = self.var(1, f"{role} is short of ports", least=0)
            self.cp.add(total <= self._excess(self.widest)).only_enforce_if(short)
            for radix, used in flags:
                self.cp.add(total <= radix).only_enforce_if(short.negated(), used)
        elif "ports" not in self.relaxed:
            for radix, used in flags:
                self._only_if(used, total <= radix)
        self._limit_ratio(group)

    def _given(self, name: str) -> int | None:
        """Return the size that the request pins, unless that is left out."""
        return None if f"pinned.{name}" in self.relaxed else self.candidate.spec.pinned.get(name)

    def _copies(self, bundle: Bundle) -> Term:
        """Return the parallel links of a bundle between switches."""
        if given := self._given(bundle.name):
            return given
        if "limits.parallel_links" not in self.relaxed:
            return self.var(self.candidate.spec.limits.parallel_links, bundle.name)
        copies = self.var(self.widest, bundle.name)
        if len(self.relaxed) == 1:
            self.cp.add(copies <= self._excess(self.widest))
        return copies

    def _spare(self, role: str) -> Term:
        spec = self.candidate.spec
        own = spec.spare_ports(role)
        if "reserve" not in self.relaxed or not own:
            return own
        if len(self.relaxed) > 1:
            return 0
        spare = self.var(own, f"spare ports of {role}", least=0)
        self.cp.add_min_equality(spare, [own, self._excess(max(spec.reserve.values()), least=0)])
        return spare

    def _choose(self, group: Group) -> None:
        """Share the group's devices out over the models allowed; a flag in `used` is 1 where a model has some.

        All are of one model, unless the stock of one of them is limited.
        """
        devices, models = self.devices(group), self.candidate.models[group.role]
        if len(models) == 1:
            self.used[group.role], self.boxes[group.role] = (1,), (devices,)
            return
        used = [self.var(1, f"{group.role} is {model.name}", least=0) for model in models]
        boxes = [self.var(self.upper(devices), f"{group.role} of {model.name}", least=0) for model in models]
        for flag, count in zip(used, boxes, strict=True):
            self.cp.add(count <= self.upper(devices) * flag)
            if self.candidate.mixes(group.role):
                self.cp.add(count >= flag)
            else:
                self.cp.add(count == devices).only_enforce_if(flag)
        if not self.candidate.mixes(group.role):
            self.cp.add_exactly_one(used)
        self.cp.add(sum(boxes) == devices)
        self.used[group.role], self.boxes[group.role] = tuple(used), tuple(boxes)

    def sum_of(self, role: str, values: Sequence[int]) -> cp_model.LinearExprT:
        """Return the sum over the role's devices of what each has by its model."""
        return sum(value * count for value, count in zip(values, self.boxes[role], strict=True))

    def _only_if(self, used: Term, constraint: Any) -> None:
        added = self.cp.add(constraint)
        if not isinstance(used, int):
            added.only_enforce_if(used)

    def _excess(self, most: int, least: int = 1) -> cp_model.IntVar:
        """Return the one `excess`, from `least` to `most`."""
        if isinstance(self.excess, int):
            self.excess = self.var(most, "excess", least)
        return self.excess
