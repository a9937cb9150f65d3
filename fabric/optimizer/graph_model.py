"""A graph topology as a CP-SAT model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import cast

from ortools.sat.python import cp_model

from fabric.optimizer.candidates import Candidate
from fabric.optimizer.feature import Feature
from fabric.optimizer.graph_features import graph_features
from fabric.optimizer.integer_bounds import MOST_PORTS
from fabric.optimizer.model import Model, Term
from fabric.optimizer.pair_links import add_parallel_links
from fabric.optimizer.port_limits import drops_ports
from fabric.optimizer.survival import remains_of
from fabric.optimizer.switch_ports import bound_all_ports
from fabric.topology.graph_form import GraphForm, PatternBundle
from fabric.topology.graph_sizing import Rule, SizeTable
from fabric.topology.polynomial import Expression, Polynomial, Ratio
from fabric.topology.topology import PLANE, Bundle, Group

__all__ = ["GraphModel"]


class GraphModel(Model):
    """A candidate whose sizes keep to rules and tables, with room for all servers, every switch built."""

    def __init__(self, candidate: Candidate, form: GraphForm, relaxed: Iterable[str] = ()) -> None:
        self.form = form
        super().__init__(candidate, relaxed)

    def links(self, bundle: Bundle) -> Term:
        if bundle.name not in self._links:
            self._links[bundle.name] = self._total(self.form.links(bundle), f"links {bundle.name}")
        return self._links[bundle.name]

    def pair_links(self, bundle: Bundle) -> tuple[cp_model.LinearExprT, Term]:
        parallel = cast(PatternBundle, bundle).parallel
        if parallel is None:
            return super().pair_links(bundle)
        return self.count(parallel.numerator), self._total(parallel.denominator, f"others {bundle.name}")

    def added_devices(self, _group: Group, /) -> Term:
        """Return 0: every switch is built, and none is added without moving cables."""
        return 0

    def survive(self, role: str, share: Fraction) -> None:
        """Demand enough planes: without a leaf or a plane the others remain, unless each is a level of its own."""
        others_remain = role in (self.form.roles[0], PLANE) and not self.form.routing.nic_levels
        self.cp.add(others_remain and remains_of(self.candidate.planes, share))

    def features(self) -> dict[str, Feature]:
        return graph_features(self, self.form)

    def longest_path(self, each: Sequence[Term]) -> cp_model.LinearExprT:
        """Return the switches, each of which counts as the one of the most hops."""
        if all(isinstance(number, int) for number in each):
            return max(map(self.upper, each)) * self.count(self.form.paths.diameter)
        most = self.var(max(map(self.upper, each)), "hops of a switch")
        for number in each:
            self.cp.add(most >= number)
        return self.times(self._total(self.form.paths.diameter, "diameter"), most, "hops")

    def _total(self, quantity: Expression, name: str) -> Term:
        """Return a count as a variable; where it is a sum divided by a number, it is a whole number all the same."""
        expression = self.count(quantity)
        if isinstance(expression, int):
            return expression // (quantity.over if isinstance(quantity, Polynomial) else 1)
        total = self.var(self._ceiling, name, least=0)
        self.cp.add((quantity.over if isinstance(quantity, Polynomial) else 1) * total == expression)
        return total

    def _add_sizes(self) -> None:
        form, spec = self.form, self.candidate.spec
        names = [name for table in form.sizing.tables for name in table.names]
        bundles = [bundle.name for bundle in form.bundles]
        order = ["servers", *form.sizing.free, *form.sizing.derived, *names, *bundles, "nic", *form.sizing.fixed, PLANE]
        self._order = {name: index for index, name in enumerate(dict.fromkeys(order))}
        self.sizes |= {**form.given_sizes(spec.server.nics), PLANE: self.candidate.planes, "servers": self.servers}
        for name, least in form.sizing.free.items():
            self.sizes[name] = self._add_free(name, least)
        for name, (whole, part) in form.sizing.derived.items():
            self.sizes[name] = self.var(min(self.upper_count(whole), self._ceiling), name)
            self.cp.add_division_equality(self.sizes[name], self.count(whole), self.count(part))
        for table in form.sizing.tables:
            self._add_table(table)
        for bundle in form.fabric_bundles:
            if bundle.name not in form.sizing.fixed:
                self.sizes[bundle.name] = self.pinned_size(bundle.name) or add_parallel_links(self, bundle)
        room = self._total(form.sizing.capacity, "room")
        self.sizes["server"] = room
        self.cp.add(room >= self.servers)
        for rule in form.sizing.rules:
            self._add_rule(rule)
        if not spec.pinned.keys() & {*form.sizing.symmetric, *bundles}:
            # The axes may trade places, so only one order of their sizes is worth searching.
            for one, other in pairwise(form.sizing.symmetric):
                self.cp.add(self.sizes[one] <= self.sizes[other])

    def _add_free(self, name: str, least: int) -> Term:
        """Return a size that is free to choose, at least `least`."""
        spec = self.candidate.spec
        if given := self.pinned_size(name):
            if self.form.invalid_size({name: given}):
                self.cp.add_bool_or([])  # infeasible; the least size only completes the model
                return least
            return given
        if name == "slot" and spec.unit_servers and "unit_gpus" not in self.relaxed:
            return spec.unit_servers
        most = self.widest**2 if name in self.form.sizing.unbounded else self.widest
        return self.var(max(least, min(most, max(spec.grown_servers, self.widest))), name, least)

    def _add_table(self, table: SizeTable) -> None:
        """Add the sizes of a table: one of its rows."""
        spec, first = self.candidate.spec, table.names[0]
        rows = table.rows(min(self.widest, MOST_PORTS))
        pinned = {index: size for index, name in enumerate(table.names) if (size := self.pinned_size(name))}
        if pinned:
            rows = tuple(row for row in rows if all(row[index] == size for index, size in pinned.items()))
        if first not in spec.pinned:
            most = max(rows[0][0], spec.grown_servers) if rows else 0
            rows = tuple(row for row in rows if row[0] <= most)
        if not rows:
            self.cp.add_bool_or([])  # infeasible; the sizes below only complete the model
            rows = table.rows(MOST_PORTS)[:1]
        for index, name in enumerate(table.names):
            values = [row[index] for row in rows]
            self.sizes[name] = self.var(max(values), name, least=min(values))
        self.cp.add_allowed_assignments([self.sizes[name] for name in table.names], rows)

    def _add_rule(self, rule: Rule) -> None:
        small = self.count(rule.small)
        if rule.large is not None:
            self.cp.add(small <= self.count(rule.large))
        elif not isinstance(small, int):
            self.cp.add(2 * self.var(self._ceiling, "half", least=0) == small)
        elif small % 2:
            self.cp.add_bool_or([])

    def _limit_ratio(self, group: Group) -> None:
        bundles = (bundle for bundle in self.form.bundles if group in (bundle.lower, bundle.upper))
        loads = [load for bundle in bundles for load in bundle.loads]
        if "oversubscription" not in self.relaxed:
            ratio = self._ratio_in_ports(self.candidate.spec.ratio(group.role))
            for load in loads:
                self.cp.add(
                    ratio.denominator * self.count(load.numerator) <= ratio.numerator * self.count(load.denominator)
                )
        elif len(self.relaxed) == 1:
            for load in loads:
                self._limit_load(load)
        least = self._ratio_in_ports(self.candidate.spec.least_ratio(group.role))
        if least and loads and "least_oversubscription" not in self.relaxed:
            self.cp.add_bool_or([self._is_loaded(load, least.numerator, least.denominator) for load in loads])

    def _limit_load(self, load: Ratio) -> None:
        """Keep a load at or below `excess` hundredths of the capacity."""
        carried = self._total(load.denominator, "carried")
        share = self.times(self.excess_to(100 * self.widest**2), carried, "hundredths", self._ceiling)
        unit = self._ratio_in_ports(Fraction(1))
        self.cp.add(100 * unit.denominator * self.count(load.numerator) <= unit.numerator * share)

    def _ratio_in_ports(self, ratio: Fraction) -> Fraction:
        """Return a ratio as one of links: those between switches may be faster than those of the servers."""
        candidate, between = self.candidate, self.form.fabric_bundles
        return ratio * Fraction(candidate.rate(between[0]), candidate.link_gbps) if between else ratio

    def _is_loaded(self, load: Ratio, numerator: int, denominator: int) -> cp_model.IntVar:
        """Return a flag that is 1 only if a load is at least a ratio."""
        flag = self.var(1, "loaded", least=0)
        least = denominator * self.count(load.numerator) >= numerator * self.count(load.denominator)
        self.cp.add(least).only_enforce_if(flag)
        return flag

    def _bound_total_links(self, group: Group) -> None:
        if drops_ports(self.relaxed, group.role):
            return
        down, up = (
            sum(
                (1 + (bundle.lower == bundle.upper)) * self.links(bundle)
                for bundle, _, upward in self.form.port_sides(group)
                if upward == wanted
            )
            for wanted in (False, True)
        )
        bound_all_ports(self, group.role, down, up)
