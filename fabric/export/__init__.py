"""The fabric as other tools take it: a networkx graph, a SimGrid platform."""

from fabric.export.networkx import to_networkx
from fabric.export.simgrid import to_simgrid

__all__ = ["to_networkx", "to_simgrid"]
