"""Laboratories: containerlab's schema holds, and netlab makes the same links of the file."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections import Counter
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import jsonschema
import pytest
import yaml

import fabric
from fabric.errors import InputError, TooLarge
from fabric.export import list_plan_files
from fabric.export.ethernet.ethernet_plan import with_port_names
from fabric.export.operations.containerlab import count_nodes
from fabric.export.operations.interfaces import LONGEST, name_interfaces
from fabric.export.plan import Plan
from tests.export.operations.links import links_of, many_plans, nodes_of
from tests.export.plans import CLOS, GRAPHS, draw_plans, shipped_plan
from tests.export.simulators.drawn import design, text_of, texts_of
from tests.request_fixtures import Run

LINK = {
    "type": "object",
    "required": ["endpoints"],
    "additionalProperties": False,
    "properties": {
        "endpoints": {
            "type": "array", "minItems": 2, "maxItems": 2, "uniqueItems": True,
            "items": {"type": "string", "pattern": r"^\S+:\S+$"},
        }
    },
}  # fmt: skip
NODE = {
    "type": "object",
    "required": ["kind", "image"],
    "additionalProperties": False,
    "properties": {
        "kind": {"enum": ["linux"]},
        "image": {"type": "string"},
        "group": {"type": "string"},
        "binds": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}},
        "exec": {"type": "array", "minItems": 1, "items": {"type": "string"}},
    },
}  # fmt: skip
CONTAINERLAB = {
    "type": "object",
    "required": ["name", "topology"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "mgmt": {
            "type": "object", "minProperties": 1, "additionalProperties": False,
            "properties": {
                "network": {"type": "string"}, "ipv4-subnet": {"type": "string", "pattern": r"^.+/[0-9]{1,2}$"}
            },
        },
        "topology": {
            "type": "object", "required": ["nodes"], "additionalProperties": False,
            "properties": {
                "nodes": {"type": "object", "additionalProperties": NODE},
                "links": {"type": "array", "minItems": 1, "items": LINK},
            },
        },
    },
}  # fmt: skip
"""What `clab.schema.json` of github.com/srl-labs/containerlab says of the keys that are written, and no others."""

BOUND = ("frr.conf", "daemons", "vtysh.conf")
"""The files of FRR that a switch of a laboratory binds."""


def renamed(plan: Plan) -> Counter[Any]:
    """Return the links with the names of interfaces in place of those of ports."""
    names = name_interfaces(plan)
    return Counter(((a, names[p]), (b, names[q])) for (a, p), (b, q) in links_of(plan))


def read_lab(plan: Plan) -> Any:
    """Return the file of containerlab's laboratory, read as YAML."""
    return yaml.load(texts_of(plan, "containerlab")["fabric.clab.yml"], yaml.CSafeLoader)


def test_containerlab_has_every_node_and_link_by_its_schema() -> None:
    """Both ends of a link are nodes, no interface has two links, and all names of interfaces fit into Linux."""
    trays = 0
    for plan in many_plans(31, 8):
        trays += plan.blueprint.server.trays > 1
        document = read_lab(plan)
        jsonschema.Draft202012Validator(CONTAINERLAB).validate(document)
        nodes = document["topology"]["nodes"]
        assert set(nodes) == nodes_of(plan)
        assert len(nodes) == count_nodes(plan)
        assert ip_network(document["mgmt"]["ipv4-subnet"]).num_addresses >= len(nodes) + 3
        links = [tuple(tuple(end.split(":")) for end in link["endpoints"]) for link in document["topology"]["links"]]
        assert Counter(links) == renamed(with_port_names(plan))
        ends = [end for link in links for end in link]
        assert {node for node, _ in ends} <= set(nodes)
        assert len(set(ends)) == len(ends)
        assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", port) and len(port) <= LONGEST for _, port in ends)
        assert "eth0" not in {port for _, port in ends}
    assert trays


