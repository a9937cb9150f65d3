"""An exhaustive sizer for small requests, written from the rules and sharing no code with the optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import ceil


@dataclass(frozen=True)
class Request:
    """A small request: `servers` of `nics` NICs, one switch model, prices, limits; `unit` servers share leaves."""

    servers: int
    nics: int
    ports: int
    switch_price: int
    link_price: int
    ratio: int = 1
    least_ratio: int = 0
    copies: int = 4
    unit: int | None = None
    reserve: int = 0
    grow: int = 0
    survive: tuple[tuple[str, Fraction], ...] = ()
    split: int = 1
    """The links of a native port, of which there are `ports / split`, each in a cage of its own."""
    connectors: int = 1
    """The fibre connectors of a cage, over which its links are spread evenly."""
    shared: int = 1
    """The NICs on one connector of a server."""
    pod: tuple[int, int] = (0, 10**9)
    """The fewest and the most servers that may share spines."""
    in_unit: int = 0
    """The leaf ports that appliances take in every unit."""
    in_fabric: int = 0
    """The leaf ports that appliances take in the whole fabric."""
    balanced: bool = False
    """Whether a switch may have one connector more to some of the switches above it than to others."""

    def appliance_links(self, units: int, lanes: int, slot: int, up: int) -> int | None:
        """Return the links of appliances; None where the `lanes` leaves of some unit have too few ports.

        A fabric that grows fills its places; in one that does not, those without a server have free ports.
        """
        full, links = slot * self.nics // lanes + up, units * self.in_unit + self.in_fabric
        used = units * lanes * up + self.servers * self.nics
        free = units * lanes * self.usable - (units * lanes * full if self.grown > self.servers else used)
        fits = lanes * (self.usable - full) >= self.in_unit and (free >= links or not self.in_fabric)
        return links if fits else None

    def allows(self, down: int, up: int) -> bool:
        """Say whether a switch may have this many ports down and up."""
        return self.least_ratio * up <= down <= self.ratio * up

    @property
    def pairs(self) -> list[int]:
        """The links that two switches may have: up to `copies` native ports, in whole connectors."""
        return [
            links for links in range(1, self.copies * self.split + 1) if links % (self.split // self.connectors) == 0
        ]

    def uplinks(self) -> Iterator[Uplinks]:
        """Yield the ways to join a switch to those above it."""
        each = self.split // self.connectors
        for switches in range(1, self.usable + 1):
            if self.balanced:
                for connectors in range(switches, self.usable // each + 1):
                    if each * ceil(connectors / switches) in self.pairs:
                        yield Uplinks(switches, each, connectors)
            else:
                yield from (Uplinks(switches, links, switches) for links in self.pairs)

    def attaches(self, links: int) -> bool:
        """Say whether a server may have this many links to one switch: no cable has tails at both ends."""
        each = self.split // self.connectors
        return 1 in (each, self.shared) or (links % each == 0 and links % self.shared == 0)

    def may_hold(self, servers: int) -> bool:
        """Say whether a full pod may have this many servers; the whole fabric is never too few."""
        least, most = self.pod
        return min(servers, self.grown) <= most and (servers >= self.grown or servers >= least)

    @property
    def usable(self) -> int:
        """The ports that may be used today."""
        return self.ports - self.reserve

    @property
    def grown(self) -> int:
        """The servers of the full-grown fabric."""
        return max(self.servers, self.grow)


@dataclass(frozen=True)
class Uplinks:
    """The links of a switch to all `switches` above it: `connectors` of `each` links, as evenly as they go."""

    switches: int
    each: int
    connectors: int

    @property
    def up(self) -> int:
        """All links."""
        return self.each * self.connectors

    def down(self, lower: int) -> int:
        """Return the most links of a switch above, when `lower` switches share those."""
        return self.each * ceil(lower * self.connectors / self.switches)

    @property
    def pair(self) -> int:
        """The most links to one switch above."""
        return self.each * ceil(self.connectors / self.switches)

    @property
    def spread(self) -> Fraction:
        """All links over those to the switch that has most."""
        return Fraction(self.connectors, ceil(self.connectors / self.switches))


Losses = dict[str, list[tuple[Fraction | int, Fraction]]]
"""For each role, the routings after a loss: over how many switches they spread, and the room that they have."""


@dataclass(frozen=True)
class Found:
    """A fabric."""

    cost: int
    hops: int
    pod: int
    """The servers that share spines, where their pod is full; all where one pod holds them."""
    parallel: int = 0
    """The most links between two switches."""
    meets: int = 0
    """The tier at which rails meet, counted from the leaves, 0, up; 0 without rails, and the tiers where never."""


def everything(request: Request, family: str, tiers: tuple[int, ...]) -> set[tuple[int, int]]:
    """Return the cost and hops of every fabric of `family` within `tiers`."""
    return {(found.cost, found.hops) for found in fabrics(request, family, tiers)}


def fabrics(request: Request, family: str, tiers: tuple[int, ...]) -> Iterator[Found]:
    """Yield every fabric of `family` within `tiers`."""
    for tier in tiers:
        yield from _fabrics(request, family, tier)


def _fabrics(request: Request, family: str, tiers: int) -> Iterator[Found]:
    if tiers == 1:
        yield from _one_tier(request, family)
        return
    lanes = 1 if family == "fat-tree" else request.nics
    if not request.attaches(request.nics // lanes):
        return
    for slot in [request.unit] if request.unit else range(1, min(request.usable, request.grown) + 1):
        down = slot * request.nics // lanes
        for uplinks in request.uplinks():
            if down + uplinks.up <= request.usable and request.allows(down, uplinks.up):
                make = _two_tiers if tiers == 2 else _three_tiers
                yield from make(request, family, lanes, slot, uplinks)


def _one_tier(request: Request, family: str) -> Iterator[Found]:
    lanes = request.nics if family == "rail-only" else 1
    hosts = request.unit or request.grown
    survives = _survives(request, {"leaf": [(lanes, Fraction(1))]}, Fraction(1))
    survives = survives and request.attaches(request.nics // lanes)
    survives = survives and request.may_hold(request.grown)
    if survives and request.grown <= hosts and hosts * request.nics // lanes <= request.usable:
        more = request.appliance_links(1, lanes, hosts, 0)
        links = request.servers * request.nics + (more or 0)
        if more is not None:
            cost = lanes * request.switch_price + links * request.link_price
            meets = 1 if lanes > 1 else 0
            yield Found(cost, min(1, request.servers - 1), request.grown, meets=meets)


def _two_tiers(request: Request, family: str, lanes: int, slot: int, uplinks: Uplinks) -> Iterator[Found]:
    apart, spines, spread = lanes if family == "rail-only" else 1, uplinks.switches, uplinks.spread
    if uplinks.down(ceil(request.grown / slot) * (lanes // apart)) > request.usable:
        return
    room = Fraction(uplinks.up * lanes, slot * request.nics)
    losses = {"leaf": [(lanes, min(1, room))], "spine": [(spread, min(1, room)), (spread, room)]}
    if not _survives(request, losses, room) or not request.may_hold(request.grown):
        return
    units = ceil(request.servers / slot)
    leaves = units * lanes
    more = request.appliance_links(units, lanes, slot, uplinks.up)
    if more is None:
        return
    links = request.servers * request.nics + leaves * uplinks.up + more
    cost = (leaves + apart * spines) * request.switch_price + links * request.link_price
    hops, meets = _hops(request, [units > 1 or lanes > apart]), 0 if lanes == 1 else 2 if apart > 1 else 1
    yield Found(cost, hops, request.grown, uplinks.pair, meets)


def _three_tiers(request: Request, family: str, lanes: int, slot: int, uplinks: Uplinks) -> Iterator[Found]:
    apart = {"fat-tree": [1], "rail-optimized": [1, lanes], "rail-only": [lanes]}[family]
    for rails_apart, block in product(apart, range(1, ceil(request.grown / slot) + 1)):
        down, spines = uplinks.down(block * (lanes // rails_apart)), uplinks.switches
        if down >= request.usable or not request.may_hold(slot * block):
            continue
        for share in (share for share in range(1, spines + 1) if spines % share == 0):
            yield from _cores(request, family, lanes, (slot, block), (uplinks, rails_apart, down, share))


def _cores(
    request: Request, family: str, lanes: int, places: tuple[int, int], pod: tuple[Uplinks, int, int, int]
) -> Iterator[Found]:
    (slot, block), (uplinks, rails_apart, down, share) = places, pod
    spines = uplinks.switches
    units, grown_units = ceil(request.servers / slot), ceil(request.grown / slot)
    pods, grown_pods = ceil(units / block), ceil(grown_units / block)
    more = request.appliance_links(units, lanes, slot, uplinks.up)
    if more is None:
        return
    for above in request.uplinks():
        core, up = above.switches, above.up
        rails_at_core = 1 if family == "rail-only" else rails_apart
        fits = down + up <= request.usable and above.down(grown_pods * rails_at_core * share) <= request.usable
        if not fits or not request.allows(down, up):
            continue
        first = Fraction(uplinks.up * lanes, slot * request.nics)
        second = first * Fraction(up, down)
        least, groups = min(1, first, second), spines // share
        everywhere = groups * above.spread * uplinks.spread / spines
        losses = {
            "leaf": [(lanes, least)],
            "spine": [(uplinks.spread, least), (uplinks.spread, min(first, second))],
            "core": [(everywhere, least), (everywhere, min(first, second)), (above.spread, second)],
        }
        if _survives(request, losses, least):
            leaves, spine_count = units * lanes, pods * rails_apart * spines
            cores = (spines // share) * core * (lanes if family == "rail-only" else 1)
            links = request.servers * request.nics + leaves * uplinks.up + spine_count * up + more
            cost = (leaves + spine_count + cores) * request.switch_price + links * request.link_price
            only_rails = family == "rail-only"
            in_leaf = units > 1 or (lanes > 1 and not only_rails)
            in_pod = pods > 1 or (rails_apart > 1 and not only_rails)
            meets = 0 if lanes == 1 else 3 if only_rails else 2 if rails_apart > 1 else 1
            pair = max(uplinks.pair, above.pair)
            yield Found(cost, _hops(request, [in_leaf, in_pod]), min(slot * block, request.grown), pair, meets)


def _survives(request: Request, losses: Losses, before: Fraction) -> bool:
    """Return whether enough remains, given the routings after each loss: switches it spreads over, room they had."""
    before = min(before, Fraction(1))
    for role, share in request.survive:
        routings = losses.get(role, [])
        if routings and all(min(before, room - room / switches) < share * before for switches, room in routings):
            return False
    return True


def _hops(request: Request, parted: list[bool]) -> int:
    """Return the switches on the longest path, given whether some pair does not meet at each tier below the top."""
    return 1 + 2 * sum(parted) if request.servers > 1 else 0
