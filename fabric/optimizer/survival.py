"""The loss of a switch or a plane as constraints: what must remain of the throughput (`fabric.metrics.survives`)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from ortools.sat.python import cp_model

from fabric.optimizer.integer_bounds import SUM
from fabric.optimizer.model import Model, Term
from fabric.topology.graph_form import GraphForm
from fabric.topology.polynomial import Monomial
from fabric.topology.topology import PLANE

__all__ = ["survive"]

Constraint = cp_model.BoundedLinearExpression | bool


def survive(model: Model) -> None:
    """Demand the share of throughput that the request wants to remain, but for each `survive ROLE` that is relaxed."""
    for role, share in model.candidate.spec.survive.items():
        if f"survive.{role}" in model.relaxed:
            continue
        if role == PLANE:
            model.cp.add(_enough(model.candidate.planes, share))
        elif isinstance(model.topology, GraphForm):
            model.cp.add(
                role == model.topology.roles[0]
                and not model.topology.routing.nic_levels
                and _enough(model.candidate.planes, share)
            )
        elif role in model.topology.roles:
            _survive_switch(model, model.topology.roles.index(role) + 1, share)


def _survive_switch(model: Model, tier: int, share: Fraction) -> None:
    """Demand one of the ways to survive: enough switches, or room above a tier `below` for what those left must take.

    With M the least of the X (see `survives`), the way over b is open if (n - 1) / n X(j) >= share M for all j >= b. As
    M is one of the X(i) and none is less, that is so if it holds with some X(i) for M. With an i >= b, taking i for j,
    it says that n alone is enough, and then so is the count as a server sees it, which is no less.
    """
    ways = [[_enough(model.product(model.topology.fan_out(tier, 0)), share)]]
    ways += [list(_room(model, tier, below, base, share)) for below in range(1, tier) for base in range(below)]
    flags = []
    for place, way in enumerate(ways):
        flag = model.var(1, f"survives at {tier} by {place}", least=0)
        for constraint in way:
            model.cp.add(constraint).only_enforce_if(flag)
        flags.append(flag)
    model.cp.add_bool_or(flags)


def _enough(count: Term, share: Fraction) -> Constraint:
    """Return that count - 1 is at least the share of count."""
    return False if share == 1 else count >= math.ceil(1 / (1 - share))


def _room(model: Model, tier: int, below: int, base: int, share: Fraction) -> Iterator[Constraint]:
    """Yield that (n - 1) X(j) >= share n X(base) for all bundles j from `below` up, as products of sizes."""
    form, spread = model.topology, model.topology.fan_out(tier, below)
    for bundle in range(below, form.tiers):
        tiers = range(base, bundle)
        up = Counter(name for each in tiers for name in form.bundles[each + 1].ports_up)
        down = Counter(name for each in tiers for name in form.bundles[each].ports_down)
        more, less = (tuple((one - other).elements()) for one, other in ((up, down), (down, up)))
        most = SUM // (
            4 * max(share.denominator, *(model.upper(model.sizes[name]) for name in (*spread, *more, *less)))
        )
        rest = _times(model, (*more, *spread), most) - _times(model, more, most)
        yield share.denominator * rest >= share.numerator * _times(model, (*less, *spread), most)


def _times(model: Model, names: Monomial, most: int) -> Term:
    """Return the product of the sizes as a total of at most `most`, which no fabric comes near."""
    term: Term = 1
    for name in names:
        term = model.times(term, model.sizes[name], "*".join(names), most)
    return term
