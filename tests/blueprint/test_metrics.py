"""Metrics of a blueprint: what a failed switch leaves, by arithmetic."""

from __future__ import annotations

from fractions import Fraction

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import metrics_of
from fabric.catalog import servers, switches
from fabric.topology.clos import ClosForm


def two_tiers(planes: int) -> Blueprint:
    """Return four units of four servers on leaves and four spines in each plane, at 1:1."""
    form = ClosForm.parse("fat-tree", "server(block, slot) - leaf(block, stripe) - spine(spine)")
    sizes = {"block": 4, "slot": 4, "stripe": 1, "spine": 4, "plane": planes, "server-leaf": 1, "leaf-spine": 1}
    models = dict.fromkeys(form.roles, switches()["sn5600"])
    full = form.complete_sizes(sizes, 1, 16)
    return Blueprint("test", form, full, models, servers()["hgx-h100"], 128, 400 // planes)


def test_servers_spread_over_the_spines_of_all_planes() -> None:
    """Of four spines one failed leaves 3/4; on two planes servers send less through the failed one's plane, so 7/8."""
    assert metrics_of(two_tiers(1)).survives()["spine"] == Fraction(3, 4)
    assert metrics_of(two_tiers(2)).survives() == {
        "leaf": Fraction(1, 2),
        "spine": Fraction(7, 8),
        "plane": Fraction(1, 2),
    }


def test_one_server_has_no_hops() -> None:
    """Without another server there are no pairs, and so no hops."""
    one = two_tiers(1)
    alone = Blueprint(
        one.name, one.topology, one.topology.complete_sizes(one.sizes, 1, 1), one.models, one.server, 8, 400
    )
    assert dict(metrics_of(alone).hop_shares()) == {}
