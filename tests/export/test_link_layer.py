"""Formats that are of one link layer refuse the other and name formats that take the fabric."""

from __future__ import annotations

import re

import pytest

import fabric
from fabric.errors import FabricError, InputError
from fabric.export import list_plan_files
from fabric.export.formats import FORMATS
from fabric.export.operations.netbox_types import list_device_types
from fabric.export.plan import Plan
from tests.export.plans import shipped_plan

ETHERNET = ("frr", "sonic", "cumulus", "lldp", "lldp-json", "ipam", "lossless", "ptm", "hedgehog")
INFINIBAND = ("ibnetdiscover", "ibnetdiscover-hdr", "ib-topology")
NAMED = re.compile(r"use ([a-z0-9, -]+?) or ([a-z-]+); for cables ([a-z-]+) or ([a-z-]+)$")


def refusal_of(plan: Plan, name: str) -> str:
    """Return why a format refuses a plan."""
    with pytest.raises(InputError) as error:
        list_plan_files(plan, name)
    return str(error.value)


@pytest.mark.parametrize(("layer", "names"), [("infiniband", ETHERNET), ("ethernet", INFINIBAND)])
def test_a_format_of_the_other_link_layer_names_those_that_take_the_fabric(layer: str, names: tuple[str, ...]) -> None:
    """Every format that a refusal names writes the fabric that was refused."""
    ethernet = fabric.design(name="small", gpus=64, server="hgx-h100", switches="sn5600", family="fat-tree").plan
    plan = {"infiniband": shipped_plan("superpod-h100-1su"), "ethernet": ethernet}[layer]
    for name in names:
        found = NAMED.search(refusal_of(plan, name))
        assert found, name
        for other in (*found[1].split(", "), *found.groups()[1:]):
            assert other in FORMATS
            assert list_plan_files(plan, other)


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        (
            "colossus-1m",
            (*INFINIBAND, "simgrid", "netlab", "containerlab", "hedgehog", "booksim", "point-to-point-xlsx"),
        ),
        ("superpod-h100-64su", ETHERNET),
    ],
)
def test_what_a_request_can_not_be_written_as_is_refused_without_a_layout(
    request_: str, names: tuple[str, ...]
) -> None:
    """Cables are laid only for a fabric that the format takes."""
    study = fabric.design(request_)
    plan = Plan(study.spec, study.blueprint, lambda: pytest.fail("cables are laid"))
    for name in names:
        with pytest.raises(FabricError, match=request_):
            list_plan_files(plan, name)


@pytest.mark.parametrize("name", ["frr", "sonic", "simai", "booksim"])
def test_servers_that_forward_are_refused_with_formats_of_their_cables(name: str) -> None:
    """What a BCube can be written as is named."""
    plan = fabric.design(gpus=64, server="hgx-h100", switches="sn5600", family="bcube").plan
    assert re.search("forward traffic of others, which .*; for cables point-to-point or netbox", refusal_of(plan, name))
    for other in ("point-to-point", "netbox"):
        assert list_plan_files(plan, other)


def test_the_link_layer_of_a_fabric_is_that_of_all_its_switches() -> None:
    """It is not known where a switch's is not; NetBox then has no type of an interface."""
    own = {"name": "box", "ports": 32, "rate_gbps": 400, "cage": "osfp", "price_usd": 1}
    known = {"leaf": "sn5400", "spine": own}
    for switches, layer in (("qm9700", "infiniband"), ("sn5400", "ethernet"), (own, None), (known, None)):
        request = {"name": "it", "gpus": 256, "server": "hgx-h100", "family": "fat-tree", "link_price_usd": 1}
        plan = fabric.design(request, switches=switches, tiers=2).plan
        assert plan.blueprint.link_layer == layer
        kinds = {kind for each in list_device_types(plan).values() for kind in each.interfaces.values()}
        assert (kinds == {"other"}) == (layer is None)
