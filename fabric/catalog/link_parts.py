"""The parts of links: modules, fibres and cables with their ends, and whole links at one price."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

__all__ = ["COPPER", "FIBRE", "MEDIA", "LinkPart", "Media"]

Media = Literal["dac", "acc", "aec", "aoc", "mmf", "smf", "rj45"]
"""Passive, active and retimed copper, active optical cables, multimode and single-mode fibre, and twisted pair."""

MEDIA: dict[str, str] = {
    "dac": "passive copper cable",
    "acc": "active copper cable",
    "aec": "active electrical cable",
    "aoc": "active optical cable",
    "mmf": "multimode fibre",
    "smf": "single-mode fibre",
    "rj45": "twisted-pair cable",
}
"""The media of links, with their names."""

COPPER = ("dac", "acc", "aec", "rj45")
"""The media of copper."""

FIBRE = ("mmf", "smf")
"""The media of links that have a module at each end."""


@dataclass(frozen=True)
class LinkPart:
    """A part of a link, or a whole link."""

    name: str
    """Its name in requests."""
    kind: str
    """`link` (a whole link with one price), `module`, `fibre`, `cable` (with both ends), or `offer`: a whole link
    that is taken only where a request names it."""
    media: str
    """Its medium, one of `MEDIA`."""
    rate_gbps: int | None = None
    """Its rate in Gb/s, one direction; None for a fibre, which carries any."""
    splits: tuple[int, ...] = ()
    """Whole links: the numbers of slower links into which one can be split."""
    form: str = ""
    """The form factor of a module, or of a cable's end at the switch: `osfp`, `qsfp-dd`, `qsfp112`, `qsfp56` ..."""
    tail_form: str = ""
    """The form factor of a cable's other end; empty where it is the same."""
    connectors: int = 1
    """The fibre connectors of a module: a twin-port module has two."""
    connector: str = ""
    """What a module's fibre connector or a fibre's end is: `mpo12`, `mpo16` or `lc`."""
    standard: str = ""
    """The optical standard of each connector of a module, such as `sr4`; both ends of a link have the same."""
    lanes: int | None = None
    """The electrical lanes of a module or of a cable's end at the switch."""
    tails: int = 1
    """The ends at the far side of a fibre or a cable: 1, or more for a splitter."""
    fibre: str = ""
    """The type of a fibre: `om3`, `om4` or `os2`."""
    reach_m: float | None = None
    """Its maximum length; None where it is not known."""
    reach_by_fibre: tuple[tuple[str, float], ...] = ()
    """The maximum length of a module's links by the type of fibre."""
    lengths_m: tuple[float, ...] = ()
    """The lengths in which it is sold; none where they are not known."""
    title: str = ""
    """The product's full name."""
    power_w: float | None = None
    """Its typical power, of both ends for a cable or a whole link."""
    max_power_w: float | None = None
    """Its maximum power."""
    price_usd: float | None = None
    """Its unit price; of a part that is priced by the metre that of one without its metres."""
    price_usd_per_m: float | None = None
    """What each metre costs besides; None where the price does not depend on the length."""
    price_date: str = ""
    """The date of the price."""
    vendor_number: str = ""
    """The vendor's part number."""
    source: str = ""
    """Where these facts come from."""

    def share(self, rate_gbps: int) -> Fraction | None:
        """Return the share of a whole link that a link of `rate_gbps` uses (1, 1/2 ...); None if it can't carry it."""
        links, rest = divmod(self.rate_gbps or 0, rate_gbps)
        return Fraction(1, links) if not rest and links in (1, *self.splits) else None

    def price_at(self, length_m: float | None) -> float | None:
        """Return the price of one of this length as it is sold; None where it is not known.

        A length of None is not known; then the price is that of one without its metres.
        """
        if length_m is None or self.price_usd_per_m is None:
            return self.price_usd
        return float(Fraction(str(self.price_usd or 0)) + Fraction(str(self.price_usd_per_m)) * Fraction(str(length_m)))

    @property
    def is_priced(self) -> bool:
        """Whether a price is known, if only by the metre."""
        return self.price_usd is not None or self.price_usd_per_m is not None

    def round_up(self, metres: float) -> float:
        """Return the shortest length sold that is no less than `metres`; itself where none is known."""
        return min((each for each in self.lengths_m if each >= metres), default=metres)

    @property
    def peak_power_w(self) -> float | None:
        """Its maximum power, its typical where that is not known, and None where neither is."""
        return self.power_w if self.max_power_w is None else self.max_power_w

    def reach_on(self, fibre: str) -> float | None:
        """Return how far a module reaches on a type of fibre; None where that is not known."""
        return dict(self.reach_by_fibre).get(fibre, self.reach_m)

    def runs_on(self, fibre: str) -> bool:
        """Say whether a module's links run on a type of fibre, for all that is known."""
        return not self.reach_by_fibre or fibre in dict(self.reach_by_fibre)

    @property
    def longest_m(self) -> float | None:
        """The greatest length that it reaches; None where that is not known."""
        return max((reach for _, reach in self.reach_by_fibre), default=self.reach_m)
