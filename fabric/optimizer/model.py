"""The CP-SAT reading of a form: every size a variable, every count a product of them, every limit a constraint."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

from ortools.sat.python import cp_model

from fabric.counts import Monomial
from fabric.form import PLANE, Bundle, Form, Group, filled
from fabric.optimizer.bounds import any_width, ceiling
from fabric.optimizer.candidates import Candidate, lane_sizes

__all__ = ["Model", "Term"]

Term = cp_model.IntVar | int
"""A size or a count: a variable, or an integer where it is known."""


class Model:
    """One candidate as a CP-SAT model. `relaxed` names limits to leave out, so that a search can ask what they cost.

    A relaxed limit is `ports`, `ports.ROLE`, `limits.parallel_links`, `oversubscription`, `least_oversubscription`,
    `unit_gpus`, `reserve`, `grow_to_gpus`, `pinned.AXIS` or `gpus`. Where one is relaxed alone, `excess` holds what it
    would have to be, to minimise: the ports of a switch that has too few, the parallel links, the ratio in hundredths;
    or to maximise: the ports in reserve, the servers, those to grow to.
    """

    def __init__(self, candidate: Candidate, relaxed: Iterable[str] = ()) -> None:
        self.candidate = candidate
        self.relaxed = frozenset(relaxed)
        self.cp = cp_model.CpModel()
        self.excess: Term = 0
        self._ceiling = ceiling(candidate)
        self.widest = max(max(candidate.radix(role)) for role in candidate.form.roles)
        if any(name.startswith("ports") for name in self.relaxed):
            self.widest = any_width(candidate, self.widest)
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
        if axis in spec.pinned and f"pinned.{axis}" not in self.relaxed:
            return spec.pinned[axis]
        if axis == self.form.placement[-1]:
            return self._unit or self.var(self.widest if self._loose(axis) else self._most_servers, axis)
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
        return None if "unit_gpus" in self.relaxed else self.candidate.spec.unit_servers

    @property
    def _most_servers(self) -> int:
        return min(self.widest, self.candidate.spec.grown_servers)

    def _loose(self, axis: str) -> bool:
        """Say whether a placement axis may be larger than it need be: as one that is given could, if it were not."""
        given = axis in self.candidate.spec.pinned
        return given or (axis == self.form.placement[-1] and self.candidate.spec.unit_servers is not None)

    def _copies(self, bundle: Bundle) -> Term:
        spec = self.candidate.spec
        if bundle.name in spec.pinned and f"pinned.{bundle.name}" not in self.relaxed:
            return spec.pinned[bundle.name]
        if bundle == self.form.bundles[0]:
            return self.var(spec.server.nics, bundle.name)
        if "limits.parallel_links" not in self.relaxed:
            return self.var(spec.limits.parallel_links, bundle.name)
        copies = self.var(self.widest, bundle.name)
        if len(self.relaxed) == 1:
            self.cp.add(copies <= self._excess(self.widest))
        return copies

    def _attach_nics(self) -> None:
        """Every NIC has one link in every plane: lanes times links per lane are the server's NICs."""
        up = tuple(name for name in self.form.bundles[0].ports_up if name != PLANE)
        self.cp.add(self.product(up) == self.candidate.spec.server.nics)

    def _fill(self) -> None:
        """Fill the places for today's servers, and size the outermost axis for those that the fabric may grow to."""
        outermost = self.form.placement[0]
        grown = self._grown(self.servers)
        today = self._places(self.servers, "today")
        full = today if grown is self.servers else self._places(grown, "grown")
        for axis, count in today.items():
            self.sizes[filled(axis)] = count
        for axis in [axis for axis in self.form.placement[1:-1] if not self._loose(axis)]:
            self.cp.add(self.sizes[axis] <= full[axis])  # no place is for servers that nobody asked for
        self.cp.add(self.sizes[outermost] >= full[outermost])
        if not self._loose(outermost):
            self.cp.add(self.sizes[outermost] == full[outermost])

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
        if "gpus" not in self.relaxed:
            return servers
        self.excess = self.var(servers, "servers")
        return self.excess

    def _grown(self, servers: Term) -> Term:
        """Return the servers that the fabric must be able to grow to, today's `servers` at the least."""
        spec = self.candidate.spec
        if self.relaxed == {"grow_to_gpus"}:
            self.excess = self.var(spec.grown_servers, "grown", least=spec.servers)
            return self.excess
        if "grow_to_gpus" in self.relaxed or not spec.grow_to_gpus:
            return servers
        if isinstance(servers, int):
            return servers if servers == spec.grown_servers else spec.grown_servers
        grown = self.var(spec.grown_servers, "grown")
        self.cp.add_max_equality(grown, [servers, -(-spec.grow_to_gpus // spec.server.gpus)])
        return grown

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
        total, role = down + up + self._spare(group.role), group.role
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
        if group != self.form.groups[-1]:
            self._limit_ratio(role, down, up)

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

    def _limit_ratio(self, role: str, down: cp_model.LinearExprT, up: cp_model.LinearExprT) -> None:
        spec = self.candidate.spec
        ratio, least = spec.ratio(role), spec.least_ratio(role)
        if least and "least_oversubscription" not in self.relaxed:
            self.cp.add(least.denominator * down >= least.numerator * up)
        within = ratio.denominator * down <= ratio.numerator * up
        if "oversubscription" not in self.relaxed:
            self.cp.add(within)
        elif len(self.relaxed) == 1:
            high = self.var(1, f"{role} is oversubscribed", least=0)
            most = 100 * self.widest
            share = self.var(most * self.widest, f"hundredths of {role}", least=0)
            self.cp.add_multiplication_equality(share, [self._excess(most), up])
            self.cp.add(within).only_enforce_if(high.negated())
            self.cp.add(100 * down <= share).only_enforce_if(high)

    def _balance(self, group: Group) -> None:
        """Say of all the group's devices what is true of each: nothing new, but linear, which makes bounds tight."""
        if any(name.startswith("ports") for name in self.relaxed):
            return
        below = next(bundle for bundle in self.form.bundles if bundle.upper == group)
        above = next((bundle for bundle in self.form.bundles if bundle.lower == group), None)
        links = self.links(below) + (self.links(above) if above else 0)
        self.cp.add(links <= self.sum_of(group.role, self.candidate.radix(group.role)))
        if above and "oversubscription" in self.relaxed:
            return
        if above:
            ratio = self.candidate.spec.ratio(group.role)
            self.cp.add(ratio.denominator * self.links(below) <= ratio.numerator * self.links(above))
        elif not self.form.places(group) and self.relaxed.isdisjoint(("gpus", "grow_to_gpus", "oversubscription")):
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

    def _excess(self, most: int, least: int = 1) -> cp_model.IntVar:
        """Return the one `excess`, from `least` to `most`."""
        if isinstance(self.excess, int):
            self.excess = self.var(most, "excess", least)
        return self.excess
