"""What a picture says and draws of a fabric by the kind of its topology."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from fabric.blueprint import Blueprint
from fabric.draw.clos_style import ClosStyle
from fabric.draw.graph_scene import GraphScene
from fabric.draw.graph_style import GraphStyle
from fabric.topology.clos import ClosForm
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import Bundle, Group

__all__ = ["Style", "style_of"]

Digits = Mapping[str, int]


class Style(Protocol):
    """The captions, colours and natural layout of a fabric."""

    def scene(self) -> GraphScene | None:
        """Return the natural layout as a scene; None where the fabric is drawn by tiers."""

    def describe_size(self) -> str:
        """Return how large the topology is, in words: `3 tiers` or `at most 4 hops`."""

    def describe_group(self, group: Group) -> str:
        """Return how many devices one place has and along which axes: `32 per pod: group 16 × spine 2`."""

    def describe_ports(self, group: Group) -> str:
        """Return how the ports of one switch are used: `64 down, 64 up`, or by what they are joined to."""

    def describe_bundle(self, bundle: Bundle) -> str:
        """Return the links of a pair of devices, or of one device at either end."""

    def load_note(self) -> str:
        """Return the note on oversubscription; empty where there is none."""

    def room_note(self) -> str:
        """Return the note on room that servers do not fill; empty where they fill all."""

    def bundle_colour(self, bundle: Bundle) -> str | None:
        """Return the colour of all links of a bundle; None where they have several."""

    def link_colour(self, bundle: Bundle, lower: Digits, upper: Digits) -> str:
        """Return the colour of the links of a bundle between devices with these coordinates."""

    def switch_fill(self, role: str, digits: Digits) -> str:
        """Return the fill of a switch's card by its coordinates: its rail's colour, or that of its role."""

    def leaf_digits(self, server: Digits) -> dict[str, int]:
        """Return the coordinates of a server's leaf that its own do not give."""


def style_of(blueprint: Blueprint) -> Style:
    """Return the style of a blueprint: the one place of this package where the kinds of topology are distinguished."""
    match blueprint.topology:
        case ClosForm() as form:
            return ClosStyle(blueprint, form)
        case GraphForm() as form:
            return GraphStyle(blueprint, form)
        case other:
            raise TypeError(f"no pictures of a {type(other).__name__}")
