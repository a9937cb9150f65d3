"""The optimizer on networks that are no tiers, against brute force written apart."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement
from math import prod
from random import Random

import pytest

import fabric
from tests.optimizer.brute_force import Request
from tests.optimizer.brute_force_graph_forms import cheapest

CASES = {
    "dragonfly": [0],
    "dragonfly-plus": [0],
    "slim-fly": [0],
    "hyperx": [1, 2, 3, 4],
    "torus": [1, 2, 3, 4, 5, 6],
    "mesh": [1, 2, 3, 4, 5, 6],
    "jellyfish": [2, 3],
    "bcube": [2, 3, 4],
    "zcube": [2, 3],
}


def requests(family: str, random: Random) -> Request:
    """Return a small request with which the family has some answers and some none."""
    ports = {"jellyfish": random.randint(28, 40), "slim-fly": random.randint(7, 14)}.get(family, random.randint(4, 11))
    most = {"torus": 12, "mesh": 12, "bcube": 30, "zcube": 30}.get(family, 60)
    return Request(
        servers=random.randint(2, most), nics=random.randint(1, 2), ports=ports, copies=random.randint(1, 2),
        switch_price=random.choice([0, 100, 1000]), link_price=random.choice([1, 30]), ratio=random.randint(1, 3),
    )  # fmt: skip


def words(request: Request, family: str, planes: int) -> dict[str, object]:
    """Return the request as fabric reads it."""
    server = {"name": "box", "gpus": request.nics, "nics": request.nics, "nic_gbps": 400 * planes}
    server |= {"cages": request.nics * planes // request.shared, "connectors": 1} if planes == 1 else {}
    server |= {"connectors": planes // request.shared} if planes > 1 else {}
    switch = {"name": "any", "ports": request.ports // request.split, "rate_gbps": 400 * request.split}
    switch |= {"breakouts": [request.split] if request.split > 1 else [], "connectors": request.connectors}
    return {
        "gpus": request.servers * request.nics,
        "server": server,
        "family": family,
        "planes": planes,
        "switches": {**switch, "price_usd": request.switch_price},
        "link_price_usd": request.link_price,
        "oversubscription": request.ratio,
        "limits": {"parallel_links": request.copies},
    }


def brute(request: Request, family: str, planes: int) -> int | None:
    """Return the least cost over all forms of the family that fit this many planes."""
    if planes > 1 and request.shared > 1 and request.split > request.connectors:
        return None  # a connector of the server has links to several levels, and one of a switch to several servers
    forms = [(family, size) for size in CASES[family] if planes in (1, size)]
    forms += [("zcube-partial", 3)] if family == "zcube" and planes == 2 else []
    return min((cost for form in forms if (cost := cheapest(request, *form)) is not None), default=None)


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("family", CASES)
def test_the_optimum_is_that_of_brute_force(family: str) -> None:
    """On small requests the proven cost is that of trying all sizes, or both find none."""
    random = Random(11)
    assert sum(has_answer(requests(family, random), family, random) for _ in range(12)) >= 4


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("family", CASES)
def test_split_ports_are_joined_as_by_brute_force(family: str) -> None:
    """So it is where ports are split, and both ends of a link may have to fill connectors."""
    random, answers = Random(12), 0
    for _ in range(12):
        request, split = requests(family, random), random.choice([2, 2, 4])
        connectors = random.choice([split, split // 2, 1])
        shared = random.choice([1, 2]) if request.nics == 2 or family in ("bcube", "zcube") else 1
        ports = request.ports - request.ports % split + split
        asked = replace(request, ports=ports, split=split, connectors=connectors, shared=shared, copies=1)
        answers += has_answer(asked, family, random)
    assert answers >= 2


def has_answer(request: Request, family: str, random: Random) -> bool:
    """Check one request against brute force, and say whether there is a fabric for it."""
    planes = random.choice(CASES[family]) if family in ("bcube", "zcube") else 1
    planes = planes + planes % request.shared
    best = brute(request, family, planes)
    try:
        study = fabric.design(words(request, family, planes))
    except fabric.Infeasible:
        assert best is None, request
    else:
        assert (study.proof.status, study.proof.objective) == ("OPTIMAL", best), request
    return best is not None


@pytest.mark.parametrize("least", [0, 2, 3])
def test_the_busiest_links_alone_need_a_minimum_oversubscription(least: int) -> None:
    """A HyperX asked for at least 3:1 is the cheapest whose most loaded axis is so, whatever the loads of the others.

    The switches at both ends of an axis of n values, with s NICs each, load each of its links by s / n.
    """
    one = {"name": "one", "gpus": 1, "nics": 1, "nic_gbps": 400}
    switch = {"name": "any", "ports": 12, "rate_gbps": 400, "price_usd": 100}
    words = {"gpus": 40, "server": one, "switches": switch, "link_price_usd": 1, "limits": {"parallel_links": 1}}
    study = fabric.design(words, family="hyperx", oversubscription={"min": least, "max": 4} if least else 4)
    axes = [each for count in range(1, 5) for each in combinations_with_replacement(range(2, 14), count)]
    fitting = ((slot, each) for slot in range(1, 13) for each in axes if slot + sum(each) - len(each) <= 12)
    roomy = [(slot, each) for slot, each in fitting if slot * prod(each) >= 40 and least <= slot / min(each) <= 4]
    costs = {(slot, each): prod(each) * 100 + 40 + prod(each) * (sum(each) - len(each)) // 2 for slot, each in roomy}
    assert study.proof.objective == min(costs.values())
    assert least <= (study.blueprint.oversubscription("leaf") or 0) <= 4


def test_a_network_that_is_no_tree_grows_by_no_added_cable() -> None:
    """Its switches are all built, so that growth without moving cables is refused, with that reason."""
    with pytest.raises(fabric.Infeasible, match="it can't grow without moving cables"):
        fabric.design({"gpus": 64, "server": "hgx-h100", "switches": "sn5600", "family": "torus", "grow_to_gpus": 128})
