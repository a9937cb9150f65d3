"""The least that a fabric can cost when it is laid out on its site: each link with the cheapest part for its length.

How long links are is known when racks stand. Before, a bound on how many can be short is enough, by the devices that
fit into the rack of a switch and the racks that fit within a few metres of it. So the links of a bundle cost at
least what they would if as many as that were short, and all others as long as a part reaches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from fabric.catalog import Server, Switch
from fabric.layout.device_facts import ASSUMED_SWITCH_UNITS, facts_of
from fabric.layout.layout import FOOT_M, UNIT_M
from fabric.layout.routes import IN_RACK_M
from fabric.optimizer.candidates import Candidate, allowed_sizes
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.objectives import COST
from fabric.request.site import Hall, Site
from fabric.topology.topology import Bundle, Group

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

    from fabric.optimizer.model import Model

__all__ = ["bound_site_cost", "count_positions"]


@dataclass(frozen=True)
class _Step:
    """What links of up to some length cost at least."""

    reach_m: float
    """The length."""
    cents: int
    """The price of the cheapest parts of a link of that length, in whole cents, rounded down."""


def bound_site_cost(candidate: Candidate) -> LinearObjective:
    """Return the objective that no fabric of a candidate is below when it is laid out on the site of its request."""
    steps = {bundle.name: _list_steps(candidate, bundle) for bundle in candidate.topology.bundles}

    def expression(model: Model) -> cp_model.LinearExprT:
        cost: Any = COST.expression(model)
        for bundle in model.topology.bundles:
            each, links = steps[bundle.name], model.priced_links(bundle)
            if each:
                cost += (each[-1].cents - (candidate.prices.link_cents(bundle.name) or 0)) * links
            for step, further in pairwise(each):
                cost -= (further.cents - step.cents) * _count_within(model, bundle, step.reach_m)
        return cast("cp_model.LinearExprT", cost)

    return replace(COST, expression=expression, adds_up=all(len(each) < 2 for each in steps.values()))


def _list_steps(candidate: Candidate, bundle: Bundle) -> list[_Step]:
    """Return the prices of a bundle's links by length, the shortest first; those shorter than any can be left out."""
    found: list[_Step] = []
    for reach, price in reversed(candidate.prices.list_reaches(bundle.name)):
        cents = math.floor(100 * price)
        if found and not candidate.spec.appliances and _count_near(candidate, bundle, reach) == 0:
            break
        if not found or cents < found[-1].cents:
            found.append(_Step(reach, cents))
    return found[::-1]


def _count_within(model: Model, bundle: Bundle, reach_m: float) -> Any:
    """Return a count that may be as high as the number of a bundle's links of at most some length can be."""
    near, links = _count_near(model.candidate, bundle, reach_m), model.priced_links(bundle)
    if near is None:
        return links
    own = sum(each.ports for each in model.candidate.spec.appliances)
    units = model.upper(model.devices(bundle.upper)) if own else 0
    within = model.var(model.upper(model.links(bundle)) + own * (1 + units), f"short {bundle.name}", least=0)
    model.cp.add(within <= links)
    # A link among equal devices is near to both. Appliances stand anywhere, so that all of their links may be short.
    ends = 2 if bundle.lower == bundle.upper else 1
    model.cp.add(ends * within <= near * model.devices(bundle.upper) + ends * (links - model.links(bundle)))
    return within


def _count_near(candidate: Candidate, bundle: Bundle, reach_m: float) -> int | None:
    """Return the most links of at most some length that an upper device has; None where that may be all."""
    site, reach = candidate.spec.site, reach_m - candidate.spec.site.slack_m
    lower = _most_in_rack(candidate, bundle.lower)
    same = _most_beside(candidate, bundle) if reach >= IN_RACK_M else 0
    units = max(rack.units for rack in site.racks.values())
    above = max(0.0, site.trays.height_m - FOOT_M - units * UNIT_M)
    racks = count_positions(site, reach - 2 * above)
    most = (same + racks * lower) * _most_parallel(candidate, bundle)
    widest = max(candidate.widest(bundle.upper.role), 1)
    return None if most >= widest else most


def count_positions(site: Site, metres: float) -> int:
    """Return how many rack positions can be within a way along trays of one, itself left out.

    Rows without end, with trays everywhere, have no fewer; halls beside each other may have as many each.
    """
    halls = site.halls or (Hall("", 1, 1),)
    pitch, rows = (min(getattr(hall, name) for hall in halls) for name in ("rack_pitch_m", "row_pitch_m"))
    if metres < pitch - 1e-9 and metres < rows - 1e-9:
        return 0 if len(halls) == 1 else len(halls) - 1
    around = 0
    for row in range(-int(metres / rows + 1e-9), int(metres / rows + 1e-9) + 1):
        around += 2 * int((metres - abs(row) * rows) / pitch + 1e-9) + 1
    return around * len(halls) - 1


def _most_beside(candidate: Candidate, bundle: Bundle) -> int:
    """Return the most lower devices of a bundle in the rack of an upper one."""
    site, among_servers = candidate.spec.site, candidate.spec.site.layout == "in-rack"
    leaf = candidate.topology.switch_groups[0]
    if bundle.lower in candidate.topology.server_groups and not among_servers:
        return 0  # all switches have racks of their own
    if bundle.lower == leaf != bundle.upper and among_servers:
        return 0  # leaves stand among servers, and switches above them do not
    units = max(rack.units for rack in site.racks.values()) - _least_units(candidate, bundle.upper)
    return max(0, min(_most_in_rack(candidate, bundle.lower), units // _least_units(candidate, bundle.lower)))


def _most_in_rack(candidate: Candidate, group: Group) -> int:
    """Return the most devices of a group that a rack holds, by units, power and weight as they are known."""
    facts = [facts_of(part, candidate.spec.site, usual, own_rack=own) for part, usual, own in _parts(candidate, group)]
    racks = candidate.spec.site.racks.values()
    return max(max(each.most_in(rack), len(rack.switch_units)) for each in facts for rack in racks)


def _least_units(candidate: Candidate, group: Group) -> int:
    site = candidate.spec.site
    return max(1, min(facts_of(part, site, usual, own_rack=own).units for part, usual, own in _parts(candidate, group)))


def _parts(candidate: Candidate, group: Group) -> Sequence[tuple[Server | Switch, int, bool]]:
    """Return the models that a group's devices may be, with the height assumed of each, and if it is a rack itself."""
    if group in candidate.topology.server_groups:
        server = candidate.spec.servers_by_role(candidate.topology.server.role)[group.role]
        return [(server, server.gpus or 1, server.trays > 1)]
    return [(model, ASSUMED_SWITCH_UNITS, False) for model in candidate.models[group.role]]


def _most_parallel(candidate: Candidate, bundle: Bundle) -> int:
    """Return the most links between a lower and an upper device."""
    if bundle.lower in candidate.topology.server_groups:
        server = candidate.spec.servers_by_role(candidate.topology.server.role)[bundle.lower.role]
        sizes = [allowed_sizes(candidate.spec, axis) or (1,) for axis in candidate.topology.rail_axes]
        return -(-server.nics // math.prod(map(min, sizes)))
    models, rate = (*candidate.models[bundle.lower.role], *candidate.models[bundle.upper.role]), candidate.rate(bundle)
    split = max(ports.links_per_port(rate) for model in models for ports in (model, model.upward))
    return candidate.spec.limits.parallel_links * split
