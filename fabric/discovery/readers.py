"""The readers of discovery files, by name: each says which files it can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fabric.discovery.cable_list import is_cable_list, read_cable_list
from fabric.discovery.cable_workbook import is_cable_workbook, read_cable_workbook
from fabric.discovery.findings import Findings
from fabric.discovery.ibnetdiscover import is_ibnetdiscover, read_ibnetdiscover
from fabric.discovery.link_reports import is_link_report, read_link_report
from fabric.discovery.lldpcli import (
    is_lldp_text,
    is_lldpcli_json,
    read_lldp_text,
    read_lldpcli_json,
)
from fabric.discovery.ptm_graph import is_ptm_graph, read_ptm_graph
from fabric.discovery.recorded import is_recorded_output, read_recorded_output
from fabric.discovery.source import Source
from fabric.discovery.subnet_list import is_subnet_list, read_subnet_list
from fabric.discovery.switch_json import is_arista_json, is_cumulus_json, read_arista_json, read_cumulus_json
from fabric.discovery.tables import is_neighbour_table, read_neighbour_table
from fabric.discovery.topology_json import is_netq_graph, is_paddle, read_netq_graph, read_paddle
from fabric.registry import Registry

__all__ = ["READERS", "Reader"]


@dataclass(frozen=True)
class Reader:
    """A reader of one format; another package adds one under the entry-point group `fabric.discovery_readers`."""

    name: str
    """The word for the format."""
    tool: str
    """The command that writes it, for people."""
    recognises: Callable[[Source], bool]
    """Whether a file is of the format, by its content."""
    read: Callable[[Source], Findings]
    """Returns what the file says. Raises InputError with the line where it is cut or wrong."""


READERS = Registry(
    "discovery reader",
    "discovery-readers",
    Reader,
    lambda: (
        Reader("ibnetdiscover", "ibnetdiscover", is_ibnetdiscover, read_ibnetdiscover),
        Reader("link-report", "iblinkinfo and ibnetdiscover -p", is_link_report, read_link_report),
        Reader("subnet-list", "ibdiagnet2.lst and opensm-subnet.lst", is_subnet_list, read_subnet_list),
        Reader("recorded-lldp", "lldpctl, as SuzieQ records it", is_recorded_output, read_recorded_output),
        Reader("lldpcli", "lldpcli -f json show neighbors", is_lldpcli_json, read_lldpcli_json),
        Reader("cumulus", "nv show interface lldp -o json", is_cumulus_json, read_cumulus_json),
        Reader("arista", "show lldp neighbors detail | json", is_arista_json, read_arista_json),
        Reader("lldp-text", "lldpctl and show lldp neighbors", is_lldp_text, read_lldp_text),
        Reader("lldp-table", "show lldp table", is_neighbour_table, read_neighbour_table),
        Reader("netq", "NetQ's topology graph in JSON", is_netq_graph, read_netq_graph),
        Reader("paddle", "canu validate shcd --json", is_paddle, read_paddle),
        Reader("workbook", "a cabling workbook (.xlsx)", is_cable_workbook, read_cable_workbook),
        Reader("ptm", "PTM's topology.dot", is_ptm_graph, read_ptm_graph),
        Reader("cable-list", "a CSV file with both ends of each cable", is_cable_list, read_cable_list),
    ),
)
"""The readers by name, in the order in which they are asked."""
