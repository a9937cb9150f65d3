"""The sizes of balanced bundles as variables: uplinks, and what follows from them at both ends.

See `fabric.topology.axis_bundle.BalancedBundle` for the rule that lays the links.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ortools.sat.python import cp_model

from fabric.optimizer.pair_links import CONNECTORS, LIMIT, bundle_splits, pair_flags
from fabric.topology.axis_bundle import BalancedBundle

if TYPE_CHECKING:
    from fabric.optimizer.clos_model import ClosModel
    from fabric.optimizer.model import Model, Term

__all__ = ["add_balanced_links", "count_uneven", "join_connectors"]


def add_balanced_links(model: ClosModel, bundle: BalancedBundle) -> None:
    """Add the sizes of a bundle: a link at least to every device above, and no pair with more than may be."""
    spread, together = model.product(bundle.upper_only), _links_together(model, bundle)
    limit = model.candidate.spec.limits.parallel_links * max(
        pair.split.per_port for pair in bundle_splits(model.candidate, bundle)
    )
    model.sizes[bundle.connector] = together
    most = model.widest // model.lower(together)
    connectors = model.var(max(1, most), f"connectors of {bundle.lower.role}")
    model.sizes[bundle.uplinks] = model.times(connectors, together, bundle.uplinks)
    model.cp.add(connectors >= spread)
    pairs = model.ceil_divide(connectors, spread, f"pairs of {bundle.name}")
    model.sizes[bundle.name] = model.times(pairs, together, bundle.name)
    if LIMIT not in model.relaxed:
        model.cp.add(model.sizes[bundle.name] <= limit)
    below = model.times(model.product(bundle.lower_only), connectors, f"connectors below {bundle.upper.role}")
    each = model.ceil_divide(below, spread, f"connectors of {bundle.upper.role}", model.widest)
    model.sizes[bundle.downlinks] = model.times(each, together, bundle.downlinks)
    for name in bundle.size_names:
        if pinned := model.pinned_size(name):
            model.cp.add(model.sizes[name] == pinned)


def _links_together(model: ClosModel, bundle: BalancedBundle) -> Term:
    """Return the links of a connector; a variable where the models decide, and one of them is in use at each end."""
    wholes = {pair.split.whole for pair in bundle_splits(model.candidate, bundle)}
    if CONNECTORS in model.relaxed:
        return 1
    if len(wholes) == 1 or _mixes(model, bundle):
        return math.lcm(*wholes)
    together = model.var(max(wholes), bundle.connector, min(wholes))
    model.cp.add_linear_expression_in_domain(together, cp_model.Domain.from_values(sorted(wholes)))
    return together


def _mixes(model: ClosModel, bundle: BalancedBundle) -> bool:
    return any(model.candidate.mixes(group.role) for group in (bundle.lower, bundle.upper))


def join_connectors(model: ClosModel, bundle: BalancedBundle) -> None:
    """Keep the links together that the models in use put on one connector; the models are chosen."""
    together = model.sizes[bundle.connector]
    if not isinstance(together, int):
        for pair in bundle_splits(model.candidate, bundle):
            model.cp.add(together == pair.split.whole).only_enforce_if(pair_flags(model, bundle, pair))


def count_uneven(model: Model) -> cp_model.LinearExprT:
    """Return how many balanced bundles have pairs with more links than others."""
    return sum(_is_uneven(model, bundle) for bundle in model.topology.balanced_bundles)


def _is_uneven(model: Model, bundle: BalancedBundle) -> cp_model.IntVar:
    """Return a flag that is 1 where pairs differ, and no more than that when minimised."""
    flag, uplinks = model.var(1, f"{bundle.name} is uneven", least=0), model.sizes[bundle.uplinks]
    room = model.times(model.sizes[bundle.name], model.product(bundle.upper_only), f"room of {bundle.name}")
    model.cp.add(room == uplinks).only_enforce_if(flag.negated())
    return flag
