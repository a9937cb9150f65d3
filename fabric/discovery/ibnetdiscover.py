"""Read the text of ibnetdiscover, and of what writes the same: ibdiagnet's `.ibnetdiscover`, and ibsim's networks.

A record is a device with its ports; the other end of each cable has a record of its own. Only lines that begin as a
device, an identity or a port do are read, so that prompts, comments and blank lines, or none, make no difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.discovery.discovery import AGGREGATION, HOST, SWITCH, UNKNOWN, Note
from fabric.discovery.findings import Findings, PortEnds, SeenDevice
from fabric.discovery.guid_twins import part_twins
from fabric.discovery.node_descriptions import AGGREGATION_NODE, cabled_ports, describe, lane_rate_gbps, model_of
from fabric.discovery.source import Source
from fabric.discovery.text_lines import Matches, as_numbers, code_texts, match_lines, split_lines

__all__ = ["MOST_PORTS", "is_ibnetdiscover", "read_ibnetdiscover"]

MOST_PORTS = 9999
"""The most ports of a device: InfiniBand numbers them in one byte, and simulators a few more."""

_KNOWN = re.compile(rb'^[ \t]*(?:Switch|Ca|Hca|Rt)[ \t]+\d+[ \t]+"', re.MULTILINE)

_DEVICE_BEGINS = r'^\s*(?:Switch|Ca|Hca|Rt)\s+\d+\s*"'
_DEVICE = r'^\s*(?P<word>\w+)\s+(?P<ports>\d{1,9})\s*"(?P<id>[^"]*)"\s*(?:#\s*(?:"(?P<text>.*)")?[^"]*)?$'

_PORT_BEGINS = r'^\s*\[\d+\]\s*[\s\["(]'
_PORT = (
    r"^\s*\[(?P<port>\d{1,9})\](?:\s*\[ext\s*\d+\])?(?:\s*\([0-9a-fA-F]*\))?"
    r'\s*"(?P<peer>[^"]+)"\s*\[(?P<peer_port>\d{1,9})\](?:\s*\[ext\s*\d+\])?(?:\s*\([0-9a-fA-F]*\))?'
    r'\s*(?:#[^"]*(?:"(?P<text>.*)")?(?P<tail>[^"]*))?$'
)
_RATE = r"(?P<width>\d{1,2})x\s?(?P<speed>[A-Za-z]+\d*)"

_GUID_BEGINS = r"^\s*(?:switch|ca|rt)guid\s*=\s*0x[0-9a-fA-F]"

_IDENTITY = r"^\s*(?P<key>sysimgguid|devid)\s*=\s*0x(?P<value>[0-9a-fA-F]{1,16})\b"

_GUID = re.compile(r"(?:[SHR]-)?(?:0x)?([0-9a-fA-F]{1,16})")

_FULL_GUID = re.compile("[0-9a-f]{16}")

_KINDS = {"Switch": SWITCH, "Ca": HOST, "Hca": HOST}

Codes = npt.NDArray[np.int32]


def is_ibnetdiscover(source: Source) -> bool:
    """Say whether a file has the record of a device as ibnetdiscover writes it."""
    return source.is_text and _KNOWN.search(source.encoded) is not None


def read_ibnetdiscover(source: Source) -> Findings:
    """Return the devices and ports of a file. Raises InputError with the line where one is cut or wrong."""
    lines = split_lines(source.encoded)
    records = match_lines(lines, _DEVICE_BEGINS, _DEVICE)
    ports = match_lines(lines, _PORT_BEGINS, _PORT)
    _refuse_broken(source, lines, records, ports)
    owner = np.searchsorted(records.lines, ports.lines) - 1
    if (early := np.flatnonzero(owner < 0)).size:
        raise source.error("a port with no device before it; save the whole output", int(ports.lines[early[0]]) + 1)
    _refuse_lost_records(source, lines, records, ports)
    texts, (own, peer) = code_texts(records.group("id"), ports.group("peer"))
    guids, code = _number_guids(texts)
    own, peer = code[own], code[peer]
    twins = part_twins(guids, records, own, owner, ports, peer)
    own, peer = twins.own, twins.peer
    devices = _list_devices(guids, records, own, _identities(lines, records), ports, peer)
    port, far = as_numbers(ports.group("port")), as_numbers(ports.group("peer_port"))
    _refuse_numbers(source, ports, port, far)
    names, at = np.unique(np.concatenate([port, far]), return_inverse=True)
    width, rate = _rates(ports)
    ends = PortEnds.of(
        (own[owner], at[: len(port)]), (peer, at[len(port) :]), width=width, rate_gbps=rate, line=ports.lines + 1
    )
    notes = [*_note_twins(source, devices, twins.first_of), *_notes(source, lines, devices)]
    return Findings(devices, tuple(map(str, names.tolist())), ends, notes=notes)


def _refuse_broken(source: Source, lines: Any, records: Matches, ports: Matches) -> None:
    """Raise InputError at the first line that begins as a device or a port and does not go on as one."""
    broken = np.concatenate([records.unmatched(), ports.unmatched()])
    last = len(lines) - 1
    if not source.encoded.endswith(b"\n") and (cut := _is_cut(lines[last].as_py())):
        broken = np.append(broken, last) if cut else broken
    if broken.size:
        line = int(broken.min())
        text = lines[line].as_py().strip()
        what = "breaks off" if line == last else "is not a line of ibnetdiscover"
        raise source.error(f"{text:.60}: {what}; save its whole output", line + 1)


def _refuse_lost_records(source: Source, lines: Any, records: Matches, ports: Matches) -> None:
    """Raise InputError where ports follow the GUID of a device whose own line is lost: they are not those before."""
    guids = match_lines(lines, _GUID_BEGINS, r"^\s*(?P<word>\w+)").lines
    heads = np.sort(np.concatenate([records.lines, guids]))
    last = heads[np.searchsorted(heads, ports.lines) - 1]
    if (lost := np.flatnonzero(np.isin(last, guids))).size:
        row = int(lost[0])
        device = lines[int(last[row])].as_py().strip()
        raise source.error(
            f"a port after {device:.60} without the line of that device between; save the whole output",
            int(ports.lines[row]) + 1,
        )


def _is_cut(text: str) -> bool:
    """Say whether a last line without an end breaks off before what a whole one ends in."""
    text = text.rstrip()
    if re.match(_PORT_BEGINS, text):
        found = re.search(_RATE, text.rsplit('"', 1)[-1])
        return found is None or np.isnan(lane_rate_gbps(found["speed"]))
    if re.match(_DEVICE_BEGINS, text):
        return True  # a record has ports
    return bool(re.match(r"\s*(?:\[\d*\]?|\w+guid=|vendid=|devid=|Switch|Ca)\S*$", text))


def _refuse_numbers(source: Source, ports: Matches, *numbers: npt.NDArray[np.int64]) -> None:
    for column in numbers:
        if (over := np.flatnonzero((column > MOST_PORTS) | (column < 0))).size:
            row = int(over[0])
            raise source.error(f"port {column[row]}: a device has at most {MOST_PORTS:,}", int(ports.lines[row]) + 1)


def _number_guids(texts: list[str]) -> tuple[list[str], Codes]:
    """Return the different devices, and the device of each text: GUIDs count as equal without their leading zeros.

    A simulator's device has a name in the place of a GUID, which is kept as it is.
    """
    numbered: dict[str, int] = {}
    code = np.empty(len(texts), np.int32)
    for row, text in enumerate(texts):
        found = _GUID.fullmatch(text)
        key = found[1].lower().zfill(16) if found else text
        code[row] = numbered.setdefault(key, len(numbered))
    return list(numbered), code


def _identities(lines: Any, records: Matches) -> dict[str, dict[int, str]]:
    """Return the system's GUID and the device number of records, by the row of the record that follows them."""
    found = match_lines(lines, r"^\s*(?:sysimgguid|devid)\s*=", _IDENTITY)
    record = np.searchsorted(records.lines, found.lines).tolist()
    identities: dict[str, dict[int, str]] = {"sysimgguid": {}, "devid": {}}
    keys, values = found.group("key").to_pylist(), found.group("value").to_pylist()
    for row, key, value in zip(record, keys, values, strict=True):
        if key:
            identities[key][row] = value.lower()
    return identities


