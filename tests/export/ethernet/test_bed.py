"""A fabric of 22 switches that boots from the exported files, in network namespaces, and what its daemons say of it."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from ipaddress import IPv4Address
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

import fabric
from fabric.discovery import Discovery, read_discovery
from fabric.export.ethernet.ethernet_plan import EthernetPlan
from fabric.export.ethernet.frr import write_frr
from fabric.export.ethernet.ipam import write_addresses
from fabric.export.ethernet.lldp import write_neighbours, write_reports
from fabric.export.operations.containerlab import CONTAINERLAB
from fabric.verification.faults import FaultKind
from fabric.verification.verify import verify_cabling
from tests.export.ethernet.fabrics import draw_request
from tests.netns import INSIDE, Bed, Cable, build, needs_beds, wait_until

pytestmark = needs_beds("zebra", "bgpd", "bfdd", "vtysh", "lldpd", "lldpcli")

REQUEST = {
    "name": "bed",
    "gpus": 23,
    "server": {"name": "node", "gpus": 2, "nics": 2, "nic_gbps": 100},
    "switches": {"name": "box", "ports": 16, "rate_gbps": 100},
    "family": "rail-optimized",
    "tiers": 3,
    "pinned": {"block": 2, "slot": 2, "spine": 2, "leaf-spine": 2},
    "site": {"port_names": "cumulus"},
}
"""Three pods of two units of two servers, two rails, two parallel cables everywhere: 12, 6 and 4 switches."""


@pytest.fixture(scope="module")
def plan() -> EthernetPlan:
    """Return the plan of the bed."""
    return EthernetPlan(fabric.design(REQUEST).plan)


@pytest.fixture(scope="module")
def bed(plan: EthernetPlan) -> Iterator[Bed]:
    """Yield the bed with FRR and lldpd on it, cabled as planned."""
    with build(plan.plan) as made:
        made.start_frr({name: "".join(text) for name, text in write_frr(plan)})
        made.start_lldp()
        yield made


def list_leaves(plan: EthernetPlan) -> dict[str, str]:
    """Return the host prefix of each switch that has hosts."""
    found = plan.addresses
    return {
        name: f"{IPv4Address(prefix)}/{found.prefix_length}"
        for name, has, prefix in zip(plan.switch_names, found.has_hosts, found.host_prefix.tolist(), strict=True)
        if has
    }


def count_shortest(cables: list[Cable], leaves: list[str], switches: set[str]) -> dict[tuple[str, str], int]:
    """Return the number of shortest paths between each two leaves, breadth first, parallel cables apart."""
    links = Counter(pair for a, _, b, _ in cables if {a, b} <= switches for pair in ((a, b), (b, a)))
    near: dict[str, list[tuple[str, int]]] = {name: [] for name in switches}
    for (a, b), number in links.items():
        near[a].append((b, number))
    counts = {}
    for source in leaves:
        distance, paths, queue = {source: 0}, Counter({source: 1}), [source]
        for here in queue:
            for there, number in near[here]:
                if there not in distance:
                    distance[there] = distance[here] + 1
                    queue.append(there)
                if distance[there] == distance[here] + 1:
                    paths[there] += paths[here] * number
        counts |= {(source, target): paths[target] for target in leaves if target != source}
    return counts


def count_routed(bed: Bed, plan: EthernetPlan) -> dict[tuple[str, str], int]:
    """Return the number of paths between each two leaves that the kernels' routes have, followed hop by hop."""
    leaves = list_leaves(plan)
    far = {(a, p): b for a, p, b, _ in bed.cables} | {(b, q): a for a, _, b, q in bed.cables}
    routes = bed.read_routes(plan.switch_names)

    @cache
    def paths(here: str, target: str) -> int:
        if here == target:
            return 1
        return sum(paths(far[here, port], target) for port in routes[here].get(leaves[target], ()))

    return {(one, other): paths(one, other) for one in leaves for other in leaves if one != other}


def test_every_pair_of_leaves_has_the_paths_of_the_design(bed: Bed, plan: EthernetPlan) -> None:
    """Also after links go down: as many as are left, counted on the cables; and again when they are up."""
    leaves, sizes = list(list_leaves(plan)), plan.plan.blueprint.sizes
    down = sizes["leaf-spine"]
    inside = sizes["spine"] * down**2
    across = (sizes["spine"] * down) ** 2 * sizes["core"] * sizes["spine-core"] ** 2
    whole = count_shortest(bed.cables, leaves, set(plan.switch_names))
    assert set(whole.values()) == {inside, across} == {8, 256}
    assert len(whole) == 12 * 11
    wait_until(lambda: count_routed(bed, plan), whole, 60)

    rows = {name: plan.plan.network.bundle == number for number, name in enumerate(plan.plan.network.bundles)}
    first = {name: int(found.argmax()) for name, found in rows.items()}
    lost = [first["leaf-spine"], first["leaf-spine"] + 4, first["leaf-spine"] + 5, first["spine-core"] + 3]
    bed.set_cables(lost, "down")
    left = count_shortest(
        [cable for row, cable in enumerate(bed.cables) if row not in lost], leaves, set(plan.switch_names)
    )
    assert {pair for pair in left if left[pair] < whole[pair]} > {(leaves[0], leaves[1])}
    wait_until(lambda: count_routed(bed, plan), left, 60)
    bed.set_cables(lost, "up")
    wait_until(lambda: count_routed(bed, plan), whole, 60)


