"""What the colours of a floor plan mean, in as many lines as its page needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fabric.draw.canvas import Box, Label, Mark, text_width
from fabric.draw.floor_colours import draw_power_legend, list_contents
from fabric.draw.floor_scale import EDGE
from fabric.draw.floor_trays import draw_fill_legend
from fabric.draw.palette import BODY_PT, GREY, INK
from fabric.layout.layout import Layout
from fabric.layout.tray_fill import TrayFill
from fabric.network import Network

__all__ = ["FloorLegend"]

FOOT, LINE, SWATCH, APART, RULER, RAMP = 22.0, 12.0, 12.0, 18.0, 230.0, 20.0
"""In points: the room below a plan for the first line and each more, a swatch, between two entries, the ruler, and the
scale of colours below the lines."""


@dataclass(frozen=True, eq=False)
class FloorLegend:
    """The legend of a floor plan."""

    layout: Layout
    """The layout that is drawn."""
    network: Network
    """Its devices."""
    halls: Sequence[int]
    """The halls that are drawn, by number."""
    show: str
    """What the colours say."""
    fill: TrayFill | None
    """What is in the trays, where this is shown."""

    def height(self, width: float) -> float:
        """Return the room in points that it needs below the plan on a page of a width."""
        if self.show == "power":
            return FOOT
        return FOOT + LINE * (len(self._lines(width)) - 1) + (RAMP if self.show == "fill" else 0.0)

    @property
    def least_width(self) -> float:
        """The least width of a page for its words, in points."""
        return 560.0 if self.show == "contents" else 900.0

    def draw(self, width: float) -> Iterator[Mark]:
        """Yield the legend at the foot of a page of a width."""
        room = width - 2 * EDGE - RULER
        if self.show == "fill" and self.fill is not None:
            yield from draw_fill_legend(self.fill, EDGE, EDGE, room)
        if self.show == "power":
            yield from draw_power_legend(self.layout, EDGE, EDGE, room)
        else:
            y = EDGE + self.height(width) - FOOT
            for line in self._lines(width):
                x = EDGE
                for fill, text in line:
                    yield Box(x, y - 6, 8, 8, fill, GREY, 0, 0.4)
                    yield Label(x + SWATCH, y - 5, text, BODY_PT, INK)
                    x += SWATCH + text_width(text, BODY_PT) + APART
                y -= LINE

    def _lines(self, width: float) -> list[list[tuple[str, str]]]:
        """Return the entries of each line."""
        lines: list[list[tuple[str, str]]] = [[]]
        left = room = width - 2 * EDGE - RULER
        for fill, text in list_contents(self.layout, self.network, self.halls):
            wide = SWATCH + text_width(text, BODY_PT)
            if wide > left and lines[-1]:
                lines.append([])
                left = room
            lines[-1].append((fill, text))
            left -= wide + APART
        return lines
