"""Rack elevations: one rack of servers and leaves, one of each other role, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.blueprint import Blueprint
from fabric.blueprint.racks import Floor, Shelf
from fabric.draw.canvas import Align, Box, Label, Line, Mark, elide, text_width, wrap
from fabric.draw.page_layout import Part
from fabric.draw.palette import BODY_PT, GREY, HAIR, INK, PLATES, SMALL_PT, ink_on, role_fills
from fabric.draw.tier_layout import MARGIN
from fabric.draw.words import count_devices, role_plural
from fabric.topology.topology import title
from fabric.units import count, count_noun

__all__ = ["SERVER", "SIDE", "draw_elevations"]

UNIT, WIDE, SIDE = 4.4, 62.0, 500.0
"""The height of a rack unit, the width of a rack and of the page, in points."""

SERVER = "#DDE3EA"


def draw_elevations(blueprint: Blueprint, floor: Floor) -> Part:
    """Draw a rack of servers, and one of each role of switches, rack unit by rack unit."""
    marks: list[Mark] = []
    height = floor.rack.units * min(UNIT, 240 / floor.rack.units) + 30
    unit = (height - 30) / floor.rack.units
    step = SIDE / max(4, 1 + len(floor.shelves))
    x = MARGIN
    marks += _draw_server_rack(blueprint, floor, x, unit)
    for shelf in floor.shelves:
        x += step
        marks += _draw_switch_rack(blueprint, floor, shelf, x, unit)
    if x + 2 * step <= MARGIN + SIDE + 1:
        marks += _draw_totals(blueprint, floor, x + step, height - 14)
    return Part(marks, height)


def _draw_totals(blueprint: Blueprint, floor: Floor, x: float, top: float) -> list[Mark]:
    """Draw a table of devices and racks, and the power of a rack, downward from `top`."""
    rows = [("servers", count(blueprint.servers), count(floor.racks))]
    others = {shelf.role: count(shelf.racks) for shelf in floor.shelves}
    for role in blueprint.topology.roles:
        rows.append((role_plural(role), count(blueprint.devices(role)), others.get(role, "-")))
    marks: list[Mark] = []
    columns: tuple[tuple[float, Align], ...] = (x, "left"), (MARGIN + SIDE - 52, "right"), (MARGIN + SIDE, "right")
    end = MARGIN + SIDE
    for line, cells in enumerate([("", "devices", "racks"), *rows]):
        ink = INK if line else GREY
        for (at, align), text in zip(columns, cells, strict=True):
            marks.append(Label(at, top - 11 * line, text, BODY_PT if line else SMALL_PT, ink, align=align))
    marks.append(Line(x, top - 3, end, top - 3, HAIR, 0.5))
    y = top - 11 * len(rows) - 5
    marks.append(Line(x, y, end, y, HAIR, 0.5))
    power = _describe_power(blueprint, floor)
    words = "Leaves are in the racks of their servers." if blueprint.topology.roles[0] not in others else ""
    lines = [*wrap(words, end - x, SMALL_PT), *wrap(power, end - x, SMALL_PT)]
    return [*marks, *(Label(x, y - 10 - 9 * line, text, SMALL_PT, GREY) for line, text in enumerate(lines))]


def _describe_power(blueprint: Blueprint, floor: Floor) -> str:
    """Return the most power that the first rack draws, where the catalogue has it."""
    leaf, server_w = blueprint.model_counts(blueprint.topology.roles[0])[0][0], blueprint.server.peak_power_w
    if server_w is None or (floor.rack_leaves and leaf.peak_power_w is None):
        return "The power of a rack is unknown."
    servers = min(floor.rack_servers * floor.share, blueprint.servers)
    watts = servers * server_w + floor.rack_leaves * (leaf.peak_power_w or 0.0)
    most = "at most " if blueprint.server.max_power_w is not None else ""
    return f"A rack of servers draws {most}{watts / 1000:.1f} kW."


def _draw_rack(floor: Floor, x: float, unit: float, heading: str, rest: str) -> list[Mark]:
    top = floor.rack.units * unit
    width = SIDE / 4 - 8
    marks: list[Mark] = [Box(x, 0, WIDE, top, PLATES[0], GREY, 1, 0.6)]
    marks += [Label(x, top + 16, elide(heading, width, BODY_PT, bold=True), BODY_PT, INK, bold=True)]
    return [*marks, Label(x, top + 7, elide(rest, width, SMALL_PT), SMALL_PT, GREY)]


def _draw_server_rack(blueprint: Blueprint, floor: Floor, x: float, unit: float) -> list[Mark]:
    """Draw the first rack: servers from the foot up, and its share of the leaves at the top."""
    servers = min(floor.rack_servers * floor.share, blueprint.servers)
    leaves, leaf = floor.rack_leaves, blueprint.topology.roles[0]
    contents = [count_devices(servers, "server")]
    if leaves:
        every = blueprint.devices(leaf) >= leaves * floor.racks
        some = f"a {leaf} in {count_noun(blueprint.devices(leaf), 'rack')}"
        contents.append(count_devices(leaves, leaf) if every else some)
    marks = _draw_rack(floor, x, unit, f"Unit rack × {count(floor.racks)}", ", ".join(contents))
    for number in range(servers):
        marks += _draw_device(x, number * floor.server_units, floor.server_units, unit, SERVER, f"server {number}")
    for number in range(leaves):
        foot = floor.rack.units - (number + 1) * floor.leaf_units
        marks += _draw_device(
            x,
            foot,
            floor.leaf_units,
            unit,
            role_fills(blueprint.topology.roles)[blueprint.topology.roles[0]],
            f"{blueprint.topology.roles[0]} {number}",
        )
    return marks


def _draw_switch_rack(blueprint: Blueprint, floor: Floor, shelf: Shelf, x: float, unit: float) -> list[Mark]:
    """Draw a rack of switches from the foot up."""
    switches = min(shelf.each, blueprint.devices(shelf.role))
    heading = f"{title(shelf.role).capitalize()} rack × {count(shelf.racks)}"
    marks = _draw_rack(floor, x, unit, heading, count_devices(switches, shelf.role))
    fill = role_fills(blueprint.topology.roles)[shelf.role]
    for number in range(switches):
        marks += _draw_device(x, number * shelf.height, shelf.height, unit, fill, f"{shelf.role} {number}")
    return marks


def _draw_device(x: float, foot: int, height: int, unit: float, fill: str, text: str) -> Iterator[Mark]:
    yield Box(x + 2, foot * unit + 0.4, WIDE - 4, height * unit - 0.8, fill, INK, 0.6, 0.3)
    if height * unit >= 8 and text_width(text, SMALL_PT) <= WIDE - 8:
        yield Label(x + WIDE / 2, (foot + height / 2) * unit - 2.4, text, SMALL_PT, ink_on(fill), align="center")
