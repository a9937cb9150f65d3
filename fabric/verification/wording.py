"""Cables and their ends in words, with the racks and rack units of the plan."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np

from fabric.verification.cabling import Cabling
from fabric.verification.faults import Move

__all__ = ["Wording"]


class Wording:
    """Words for the cables of a cabling."""

    def __init__(self, cabling: Cabling) -> None:
        self.cabling, self.planned, self.found = cabling, cabling.planned, cabling.seen

    @cached_property
    def any_named(self) -> bool:
        """Whether any node has a name of the plan."""
        return bool((self.cabling.match.named >= 0).any())

    def end(self, link: int, side: int) -> str:
        """Return the device at an end of a planned cable, and the port there unless the site chose it."""
        name = self.planned.names[int(self.planned.node[link, side])]
        return name if self.cabling.any_port else f"{name} {self.port(link, side)}"

    def port(self, link: int, side: int) -> str:
        """Return the name of the planned port at an end."""
        return self.planned.port_names[int(self.planned.port_name[link, side])]

    def link(self, link: int) -> str:
        """Return both ends of a planned cable."""
        return f"{self.end(link, 0)} - {self.end(link, 1)}"

    def ends_of(self, link: int) -> tuple[str, ...]:
        """Return the devices at both ends of a planned cable."""
        return tuple(self.planned.names[node] for node in self.planned.node[link].tolist())

    def _at(self, row: int, side: int) -> tuple[str, str]:
        """Return the device and the port at an end of a discovered cable, by the plan's names where it has them."""
        found, here = self.found, int(self.cabling.at[row, side])
        end = int(self.cabling.end[row, side])
        name = self.planned.names[here] if here >= 0 else found.text(int(found.node[row, side]))
        if end >= 0 and not self.cabling.any_port:
            return name, self.port(end // 2, end % 2)
        return name, found.port_text(int(found.label[row, side]))

    def seen(self, row: int) -> str:
        """Return both ends of a discovered cable."""
        return " - ".join(" ".join(self._at(row, side)) for side in (0, 1))

    def devices(self, rows: Iterable[int]) -> tuple[str, ...]:
        """Return the devices at discovered cables, each once."""
        return tuple(dict.fromkeys(self._at(row, side)[0] for row in rows for side in (0, 1)))

    def cables(self, rows: Iterable[int]) -> tuple[int, ...]:
        """Return the rows of the discovery of cables, ascending."""
        return tuple(sorted(int(self.found.cable[row]) for row in rows))

    def place(self, row: int) -> str:
        """Return where a file names a cable."""
        return self.found.discovery.place(int(self.found.cable[row]))

    def moves(self, row: int) -> tuple[Move, ...]:
        """Return the ends of a discovered cable that are moved."""
        moves = self.cabling.moves
        link = int(moves.target[row])
        found = []
        for side in np.flatnonzero(moves.moved[row]).tolist():
            planned_side = side ^ int(moves.flipped[row])
            device, port = self._at(row, side)
            node = int(self.planned.node[link, planned_side])
            other = " ".join(self._at(row, 1 - side))
            here = self._stand(int(self.cabling.at[row, side]))
            found.append(
                Move(
                    other, device, port, *here, self.planned.names[node], self._free_port(link, planned_side),
                    *self._stand(node),
                )
            )  # fmt: skip
        return tuple(found)

    def _free_port(self, link: int, side: int) -> str:
        """Return the port where an end belongs: where the site chose the ports, that of a cable which leaves it."""
        if not self.cabling.any_port:
            return self.port(link, side)
        for row, own in np.argwhere(self.cabling.end == 2 * link + side).tolist():
            if self.cabling.moves.moved[row, own]:
                return self.found.port_text(int(self.found.label[row, own]))
        return "any free port"

    def _stand(self, node: int) -> tuple[str, int | None]:
        """Return the rack and the rack unit of a planned node; none for one that the plan does not know."""
        return self.planned.about.stand(node) if node >= 0 else ("", None)
