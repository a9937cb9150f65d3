"""The fabric as Slurm's scheduler sees it: nodes below the switches that they share, as a tree or as blocks.

A switch or node of Slurm's tree has one parent, so what joins the same nodes is one logical switch: the leaves of a
unit, the spines of a pod, and so on. With rails, too, a node is below its unit and not below one of its leaves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from fabric.errors import InputError
from fabric.export.file_format import Witness
from fabric.export.plan import Plan, PlanFormat, PlanText
from fabric.network.connected_parts import label_joined

__all__ = ["SLURM_BLOCK", "SLURM_TREE", "SLURM_YAML", "compress_names", "list_levels"]

_NUMBERED = re.compile(r"(.*?)(\d+)$")

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LogicalSwitch:
    """A switch of Slurm's tree."""

    name: str
    """Its name: `unit0`, `pod3`, `fabric`."""
    members: tuple[str, ...]
    """The nodes or switches below it."""
    lowest: bool
    """Whether these are nodes."""


def compress_names(names: Iterable[str]) -> str:
    """Return names as Slurm lists them, those that differ in the last number as ranges: `box-s[0-3,7]`."""
    parts: dict[tuple[str, int], list[int]] = {}
    found = [(name, _NUMBERED.fullmatch(name)) for name in names]
    plain = [name for name, match in found if not match]
    numbered = [match.groups() for _, match in found if match]
    # Numbers with leading zeros have the width of their range, and others of that width join them.
    padded = {(stem, len(digits)) for stem, digits in numbered if digits[0] == "0" and len(digits) > 1}
    for stem, digits in numbered:
        width = len(digits) if (stem, len(digits)) in padded else 0
        parts.setdefault((stem, width), []).append(int(digits))
    return ",".join([*plain, *(_write_ranges(stem, width, numbers) for (stem, width), numbers in parts.items())])


def _write_ranges(stem: str, width: int, numbers: list[int]) -> str:
    runs = []
    for _, run in groupby(enumerate(sorted(numbers)), lambda pair: pair[1] - pair[0]):
        values = [f"{number:0{width}d}" for _, number in run]
        runs.append(values[0] if len(values) == 1 else f"{values[0]}-{values[-1]}")
    if len(runs) == 1 and "-" not in runs[0]:
        return f"{stem}{runs[0]}"
    return f"{stem}[{','.join(runs)}]"


def list_levels(plan: Plan) -> list[Rows]:
    """Return the sets of devices that are joined by the links below each tier, from the leaves up, shape (devices,).

    Where switches are not in tiers, the leaves come first, then all links together.
    """
    network, bundles = plan.network, plan.blueprint.topology.bundles
    hosts = {bundle.name for bundle in plan.blueprint.topology.host_bundles}
    above = [[bundle.name] for bundle in bundles if bundle.name not in hosts]
    if not plan.blueprint.topology.layered:
        above = [[name for names in above for name in names]] if above else []
    taken, found = set(hosts), []
    for names in ([], *above):
        taken |= set(names)
        rows = np.isin(network.bundle, [network.bundles.index(name) for name in taken])
        found.append(label_joined(plan.lower.device[rows], plan.upper.device[rows], network.devices))
    return found


def list_tree(plan: Plan) -> list[LogicalSwitch]:
    """Return the logical switches of a plan, the lowest first."""
    nodes = _list_nodes(plan)
    device, names = plan.hosts.device[nodes], [plan.hosts.names[node] for node in nodes.tolist()]
    levels = [label[device] for label in list_levels(plan)]
    kept = [levels[0]]
    for level in levels[1:]:
        if len(np.unique(level)) < len(np.unique(kept[-1])):
            kept.append(level)
    if len(np.unique(kept[-1])) > 1:
        raise InputError(f"{plan.name}: its units never meet, and a tree of Slurm has one root; export each by itself")
    words = ["unit", *("pod" if number == 1 else f"zone{number - 1}-" for number in range(1, len(kept)))]
    found: list[LogicalSwitch] = []
    below, rows = names, np.arange(len(names))
    for place, (column, word) in enumerate(zip(kept, words, strict=True)):
        _, first, number = np.unique(column, return_index=True, return_inverse=True)
        own = [f"{word}{each}" for each in range(len(first))] if len(first) > 1 or not place else ["fabric"]
        members: list[list[str]] = [[] for _ in own]
        for name, each in zip(below, number[rows].tolist(), strict=True):
            members[each].append(name)
        found += [LogicalSwitch(name, tuple(each), lowest=not place) for name, each in zip(own, members, strict=True)]
        below, rows = own, first
    return found


