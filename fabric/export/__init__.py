"""The fabric as other tools take it: graphs and drawings of a view, a networkx graph, a SimGrid platform."""

from fabric.export.formats import FORMATS, Format, format_by_suffix, view_for, write_view_text
from fabric.export.networkx import to_networkx
from fabric.export.simgrid import to_simgrid

__all__ = ["FORMATS", "Format", "format_by_suffix", "to_networkx", "to_simgrid", "view_for", "write_view_text"]
