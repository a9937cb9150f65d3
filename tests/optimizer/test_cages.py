"""Cages that hold one kind of part each: against an exhaustive search, and what is said where they are too few."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any

import pytest

import fabric
from fabric.errors import Infeasible
from fabric.optimizer import size

NEAR = {"name": "near", "rate_gbps": 100, "price_usd": 1, "media": "dac"}
FAR = {"name": "far", "rate_gbps": 100, "price_usd": 3, "media": "smf"}
UNLIKE = {"server-leaf": "dac", "leaf-spine": "smf"}
POD: dict[str, Any] = {
    "gpus": 264, "server": "dgx-h100", "family": "rail-optimized", "tiers": 2, "unit_gpus": 264, "switches": "qm9700",
    "oversubscription": 1.1, "pinned": {"spine": 31, "leaf-spine": 1},
    "prices_usd": {"osfp-2xsr4": 900, "mpo12-mmf": 40, "osfp-2xdr4": 1000, "mpo12-smf": 60},
}  # fmt: skip
"""33 links below and 31 above each leaf of 64 ports in 32 cages."""


def cheapest(servers: int, nics: int, ports: int, links: int, *, unlike: bool) -> int | None:
    """Return the least cost of a fat tree of two tiers, at up to 3:2 and with up to four links a pair.

    A switch costs 20, a link to a server 1 and one between switches 3; `links` are those of a cage.
    """
    costs = []
    for slot, copies, spines in product(range(1, servers + 1), range(1, 5), range(1, ports + 1)):
        down, up, units = slot * nics, copies * spines, -(-servers // slot)
        cages = -(-down // links) - (-up // links) if unlike else -(-(down + up) // links)
        if 2 * down <= 3 * up and cages <= ports // links and units * copies <= ports and down + up <= ports:
            costs.append(20 * (units + spines) + servers * nics + 3 * units * up)
    return min(costs, default=None)


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("unlike", [True, False])
def test_no_cheaper_fabric_has_cages_for_all_its_links(unlike: bool) -> None:
    """Sizing finds what an exhaustive search finds; that cages are not shared sometimes costs something."""
    random, differ = Random("cages"), 0
    for _ in range(60):
        servers, nics, links = random.randint(5, 30), random.choice([1, 2, 3]), random.choice([2, 4])
        ports = links * random.randint(2, 5)
        switch = {"name": "box", "ports": ports, "rate_gbps": 100, "cages": ports // links, "price_usd": 20}
        server = {"name": "srv", "gpus": nics, "nics": nics, "nic_gbps": 100}
        asked = {"gpus": servers * nics, "server": server, "family": "fat-tree", "tiers": 2, "switches": switch}
        asked |= {"links": [NEAR, FAR], "oversubscription": 1.5, "limits": {"parallel_links": 4}}
        words = {"media": UNLIKE} if unlike else {"link_price_usd": {"server-leaf": 1, "leaf-spine": 3}}
        best = cheapest(servers, nics, ports, links, unlike=unlike)
        try:
            found: float | None = size(fabric.read(asked, **words)).proof.objective
        except Infeasible:
            found = None
        assert found == best, (servers, nics, ports, links)
        differ += best != cheapest(servers, nics, ports, links, unlike=not unlike)
    assert differ > 3


def test_unlike_parts_that_no_cage_holds_are_the_reason() -> None:
    """33 + 31 links fill 32 cages where they are alike; unlike ones take 17 + 16, and switches of 66 ports."""
    alike = fabric.design(POD).bill
    assert {row.quantity for row in alike.of("module") if row.used_for == "leaf"} == {8 * 32}
    with pytest.raises(Infeasible) as error:
        fabric.design(POD, planes="any", media={"server-leaf": "mmf", "leaf-spine": "smf"})
    nearest = {item.limit: item.nearest for item in error.value.conflict}
    assert nearest["cages"] == 1
    assert nearest["ports at 400G"] == 66
    assert "no cage holds links below and above a switch whose parts are unlike" in str(error.value)


def test_as_many_ports_do_where_kinds_fill_their_cages() -> None:
    """32 links below and 32 above fill 16 cages each, whatever their parts."""
    full = {"gpus": 256, "unit_gpus": 256, "pinned": {"spine": 32, "leaf-spine": 1}}
    study = fabric.design(POD, **full, media={"server-leaf": "mmf", "leaf-spine": "smf"})
    assert {row.part: row.quantity for row in study.bill.of("module") if row.used_for == "leaf"} == {
        "osfp-2xsr4": 8 * 16,
        "osfp-2xdr4": 8 * 16,
    }
