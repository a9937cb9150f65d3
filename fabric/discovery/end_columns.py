"""Tables of cables: which columns have the device and the port at each end, by their heads, and what their rows say."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.discovery.discovery import HOST, SWITCH, UNKNOWN, Note
from fabric.discovery.findings import Findings, PortEnds, SeenDevice
from fabric.discovery.neighbours import is_host_port, is_switch_port, rate_gbps

__all__ = ["EndColumns", "EndRow", "find_columns", "findings_of_rows", "read_row"]

SIDES = (
    ("a", "b"),
    ("a", "z"),
    ("sidea", "sideb"),
    ("aside", "bside"),
    ("aside", "zside"),
    ("start", "end"),
    ("source", "destination"),
    ("source", "dest"),
    ("source", "target"),
    ("src", "dst"),
    ("from", "to"),
    ("local", "remote"),
    ("local", "neighbor"),
    ("near", "far"),
    ("", "peer"),
    ("", "remote"),
    ("", "neighbor"),
    ("", "neighbour"),
)
"""The words for the two ends, as heads begin with them."""

DEVICES = ("device", "node", "host", "hostname", "switch", "system", "devicename", "nodename", "systemname", "name")
"""The words for a device that follow, the surest first."""

PORTS = ("port", "interface", "ifname", "intf", "portname", "portid", "interfacename", "nic", "name")
"""The words for a port."""

SHOWN = 10
"""The rows without a device at an end that are noted one by one."""

RATES = {"rategbps": 1.0, "speedgbps": 1.0, "gbps": 1.0, "bandwidth": None, "speed": None, "rate": None}
"""The heads of a rate: in Gb/s, or by the units of the text; a bare number is in Mb/s."""


_LANES = re.compile(r"[1-9]\d?", re.ASCII)

_GUID = re.compile("[0-9a-f]{12}|[0-9a-f]{16}")


@dataclass(frozen=True)
class EndColumns:
    """Where a table has the ends of its cables."""

    devices: tuple[int, int]
    """The columns of the two devices."""
    ports: tuple[int | None, int | None]
    """Those of the two ports; None where there is none."""
    slots: tuple[int | None, int | None] = (None, None)
    """Those of the slots that the ports are in."""
    types: tuple[int | None, int | None] = (None, None)
    """Those of the devices' types."""
    guids: tuple[int | None, int | None] = (None, None)
    """Those of the devices' GUIDs or addresses."""
    bundle: int | None = None
    """That of the bundle of links, as our own tables have it: `server-leaf`."""
    rate: int | None = None
    """That of the rate."""
    gbps: bool = False
    """Whether bare numbers there are in Gb/s."""
    lanes: int | None = None
    """That of the lanes in use."""

    @property
    def last(self) -> int:
        """The last column that is read."""
        others = (*self.ports, *self.slots, *self.types, *self.guids, self.bundle, self.rate, self.lanes)
        return max(*self.devices, *(each for each in others if each is not None))


@dataclass(frozen=True)
class EndRow:
    """A row of a table of cables."""

    devices: tuple[str, str]
    """The two devices."""
    ports: tuple[str, str]
    """Their ports; empty where the table does not say."""
    rate_gbps: float
    """The rate, NaN where the table does not say."""
    kinds: tuple[int, int] = (UNKNOWN, UNKNOWN)
    """What the two devices are, indices into `KINDS`."""
    place: str = ""
    """Where the row is, for notes."""
    line: int = 0
    """The line of the file, from 1; 0 where it has none."""
    guids: tuple[str, str] = ("", "")
    """The GUIDs or addresses of the two devices; empty where the table does not say."""
    lanes: int = -1
    """The lanes in use, -1 where the table does not say."""


def _head(cell: str) -> str:
    return re.sub("[^a-z0-9]", "", cell.lower())


def find_columns(cells: Sequence[str]) -> EndColumns | None:
    """Return where a row of heads has the two ends of cables; None where it has not."""
    heads = [_head(cell) for cell in cells]
    rate = next((place for place, head in enumerate(heads) if head in RATES), None)
    gbps = rate is not None and RATES[heads[rate]] is not None
    for first, second in SIDES:
        devices = _pair(heads, first, second, DEVICES)
        ports = _pair(heads, first, second, PORTS)
        if devices and ports and not set(devices) & set(ports):
            types = _pair(heads, first, second, ("type",)) or (None, None)
            bundle = heads.index("bundle") if "bundle" in heads else None
            guids = _pair(heads, first, second, ("guid",)) or (None, None)
            lanes = heads.index("lanes") if "lanes" in heads else None
            return EndColumns(
                devices, ports, types=types, guids=guids, bundle=bundle, rate=rate, gbps=gbps, lanes=lanes
            )  # fmt: skip
        if first and heads.count(first) == 1 and heads.count(second) == 1 and "port" in heads:
            return _following(heads, heads.index(first), heads.index(second))
    return None


def _pair(heads: list[str], first: str, second: str, words: tuple[str, ...]) -> tuple[int, int] | None:
    for word in words:
        if first + word in heads and second + word in heads:
            return heads.index(first + word), heads.index(second + word)
        if words is DEVICES and second and first + word in heads and heads.count(second) == 1:
            return heads.index(first + word), heads.index(second)
    return None


