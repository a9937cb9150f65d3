"""The parts that differ between the bills of two revisions of a fabric: what is bought, and what can be returned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fabric.blueprint.bill_rows import Bill, BillRow
from fabric.errors import InputError

__all__ = ["PartChange", "compare_bills", "sum_amounts"]

Key = tuple[str, str, float | None]

ORDERED = ("switch", "link", "module", "fibre", "cable", "nic", "rack")
"""The kinds of parts that are ordered, in the order of the list."""


@dataclass(frozen=True)
class PartChange:
    """A part that two bills differ in: in its number, with spares, or in its unit price."""

    kind: str
    """The kind of part (`BillRow.kind`)."""
    part: str
    """The name of the part."""
    length_m: float | None
    """The length of a fibre or cable; None where no length is asked."""
    before: int
    """The parts to order for the first revision, spares included."""
    after: int
    """The parts to order for the second revision, spares included."""
    before_usd: float | None
    """The unit price in the first revision; None where it is not known."""
    after_usd: float | None
    """The unit price in the second revision; None where it is not known."""
    priced: bool
    """Whether it has a price of its own; otherwise that of a link includes it, or, of a rack, none is known."""

    @property
    def quantity(self) -> int:
        """The parts to buy, or, below zero, those to return."""
        return self.after - self.before

    @property
    def unit_price_usd(self) -> float | None:
        """The unit price of what is bought or returned: the second revision's to buy, the first one's to return."""
        return self.before_usd if self.quantity < 0 else self.after_usd

    @property
    def amount_usd(self) -> float | None:
        """The price of what is bought or, below zero, returned; 0 where it has no price of its own."""
        if not self.priced or not self.quantity:
            return 0.0
        return None if self.unit_price_usd is None else round(self.quantity * self.unit_price_usd, 6)


def compare_bills(before: Bill, after: Bill) -> tuple[PartChange, ...]:
    """Return the parts that the bills differ in, kind by kind.

    Equal parts are one, whatever they are used for. Raises InputError for bills in two currencies.
    """
    if before.currency != after.currency:
        raise InputError(
            f"currency: one revision is in {before.currency}, the other in {after.currency}; write both in one"
        )
    one, other = _group(before), _group(after)
    keys = sorted({**one, **other}, key=lambda key: ORDERED.index(key[0]))
    changes = (_compare(key, one.get(key, []), other.get(key, [])) for key in keys)
    return tuple(each for each in changes if each.quantity or each.before_usd != each.after_usd)


def _group(bill: Bill) -> dict[Key, list[BillRow]]:
    """Return the rows that are ordered, by part; a link that is the sum of its parts is not."""
    found: dict[Key, list[BillRow]] = {}
    for row in bill.of(*ORDERED):
        if row.kind != "link" or row.counted or row.spares:
            found.setdefault((row.kind, row.part, row.length_m), []).append(row)
    return found


def _compare(key: Key, before: list[BillRow], after: list[BillRow]) -> PartChange:
    # A part of one revision alone has one price.
    old, new = _find_price(before or after), _find_price(after or before)
    return PartChange(*key, _count(before), _count(after), old, new, any(row.counted for row in (*before, *after)))


def _count(rows: list[BillRow]) -> int:
    return sum(row.order for row in rows)


def _find_price(rows: list[BillRow]) -> float | None:
    return next(_list_prices(rows), None)


def _list_prices(rows: list[BillRow]) -> Iterator[float]:
    return (row.unit_price_usd for row in rows if row.unit_price_usd is not None)


def sum_amounts(parts: Iterable[PartChange]) -> float | None:
    """Return the amounts of parts together; None where one has no price."""
    amounts = [part.amount_usd for part in parts]
    known = [amount for amount in amounts if amount is not None]
    return round(sum(known), 6) if len(known) == len(amounts) else None
