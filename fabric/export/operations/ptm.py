"""The cabling as Cumulus PTM's `topology.dot`, which UFM's cable validation reads too: Graphviz, an edge for each link.

ptmd compares the neighbours that LLDP reports with it: an edge has the host name and the interface of both ends
(docs.nvidia.com, Prescriptive Topology Manager). The attribute of a node is one of the cable validation's DOT file.
"""

from __future__ import annotations

from collections.abc import Iterator

from fabric.export.file_format import Witness
from fabric.export.link_layer import require_ethernet
from fabric.export.operations.cable_ends import list_cable_ends, list_nodes
from fabric.export.plan import Plan, PlanFormat
from fabric.export.text_lines import format_lines

__all__ = ["PTM"]


def _check(plan: Plan) -> None:
    """Raise InputError for an InfiniBand fabric, which has no LLDP."""
    require_ethernet(plan.blueprint, "ptmd compares what LLDP reports, which is of Ethernet")


def _write(plan: Plan) -> Iterator[str]:
    """Yield the graph: the devices with their roles, then the links, from the lower end to the upper."""
    yield f"graph {_quoted(plan.name)} {{\n"
    nodes = list_nodes(plan)
    yield from format_lines('  "{}" [role={}]', [node.name for node in nodes], [_quoted(node.role) for node in nodes])
    ports = {name: _escape(name) for end in (plan.lower, plan.upper) for name in end.names}
    for ends in list_cable_ends(plan, ports):
        yield from format_lines('  "{}":"{}" -- "{}":"{}"', ends.a_name, ends.a_port, ends.b_name, ends.b_port)
    yield "}\n"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _quoted(text: str) -> str:
    return f'"{_escape(text)}"'


PTM = PlanFormat(
    "ptm",
    (),
    "Cumulus PTM, UFM cable validation",
    "hosts, switches, both ends of each link",
    lambda plan: iter([("topology.dot", _write(plan))]),
    _check,
    witness=Witness("run", "Graphviz 2.42"),
)
"""The format of PTM."""
