"""Truths about Slurm's topologies: the controller takes the tree and shows the units; blocks hold each node once."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

import fabric
from fabric.errors import InputError
from fabric.export import list_plan_files
from fabric.export.plan import Plan
from fabric.export.slurm import compress_names
from tests.export.plans import draw_plans, shipped_plan
from tests.export.slurm_controller import needs_slurm, run_munge, show_topology

SMALL = {"name": "small", "ports": 16, "rate_gbps": 400, "link_layer": "infiniband"}
NODES = "box-s[0-3]"
TREE = "SwitchName=a Nodes=box-s[0-1]\nSwitchName=b Nodes=box-s[2-3]\nSwitchName=top Switches=a,b\n"
WRONG = {
    "a node under two leaves": TREE.replace("[2-3]", "[1-3]"),
    "an unknown node": TREE.replace("[2-3]", "[2-9]"),
    "a forest": TREE.replace("SwitchName=top Switches=a,b\n", ""),
    "a node that is left out": TREE.replace("[2-3]", "2"),
}


@pytest.fixture(autouse=True)
def _bare_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `scontrol`, which reads a configuration before all else, expand names."""
    file = tmp_path / "bare.conf"
    file.write_text("ClusterName=bare\nSlurmctldHost=localhost\nNodeName=none\n")
    monkeypatch.setenv("SLURM_CONF", str(file))


def plans() -> Iterator[Plan]:
    """Yield plans of two tiers and three, and drawn ones with trays, planes and unlike servers."""
    yield shipped_plan("superpod-h100-2su")
    yield fabric.design(name="three", gpus=200, server="hgx-h100", family="fat-tree", switches=[SMALL], tiers=3).plan
    yield fabric.design(name="racks", gpus=288, server="gb200-nvl72", family="rail-optimized", switches="qm9700").plan
    yield from draw_plans(2, 6, "infiniband")


def text_of(plan: Plan, name: str) -> str:
    """Return the only file of a plan in a format."""
    ((_, pieces),) = list_plan_files(plan, name)
    return "".join(pieces)


def nodes_of(plan: Plan) -> list[str]:
    """Return the names of the hosts with GPUs."""
    return [name for name, gpus in zip(plan.hosts.names, plan.hosts.gpus.tolist(), strict=True) if gpus]


def units_of(plan: Plan, *axes: str) -> set[frozenset[str]]:
    """Return the sets of nodes whose servers have the same places on some axes, by the servers' own coordinates."""
    found: dict[tuple[int, ...], set[str]] = defaultdict(set)
    for host, device in zip(plan.hosts.names, plan.hosts.device.tolist(), strict=True):
        if host in set(nodes_of(plan)):
            group = plan.network.groups[plan.network.role[device]]
            found[tuple(group.digits(device).get(axis, 0) for axis in axes)].add(host)
    return {frozenset(names) for names in found.values()}


def expand(names: str) -> frozenset[str]:
    """Return the names in a list, as Slurm reads it."""
    done = subprocess.run(["scontrol", "show", "hostnames", names], capture_output=True, text=True, check=True)
    return frozenset(done.stdout.split())


@needs_slurm
def test_the_controller_shows_the_units_and_pods(tmp_path: Path) -> None:
    """Without an error line slurmctld has a leaf for each unit, a switch for each pod, and one root with all nodes."""
    pods = trays = 0
    with run_munge(tmp_path) as munge:
        for number, plan in enumerate(plans()):
            nodes = nodes_of(plan)
            listed = compress_names(nodes)
            assert expand(listed) == set(nodes)
            bad, shown = show_topology(text_of(plan, "slurm-tree"), listed, munge, tmp_path / str(number))
            assert bad == []
            levels: dict[int, set[frozenset[str]]] = defaultdict(set)
            for row in shown.values():
                levels[int(row["Level"])].add(expand(row["Nodes"]))
            assert levels[0] == units_of(plan, "pod", "block")
            assert levels[max(levels)] == {frozenset(nodes)}
            if plan.blueprint.tiers == 3 and len(levels) > 2:
                assert levels[1] == units_of(plan, "pod")
                pods += 1
            trays += plan.blueprint.server.trays > 1
    assert min(pods, trays) > 0


