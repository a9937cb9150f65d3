"""The configuration of FRR for every switch: eBGP over links without addresses, with as many equal paths as links."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.export.ethernet.addresses import PORT_LENGTH
from fabric.export.ethernet.batches import Batches
from fabric.export.ethernet.ethernet_plan import EthernetPlan, refuse_others, with_port_names
from fabric.export.ethernet.texts import choose_texts, join_texts, spell_address, spell_addresses
from fabric.export.file_format import Witness
from fabric.export.plan import Plan, PlanFormat

__all__ = ["FRR", "MOST_PATHS", "write_frr"]

MOST_PATHS = 256
"""The most equal paths that FRR takes as Debian builds it (`--enable-multipath`)."""

DAEMONS = """\
# The daemons of FRR on this switch: /etc/frr/daemons.
zebra=yes
bgpd=yes
bfdd=yes
vtysh_enable=yes
zebra_options="  -A 127.0.0.1 -s 90000000"
bgpd_options="   -A 127.0.0.1"
bfdd_options="   -A 127.0.0.1"
"""
"""The file that says which daemons run, the same on every switch."""

# FRR keeps a group of next hops for 180 s after its last route. Up to 8.4 it takes a group that it kept for one that
# the kernel still has whole, so that a link which comes back within that time stays out of every ECMP group
# (github.com/FRRouting/frr/pull/13413); kept for a second, the group is made anew.
HEAD = """\
frr version 8.4
frr defaults datacenter
hostname {name}
service integrated-vtysh-config
ip forwarding
ipv6 forwarding
zebra nexthop-group keep 1
!
interface lo
 ip address {loopback}/32
exit
!
"""

POLICY = """\
ip prefix-list own seq 5 permit {loopback}/32
{hosts}!
route-map own permit 10
 match ip address prefix-list own
exit
!
bfd
 profile fabric
  detect-multiplier 3
  receive-interval 300
  transmit-interval 300
 exit
exit
!
router bgp {asn}
 bgp router-id {loopback}
 bgp bestpath as-path multipath-relax
 neighbor fabric peer-group
 neighbor fabric remote-as external
 neighbor fabric bfd
 neighbor fabric bfd profile fabric
"""

FAMILY = """\
 address-family ipv4 unicast
  redistribute connected route-map own
{aggregate}  maximum-paths {paths}
 exit-address-family
exit
!
"""


def write_frr(plan: EthernetPlan) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield the files of every switch, in a folder by its name: `frr.conf` and `daemons`, each with its pieces of text.

    Of a part, these are the switches that it has, configured as in the whole.

    Interfaces to other switches have no address. What is announced is the loopback and, on a switch with hosts, their
    prefix as one route. BFD has the usual timing of FRR, three packets 300 ms apart.
    """
    named = with_port_names(plan.plan)
    lines = Batches(plan.ports.start, lambda rows: _list_lines(plan, named, rows))
    for row in plan.written_switches.tolist():
        name = plan.switch_names[row]
        yield f"{name}/frr.conf", _write_switch(plan, row, lines)
        yield f"{name}/daemons", iter((DAEMONS,))


def _write_switch(plan: EthernetPlan, row: int, lines: Batches[tuple[list[str], list[str]]]) -> Iterator[str]:
    """Yield the pieces of a switch's configuration."""
    addresses, (interfaces, neighbours), own = plan.addresses, *lines.of(row)
    loopback = spell_address(int(addresses.loopback[row]))
    hosts = aggregate = ""
    if addresses.has_hosts[row]:
        prefix = f"{spell_address(int(addresses.host_prefix[row]))}/{addresses.prefix_length}"
        hosts = f"ip prefix-list own seq 10 permit {prefix} le 32\n"
        if addresses.prefix_length < PORT_LENGTH:
            aggregate = f"  aggregate-address {prefix} summary-only\n"
    yield HEAD.format(name=plan.switch_names[row], loopback=loopback)
    yield from interfaces[own]
    yield POLICY.format(loopback=loopback, hosts=hosts, asn=int(addresses.asn[row]))
    yield from neighbours[own]
    yield FAMILY.format(aggregate=aggregate, paths=min(MOST_PATHS, max(1, int(plan.between[row]))))


def _list_lines(plan: EthernetPlan, named: Plan, rows: slice) -> tuple[list[str], list[str]]:
    """Return the lines of some cabled ports: those of its interface, and those of its BGP neighbour."""
    to_host, gateway, ends = plan.ports.to_host[rows], plan.ports.gateway[rows], plan.list_ends(named, rows)
    head = join_texts("interface ", ends.name, "\n description ", ends.peer, " ", ends.peer_port, "\n")
    address = join_texts(" ip address ", spell_addresses(gateway), "/31\n")
    interfaces = join_texts(head, choose_texts(to_host, address, ""), "exit\n!\n")
    neighbours = join_texts(" neighbor ", ends.name, " interface peer-group fabric\n")
    return interfaces.to_pylist(), choose_texts(to_host, "", neighbours).to_pylist()


FRR = PlanFormat(
    "frr",
    (),
    "FRR 8.4 and newer",
    "addresses, eBGP, equal paths, BFD of each switch",
    lambda plan: write_frr(EthernetPlan(plan)),
    refuse_others,
    folder=True,
    witness=Witness("run", "FRR 8.4.4"),
)
"""The format of FRR."""
