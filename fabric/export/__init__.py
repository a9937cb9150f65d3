"""The fabric as other tools take it: graphs, drawings, tables and matrices, and a SimGrid platform."""

from fabric.export.formats import FORMATS, Format, format_by_suffix, view_for, write_view_text
from fabric.export.igraph import to_igraph
from fabric.export.networkx import to_networkx
from fabric.export.nics import nic_network
from fabric.export.simgrid import to_simgrid
from fabric.export.tables import ArrowTables, Frames, to_arrow, to_pandas, to_scipy

__all__ = [
    "FORMATS",
    "ArrowTables",
    "Format",
    "Frames",
    "format_by_suffix",
    "nic_network",
    "to_arrow",
    "to_igraph",
    "to_networkx",
    "to_pandas",
    "to_scipy",
    "to_simgrid",
    "view_for",
    "write_view_text",
]
