"""From a request to a design: read, size, price and, when asked, expand to a network and estimate."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from fabric.blueprint import Blueprint
from fabric.blueprint.bill import bill
from fabric.blueprint.bill_rows import Bill
from fabric.blueprint.metrics import Hops, bisection_gbps, hops, injection_gbps, metrics_of
from fabric.blueprint.prices import prices_of
from fabric.blueprint.stages import Stage, list_stages
from fabric.draw import KINDS, Diagram, draw_diagram
from fabric.errors import InputError
from fabric.export.plan import Plan
from fabric.flow import Estimate, estimate_all
from fabric.flow.paths import shortest_path
from fabric.layout.growth import GrownFloor, lay_out_stages
from fabric.layout.lay_out import lay_out
from fabric.layout.layout import Layout
from fabric.layout.site_bill import bill_on_site
from fabric.layout.tray_fill import TrayFill, fill_trays
from fabric.layout.wiring import Wiring, wire
from fabric.network import Network
from fabric.network.expand import expand
from fabric.optimizer import (
    OBJECTIVES,
    Alternative,
    BindingLimit,
    BreakEven,
    Candidate,
    FewerHops,
    LinearObjective,
    NearOptimum,
    Proof,
    find_binding_limits,
    find_break_evens,
    find_fewer_hops,
    find_near_optima,
    size,
)
from fabric.presented import Plotted
from fabric.request import Spec
from fabric.request.located_mistakes import locate_mistakes
from fabric.request.request_keys import RequestKeys, list_request_keys
from fabric.request.resolve import read_spec
from fabric.request.site import Site
from fabric.topology.families import known_names, with_family_names
from fabric.view import View, view_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Foresight", "Source", "Study", "design", "read", "read_source", "size_request"]

Source = str | os.PathLike[str] | Mapping[str, Any]
"""What a request is read from: the name of a shipped design, a file, or a mapping."""


@dataclass(frozen=True)
class Foresight:
    """Today's design beside the best one for today's GPUs alone."""

    smallest: Blueprint
    """The best fabric for today's GPUs, by the same objectives, which need not grow."""
    cost_usd: float | None
    """The cost of today's design; None where a part has no price."""
    smallest_usd: float | None
    """The cost of that fabric; None where a part has no price."""

    @property
    def price_usd(self) -> float | None:
        """The price of foresight: how much more today's design costs."""
        return None if self.cost_usd is None or self.smallest_usd is None else self.cost_usd - self.smallest_usd