def _list_nodes(plan: Plan) -> Rows:
    """Return the hosts that are nodes of the cluster: those with GPUs; raises InputError where there are none."""
    nodes = np.flatnonzero(plan.hosts.gpus > 0)
    if not len(nodes):
        raise InputError(f"{plan.name}: no server has GPUs, so that Slurm has no nodes")
    return nodes


def list_blocks(plan: Plan) -> list[tuple[str, tuple[str, ...]]]:
    """Return the blocks, each with its nodes: NVLink domains of several trays where there are some, else units."""
    nodes = _list_nodes(plan)
    device = plan.hosts.device[nodes]
    split = any(server.gpus and server.trays > 1 for server in plan.blueprint.servers_by_role.values())
    _, number = np.unique(device if split else list_levels(plan)[0][device], return_inverse=True)
    members: list[list[str]] = [[] for _ in range(int(number.max()) + 1)]
    for node, each in zip(nodes.tolist(), number.tolist(), strict=True):
        members[each].append(plan.hosts.names[node])
    return [(f"block{each}", tuple(names)) for each, names in enumerate(members)]


def list_block_sizes(blocks: list[tuple[str, tuple[str, ...]]]) -> list[int]:
    """Return the nodes of the smallest block, and of 2, 4, 8 ... blocks as long as there are as many."""
    base = min(len(names) for _, names in blocks)
    return [base << power for power in range(len(blocks).bit_length()) if 1 << power <= len(blocks)]


def write_tree(plan: Plan) -> PlanText:
    """Yield topology.conf of the plugin topology/tree."""
    yield "topology.conf", _write_tree(plan)


def _write_tree(plan: Plan) -> Iterator[str]:
    yield f"# {plan.name}, as planned by fabric; slurm.conf needs TopologyPlugin=topology/tree\n"
    for switch in list_tree(plan):
        key = "Nodes" if switch.lowest else "Switches"
        yield f"SwitchName={switch.name} {key}={compress_names(switch.members)}\n"


def write_blocks(plan: Plan) -> PlanText:
    """Yield topology.conf of the plugin topology/block."""
    yield "topology.conf", _write_blocks(plan)


def _write_blocks(plan: Plan) -> Iterator[str]:
    yield f"# {plan.name}, as planned by fabric; slurm.conf needs TopologyPlugin=topology/block\n"
    blocks = list_blocks(plan)
    yield from (f"BlockName={name} Nodes={compress_names(nodes)}\n" for name, nodes in blocks)
    yield f"BlockSizes={','.join(map(str, list_block_sizes(blocks)))}\n"


def write_yaml(plan: Plan) -> PlanText:
    """Yield topology.yaml with both topologies, the tree as the default of the cluster."""
    yield "topology.yaml", _write_yaml(plan)


def _write_yaml(plan: Plan) -> Iterator[str]:
    yield f"# {plan.name}, as planned by fabric\n- topology: tree\n  cluster_default: true\n  tree:\n    switches:\n"
    for switch in list_tree(plan):
        key = "nodes" if switch.lowest else "children"
        yield f"      - switch: {switch.name}\n        {key}: {compress_names(switch.members)}\n"
    blocks = list_blocks(plan)
    yield "- topology: block\n  cluster_default: false\n  block:\n    block_sizes:\n"
    yield from (f"      - {size}\n" for size in list_block_sizes(blocks))
    yield "    blocks:\n"
    yield from (f"      - block: {name}\n        nodes: {compress_names(nodes)}\n" for name, nodes in blocks)


def refuse_forest(plan: Plan) -> None:
    """Raise InputError where there are no nodes, or units that never meet."""
    list_tree(plan)


def refuse_empty(plan: Plan) -> None:
    """Raise InputError where there are no nodes."""
    _list_nodes(plan)


SLURM_TREE = PlanFormat(
    "slurm-tree",
    (),
    "Slurm, topology/tree",
    "nodes below the units, pods and zones that they share",
    write_tree,
    refuse_forest,
    witness=Witness("run", "slurmctld 22.05.8"),
)
"""topology.conf for TopologyPlugin=topology/tree."""

SLURM_BLOCK = PlanFormat(
    "slurm-block",
    (),
    "Slurm 23.11 and newer, topology/block",
    "NVLink domains of several trays, or units, as blocks of nodes",
    write_blocks,
    refuse_empty,
    witness=Witness("grammar", "topology.conf(5) of Slurm 23.11"),
)
"""topology.conf for TopologyPlugin=topology/block."""

SLURM_YAML = PlanFormat(
    "slurm-yaml",
    (),
    "Slurm 25.05 and newer",
    "the tree and the blocks, the tree as the default",
    write_yaml,
    refuse_forest,
    witness=Witness("grammar", "topology.yaml(5) of Slurm 25.05"),
)
"""topology.yaml with both topologies."""
