"""Rows of LLDP, whatever tool prints them: what a port of a device hears from its neighbour."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from fabric.discovery.discovery import HOST, SWITCH, UNKNOWN, Note
from fabric.discovery.findings import Findings, PortEnds, SeenDevice, port_codes
from fabric.discovery.source import Source

__all__ = ["Neighbour", "gather", "host_of", "is_host_port", "is_switch_port", "plain_address", "rate_gbps"]

_ADDRESS = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}", re.IGNORECASE)

_SWITCH_PORT = re.compile(r"(?:swp|Ethernet|et-|xe-|ethernet-|Eth|etp|sw\d+p)\d", re.ASCII)

_HOST_PORT = re.compile(
    r"(?:mlx\d+_|hca-|ib\d|ib[ps]\d|en(?:o|p|s|x)\d|hsn\d|nic\d|rocep|rdma\d|cxi\d|bnxt_)", re.IGNORECASE
)

_MANAGEMENT = re.compile(r"eth0|ma?na?ge?me?n?t[-_]?\d*(?:/\d+)?|ma\d+|fxp0|em0|re0:mgmt-0|fnm\d*", re.IGNORECASE)

_SWITCH_SYSTEM = re.compile(
    r"cumulus|sonic|arista|junos|nx-os|nxos|ios-xr|sr ?linux|mlnx-os|onyx|nvos|aruba|comware|dell|dnos|switch",
    re.IGNORECASE,
)
_HOST_SYSTEM = re.compile(r"ubuntu|debian|red hat|rocky|centos|alma|suse|dgx|windows|esxi|connectx|linux", re.I)

_SUB_INTERFACE = re.compile(r"(?P<port>.+)\.\d{1,4}")

_SPEED = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[GMT])?(?:b(?:it)?(?:/s|ps)?)?", re.IGNORECASE)

_FILE_SUFFIX = re.compile(r"\.(?:json0?|txt|out|output|log|lldp|text)$", re.IGNORECASE)

_FILE_WORDS = re.compile(
    r"(?:^|(?<=[-_. ]))(?:show|lldp|lldpcli|lldpctl|neighbou?rs?|table|details?|json0?|output|nv|interfaces?)"
    r"(?=$|[-_. ])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Neighbour:
    """What one port hears."""

    port: str
    """The port that hears it."""
    name: str = ""
    """The neighbour's system name; empty where it sends none."""
    address: str = ""
    """Its chassis' address, as written."""
    system: str = ""
    """Its system description."""
    capabilities: tuple[str, ...] = ()
    """What it says that it does: `Bridge`, `Router`, `Station`, those in use."""
    far_port: str = ""
    """The port's name there, or its address."""
    description: str = ""
    """The description of the port there."""
    rate_gbps: float = float("nan")
    """The rate in Gb/s in one direction, NaN where the tool does not say."""
    line: int = 0
    """The line, from 1; 0 where the format has no lines."""


def plain_address(text: str) -> str:
    """Return an address of 48 bits as 12 hexadecimal digits, empty for other text."""
    return re.sub("[^0-9a-f]", "", text.lower()) if _ADDRESS.fullmatch(text.strip()) else ""


def rate_gbps(text: object) -> float:
    """Return a rate such as `400G`, `25000` (Mb/s) or `1G` in Gb/s; NaN for other text."""
    found = _SPEED.fullmatch(str(text).strip())
    if not found:
        return float("nan")
    scale = {"T": 1000.0, "G": 1.0, "M": 0.001, "": 0.001}[(found["unit"] or "").upper()]
    return float(found["number"]) * scale or float("nan")


def is_switch_port(name: str) -> bool:
    """Say whether a port has a name that only switches give: `swp1`, `Ethernet0`, `et-0/0/1`."""
    return _SWITCH_PORT.match(name) is not None


def is_host_port(name: str) -> bool:
    """Say whether a port has a name that only hosts give: `mlx5_0`, `ens4f0np0`, `ibp24s0`, `nic3`."""
    return _HOST_PORT.match(name) is not None


def host_of(source: Source) -> str:
    """Return the host that a file comes from: by its prompt, else by the file's name without words such as lldp."""
    if host := source.prompt_host:
        return host
    name = source.file_name
    while (shorter := _FILE_SUFFIX.sub("", name)) != name:
        name = shorter
    rest = re.sub(r"[-_. ]{2,}", "-", _FILE_WORDS.sub("", name)).strip("-_. ")
    return rest or name


