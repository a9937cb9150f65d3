"""The loss of a switch or a plane as constraints: the throughput that must remain (`fabric.blueprint.metrics`)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from fabric.optimizer.feature import Constraint
from fabric.optimizer.integer_bounds import LARGEST_TOTAL
from fabric.optimizer.model import Model, Term
from fabric.topology.clos import ClosForm
from fabric.topology.polynomial import Monomial

__all__ = ["Sent", "remains_of", "survive_switch"]


class Sent(NamedTuple):
    """What the servers below a full leaf send: the product of all three."""

    gbps: int
    """A rate in Gb/s."""
    ports: Monomial = ()
    """The sizes whose product is the links at that rate."""
    total: Term = 1
    """A count that is no size of the fabric."""


def survive_switch(model: Model, form: ClosForm, tier: int, share: Fraction, *, sent: Iterable[Sent]) -> None:
    """Demand that the rest carry a share of the throughput: by enough switches, or by room above some tier `below`.

    `sent` is what the servers below one full leaf send.

    With M, X, n and b as in `ClosMetrics.survives`: rerouting at tier b keeps the share if (n - 1) / n X(j) >= share M
    for all j >= b. M is the least of the X, so that holds if and only if it holds with some X(i) in place of M. Only
    i < b needs an alternative of its own: with i >= b, taking i for j says that n alone is enough, and then the count
    as a server sees it, which is no less, is enough as well.
    """
    alternatives = [[_spread_remains(model, form, tier, share)]]
    for below in range(1, tier):
        whole = [rule for each in sent for rule in _room(model, form, tier, below, share, each)]
        above = [[*_room(model, form, tier, below, share, base)] for base in range(1, below)]
        alternatives += [whole, *above]
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


def _room(
    model: Model, form: ClosForm, tier: int, below: int, share: Fraction, base: int | Sent
) -> Iterator[Constraint]:
    """Yield that (n - 1) X(j) >= share n X(base) for all bundles j from `below` up, as products of sizes.

    The base is a tier, or what the servers below a leaf send, with X(0).
    """
    spread, over = form.fan_out(tier, below)
    first, start = (base, Sent(model.candidate.rate(form.chain[base]))) if isinstance(base, int) else (0, base)
    for bundle in range(below, form.tiers):
        tiers = range(first, bundle)
        faster = Fraction(model.candidate.rate(form.chain[bundle]), start.gbps)
        kept, left = share.denominator * faster.numerator, share.numerator * faster.denominator
        up = Counter(name for each in tiers for name in form.chain[each + 1].ports_up)
        down = Counter((*start.ports, *(name for each in tiers if each for name in form.chain[each].ports_down)))
        # Sizes on both sides of the inequality cancel, which keeps the products small.
        more, less = (tuple((one - other).elements()) for one, other in ((up, down), (down, up)))
        # Bounded so, either side, once more by a size and by the share, is still within the solver's integers.
        factors = (start.total, *(model.sizes[name] for name in (*spread, *over, *more, *less)))
        most = LARGEST_TOTAL // (4 * max(kept, left, *map(model.upper, factors)))
        rest = _times(model, (*more, *spread), most) - _times(model, (*more, *over), most)
        yield kept * rest >= left * _times(model, (*less, *spread), most, start.total)


def _times(model: Model, names: Monomial, most: int, term: Term = 1) -> Term:
    """Return the product of the sizes and a term as a total of at most `most`, which no fabric comes near."""
    for name in names:
        term = model.times(term, model.sizes[name], "*".join(names), most)
    return term
