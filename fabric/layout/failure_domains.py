"""What goes down at once: all that one power feed, one row or one cable tray serves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.layout.layout import Layout
from fabric.layout.routes import choose_cross_trays
from fabric.network import Network
from fabric.request.site import FEEDS

__all__ = ["DomainKind", "list_domain_kinds"]

Codes = npt.NDArray[np.int64]

NONE = -1
"""The number of the domain of a link that is in none."""


@dataclass(frozen=True, eq=False)
class DomainKind:
    """Failure domains of one kind, numbered, and the links that each takes down."""

    kind: str
    """What fails: `power feed`, `row`, `tray of a row` or `cross tray`."""
    names: tuple[str, ...]
    """The name of each domain."""
    codes: Codes
    """The numbers of the domains that take each link down, NONE for no more, shape (links, 1 or 2)."""

    def links_down(self, number: int) -> npt.NDArray[np.bool_]:
        """Return whether a domain takes each link down, shape (links,)."""
        return np.asarray((self.codes == number).any(axis=1))

    def count_links(self, chosen: npt.NDArray[np.bool_] | slice = slice(None)) -> Codes:
        """Return how many of the chosen links each domain takes down, shape (domains,)."""
        codes = self.codes[chosen].copy()
        codes[:, 1:][codes[:, 1:] == codes[:, :1]] = NONE  # both ends in one domain are one link
        return np.bincount(codes[codes != NONE], minlength=len(self.names))

    def count_gpus(self, blueprint: Blueprint, network: Network) -> Codes:
        """Return the GPUs in servers of which each domain takes all links down, shape (domains,)."""
        servers = network.server_count
        rows = np.flatnonzero(network.lower < servers)
        lower, codes = network.lower[rows], self.codes[rows]
        degrees = np.bincount(lower, minlength=servers)
        firsts = np.zeros(servers, np.int64)
        firsts[lower[::-1]] = np.arange(len(rows))[::-1]
        kinds = blueprint.servers_by_role.items()
        gpus = np.repeat([each.gpus for _, each in kinds], [blueprint.devices(role) for role, _ in kinds])
        lost, before = np.zeros(len(self.names), np.int64), np.full(servers, NONE)
        for column in range(codes.shape[1]):
            domain = np.where(degrees > 0, codes[firsts, column], NONE)
            inside = np.bincount(lower, (codes == domain[lower][:, None]).any(axis=1), servers)
            gone = (domain != NONE) & (domain != before) & (inside == degrees)
            lost += np.bincount(domain[gone], gpus[gone], len(self.names)).astype(np.int64)
            before = domain
        return lost


def list_domain_kinds(layout: Layout, network: Network) -> Iterator[DomainKind]:
    """Yield the kinds of failure domains of a layout; `network` has the links of the fabric, without appliances.

    A row takes down its racks. The tray of a row takes down the cables between its racks and from them to others, a
    cross tray those that cross by it; a cable within a rack takes neither.
    """
    racks = np.stack([layout.device_rack[network.lower], layout.device_rack[network.upper]], axis=1).astype(np.int64)
    feeds = {"rack": layout.position % len(FEEDS), "row": layout.row % len(FEEDS)}.get(layout.site.feeds)
    feed = np.full(layout.racks, NONE) if feeds is None else feeds.astype(np.int64)
    yield DomainKind("power feed", FEEDS, feed[racks])
    most = int(layout.row.max()) + 1
    rows, row = np.unique(layout.hall * most + layout.row, return_inverse=True)
    digits = len(str(max(hall.rows for hall in layout.halls)))
    names = tuple(f"{layout.halls[each // most].name}{each % most + 1:0{max(2, digits)}d}" for each in rows.tolist())
    yield DomainKind("row", names, row[racks])
    apart = racks[:, 0] != racks[:, 1]
    yield DomainKind("tray of a row", names, np.where(apart[:, None], row[racks], NONE))
    yield _find_cross_trays(layout, racks, row)


def _find_cross_trays(layout: Layout, racks: Codes, row: Codes) -> DomainKind:
    """Return the cross trays in use, each with the cables that cross by it."""
    turns = row[racks[:, 0]] != row[racks[:, 1]]
    pairs, pair = np.unique(racks[turns], axis=0, return_inverse=True)
    spots = layout.spots
    where, hall = choose_cross_trays(layout.site, layout.halls, *(spots.take(pairs[:, end]) for end in (0, 1)))
    trays, tray = np.unique(np.stack([hall, where], axis=1), axis=0, return_inverse=True)
    names = tuple(
        f"{layout.halls[int(number)].name} at {at - (layout.halls[int(number)].x_m or 0):g} m"
        for number, at in trays.tolist()
    )
    codes = np.full((len(racks), 1), NONE)
    codes[turns, 0] = tray.reshape(-1)[pair.reshape(-1)]
    return DomainKind("cross tray", names, codes)
