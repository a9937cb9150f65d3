"""The table of addresses, compared with the configuration of FRR and the plan of cables."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from random import Random

import pytest

import fabric
from fabric.export.ethernet.ethernet_plan import EthernetPlan
from fabric.export.ethernet.frr import write_frr
from fabric.export.ethernet.ipam import write_addresses
from tests.export.ethernet.fabrics import DRAWN, draw_request


@pytest.mark.parametrize("seed", DRAWN)
def test_the_table_has_what_the_switches_are_given(seed: int) -> None:
    """Loopbacks, AS numbers and the addresses of ports to hosts are those of each switch's frr.conf, and no others."""
    plan = EthernetPlan(fabric.design(draw_request(Random(seed), "cumulus", seed)).plan)
    rows = list(csv.DictReader("".join(write_addresses(plan)).splitlines()))
    given = defaultdict(set)
    for row in rows:
        if row["kind"] in ("loopback", "port"):
            given[row["device"]].add((row["port"], row["address"], row["asn"]))
    for name, text in write_frr(plan):
        if name.endswith("frr.conf"):
            conf = "".join(text)
            asn = re.search(r"^router bgp (\d+)$", conf, re.M)
            assert asn
            found = re.findall(r"^interface (\S+)\n(?: description .*\n)? ip address (\S+)$", conf, re.M)
            assert {(port, address, asn[1]) for port, address in found} == given.pop(name.partition("/")[0])
    assert not given


def test_a_host_has_a_gateway_and_a_route_for_each_port() -> None:
    """Both ends of a link have one /31, and each rail and plane of a host has a block that no other has."""
    study = fabric.design("superpod-b300-1su")
    rows = list(csv.DictReader("".join(write_addresses(EthernetPlan(study.plan))).splitlines()))
    ports = {row["address"].partition("/")[0]: row for row in rows if row["kind"] == "port"}
    hosts = [row for row in rows if row["kind"] == "host"]
    assert len(hosts) == len(ports) == study.blueprint.links(study.blueprint.topology.bundles[0])
    routes = defaultdict(list)
    for row in hosts:
        gateway = ports[row["gateway"]]
        assert IPv4Interface(row["address"]).network == IPv4Interface(gateway["address"]).network
        assert (gateway["neighbour"], gateway["neighbour_port"]) == (row["device"], row["port"])
        assert (row["neighbour"], row["neighbour_port"]) == (gateway["device"], gateway["port"])
        assert (row["rail"], row["plane"]) == (gateway["rail"], gateway["plane"])
        routes[row["device"]].append((row["rail"], row["plane"], IPv4Network(row["route"])))
    blocks = {(rail, plane): block for each in routes.values() for rail, plane, block in each}
    for each in routes.values():
        assert len({block for _, _, block in each}) == len(each) == 16
        assert all(blocks[rail, plane] == block for rail, plane, block in each)
    for row in hosts:
        inside = [place for place, block in blocks.items() if IPv4Address(row["address"].partition("/")[0]) in block]
        assert inside == [(row["rail"], row["plane"])]


def test_the_table_has_places_of_devices() -> None:
    """Racks and rack units are those of the layout."""
    study = fabric.design("superpod-b300-1su")
    racks, layout = study.layout.rack_names(), study.layout
    names = study.plan.device_names
    expected = {
        name: (racks[rack], str(unit))
        for name, rack, unit in zip(names, layout.device_rack.tolist(), layout.device_unit.tolist(), strict=True)
    }
    rows = csv.DictReader("".join(write_addresses(EthernetPlan(study.plan))).splitlines())
    assert {row["device"]: (row["rack"], row["unit"]) for row in rows} == expected