@pytest.mark.parametrize("family", ["fat-tree", "rail-optimized", "torus"])
def test_a_laboratory_binds_what_its_switches_boot_with(family: str, tmp_path: Path) -> None:
    """In the written folder every bound file is there and no other; each is what FRR is exported as, of a unit too."""
    box = {"name": "box", "gpus": 2, "nics": 2, "nic_gbps": 400, "trays": 1}
    small = {"name": "small", "ports": 8, "rate_gbps": 400, "breakouts": {}, "link_layer": "ethernet"}
    whole = design(24, server=box, switches=[small], family=family, appliances=[{"name": "manager", "ports": 1}])
    switches = texts_of(whole, "frr")
    for plan in (whole, whole.of_part(unit=1)):
        folder = tmp_path / f"{plan.title}"
        fabric.write_plan(plan, folder, "containerlab")
        lab = yaml.safe_load((folder / "fabric.clab.yml").read_text())
        bound = set()
        for name, node in lab["topology"]["nodes"].items():
            binds = [bind.split(":") for bind in node.get("binds", ())]
            assert {(inside, mode) for _, inside, mode in binds} == (
                set() if name in plan.hosts.names else {(f"/etc/frr/{file}", "ro") for file in BOUND}
            )
            for file, inside, _ in binds:
                assert (folder / file).read_text() == switches.get(file, "service integrated-vtysh-config\n")
                assert Path(file).name == Path(inside).name
            bound |= {file for file, *_ in binds}
        written = {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}
        assert written == bound | {"fabric.clab.yml", "containerlab.sha256"}


def test_hosts_of_a_laboratory_have_the_addresses_of_the_table() -> None:
    """Of drawn fabrics: each host's addresses, and the block of each NIC by its gateway, once in a table."""
    several = 0
    striped = design(24, server={"name": "box", "gpus": 2, "nics": 2, "nic_gbps": 800}, family="fat-tree")
    for plan in (striped, shipped_plan("superpod-b300-1su"), *draw_plans(33, 4, "ethernet", CLOS + GRAPHS)):
        expected: dict[str, Counter[Any]] = {}
        for row in csv.DictReader(text_of(plan, "ipam").splitlines()):
            if row["kind"] == "host":
                found = row["address"], row["route"], row["gateway"], row["port"].replace("/", "-").replace(" ", "-")
                expected.setdefault(row["device"], Counter())[found] += 1
        for name, node in read_lab(plan)["topology"]["nodes"].items():
            if name not in plan.hosts.names:
                assert node["exec"] == ["sysctl -w net.ipv4.fib_multipath_hash_policy=1"]
                continue
            words = [line.split() for line in node["exec"]]
            address = {line[5]: line[3] for line in words if line[1] == "address"}
            routes = [
                (line[3], line[5], line[7], line[9] if line[8:] else "main") for line in words if line[1] == "route"
            ]
            rules = {line[6]: line[4] for line in words if line[1] == "rule"}
            assert Counter((address[port], to, by, port) for to, by, port, _ in routes) == expected.pop(name)
            assert len({(to, table) for to, _, _, table in routes}) == len(routes)
            sources = {table: address[port].partition("/")[0] for _, _, port, table in routes if table != "main"}
            assert rules == sources
            several += bool(rules)
        assert not expected
    assert several


def test_interfaces_keep_their_names_where_linux_takes_them() -> None:
    """Slashes and spaces become hyphens, and numbers ports; what is too long, taken or reserved is numbered."""
    ports = (
        "swp1s0",
        "ib 1/1/1",
        "ib-1-1-1",
        "eth0",
        "et-0/0/0:0",
        "a-port-of-a-very-long-name",
        "ethernet-1/1",
        "12/1",
    )
    plan = cast(Plan, SimpleNamespace(lower=SimpleNamespace(names=ports[:4]), upper=SimpleNamespace(names=ports)))
    names = name_interfaces(plan)
    assert [names[port] for port in ports] == [
        "swp1s0", "ib-1-1-1", "if3", "if4", "et-0-0-0-0", "if6", "ethernet-1-1", "port12-1",
    ]  # fmt: skip


