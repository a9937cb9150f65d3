"""What one link is composed of: a whole link at one price, a module at each end with a fibre, or a cable.

A composition fits when its modules or plugs fit the cages at both ends, its fibre or cable has an end for each
connector or cage that it joins, and it reaches as far as the link is long. The cheapest with a price is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property
from itertools import product
from typing import Any

from fabric.catalog import LinkPart, PortGroup, Server
from fabric.catalog.link_parts import COPPER, FIBRE

__all__ = [
    "Composition",
    "Compositions",
    "End",
    "Ends",
    "Wanted",
    "choose_parts",
    "end_of_server",
    "end_of_switches",
    "has_modules",
    "list_compositions",
]


@dataclass(frozen=True)
class End:
    """One end of the links of a bundle: the cages of the devices there."""

    gbps: int
    """The rate of a cage in Gb/s."""
    links: int
    """The links of a cage."""
    connectors: int
    """The fibre connectors of a module in a cage."""
    form: str = ""
    """The form factor of the cages; empty where it is not known."""
    power_w: float | None = None
    """The most power that a module may draw; None where it is not known."""

    @property
    def per_connector(self) -> int:
        """The links that share a fibre connector."""
        return -(-self.links // self.connectors)


@dataclass(frozen=True)
class Wanted:
    """What a request asks of the parts of a bundle's links."""

    rate_gbps: int
    """The rate of a link in Gb/s."""
    length_m: float = 0
    """The length of the longest link in metres; 0 where it is not given."""
    media: str = ""
    """The medium; empty for any."""
    whole_cables: bool = False
    """Whether cables that join two cages of several links may be chosen: a pair of devices then fills whole cables."""


@dataclass(frozen=True)
class Composition:
    """The parts of one link, and the share of each that the link uses."""

    kind: str
    """`link`, `fibre` or `cable`: what joins the two ends."""
    joint: LinkPart
    """The whole link, the fibre or the cable."""
    joint_links: int
    """The links that one fibre or cable carries."""
    lower: LinkPart | None = None
    """The module at the lower end; None where the joint has its own."""
    upper: LinkPart | None = None
    """The module at the upper end."""
    shares: tuple[tuple[LinkPart, Fraction], ...] = ()
    """Each part with the number of it that one link uses: half a module where that carries two links."""
    at_one_price: bool = False
    """Whether the request gives one price for the link with all its parts."""
    length_m: float | None = None
    """The length of what joins the ends as it is sold, by which it is priced; None where the length is not known."""

    @property
    def media(self) -> str:
        """The medium of the link."""
        return self.joint.media

    @property
    def tails(self) -> int:
        """The ends of the fibre or cable at its far side, more than 1 for a splitter."""
        return self.joint.tails

    @property
    def links_in_step(self) -> int:
        """The number of which the links of a pair of devices are a multiple: those of a cable between two cages."""
        return self.joint_links if self.kind == "cable" and self.tails == 1 else 1

    @cached_property
    def price_usd(self) -> Fraction | None:
        """The price of one link; None where a part has none. Metres count where the length is known."""
        return self.price_at(self.length_m)

    def price_at(self, length_m: float | None) -> Fraction | None:
        """Return the price of one link of this length; None where a part has none."""
        return _total((part.price_at(length_m), share) for part, share in self.shares)

    @property
    def priced_by_metre(self) -> bool:
        """Whether the price depends on the length."""
        return self.joint.price_usd_per_m is not None and not self.at_one_price

    @cached_property
    def power_w(self) -> Fraction | None:
        """The typical power of one link; None where that of a part is not known."""
        return _total((part.power_w, share) for part, share in self._powered)

    @cached_property
    def max_power_w(self) -> Fraction | None:
        """The maximum power of one link, typical where a maximum is not known; None where neither is known."""
        return _total((part.peak_power_w, share) for part, share in self._powered)

    @property
    def reach_m(self) -> float | None:
        """The length that it reaches; None where that is not known."""
        modules = [part.reach_on(self.joint.fibre) for part in (self.lower, self.upper) if part]
        reaches = [*modules, self.joint.reach_m]
        return None if None in reaches else min(reach for reach in reaches if reach is not None)

    def without(self, *facts: str) -> tuple[str, ...]:
        """Return the names of the parts of which none of `facts` is known, such as `max_power_w` and `power_w`."""
        parts = self.shares if "price_usd" in facts else self._powered
        return tuple(
            dict.fromkeys(part.name for part, _ in parts if all(getattr(part, fact) is None for fact in facts))
        )

    @property
    def _powered(self) -> list[tuple[LinkPart, Fraction]]:
        """Its parts with their shares, without fibres, which draw no power."""
        return [pair for pair in self.shares if pair[0].kind != "fibre"]