def test_switches_have_the_addresses_of_the_table(bed: Bed, plan: EthernetPlan) -> None:
    """What the kernels have on loopbacks and on ports to hosts is what the table of addresses says."""
    expected: dict[str, set[tuple[str, str]]] = {}
    for row in csv.DictReader("".join(write_addresses(plan)).splitlines()):
        if row["kind"] in ("loopback", "port"):
            expected.setdefault(row["device"], set()).add((row["port"], row["address"]))

    def assigned() -> dict[str, set[tuple[str, str]]]:
        found = bed.ask_each(plan.switch_names, "ip -j -4 address show scope global")
        return {
            name: {
                (each["ifname"], f"{own['local']}/{own['prefixlen']}")
                for each in json.loads(text)
                for own in each["addr_info"]
                if own
            }
            for name, text in found.items()
        }

    assert sum(map(len, expected.values())) == 22 + 24
    wait_until(assigned, expected, 20)


def read_lab(plan: EthernetPlan) -> Any:
    """Return the file of containerlab's laboratory."""
    files = {name: "".join(map(str, pieces)) for name, pieces in CONTAINERLAB.files(plan.plan)}
    return yaml.load(files["fabric.clab.yml"], yaml.CSafeLoader)["topology"]


def test_hosts_of_a_rail_reach_each_other(bed: Bed, plan: EthernetPlan) -> None:
    """By what containerlab runs on the hosts, a datagram from every NIC arrives at all of its rail.

    The bed has the same cables as its laboratory, and the addresses and routes are those of the table.
    """
    lab = read_lab(plan)
    cables = [tuple(part for end in link["endpoints"] for part in end.split(":")) for link in lab["links"]]
    assert cables == bed.cables
    rows = [row for row in csv.DictReader("".join(write_addresses(plan)).splitlines()) if row["kind"] == "host"]
    words = "ip address add {address} dev {port}", "ip route add {route} via {gateway} dev {port}"
    commands = list_commands(lab)
    assert sorted(commands) == sorted((row["device"], line.format(**row)) for row in rows for line in words)
    expected, arrived = send_to_all(bed, plan, commands)
    assert len(expected) == 2 * 12 * 11
    assert arrived == expected


def list_commands(lab: Any) -> list[tuple[str, str]]:
    """Return what a laboratory runs on its hosts, each line with the host."""
    hosts = {name: node for name, node in lab["nodes"].items() if "binds" not in node}
    return [(name, line) for name, node in hosts.items() for line in node["exec"]]