def test_netlab_creates_the_same_links(tmp_path: Path) -> None:
    """`netlab create` accepts a unit of a small fabric, and keeps every node, link and interface."""
    if "CI" not in os.environ:
        pytest.importorskip("netsim", reason="networklab is missing; `make .venv/.test` installs it")
    box = {"name": "box", "gpus": 2, "nics": 2, "nic_gbps": 400}
    small = {"name": "small", "ports": 8, "rate_gbps": 400, "breakouts": {}, "link_layer": "ethernet"}
    whole = design(12, server=box, switches=[small], family="rail-optimized", name="9 boxes on small switches")
    with pytest.raises(InputError, match="names that begin with a letter, and not '9leaf1'"):
        text_of(design(12, server=box, switches=[small], site={"names": {"leaf": "9leaf{number}"}}), "netlab")
    plan = whole.of_part(unit=1)
    assert nodes_of(plan) < nodes_of(whole)
    longest = max(map(len, nodes_of(plan)))
    (tmp_path / "topology.yml").write_text(text_of(plan, "netlab"))
    program = Path(sys.executable).with_name("netlab")
    done = subprocess.run(
        [sys.executable, program, "create", "-q", "-o", "yaml=made.yml", "topology.yml"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr.strip()
    made = yaml.safe_load((tmp_path / "made.yml").read_text())
    assert set(made["nodes"]) == nodes_of(plan)
    devices = {name: node["device"] for name, node in made["nodes"].items()}
    assert devices == {name: "linux" if name in plan.hosts.names else "frr" for name in devices}
    links = [tuple((end["node"], end["ifname"]) for end in link["interfaces"]) for link in made["links"]]
    assert Counter(tuple(sorted(link)) for link in links) == Counter(tuple(sorted(link)) for link in renamed(plan))
    assert longest <= made["defaults"]["const"]["MAX_NODE_ID_LENGTH"]


def test_netlab_numbers_the_interfaces_of_every_node_from_1() -> None:
    """Of drawn fabrics, the numbers of a node's interfaces are 1, 2 and so on, each once."""
    for plan in draw_plans(32, 6, "ethernet"):
        document = yaml.load(text_of(plan, "netlab"), yaml.CSafeLoader)
        assert set(document["nodes"]) == nodes_of(plan)
        numbers: dict[str, list[int]] = {}
        for link in document["links"]:
            assert len(link) == 2
            for node, interface in link.items():
                numbers.setdefault(node, []).append(interface["ifindex"])
        assert all(found == [*range(1, len(found) + 1)] for found in numbers.values())
        assert document["defaults.const.MAX_NODE_ID"] >= len(document["nodes"])


@pytest.mark.parametrize("format_", ["containerlab", "netlab"])
def test_a_fabric_too_large_for_a_laboratory_is_refused(format_: str) -> None:
    """It says how many nodes it has, how many there may be, and what part is small enough."""
    with pytest.raises(TooLarge, match=r"2,280 hosts and switches .* at most 1,000; export a part \(--unit 0\), or a"):
        text_of(shipped_plan("alibaba-hpn-pod"), format_)


@pytest.mark.parametrize(("family", "level"), [("rail-optimized", "pod"), ("fat-tree", "unit"), ("torus", "unit")])
def test_a_part_has_the_devices_at_its_place_and_what_their_links_lead_to(family: str, level: str) -> None:
    """The last pod or unit: links of the whole with an end there, under the same names, found by the names' digits."""
    box = {"name": "box", "gpus": 2, "nics": 2, "nic_gbps": 400}
    small = {"name": "small", "ports": 8, "rate_gbps": 400, "breakouts": {}, "link_layer": "ethernet"}
    tiers = {} if family == "torus" else {"tiers": 3}
    whole = design(72, server=box, switches=[small], family=family, link_price_usd=1, **tiers)
    pod, unit = (1, None) if level == "pod" else (1, 0)
    plan = whole.of_part(pod=pod, unit=unit)
    mark = {"rail-optimized": "pod=1,", "fat-tree": "pod=1,block=0,", "torus": "x=1,y=0,z=0,"}[family]
    inside = [mark in name.replace("]", ",") for name in plan.network.names()]
    joined = [inside[low] or inside[high] for low, high in zip(plan.lower.device, plan.upper.device, strict=True)]
    assert plan.written_links.tolist() == joined
    assert 0 < sum(joined) < len(joined)
    every, names = links_of(with_port_names(whole)), name_interfaces(with_port_names(plan))
    made = read_lab(plan)["topology"]
    links = Counter(tuple(tuple(end.split(":")) for end in each["endpoints"]) for each in made["links"])
    kept = [link for link, taken in zip(every, joined, strict=True) if taken]
    assert links == Counter(((a, names[p]), (b, names[q])) for (a, p), (b, q) in kept)
    assert set(made["nodes"]) == {name for link in links for name, _ in link}


def test_a_part_that_is_not_there_is_refused(run: Run) -> None:
    """Numbers are checked, and formats of a whole fabric say so."""
    plan = shipped_plan("superpod-b300-1su")
    with pytest.raises(InputError, match="--unit 3: superpod-b300-1su has 1, numbered from 0"):
        plan.of_part(unit=3)
    with pytest.raises(InputError, match="format 'frr' is written of a whole fabric, not of unit 0"):
        list_plan_files(plan.of_part(unit=0), "frr")
    code, _, said = run("export", "superpod-b300-1su", "--format", "netlab", "--level", "unit")
    assert (code, "--level does not apply to --format netlab" in " ".join(said.split())) == (2, True)
    code, said, _ = run("export", "superpod-b300-1su", "--format", "netlab", "--unit", 0)
    assert (code, said.splitlines()[0]) == (0, 'name: "superpod-b300-u0"')