@dataclass(frozen=True, repr=False)
class Study(Plotted):
    """A request with its design; every quantity is computed when it is first read."""

    spec: Spec
    """The request."""
    blueprint: Blueprint
    """The fabric designed."""
    proof: Proof
    """What the solver proved of it."""
    others: tuple[Alternative, ...] = ()
    """The best of other topologies, where they are within 25 % of the optimum, best first."""
    objectives: tuple[LinearObjective, ...] = ()
    """What was minimised, in order of importance; empty for a point of a Pareto front."""
    near: tuple[Candidate, ...] = field(default=(), compare=False)
    """The topologies that may have fabrics within 1 % of the optimum."""

    def __repr__(self) -> str:
        return f"<Study {self.blueprint}>"

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled and copied: the fields, without what was computed of them."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @cached_property
    def binding(self) -> tuple[BindingLimit, ...] | None:
        """The binding limits (see `fabric.optimizer.find_binding_limits`); None for a point of a Pareto front."""
        return find_binding_limits(self.spec, self.objectives, self.proof.objective) if self.objectives else None

    @cached_property
    def near_optima(self) -> tuple[NearOptimum, ...] | None:
        """The fabrics within 1 % of the optimum with larger pods, fewer parallel links, or rails that meet later.

        See `fabric.optimizer.find_near_optima`; None for a point of a Pareto front.
        """
        if not self.objectives:
            return None
        optimum = [round(self.proof.objectives[each.key] * each.scale) for each in self.objectives]
        return find_near_optima(self.blueprint, self.objectives, optimum, self.near)

    def sensitivity(self, progress: Callable[[str], None] = lambda text: None) -> tuple[BreakEven, ...]:
        """Return how far each price can move before the choice changes.

        Raises InputError unless cost is the first objective, unweighted.
        """
        if self.proof.fabrics_laid_out:
            raise InputError(f"{self.spec.name}: sensitivity does not count lengths on a site; leave out `site`")
        if not self.objectives or self.objectives[0] != OBJECTIVES["cost"]:
            raise InputError(
                f"{self.spec.name}: sensitivity needs cost as the first objective, unweighted, with all prices known"
            )
        return find_break_evens(self.spec, self.blueprint, progress)

    @cached_property
    def fewer_hops(self) -> FewerHops | None:
        """The optimum with two hops fewer on the longest path; None where there is none."""
        asked = self.objectives and OBJECTIVES["hops"].key not in self.proof.objectives
        return find_fewer_hops(self.spec, self.objectives, self.hops.max) if asked else None

    @cached_property
    def network(self) -> Network:
        """The fabric expanded link by link; raises TooLarge when it would not fit in memory."""
        return expand(self.blueprint)

    @cached_property
    def layout(self) -> Layout:
        """The racks in the halls of the request's site, and where every device stands (docs/site.md).

        Where the fabric grows, positions are those in the grown fabric (`grown_floor`), so that nothing moves later.
        """
        if self.stages:
            return self.wiring.layout
        with locate_mistakes(self.spec):
            return lay_out(self.blueprint, self.spec.site, self.network)

    @cached_property
    def wiring(self) -> Wiring:
        """Every cable: its ports, and its length on the layout; raises InputError where no part reaches."""
        if self.grown_floor:
            return self.grown_floor.wiring_at(0, self.blueprint, self.network)
        layout = self.layout
        with locate_mistakes(self.spec):
            return wire(self.spec, self.blueprint, layout)

    @cached_property
    def plan(self) -> Plan:
        """What is bought first with every name, port and cable, from which configurations are exported."""
        return Plan(self.spec, self.blueprint, lambda: self.wiring)

    @cached_property
    def grown_floor(self) -> GrownFloor | None:
        """The racks and cables of all stages of growth, later ones reserved; None where the request asks for none."""
        if not self.stages:
            return None
        with locate_mistakes(self.spec):
            return lay_out_stages(self.spec, [stage.blueprint for stage in self.stages])

    @property
    def planned_wiring(self) -> Wiring:
        """The cables of all stages of growth, those of later stages reserved; `wiring` where nothing grows."""
        return self.grown_floor.wiring if self.grown_floor else self.wiring

    @cached_property
    def tray_fill(self) -> TrayFill:
        """The cables in every stretch of the trays, those of later stages too, and the share of its cross-section."""
        return fill_trays(self.planned_wiring)

    @cached_property
    def bill(self) -> Bill:
        """The bill of materials; with a `site` in the request that of the laid-out fabric, which expands it."""
        if self.spec.site != Site():
            return bill_on_site(self.blueprint, self.wiring)
        return bill(self.blueprint, prices_of(self.spec, self.blueprint))

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of growth, what is bought now first; empty where the request asks for no growth."""
        later = [gpus for gpus in self.spec.stages if gpus > self.spec.gpus]
        return list_stages(self.blueprint, later, prices_of(self.spec, self.blueprint)) if later else ()

    @cached_property
    def foresight(self) -> Foresight | None:
        """What being able to grow costs today; None where nothing grows, and for a point of a Pareto front."""
        if not self.stages or not self.objectives:
            return None
        today = self.spec.without_growth()
        smallest = size(today, self.objectives, lambda text: None).blueprint
        today_usd = bill(self.blueprint, prices_of(self.spec, self.blueprint)).cost_usd()
        return Foresight(smallest, today_usd, bill(smallest, prices_of(today, smallest)).cost_usd())

    @cached_property
    def hops(self) -> Hops:
        """The switches on a path between GPUs of different servers."""
        return hops(self.blueprint)

    @cached_property
    def survives(self) -> dict[str, Fraction]:
        """The guaranteed share of throughput after the loss of one switch of a role, or of one plane."""
        return metrics_of(self.blueprint).survives()

    @cached_property
    def bisection_gbps(self) -> int:
        """The greatest flow from the first half of the servers to the second, in Gb/s, one direction."""
        return bisection_gbps(self.blueprint)

    @cached_property
    def injection_gbps(self) -> int:
        """The bandwidth of all server links together, in Gb/s, one direction."""
        return injection_gbps(self.blueprint)

    def view(self, level: str = "fabric", *, pod: int = 0, unit: int = 0) -> View:
        """Return the view of the fabric at a level: `fabric`, `pod`, `unit` or `device` (see `fabric.view`)."""
        return view_of(self.blueprint, level, pod=pod, unit=unit)

    def diagram(
        self,
        kind: str | Diagram = "tiers",
        *,
        level: str = "fabric",
        pod: int = 0,
        unit: int = 0,
        highlight: tuple[int, int] | None = None,
    ) -> Figure:
        """Return a diagram of the fabric as a matplotlib figure, 7.5 inches wide, which a notebook shows.

        `kind` (`fabric.draw.KINDS`), `level`, `pod` and `unit` are as in `fabric diagram`, and `highlight` are two
        GPUs, to show a path between them; or `kind` is a `fabric.draw.Diagram`, with traffic and a site of your own.
        `figure.axes[0]` covers the page, in points, for further marks. Raises InputError for an unknown kind, level,
        place or GPU.
        """
        if isinstance(kind, str):
            kind = self.place_diagram(Diagram(kind, level, pod, unit, highlight))
        return draw_diagram(self.blueprint, kind, axes=True)

    def place_diagram(self, diagram: Diagram) -> Diagram:
        """Return a diagram on the site of the request, where the fabric grows with the racks of today's stage."""
        placed = bool(self.stages) and KINDS.get_record(diagram.kind).placed
        return replace(diagram, site=self.spec.site, layout=self.layout if placed else None)

    def path(self, source: int, target: int) -> tuple[str, ...]:
        """Return the devices on a shortest path between two GPUs, by name (see `fabric.paths`)."""
        return shortest_path(self.blueprint, source, target)

    def allreduce(self, size_bytes: int, routing: str = "adaptive", algorithm: str | None = None) -> Estimate:
        """Estimate an all-reduce of `size_bytes` over all GPUs (see `fabric.flow.estimate`)."""
        return estimate_all(self.blueprint, "all-reduce", [size_bytes], routing, algorithm)[0]


