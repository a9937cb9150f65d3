"""Quantities as text: message sizes and counts are read, and counts, money, power, rates and times are formatted."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from fabric.errors import InputError

__all__ = [
    "count",
    "count_ends",
    "count_noun",
    "doublings",
    "money",
    "money_sign",
    "number",
    "parse_count",
    "parse_size",
    "percent",
    "power",
    "rate",
    "size",
    "time",
]

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?\s*", re.IGNORECASE | re.ASCII)
_DIGITS = 30
"""The most characters of a size or a count."""
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_SIZE_UNITS = {1024: ("B", "KiB", "MiB", "GiB", "TiB"), 1000: ("B", "kB", "MB", "GB", "TB")}


def parse_size(text: str | int) -> int:
    """Return a size in bytes from text: `4096`, `1MiB` (2**20) or `1MB` (10**6).

    Raises InputError when it is not a whole, positive number of bytes.
    """
    digits = str(text) if isinstance(text, str) or abs(text) < 10**_DIGITS else f"a number of over {_DIGITS} digits"
    match = _SIZE.fullmatch(digits) if len(digits) <= _DIGITS else None
    if not match:
        raise InputError(f"'{digits:.40}' is not a size in bytes; write for example 64MiB, 1GiB or 1GB")
    number, prefix, binary = match.groups()
    bytes_ = Fraction(number) * (1024 if binary else 1000) ** _POWERS[prefix.upper()]
    if bytes_ < 1 or bytes_.denominator != 1:
        raise InputError(f"'{digits:.40}' is not a whole, positive number of bytes")
    return int(bytes_)


def parse_count(text: str) -> int:
    """Return a whole, positive number from text, with thousands separated or not; raises InputError for other text."""
    digits = text.strip().replace(",", "").replace("_", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS and int(digits)):
        raise InputError(f"'{text:.40}' is not a whole, positive number; write for example 1024")
    return int(digits)


def doublings(text: str, parse: Callable[[str], int]) -> tuple[int, ...]:
    """Return the numbers of a list with commas, sorted and without duplicates, each read by `parse`.

    `1024..65536` is a range: the first, its doublings up to the last, and the last. Raises InputError like `parse`, and
    for a range that goes down.
    """
    return tuple(sorted({number for part in text.split(",") for number in _doublings(part.strip(), parse)}))


def _doublings(text: str, parse: Callable[[str], int]) -> tuple[int, ...]:
    first, dots, last = text.partition("..")
    low, high = parse(first), parse(last if dots else first)
    if low > high:
        raise InputError(f"'{text:.40}' goes down; write the smaller end first")
    powers = (low << power for power in range((high // low).bit_length()))
    return (*powers, high)


def size(bytes_: int) -> str:
    """Return a size to four digits in binary units, or in decimal ones where only these are exact.

    1048576 is `1 MiB`, and 1000000000 is `1 GB`.
    """
    binary, decimal = (_scale_size(bytes_, step) for step in _SIZE_UNITS)
    value, unit = decimal if _is_short(decimal[0]) and not _is_short(binary[0]) else binary
    return f"{float(value):.4g} {unit}"


def _scale_size(bytes_: int, step: int) -> tuple[Fraction, str]:
    """Return a size in the largest unit of which it has one or more, of units that are `step` times the one before."""
    power, unit = max((each for each in enumerate(_SIZE_UNITS[step]) if bytes_ >= step ** each[0]), default=(0, "B"))
    return Fraction(bytes_, step**power), unit


def _is_short(value: Fraction) -> bool:
    return Fraction(f"{float(value):.4g}") == value


def count(number: float) -> str:
    """Return a count with thousands separated: 1568 is `1,568`."""
    return f"{number:,.0f}"


def count_noun(number: float, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 switch`, `1,024 GPUs`; `plural` where it is not the noun with an s."""
    digits = count(int(number)) if number == int(number) else f"{number:g}"
    return f"{digits} {noun if number == 1 else plural or noun + 's'}"


def count_ends(gpus: int, servers: int) -> str:
    """Return what a fabric joins: its GPUs, `1,024 GPUs`, or where no GPU stands its servers, `40 endpoints`."""
    return count_noun(gpus, "GPU") if gpus else count_noun(servers, "endpoint")


def number(value: float | None) -> str:
    """Return a number in full with thousands separated, such as `491,077,632`; `unknown` for None."""
    return "unknown" if value is None else f"{value:,}".removesuffix(".0")


def money(amount: float | None, currency: str = "USD") -> str:
    """Return an amount: `$464,193,000`, `EUR 464,193,000`, and `$4.39` with cents below 100; `unknown` for None."""
    if amount is None:
        return "unknown"
    return f"{money_sign(currency)}{amount:,.2f}" if abs(amount) < 100 else f"{money_sign(currency)}{amount:,.0f}"


def money_sign(currency: str) -> str:
    """Return what stands before an amount: `$` for USD, and otherwise the three letters of the currency: `EUR `."""
    return "$" if currency == "USD" else f"{currency} "


def power(watts: float | None) -> str:
    """Return a power in W, kW, MW or GW; `unknown` for None."""
    return "unknown" if watts is None else _scaled(watts, ["W", "kW", "MW", "GW"])


def known_power(watts: float, known: bool) -> str:
    """Return a power; `at least 3 kW` where only that part is known, and `unknown` where none is."""
    return power(watts) if known else f"at least {power(watts)}" if watts else power(None)


def rate(gbps: float) -> str:
    """Return a rate given in Gb/s: `400 Gb/s`, `52.4 Pb/s`."""
    return _scaled(gbps, ["Gb/s", "Tb/s", "Pb/s", "Eb/s"])


def time(seconds: float) -> str:
    """Return a time in a readable unit: `13.2 us`, `1.7 ms`, `2.3 s`."""
    for factor, name in ((1e-6, "us"), (1e-3, "ms")):
        if seconds < 999.5 * factor:  # beyond, three digits are those of the next unit
            return f"{seconds / factor:.3g} {name}"
    return f"{seconds:,.0f} s" if 999.5 <= seconds < 1e12 else f"{seconds:.3g} s"


def percent(share: float, form: str = ".4g") -> str:
    """Return a share in per cent: `87.5 %`."""
    return f"{100 * share:{form}} %"


def _scaled(value: float, names: list[str]) -> str:
    while value >= 1000 and len(names) > 1:
        value, names = value / 1000, names[1:]
    return f"{value:.4g} {names[0]}"
