"""Paths over the switches of networks that are no trees: what chooses them, and what their distances take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.errors import TooLarge
from fabric.flow import Phase, Routing, route

ASKED: dict[str, Any] = {
    "gpus": 32,
    "family": "torus",
    "pinned": {"x": 4, "y": 4, "slot": 2},
    "switches": {"name": "any", "ports": 16, "rate_gbps": 400, "price_usd": 1},
    "link_price_usd": 1,
    "oversubscription": 8,
}


def torus(planes: int = 1) -> Blueprint:
    """Return a torus of 4 by 4 switches in each plane, with two servers at each."""
    server = {"name": "one", "gpus": 1, "nics": 1, "nic_gbps": 400 * planes}
    return fabric.design(ASKED, server=server, planes=planes).blueprint


def test_the_target_alone_chooses_a_path_by_destination_mod_k() -> None:
    """Both servers of a leaf reach a target by the same links, and different targets of a leaf by different ones."""
    plan = torus()
    source, target = (ends.reshape(-1) for ends in np.indices((2, 28)))
    phase = Phase(source, 4 + target)
    between = {name: route(plan, phase, Routing(name)).arcs[:, 2:].reshape(2, 28, -1) for name in ("dmodk", "ecmp")}
    assert (between["dmodk"][0] == between["dmodk"][1]).all()
    assert (between["ecmp"][0] != between["ecmp"][1]).any()
    assert (between["dmodk"][0, ::2] != between["dmodk"][0, 1::2]).any()


@pytest.mark.parametrize(("planes", "lost", "size"), [(1, False, 256), (2, False, 256), (2, True, 512)])
def test_distances_that_memory_cannot_hold_are_refused(
    monkeypatch: pytest.MonkeyPatch, planes: int, lost: bool, size: int
) -> None:
    """They take three bytes for each pair of the 16 switches, in every plane where links failed."""
    plan = torus(planes)
    up = np.arange(plan.links_total) > 0 if lost else None
    phase = Phase(np.array([0]), np.array([31]))
    monkeypatch.setattr("fabric.resources.memory_available", lambda: 3 * size)
    assert not route(plan, phase, Routing("ecmp", qps=planes), up).disconnected.any()
    monkeypatch.setattr("fabric.resources.memory_available", lambda: 3 * size - 1)
    with pytest.raises(TooLarge, match=f"the distances of {size} pairs of switches"):
        route(plan, phase, Routing("ecmp", qps=planes), up)