@list_request_keys
def read(source: Source | None = None, **request: Unpack[RequestKeys]) -> Spec:
    """Read a request: the name of a shipped design, a file, or a mapping; keyword arguments override its keys.

    `family` may be a Family, or list some, which this process then knows by name. Raises InputError with every mistake.
    """
    return read_spec(with_family_names(source), with_family_names(request), names=known_names())


@list_request_keys
def design(
    source: Source | Spec | None = None,
    *,
    progress: Callable[[str], None] | None = None,
    **request: Unpack[RequestKeys],
) -> Study:
    """Design the fabric that `source` asks for (see `read`), proven cheapest among those that the request allows.

    `progress` is called with a few words on each step. Raises InputError for a request that is ill-formed and
    Infeasible, with the limits that bind, for one that no fabric meets.
    """
    return size_request(source, (), progress, request)


def size_request(
    source: Source | Spec | None,
    objectives: Sequence[LinearObjective],
    progress: Callable[[str], None] | None,
    request: RequestKeys,
) -> Study:
    """Return the design that is best in the objectives, by default the cheapest; raises as `design` does."""
    spec = read_source(source, request)
    sized = size(spec, objectives, progress or (lambda text: None))
    return Study(spec, sized.blueprint, sized.proof, sized.alternatives, sized.objectives, sized.near)


def read_source(source: Source | Spec | None, request: RequestKeys) -> Spec:
    """Return a request as it is, or read it; raises InputError as `read` does, and for a Spec with further keys."""
    if isinstance(source, Spec) and request:
        keys = ", ".join(map(str, request))
        raise InputError(f"{keys}: a Spec is already read and takes no further keys; give the name, file or mapping")
    return source if isinstance(source, Spec) else read(source, **request)
