"""The CP-SAT reading of a form: every size a variable, every count a product of them, every limit a constraint."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from ortools.sat.python import cp_model

from fabric.errors import InputError
from fabric.form import PLANE, Bundle, Form, Group, Monomial, filled
from fabric.optimizer.candidates import Candidate, lane_sizes
from fabric.prices import SHARES

__all__ = ["Model", "Term"]

Term = cp_model.IntVar | int
"""A size or a count: a variable, or an integer where it is known."""


SUM = 2**61
"""The largest total of one tier: several of them still add up within the solver's 64 bits."""


class Model:
    """One candidate as a CP-SAT model. `free` names limits to leave out, so that a search can ask what they cost.

    A free limit is `ports ROLE`, `parallel_links`, `oversubscription`, `least_oversubscription`, `pinned AXIS` or
    `gpus`; `excess` then holds the variable to minimise (the ports needed, the parallel links) or, for `gpus`, to
    maximise (the servers).
    """

    def __init__(self, candidate: Candidate, free: str = "") -> None:
        self.candidate = candidate
        self.free = free
        self.cp = cp_model.CpModel()
        self.excess: Term = 0
        self._ceiling = _ceiling(candidate)
        self.widest = max(max(candidate.radix(role)) for role in candidate.form.roles)
        self.widest *= 4096 if free.startswith("ports") else 1
        self._products: dict[tuple[str, ...], Term] = {}
        self._links: dict[str, Term] = {}
        self._bounds: dict[int, tuple[int, int]] = {}
        self.sizes: dict[str, Term] = {}
        self.servers: Term = self._servers()
        self.used: dict[str, tuple[Term, ...]] = {}
        self.boxes: dict[str, tuple[Term, ...]] = {}
        self._size_all()
        for group in candidate.form.switch_groups:
            self._choose(group)
            self._limit_ports(group)
            self._balance(group)

    @property
    def form(self) -> Form:
        return self.candidate.form

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
        return self.product(self.form.devices(group))

    def links(self, bundle: Bundle) -> Term:
        """Return the number of links of `bundle`."""
        if bundle.name not in self._links:
            ports_up = self.product(bundle.ports_up)
            self._links[bundle.name] = self.times(self.devices(bundle.lower), ports_up, f"links {bundle.name}")
        return self._links[bundle.name]

    def _size_all(self) -> None:
        names = [*self.form.axes, *(bundle.name for bundle in self.form.bundles)]
        fills = [filled(axis) for axis in self.form.placement]
        self._order = {name: place for place, name in enumerate([*reversed(fills), *names])}
        for axis in self.form.axes:
            if axis != PLANE:
                self.sizes[axis] = self._axis(axis)
        self.sizes[PLANE] = self.candidate.planes
        for bundle in self.form.bundles:
            self.sizes[bundle.name] = self._copies(bundle)
        self._attach_nics()
        self._fill()

    def _axis(self, axis: str) -> Term:
        spec = self.candidate.spec
        if axis in spec.pinned and self.free != f"pinned {axis}":
            return spec.pinned[axis]
        if axis == self.form.placement[-1]:
            return self._unit or self.var(min(self.widest, spec.grown_servers), axis)
        domain = lane_sizes(spec, axis)
        if domain is None:
            return self.var(self.widest, axis)
        if len(domain) == 1:
            return domain[0]
        var = self.var(max(domain), axis)
        self.cp.add_linear_expression_in_domain(var, cp_model.Domain.from_values(sorted(domain)))
        return var

    @property
    def _unit(self) -> int | None:
        return None if self.free == "unit_gpus" else self.candidate.spec.unit_servers

    def _copies(self, bundle: Bundle) -> Term:
        spec = self.candidate.spec
        if bundle.name in spec.pinned and self.free != f"pinned {bundle.name}":
            return spec.pinned[bundle.name]
        if bundle == self.form.bundles[0]:
            return self.var(spec.server.nics, bundle.name)
        if self.free != "parallel_links":
            return self.var(spec.limits.parallel_links, bundle.name)
        self.excess = self.excess if isinstance(self.excess, cp_model.IntVar) else self._new_excess()
        copies = self.var(self.widest, bundle.name)
        self.cp.add(copies <= self.excess)
        return copies

    def _attach_nics(self) -> None:
        """Every NIC has one link in every plane: lanes times links per lane are the server's NICs."""
        up = tuple(name for name in self.form.bundles[0].ports_up if name != PLANE)
        self.cp.add(self.product(up) == self.candidate.spec.server.nics)

    def _fill(self) -> None:
        """Fill the places for today's servers, and size the outermost axis for those that the fabric may grow to."""
        spec, outermost = self.candidate.spec, self.form.placement[0]
        grows = spec.grown_servers > spec.servers and self.free not in ("gpus", "grow_to_gpus")
        today = self._places(self.servers, "today")
        grown = self._places(spec.grown_servers, "grown") if grows else today
        for axis, count in today.items():
            self.sizes[filled(axis)] = count
        self.cp.add(self.sizes[outermost] >= grown[outermost])
        unit = self._unit and outermost == self.form.placement[-1]
        if not unit and (outermost not in spec.pinned or self.free == f"pinned {outermost}"):
            self.cp.add(self.sizes[outermost] == grown[outermost])

    def _places(self, servers: Term, when: str) -> dict[str, Term]:
        """Return the places of each placement axis that so many servers fill."""
        places: dict[str, Term] = {}
        count = servers
        for axis in reversed(self.form.placement):
            places[axis] = count
            if axis != self.form.placement[0]:
                count = self._ceil_divide(count, self.sizes[axis], f"{axis} {when}")
        return places

    def _servers(self) -> Term:
        servers = self.candidate.spec.servers
        if self.free != "gpus":
            return servers
        self.excess = self.var(servers, "servers")
        return self.excess

    def _ceil_divide(self, count: Term, size: Term, name: str) -> Term:
        if isinstance(count, int) and isinstance(size, int):
            return -(-count // size)
        places = self.var(self.upper(count), f"places of {name}")
        room = self.times(places, size, f"room of {name}")
        self.cp.add(room >= count)
        self.cp.add(room <= count + size - 1)
        return places

    def _limit_ports(self, group: Group) -> None:
        down = sum(self.product(b.ports_down, self.widest) for b in self.form.bundles if b.upper == group)
        up = sum(self.product(b.ports_up, self.widest) for b in self.form.bundles if b.lower == group)
        spare = 0 if self.free == "reserve" else self.candidate.spec.spare_ports(group.role)
        if self.free == f"ports {group.role}":
            self.cp.add(down + up + spare <= self._new_excess())
        else:
            for radix, used in zip(self.candidate.radix(group.role), self.used[group.role], strict=True):
                self._only_if(used, down + up + spare <= radix)
        if group != self.form.groups[-1]:
            self._limit_ratio(group.role, down, up)

    def _limit_ratio(self, role: str, down: cp_model.LinearExprT, up: cp_model.LinearExprT) -> None:
        spec = self.candidate.spec
        if self.free != "oversubscription":
            most = spec.ratio(role)
            self.cp.add(most.denominator * down <= most.numerator * up)
        least = spec.least_ratio(role)
        if least and self.free != "least_oversubscription":
            self.cp.add(least.denominator * down >= least.numerator * up)

    def _balance(self, group: Group) -> None:
        """Say of all the group's devices what is true of each: nothing new, but linear, which makes bounds tight."""
        if self.free:
            return
        below = next(bundle for bundle in self.form.bundles if bundle.upper == group)
        above = next((bundle for bundle in self.form.bundles if bundle.lower == group), None)
        links = self.links(below) + (self.links(above) if above else 0)
        self.cp.add(links <= self.sum_of(group.role, self.candidate.radix(group.role)))
        if above:
            ratio = self.candidate.spec.ratio(group.role)
            self.cp.add(ratio.denominator * self.links(below) <= ratio.numerator * self.links(above))
        elif not self.form.places(group):
            self._balance_growth(group)

    def _balance_growth(self, top: Group) -> None:
        """Say that the top tier, bought whole today, has ports for what the grown fabric's servers send up to it."""
        spec = self.candidate.spec
        ratio = math.prod((spec.ratio(role) for role in self.form.roles[:-1]), start=Fraction(1))
        sent = math.ceil(spec.grown_servers * spec.server.nics * self.candidate.planes / ratio)
        self.cp.add(self.sum_of(top.role, self.candidate.radix(top.role)) >= sent)

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

    def _only_if(self, used: Term, constraint: cp_model.BoundedLinearExpression | bool) -> None:
        added = self.cp.add(constraint)
        if not isinstance(used, int):
            added.only_enforce_if(used)

    def _new_excess(self) -> Term:
        self.excess = self.var(self.widest, "excess")
        return self.excess


def _ceiling(candidate: Candidate) -> int:
    """Return a bound on every count that keeps the cost within the solver's integers, far above any useful fabric's.

    Raises InputError when prices are so large that no such bound is left.
    """
    prices, form = candidate.prices, candidate.form
    coefficients = [prices.switch_cents(model) or 1 for role in form.roles for model in candidate.models[role]]
    coefficients += [prices.link_cents(bundle.name) or 1 for bundle in form.bundles]
    totals = [prices.switch_total(model) or 1 for role in form.roles for model in candidate.models[role]]
    totals += [prices.link_total(bundle.name) or 1 for bundle in form.bundles]
    totals, coefficients = [*totals, SHARES // 100 * prices.nic_cents], [*coefficients, prices.nic_cents]
    ratios = [each(role) for role in form.roles for each in (candidate.spec.ratio, candidate.spec.least_ratio)]
    factors = [max(candidate.radix(role)) for role in form.roles]
    factors += [max(ratio.numerator, ratio.denominator) for ratio in ratios]
    ceiling = SUM // max(sum(coefficients), sum(totals), 4 * max(factors))
    host_links = candidate.spec.servers * candidate.spec.server.nics * candidate.planes
    if ceiling < 8 * host_links:
        raise InputError(f"prices up to {max(coefficients) / 100:,.0f} USD a part are too large to add up exactly")
    return ceiling