def _list_devices(
    guids: list[str], records: Matches, own: Codes, identities: dict[str, dict[int, str]], ports: Matches, peer: Codes
) -> list[SeenDevice]:
    """Return the devices in the order of `guids`: from their own records, else from what their neighbours call them."""
    words, counts = records.group("word").to_pylist(), as_numbers(records.group("ports")).tolist()
    texts, numbers = records.group("text").to_pylist(), identities["devid"]
    devices: list[SeenDevice | None] = [None] * len(guids)
    for row, device in enumerate(own.tolist()):
        if devices[device] is not None:
            continue
        number = int(numbers.get(row, "0"), 16)
        seen = _name(guids[device], texts[row] or "", _KINDS.get(words[row], UNKNOWN))
        seen.model = seen.model or model_of(number)
        seen.kind = AGGREGATION if number == AGGREGATION_NODE else seen.kind
        seen.system = identities["sysimgguid"][row].zfill(16) if row in identities["sysimgguid"] else ""
        seen.ports, seen.own_record, seen.line = cabled_ports(counts[row], seen.kind), True, int(records.lines[row]) + 1
        devices[device] = seen
    peers, first = np.unique(peer, return_index=True)
    for device, row in zip(peers.tolist(), first.tolist(), strict=True):
        if devices[device] is None:
            devices[device] = _name_peer(guids[device], ports, row)
    return [each for each in devices if each is not None]


