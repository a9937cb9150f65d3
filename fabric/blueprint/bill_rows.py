"""The lines of a bill of materials, and their sums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from fabric import units
from fabric.frozen import freeze
from fabric.presented import Tabular

__all__ = ["LINKS", "UNPOWERED", "Bill", "BillRow", "add_known"]


@dataclass(frozen=True)
class BillRow:
    """One line of a bill: equal parts with one use."""

    kind: str
    """`switch`, `link`, `nic`, `module`, `fibre`, `cable`, `cage` or `rack`."""
    part: str
    """The name of the part."""
    used_for: str
    """The role or the bundle that it is for."""
    quantity: int
    """The number of parts."""
    unit_price_usd: float | None = None
    """The price of one, in USD; None where it is not known, and where another row holds it."""
    unit_power_w: float | None = None
    """The typical power of one, in W; None where it is not known, and where another row holds it."""
    unit_max_power_w: float | None = None
    """The maximum power of one, in W, typical where no maximum is known."""
    note: str = ""
    """A remark on the price."""
    counted: bool = True
    """Whether its price and power count towards totals; otherwise other rows hold them."""
    title: str = ""
    """The full name of the part."""
    vendor_number: str = ""
    """The vendor's part number."""
    spares: int = 0
    """The number of spare parts that are ordered beside them."""
    length_m: float | None = None
    """The length of a fibre or cable: the shortest sold that is long enough; None where no length is asked."""
    price_date: str = ""
    """The date of the price."""
    price_source: str = ""
    """Where the price comes from."""

    @property
    def price_usd(self) -> float | None:
        """The price of all, in USD."""
        return _times(self.quantity, self.unit_price_usd)

    @property
    def order(self) -> int:
        """The number of parts to order, with spares."""
        return self.quantity + self.spares

    @property
    def order_usd(self) -> float | None:
        """The price of what is ordered at the price of one; of parts whose price another row holds, of the spares."""
        parts = self.order if self.counted else self.spares
        return _times(parts, self.unit_price_usd)

    @property
    def power_w(self) -> float | None:
        """The power of all, in W."""
        return _times(self.quantity, self.unit_power_w)

    @property
    def max_power_w(self) -> float | None:
        """The maximum power of all, in W."""
        return _times(self.quantity, self.unit_max_power_w)


@dataclass(frozen=True, repr=False)
class Bill(Tabular):
    """The bill of materials of a fabric."""

    gpus: int
    """The number of GPUs."""
    rows: tuple[BillRow, ...]
    """Its lines. A link at one price includes its modules and fibre; otherwise those carry the prices."""
    electricity_usd: float | None = None
    """Electricity for switches and modules over the years of the request, in USD; None where one figure is unknown."""
    currency: str = "USD"
    """The currency of all amounts, those of fields of `_usd` too."""
    discount: Mapping[str, Fraction] = field(default_factory=dict)
    """The shares taken off prices by kind of row, `*` for all; prices are after them."""

    def __post_init__(self) -> None:
        freeze(self)

    def __repr__(self) -> str:
        cost = units.money(self.order_usd, self.currency)
        return f"<Bill: {units.count_noun(len(self.rows), 'row')}, total {cost}>"

    def of(self, *kinds: str) -> tuple[BillRow, ...]:
        """Return the rows of some kinds (see `BillRow.kind`)."""
        return tuple(row for row in self.rows if row.kind in kinds)

    def quantity(self, *kinds: str) -> int:
        """Return the total quantity of some kinds."""
        return sum(row.quantity for row in self.of(*kinds))

    def cost_usd(self, kind: str | None = None) -> float | None:
        """Return the cost of switches, links or NICs (`nic`), or of all; None when a part of it has no price."""
        return add_known(row.price_usd for row in self._counted(kind))

    @property
    def power_w(self) -> float | None:
        """The typical power of switches and modules; None when a part's is unknown. Servers are not counted."""
        return add_known(row.power_w for row in self.powered)

    @property
    def max_power_w(self) -> float | None:
        """Their maximum power, of whole parts, typical where no maximum is known; None where neither is."""
        return add_known(row.max_power_w for row in self.powered)

    @property
    def spares_usd(self) -> float | None:
        """The price of all spare parts, in USD; None where one has no price, 0 where there are none."""
        spared = (row for row in self.rows if row.spares)
        return add_known(_times(row.spares, row.unit_price_usd) for row in spared)

    @property
    def order_usd(self) -> float | None:
        """The price of everything that is ordered, with spare parts, in USD."""
        return add_known((self.cost_usd(), self.spares_usd))

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The names of the parts without a price that no other price includes."""
        ordered = [*self._counted(), *(row for row in self.rows if row.spares)]
        return tuple(dict.fromkeys(row.part for row in ordered if row.unit_price_usd is None))

    @property
    def rounding_usd(self) -> float | None:
        """What whole modules and fibres cost beyond the shares that links use of them, in USD."""
        links = add_known(row.price_usd for row in self.of("link"))
        bought = self.cost_usd("link")
        return None if links is None or bought is None else round(bought - links, 2)

    @property
    def powered(self) -> Iterator[BillRow]:
        """The rows whose power counts towards totals."""
        return (row for row in self._counted() if row.kind not in UNPOWERED)

    def _counted(self, kind: str | None = None) -> Iterator[BillRow]:
        kinds = {None: ("switch", *LINKS, "nic"), "link": LINKS}.get(kind, (kind,))
        return (row for row in self.rows if row.counted and row.kind in kinds)


LINKS = ("link", "module", "fibre", "cable")
"""The kinds of rows of which links consist."""

UNPOWERED = ("fibre", "nic")
"""The kinds of rows whose power is not counted: a fibre draws none, and a NIC's is the server's."""


DIGITS = 6
"""The decimals to which amounts and powers are rounded: without them 127 x 643.3 is 81,699.09999999999."""


def _times(count: int, each: float | None) -> float | None:
    return None if each is None else round(count * each, DIGITS)


def add_known(values: Iterable[float | None]) -> float | None:
    """Return the sum of amounts; None where one is not known."""
    total = 0.0
    for value in values:
        if value is None:
            return None
        total += value
    return round(total, DIGITS)
