"""What is seen of a fabric at a level of detail: its groups, one pod, one unit, or every device."""

from fabric.view.levels import (
    LEVELS,
    READABLE,
    levels_of,
    node_count,
    part_filled,
    place_of,
    readable_level,
    switches_of,
    view_of,
)  # fmt: skip
from fabric.view.view import Edge, Node, View

__all__ = [
    "LEVELS", "READABLE", "Edge", "Node", "View", "levels_of", "node_count", "part_filled", "place_of",
    "readable_level", "switches_of", "view_of",
]  # fmt: skip
