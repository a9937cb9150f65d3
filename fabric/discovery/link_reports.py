"""Read reports with a line for each port of InfiniBand: `iblinkinfo`, also with `-l`, and `ibnetdiscover -p`.

They name ports of adapters by the GUID of the port, where ibnetdiscover's records have that of the adapter. Without
`-l` iblinkinfo gives a neighbour by its LID and description alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabric.discovery.discovery import HOST, SWITCH, UNKNOWN
from fabric.discovery.findings import Findings, PortEnds, SeenDevice, port_codes
from fabric.discovery.node_descriptions import cabled_ports, describe, lane_gbps_of_number, lane_rate_gbps
from fabric.discovery.source import Source
from fabric.discovery.text_lines import Matches, match_lines, split_lines

__all__ = ["is_link_report", "read_link_report"]

_KNOWN = re.compile(
    rb"^[ \t]*(?:(?:CA|SW|RT)[ \t]+\d+[ \t]+\d+[ \t]+0x[0-9a-f]+[ \t]+\S+x[ \t]"
    rb"|(?:0x[0-9a-f]+\b.*)?\b\d++[ \t]+\d++\[[^\]\n]{0,99}\][ \t]*==\()",
    re.MULTILINE,
)

_PORT_BEGINS = r"^\s*(?:CA|SW|RT)\s+\d+\s+\d+\s+0x[0-9a-f]"
_PORT = (
    r"^\s*(?P<kind>CA|SW|RT)\s+(?P<lid>\d{1,9})\s+(?P<port>\d{1,4})\s+0x(?P<guid>[0-9a-f]{1,16})"
    r"\s+(?P<width>\S{1,3})x\s+(?P<speed>\S+)(?:\s+-\s+(?P<peer_kind>CA|SW|RT)\s+(?P<peer_lid>\d{1,9})"
    r"\s+(?P<peer_port>\d{1,4})\s+0x(?P<peer>[0-9a-f]{1,16})\s+\(\s*'(?P<text>.*)' - '(?P<peer_text>.*)'\s*\)"
    r"|\s+'(?P<alone>.*)')\s*$"
)

_LINK_BEGINS = r"^.*\d\s+\d+\[[^\]]*\]\s*==\("
_LINK = (
    r'^\s*(?:0x(?P<guid>[0-9a-f]{1,16})\s+(?:"(?P<text>.*)"\s+)?)?(?P<lid>\d{1,9})\s+(?P<port>\d{1,4})\[[^\]]*\]'
    r"\s*==\((?P<state>[^)]*)\)==>\s*(?:0x(?P<peer>[0-9a-f]{1,16})\s+)?"
    r'(?:(?P<peer_lid>\d{1,9})\s+(?P<peer_port>\d{1,4}))?\[[^\]]*\]\s*"(?P<peer_text>.*)"\s*\(.*\)\s*$'
)

_HEAD_BEGINS = r"^\s*(?:Switch|CA|RT|Router):\s"
_HEAD = r"^\s*(?P<kind>Switch|CA|RT|Router):\s+(?:0x(?P<guid>[0-9a-f]{1,16})\s+)?(?P<text>.*?):?\s*$"

_STATE = re.compile(r"(?P<width>\d{1,2})X\s+(?P<rate>\d+(?:\.\d+)?)\s+Gbps")

_KINDS = {"SW": SWITCH, "Switch": SWITCH, "CA": HOST}


@dataclass
class _Row:
    """A port with what is at its other end."""

    line: int
    """The line, from 1."""
    kind: int
    """What has the port."""
    guid: str
    """Its GUID: of a switch, or of the port of an adapter."""
    lid: int
    """Its LID, 0 where there is none."""
    text: str
    """Its description."""
    port: int
    """The number of the port."""
    peer: str
    """The GUID at the other end; empty where the report has none."""
    peer_kind: int
    """What is there."""
    peer_lid: int
    """The LID there."""
    peer_text: str
    """The description there; empty of a port that is down."""
    peer_port: int
    """The port there, 0 of a port that is down."""
    width: int
    """The lanes in use, -1 where the report does not say."""
    rate_gbps: float
    """The rate, NaN where the report does not say."""


def is_link_report(source: Source) -> bool:
    """Say whether a file has a line of a port as these reports have it."""
    return source.is_text and _KNOWN.search(source.encoded) is not None


def read_link_report(source: Source) -> Findings:
    """Return the devices and ports of a report. Raises InputError with the line where one is cut or wrong."""
    lines = split_lines(source.encoded)
    ports, links = match_lines(lines, _PORT_BEGINS, _PORT), match_lines(lines, _LINK_BEGINS, _LINK)
    if (broken := np.concatenate([ports.unmatched(), links.unmatched()])).size:
        line = int(broken.min())
        what = "breaks off" if line == len(lines) - 1 else "is not a line of iblinkinfo or of ibnetdiscover -p"
        raise source.error(f"{lines[line].as_py().strip():.60}: {what}; save the whole output", line + 1)
    rows = [*_port_rows(ports), *_link_rows(source, links, match_lines(lines, _HEAD_BEGINS, _HEAD))]
    return _gather(rows)


def _columns(found: Matches, *names: str) -> Iterator[tuple[Any, ...]]:
    """Return the line, from 1, and groups of each match, empty for those that take no part."""
    columns = [found.group(name).to_pylist() for name in names]
    return zip((found.lines + 1).tolist(), *columns, strict=True)


def _port_rows(found: Matches) -> Iterator[_Row]:
    names = (
        "kind", "lid", "port", "guid", "width", "speed", "text", "alone",
        "peer_kind", "peer_lid", "peer_port", "peer", "peer_text",
    )  # fmt: skip
    for line, kind, lid, port, guid, width, speed, text, alone, *far in _columns(found, *names):
        peer_kind, peer_lid, peer_port, peer, peer_text = far
        lanes = int(width) if width.isdecimal() else -1
        rate = lanes * lane_rate_gbps(speed) if lanes > 0 else float("nan")
        yield _Row(
            line, _KINDS.get(kind, UNKNOWN), guid.zfill(16), int(lid), text or alone, int(port),
            peer.zfill(16) if peer else "", _KINDS.get(peer_kind, UNKNOWN), int(peer_lid or 0), peer_text,
            int(peer_port or 0), lanes, rate,
        )  # fmt: skip


def _link_rows(source: Source, found: Matches, heads: Matches) -> Iterator[_Row]:
    """Yield the rows of iblinkinfo; one without a description of its own has that of the head before it."""
    owners = list(_columns(heads, "kind", "guid", "text"))
    owner = np.searchsorted(heads.lines, found.lines).tolist()
    names = ("guid", "text", "lid", "port", "state", "peer", "peer_lid", "peer_port", "peer_text")
    for at, (line, guid, own_text, lid, port, state, peer, peer_lid, peer_port, peer_text) in zip(
        owner, _columns(found, *names), strict=True
    ):
        if not own_text and not at:
            raise source.error("a port with no device before it; save the whole output", line)
        kind, of_switch, text = ("", guid, own_text) if own_text else owners[at - 1][1:]
        own = guid or of_switch
        rate = _STATE.search(state)
        lanes = int(rate["width"]) if rate else -1
        yield _Row(
            line, _KINDS.get(kind, UNKNOWN), own.zfill(16) if own else "", int(lid), text.strip(), int(port),
            peer.zfill(16) if peer else "", UNKNOWN, int(peer_lid or 0), peer_text.strip(), int(peer_port or 0),
            lanes, lanes * lane_gbps_of_number(float(rate["rate"])) if rate else float("nan"),
        )  # fmt: skip


def _gather(rows: list[_Row]) -> Findings:
    """Return the devices and the ends of rows."""
    keys = _Keys(rows)
    owners = [keys.of(row.guid, row.port, row.text) for row in rows]
    devices: dict[object, SeenDevice] = {}
    for key, row in zip(owners, rows, strict=True):
        if key not in devices:
            kind = row.kind or (SWITCH if key in keys.switches else HOST)
            devices[key] = _device(row.text, kind, row.guid, row.line)
            devices[key].own_record = True
        devices[key].ports = max(devices[key].ports, row.port)
        keys.by_lid.setdefault(row.lid, key)
    for device in devices.values():
        device.ports = cabled_ports(device.ports, device.kind)
    kept = [place for place, row in enumerate(rows) if row.peer_port]
    far = []
    for row in (rows[place] for place in kept):
        far.append(keys.of_peer(row))
        if far[-1] not in devices:
            kind = row.peer_kind or (SWITCH if far[-1] in keys.switches else UNKNOWN)
            devices[far[-1]] = _device(row.peer_text, kind, row.peer, row.line)
    code = {key: place for place, key in enumerate(devices)}
    cabled = [rows[place] for place in kept]
    names, ports = port_codes([str(row.port) for row in cabled] + [str(row.peer_port) for row in cabled])
    own, there = np.split(ports, 2)
    ends = PortEnds.of(
        (np.array([code[owners[place]] for place in kept], np.int32), own),
        (np.array([code[key] for key in far], np.int32), there),
        width=np.array([row.width for row in cabled], np.int8),
        rate_gbps=np.array([row.rate_gbps for row in cabled], np.float64),
        line=np.array([row.line for row in cabled], np.int64),
    )
    return Findings(list(devices.values()), names, ends)


class _Keys:
    """What identifies a device: a switch has one GUID for all of its ports, and an adapter GUIDs in a row."""

    def __init__(self, rows: list[_Row]) -> None:
        ports: dict[str, set[int]] = {}
        for row in rows:
            ports.setdefault(row.guid, set()).add(row.port)
            ports.setdefault(row.peer, set()).add(row.peer_port)
        self.switches: set[object] = {guid for guid, found in ports.items() if guid and len(found) > 1}
        """The GUIDs that several ports have."""
        self.switches |= {row.guid for row in rows if row.kind == SWITCH}
        self.by_lid: dict[int, object] = {0: None}
        """The device of each LID."""

    def of(self, guid: str, port: int, text: str) -> object:
        """Return what identifies the device of a port."""
        if guid in self.switches:
            return guid
        return (int(guid, 16) - port, text) if guid else (text,)

    def of_peer(self, row: _Row) -> object:
        """Return what identifies the device at the other end of a row."""
        if row.peer:
            return self.of(row.peer, row.peer_port, row.peer_text)
        return self.by_lid.get(row.peer_lid) or (row.peer_lid, row.peer_text)


def _device(text: str, kind: int, guid: str, line: int) -> SeenDevice:
    found = describe(text, kind)
    return SeenDevice(
        text=text, name=found.name, part=found.part, hardware_id=guid, model=found.model, kind=found.kind, line=line
    )