Compositions = Mapping[str, Composition | None]
"""The parts of one link of each bundle; None where they are not known."""

Ends = tuple[End | None, End | None]
"""The lower and the upper end of a bundle's links; None where the cages of the models allowed are unlike."""


def has_modules(found: Composition | None) -> bool:
    """Say whether links have modules at their ends; those of unknown parts are taken for optics."""
    return found is None or found.media in FIBRE


def _total(pairs: Iterable[tuple[float | None, Fraction]]) -> Fraction | None:
    """Return the sum of the shares of values; None where one is not known."""
    known = [None if value is None else Fraction(str(value)) * share for value, share in pairs]
    return None if None in known else sum((each for each in known if each is not None), start=Fraction(0))


def end_of_server(server: Server, planes: int) -> End:
    """Return the server's end of its links, with each NIC on `planes` planes."""
    return End(server.cage_gbps, server.links_per_cage(planes), server.cage_connectors(planes), server.cage)


def end_of_switches(groups: Iterable[PortGroup], rate_gbps: int) -> End | None:
    """Return the end of links at ports of any of these kinds; None where their cages are unlike.

    A part must fit them all: facts that some of them leave open are those of the others, and the least power holds.
    """
    groups = tuple(groups)
    cages = {(each.cage_gbps, each.links_per_cage(rate_gbps), each.cage_connectors) for each in groups}
    forms = {each.cage for each in groups if each.cage}
    if len(cages) != 1 or len(forms) > 1:
        return None
    watts = [each.cage_power_w for each in groups if each.cage_power_w is not None]
    return End(*cages.pop(), "".join(forms), min(watts, default=None))


@cache
def choose_parts(
    wanted: Wanted, lower: End | None, upper: End | None, parts: tuple[LinkPart, ...]
) -> Composition | None:
    """Return the cheapest composition of `parts` that fits; one without a price only where none with a price fits."""
    found = list_compositions(wanted, lower, upper, parts)
    fits = [each for each in found if not wanted.length_m or (each.reach_m or 0) >= wanted.length_m]
    return min(fits, key=lambda each: _rank(each, wanted), default=None)


def list_compositions(
    wanted: Wanted, lower: End | None, upper: End | None, parts: tuple[LinkPart, ...]
) -> tuple[Composition, ...]:
    """Return all compositions of `parts` that fit at both ends, of whatever reach; None is an end of unlike cages."""
    found = [link for link in _whole_links(wanted, parts) if _is_cool(link, lower) and _is_cool(link, upper)]
    if lower and upper:
        found = [*found, *_cables(wanted, lower, upper, parts), *_fibres(lower, upper, parts)]
    fits = (each for each in found if not wanted.media or each.media == wanted.media)
    return tuple(_at_length(each, wanted.length_m) for each in fits)


def _at_length(found: Composition, metres: float) -> Composition:
    """Return the parts at the price of this length; 0 is one that is not given."""
    return replace(found, length_m=found.joint.round_up(metres)) if metres and found.priced_by_metre else found


