"""What a person asks for: the request's words, how a file of them is read, and the checked value that comes of it."""

from fabric.spec.resolve import read_spec
from fabric.spec.spec import ROLES, Limits, Spec, even_planes
from fabric.spec.topologies import topologies

__all__ = ["ROLES", "Limits", "Spec", "even_planes", "read_spec", "topologies"]
