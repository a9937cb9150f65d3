"""The candidates of a request: each allowed topology on each allowed number of planes, or why it is ruled out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain, product
from math import gcd
from operator import itemgetter
from typing import cast

from fabric.blueprint.port_rules import PortRule, Rates, has_ports, has_unlike_links, port_rules, rates_at, shares_ports
from fabric.blueprint.prices import Prices, bundle_ends, unknown
from fabric.catalog import Switch
from fabric.errors import InputError
from fabric.frozen import freeze
from fabric.optimizer.family_objections import EQUAL_SERVERS, check_names, object_to_family
from fabric.optimizer.link_layers import describe_clash, list_link_layers, with_link_layer
from fabric.optimizer.link_rates import rate_choices
from fabric.optimizer.port_objections import ask_breakouts, missing_ports, refuse_unlike_ports
from fabric.request import Spec
from fabric.topology.clos import ClosForm
from fabric.topology.families import family
from fabric.topology.topology import PLANE, Bundle, Topology
from fabric.topology.unlike_servers import UnlikeForm

__all__ = ["Candidate", "Rejected", "allowed_sizes", "candidates", "list_attachments"]


@dataclass(frozen=True)
class Candidate:
    """One topology on one number of planes."""

    spec: Spec
    """The request."""
    topology: Topology
    """The topology."""
    planes: int
    """The number of planes."""
    models: Mapping[str, tuple[Switch, ...]]
    """For each role the switch models allowed that have ports at the rate of the links."""
    prices: Prices
    """The prices of parts at that rate."""

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def link_gbps(self) -> int:
        """The rate of a host link."""
        return self.prices.link_gbps

    def with_spec(self, spec: Spec) -> Candidate:
        """Return the candidate for another request, with the server as it takes it."""
        return replace(self, spec=replace(spec, server=self.spec.server, rails=self.spec.rails))

    def rate(self, bundle: Bundle) -> int:
        """Return the rate of the links of `bundle`."""
        return self.prices.rate(bundle.name)

    def rates_at(self, role: str) -> Rates:
        """Return the rates of the links down and up of the switches of `role`."""
        return self._rates[role]

    @cached_property
    def _rates(self) -> dict[str, Rates]:
        return {role: rates_at(self.topology, self.prices.rates, role) for role in self.topology.roles}

    @property
    def has_like_ports(self) -> bool:
        """Whether links down and up use the same ports in the same way at every switch."""
        roles = self.models.items()
        return all(shares_ports(model, self.rates_at(role)) for role, models in roles for model in models)

    def port_rules(self, role: str) -> tuple[tuple[PortRule, ...], ...]:
        """Return what the links of a switch must keep to, for each model allowed for `role`."""
        return tuple(port_rules(model, self.rates_at(role)) for model in self.models[role])

    def is_like(self, other: Candidate) -> bool:
        """Say whether another candidate of the same request has the same fabrics, at whatever prices."""
        mine, theirs = (
            (each.planes, each.models, each.topology, each.spec.server, dict(each.prices.rates))
            for each in (self, other)
        )
        return mine == theirs

    def unknown(self, fact: str) -> tuple[str, ...]:
        """Return the parts whose price, power, maximum power or height (`fact`) is not known."""
        models = [model for allowed in self.models.values() for model in allowed]
        return unknown(self.prices, fact, models, (bundle.name for bundle in self.topology.bundles))

    def radix(self, role: str) -> tuple[int, ...]:
        """Return the ports of each model allowed for `role` for links down."""
        down = self.rates_at(role).down
        return tuple(model.radix(down) for model in self.models[role])

    @cached_property
    def counts_whole_ports(self) -> bool:
        """Whether the limit on ports counts whole ones in every tier, as links of several rates split those of some."""
        roles = self.models.items()
        return any(has_unlike_links(model, self.rates_at(role)) for role, models in roles for model in models)

    def counted_ports(self, role: str, *, uplinks: bool = False) -> tuple[int, ...]:
        """Return the ports of each model allowed for `role` that the limit on ports, or on uplinks, counts."""
        rates, models = self.rates_at(role), self.models[role]
        if uplinks:
            return tuple(model.uplinks.radix(rates.up) if model.uplinks and rates.up else 0 for model in models)
        return tuple(model.ports if self.counts_whole_ports else model.radix(rates.down) for model in models)

    def counted_gbps(self, role: str) -> int:
        """Return the rate at which the limit on the ports of `role` counts them, of the model that has most."""
        _, model = max(zip(self.counted_ports(role), self.models[role], strict=True), key=itemgetter(0))
        return model.rate_gbps if self.counts_whole_ports else self.rates_at(role).down

    def widest(self, role: str) -> int:
        """Return the most ports that any model allowed for `role` has for links down, or for links up."""
        rates, models = self.rates_at(role), self.models[role]
        down = (each.radix(rate) for each in models for rate in rates.every_down)
        return max(*down, *(each.upward.radix(rates.up or rates.down) for each in models))

    def mixes(self, role: str) -> bool:
        """Return whether `role` may have several models: where there are several, and one of limited stock."""
        models = self.models[role]
        return len(models) > 1 and any(model.name in self.spec.available for model in models)

    def __str__(self) -> str:
        meets = (
            f", rails meeting at the {self.topology.rails_meet_at}"
            if "rail" in self.topology.rail_axes and self.topology.rails_meet_at
            else ""
        )
        server = self.spec.server
        planes = f" on {self.planes} planes" if self.planes > 1 else ""
        bonded = ", each NIC on one of them" if server.cards > 1 else ""
        unlike = dict.fromkeys(
            gbps for each in self.topology.fabric_bundles if (gbps := self.rate(each)) != self.link_gbps
        )
        rates = f" with uplinks of {' and '.join(f'{rate}G' for rate in unlike)}" if unlike else ""
        return f"{self.topology.family} in {self.topology.size_label}{meets}{planes}{bonded}{rates}"


def allowed_sizes(spec: Spec, axis: str) -> tuple[int, ...] | None:
    """Return the sizes of a rail or stripe axis that the request or the server allows; None where any will do."""
    server = spec.server
    if axis == "rail":
        return spec.rails or (server.rails or server.nics,)
    if axis == "stripe":
        trays = gcd(*(each.trays for each in spec.every_server))
        return tuple(n for n in range(1, trays + 1) if trays % n == 0)
    return None


@dataclass(frozen=True)
class Rejected:
    """A candidate that was ruled out before it was solved."""

    topology: Topology
    """The topology."""
    name: str
    """The topology and its planes, in words."""
    reason: str
    """Why it is ruled out."""
    unknown: str = ""
    """The key of the request by which a fact that is not known rules it out, so that it might meet the request."""
    clash: bool = False
    """Whether the switches named for its tiers have no link layer in common."""
    lacks_ports: bool = False
    """Whether no switch allowed for one of its tiers has ports at the rate of the links."""


def candidates(spec: Spec, needs: Sequence[str]) -> tuple[list[Candidate], list[Rejected]]:
    """Return the candidates of `spec` and the rejected ones with their reasons.

    Where a role allows several models, those for which every fact in `needs` is known are kept if there are any. Raises
    InputError when no topology allowed has a pinned axis.
    """
    topologies = list_topologies(spec)
    if spec.uplink_spread == "balanced":
        topologies = [form.balanced() for form in topologies]
    check_names(spec, topologies)
    if spec.pod_gpus and topologies and all(form.servers_sharing(2) is None for form in topologies):
        raise InputError(f"pod_gpus: {', '.join(spec.families)} has no pods, which share spines; leave it out")
    found: list[Candidate] = []
    rejected: list[Rejected] = []
    for topology in topologies:
        name = f"{topology.family} in {topology.size_label}"
        if spec.kinds and not topology.takes_unlike_servers:
            rejected.append(Rejected(topology, name, EQUAL_SERVERS))
            continue
        if clash := describe_clash(spec, topology):
            rejected.append(Rejected(topology, name, clash, clash=True))
            continue
        for planes, layer in product(spec.planes, list_link_layers(spec, topology)):
            tried: list[Rejected] = []
            for asked in list_attachments(spec, topology):
                results = [*_try_candidates(asked, topology, planes, layer, needs)]
                tried += (each for each in results if isinstance(each, Rejected))
                if fits := [each for each in results if isinstance(each, Candidate)]:
                    found += fits
                    break
            else:
                rejected += tried
    return found, rejected


def list_topologies(spec: Spec) -> list[Topology]:
    """Return the topologies that a request allows, with its kinds of servers where these are unlike.

    A family that is asked for alone, with rails, keeps them apart in one tier too, where they then never meet.
    """
    forms = [form for name in spec.families for form in family(name).forms if form.tiers in spec.tiers]
    asked = len(spec.families) == 1 and "rails" not in spec.left_to_family and any(number > 1 for number in spec.rails)
    apart = family(spec.families[0]).rails_apart if asked else None
    forms = [apart if apart and form.tiers == apart.tiers else form for form in forms]
    return [_with_kinds(spec, form) if spec.kinds and form.takes_unlike_servers else form for form in forms]


def _with_kinds(spec: Spec, form: Topology) -> Topology:
    kinds = tuple(kind.name for kind in spec.kinds)
    return UnlikeForm.of(cast(ClosForm, form), kinds, together=spec.mix == "together")


def list_attachments(spec: Spec, topology: Topology) -> list[Spec]:
    """Return the request by the ways to attach the NICs of a server to planes or levels; the first that works is taken.

    Each NIC has a port in every plane, at a part of its rate. Where planes are left to a family that is built on
    several, and the NICs are a multiple of them, a NIC may also be the port to one plane.
    """
    own = family(topology.family)
    planes = own.own_planes(topology)
    if planes == 1 or "planes" not in spec.left_to_family or spec.server.nics % planes or spec.kinds:
        return [spec]
    server = spec.server.bond_nics(planes)
    # A rail for each NIC becomes one for each port in a plane; other rails stay, where the ports are a multiple.
    each = "rails" in spec.left_to_family and spec.rails == (spec.server.nics,)
    rails = (server.nics,) if each else tuple(number for number in spec.rails if server.nics % number == 0)
    bonded = [replace(spec, server=server, rails=rails)] if rails or not topology.rail_axes else []
    return [*bonded, spec] if own.port_per_server else [spec, *bonded]


def _try_candidates(
    spec: Spec, topology: Topology, planes: int, layer: str | None, needs: Sequence[str]
) -> Iterator[Candidate | Rejected]:
    """Yield the candidates of a topology, one for each choice of the rates of its links, or why one is ruled out."""
    allowed = {role: with_link_layer(spec.models(role), layer) for role in topology.roles}
    for rates in rate_choices(spec, topology, planes, allowed):
        candidate = _make_candidate(spec, topology, planes, allowed, rates, needs)
        yield next(_refusals(candidate, allowed), candidate)


def _refusals(candidate: Candidate, allowed: Mapping[str, tuple[Switch, ...]]) -> Iterator[Rejected]:
    """Yield why a candidate is ruled out, what cannot be built before what is not known."""
    refuse = partial(Rejected, candidate.topology, str(candidate))
    yield from map(refuse, _objections(candidate))
    yield from (refuse(reason, lacks_ports=True) for reason in missing_ports(candidate, allowed))
    yield from map(refuse, refuse_unlike_ports(candidate))
    unknown = chain(ask_breakouts(candidate, allowed), _link_objections(candidate))
    yield from (refuse(reason, unknown=key) for key, reason in unknown)


def _make_candidate(
    spec: Spec,
    topology: Topology,
    planes: int,
    allowed: Mapping[str, tuple[Switch, ...]],
    rates: Mapping[str, int],
    needs: Sequence[str],
) -> Candidate:
    gbps = spec.plane_gbps(planes)
    models = {
        role: _usable_models(Prices(spec, gbps), models, rates_at(topology, rates, role), needs)
        for role, models in allowed.items()
    }
    ends = bundle_ends(spec.servers_by_role(topology.server.role), topology, planes, models, rates)
    prices = Prices(spec, gbps, rates, ends)
    return Candidate(spec, topology, planes, models, prices)


def _usable_models(
    prices: Prices, models: tuple[Switch, ...], rates: Rates, needs: Sequence[str]
) -> tuple[Switch, ...]:
    """Return the models with ports at the rates; if there are any, those with all facts needed to compare them."""
    fits = tuple(model for model in models if has_ports(model, rates))
    known = tuple(model for model in fits if not any(unknown(prices, fact, [model], ()) for fact in needs))
    return known or fits


def _objections(candidate: Candidate) -> Iterator[str]:
    spec, topology, planes = candidate.spec, candidate.topology, candidate.planes
    for server in spec.every_server:
        if not spec.host_gbps(server, planes):
            yield f"a NIC of {server.nic_gbps}G does not split evenly over {planes} planes"
    if spec.pinned.get(PLANE, planes) != planes:
        yield f"pinned.plane is {spec.pinned[PLANE]}"
    yield from object_to_family(spec, topology, planes)
    for axis, size in spec.pinned.items():
        sizes = allowed_sizes(spec, axis)
        if axis not in topology.size_names:
            yield f"it has no axis or bundle '{axis}', which is pinned"
        elif sizes and size not in sizes:
            yield f"pinned.{axis} {size} is not {' or '.join(map(str, sizes))}"
    yield from (f"the request names no switch for the {role}" for role in topology.roles if not spec.models(role))


def _link_objections(candidate: Candidate) -> Iterator[tuple[str, str]]:
    """Yield why no known parts make the links that the request asks for, each with the key that asks."""
    for bundle in candidate.topology.bundles:
        if reason := candidate.prices.refusal(bundle.name):
            yield reason
