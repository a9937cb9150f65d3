"""Links that share ports and connectors, against the cables that vendors sell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fabric.blueprint.splits import at_server, between_switches
from fabric.catalog import Server, servers, switches

TWO_NICS = Server("box", 8, 8, 200, cages=2)


@pytest.mark.parametrize(
    ("name", "rate", "per_port", "whole"),
    [
        ("qm8700", 200, 1, 1),  # a QSFP56 cage has one connector
        ("qm8700", 100, 2, 2),  # and splits by a Y cable, whose tails go to NICs
        ("qm9700", 400, 1, 1),  # an OSFP cage is two ports of 400G, each a connector
        ("qm9700", 200, 2, 2),
        ("sn5600", 800, 1, 1),
        ("sn5600", 400, 2, 1),  # an OSFP cage of 800G is two connectors of 400G
        ("sn5600", 200, 4, 2),
        ("sn4700", 200, 2, 2),
        ("sn4700", 100, 4, 4),
    ],
)
def test_two_switches_are_joined_by_whole_connectors(name: str, rate: int, per_port: int, whole: int) -> None:
    """A splitter has tails at one end only, so links come in whole connectors where both ends split theirs."""
    model = switches()[name]
    split = between_switches(model, model, rate)
    assert (split.per_port, split.whole) == (per_port, whole)
    assert [links for links in range(1, 9) if split.fits(links)] == list(range(whole, 9, whole))


def test_an_end_with_a_connector_for_each_link_takes_tails() -> None:
    """Between a split port and ports that run at the links' own rate any number of links will do."""
    split, whole = switches()["qm8700"], replace(switches()["qm8700"], name="whole", rate_gbps=100, breakouts={})
    assert between_switches(split, whole, 100).whole == between_switches(whole, split, 100).whole == 1
    assert between_switches(split, whole, 100).per_port == 1
    assert between_switches(split, replace(split, connectors=2), 100).whole == 1


def test_a_server_takes_tails_unless_its_own_connectors_are_split() -> None:
    """A NIC with a connector of its own takes any tail; four NICs on a cage of two connectors fill one in twos."""
    leaf = switches()["sn5600"]
    assert at_server(servers()["hgx-h100"], leaf, 200, 2).whole == 1
    assert at_server(TWO_NICS, leaf, 400, 1).whole == 1
    assert at_server(TWO_NICS, leaf, 200, 1).whole == 2


def test_a_connector_with_links_of_several_planes_needs_whole_ones_at_the_switch() -> None:
    """No switch fills it, so each of its links must have a connector of its own at the switch."""
    leaf = switches()["sn5600"]
    split = at_server(Server("box", 8, 8, 800), leaf, 200, 4)
    assert not any(split.fits(links) for links in range(1, 33))
    assert at_server(Server("box", 8, 8, 800), replace(leaf, connectors=4), 200, 4).whole == 1