def gather(source: Source, rows: Iterable[tuple[str, Neighbour]], hosts: Iterable[str] = ()) -> Findings:
    """Return what rows say: for each, the host that it comes from and what a port of it hears.

    `hosts` have a file of their own, which may be without neighbours: then all their cables are down. Management ports
    of switches are left out, and so are neighbours on a VLAN of a port that hears the port itself.
    """
    heard = list(rows)
    switches = {host for host, row in heard if _SWITCH_PORT.match(row.port)}
    data = [(host, row) for host, row in heard if host not in switches or not _MANAGEMENT.fullmatch(row.port)]
    kept = _leave_out_vlans(data)
    notes = []
    if left := len(heard) - len(data):
        notes.append(Note(source.name, f"{_count(left, 'management port')} of switches left out"))
    if left := len(data) - len(kept):
        notes.append(Note(source.name, f"{_count(left, 'neighbour')} left out that a port hears twice, on a VLAN too"))
    crowded = [key for key, number in Counter((host, row.port) for host, row in kept).items() if number > 1]
    notes += [
        Note(source.name, f"port {port} of {host} hears several neighbours: something between them passes LLDP on")
        for host, port in crowded[:10]
    ]
    findings = _columns(kept, {*hosts, *(host for host, _ in heard)}, switches)
    findings.notes += notes
    return findings


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _leave_out_vlans(rows: list[tuple[str, Neighbour]]) -> list[tuple[str, Neighbour]]:
    """Leave out what a port hears again: of several rows from one chassis, those of a sub-interface, or the same."""
    seen: dict[tuple[str, str, str], set[str]] = {}
    for host, row in rows:
        seen.setdefault((host, row.port, row.name or row.address), set()).add(_far_name(row))
    kept, done = [], set()
    for host, row in rows:
        far = _far_name(row)
        others = seen[host, row.port, row.name or row.address]
        part = _SUB_INTERFACE.fullmatch(far)
        again = (host, row.port, row.name or row.address, far)
        if again in done or (part and part["port"] in others):
            continue
        done.add(again)
        kept.append((host, row))
    return kept


def _far_name(row: Neighbour) -> str:
    """Return the name of the port there: its description where it sends an address for a name."""
    if plain_address(row.far_port) and row.description and not re.search(r"\s", row.description):
        return row.description
    return row.far_port or row.description


def _columns(rows: list[tuple[str, Neighbour]], hosts: set[str], switches: set[str]) -> Findings:
    devices: dict[str, SeenDevice] = {}
    for host in sorted(hosts):
        kind = SWITCH if host in switches else UNKNOWN
        devices[host.lower()] = SeenDevice(text=host, name=host, kind=kind, own_record=True)
    near, far, far_names, aliases = [], [], [], []
    for host, row in rows:
        name = _far_name(row)
        key = row.name.lower() or plain_address(row.address) or row.address
        if key not in devices:
            devices[key] = SeenDevice(text=row.name or row.address, name=row.name, line=row.line)
        device = devices[key]
        device.hardware_id = device.hardware_id or plain_address(row.address)
        device.kind = device.kind or _kind(row, name)
        device.model = device.model or " ".join(row.system.split())[:80]
        near.append(host.lower())
        far.append(key)
        far_names.append(name)
        other = row.description if name != row.description else row.far_port
        aliases.append("" if re.search(r"\s", other) or plain_address(other) else other)
    code = {key: place for place, key in enumerate(devices)}
    names, ports = port_codes([row.port for _, row in rows] + far_names + aliases)
    own, there, alias = np.split(ports, 3)
    ends = PortEnds.of(
        (np.array([code[each] for each in near], np.int32), own),
        (np.array([code[each] for each in far], np.int32), there),
        rate_gbps=np.array([row.rate_gbps for _, row in rows], np.float64),
        line=np.array([row.line for _, row in rows], np.int64),
        peer_alias=alias,
    )
    return Findings(list(devices.values()), names, ends, loose_ports=True)


def _kind(row: Neighbour, far_port: str) -> int:
    """Return what a neighbour is, by its operating system, its port, or what it says that it does."""
    if _SWITCH_PORT.match(far_port) or _SWITCH_SYSTEM.search(row.system):
        return SWITCH
    if _HOST_SYSTEM.search(row.system):
        return HOST
    words = {word.lower() for word in row.capabilities}
    if words & {"bridge", "router"}:
        return SWITCH
    return HOST if "station" in words else UNKNOWN
