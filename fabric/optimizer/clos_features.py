"""The features of a Clos model (see `fabric.optimizer.feature`)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

from fabric.optimizer.feature import LARGEST_RATIO, MILLION, ROOM, Constraint, Feature
from fabric.optimizer.model import Model, Term
from fabric.topology.clos import ClosForm
from fabric.topology.polynomial import Monomial

__all__ = ["clos_features"]


def clos_features(model: Model, form: ClosForm) -> dict[str, Feature]:
    """Return the features of a Clos model by name."""
    found = {
        "hops": model.to_feature(model.path_switches(), 2 * form.tiers + 1),
        "switch_ps": model.slowest_switch(),
        "paths": _several_paths(model, form),
        "leaf_nics": model.to_feature(model.product((form.bundles[0].name,))),
    }
    if model.has_directors:
        found |= {f"turn {tier}": _turn(model, tier) for tier in range(1, form.tiers + 1)}
    for tier, group in enumerate(form.switch_groups[:-1], 1):
        inner = form.server.axes[len(form.placement_axes(group)) :]
        found[f"peers {tier}"] = model.to_negative_feature(model.product(inner))
        rails = tuple(axis for axis in form.rail_axes if axis in form.shared_axes(tier))
        found[f"unmet rails {tier}"] = model.to_feature(model.product(rails) if form.rails_meet_at else 1)
        found[f"ratio {tier}"] = _ratio(model, form, tier)
    return found


def _turn(model: Model, tier: int) -> Feature:
    """Return the hops of a path that turns at `tier`."""
    below, top = model.inner_hops[: tier - 1], model.inner_hops[tier - 1]
    return model.to_feature(2 * sum(below) + top, 2 * sum(map(model.upper, below)) + model.upper(top))


def _several_paths(model: Model, form: ClosForm) -> Feature:
    """Return a flag that is 1 when a switch below the top tier has more than one link up."""
    if form.tiers == 1:
        return Feature(0, 0)
    flag = model.var(1, "several paths", least=0)
    for bundle in form.bundles[1:]:
        up = model.product(bundle.ports_up)
        model.cp.add(up - 1 <= model.upper(up) * flag)
    return Feature(0, 1, flag)


def _ratio(model: Model, form: ClosForm, tier: int) -> Feature:
    """Return the ratios up to `tier` multiplied, in millionths, at least 1."""
    spec, tiers, candidate = model.candidate.spec, range(1, tier + 1), model.candidate
    rates = [candidate.rate(bundle) for bundle in form.bundles]
    ratios = (spec.ratio(form.roles[each - 1]) for each in tiers)
    most = math.prod(max(Fraction(1), min(ratio, Fraction(model.widest))) for ratio in ratios)
    sent = MILLION * spec.servers * spec.server.nics * model.candidate.planes

    def at_most(value: int) -> Iterator[Constraint]:
        faster = Fraction(rates[tier], rates[0])
        sent_down, carried = MILLION * faster.denominator, value * faster.numerator
        down = _ports(model, [form.bundles[each - 1].ports_down for each in tiers], sent_down)
        up = _ports(model, [form.bundles[each].ports_up for each in tiers], carried)
        yield sent_down * down <= carried * up
        # Of all the servers together: nothing new, but it tells the solver how few links that takes.
        yield model.links(form.bundles[tier]) >= -(-sent * rates[0] // (value * rates[tier]))

    return Feature(MILLION, min(math.ceil(MILLION * most), LARGEST_RATIO), limits=at_most)


def _ports(model: Model, each: Sequence[Monomial], factor: int) -> Term:
    """Return the product of the ports of several tiers on one side, bounded where times `factor` it exceeds 64 bits.

    No switch has more ports than the widest.
    """
    found = model.product(tuple(name for monomial in each for name in monomial))
    if factor * model.upper(found) < ROOM:
        return found
    bounded = model.var(model.widest ** len(each), "ports of tiers")
    model.cp.add(bounded == found)
    return bounded
