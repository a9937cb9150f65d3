"""What an objective is: a linear one, which the solver minimises, or one computed by the flow model.

No solver is loaded here, so that the command line and the reports can list objectives.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from fabric.blueprint.prices import FACTS
from fabric.errors import InputError

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

    from fabric.flow import FabricSummary
    from fabric.optimizer.model import Model

__all__ = ["FlowEstimate", "FlowObjective", "LinearObjective", "Objective"]

_NAME = re.compile("[a-z][a-z0-9_]*")


class FlowEstimate(Protocol):
    """What the flow model says of a fabric, for a flow objective to choose from."""

    @property
    def summary(self) -> FabricSummary:
        """The fabric as a collective sees it."""

    @property
    def allreduce_s(self) -> float:
        """The time of an all-reduce over all GPUs, in seconds, of the size and under the routing asked for."""

    @property
    def mean_hops(self) -> float:
        """The switches between the NICs of different servers, on average over all pairs."""

    @property
    def ring_hops(self) -> float:
        """The switches between servers next to each other on a ring in order, on average."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A quantity to minimise: a `LinearObjective` or a `FlowObjective`.

    Raises InputError when a field has a value that it cannot have.
    """

    name: str
    """The word that asks for it: `cost`."""
    key: str
    """Its key in results: `cost_usd`."""
    label: str
    """What it is called in sentences, as in "minimise cost"."""
    heading: str
    """What it is called at the head of a column."""
    description: str
    """What it is, in one line, for help texts and documentation."""
    unit: str = ""
    """The unit of its values: `USD`, `W` or `s`; empty for a number of things."""
    tolerance: float = 0
    """The relative difference below which two values count as equal."""
    needs: tuple[str, ...] = ()
    """What must be known of every switch and link: `price`, `power`, `maximum power` or `height`."""
    request_keys: tuple[str, ...] = ()
    """The keys that a request must have for it."""
    scale: int = 1
    """The solver's whole units in one unit of the objective: 100 for dollars counted in cents."""

    def __post_init__(self) -> None:
        if type(self) is Objective:
            raise InputError(f"objective '{self.name}': make it a LinearObjective or a FlowObjective")
        if not _NAME.fullmatch(self.name):
            raise InputError(f"objective '{self.name}': a name is lower-case letters, digits and underscores")
        if unknown := [fact for fact in self.needs if fact not in FACTS]:
            raise InputError(f"objective '{self.name}' needs '{unknown[0]}', which is none of {', '.join(FACTS)}")
        if not 0 <= self.tolerance < 1:
            raise InputError(f"objective '{self.name}': the tolerance {self.tolerance} is not between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class LinearObjective(Objective):
    """An objective that is a linear expression over the variables of a model, so that the solver minimises it."""

    expression: Callable[[Model], cp_model.LinearExprT]
    """Returns the expression in whole units (see `scale`), with whole numbers as coefficients."""
    adds_up: bool = False
    """Whether it is a sum of what each switch, link and hop adds, none less than 0, so that it has bounds without a
    search (see `fabric.optimizer.lattice_floor`)."""


@dataclass(frozen=True, kw_only=True)
class FlowObjective(Objective):
    """An objective computed by the flow model: a function that never falls when a fabric gets worse.

    Worse is less in `peers` of the summary, or more in anything else (see `FabricSummary`). The optimizer relies on it.
    """

    value: Callable[[FlowEstimate], float]
    """Returns the objective of a fabric, a finite number not below 0."""
    size_bytes: int = 2**30
    """The size of the all-reduce that `FlowEstimate.allreduce_s` is of."""
    routing: str = "adaptive"
    """The routing under which it runs."""
