"""The features of a model: their ranges hold every fabric, and a bound on one leaves only fabrics within it."""

from __future__ import annotations

from typing import Any

import pytest

import fabric
from fabric.optimizer.build_model import build_model
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.flow_objectives import features_of
from fabric.optimizer.search import comparable_candidates
from fabric.optimizer.solve import minimise
from fabric.optimizer.ties import blueprint_of

SWITCH = {"name": "any", "ports": 12, "rate_gbps": 400, "price_usd": 100, "latency_ns": 500}
ASKED: dict[str, Any] = {
    "gpus": 48,
    "server": {"name": "box", "gpus": 2, "nics": 2, "nic_gbps": 400},
    "switches": SWITCH,
    "link_price_usd": 1,
    "limits": {"parallel_links": 2},
}
TREES = [
    {"family": family, "tiers": 3, "oversubscription": {"leaf": leaf, "spine": spine}}
    for family in ("fat-tree", "rail-optimized")
    for leaf, spine in ((0.5, 2), (2, 0.5), (2, 2))
]
TOR = {**SWITCH, "name": "tor", "uplinks": 4, "uplink_gbps": 800}
FAST = {
    "family": "fat-tree",
    "tiers": 2,
    "oversubscription": 2,
    "switches": {"leaf": TOR, "spine": {**SWITCH, "name": "fast", "rate_gbps": 800}},
}
OTHERS = [{"family": family, "oversubscription": 4} for family in ("dragonfly", "hyperx", "slim-fly")]


def fewest_links(candidate: Candidate, name: str = "", most: int = 0) -> tuple[int, dict[str, int]] | None:
    """Return the fewest links, and the features of such a fabric; with one feature at most so much, if there is one."""
    model = build_model(candidate)
    for limit in model.features()[name].at_most(most) if name else ():
        model.cp.add(limit)
    solution = minimise(model, [sum(model.links(bundle) for bundle in candidate.topology.bundles)])
    return (solution.values[0], features_of(blueprint_of(candidate, solution))) if solution.values else None


@pytest.mark.parametrize(
    "words", [*TREES, FAST, *OTHERS], ids=lambda words: f"{words['family']} {words['oversubscription']}"
)
def test_features_are_in_their_range_and_within_what_bounds_them(words: dict[str, Any]) -> None:
    """The fabric of the fewest links has features in the range of the model; asked for less of one, none has as much.

    Asked for just as much, it is among the answers.
    """
    bounded = 0
    for candidate in comparable_candidates(fabric.read(ASKED, **words), ())[0]:
        links, found = fewest_links(candidate) or (0, {})
        for name, feature in build_model(candidate).features().items() if links else ():
            value = found[name]
            assert feature.least <= value <= feature.most, name
            if feature.least < value and (feature.limits or feature.expression is not None):
                same, less = (fewest_links(candidate, name, most) for most in (value, value - 1))
                assert same is not None, name
                assert same[0] == links, name
                assert less is None or less[1][name] < value, name
                bounded += 1
    assert bounded >= 4
