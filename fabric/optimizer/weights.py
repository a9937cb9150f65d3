"""What an objective weighs: each switch, link and hop, read off by asking for one of them at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from fabric.optimizer.candidates import Candidate
from fabric.optimizer.objective import LinearObjective
from fabric.topology.topology import Bundle, Group, Topology

if TYPE_CHECKING:
    from fabric.optimizer.model import Model

__all__ = ["Weights", "weights_of"]


@dataclass(frozen=True)
class Weights:
    """What an objective is the sum of, in its whole units."""

    fixed: int
    """What every fabric of the request has, as the cost of its NICs."""
    switches: Mapping[str, tuple[int, ...]]
    """For each role what a switch of each model allowed adds."""
    links: Mapping[str, int]
    """What a link of each bundle adds."""
    hops: int
    """What a switch on the longest minimal path adds."""


def weights_of(objective: LinearObjective, candidate: Candidate) -> Weights | None:
    """Return the weights of an objective; None where it is no such sum."""
    if not objective.adds_up:
        return None

    def value(**ones: Any) -> int:
        return int(cast("int", objective.expression(cast("Model", _Counted(candidate, **ones)))))

    fixed = value()
    switches = {
        role: tuple(value(switch=(role, place)) - fixed for place in range(len(models)))
        for role, models in candidate.models.items()
    }
    links = {bundle.name: value(link=bundle.name) - fixed for bundle in candidate.topology.bundles}
    return Weights(fixed, switches, links, value(hop=1) - fixed)


@dataclass(frozen=True)
class _Counted:
    """A fabric of at most one thing, with what the expressions of objectives ask of a model."""

    candidate: Candidate
    """The candidate."""
    switch: tuple[str, int] | None = None
    """The one switch: its role, and the place of its model among those allowed."""
    link: str | None = None
    """The bundle of the one link."""
    hop: int = 0
    """The switches on the longest path."""

    @property
    def topology(self) -> Topology:
        return self.candidate.topology

    @property
    def servers(self) -> int:
        return self.candidate.spec.servers

    def sum_of(self, role: str, values: Sequence[int]) -> int:
        return values[self.switch[1]] if self.switch and self.switch[0] == role else 0

    def devices(self, group: Group) -> int:
        return int(self.switch is not None and self.switch[0] == group.role)

    def priced_links(self, bundle: Bundle) -> int:
        return int(self.link == bundle.name)

    def hops(self) -> int:
        return self.hop

    def total(self, objective: LinearObjective) -> Any:
        return objective.expression(cast("Model", self))
