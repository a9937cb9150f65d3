"""What a person asks for: the request's words, how a file of them is read, and the checked value that comes of it."""

from fabric.spec.resolve import read_spec
from fabric.spec.spec import ROLES, Limits, Spec
from fabric.spec.topologies import topologies

__all__ = ["ROLES", "Limits", "Spec", "read_spec", "topologies"]
