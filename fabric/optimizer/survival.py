"""The loss of a switch or a plane as constraints: the throughput that must remain (`fabric.blueprint.metrics`)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from fabric.optimizer.feature import Constraint
from fabric.optimizer.integer_bounds import LARGEST_TOTAL
from fabric.optimizer.model import Model, Term
from fabric.topology.clos import ClosForm
from fabric.topology.polynomial import Monomial

__all__ = ["remains_of", "survive_switch"]


def survive_switch(model: Model, form: ClosForm, tier: int, share: Fraction) -> None:
    """Demand that the rest carry a share of the throughput: by enough switches, or by room above some tier `below`.

    With M, X, n and b as in `ClosMetrics.survives`: rerouting at tier b keeps the share if (n - 1) / n X(j) >= share M
    for all j >= b. M is the least of the X, so that holds if and only if it holds with some X(i) in place of M. Only
    i < b needs an alternative of its own: with i >= b, taking i for j says that n alone is enough, and then the count
    as a server sees it, which is no less, is enough as well.
    """
    alternatives = [[_spread_remains(model, form, tier, share)]]
    alternatives += [
        list(_room(model, form, tier, below, base, share)) for below in range(1, tier) for base in range(below)
    ]
    flags = []
    for index, constraints in enumerate(alternatives):
        flag = model.var(1, f"survives at {tier} by {index}", least=0)
        for constraint in constraints:
            model.cp.add(constraint).only_enforce_if(flag)
        flags.append(flag)
    model.cp.add_bool_or(flags)


def remains_of(count: Term, share: Fraction) -> Constraint:
    """Return that count - 1 is at least the share of count."""
    # count - 1 >= share * count is count >= 1 / (1 - share).
    return False if share == 1 else count >= math.ceil(1 / (1 - share))


def _spread_remains(model: Model, form: ClosForm, tier: int, share: Fraction) -> Constraint:
    """Return that enough remains of the switches over which a server spreads, a ratio of two products."""
    switches, over = form.fan_out(tier, 0)
    if not over:
        return remains_of(model.product(switches), share)
    rest = share.denominator - share.numerator
    most = LARGEST_TOTAL // (4 * share.denominator)
    return rest * _times(model, switches, most) >= share.denominator * _times(model, over, most)


def _room(model: Model, form: ClosForm, tier: int, below: int, base: int, share: Fraction) -> Iterator[Constraint]:
    """Yield that (n - 1) X(j) >= share n X(base) for all bundles j from `below` up, as products of sizes."""
    spread, over = form.fan_out(tier, below)
    for bundle in range(below, form.tiers):
        tiers = range(base, bundle)
        faster = Fraction(*(model.candidate.rate(form.bundles[each]) for each in (bundle, base)))
        kept, left = share.denominator * faster.numerator, share.numerator * faster.denominator
        up = Counter(name for each in tiers for name in form.bundles[each + 1].ports_up)
        down = Counter(name for each in tiers for name in form.bundles[each].ports_down)
        # Sizes on both sides of the inequality cancel, which keeps the products small.
        more, less = (tuple((one - other).elements()) for one, other in ((up, down), (down, up)))
        # Bounded so, either side, once more by a size and by the share, is still within the solver's integers.
        most = LARGEST_TOTAL // (
            4 * max(kept, left, *(model.upper(model.sizes[name]) for name in (*spread, *over, *more, *less)))
        )
        rest = _times(model, (*more, *spread), most) - _times(model, (*more, *over), most)
        yield kept * rest >= left * _times(model, (*less, *spread), most)


def _times(model: Model, names: Monomial, most: int) -> Term:
    """Return the product of the sizes as a total of at most `most`, which no fabric comes near."""
    term: Term = 1
    for name in names:
        term = model.times(term, model.sizes[name], "*".join(names), most)
    return term
