"""The limits that a request may set on what sizing chooses: each is declared once, as a field of `Limits`.

The keys of a request, the limits that the optimizer imposes, and those that the fabrics of a cluster may share are all
read from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, get_type_hints

__all__ = ["LIMITS", "SHARED", "Limit", "Limits"]


@dataclass(frozen=True)
class Limit:
    """One limit, from 1 up to `maximum`."""

    text: str
    """What it bounds, for the documentation of the request."""
    label: str
    """What it bounds, as the head of a column."""
    maximum: float
    """The largest value that a request may set."""
    unit: str = ""
    """The unit of its value; empty for a count."""
    objective: str | None = None
    """The name of the objective whose value it bounds; None where it bounds single sizes."""
    shared: bool = False
    """Whether it is a total, on which the fabrics of a cluster may share a limit."""
    example: float | None = None
    """A value that shows how it is written."""


@dataclass(frozen=True)
class Limits:
    """The limits of a request; None sets none.

    The default of `parallel_links`, 16, is the number of links, of half a port each, by which a published design joins
    a pair (a DGX B300 leaf to each of the 4 spines of its plane), and more ports than any uses.
    """

    parallel_links: Annotated[
        int,
        Limit(
            "The most native ports that join one pair of switches; one that is split into several links counts once.",
            label="parallel links",
            maximum=10_000,
        ),
    ] = 16
    cost_usd: Annotated[
        float | None,
        Limit(
            "The most that switches and links may cost together, with the NICs where `nic_usd` is given.",
            label="cost",
            unit="USD",
            maximum=1e13,
            objective="cost",
            shared=True,
            example=80_000_000,
        ),
    ] = None
    total_cost_usd: Annotated[
        float | None,
        Limit(
            "The most that they may cost with their electricity over `years`.",
            label="total cost",
            unit="USD",
            maximum=1e13,
            objective="total_cost",
            example=90_000_000,
        ),
    ] = None
    power_w: Annotated[
        float | None,
        Limit(
            "The most power that switches and modules may draw together: maximum, or typical where that is unknown.",
            label="maximum power",
            unit="W",
            maximum=1e13,
            objective="max_power",
            shared=True,
            example=2_000_000,
        ),
    ] = None
    rack_units: Annotated[
        int | None,
        Limit(
            "The most rack units that the switches may take.",
            label="rack units",
            maximum=100_000_000,
            objective="rack_units",
            shared=True,
            example=4000,
        ),
    ] = None
    hops: Annotated[
        int | None,
        Limit("The most switches on a path between two GPUs.", label="hops", maximum=21, objective="hops", example=3),
    ] = None
    models: Annotated[
        int | None,
        Limit("The most different switch models.", label="models", maximum=4, objective="models", example=1),
    ] = None

    def value(self, key: str) -> float | None:
        """Return the limit called `key`; None where there is none."""
        value: float | None = getattr(self, key)
        return value

    def without(self, key: str) -> Limits:
        """Return the limits without the one called `key`, which must be one that may be left out."""
        return Limits(**{**vars(self), key: None})

    @property
    def on_objectives(self) -> dict[str, float]:
        """The limits that bound an objective and are set, by key."""
        keys = (key for key, limit in LIMITS.items() if limit.objective)
        return {key: value for key in keys if (value := self.value(key)) is not None}


def _described_limits() -> dict[str, Limit]:
    hints = get_type_hints(Limits, include_extras=True)
    return {key: limit for key, hint in hints.items() for limit in hint.__metadata__}


LIMITS = _described_limits()
"""The limits by their keys in a request."""

SHARED = tuple(key for key, limit in LIMITS.items() if limit.shared)
"""The keys of the totals on which the fabrics of a cluster may share a limit."""