def _name(guid: str, text: str, kind: int) -> SeenDevice:
    """Return a device of a GUID and a description; a simulator's name stands where a GUID does."""
    known = _FULL_GUID.fullmatch(guid)
    found = describe(text or ("" if known else guid), kind)
    return SeenDevice(
        text=text or ("" if known else guid),
        name=found.name,
        part=found.part,
        hardware_id=guid if known else "",
        model=found.model,
        kind=found.kind,
    )


def _name_peer(guid: str, ports: Matches, row: int) -> SeenDevice:
    """Return a device that has no record, from the port of a neighbour that names it."""
    kind = {"S": SWITCH, "H": HOST}.get(ports.group("peer")[row].as_py()[:1], UNKNOWN)
    text = ports.group("text")[row].as_py() or ""
    seen = _name(guid, text, kind)
    seen.line = int(ports.lines[row]) + 1
    return seen


def _note_twins(source: Source, devices: list[SeenDevice], first_of: dict[int, int]) -> Iterator[Note]:
    """Yield a note on each device with the GUID of another, which then is none of it."""
    for device, first in first_of.items():
        seen, other = devices[device], devices[first]
        yield Note(
            f"{source.name}:{seen.line}",
            f"{seen.text or 'a device'} has the GUID of {other.text or 'another'} (line {other.line}), and its ports"
            f" lead elsewhere: two devices with the GUID {seen.hardware_id}; give one another",
        )
        seen.hardware_id = ""


def _rates(ports: Matches) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return lanes and Gb/s of each port, -1 and NaN where the line does not say."""
    import pyarrow.compute as pc

    found = pc.extract_regex(ports.group("tail"), _RATE)
    width = as_numbers(pc.struct_field(found, "width"))
    words, (code,) = code_texts(pc.fill_null(pc.struct_field(found, "speed"), ""))
    lane = np.array([lane_rate_gbps(word) for word in words])[code]
    return width, np.where(width > 0, width * lane, np.nan)


def _notes(source: Source, lines: Any, devices: list[SeenDevice]) -> list[Note]:
    """Return a note on devices without a record of their own."""
    bare = [device for device in devices if not device.own_record]
    if not bare:
        return []
    first = bare[0]
    return [
        Note(
            f"{source.name}:{first.line}",
            f"{_count_bare(len(bare))}, such as"
            f" {first.text or first.hardware_id!r}: the file may be cut after line {len(lines):,}",
        )
    ]


def _count_bare(devices: int) -> str:
    return "1 device has no record of its own" if devices == 1 else f"{devices:,} devices have no record of their own"