@needs_slurm
@pytest.mark.parametrize("mistake", WRONG)
def test_the_controller_complains_of_a_wrong_tree(mistake: str, tmp_path: Path) -> None:
    """What the test above must see in the log is there for trees that are wrong, and not for the right one."""
    with run_munge(tmp_path) as munge:
        assert show_topology(TREE, NODES, munge, tmp_path / "right")[0] == []
        assert show_topology(WRONG[mistake], NODES, munge, tmp_path / "wrong")[0] != []


def test_names_are_compressed_to_ranges() -> None:
    """Names that differ in the last number share a list, padded numbers keep their zeros."""
    assert compress_names(["a-s0", "a-s1", "a-s2", "a-s4", "b-s9", "login"]) == "login,a-s[0-2,4],b-s9"
    assert compress_names(f"t{number:02d}" for number in range(8, 12)) == "t[08-11]"
    assert compress_names(["t008", "t010", "t09", "t10", "t7", "t123"]) == "t[008,010,123],t[09-10],t7"


def read_blocks(text: str) -> tuple[dict[str, str], list[int]]:
    """Read topology.conf of the block plugin: the nodes of each block, and the sizes (topology.conf(5))."""
    blocks, sizes = {}, []
    for line in text.splitlines():
        if line.startswith("BlockName="):
            name, nodes = line.split(" ")
            blocks[name.removeprefix("BlockName=")] = nodes.removeprefix("Nodes=")
        elif line.startswith("BlockSizes="):
            sizes = [int(size) for size in line.removeprefix("BlockSizes=").split(",")]
    return blocks, sizes


@needs_slurm
def test_blocks_hold_every_node_once_and_sizes_double() -> None:
    """A block is a rack of one NVLink domain, or a unit; none has fewer nodes than the first size, which doubles."""
    for plan in plans():
        blocks, sizes = read_blocks(text_of(plan, "slurm-block"))
        sets = {expand(nodes) for nodes in blocks.values()}
        split = plan.blueprint.server.trays > 1
        assert sets == (units_of(plan, "pod", "block", "slot") if split else units_of(plan, "pod", "block"))
        assert sizes[0] == min(map(len, sets))
        assert all(later == 2 * before for before, later in pairwise(sizes))
        assert sizes[-1] <= sizes[0] * len(sets) < 2 * sizes[-1]


def test_the_yaml_has_the_same_tree_and_blocks() -> None:
    """The file has the fields of topology.yaml(5), and in them what the two other formats say."""
    for plan in plans():
        tree, block = yaml.safe_load(text_of(plan, "slurm-yaml"))
        assert (tree["cluster_default"], block["cluster_default"]) == (True, False)
        keys = {"nodes": "Nodes", "children": "Switches"}
        lines = [
            f"SwitchName={each['switch']} {keys[key]}={each[key]}"
            for each in tree["tree"]["switches"]
            for key in each.keys() - {"switch"}
        ]
        assert lines == text_of(plan, "slurm-tree").splitlines()[1:]
        blocks, sizes = read_blocks(text_of(plan, "slurm-block"))
        assert {each["block"]: each["nodes"] for each in block["block"]["blocks"]} == blocks
        assert block["block"]["block_sizes"] == sizes


def test_a_fabric_without_gpus_has_no_nodes() -> None:
    """Where no server has GPUs, there is nothing to schedule, and the export says so."""
    box = {"name": "store", "gpus": 0, "nics": 2, "nic_gbps": 400}
    plan = fabric.design(name="stores", servers=[{"server": box, "count": 8}], switches=[SMALL]).plan
    for name in ("slurm-tree", "slurm-block", "slurm-yaml"):
        with pytest.raises(InputError, match="no server has GPUs"):
            list_plan_files(plan, name)
