"""Which switches the links of appliances go to: spread over different switches, and over those with room when full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fabric.blueprint.blueprint import Blueprint
from fabric.blueprint.port_rules import most_down
from fabric.request.spec import Appliance
from fabric.topology.topology import Group
from fabric.units import count_noun

__all__ = [
    "Attached",
    "Fill",
    "attach_appliances",
    "describe_appliances",
    "fills_with_appliances",
    "name_appliances",
    "spread_appliances",
]

WHERE = {"unit": "every unit", "fabric": "the fabric"}
"""Where an appliance takes its ports, by the value of `per`."""

Ports = npt.NDArray[np.int64]


class Fill(NamedTuple):
    """Switches with the same ports in use."""

    devices: int
    """The number of switches."""
    ports: tuple[int, ...]
    """The ports that each has in use by each of the topology's bundles."""
    taken: int = 0
    """The ports that appliances take of each."""


@dataclass(frozen=True, eq=False)
class Attached:
    """An appliance with the ports that it takes."""

    appliance: Appliance
    """The appliance."""
    bundle: str
    """The bundle of links like its own: those that end at its switches from below."""
    copies: int
    """How many there are: one, or one in every unit."""
    ports: Ports
    """The ports that it takes of each switch."""

    @property
    def links(self) -> int:
        """The links of all of them."""
        return int(self.ports.sum())

    @property
    def switches(self) -> int:
        """How many switches they are joined to."""
        return int(np.count_nonzero(self.ports))

    def count_ends(self, links: int, *, at_switches: bool) -> int:
        """Return the fibres or cables that end at the switches, or at the appliances, with at most `links` links."""
        own = self.copies * -(-self.appliance.ports // links)
        return int((-(-self.ports // links)).sum()) if at_switches else own


def attach_appliances(blueprint: Blueprint) -> Iterator[Attached]:
    """Yield every appliance with the ports that it takes, tier by tier."""
    for group in blueprint.topology.switch_groups:
        for appliance, ports in spread_appliances(blueprint, group).items():
            bundle, copies = blueprint.topology.bundle_below(group.role).name, int(ports.sum()) // appliance.ports
            yield Attached(appliance, bundle, copies, ports)


def describe_appliances(blueprint: Blueprint) -> Iterator[str]:
    """Yield a sentence for each appliance: `ufm takes 2 leaf ports, on 2 switches.`."""
    for each in attach_appliances(blueprint):
        name = each.appliance.name if each.copies == 1 else f"{each.appliance.name}, of which every unit has one,"
        switches = count_noun(each.switches, "switch", "switches")
        yield f"{name} takes {count_noun(each.links, f'{each.appliance.tier} port')}, on {switches}."


def name_appliances(values: Iterable[Mapping[str, Any]]) -> str:
    """Return the appliances of a request, given by its keys: `2 leaf ports of the fabric for ufm`."""
    ports = ((one, count_noun(one["ports"], f"{one['tier']} port")) for one in values)
    return ", ".join(f"{several} of {WHERE[one['per']]} for {one['name']}" for one, several in ports)


def fills_with_appliances(blueprint: Blueprint, group: Group) -> tuple[Fill, ...]:
    """Return the ports in use on a group's switches, in the order of the devices, equal neighbours together."""
    fills = tuple(Fill(*fill) for fill in blueprint.bundle_fills(group) if fill[0])
    taken = sum(spread_appliances(blueprint, group).values())
    if isinstance(taken, int):
        return fills
    ports = np.repeat(np.array([fill.ports for fill in fills]), [fill.devices for fill in fills], axis=0)
    rows = np.column_stack([ports, taken])
    starts = np.flatnonzero(np.append(True, np.any(rows[1:] != rows[:-1], axis=1)))
    counts = np.diff(np.append(starts, len(rows)))
    found = zip(counts.tolist(), rows[starts].tolist(), strict=True)
    return tuple(Fill(count, tuple(row[:-1]), row[-1]) for count, row in found)


def spread_appliances(blueprint: Blueprint, group: Group) -> dict[Appliance, Ports]:
    """Return for each appliance at a group's switches the ports that it takes of each, as shape (devices,).

    When the fabric grows, one of the whole fabric stays where it is today.
    """
    today = spread_appliances(blueprint.today, group) if blueprint.today else {}
    asked = sorted((each for each in blueprint.appliances if each.tier == group.role), key=lambda one: not one.per_unit)
    found: dict[Appliance, Ports] = {}
    for appliance in asked:
        before = sum(found.values(), np.zeros(blueprint.devices(group.role), np.int64))
        if appliance.per_unit:
            units, _ = blueprint.topology.units_of(group) or ((), ())
            number = blueprint.evaluate(units)
            found[appliance] = _spread_in_units(appliance.ports, before.reshape(number, -1)).reshape(-1)
        elif appliance in today:
            found[appliance] = np.pad(today[appliance], (0, len(before) - len(today[appliance])))
        else:
            found[appliance] = _spread(appliance.ports, before, *_room(blueprint, group, before))
    return found


def _spread_in_units(ports: int, before: Ports) -> Ports:
    """Spread ports over the switches of each unit, first those that have fewest appliances; all are alike."""
    order = np.argsort(before, axis=1, kind="stable")
    whole, rest = divmod(ports, before.shape[1])
    found = np.full_like(before, whole)
    np.put_along_axis(found, order[:, :rest], whole + 1, axis=1)
    return found


def _room(blueprint: Blueprint, group: Group, before: Ports) -> tuple[Ports, Ports]:
    """Return the ports of each switch that stay free when it is full, and those that are free now."""
    pairs, rates, up = (
        blueprint.model_counts(group.role),
        blueprint.rates_at(group.role),
        blueprint.links_up(group.role),
    )
    room = _repeat(tuple((count, most_down(model, rates, up) + up) for model, count in pairs)) - before
    full = blueprint.ports_down(group.role) + blueprint.ports_up(group.role)
    return room - full, room - _repeat(blueprint.port_fills(group))


def _spread(ports: int, before: Ports, later: Ports, now: Ports) -> Ports:
    """Spread ports one by one: first where room stays, each time on a switch that has fewest appliances."""
    found = np.zeros_like(before)
    for room in (later, now):
        while ports > found.sum() and (open_ := np.flatnonzero(room > found)).size:
            order = open_[np.argsort(before[open_] + found[open_], kind="stable")]
            least = (before + found)[order[0]]
            level = order[(before + found)[order] == least]
            found[level[: ports - found.sum()]] += 1
    return found


def _repeat(fills: tuple[tuple[int, int], ...]) -> Any:
    """Return the second of each pair as often as the first says."""
    return np.repeat(np.array([each for _, each in fills], np.int64), [count for count, _ in fills])
