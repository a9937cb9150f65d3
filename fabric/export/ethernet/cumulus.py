"""The configuration of Cumulus Linux for every switch, as commands of NVUE in the words of release 5.16."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from fabric.catalog import PLAIN
from fabric.errors import InputError
from fabric.export.ethernet.addresses import PORT_LENGTH
from fabric.export.ethernet.batches import Batches
from fabric.export.ethernet.ethernet_plan import (
    EthernetPlan,
    SwitchEnds,
    refuse_others,
    with_port_names,
)
from fabric.export.ethernet.frr import MOST_PATHS
from fabric.export.ethernet.lossless import FRAME_BYTES, MARK_PERCENT, ROCE_CLASS, mark_bytes
from fabric.export.ethernet.texts import choose_texts, join_texts, number_texts, spell_address, spell_addresses
from fabric.export.file_format import Witness
from fabric.export.link_layer import list_models
from fabric.export.plan import Plan, PlanFormat
from fabric.layout.ports import system_of

__all__ = ["CUMULUS", "write_cumulus"]

Rows = npt.NDArray[np.int64]

BASE = """\
nv set system hostname {name}
nv set interface lo ipv4 address {loopback}/32
nv set router bgp state enabled
nv set router bgp autonomous-system {asn}
nv set router bgp router-id {loopback}
nv set router bfd state enabled
nv set router bfd profile fabric detect-multiplier 3
nv set router bfd profile fabric min-rx-interval 300
nv set router bfd profile fabric min-tx-interval 300
nv set router policy prefix-list own type ipv4
nv set router policy prefix-list own rule 5 action permit
nv set router policy prefix-list own rule 5 match {loopback}/32
nv set router policy route-map own rule 10 action permit
nv set router policy route-map own rule 10 match type ipv4
nv set router policy route-map own rule 10 match ip-prefix-list own
nv set vrf default router bgp state enabled
nv set vrf default router bgp path-selection multipath aspath-ignore enabled
nv set vrf default router bgp peer-group fabric remote-as external
nv set vrf default router bgp peer-group fabric bfd profile fabric
nv set vrf default router bgp address-family ipv4-unicast state enabled
nv set vrf default router bgp address-family ipv4-unicast multipaths ebgp {paths}
nv set vrf default router bgp address-family ipv4-unicast redistribute connected state enabled
nv set vrf default router bgp address-family ipv4-unicast redistribute connected route-map own
"""

HOSTS = """\
nv set router policy prefix-list own rule 10 action permit
nv set router policy prefix-list own rule 10 match {prefix} max-prefix-len 32
"""

AGGREGATE = """\
nv set vrf default router bgp address-family ipv4-unicast aggregate-route {prefix} summary-only enabled
"""

LOSSLESS = """\
nv set qos roce state enabled
nv set qos roce mode lossless
"""

ADAPTIVE = "nv set router adaptive-routing state enabled\n"


def write_cumulus(plan: EthernetPlan) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield the commands of every switch, a file by its name.

    RoCE is lossless by the system's own profile; each cable's length has a profile of flow control, from which the
    system derives the headroom, and each rate one of marks. Adaptive routing is on between switches that have it.
    """
    named = with_port_names(plan.plan, "cumulus")
    adaptive = np.array([bool(model.adaptive_routing) for model in plan.switch_models])
    lines = Batches(plan.ports.start, lambda rows: _list_lines(plan, plan.list_ends(named, rows), adaptive, rows))
    for row, name in enumerate(plan.switch_names):
        yield f"{name}.nv", _write_switch(plan, row, lines)


