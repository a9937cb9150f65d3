"""What surrounds every picture of a fabric: its header, its notes, and the description of a group beside it."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.blueprint import Blueprint
from fabric.blueprint.native_ports import tier_ports
from fabric.blueprint.port_use import port_use
from fabric.draw.canvas import Box, Label, Line, Mark, elide, text_width, wrap
from fabric.draw.captions import describe_ports, model_title, notes, subtitle
from fabric.draw.palette import BODY_PT, GREY, HAIR, HEAD_PT, INK, LATER, SMALL_PT, TIER_PT, TITLE_PT, WHITE
from fabric.draw.style import style_of
from fabric.draw.tier_layout import MARGIN, WIDTH
from fabric.topology.topology import Group, title
from fabric.units import count

__all__ = ["NOTE_LEAD", "draw_group", "draw_header", "draw_notes", "draw_rule", "group_texts", "note_lines"]

NOTE_LEAD = 10.5

Texts = Sequence[tuple[str, float]]
"""Lines of text with their sizes in points."""


def draw_header(blueprint: Blueprint, bottom: float, more: str = "") -> tuple[list[Mark], float]:
    """Return the title above `bottom`, with `more` under it, and the height of the page that it makes."""
    lines = [line for text in (subtitle(blueprint), more) if text for line in wrap(text, WIDTH - 2 * MARGIN, HEAD_PT)]
    y = bottom + 12 + 11 * len(lines)
    name = elide(blueprint.name, WIDTH - 2 * MARGIN, TITLE_PT, bold=True)
    marks: list[Mark] = [draw_rule(bottom + 6), Label(MARGIN, y + 4, name, TITLE_PT, INK, bold=True)]
    marks += [Label(MARGIN, y - 11 * (index + 1), line, HEAD_PT, GREY) for index, line in enumerate(lines)]
    return marks, y + 4 + TITLE_PT + MARGIN / 2


def draw_rule(y: float) -> Line:
    """Return a hairline across the page."""
    return Line(MARGIN, y, WIDTH - MARGIN, y, HAIR, 0.5)


def note_lines(blueprint: Blueprint) -> list[str]:
    """Return the notes, broken to the page's width."""
    return [line for note in notes(blueprint) for line in wrap(note, WIDTH - 2 * MARGIN, BODY_PT)]


def draw_notes(lines: list[str]) -> list[Mark]:
    """Return the notes at the foot of the page."""
    first = MARGIN + (len(lines) - 1) * NOTE_LEAD - 4
    return [Label(MARGIN, first - index * NOTE_LEAD, line, BODY_PT, INK) for index, line in enumerate(lines)]


def group_texts(blueprint: Blueprint, group: Group, width: float) -> list[tuple[str, float]]:
    """Return the lines under a group's heading: its model, in at most two lines, and how many devices a place has."""
    text = model_title(blueprint, group)
    lines = wrap(text, width, BODY_PT)
    if len(lines) > 2:
        lines = (lines[0], elide(text.removeprefix(lines[0]).strip(), width, BODY_PT))
    small = wrap(style_of(blueprint).describe_group(group), width, SMALL_PT)
    return [*((line, BODY_PT) for line in lines), *((line, SMALL_PT) for line in small)]


def draw_group(blueprint: Blueprint, group: Group, texts: Texts, x: float, y: float, width: float) -> list[Mark]:
    """Describe a group downward from `y`: its role and count, `texts`, and its ports as a bar and in words."""
    heading = f"{title(group.role).capitalize()} × {count(blueprint.devices(group.role))}"
    sizes = (size_pt for size_pt in (TIER_PT, HEAD_PT, BODY_PT) if text_width(heading, size_pt, bold=True) <= width)
    marks: list[Mark] = [Label(x, y, heading, next(sizes, SMALL_PT), INK, bold=True)]
    y -= 10.5
    for line, size_pt in texts:
        marks.append(Label(x, y, line, size_pt, GREY))
        y -= 9
    if group not in blueprint.topology.server_groups:
        marks += _draw_port_bar(blueprint, group.role, x, y - 0.5, width - 14)
        y -= 8.5
    lines = wrap(describe_ports(blueprint, group), width, SMALL_PT)
    return [*marks, *(Label(x, y - 9 * index, line, SMALL_PT, GREY) for index, line in enumerate(lines))]


def _draw_port_bar(blueprint: Blueprint, role: str, x: float, y: float, width: float) -> list[Mark]:
    """Draw the ports of the fullest switch to scale: those used down, then up, then when the fabric is full, then free.

    Ports that are used later are those below, where more of the fabric is to come.
    """
    use, tier = port_use(blueprint, role), tier_ports(blueprint, role)
    above = tier.up
    later = use.full - use.most
    parts = {INK: use.full - above - later, HAIR: above, LATER: later}
    scale = width / max(tier.radix, use.full)
    marks: list[Mark] = [Box(x, y, width, 4, WHITE, GREY, 0, 0.4)]
    for fill, ports in parts.items():
        marks += [Box(x, y, scale * ports, 4, fill, GREY, 0, 0.4)] if ports else []
        x += scale * ports
    return marks