def _following(heads: list[str], first: int, second: int) -> EndColumns | None:
    """Return the columns where ports follow each device under the same heads, as in a Cray's cabling sheet."""
    if first > second:
        return None

    def find(word: str, start: int, stop: int) -> int | None:
        return next((place for place in range(start + 1, stop) if heads[place] == word), None)

    ports = find("port", first, second), find("port", second, len(heads))
    slots = find("slot", first, second), find("slot", second, len(heads))
    return EndColumns((first, second), ports, slots) if None not in ports else None


def read_row(columns: EndColumns, cells: Sequence[str], place: str, line: int = 0) -> EndRow:
    """Return the two ends in the cells of a row; cells that a short row lacks are empty."""

    def cell(column: int | None) -> str:
        return cells[column].strip() if column is not None and column < len(cells) else ""

    def port(end: int) -> str:
        name, slot = cell(columns.ports[end]), cell(columns.slots[end])
        return f"{slot}:{name}" if slot and name else name

    text = cell(columns.rate)
    rate = rate_gbps(f"{text}G" if columns.gbps and text else text) if text else float("nan")
    kinds = _kinds(cell(columns.types[0]), cell(columns.types[1]), cell(columns.bundle))
    lanes = cell(columns.lanes)
    return EndRow(
        (cell(columns.devices[0]), cell(columns.devices[1])), (port(0), port(1)), rate, kinds, place, line,
        (_plain_guid(cell(columns.guids[0])), _plain_guid(cell(columns.guids[1]))),
        int(lanes) if _LANES.fullmatch(lanes) else -1,
    )  # fmt: skip


def _plain_guid(text: str) -> str:
    """Return a GUID in 16 hexadecimal digits or an address in 12; empty for other text."""
    digits = re.sub("^0x|[:.-]", "", text.lower())
    return digits if _GUID.fullmatch(digits) else ""


def _kinds(one: str, two: str, bundle: str) -> tuple[int, int]:
    """Return what two devices are by the words for their types, or by a bundle, whose lower end comes first."""
    if bundle:
        below = bundle.endswith("-leaf") and not bundle.startswith("leaf-")
        return HOST if below else SWITCH, SWITCH
    words = {"switch": SWITCH, "host": HOST, "server": HOST, "hca": HOST}
    return words.get(one.lower(), UNKNOWN), words.get(two.lower(), UNKNOWN)


def findings_of_rows(rows: Iterable[EndRow]) -> Findings:
    """Return the devices and cables of a table. A row without a device at an end is left out, with a note."""
    cables, half = _Cables(), []
    for row in rows:
        if all(row.devices):
            cables.add(row)
        elif any((*row.devices, *row.ports)):
            half.append(row)
    return cables.findings(list(_note_open_ends(half)))


class _Cables:
    """The cables of a table in columns, so that a table of millions of rows fits in memory."""

    def __init__(self) -> None:
        self._devices: list[SeenDevice] = []
        self._device_codes: dict[tuple[str, str], int] = {}
        self._port_codes: dict[str, int] = {"": -1}
        self._device, self._port, self._lanes = (array("i"), array("i")), (array("i"), array("i")), array("b")
        self._rate, self._line = array("d"), array("q")

    def add(self, row: EndRow) -> None:
        """Add a row with devices at both ends."""
        for end, (name, port, kind, guid) in enumerate(zip(row.devices, row.ports, row.kinds, row.guids, strict=True)):
            code = self._device_codes.setdefault((name.lower(), guid), len(self._devices))
            if code == len(self._devices):
                self._devices.append(SeenDevice(text=name, name=name, hardware_id=guid, own_record=True, line=row.line))
            device = self._devices[code]
            if kind == SWITCH or (device.kind != SWITCH and is_switch_port(port)):
                device.kind = SWITCH
            elif device.kind == UNKNOWN:
                device.kind = kind or (HOST if is_host_port(port) else UNKNOWN)
            self._device[end].append(code)
            self._port[end].append(self._port_codes.setdefault(port, len(self._port_codes) - 1))
        self._lanes.append(row.lanes)
        self._rate.append(row.rate_gbps)
        self._line.append(row.line)

    def findings(self, notes: list[Note]) -> Findings:
        """Return the devices and cables."""
        near, far = (
            (np.array(device, np.int32), np.array(port, np.int32))
            for device, port in zip(self._device, self._port, strict=True)
        )
        ends = PortEnds.of(
            near, far, width=np.array(self._lanes), rate_gbps=np.array(self._rate), line=np.array(self._line)
        )
        return Findings(self._devices, tuple(self._port_codes)[1:], ends, both_sides=True, notes=notes)


def _note_open_ends(rows: list[EndRow]) -> Iterator[Note]:
    """Yield a note on each of the first rows that name no device at an end, and on how many more there are."""
    for row in rows[:SHOWN]:
        there = " ".join(f"{device} {port}".strip() for device, port in zip(row.devices, row.ports, strict=True))
        ends = "either end" if not any(row.devices) else "the first end" if not row.devices[0] else "the second end"
        yield Note(row.place, f"no device at {ends} of the cable ({there.strip():.60}); left out")
    if len(rows) > SHOWN:
        yield Note(rows[SHOWN].place, f"{len(rows) - SHOWN:,} more rows without a device at an end, from here on")
