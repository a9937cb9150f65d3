"""The CP-SAT model of a candidate: every size a variable, every count a product of them, every limit a constraint."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

from ortools.sat.python import cp_model

from fabric.errors import InputError
from fabric.flow import slowest_ns
from fabric.optimizer.appliances import place_appliances, takes_ports
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.feature import Feature
from fabric.optimizer.integer_bounds import any_width, ceiling
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.pair_links import limit_pairs
from fabric.optimizer.path_hops import path_of_several
from fabric.optimizer.port_limits import drops_ports
from fabric.optimizer.switch_choice import choose_models
from fabric.optimizer.switch_ports import limit_switch_ports
from fabric.topology.polynomial import Expression, Monomial, Polynomial
from fabric.topology.topology import Bundle, Group, Topology

__all__ = ["Model", "Term"]

Term = cp_model.IntVar | int
"""A size or a count: a variable, or an integer where it is fixed."""


class _CpModel(cp_model.CpModel):
    """A CP-SAT model without the camel-case names of earlier versions, which take longer to set than a small model."""

    def _add_pre_pep8_methods(self) -> None:
        pass


class Model(ABC):
    """One candidate as a CP-SAT model: every size a variable, every count a product of them.

    `relaxed` names limits to leave out, so that a search can find what they cost: `ports`, `ports.ROLE`,
    `limits.parallel_links`, `whole_connectors`, `cages`, `oversubscription`, `least_oversubscription`, `unit_gpus`,
    `pod_gpus`, `reserve`, `appliances`, `grow_to_gpus`, `pinned.AXIS` or `gpus`.

    Attributes:
        excess: Where one limit is relaxed alone, what it would have to be. To minimise: the ports of a switch that has
            too few, the ports of a pair, the ratio in hundredths. To maximise: the reserved ports, the servers, those
            to grow to. Or the servers of a pod. Else 0.
        widest: The most ports that any switch of the model may have.
        sizes: The size of every axis and bundle by name.
        servers: The number of servers.
        spare, free: For each role the ports that every full switch keeps in reserve, and those left for appliances.
        used, present: For each role a flag for each switch model allowed, 1 where it is in use: today, or as the fabric
            grows too.
        switch_counts, added_counts: For each role the devices of each switch model allowed, and of those of limited
            stock what growth adds.
    """

    def __init__(self, candidate: Candidate, relaxed: Iterable[str] = ()) -> None:
        self.candidate = candidate
        self.relaxed = frozenset(relaxed)
        self.cp: cp_model.CpModel = _CpModel()
        self.excess: Term = 0
        self._ceiling = ceiling(candidate)
        self.widest = max(map(candidate.widest, candidate.topology.roles))
        if any(drops_ports(self.relaxed, role) for role in candidate.topology.roles):
            self.widest = any_width(candidate, self.widest)
        self._products: dict[tuple[str, ...], Term] = {}
        self._links: dict[str, Term] = {}
        self._bounds: dict[int, tuple[int, int]] = {}
        self._order: dict[str, int] = {}
        self.sizes: dict[str, Term] = {}
        self.servers: Term = self._count_servers()
        self.spare, self.free = dict[str, Term](), dict[str, Term]()
        self.used, self.present = dict[str, tuple[Term, ...]](), dict[str, tuple[Term, ...]]()
        self.switch_counts, self.added_counts = dict[str, tuple[Term, ...]](), dict[str, tuple[Term, ...]]()
        self._add_sizes()
        for group in candidate.topology.switch_groups:
            choose_models(self, group)
            self._limit_ports(group)
            self._bound_total_links(group)
        limit_pairs(self)
        self._appliance_links: dict[str, Any] = place_appliances(self)

    @abstractmethod
    def links(self, bundle: Bundle) -> Term:
        """Return the number of links of `bundle`."""

    @abstractmethod
    def added_devices(self, group: Group, /) -> Term:
        """Return the number of devices of `group` that are added as the fabric grows."""

    @abstractmethod
    def survive(self, role: str, share: Fraction) -> None:
        """Demand that a share of the throughput remain without any one switch of `role`, or without one plane."""

    @abstractmethod
    def features(self) -> dict[str, Feature]:
        """Return the features on which flow objectives depend, by name."""

    @abstractmethod
    def longest_path(self, each: Sequence[Term]) -> cp_model.LinearExprT:
        """Return the hops of the longest minimal path between different servers, with those of each role's switches."""

    @abstractmethod
    def _add_sizes(self) -> None:
        """Add every size, with room for the servers, and set `_order`: that of the factors of a product.

        With one order for all, products that begin alike share variables.
        """

    @abstractmethod
    def _limit_ratio(self, group: Group) -> None:
        """Keep the group's oversubscription within what the request allows."""

    @abstractmethod
    def _bound_total_links(self, group: Group) -> None:
        """State for all the group's devices together what holds for each of them.

        Redundant, but linear in the numbers of links and devices, where the limits on one device are products: the
        linear relaxation then bounds the optimum tightly, and the proof takes a fraction of the time.
        """

    def count(self, quantity: Expression, most: int | None = None) -> cp_model.LinearExprT:
        """Return a count, a single product being at most `most`; of a sum divided by a number, the sum."""
        if not isinstance(quantity, Polynomial):
            return self.product(quantity, most)
        return sum(factor * self.product(monomial) for factor, monomial in quantity.terms)

    @property
    def topology(self) -> Topology:
        return self.candidate.topology

    def priced_links(self, bundle: Bundle) -> Any:
        """Return the links that cost and draw as those of `bundle` do: its own, and those of appliances above it."""
        return self.links(bundle) + self._appliance_links.get(bundle.name, 0)

    def product(self, monomial: Monomial, most: int | None = None) -> Term:
        """Return the product of the named sizes, at most `most`; equal products share one variable."""
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
        """Return the product of two counts, from 1 to the ceiling; with `most`, of two totals, from 0 to `most`."""
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
        ends = ((factor, names, self.upper if factor > 0 else self.lower) for factor, names in quantity.terms)
        return sum(factor * math.prod(end(self.sizes[name]) for name in names) for factor, names, end in ends)

    def var(self, most: int, name: str, least: int = 1) -> cp_model.IntVar:
        """Return a variable from `least` to `most`; where that is no number, the model has no solution."""
        if most < least:
            self.cp.add_bool_or([])
        var = self.cp.new_int_var(least, max(least, most), name)
        self._bounds[var.index] = least, max(least, most)
        return var

    def upper(self, term: Term) -> int:
        return term if isinstance(term, int) else self._bounds[term.index][1]

    def lower(self, term: Term) -> int:
        return term if isinstance(term, int) else self._bounds[term.index][0]

    def devices(self, group: Group) -> Term:
        """Return the number of devices of `group`."""
        return self.product(self.topology.devices(group))

    def pair_links(self, bundle: Bundle) -> tuple[cp_model.LinearExprT, Term]:
        """Return a count and what it is divided by: the links between each pair of devices that a bundle joins."""
        return self.sizes[bundle.name], 1

    def path_switches(self) -> cp_model.LinearExprT:
        """Return the switches on the longest minimal path; 0 where there is only one server."""
        return path_of_several(self, [1] * self.topology.tiers)

    def hops(self) -> cp_model.LinearExprT:
        """Return the hops of the longest minimal path, of which a director counts several."""
        return path_of_several(self, self.inner_hops)

    @cached_property
    def inner_hops(self) -> list[Term]:
        """The hops of the longest path through a switch of each role, no less than of any model in use."""
        return [self._inner_hops(role) for role in self.topology.roles]

    @property
    def has_directors(self) -> bool:
        """Whether a switch model allowed counts as several hops."""
        return any(self.upper(each) > 1 for each in self.inner_hops)

    def _inner_hops(self, role: str) -> Term:
        each = [model.inner_hops for model in self.candidate.models[role]]
        if min(each) == max(each):
            return each[0]
        found = self.var(max(each), f"inner hops of {role}", min(each))
        for number, used in zip(each, self.used[role], strict=True):
            self.cp.add(found >= number * used)
        return found

    def to_feature(self, expression: cp_model.LinearExprT, most: int = 1) -> Feature:
        """Return a count as a feature; an expression that is not a single variable is at most `most`."""
        if isinstance(expression, int):
            return Feature(expression, expression)
        if isinstance(expression, cp_model.IntVar):
            return Feature(self.lower(expression), self.upper(expression), expression)
        # Being no less is enough: flow objectives never fall when a feature grows, so nothing better is lost.
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
        each = {role: [round(1000 * slowest_ns([model])) for model in allowed] for role, allowed in models.items()}
        most, least = max(max(values) for values in each.values()), max(min(values) for values in each.values())
        if most == least:
            return Feature(most, most)
        slowest = self.var(most, "slowest", least)
        for role, values in each.items():
            for value, used in zip(values, self.used[role], strict=True):
                self.cp.add(slowest >= value * used)
        return Feature(least, most, slowest)

    def _count_servers(self) -> Term:
        servers = self.candidate.spec.servers
        return self.excess_to(servers) if "gpus" in self.relaxed else servers

    def _limit_ports(self, group: Group) -> None:
        role = group.role
        self.spare[role] = self._spare_ports(role)
        self.free[role] = self.var(self.widest, f"free ports of {role}", 0) if takes_ports(self, role) else 0
        self.limit_switch_ports(group)
        self._limit_ratio(group)

    def limit_switch_ports(self, group: Group) -> None:
        """Keep the links of each of the group's devices, and the ports kept free for links down, within its ports."""
        limit_switch_ports(self, group)

    def pinned_size(self, name: str) -> int | None:
        """Return the size that the request pins, unless that limit is relaxed."""
        return None if f"pinned.{name}" in self.relaxed else self.candidate.spec.pinned.get(name)

    def _spare_ports(self, role: str) -> Term:
        spec, own = self.candidate.spec, self.candidate.spec.spare_ports(role)
        if "reserve" not in self.relaxed or not own:
            return own
        if len(self.relaxed) > 1:
            return 0
        spare = self.var(own, f"spare ports of {role}", least=0)
        self.cp.add_min_equality(spare, [own, self.excess_to(max(spec.reserve.values()), least=0)])
        return spare

    def sum_of(self, role: str, values: Sequence[int]) -> cp_model.LinearExprT:
        """Return the sum over the role's devices of what each has by its model."""
        return sum(value * count for value, count in zip(values, self.switch_counts[role], strict=True))

    def uses_model(self, name: str) -> cp_model.IntVar:
        """Return a flag that is 1 when any tier uses the switch model `name`, and no more than that when minimised."""
        flag = self.var(1, f"uses {name}", least=0)
        for role, models in self.candidate.models.items():
            for model, used in zip(models, self.used[role], strict=True):
                if model.name == name:
                    self.cp.add(flag >= used)
        return flag

    def total(self, objective: LinearObjective) -> cp_model.LinearExprT:
        """Return an objective in its whole units; raises InputError when its expression is not of whole numbers."""
        expression = objective.expression(self)
        if isinstance(expression, int) or (isinstance(expression, cp_model.LinearExpr) and expression.is_integer()):
            return expression
        raise InputError(
            f"objective '{objective.name}': its expression is not a sum of whole numbers; multiply it by a number, and"
            " state that number as its scale"
        )

    def only_if(self, used: Term, constraint: Any) -> None:
        """Add a constraint that holds where `used` is 1."""
        added = self.cp.add(constraint)
        if not isinstance(used, int):
            added.only_enforce_if(used)

    def excess_to(self, most: int, least: int = 1) -> cp_model.IntVar:
        """Return `excess` as a variable, from `least` to `most`, the same one on every call."""
        if isinstance(self.excess, int):
            self.excess = self.var(most, "excess", least)
        return self.excess
