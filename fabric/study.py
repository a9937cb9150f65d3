"""The whole line in one place: a request is read, sized, priced and, when asked, laid out and estimated."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from fabric.bill import Bill, bill
from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.expansion import expand
from fabric.families import any_to_any, words
from fabric.flow import Estimate, allreduce
from fabric.metrics import Hops, bisection_gbps, hops, injection_gbps, survives
from fabric.network import Network
from fabric.optimizer import Objective, Proof, Runner, parse_objectives, size
from fabric.prices import Prices
from fabric.spec import Spec, read_spec

__all__ = ["Study", "design", "optimize", "read"]


@dataclass(frozen=True)
class Study:
    """A request and the fabric that answers it; what is not asked for is not computed."""

    spec: Spec
    blueprint: Blueprint
    proof: Proof
    others: tuple[Runner, ...] = ()

    @cached_property
    def network(self) -> Network:
        """The fabric laid out link by link; raises TooLarge when it would not fit in memory."""
        return expand(self.blueprint)

    @cached_property
    def bill(self) -> Bill:
        """The bill of materials."""
        return bill(self.blueprint, Prices(self.spec, self.blueprint.link_gbps))

    @cached_property
    def hops(self) -> Hops:
        """The switches on a path between GPUs of different servers."""
        return hops(self.blueprint)

    @cached_property
    def survives(self) -> dict[str, Fraction]:
        """The share of throughput that remains without any one switch of a role, or without a plane."""
        return survives(self.blueprint)

    @cached_property
    def bisection_gbps(self) -> int:
        """The greatest flow from the first half of the servers to the second, in Gb/s, one direction."""
        return bisection_gbps(self.blueprint)

    @cached_property
    def injection_gbps(self) -> int:
        """The bandwidth of all server links together, in Gb/s, one direction."""
        return injection_gbps(self.blueprint)

    def allreduce(self, size_bytes: int, routing: str = "adaptive", algorithm: str | None = None) -> Estimate:
        """Estimate an all-reduce of `size_bytes` over all GPUs (see `fabric.flow.allreduce`)."""
        return allreduce(self.blueprint, size_bytes, routing, algorithm)


def read(source: str | os.PathLike[str] | Mapping[str, Any] | None = None, **request: Any) -> Spec:
    """Read a request: the name of a shipped design, a file, or a mapping, with keyword arguments in its own words.

    Raises InputError with every mistake found.
    """
    return read_spec(source, request, families=words(), any_families=any_to_any())


def design(
    source: str | os.PathLike[str] | Mapping[str, Any] | Spec | None = None,
    *,
    progress: Callable[[str], None] | None = None,
    **request: Any,
) -> Study:
    """Design the fabric that `source` asks for (see `read`), proven cheapest among those that the request allows.

    `progress` is told in a few words what is being worked on. Raises InputError for a request that is ill-formed and
    Infeasible, with the limits that bind, for one that no fabric meets.
    """
    return _studied(source, (), progress, request)


def optimize(
    source: str | os.PathLike[str] | Mapping[str, Any] | Spec | None = None,
    objective: str = "cost",
    *,
    progress: Callable[[str], None] | None = None,
    **request: Any,
) -> Study:
    """Design the fabric that is best in `objective`: names in order (`cost,hops`) or weights (`cost=1,hops=50000`).

    Names are cost, power, rack_units, hops, switches, links and models. Raises as `design` does, and InputError for an
    objective that needs a price, power or height that is not known.
    """
    return _studied(source, parse_objectives(objective), progress, request)


def _studied(
    source: Any, objectives: Sequence[Objective], progress: Callable[[str], None] | None, request: dict[str, Any]
) -> Study:
    if isinstance(source, Spec) and request:
        keys = ", ".join(map(str, request))
        raise InputError(f"{keys}: a Spec is already read and takes no more words; give the name, file or mapping")
    spec = source if isinstance(source, Spec) else read(source, **request)
    sized = size(spec, objectives, progress or (lambda text: None))
    return Study(spec, sized.blueprint, sized.proof, sized.others)
