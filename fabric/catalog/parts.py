"""The parts of the catalogue: switches, servers, and the constants of collectives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from fabric.catalog.errors_measured import OwnRuns
from fabric.catalog.ports import PortGroup
from fabric.frozen import freeze

__all__ = ["Collectives", "Protocol", "Server", "Steps", "Switch"]

USUAL_GENERATION = "hopper"
"""The generation whose constants count for GPUs of another one, or of an unknown one."""


@dataclass(frozen=True)
class Switch(PortGroup):
    """A switch model, with the facts of its ports; where `uplinks` are ports of their own, of its other ports."""

    link_layer: str | None = None
    """`ethernet` or `infiniband`, which never share a link; None is compatible with both."""
    title: str = ""
    """The product's full name."""
    rack_units: int | None = None
    """Its height."""
    power_w: float | None = None
    """Its typical power."""
    max_power_w: float | None = None
    """Its maximum power."""
    latency_ns: float | None = None
    """Its port-to-port latency."""
    inner_hops: int = 1
    """The switch chips on the longest path through it: several in a director, which is itself a fabric of them."""
    price_usd: float | None = None
    """Its unit price."""
    price_date: str = ""
    """The date of the price."""
    available: str = ""
    """When it is sold, such as `2026-Q4`; empty where it is sold now."""
    vendor_number: str = ""
    """The vendor's part number."""
    port_names: str = ""
    """The operating system whose port names it usually has, one of `port_name_systems`; empty where unknown."""
    adaptive_routing: bool | None = None
    """Whether it chooses among equal paths packet by packet, by how full they are; None where that is not known."""
    source: str = ""
    """Where these facts come from."""
    uplinks: PortGroup | None = None
    """The ports that only links up use, where they are unlike the others; None where links use any port."""

    @property
    def vendor(self) -> str:
        """Who makes it, which its full name begins with; of a box by several makers, who makes its chip.

        Empty where that is not known: a title in a request may begin with an article, `The 64 x 400G switch`.
        """
        first = self.title.partition(" ")[0]
        return "" if first.lower() in ("a", "an", "the") else first

    @property
    def upward(self) -> PortGroup:
        """The ports that links up use."""
        return self.uplinks or self

    @property
    def bandwidth_tbps(self) -> float:
        """The bandwidth of all its ports in Tb/s, one direction."""
        groups = (self, self.uplinks) if self.uplinks else (self,)
        return sum(each.ports * each.rate_gbps for each in groups) / 1000

    @property
    def peak_power_w(self) -> float | None:
        """Its maximum power, its typical where that is not known, and None where neither is."""
        return self.power_w if self.max_power_w is None else self.max_power_w


