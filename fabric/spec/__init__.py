"""What a person asks for: the request's words, how a file of them is read, and the checked value that comes of it."""

from fabric.spec.cluster import SHARED, ClusterSpec, read_cluster
from fabric.spec.resolve import read_spec
from fabric.spec.spec import BUNDLES, ROLES, Limits, Spec, even_planes
from fabric.spec.topologies import tables, topologies
from fabric.spec.tree import Document

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
