"""What a person asks for: the request's words, how a file of them is read, and the checked value that comes of it."""

from fabric.request.cluster import SHARED, ClusterSpec, read_cluster
from fabric.request.document import Document
from fabric.request.known_names import KnownNames, TopologyNames
from fabric.request.resolve import read_spec
from fabric.request.shipped_designs import tables, topologies
from fabric.request.spec import Limits, Spec, even_planes

__all__ = [
    "SHARED",
    "ClusterSpec",
    "Document",
    "KnownNames",
    "Limits",
    "Spec",
    "TopologyNames",
    "even_planes",
    "read_cluster",
    "read_spec",
    "tables",
    "topologies",
]
