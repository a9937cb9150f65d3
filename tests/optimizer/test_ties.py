"""Of fabrics that are equally good the plainest is preferred, whichever way it is found."""

from __future__ import annotations

import pytest

import fabric
from fabric.optimizer import search, ties
from fabric.optimizer.ties import Tie, plainness, preferred_blueprint
from tests.marks import slow

FREE = {"ports": 16, "rate_gbps": 400, "price_usd": 0}


@pytest.mark.parametrize(
    "request_",
    [
        {"gpus": 60, "family": ["clos", "torus", "dragonfly"], "oversubscription": 2},
        {"gpus": 96, "family": ["fat-tree", "rail-optimized", "rail-only"], "uplink_spread": "balanced"},
        *slow({"gpus": 128, "family": ["fat-tree", "torus", "hyperx"], "planes": "any", "limits": {"models": 1}}),
    ],
)
def test_the_plainest_of_all_ties_is_the_same_as_with_each_solved(
    request_: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where everything is free all candidates tie: bounding each by the best so far changes nothing but the time."""
    asked: list[list[Tie]] = []

    def record(tied: list[Tie]) -> object:
        asked.append(tied)
        return preferred_blueprint(tied)

    monkeypatch.setattr(search, "preferred_blueprint", record)
    switches = [{"name": "small", **FREE}, {"name": "large", **FREE, "ports": 32}]
    server = {"name": "box", "gpus": 2, "nics": 2, "nic_gbps": 400}
    study = fabric.design(name="free", server=server, switches=switches, link_price_usd=0, **request_)
    (tied,) = asked
    least = min(plainness(tie.candidate) for tie in tied)
    each = [ties._preferred(tie) for tie in tied if plainness(tie.candidate) == least]
    assert len(each) > 1
    assert study.blueprint == min(each, key=ties._complexity)
