"""The legend under a picture: one glyph and a few words for everything that the picture uses, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.blueprint.port_use import port_use
from fabric.draw.canvas import Box, Dot, Label, Mark, text_width
from fabric.draw.palette import ACCENT, GREY, HAIR, INK, LATER, OKABE_ITO, PALE, PLATES, SMALL_PT, WHITE, rail_colour
from fabric.draw.sampling import colour_axis
from fabric.draw.tier_layout import MARGIN, WIDTH, TierLayout
from fabric.topology.topology import title

__all__ = [
    "LINE",
    "Entry",
    "dots_entry",
    "draw_legend",
    "legend_rows",
    "port_entries",
    "rails_entry",
    "scene_entries",
    "swatch_entry",
    "tier_entries",
]  # fmt: skip

LINE, SPACE = 12.0, 14.0


@dataclass(frozen=True)
class Entry:
    """A glyph with its meaning."""

    text: str
    """The meaning."""
    width: float
    """The width of the glyph, in points."""
    glyph: Callable[[float, float], tuple[Mark, ...]]
    """Returns the marks of the glyph from its lower left corner."""

    @property
    def advance(self) -> float:
        return self.width + 4 + text_width(self.text, SMALL_PT) + SPACE


def legend_rows(entries: Iterable[Entry]) -> tuple[tuple[Entry, ...], ...]:
    """Return the entries broken into lines of the page's width."""
    rows: list[tuple[Entry, ...]] = [()]
    for entry in entries:
        wide = sum(other.advance for other in (*rows[-1], entry)) - SPACE > WIDTH - 2 * MARGIN
        rows[-1:] = [rows[-1], (entry,)] if wide else [(*rows[-1], entry)]
    return tuple(rows)


def draw_legend(rows: tuple[tuple[Entry, ...], ...], top: float) -> list[Mark]:
    """Draw the lines of entries downward from `top`."""
    marks: list[Mark] = []
    for number, row in enumerate(rows):
        x, y = MARGIN, top - (number + 1) * LINE
        for entry in row:
            marks += entry.glyph(x, y)
            marks.append(Label(x + entry.width + 4, y + 0.5, entry.text, SMALL_PT, GREY))
            x += entry.advance
    return marks


def tier_entries(blueprint: Blueprint, layout: TierLayout, *, piled: bool = False) -> list[Entry]:
    """Return what the tier picture of `plan` uses, with what is below it, where cards may be `piled`."""
    axis = colour_axis(blueprint)
    entries = [rails_entry(axis, blueprint.sizes[axis])] if axis else []
    entries += port_entries(blueprint, up="up")
    if piled or any(row.behind for row in layout.rows):
        entries.append(Entry("several devices", 11, _pile_glyph))
    if any("gap" in row.steps for row in layout.rows):
        entries.append(Entry("left out", 10, _dots_glyph))
    if layout.frames:
        entries.append(Entry("repeated, drawn once", 12, _frame_glyph))
    return entries


def scene_entries(blueprint: Blueprint, cards: Mapping[str, str], *, gaps: bool, stacks: bool) -> list[Entry]:
    """Return the legend of a natural layout: cards with their colours, dots for gaps, and what is repeated."""
    entries = [Entry(title(text), 8, _swatch_glyph(colour)) for text, colour in cards.items()]
    entries += port_entries(blueprint)
    entries += [Entry("left out", 10, _dots_glyph)] if gaps else []
    return entries + ([Entry("repeated, drawn once", 12, _frame_glyph)] if stacks else [])


def rails_entry(axis: str, size: int) -> Entry:
    """Return the colours of the rails, and whether they repeat."""
    shown = min(size, len(OKABE_ITO))
    again = ", colours repeat" if size > shown else ""
    return Entry(f"{title(axis)} 0 to {size - 1}{again}", 7.0 * shown - 1, _rails_glyph(shown))


def port_entries(blueprint: Blueprint, up: str = "up or across") -> list[Entry]:
    """Return the bars of ports; those connected later only where the fullest switch of a tier has some."""
    uses = [port_use(blueprint, role) for role in blueprint.topology.roles]
    later = [("connected later", LATER)] if any(use.most < use.full for use in uses) else []
    words = [("ports down", INK), (up, HAIR), *later, ("free", WHITE)]
    return [Entry(text, 10, _bar_glyph(fill)) for text, fill in words]


def dots_entry() -> Entry:
    """Return the dots where devices are left out."""
    return Entry("left out", 10, _dots_glyph)


def swatch_entry(text: str, fill: str) -> Entry:
    """Return a card of one colour, and what it means."""
    return Entry(text, 8, _swatch_glyph(fill))


def _swatch_glyph(colour: str) -> Callable[[float, float], tuple[Mark, ...]]:
    return lambda x, y: (Box(x, y, 7, 6, colour, INK, 1, 0.3),)


def _rails_glyph(rails: int) -> Callable[[float, float], tuple[Mark, ...]]:
    def glyph(x: float, y: float) -> tuple[Mark, ...]:
        return tuple(Box(x + 7 * number, y, 6, 6, rail_colour(number), INK, 1, 0.3) for number in range(rails))

    return glyph


def _bar_glyph(fill: str) -> Callable[[float, float], tuple[Mark, ...]]:
    return lambda x, y: (Box(x, y + 1, 10, 4, fill, GREY, 0, 0.4),)


def _pile_glyph(x: float, y: float) -> tuple[Mark, ...]:
    return Box(x + 2, y + 1.5, 8, 6, PALE, ACCENT, 1.2, 0.5), Box(x, y - 0.5, 8, 6, WHITE, ACCENT, 1.2, 0.5)


def _dots_glyph(x: float, y: float) -> tuple[Mark, ...]:
    return tuple(Dot(x + 2 + 3 * number, y + 3, 0.8, GREY) for number in range(3))


def _frame_glyph(x: float, y: float) -> tuple[Mark, ...]:
    return Box(x + 2, y + 1, 10, 6.5, PLATES[0], HAIR, 2, 0.6), Box(x, y - 1, 10, 6.5, PLATES[1], HAIR, 2, 0.6)
