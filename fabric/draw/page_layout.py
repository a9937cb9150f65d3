"""A page: its header, the parts that are drawn, the legend and the notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fabric.blueprint import Blueprint
from fabric.draw.canvas import Canvas, Mark, shift_up, wrap
from fabric.draw.legend import LINE, Entry, draw_legend, legend_rows
from fabric.draw.margins import NOTE_LEAD, draw_header, draw_notes, draw_rule
from fabric.draw.palette import BODY_PT
from fabric.draw.tier_layout import MARGIN, WIDTH

__all__ = ["Part", "compose", "part_canvas", "stack_parts"]

APART = 12.0


@dataclass(frozen=True)
class Part:
    """Marks as wide as a page."""

    marks: Sequence[Mark] = field(default_factory=tuple)
    """The marks, from 0 up to `height`."""
    height: float = 0.0
    """The height in points."""
    piled: bool = False
    """Whether some cards represent several devices."""


def compose(
    blueprint: Blueprint, parts: Sequence[Part], entries: Sequence[Entry], notes: Sequence[str], *, line: str = ""
) -> Canvas:
    """Return a page of parts one under another with rules between them; `line` is the second line of its header."""
    lines = [piece for note in notes for piece in wrap(note, WIDTH - 2 * MARGIN, BODY_PT)]
    key = legend_rows(entries) if entries else ()
    y = MARGIN + len(lines) * NOTE_LEAD
    marks: list[Mark] = [*draw_notes(lines)]
    if key:
        marks += [draw_rule(y + len(key) * LINE + APART), *draw_legend(key, y + len(key) * LINE + 7)]
        y += len(key) * LINE + APART
    elif lines:
        marks.append(draw_rule(y + 4))
        y += 4
    foot = Canvas(WIDTH, y, tuple(marks))
    drawn, y = stack_parts(parts, foot.height)
    head, height = draw_header(blueprint, y, line)
    own, high = draw_header(blueprint, 0.0, line)
    pieces = (Canvas(WIDTH, high, tuple(own)), *map(part_canvas, parts), foot)
    return Canvas(WIDTH, height, (*head, *foot.marks, *drawn), pieces)


def part_canvas(part: Part) -> Canvas:
    """Return a part as a picture of its own, with some room above and below."""
    return Canvas(WIDTH, part.height + 2 * APART, tuple(shift_up(mark, APART) for mark in part.marks))


def stack_parts(parts: Sequence[Part], bottom: float) -> tuple[list[Mark], float]:
    """Return parts one under another with rules between them, upward from `bottom`, and where they end."""
    marks: list[Mark] = []
    for index, part in enumerate(reversed(parts)):
        marks += [draw_rule(bottom)] if index else []
        marks += [shift_up(mark, bottom + APART) for mark in part.marks]
        bottom += part.height + 2 * APART
    return marks, bottom - APART if parts else bottom
