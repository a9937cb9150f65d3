"""What a person asks for: the keys of a request, how a file of them is read, and the checked value that results.

Importing this package is cheap. The modules that read and check files import pydantic and PyYAML: `resolve`, `cluster`,
`jobs`, `published_table` and `price_list`.
"""

from fabric.request.document import Document
from fabric.request.known_names import KnownNames, TopologyNames
from fabric.request.limits import LIMITS, SHARED, Limit, Limits
from fabric.request.shipped_designs import tables, topologies
from fabric.request.spec import Spec, even_planes

__all__ = [
    "LIMITS",
    "SHARED",
    "Document",
    "KnownNames",
    "Limit",
    "Limits",
    "Spec",
    "TopologyNames",
    "even_planes",
    "tables",
    "topologies",
]