def send_to_all(
    bed: Bed, plan: EthernetPlan, commands: list[tuple[str, str]]
) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Run commands on the hosts; return the pairs of addresses of one block, and those between which datagrams arrive.

    The two addresses of a pair are on different hosts.
    """
    bed.run("\n".join(f"ip netns exec {name} {line}" for name, line in commands))
    rows = [row for row in csv.DictReader("".join(write_addresses(plan)).splitlines()) if row["kind"] == "host"]
    hosts = [(row["device"], row["address"].partition("/")[0], row["route"]) for row in rows]
    (bed.outside / "hosts.json").write_text(json.dumps(hosts))
    script = Path(__file__).with_name("send_datagrams.py")
    arrived = {tuple(pair) for pair in json.loads(bed.run(f"{sys.executable} -I {script} {INSIDE}/hosts.json"))}
    return {(a[1], b[1]) for a, b in permutations(hosts, 2) if a[2] == b[2] and a[0] != b[0]}, arrived


def test_lldp_reports_the_table_of_the_plan(bed: Bed, plan: EthernetPlan) -> None:
    """On every device, what lldpcli says of each port is the row of the exported table."""
    expected: dict[str, dict[str, tuple[str, str]]] = {}
    for row in csv.DictReader("".join(write_neighbours(plan.plan)).splitlines()):
        expected.setdefault(row["device"], {})[row["port"]] = row["neighbour"], row["neighbour_port"]

    def reported() -> dict[str, dict[str, tuple[str, str]]]:
        return {
            device: {
                each["name"]: (each["chassis"][0]["name"][0]["value"], each["port"][0]["id"][0]["value"])
                for lldp in found["lldp"]
                for each in lldp.get("interface", [])
                if "name" in each["chassis"][0]
            }
            for device, found in bed.read_neighbours().items()
        }

    assert len(expected) == len(plan.plan.device_names) == 22 + 12
    wait_until(reported, expected, 40)


def read_bed(made: Bed, folder: Path, form: str) -> Discovery:
    """Return what the daemons of a bed report, read from a file for each device."""
    files = []
    for name, found in made.read_neighbours(form).items():
        files.append(folder / f"{name}.json")
        files[-1].write_text(json.dumps(found))
    return read_discovery(files)


def test_swapped_cables_of_a_bed_are_found(plan: EthernetPlan, tmp_path: Path) -> None:
    """The bed is miswired on purpose: LLDP reports the ends where they were plugged, and verification what to move."""
    network = plan.plan.network
    one, other, *more = (network.bundle == 1).nonzero()[0][[0, 9, 3, 20]].tolist()
    host, far_host = (network.bundle == 0).nonzero()[0][[1, 14]].tolist()
    with build(plan.plan, [(one, other), tuple(more), (host, far_host)]) as made:
        made.start_lldp()
        a, p, b, q = made.cables[one]
        assert (b, q) != list_end(plan, one)

        def reported() -> dict[str, str]:
            text = made.ask_each([a], f"lldpcli -u /mnt/lldp/{a}.sock -f keyvalue show neighbors ports {p}")[a]
            found = dict(line.split("=", 1) for line in text.splitlines())
            return {"name": found.get(f"lldp.{p}.chassis.name", ""), "port": found.get(f"lldp.{p}.port.ifname", "")}

        wait_until(reported, {"name": b, "port": q}, 30)
        wait_until(lambda: {"cables": read_bed(made, tmp_path, "json0").cables}, {"cables": network.links}, 40)
        for form in ("json0", "json"):
            found = verify_cabling(plan.plan, read_bed(made, tmp_path, form))
            assert {fault.kind for fault in found.faults} == {FaultKind.SWAPPED}
            assert sorted(fault.links for fault in found.faults) == sorted(
                tuple(sorted(pair)) for pair in ((one, other), more, (host, far_host))
            )
            assert (found.moves, found.as_planned) == (6, network.links - 6)


def test_reports_are_those_of_lldpcli(bed: Bed, plan: EthernetPlan) -> None:
    """The exported report of each switch is what lldpcli prints there, of the keys that the export has."""
    expected = {name.removesuffix(".json"): json.loads("".join(text)) for name, text in write_reports(plan)}

    def reported() -> dict[str, Any]:
        found = bed.read_neighbours()
        return {name: {"lldp": [{"interface": list(map(prune, sorted_ports(found[name])))}]} for name in expected}

    assert list(expected) == list(plan.switch_names)
    wanted = {name: {"lldp": [{"interface": sorted_ports(report)}]} for name, report in expected.items()}
    wait_until(reported, wanted, 40)


def sorted_ports(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the ports of a report by name."""
    return sorted(report["lldp"][0].get("interface", []), key=lambda port: str(port["name"]))


def prune(port: dict[str, Any]) -> dict[str, Any]:
    """Return of a port what the exported report has."""
    chassis = [{"name": each.get("name", [])} for each in port["chassis"]]
    return {"name": port["name"], "chassis": chassis, "port": [{"id": each["id"]} for each in port["port"]]}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [1, 2, 5])
def test_drawn_fabrics_have_the_paths_of_their_cables(kind: int) -> None:
    """Unlike servers, two planes, and a torus, whose switches are each a system of its own: all shortest paths.

    Hosts configured as in containerlab's laboratory reach each other by all NICs, also where several have one block.
    """
    plan = EthernetPlan(fabric.design(draw_request(Random(kind), "cumulus", kind)).plan)
    with build(plan.plan) as made:
        made.start_frr({name: "".join(text) for name, text in write_frr(plan)})
        expected = count_shortest(made.cables, list(list_leaves(plan)), set(plan.switch_names))
        assert len(expected) > 1
        wait_until(lambda: count_routed(made, plan), expected, 90)
        pairs, arrived = send_to_all(made, plan, list_commands(read_lab(plan)))
        assert arrived == pairs


def list_end(plan: EthernetPlan, row: int) -> tuple[str, str]:
    """Return the device and the port at the upper end of a link of the plan."""
    upper = plan.plan.upper
    return plan.plan.device_names[upper.device[row]], upper.names[upper.name[row]]
