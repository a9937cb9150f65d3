"""A planned subnet in the text of `ibnetdiscover`: what a subnet manager would find when all is cabled as planned.

A record for every HCA, hosts first, and one for every switch, each with its cabled ports; a blank line after each. The
form is that of infiniband-diags (ibnetdiscover(8)), which ibsim loads as a simulated fabric.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from fabric.export.file_format import Witness
from fabric.export.infiniband.lanes import GENERATIONS, LANES, write_width
from fabric.export.infiniband.nodes import Nodes, list_nodes
from fabric.export.infiniband.subnets import count_parts, refuse_misfit, split_subnets
from fabric.export.plan import Plan, PlanFormat, PlanText

__all__ = ["IBNETDISCOVER", "IBNETDISCOVER_HDR"]

VENDOR = 0x2C9
"""The number by which Mellanox's devices say who made them."""

Rows = npt.NDArray[np.int64]


def write_ibnetdiscover(plan: Plan, newest: str = "") -> PlanText:
    """Yield a file for each subnet; rates later than the generation `newest` are written as if they were its own."""
    subnets = split_subnets(plan)
    nodes = list_nodes(plan, subnets)
    start, lines = _list_ports(plan, nodes, newest)
    devices = _number_devices(plan, nodes)
    for number, name in enumerate(subnets.names):
        title = plan.name if len(subnets.names) == 1 else f"{plan.name}, {name}"
        rows = np.flatnonzero(nodes.subnet == number).tolist()
        yield f"{name}.ibnetdiscover", _write_subnet(title, nodes, rows, devices, start, lines)


def _list_ports(plan: Plan, nodes: Nodes, newest: str) -> tuple[list[int], list[str]]:
    """Return the first line of every node and the end of the last, and the line of every cabled port, node by node."""
    node = np.concatenate([nodes.lower, nodes.upper])
    port = np.concatenate([nodes.lower_port, nodes.upper_port])
    far, far_port = np.roll(node, plan.network.links), np.roll(port, plan.network.links)
    kinds, kind = np.unique(np.stack([plan.link_gbps, count_parts(plan)]), axis=1, return_inverse=True)
    widths = [write_width(gbps, split, newest) for gbps, split in kinds.T.tolist()]
    width = np.tile(kind.reshape(-1), 2)
    order = np.lexsort((port, node))
    columns = (each[order].tolist() for each in (node, port, far, far_port, width))
    ids = [_write_id(nodes, row) for row in range(len(nodes.names))]
    ends = [f"({guid + 1:x}) " if row < nodes.hcas else "" for row, guid in enumerate(nodes.guid.tolist())]
    names = nodes.names
    lines = [
        f'[{own}]{ends[here]}\t"{ids[there]}"[{other}]{ends[there]}\t\t#'
        f'{" lid 0 lmc 0" if ends[here] else ""} "{names[there]}" lid 0 {widths[rate]}\n'
        for here, own, there, other, rate in zip(*columns, strict=True)
    ]
    return np.searchsorted(node[order], np.arange(len(names) + 1)).tolist(), lines


def _write_id(nodes: Nodes, row: int) -> str:
    """Return the name by which records refer to a node."""
    return f"{'H' if row < nodes.hcas else 'S'}-{int(nodes.guid[row]):016x}"


def _number_devices(plan: Plan, nodes: Nodes) -> list[int]:
    """Return the device number of every node, of the generation of its fastest link."""
    newest, lane = np.zeros(len(nodes.names), np.int64), plan.link_gbps * count_parts(plan) // LANES
    for ends in (nodes.lower, nodes.upper):
        np.maximum.at(newest, ends, lane)
    found = [GENERATIONS[gbps] for gbps in newest.tolist()]
    return [each.hca if row < nodes.hcas else each.switch for row, each in enumerate(found)]


def _write_subnet(
    title: str, nodes: Nodes, rows: Sequence[int], devices: list[int], start: list[int], lines: list[str]
) -> Iterator[str]:
    """Yield the records of the nodes of a subnet."""
    yield f"#\n# Topology file: as planned by fabric for {title}\n#\n\n"
    for row in rows:
        guid, ports, name = int(nodes.guid[row]), int(nodes.ports[row]), nodes.names[row]
        head = f"vendid=0x{VENDOR:x}\ndevid=0x{devices[row]:x}\nsysimgguid=0x{guid:x}\n"
        if row < nodes.hcas:
            head += f'caguid=0x{guid:x}\nCa\t{ports} "{_write_id(nodes, row)}"\t\t# "{name}"\n'
        else:
            head += f"switchguid=0x{guid:x}({guid:x})\n"
            head += f'Switch\t{ports} "{_write_id(nodes, row)}"\t\t# "{name}" enhanced port 0 lid 0 lmc 0\n'
        yield "".join([head, *lines[start[row] : start[row + 1]], "\n"])


IBNETDISCOVER = PlanFormat(
    "ibnetdiscover",
    (),
    "ibsim, OpenSM, ibdiagnet, generators of topology files",
    "HCAs and switches with GUIDs, ports and rates, a file for each subnet",
    write_ibnetdiscover,
    refuse_misfit,
    witness=Witness("run", "ibsim 0.10, OpenSM 3.3.23 (ftree, updn)"),
)
"""The text with the rates of the plan."""

IBNETDISCOVER_HDR = PlanFormat(
    "ibnetdiscover-hdr",
    (),
    "ibsim up to 0.10, which knows no rate later than HDR",
    "the same, with NDR and XDR written as HDR",
    partial(write_ibnetdiscover, newest="HDR"),
    refuse_misfit,
    witness=Witness("run", "ibsim 0.10, OpenSM 3.3.23 (ftree, updn), ibdmchk 1.5.7, ibnetdiscover 44.0"),
)
"""The text for tools that know no rate later than HDR."""
