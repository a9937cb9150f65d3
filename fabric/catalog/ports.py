"""The ports of a switch, and what they say of links, cages and connectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PortGroup"]

TWIN_PORT_GBPS = 800
"""The rate of a cage from which its modules have two fibre connectors: twin-port OSFP modules, 2 x 400G and faster."""


@dataclass(frozen=True)
class PortGroup:
    """Equal ports of a switch."""

    name: str
    """Its name: of the switch, or of some of its ports."""
    ports: int
    """Its ports at the full rate."""
    rate_gbps: int
    """The full rate of a port in Gb/s."""
    breakouts: Mapping[int, int] | None = None
    """The total ports by each slower rate in Gb/s, when all ports are split to it; empty where no port splits, and None
    where that is not known."""
    cages: int | None = None
    """Its transceiver cages; None means one per port."""
    cage: str = ""
    """The form factor of its cages, such as `osfp` or `qsfp56`; empty where it is not known."""
    connectors: int | None = None
    """The fibre connectors of a module in one cage; None means one per native port, and two from 800 Gb/s a cage on."""
    cage_power_w: float | None = None
    """The most power that a module in one cage may draw."""

    def radix(self, rate_gbps: int) -> int:
        """Return the number of ports at `rate_gbps`; 0 where the ports do not run at that rate."""
        return self.ports if rate_gbps == self.rate_gbps else (self.breakouts or {}).get(rate_gbps, 0)

    def may_split(self, rate_gbps: int) -> bool:
        """Say whether the ports may run at a slower `rate_gbps` for all that is known: no breakouts are."""
        return self.breakouts is None and rate_gbps < self.rate_gbps and self.rate_gbps % rate_gbps == 0

    def links_per_cage(self, rate_gbps: int) -> int:
        """Return the most links of `rate_gbps` in one cage, and so in one module."""
        return -(-self.radix(rate_gbps) // (self.cages or self.ports))

    def links_per_port(self, rate_gbps: int) -> int:
        """Return the links of `rate_gbps` into which one port of the full rate is split; 1 at the full rate."""
        return -(-self.radix(rate_gbps) // self.ports)

    def links_per_connector(self, rate_gbps: int) -> int:
        """Return the links of `rate_gbps` that share one fibre connector; two or more need a splitter to be parted."""
        return -(-self.links_per_cage(rate_gbps) // self.cage_connectors)

    @property
    def cage_gbps(self) -> int:
        """The rate of one cage in Gb/s, with all its ports."""
        return self.ports * self.rate_gbps // (self.cages or self.ports)

    @property
    def cage_connectors(self) -> int:
        """The fibre connectors of a module in one cage."""
        twin = 2 if self.cage_gbps >= TWIN_PORT_GBPS else 1
        return self.connectors or max(self.ports // (self.cages or self.ports), twin)

    @property
    def rates(self) -> tuple[int, ...]:
        """The rates of its ports in Gb/s, fastest first."""
        return tuple(sorted({self.rate_gbps, *(self.breakouts or ())}, reverse=True))
