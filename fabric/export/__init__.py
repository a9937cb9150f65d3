"""The fabric as other tools take it: graphs, drawings, tables and matrices, and a SimGrid platform."""

from fabric.export.file_format import FileFormat, Witness
from fabric.export.formats import (
    FORMATS,
    Format,
    format_by_suffix,
    list_plan_files,
    takes_part,
    takes_view,
    view_for,
    write_view_text,
)
from fabric.export.igraph import to_igraph
from fabric.export.networkx import to_networkx
from fabric.export.nics import nic_network
from fabric.export.plan import Plan, PlanFormat
from fabric.export.simgrid import to_simgrid
from fabric.export.tables import ArrowTables, Frames, to_arrow, to_pandas, to_scipy

__all__ = [
    "FORMATS",
    "ArrowTables",
    "FileFormat",
    "Format",
    "Frames",
    "Plan",
    "PlanFormat",
    "Witness",
    "format_by_suffix",
    "list_plan_files",
    "nic_network",
    "takes_part",
    "takes_view",
    "to_arrow",
    "to_igraph",
    "to_networkx",
    "to_pandas",
    "to_scipy",
    "to_simgrid",
    "view_for",
    "write_view_text",
]