def _rank(found: Composition, wanted: Wanted) -> tuple[Any, ...]:
    """Return the order of preference: a known price, the cheapest, then known ends and the least power.

    Copper comes last where nobody says how long the link is, because it reaches no farther than a few racks.
    """
    price, power = found.price_usd, found.power_w
    short = found.media in COPPER and not wanted.length_m and not wanted.media
    plugs = (found.lower, found.upper, found.joint if found.kind == "cable" else None)
    vague = any(part is not None and not part.form for part in plugs)
    cheap = (price is None and vague, price or len(found.without("price_usd")))
    return price is None, short, *cheap, vague, power is None, power or 0, found.joint.name


def _whole_links(wanted: Wanted, parts: tuple[LinkPart, ...]) -> list[Composition]:
    priced = [part for part in parts if part.kind == "link" and part.is_priced]
    shares = ((part, part.share(wanted.rate_gbps)) for part in priced)
    return [Composition("link", part, share.denominator, shares=((part, share),)) for part, share in shares if share]


def _is_cool(link: Composition, end: End | None) -> bool:
    """Say whether a cage allows what its links or cable draw at one end, half of their power, for all that is known."""
    drawn = link.max_power_w
    return end is None or end.power_w is None or drawn is None or drawn * end.links <= 2 * end.power_w


def _cables(wanted: Wanted, lower: End, upper: End, parts: tuple[LinkPart, ...]) -> Iterator[Composition]:
    """Yield the cables whose plugs fill the cages at both ends; the tails of a splitter are at the lower end."""
    for part in parts:
        if part.kind != "cable" or part.rate_gbps != upper.gbps or upper.gbps % wanted.rate_gbps:
            continue
        links = upper.gbps // wanted.rate_gbps
        fills = links == upper.links and links == part.tails * lower.links
        fills = fills and (part.tails > 1 or links == 1 or wanted.whole_cables)
        if fills and _agree(part.form, upper.form) and _agree(part.tail_form or part.form, lower.form):
            found = Composition("cable", part, links, shares=((part, Fraction(1, links)),))
            if _is_cool(found, lower) and _is_cool(found, upper):
                yield found


def _fibres(lower: End, upper: End, parts: tuple[LinkPart, ...]) -> Iterator[Composition]:
    """Yield the pairs of modules that speak the same standard, with each fibre that joins their connectors."""
    ends = (_modules(lower, parts), _modules(upper, parts))
    fibres = [part for part in parts if part.kind == "fibre"]
    most, least = max(lower.per_connector, upper.per_connector), min(lower.per_connector, upper.per_connector)
    tails = most if least == 1 else 1
    for below, above in product(*ends):
        if below.media != above.media or not _agree(below.standard, above.standard):
            continue
        for fibre in fibres:
            if fibre.media == below.media and fibre.tails == tails and _plugs(fibre, below) and _plugs(fibre, above):
                shares = (
                    (below, Fraction(1, lower.links)),
                    (above, Fraction(1, upper.links)),
                    (fibre, Fraction(1, most)),
                )
                yield Composition("fibre", fibre, most, below, above, shares)


def _modules(end: End, parts: tuple[LinkPart, ...]) -> list[LinkPart]:
    """Return the modules that fit a cage and its limit of power."""
    return [
        part
        for part in parts
        if part.kind == "module"
        and part.media in FIBRE
        and (part.rate_gbps, part.connectors) == (end.gbps, end.connectors)
        and _agree(part.form, end.form)
        and not _draws_too_much(part, end)
    ]


def _draws_too_much(module: LinkPart, end: End) -> bool:
    """Say whether a module is known to draw more than its cage allows; a note names those of unknown power."""
    drawn = module.peak_power_w
    return drawn is not None and end.power_w is not None and drawn > end.power_w


def _plugs(fibre: LinkPart, module: LinkPart) -> bool:
    return _agree(fibre.connector, module.connector) and module.runs_on(fibre.fibre)


def _agree(left: str, right: str) -> bool:
    """Say whether two facts can be the same: a fact that is not known agrees with any."""
    return not left or not right or left == right