def _write_switch(plan: EthernetPlan, row: int, lines: Batches[tuple[SwitchEnds, list[str]]]) -> Iterator[str]:
    """Yield the commands of a switch."""
    addresses, (ends, of_ports), own = plan.addresses, *lines.of(row)
    yield BASE.format(
        name=plan.switch_names[row],
        loopback=spell_address(int(addresses.loopback[row])),
        asn=int(addresses.asn[row]),
        paths=min(MOST_PATHS, max(1, int(plan.between[row]))),
    )
    if addresses.has_hosts[row]:
        prefix = f"{spell_address(int(addresses.host_prefix[row]))}/{addresses.prefix_length}"
        yield HOSTS.format(prefix=prefix)
        if addresses.prefix_length < PORT_LENGTH:
            yield AGGREGATE.format(prefix=prefix)
    if plan.switch_models[row].adaptive_routing:
        yield ADAPTIVE
    yield LOSSLESS
    ports = slice(plan.ports.start[row], plan.ports.start[row + 1])
    yield from _list_profiles(plan.metres[ports], plan.gbps[ports])
    yield from _list_breakouts(ends, own)
    yield from of_ports[own]


def _list_profiles(metres: Rows, gbps: Rows) -> Iterator[str]:
    """Yield the profiles of flow control, one for each length of cable, and of marks, one for each rate."""
    for length in np.unique(metres).tolist():
        yield f"nv set qos pfc cable-{length}m cable-length {max(1, length)}\n"
        yield f"nv set qos pfc cable-{length}m switch-priority {ROCE_CLASS}\n"
    for rate in np.unique(gbps).tolist():
        least, most = mark_bytes(rate)
        head = f"nv set qos congestion-control rate-{rate}g traffic-class {ROCE_CLASS}"
        yield f"{head} ecn enable\n{head} min-threshold {least}\n{head} max-threshold {most}\n"
        yield f"{head} probability {MARK_PERCENT}\n"


def _list_breakouts(ends: SwitchEnds, own: slice) -> Iterator[str]:
    """Yield how the split ports of a switch are split."""
    split = ends.parts[own] > 1
    for port, parts in np.unique(np.stack([ends.port[own][split], ends.parts[own][split]], axis=1), axis=0).tolist():
        yield f"nv set interface swp{port} link breakout {parts}x\n"


def _list_lines(
    plan: EthernetPlan, ends: SwitchEnds, adaptive: npt.NDArray[np.bool_], rows: slice
) -> tuple[SwitchEnds, list[str]]:
    """Return the lines of some cabled ports beside their ends; `adaptive` says which switches choose paths by load."""
    ports, own = plan.ports, join_texts("nv set interface ", ends.name, " ")
    lines = [
        *(own, "link state up\n"),
        *(own, f"link mtu {FRAME_BYTES}\n"),
        *(own, "description '", ends.peer, " ", ends.peer_port, "'\n"),
        *(own, "qos pfc profile cable-", number_texts(plan.metres[rows]), "m\n"),
        *(own, "qos congestion-control profile rate-", number_texts(plan.gbps[rows]), "g\n"),
    ]
    address = join_texts(own, "ipv4 address ", spell_addresses(ports.gateway[rows]), "/31\n")
    head = join_texts("nv set vrf default router bgp neighbor ", ends.name, " ")
    neighbour = join_texts(head, "type unnumbered\n", head, "peer-group fabric\n")
    turned_on = adaptive[ports.device[rows] - plan.addresses.first_switch] & ~ports.to_host[rows]
    routing = choose_texts(turned_on, join_texts(own, "router adaptive-routing state enabled\n"), "")
    return ends, join_texts(*lines, choose_texts(ports.to_host[rows], address, neighbour), routing).to_pylist()


def _fits_cumulus(plan: Plan) -> None:
    """Raise InputError for a switch that Cumulus Linux does not run on, as far as is known."""
    refuse_others(plan)
    for model in list_models(plan.blueprint):
        if (system := system_of(model, plan.spec.site)) not in ("cumulus", PLAIN):
            raise InputError(f"{plan.name}: {model.name} runs {system}, not Cumulus Linux; choose another format")


CUMULUS = PlanFormat(
    "cumulus",
    (),
    "Cumulus Linux 5.15 and newer",
    "ports, addresses, eBGP, lossless RoCE, adaptive routing of each switch",
    lambda plan: write_cumulus(EthernetPlan(plan)),
    _fits_cumulus,
    folder=True,
    witness=Witness("schema", "NVUE 5.16 (nvueschema 0.1.0)"),
)
"""The format of Cumulus Linux."""
