"""The fabric as other tools take it: graphs and drawings of a view, a networkx graph, a SimGrid platform."""

from fabric.export.formats import FORMATS, PICTURES, SUFFIXES, format_of, view_for, written
from fabric.export.networkx import to_networkx
from fabric.export.simgrid import to_simgrid

__all__ = ["FORMATS", "PICTURES", "SUFFIXES", "format_of", "to_networkx", "to_simgrid", "view_for", "written"]
