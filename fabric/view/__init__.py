"""Views of a fabric at a level of detail: its groups, one pod, one unit, or every device."""

from fabric.view.levels import LEVELS, READABLE, Level
from fabric.view.view import Edge, Node, View
from fabric.view.views import (
    levels_of,
    location_of,
    node_count,
    part_axes,
    partial_place,
    readable_level,
    switch_view,
    view_of,
)

__all__ = [
    "LEVELS", "READABLE", "Edge", "Level", "Node", "View", "levels_of", "location_of", "node_count", "part_axes",
    "partial_place", "readable_level", "switch_view", "view_of",
]  # fmt: skip
