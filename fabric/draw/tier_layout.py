"""The layout of a picture by tiers: rows of cards from the servers up, and a frame around each place."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from fabric.blueprint import Blueprint
from fabric.draw.sampling import Card, Step, framed_axes, nesting_depth, sample_cards, step_between
from fabric.topology.topology import PLANE, Group

__all__ = [
    "BEHIND",
    "CENTRE",
    "GHOST",
    "LEFT",
    "MARGIN",
    "PAD",
    "RIGHT",
    "STRIP",
    "WIDTH",
    "CardRow",
    "Column",
    "Frame",
    "Spot",
    "TierLayout",
    "tier_layout",
]

WIDTH, MARGIN = 540.0, 20.0


@dataclass(frozen=True)
class Column:
    """A vertical part of the page, from one x to another."""

    start: float
    """Its left edge, in points."""
    end: float
    """Its right edge."""

    @property
    def width(self) -> float:
        return self.end - self.start

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


LEFT, CENTRE, RIGHT = Column(MARGIN, 140.0), Column(152.0, 420.0), Column(430.0, WIDTH - MARGIN)
"""Where the tiers are described, the devices drawn and the bundles described."""

PITCH, CARD_HEIGHT, SERVER_HEIGHT = 92.0, 20.0, 24.0
PAD, STRIP, GHOST, BEHIND = 9.0, 15.0, 2.5, 1.7
"""A frame's padding, the height of its caption, and the shift of frames, and of cards, behind others."""

GAPS: dict[Step, float] = {"next": 3.5, "turn": 8.0, "gap": 13.0}


@dataclass(frozen=True)
class Spot:
    """A card and its position."""

    card: Card
    """The card."""
    x: float
    """Its left edge, in points."""
    width: float
    """Its width."""

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True)
class CardRow:
    """The cards of a group, in a row."""

    group: Group
    """The group."""
    y: float
    """The middle of the cards, in points."""
    height: float
    """The height of the cards."""
    spots: tuple[Spot, ...]
    """The cards with their positions."""
    behind: int
    """The cards drawn behind each."""

    @property
    def top(self) -> float:
        return self.y + self.height / 2

    @property
    def bottom(self) -> float:
        return self.y - self.height / 2

    @property
    def cards(self) -> tuple[Card, ...]:
        return tuple(spot.card for spot in self.spots)

    @property
    def steps(self) -> tuple[Step, ...]:
        return _steps_between(self.cards)


@dataclass(frozen=True)
class Frame:
    """The frame around a place, captioned in the strip at its foot."""

    axis: str
    """The axis that numbers the place."""
    nest: int
    """The frames around it."""
    x: float
    """Its left edge, in points."""
    y: float
    """Its lower edge."""
    width: float
    """Its width."""
    height: float
    """Its height."""


@dataclass(frozen=True)
class TierLayout:
    """The rows of cards, and the frames of places around them."""

    rows: tuple[CardRow, ...]
    """The rows, from the servers up."""
    frames: tuple[Frame, ...]
    """The frames, from the outermost in."""
    bottom: float
    """The lower edge of all."""
    top: float
    """The upper edge of all."""


def tier_layout(blueprint: Blueprint, bottom: float) -> TierLayout:
    """Lay out the rows and frames of `blueprint`, upward from `bottom`."""
    framed, groups = framed_axes(blueprint), (blueprint.topology.server, *blueprint.topology.switch_groups)
    first = bottom + max(len(framed) * STRIP + PAD, PITCH / 2 - 2 * PAD) + SERVER_HEIGHT / 2
    rows = [_row(blueprint, group, first + tier * PITCH) for tier, group in enumerate(groups)]
    frames = tuple(_frame_around(blueprint, rows, axis) for axis in framed)
    return TierLayout(tuple(rows), frames, bottom, rows[-1].y + PITCH / 2 - 6)


def _row(blueprint: Blueprint, group: Group, y: float) -> CardRow:
    shown, gaps, width = sample_cards(blueprint, group), _gaps(blueprint, group), _card_width(blueprint, group)
    x = CENTRE.middle - (width * len(shown) + sum(gaps)) / 2
    spots = []
    for card, gap in zip(shown, [*gaps, 0.0], strict=True):
        spots.append(Spot(card, x, width))
        x += width + gap
    height = SERVER_HEIGHT if group == blueprint.topology.server else CARD_HEIGHT
    return CardRow(group, y, height, tuple(spots), _cards_behind(blueprint, group))


def _gaps(blueprint: Blueprint, group: Group) -> list[float]:
    """Return the gaps between a row's cards, in every row of switches wide enough for the most cards behind one."""
    switches = () if group == blueprint.topology.server else blueprint.topology.switch_groups
    most = max((_cards_behind(blueprint, other) for other in switches), default=0)
    return [GAPS[kind] + BEHIND * most for kind in _steps_between(sample_cards(blueprint, group))]


def _card_width(blueprint: Blueprint, group: Group) -> float:
    """Return the width of a row's cards: the same in all rows with equally many cards, so that lines are upright."""
    if group == blueprint.topology.server:
        return min(46.0, _fitting_width(blueprint, group))
    number = len(sample_cards(blueprint, group))
    alike = [other for other in blueprint.topology.switch_groups if len(sample_cards(blueprint, other)) == number]
    return min(22.0, *(_fitting_width(blueprint, other) for other in alike))


def _fitting_width(blueprint: Blueprint, group: Group) -> float:
    """Return the width at which a row's cards fill the frames around them."""
    inside = blueprint.topology.server.axes[: nesting_depth(blueprint.topology, group)]
    nest = sum(axis in inside for axis in framed_axes(blueprint))
    room = CENTRE.width - 2 * (nest * (PAD + GHOST) + PAD)
    return (room - sum(_gaps(blueprint, group))) / len(sample_cards(blueprint, group))


def _cards_behind(blueprint: Blueprint, group: Group) -> int:
    """Return how many cards show behind each: one for aggregated devices, one for the other planes."""
    return (sample_cards(blueprint, group)[0].pile > 1) + (PLANE in group.axes and blueprint.planes > 1)


def _steps_between(shown: tuple[Card, ...]) -> tuple[Step, ...]:
    return tuple(step_between(left, right) for left, right in pairwise(shown))


def _frame_around(blueprint: Blueprint, rows: list[CardRow], axis: str) -> Frame:
    """Return the frame of a place: around the rows that stand in it, and around the frames inside it."""
    framed = framed_axes(blueprint)
    nest = framed.index(axis)
    inner = framed[nest + 1 :]
    highest = _highest_row(blueprint, rows, axis)
    level = sum(_highest_row(blueprint, rows, other) == highest for other in inner)
    top = highest.top + PAD * (1 + level)
    foot = rows[0].bottom - PAD - STRIP * (1 + len(inner)) + 4
    inset = nest * (PAD + GHOST)
    return Frame(axis, nest, CENTRE.start + inset, foot, CENTRE.width - 2 * inset, top - foot)


def _highest_row(blueprint: Blueprint, rows: list[CardRow], axis: str) -> CardRow:
    level = blueprint.topology.server.axes.index(axis)
    return [row for row in rows if nesting_depth(blueprint.topology, row.group) > level][-1]
