"""A sized fabric: a topology with a number for every size and a switch model in every role, and its counts.

Every count is in closed form, so a blueprint of a million GPUs costs microseconds; the network lays the same one out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from fabric import units
from fabric.blueprint.port_rules import Rates, most_links, rates_at
from fabric.catalog import Collectives, LibrarySettings, Server, Switch, collectives
from fabric.frozen import freeze
from fabric.presented import Presented
from fabric.request.spec import Appliance
from fabric.topology.polynomial import Expression, evaluate
from fabric.topology.topology import PLANE, Bundle, Group, Topology

__all__ = ["Blueprint"]


@dataclass(frozen=True, repr=False)
class Blueprint(Presented):
    """A topology with all sizes and models chosen."""

    name: str
    """The name of the request."""
    topology: Topology
    """The groups of devices and the bundles of links."""
    sizes: Mapping[str, int]
    """The size of every axis, of every bundle (its parallel links), and of what follows (`Topology.complete_sizes`)."""
    models: Mapping[str, Switch]
    """The switch model of every role; where a role mixes several, the one used most."""
    server: Server
    """The server; of unlike ones the first kind with GPUs."""
    gpus: int
    """The GPUs asked for; the last server may be used in part."""
    link_gbps: int
    """The rate of each host link in Gb/s, one direction."""
    mixes: Mapping[str, tuple[tuple[Switch, int], ...]] = field(default_factory=dict)
    """The models of the roles that mix several, each with its number of devices, in the order of the devices."""
    allowed: Mapping[str, tuple[Switch, ...]] = field(default_factory=dict)
    """The models among which those of each role were chosen, which the parts of the links all fit; default: those."""
    kinds: Mapping[str, Server] = field(default_factory=dict)
    """The servers of each kind by role, where they are unlike."""
    appliances: tuple[Appliance, ...] = ()
    """The boxes that take ports of switches beside the servers."""
    growth: Mapping[str, tuple[tuple[Switch, int], ...]] = field(default_factory=dict)
    """The models of the switches that growth adds, of the roles whose stock is limited; others add the main model."""
    rates: Mapping[str, int] = field(default_factory=dict)
    """The rate of the links of each bundle in Gb/s, one direction; that of the host links where left out."""
    constants: Collectives = field(default_factory=collectives, repr=False)
    """The constants of its estimates: the catalogue's, or those of the request's calibration."""
    library: LibrarySettings = field(default_factory=LibrarySettings)
    """What is set of the collective library."""
    today: Blueprint | None = None
    """The fabric bought first, where this is a later stage of it: its devices are the first ones of each role."""

    def __post_init__(self) -> None:
        freeze(self)

    def __str__(self) -> str:
        ends = units.count_ends(self.gpus, self.servers)
        parts = (units.count_noun(self.switches, "switch", "switches"), units.count_noun(self.links_total, "link"))
        return f"{self.name}: {self.topology.family}, {ends}, {', '.join(parts)}"

    def __repr__(self) -> str:
        return f"<Blueprint {self}>"

    @property
    def servers(self) -> int:
        return self.sizes[self.topology.servers_name]

    @property
    def servers_by_role(self) -> Mapping[str, Server]:
        """The servers of each kind by role."""
        return self.kinds or {self.topology.server.role: self.server}

    def servers_for(self, gpus: int) -> int:
        """Return the servers of a later stage with this number of GPUs; of unlike servers the last kind grows."""
        if not self.kinds:
            return -(-gpus // self.server.gpus)
        growing = self.kinds[self.topology.server_groups[-1].role]
        more = gpus - self.gpus
        return self.servers + (-(-more // growing.gpus) if more else 0)

    @property
    def nics(self) -> int:
        """The NICs of all servers."""
        return sum(self.devices(role) * server.nics for role, server in self.servers_by_role.items())

    @property
    def cards(self) -> int:
        """The NICs that are bought for all servers; one that serves several planes alone counts once."""
        return sum(self.devices(role) * server.cards_total for role, server in self.servers_by_role.items())

    @property
    def planes(self) -> int:
        return self.sizes[PLANE]

    @property
    def tiers(self) -> int:
        return self.topology.tiers

    @property
    def leaves_per_server(self) -> int:
        """The leaves of one plane over which a server's NICs are spread: 8 on an 8-rail fabric, 1 on a fat tree."""
        return math.prod(self.sizes[axis] for axis in self.topology.rail_axes)

    @property
    def rails(self) -> int:
        """The rails, 1 where the topology has none."""
        return self.sizes.get("rail", 1)

    @property
    def unit_gpus(self) -> int | None:
        """The GPUs of a full unit, whose servers share their leaves; None where the topology has no units."""
        return self._gpus_sharing(1)

    @property
    def pod_gpus(self) -> int | None:
        """The GPUs of a full pod, whose servers share their spines: of up to two tiers all; None without pods."""
        return self._gpus_sharing(2)

    def _gpus_sharing(self, tier: int) -> int | None:
        """Return the GPUs of a full place, or all where one place is the whole fabric; None where none stand."""
        sharing = self.topology.servers_sharing(tier)
        if sharing is None or not self.gpus:
            return None
        servers = self.evaluate(sharing)
        return self.gpus if servers >= self.topology.capacity(self.sizes) else servers * self.server.gpus

    def evaluate(self, quantity: Expression) -> int:
        """Return the count, a product of sizes or a sum of such."""
        return int(evaluate(quantity, self.sizes))

    def devices(self, role: str) -> int:
        """Return the number of devices of `role`, the servers included."""
        return self.evaluate(self.topology.devices(self.topology.group(role)))

    def model_counts(self, role: str) -> tuple[tuple[Switch, int], ...]:
        """Return the models of `role`, each with its number of devices; mostly there is one."""
        return self.mixes.get(role) or ((self.models[role], self.devices(role)),)

    @property
    def inner_hops(self) -> tuple[int, ...]:
        """The hops of the longest path through a switch of each role, from the leaf up: 1 but for directors."""
        return tuple(max(model.inner_hops for model, _ in self.model_counts(role)) for role in self.topology.roles)

    @property
    def allowed_models(self) -> dict[str, tuple[Switch, ...]]:
        """The models that the parts of the links must fit, by role."""
        chosen = {role: tuple(model for model, _ in self.model_counts(role)) for role in self.topology.roles}
        return chosen | dict(self.allowed)

    @property
    def link_layer(self) -> str | None:
        """`ethernet` or `infiniband`, which no fabric mixes; None where it is not known of every switch."""
        layers = {model.link_layer for role in self.topology.roles for model, _ in self.model_counts(role)}
        return layers.pop() if len(layers) == 1 else None

    @property
    def switches(self) -> int:
        return sum(self.devices(role) for role in self.topology.roles)

    @property
    def rack_units(self) -> int | None:
        """The rack units of all switches; None where a model's height is unknown."""
        pairs = [pair for role in self.topology.roles for pair in self.model_counts(role)]
        heights = [count * model.rack_units for model, count in pairs if model.rack_units is not None]
        return sum(heights) if len(heights) == len(pairs) else None

    def links(self, bundle: Bundle) -> int:
        """Return the links of `bundle`."""
        return self.evaluate(self.topology.links(bundle))

    def appliance_ports(self, appliance: Appliance) -> int:
        """Return the ports that an appliance takes, in all units where every unit has one."""
        units = self.topology.units_of(self.topology.group(appliance.tier)) if appliance.per_unit else None
        return appliance.ports * (self.evaluate(units[0]) if units else 1)

    def priced_links(self, bundle: Bundle) -> int:
        """Return the links that cost and draw as those of `bundle` do: its own, and those of appliances above it."""
        below = self.topology.bundle_below
        own = (each for each in self.appliances if below(each.tier) == bundle)
        return self.links(bundle) + sum(map(self.appliance_ports, own))

    @property
    def links_total(self) -> int:
        return sum(self.links(bundle) for bundle in self.topology.bundles)

    @property
    def parallel_links(self) -> int:
        """The most links between two switches; 0 where no two are joined."""
        bundles = (bundle for bundle in self.topology.fabric_bundles if self.links(bundle))
        return max((bundle.most_parallel(self.sizes) for bundle in bundles), default=0)

    @property
    def rails_meet_tier(self) -> int:
        """The tier at which rails meet, 1 being the leaf; one above the top where they never do, 0 without rails."""
        role, roles = self.topology.rails_meet_at, self.topology.roles
        return 0 if self.rails == 1 else roles.index(role) + 1 if role else len(roles) + 1

    def ports_down(self, role: str) -> int:
        """Return the links below one device of `role`, when its part of the placement is full."""
        return sum(map(self.evaluate, self.topology.ports_down(self.topology.group(role))))

    def ports_up(self, role: str) -> int:
        """Return the links above one device of `role`."""
        return sum(map(self.evaluate, self.topology.ports_up(self.topology.group(role))))

    def radix(self, role: str) -> int:
        """Return the links that any one switch of `role` can end, at the rates of its links down and up."""
        rates, up = self.rates_at(role), self.links_up(role)
        return min(most_links(model, rates, up) for model, _ in self.model_counts(role))

    def links_up(self, role: str) -> int:
        """Return the links of one device of `role` that lead up, or to other switches."""
        sides = self.topology.port_sides(self.topology.group(role))
        return sum(self.evaluate(ports) for _, ports, upward in sides if upward)

    def rate(self, bundle: Bundle) -> int:
        """Return the rate of the links of `bundle` in Gb/s, one direction."""
        return self.rates.get(bundle.name, self.link_gbps)

    @property
    def bundle_rates(self) -> dict[str, int]:
        """The rate of the links of every bundle in Gb/s, by name."""
        return {bundle.name: self.rate(bundle) for bundle in self.topology.bundles}

    def rates_at(self, role: str) -> Rates:
        """Return the rates of the links down and up of the switches of `role`."""
        return rates_at(self.topology, self.bundle_rates, role)

    def oversubscription(self, role: str) -> Fraction | None:
        """Return the oversubscription at `role`; None where nothing limits traffic there, as at the top of a Clos."""
        return self.topology.oversubscription(self.topology.group(role), self.sizes, self.bundle_rates)

    def capacity(self, bundle: Bundle) -> int:
        """Return the bandwidth of `bundle` in Gb/s, one direction."""
        return self.links(bundle) * self.rate(bundle)

    def port_fills(self, group: Group) -> tuple[tuple[int, int], ...]:
        """Return pairs of a number of devices of `group` and the ports each of them has in use, in order."""
        return tuple((count, sum(ports)) for count, ports in self.bundle_fills(group))

    def bundle_fills(self, group: Group) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Return the same pairs with the ports by bundle, in the order of the topology's bundles."""
        return self.topology.bundle_fills(group, self.sizes)
