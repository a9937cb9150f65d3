"""What the ports of a switch model can hold: links down and up, at one rate or two, on one kind of port or two.

Where a model has uplinks of their own, links up use those and no others. Otherwise links down and up share its ports,
and of a port that is split all parts run at one rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric.catalog import PortGroup, Switch
from fabric.topology.topology import Topology

__all__ = [
    "PortRule",
    "Rates",
    "has_ports",
    "has_unlike_links",
    "may_have_ports",
    "most_down",
    "most_links",
    "port_rules",
    "ports_of",
    "rates_at",
    "shares_ports",
]


@dataclass(frozen=True)
class Rates:
    """The rates of the links of one role's switches, in Gb/s."""

    down: int
    """The rate of the links down; of unlike servers that of the fastest."""
    up: int
    """The rate of the links up, or to others of its kind; 0 where there are none."""
    others: tuple[int, ...] = ()
    """The other rates of links down, those of slower servers."""

    @property
    def every_down(self) -> tuple[int, ...]:
        """The rates of all links down."""
        return (self.down, *self.others)


def rates_at(topology: Topology, rates: Mapping[str, int], role: str) -> Rates:
    """Return the rates at the switches of `role`, given those of all bundles by name."""
    sides = topology.port_sides(topology.group(role))
    down, up = ([rates[bundle.name] for bundle, _, upward in sides if upward == wanted] for wanted in (False, True))
    fastest, *others = sorted(set(down or up), reverse=True)
    return Rates(fastest, up[0] if up else 0, tuple(others))


def ports_of(model: Switch, upward: bool) -> PortGroup:
    """Return the ports of a model that links up use, or those that links down use."""
    return model.upward if upward else model


def has_ports(model: Switch, rates: Rates) -> bool:
    """Say whether a model has ports at both rates."""
    return all(map(model.radix, rates.every_down)) and bool(not rates.up or model.upward.radix(rates.up))


def may_have_ports(model: Switch, rates: Rates) -> bool:
    """Say whether a model may have ports at both rates for all that is known, and has not for all that is."""
    sides = (*((model, rate) for rate in rates.every_down), (model.upward, rates.up))
    may = (not rate or ports.radix(rate) or ports.may_split(rate) for ports, rate in sides)
    return not has_ports(model, rates) and all(may)


def shares_ports(model: Switch, rates: Rates) -> bool:
    """Say whether links down and up use the same ports in the same way."""
    return model.uplinks is None and rates.up in (0, rates.down) and not rates.others


@dataclass(frozen=True)
class PortRule:
    """A bound on a device's links: `down` times those down and `up` times those up are together at most `most`."""

    down: int
    """The factor of the links down."""
    up: int
    """The factor of the links up."""
    most: int
    """The bound."""


def port_rules(model: Switch, rates: Rates) -> tuple[PortRule, ...]:
    """Return what the links of a model must keep to; split ports that both sides share count in fractions of a port."""
    down = model.radix(rates.down)
    if shares_ports(model, rates):
        return (PortRule(1, 1, down),)
    if not rates.up:
        return (PortRule(1, 0, down),)
    apart = (PortRule(1, 0, down), PortRule(0, 1, model.upward.radix(rates.up)))
    if model.uplinks is not None:
        return apart
    each_down, each_up = model.links_per_port(rates.down), model.links_per_port(rates.up)
    return (PortRule(each_up, each_down, model.ports * each_down * each_up), *apart)


def has_unlike_links(model: Switch, rates: Rates) -> bool:
    """Say whether links of several rates use the ports of a model, uplinks of their own not counted."""
    return bool(rates.others) or not (model.uplinks or shares_ports(model, rates))


def most_down(model: Switch, rates: Rates, up: int) -> int:
    """Return the most links down that fit beside `up` links up."""
    if model.uplinks is not None:
        return model.radix(rates.down)
    if not up or shares_ports(model, rates):
        return model.radix(rates.down) - up
    whole = model.ports - -(-up // model.links_per_port(rates.up))
    return min(model.radix(rates.down), whole * model.links_per_port(rates.down))


def most_links(model: Switch, rates: Rates, up: int) -> int:
    """Return the most links that a model holds, `up` of them leading up; uplinks of their own count whole."""
    if model.uplinks is None:
        return most_down(model, rates, up) + up
    return model.radix(rates.down) + (model.uplinks.radix(rates.up) if rates.up else model.uplinks.ports)
