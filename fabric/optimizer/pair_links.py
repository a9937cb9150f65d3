"""The links between a pair of devices: at most a number of native ports, and filling whole connectors.

See `fabric.blueprint.splits` for what the ports and connectors of two models demand. Where a role has several models,
a demand holds if the models that make it are in use.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ortools.sat.python import cp_model

from fabric.blueprint.port_rules import ports_of
from fabric.blueprint.splits import Split, at_server, between_switches, fill_cables
from fabric.optimizer.candidates import Candidate
from fabric.topology.topology import Bundle

if TYPE_CHECKING:
    from fabric.optimizer.model import Model, Term

__all__ = ["CONNECTORS", "LIMIT", "add_parallel_links", "bundle_splits", "limit_pairs", "most_links", "pair_flags"]

LIMIT = "limits.parallel_links"
"""The limit on the native ports between a pair of switches."""

CONNECTORS = "whole_connectors"
"""The limit that the links of a pair fill whole connectors, where both ends put several on one, and whole cables."""


@dataclass(frozen=True)
class ModelPair:
    """A model of each end of a bundle, by their places in the candidate's choice, and how their links are split."""

    lower: int | None
    """The lower end's model; None at a server."""
    upper: int
    """The upper end's model."""
    split: Split
    """How their links share ports and connectors."""


def bundle_splits(candidate: Candidate, bundle: Bundle) -> list[ModelPair]:
    """Return the pairs of models that a bundle may join, each with the split of their links."""
    rate, uppers, found = (
        candidate.rate(bundle),
        candidate.models[bundle.upper.role],
        candidate.prices.parts(bundle.name),
    )
    if bundle in candidate.topology.host_bundles:
        planes, servers = candidate.planes, candidate.spec.servers_by_role(bundle.lower.role)
        server = servers[bundle.lower.role]
        splits = (at_server(server, model, rate, planes) for model in uppers)
        return [ModelPair(None, at, fill_cables(split, found)) for at, split in enumerate(splits)]
    lowers, within = candidate.models[bundle.lower.role], bundle.lower == bundle.upper
    apart = within and not candidate.mixes(bundle.lower.role)
    return [
        ModelPair(low, high, fill_cables(between_switches(lower.upward, ports_of(upper, within), rate), found))
        for low, lower in enumerate(lowers)
        for high, upper in enumerate(uppers)
        if not (within and low > high) and not (apart and low != high)
    ]


def add_parallel_links(model: Model, bundle: Bundle) -> cp_model.IntVar:
    """Return the links between each pair of switches that a bundle joins, as a variable that some models allow."""
    step = _step(model, bundle)
    most = model.widest if LIMIT in model.relaxed else most_links(model.candidate, bundle)
    parallel = model.var(max(step, most - most % step), bundle.name, step)
    if step > 1:
        model.cp.add(parallel == step * model.var(model.upper(parallel) // step, f"connectors {bundle.name}"))
    return parallel


def most_links(candidate: Candidate, bundle: Bundle) -> int:
    """Return the most links that the limit on native ports allows between a pair of switches of some models."""
    each = (pair.split.per_port for pair in bundle_splits(candidate, bundle))
    return candidate.spec.limits.parallel_links * max(each)


def limit_pairs(model: Model) -> None:
    """Keep every pair's links within what its models allow; the models are chosen."""
    if model.relaxed == {CONNECTORS}:
        model.excess = 1
    for bundle in model.topology.bundles:
        switches = bundle in model.topology.fabric_bundles
        links, over = model.pair_links(bundle)
        for pair in bundle_splits(model.candidate, bundle):
            rules = [] if CONNECTORS in model.relaxed else [*_fill_connectors(model, bundle, pair.split, links, over)]
            rules += _limit_ports(model, pair.split, links, over) if switches else []
            for rule in rules:
                model.cp.add(rule).only_enforce_if(pair_flags(model, bundle, pair))


def _fill_connectors(
    model: Model, bundle: Bundle, split: Split, links: cp_model.LinearExprT, over: Term
) -> Iterator[Any]:
    """Yield what makes `links / over` links fill whole connectors, unless they do anyway."""
    if isinstance(links, int) and isinstance(over, int):
        if not split.fits(links):
            yield False
    elif not split.whole:
        yield False
    elif split.whole > 1 and not (isinstance(over, int) and split.whole == _step(model, bundle)):
        number = model.var(max(1, model.widest // split.whole), f"connectors {bundle.name}")
        yield links == split.whole * model.times(number, over, f"ends {bundle.name}")


def _limit_ports(model: Model, split: Split, links: cp_model.LinearExprT, over: Term) -> Iterator[Any]:
    """Yield what keeps `links / over` links within the limit on native ports, unless they are anyway."""
    if LIMIT in model.relaxed:
        if len(model.relaxed) == 1:
            yield links <= split.per_port * model.times(model.excess_to(model.widest), over, "parallel")
        return
    most = split.per_port * model.candidate.spec.limits.parallel_links
    if not isinstance(links, cp_model.IntVar) or model.upper(links) > most:
        yield links <= most * over


def _step(model: Model, bundle: Bundle) -> int:
    """Return the number of which a pair's links are a multiple whatever the models in use."""
    if CONNECTORS in model.relaxed or bundle in model.topology.host_bundles:
        return 1
    return max(1, math.gcd(*(pair.split.whole for pair in bundle_splits(model.candidate, bundle))))


def pair_flags(model: Model, bundle: Bundle, pair: ModelPair) -> list[cp_model.IntVar]:
    """Return the flags that are 1 where both models are in use, today or later; none for one that is always."""
    ends = {(bundle.upper.role, pair.upper)} | ({(bundle.lower.role, pair.lower)} if pair.lower is not None else set())
    used = (model.present[role][at] for role, at in sorted(ends))
    return [flag for flag in used if not isinstance(flag, int)]
