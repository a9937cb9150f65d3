"""What a count is: a sum of products of sizes, read as integers, as columns of them and as CP-SAT expressions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

__all__ = ["Expression", "Monomial", "Polynomial", "Ratio", "count", "evaluate"]

Monomial = tuple[str, ...]
"""The names of the sizes whose product a count is."""

_TERM = re.compile(r"([+-]?)\s*([^+-]+)")


@dataclass(frozen=True)
class Polynomial:
    """A sum of products of sizes, each with a whole factor, over a whole number."""

    terms: tuple[tuple[int, Monomial], ...]
    """The products: each a whole factor and the names of sizes."""
    over: int = 1
    """What the sum is divided by."""

    @property
    def names(self) -> frozenset[str]:
        """The names of the sizes in it."""
        return frozenset(name for _, names in self.terms for name in names)

    def __str__(self) -> str:
        """Return the sum as it is written, without what it is over."""
        words = (f"{'-' if factor < 0 else '+'} {_product(abs(factor), names)}" for factor, names in self.terms)
        return " ".join(words).removeprefix("+ ")


def _product(factor: int, names: Monomial) -> str:
    return " ".join([*([str(factor)] if factor > 1 or not names else []), *names])


Expression = Polynomial | Monomial
"""A count as a sum of products, or as a single product."""


def count(text: str) -> Polynomial:
    """Read `group router router - group router : 2`, a sum of products, here over two.

    A hyphen between letters belongs to a name; a sign stands between spaces.
    """
    body, _, over = text.partition(":")
    if not re.fullmatch(r"[\w\s+-]+", body):
        raise ValueError(f"'{text}' is not a sum of products")
    terms = tuple(_term(sign, names.split()) for sign, names in _TERM.findall(re.sub(r"(\w)-(\w)", r"\1|\2", body)))
    return Polynomial(terms, int(over or 1))


def _term(sign: str, words: list[str]) -> tuple[int, Monomial]:
    factor = math.prod((int(word) for word in words if word.isdigit()), start=-1 if sign == "-" else 1)
    return factor, tuple(word.replace("|", "-") for word in words if not word.isdigit())


def evaluate(quantity: Expression, sizes: Mapping[str, Any]) -> Any:
    """Return the count for sizes that are whole numbers, or columns of them."""
    if not isinstance(quantity, Polynomial):
        return math.prod(sizes[name] for name in quantity)
    total = sum(factor * math.prod(sizes[name] for name in monomial) for factor, monomial in quantity.terms)
    return total // quantity.over


@dataclass(frozen=True)
class Ratio:
    """One count over another: the load of a link over its capacity, say."""

    numerator: Polynomial
    """The count above."""
    denominator: Polynomial
    """The count below."""

    @property
    def names(self) -> frozenset[str]:
        """The names of the sizes in it."""
        return self.numerator.names | self.denominator.names

    def value(self, sizes: Mapping[str, int]) -> Fraction:
        """Return the ratio for sizes that are whole numbers."""
        return Fraction(evaluate(self.numerator, sizes), evaluate(self.denominator, sizes))
