"""A design as a report shows it: typed values, from which JSON, Markdown, the terminal and the page are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from fabric import units
from fabric.blueprint import Blueprint
from fabric.blueprint.bill_rows import Bill, BillRow
from fabric.blueprint.port_rules import Rates
from fabric.blueprint.port_use import PortUse
from fabric.flow import CollectiveBound, Estimate
from fabric.optimizer import BreakEven, Proof
from fabric.request import Spec
from fabric.studies.study import Study

__all__ = ["Cost", "Design", "ExpectedNumber", "LinkBundle", "SwitchTier"]


@dataclass(frozen=True)
class SwitchTier:
    """The switches of one role."""

    role: str
    """Its role: `leaf`, `spine` and so on."""
    model: str
    """Its switch model; where there are several, the one with most switches."""
    models: Mapping[str, int]
    """Its switches by model."""
    ports_down: int
    """The links below one switch, when its part of the fabric is full."""
    ports_up: int
    """The links above one switch, or to others of its kind."""
    radix: int
    """The links that one switch can end, at the rates of its links."""
    rates: Rates
    """The rates of its links down and up."""
    oversubscription: float | None
    """Bandwidth down over bandwidth up; None at the top tier."""
    ports: PortUse
    """The ports connected now, when full, and free."""

    @property
    def count(self) -> int:
        """The number of switches."""
        return sum(self.models.values())

    @property
    def ports_used(self) -> int:
        return self.ports_down + self.ports_up


@dataclass(frozen=True)
class LinkBundle:
    """The links of one bundle."""

    name: str
    """Its name, such as `leaf-spine`; that of an appliance, for its links."""
    links: int
    """The number of links."""
    per_pair: float
    """The links of two devices that are joined, on average."""
    cables: int
    """The number of fibres and cables, splitters counted once."""
    unit_price_usd: float | None
    """The price of one link with its modules, on average where they have several; None where it is not known."""
    price_usd: float | None
    """The price of all links."""


@dataclass(frozen=True)
class Cost:
    """What a fabric costs, in USD; None where a part has no price."""

    total: float | None
    """Switches, links and NICs together."""
    switches: float | None
    """All switches."""
    links: float | None
    """All links, with their modules."""
    nics: float | None
    """All NICs; None unless the request gives their price."""
    per_gpu: float | None
    """The total for each GPU."""
    electricity: float | None
    """Electricity over the years of the request; None unless it gives years and a price."""
    total_with_electricity: float | None
    """The total with electricity."""


@dataclass(frozen=True)
class ExpectedNumber:
    """A published number with that of the design."""

    key: str
    """The role, bundle or path into the design object."""
    published: float
    """The published number."""
    designed: float | None
    """The number of the design; None where it has none."""
    ok: bool
    """Whether they match, within the tolerance that the request gives."""


@dataclass(frozen=True)
class Design:
    """A study with what a report shows of it."""

    study: Study
    """The request, the blueprint and the proof."""
    switches: tuple[SwitchTier, ...]
    """The switches by role, from the leaf up."""
    links: tuple[LinkBundle, ...]
    """The links by bundle, those of the servers first."""
    cost: Cost
    """What it costs."""
    allreduce: tuple[Estimate, ...] = ()
    """Estimated all-reduces by routing and size, rounded to six digits."""
    allreduce_in_network: tuple[Estimate, ...] = ()
    """The same by size where the network's switches reduce (SHARP); none where they can't."""
    allreduce_bound: CollectiveBound | None = None
    """The bound of an all-reduce over all GPUs, rounded to six digits; None where nothing is exchanged."""
    notes: tuple[str, ...] = ()
    """What a reader must know and might not guess."""
    expected: tuple[ExpectedNumber, ...] = ()
    """The published numbers that the request gives."""
    price_changes: tuple[BreakEven, ...] | None = None
    """The prices that would change the choice; None where that was not asked."""

    @property
    def spec(self) -> Spec:
        return self.study.spec

    def write_money(self, amount: float | None) -> str:
        """Return an amount in the currency of the request; `unknown` for None."""
        return units.money(amount, self.spec.currency)

    @property
    def blueprint(self) -> Blueprint:
        return self.study.blueprint

    @property
    def proof(self) -> Proof:
        return self.study.proof

    @property
    def bill(self) -> Bill:
        return self.study.bill

    @property
    def bill_rows(self) -> tuple[BillRow, ...]:
        """The rows of the bill that carry a price: switches, links or their parts, and NICs where they are counted."""
        return tuple(row for row in self.bill.rows if row.counted)

    @property
    def switches_total(self) -> int:
        return sum(tier.count for tier in self.switches)

    @property
    def links_total(self) -> int:
        return sum(bundle.links for bundle in self.links)

    @property
    def power_w(self) -> float | None:
        """The power of switches and modules, in W; None where one is not known."""
        return self.bill.power_w

    @cached_property
    def hops_mean(self) -> float:
        """The switches on a path, on average over all pairs."""
        return round(self.study.hops.mean, 6)

    @cached_property
    def survives(self) -> dict[str, float]:
        """The share of throughput that is sure to remain after each loss."""
        return {loss: round(float(share), 6) for loss, share in self.study.survives.items()}

    @property
    def as_published(self) -> bool:
        """Whether every published number is matched."""
        return all(number.ok for number in self.expected)
