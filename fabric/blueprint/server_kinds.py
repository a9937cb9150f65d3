"""The kinds of unlike servers of a blueprint, and where each is placed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from fabric.blueprint.blueprint import Blueprint
from fabric.catalog import Server
from fabric.topology.unlike_servers import UnlikeForm

__all__ = ["PlacedKind", "list_kinds"]


@dataclass(frozen=True)
class PlacedKind:
    """One kind of server, and its places."""

    server: Server
    """The server."""
    count: int
    """The number of them."""
    per_unit: int
    """Those of a full unit."""
    units: int
    """The units that have some."""
    first_unit: int
    """The number of the first of these."""
    gbps: int
    """The rate of one of their links, in Gb/s."""
    oversubscription: Fraction | None
    """That of their leaves when full; None where these have no links up."""
    dealt: bool
    """Whether the servers of a unit have its rails in turn, since they have not as many NICs for each."""


def list_kinds(blueprint: Blueprint) -> tuple[PlacedKind, ...]:
    """Return the kinds of unlike servers in the order of their places; none where all servers are equal."""
    if not blueprint.kinds:
        return ()
    form, sizes = cast(UnlikeForm, blueprint.topology), blueprint.sizes
    return tuple(
        PlacedKind(
            blueprint.kinds[each.lower.role],
            blueprint.devices(each.lower.role),
            sizes[each.slot],
            sizes[each.units],
            form.first_unit(each, sizes),
            blueprint.rate(each),
            form.kind_oversubscription(each, sizes, blueprint.bundle_rates),
            sizes[each.nics] % blueprint.leaves_per_server > 0,
        )
        for each in form.dealt
    )
