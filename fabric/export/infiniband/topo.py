"""A planned subnet as ibdiagnet and UFM compare it with what they find: a topology file, and a netlist for each system.

The GUIDs of the top switches are beside them, from which OpenSM routes up and down.

The forms are those of ibdm-topo-file(1) and ibdm-ibnl-file(1): a section for every switch, the upper tiers first, with
its cables to lower ones. A system is a switch or an HCA, of one chip, whose ports are numbered as ibnetdiscover does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from fabric.export.file_format import Witness
from fabric.export.infiniband.nodes import Nodes, list_nodes
from fabric.export.infiniband.subnets import refuse_misfit, split_subnets
from fabric.export.plan import Plan, PlanFormat, PlanText

__all__ = ["IB_TOPOLOGY"]

HCA = "ADAPTER"
"""The type of systems that are HCAs, of which `HCA` itself is a word of the grammar."""

Rows = npt.NDArray[np.int64]


def write_topology(plan: Plan) -> PlanText:
    """Yield for each subnet a topology file and its top switches, and in `ibnl` the netlist of each type of system."""
    subnets = split_subnets(plan)
    nodes = list_nodes(plan, subnets)
    types = _list_types(plan, nodes)
    for number, name in enumerate(subnets.names):
        title = plan.name if len(subnets.names) == 1 else f"{plan.name}, {name}"
        rows = np.flatnonzero(subnets.of_link == number)
        yield f"{name}.topo", _write_sections(title, nodes, types, rows)
        if plan.blueprint.topology.layered:
            yield f"{name}.roots", _write_roots(plan, nodes, number)
    for type_, ports in sorted(dict(zip(types, nodes.ports.tolist(), strict=True)).items()):
        yield f"ibnl/{type_}.ibnl", _write_netlist(type_, ports)


def _list_types(plan: Plan, nodes: Nodes) -> list[str]:
    """Return the type of every node: an adapter, or the switch's model and ports."""
    models = [plan.models[row] for row in nodes.device.tolist()]
    return [
        f"{re.sub(r'[^A-Za-z0-9]+', '_', model.name)}_{ports}" if model else HCA
        for model, ports in zip(models, nodes.ports.tolist(), strict=True)
    ]


def _write_roots(plan: Plan, nodes: Nodes, subnet: int) -> Iterator[str]:
    """Yield the GUIDs of the top switches of a subnet, one to a line, as OpenSM reads its `root_guid_file`."""
    top = plan.network.group(plan.blueprint.topology.roles[-1])
    is_top = (nodes.device >= top.first) & (nodes.device < top.first + top.count)
    yield from (f"0x{guid:016x}\n" for guid in nodes.guid[is_top & (nodes.subnet == subnet)].tolist())


def _write_sections(title: str, nodes: Nodes, types: list[str], rows: Rows) -> Iterator[str]:
    """Yield the section of every switch that is the upper end of links, the uppermost tier first."""
    yield f"# {title}, as planned by fabric\n\n"
    order = rows[np.lexsort((nodes.upper_port[rows], -nodes.upper[rows]))]
    names = [name.replace(" ", "-") for name in nodes.names]
    before = -1
    columns = (each[order].tolist() for each in (nodes.upper, nodes.upper_port, nodes.lower, nodes.lower_port))
    for upper, port, lower, far in zip(*columns, strict=True):
        head = "" if upper == before else f"{types[upper]} {names[upper]}\n"
        yield f"{chr(10) if head and before >= 0 else ''}{head}   P{port} -> {types[lower]} {names[lower]} P{far}\n"
        before = upper


def _write_netlist(type_: str, ports: int) -> Iterator[str]:
    """Yield the netlist of a system of one chip."""
    kind = "CA" if type_ == HCA else "SW"
    yield f"TOPSYSTEM {type_}\n\nNODE {kind} {ports} {type_} U1\n"
    yield from (f"   {port} -> P{port}\n" for port in range(1, ports + 1))


IB_TOPOLOGY = PlanFormat(
    "ib-topology",
    (),
    "ibdiagnet, ibdmtr, UFM, OpenSM (roots)",
    "cables between HCAs and switches, netlists, GUIDs of top switches",
    write_topology,
    refuse_misfit,
    folder=True,
    witness=Witness("run", "ibdmtr 1.5.7, OpenSM 3.3.23"),
)
"""Topology files and netlists."""
