"""What servers do about failures: the NICs and planes that still join two of them, and what each carries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.flow.phase import Phase, cross_rails
from fabric.flow.router import Router, router_of

__all__ = ["Failover", "failover", "servers_up"]

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]

TIE = 1e-9
"""Shares that differ by less than this are equal."""


def servers_up(blueprint: Blueprint, up: Mask) -> Mask:
    """Return which servers have a NIC with a link that is up, shape (servers,)."""
    nic = router_of(blueprint).nic_of_links()
    found = np.zeros(blueprint.servers, bool)
    found[Hosts.of(blueprint).server_of_nic(nic[up[: len(nic)]])] = True
    return found


def failover(blueprint: Blueprint, phase: Phase, up: Mask, *, pxn: bool = False) -> Phase:
    """Return one job's flows as its servers spread them over their NICs when the links are `up`.

    Two NICs reach each other by the planes in which both have a link that is up, where a path joins them at all. Where
    they have lost more of these than the NICs of the servers' other rails, the flow between them keeps what can be
    carried in the time of all, and NVLink takes the rest to the other rails; where a flow goes that way already, it
    grows by its part. Where no rail is left, a flow goes between those two NICs of its servers that have most planes in
    common. A flow of servers that no NICs join will have no path.
    """
    return Failover(blueprint, router_of(blueprint, up), up).spread(cross_rails(blueprint, phase, pxn=pxn))


@dataclass(frozen=True, eq=False)
class Failover:
    """The NICs of servers when links have failed."""

    blueprint: Blueprint
    """The fabric."""
    router: Router
    """Its router over the links that are up."""
    up: Mask
    """Which links are up, shape (links,)."""

    @cached_property
    def hosts(self) -> Hosts:
        """The servers."""
        return Hosts.of(self.blueprint)

    @cached_property
    def ports_up(self) -> Mask:
        """Which ports of every NIC are up, by plane or level, shape (NICs, ports)."""
        nic = self.router.nic_of_links()
        return self.up[: len(nic)][np.argsort(nic, kind="stable")].reshape(self.blueprint.nics, -1)

    def share_between(self, source: Rows, target: Rows) -> Shares:
        """Return the share of two NICs' ports by which a path joins them, of the shape of both."""
        here, there = self.ports_up[source], self.ports_up[target]
        if self.ports_up.shape[1] == self.blueprint.planes:
            share = (here & there).mean(axis=-1)
        else:
            # Levels lead to the same switches by servers between, whichever both ends have left.
            share = np.minimum(here.mean(axis=-1), there.mean(axis=-1))
        tried = np.flatnonzero(share > 0)
        ends = source.reshape(-1)[tried], target.reshape(-1)[tried]
        share.reshape(-1)[tried[~self.router.joins(*ends)]] = 0.0
        return np.asarray(share)

    def spread(self, phase: Phase) -> Phase:
        """Return the flows of a phase as servers spread them (see `failover`)."""
        own = self.share_between(phase.source, phase.target)
        hit = own < 1
        if not hit.any():
            return phase
        source, target = phase.source[hit], phase.target[hit]
        (here, there), width = self._pairs_beside(source, target)
        rails = np.zeros(here.shape)
        exists = np.arange(here.shape[1]) < width[:, None]
        rails[exists] = self.share_between(here[exists], there[exists])
        stays, moves = _spread(own[hit], rails, width)
        flow, rail = np.nonzero(moves)
        lone, kept = np.flatnonzero((stays == 0) & ~moves.any(axis=1)), np.flatnonzero(stays)
        others = self._most_in_common(*(self.hosts.server_of_nic(nics[lone]) for nics in (source, target)))
        whole, broken = np.flatnonzero(~hit), np.flatnonzero(hit)
        return _merge(
            phase,
            np.concatenate([whole, broken[kept], broken[flow], broken[lone]]),
            np.concatenate([phase.source[whole], source[kept], here[flow, rail], others[0]]),
            np.concatenate([phase.target[whole], target[kept], there[flow, rail], others[1]]),
            np.concatenate([np.ones(len(whole)), stays[kept], moves[flow, rail], np.ones(len(lone))]),
        )

    def _pairs_beside(self, source: Rows, target: Rows) -> tuple[list[Rows], Rows]:
        """Return the pairs of NICs of two servers that are as many rails apart as these, and how many there are.

        Two arrays of shape (pairs, most NICs), of which a row has its number of pairs first, and first of all its own.
        """
        number, found, widths = np.arange(int(self.hosts.nics.max())), [], []
        for nics in (source, target):
            server = self.hosts.server_of_nic(nics)
            first, width = self.hosts.first_nic_of(server), self.hosts.nics_of(server)
            found.append(first[:, None] + ((nics - first)[:, None] + number) % width[:, None])
            widths.append(width)
        return found, np.maximum(*widths)

    def _most_in_common(self, source: Rows, target: Rows) -> tuple[Rows, Rows]:
        """Return for pairs of servers their two NICs that have most left between them, of equal ones the first."""
        number = np.arange(int(self.hosts.nics.max()))
        last = [self.hosts.nics_of(server)[:, None] - 1 for server in (source, target)]
        here, there = np.repeat(number, len(number)), np.tile(number, len(number))
        ends = [
            self.hosts.first_nic_of(server)[:, None] + np.minimum(side, most)
            for server, side, most in zip((source, target), (here, there), last, strict=True)
        ]
        best = self.share_between(*ends).argmax(axis=1) if len(source) else np.zeros(0, np.int64)
        pair = np.arange(len(source))
        return ends[0][pair, best], ends[1][pair, best]


def _spread(own: Shares, rails: Shares, width: Rows) -> tuple[Shares, Shares]:
    """Return the share of each flow that stays, shape (flows,), and that goes to each rail, shape (flows, NICs).

    `own` is the share left between the flow's own NICs, and `rails` that of each of the `width` rails of its two
    servers. When all rails end together, a rail carries its share over the mean share; what a flow's own rail can't
    carry goes to those that can carry more, in proportion to their room. With no rail left nothing stays or goes.
    """
    mean = np.broadcast_to(rails.sum(axis=1, keepdims=True) / width[:, None], rails.shape)
    pace = np.divide(rails, mean, out=np.zeros_like(rails), where=mean > 0)
    stays = np.divide(own, mean[:, 0], out=np.zeros_like(own), where=mean[:, 0] > 0)
    stays = np.where(stays > 1 - TIE, mean[:, 0] > 0, stays)
    room = np.maximum(pace - 1, 0.0)
    # Where every rail has as much left, only a flow between two of them has lost more, and all of them take its part.
    room = np.where(room.sum(axis=1, keepdims=True) > TIE, room, pace)
    spare = np.broadcast_to(room.sum(axis=1, keepdims=True), room.shape)
    return stays, (1 - stays)[:, None] * np.divide(room, spare, out=np.zeros_like(room), where=spare > 0)


def _merge(phase: Phase, flow: Rows, source: Rows, target: Rows, part: Shares) -> Phase:
    """Return `phase` with these parts of its flows between other NICs, those of one connection merged."""
    channels = np.broadcast_to(phase.channels, (phase.flows,))[flow]
    nics, sets = int(target.max()) + 1, int(channels.max()) + 1
    _, first, inverse = np.unique((source * nics + target) * sets + channels, return_index=True, return_inverse=True)
    return replace(
        phase,
        source=source[first],
        target=target[first],
        share=np.bincount(inverse, phase.shares[flow] * part),
        channels=channels[first],
        planned=phase.busiest,
    )
