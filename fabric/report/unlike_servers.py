"""What reports say of unlike servers: their kinds, which units they are in, and which rails their NICs have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fabric import units
from fabric.blueprint import Blueprint
from fabric.blueprint.server_kinds import PlacedKind, list_kinds
from fabric.report.text import join_words
from fabric.topology.topology import title

__all__ = ["has_times", "list_server_kinds", "name_servers", "note_unlike_servers"]

MOST_NICS = 2**18
"""The NICs up to which a report has times of unlike servers: each is a flow, and this many take about ten seconds."""


def has_times(blueprint: Blueprint) -> bool:
    """Say whether a report has times of collectives: where GPUs stand, and unlike servers have not too many NICs."""
    return bool(blueprint.gpus) and (not blueprint.kinds or blueprint.nics <= MOST_NICS)


def name_servers(blueprint: Blueprint) -> str:
    """Return the servers by name; unlike ones with the number of each kind."""
    kinds = list_kinds(blueprint)
    return ", ".join(f"{units.count(each.count)} {each.server.name}" for each in kinds) or blueprint.server.name


def list_server_kinds(blueprint: Blueprint) -> list[dict[str, Any]]:
    """Return the kinds of unlike servers as plain objects; none where all servers are equal."""
    return [
        {
            "server": each.server.name,
            "count": each.count,
            "gpus": each.server.gpus,
            "nics": each.server.nics,
            "link_gbps": each.gbps,
            "per_unit": each.per_unit,
            "units": each.units,
            "first_unit": each.first_unit,
            "oversubscription": None if each.oversubscription is None else float(each.oversubscription),
        }
        for each in list_kinds(blueprint)
    ]


def note_unlike_servers(blueprint: Blueprint) -> Iterator[str]:
    """Yield where unlike servers are placed, and by which rule."""
    kinds, outer = list_kinds(blueprint), blueprint.topology.server.axes[:-1]
    if not kinds:
        return
    if outer:
        each = join_words([_describe_units(kind, title(outer[-1])) for kind in kinds])
        apart = all(one.first_unit for one in kinds[1:])
        rule = "holds servers of one kind" if apart else "has some servers of every kind"
        yield f"Each {title(outer[-1])} {rule}: {each}."
    if blueprint.gpus and not has_times(blueprint):
        yield (
            "Times are left out: those of unlike servers are of explicit flows, here one for each of"
            f" {blueprint.nics:,} NICs. `fabric allreduce --gpus` estimates some of the GPUs."
        )
    dealt, rails = [kind for kind in kinds if kind.dealt], blueprint.leaves_per_server
    if dealt:
        names = join_words([kind.server.name for kind in dealt])
        yield (
            f"The NICs of {names} take the {rails} rails of a unit in turn: NIC j of the server in slot s, with n"
            f" NICs, has rail (s n + j) modulo {rails}."
        )


def _describe_units(kind: PlacedKind, unit: str) -> str:
    """Return the units of a kind: `hgx-h100 in units 0 to 7 (4 each)`."""
    last = kind.first_unit + kind.units - 1
    where = f"{unit} {last}" if kind.units == 1 else f"{unit}s {kind.first_unit} to {last}"
    number = f"{kind.count}" if kind.units == 1 else f"up to {kind.per_unit} each"
    return f"{kind.server.name} in {where} ({number})"
