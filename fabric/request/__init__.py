"""What a person asks for: the request's words, how a file of them is read, and the checked value that comes of it."""

from fabric.request.cluster import SHARED, ClusterSpec, read_cluster
from fabric.request.document import Document
from fabric.request.resolve import read_spec
from fabric.request.shipped_designs import tables, topologies
from fabric.request.spec import BUNDLES, ROLES, Limits, Spec, even_planes

__all__ = [
    "BUNDLES",
    "ROLES",
    "SHARED",
    "ClusterSpec",
    "Document",
    "Limits",
    "Spec",
    "even_planes",
    "read_cluster",
    "read_spec",
    "tables",
    "topologies",
]