@dataclass(frozen=True)
class Server:
    """A server: one NVLink domain and its NICs."""

    name: str
    """Its name in requests."""
    gpus: int
    """Its GPUs."""
    nics: int
    """Its NICs that are connected to the fabric."""
    nic_gbps: int
    """The rate of one NIC in Gb/s, one direction, over all its planes."""
    nvlink_GBps: float | None = None
    """The NVLink bandwidth per GPU in GB/s, one direction."""
    trays: int = 1
    """Its separately cabled trays; an NVL72 rack has 18."""
    rails: int | None = None
    """The rails that its NICs form; None means one per NIC."""
    cages: int | None = None
    """Its transceiver cages; None means one per NIC."""
    cage: str = ""
    """The form factor of its cages; empty where it is not known."""
    connectors: int | None = None
    """The fibre connectors of a module in one cage; None means one for each link that a NIC's planes or a cage's NICs
    bring, up to two."""
    title: str = ""
    """The product's full name."""
    rack_units: int | None = None
    """Its height."""
    power_w: float | None = None
    """Its typical power."""
    max_power_w: float | None = None
    """Its maximum power."""
    price_usd: float | None = None
    """Its unit price, with its GPUs; it counts in the dollars of training, and not in the bill of the fabric."""
    price_date: str = ""
    """The date of the price."""
    vendor_number: str = ""
    """The vendor's part number."""
    generation: str = ""
    """The GPU generation, whose constants time estimates use."""
    accelerator: str = ""
    """The name of its GPUs in the catalogue of accelerators; empty where they are not known there."""
    nic_names: tuple[str, ...] = ()
    """The names of its NICs as its operating system has them, in one tray; none for `nic0`, `nic1` and so on."""
    nic_us: float | None = None
    """The latency in us that the NICs' transport adds to each network step."""
    source: str = ""
    """Where these facts come from."""

    def bond_nics(self, cards: int) -> Server:
        """Return the server with every `cards` of its NICs as one, which has a port on each of them."""
        facts = {fact.name: getattr(self, fact.name) for fact in fields(self)}
        facts |= {"nics": self.nics // cards, "nic_gbps": self.nic_gbps * cards, "cages": self.cages or self.nics}
        return BondedServer(**facts, bonded=cards)

    @property
    def cards(self) -> int:
        """The cards that make up one NIC."""
        return 1

    @property
    def cards_total(self) -> int:
        """All its cards."""
        return self.nics * self.cards

    @property
    def card_gbps(self) -> int:
        """The rate of one card in Gb/s."""
        return self.nic_gbps // self.cards

    @property
    def cage_gbps(self) -> int:
        """The rate of one cage in Gb/s, with all its NICs."""
        return self.nics * self.nic_gbps // (self.cages or self.nics)

    @property
    def peak_power_w(self) -> float | None:
        """Its maximum power, its typical where that is not known, and None where neither is."""
        return self.power_w if self.max_power_w is None else self.max_power_w

    def links_per_cage(self, planes: int) -> int:
        """Return the links of one cage, with each NIC on `planes` planes."""
        return -(-self.nics * planes // (self.cages or self.nics))

    def links_per_connector(self, planes: int) -> int:
        """Return the links that share one fibre connector, with each NIC on `planes` planes."""
        return -(-self.links_per_cage(planes) // self.cage_connectors(planes))

    def cage_connectors(self, planes: int) -> int:
        """Return the fibre connectors of a module in one cage, with each NIC on `planes` planes."""
        return self.connectors or min(self.links_per_cage(planes), 2)


@dataclass(frozen=True)
class BondedServer(Server):
    """A server several of whose cards count as one NIC: each is its port to one plane or level of switches."""

    bonded: int = 1
    """The cards that make up one NIC."""

    @property
    def cards(self) -> int:
        return self.bonded


@dataclass(frozen=True)
class Steps:
    """The constants of one algorithm under one protocol."""

    base_us: float
    """The latency of a call."""
    nvlink_us: float
    """The latency of a step over NVLink."""
    network_us: float
    """The latency of a step over the network."""
    bus: float
    """The share of the bus bandwidth that flags and reductions leave."""


@dataclass(frozen=True)
class Protocol:
    """One protocol of a collective library."""

    name: str
    """Its name: `ll`, `ll128` or `simple`."""
    fill_GB: float
    """The data that fill its pipelines."""
    ring: Steps
    """Its constants on rings."""
    tree: Steps
    """Its constants on trees."""


@dataclass(frozen=True)
class Multicast:
    """The constants of reductions in NVLink switches, in rounds of one chunk per channel of each GPU that reduces."""

    received: float
    """The share of the line rate that a GPU receives."""
    base_us: float
    """The latency of a call."""
    head_us: float
    """What each GPU of a domain adds to it."""
    network_us: float
    """The latency of a step over the network."""
    chunk_bytes: int
    """The size of a chunk."""
    deep: int
    """The number of domains from which chunks have `deep_chunk_bytes`."""
    deep_chunk_bytes: int
    """The size of a chunk over that many domains."""


Shares = tuple[float, float, float]
"""Shares of the NVLink line rate on one, two, and more NVLink domains."""


@dataclass(frozen=True)
class Generation:
    """The constants of one generation of GPUs."""

    launch_us: float
    """The latency of a kernel launch."""
    network_us: float
    """The latency of a network step beyond that of its protocol."""
    ring: Mapping[str, Shares]
    """The bus bandwidth of rings on the usual channels, as shares of the line rate, by protocol."""
    tree: Mapping[str, Shares]
    """The same for trees."""
    nvls: Shares | None
    """The highest algorithm bandwidth of a reduction in NVLink switches, as shares of the line rate."""
    nvls_channels: Mapping[int, int]
    """The channels of such a reduction, by the most GPUs of a domain that it is for."""
    channels: int
    """The most channels of a search for rings or trees between domains, as many as NVLink feeds."""
    local_channels: int
    """The channels of a communicator in one domain."""
    channel_GBps: float | None
    """The bus bandwidth that one channel carries in GB/s; None where nothing measured is bounded by it."""
    protocols: tuple[Protocol, ...] | None = None
    """The protocols of its own library (RCCL); None for those of NCCL."""

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True)
class Collectives:
    """The constants of the collective model, each with its source in `data/collectives.yaml`."""

    protocols: tuple[Protocol, ...]
    """The protocols of the library."""
    generations: Mapping[str, Generation]
    """The generations of GPUs, by name."""
    nvls: Multicast
    """Reductions in NVLink switches."""
    sharp_us: float
    """The latency of a reduction in the network's switches."""
    sharp_share: float
    """The share of the NICs' bandwidth that it reaches."""
    delay: float
    """How much longer a small message takes to fill the pipelines."""
    channels: int
    """The channels of a search between domains that shares of the NVLink line rate are given for."""
    most_channels: int
    """The most channels of a communicator."""
    peers_at_once: int
    """The peers to which a GPU sends at the same time."""
    ecmp_subflows: int
    """The sub-flows of a flow that ECMP hashes separately: its queue pairs."""
    switch_latency_ns: float
    """The latency of a switch whose own is not known."""
    fibre_ns_per_m: float
    """The latency of a metre of fibre."""
    cable_m: float
    """The length of a cable whose own is not known."""
    network_scale: float = field(default=1.0, kw_only=True)
    """The bandwidth between servers over that of the model; other than 1 only where a calibration has measured it."""
    own_runs: OwnRuns | None = field(default=None, kw_only=True)
    """The runs of a cluster to which the constants were calibrated; None for those of the catalogue."""

    def __post_init__(self) -> None:
        freeze(self)

    def generation(self, name: str) -> Generation:
        """Return the constants of a generation of GPUs: Hopper's where it has none, or is not known.

        Of those of other vendors they are Hopper's too, except for the reduction in NVLink switches.
        """
        usual = self.generations[USUAL_GENERATION]
        return self.generations.get(name, replace(usual, nvls=None) if name else usual)

    def with_generation(self, name: str) -> Collectives:
        """Return the constants with those of a generation under its name, even where another's stand in for them."""
        return replace(self, generations={**self.generations, name: self.generation(name)})
