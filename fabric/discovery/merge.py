"""Merge what several files say into one discovery: a device that many files name is one, and so is a cable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.discovery.cable_ends import CableRows, join_ends
from fabric.discovery.discovery import UNKNOWN, Discovery, Note
from fabric.discovery.findings import Findings, PortEnds, SeenDevice

__all__ = ["merge"]

SHOWN = 10
"""The notes of one kind that are given one by one."""

GUID_DIGITS = 16

Codes = npt.NDArray[np.int32]


def merge(files: Sequence[str], formats: Sequence[str], found: Sequence[Findings]) -> Discovery:
    """Return what the files say together; shapes of all three are (files,)."""
    devices, origin, rows_of = _merge_devices(found)
    port_names, ports_of = _merge_ports(found)
    stacked = [_renumber(each.ends, rows, ports) for each, rows, ports in zip(found, rows_of, ports_of, strict=True)]
    rows = join_ends(
        _stack(stacked),
        listed=_by_row(found, stacked, "both_sides"),
        loose=_by_row(found, stacked, "loose_ports"),
        ports=len(port_names),
    )
    file = np.repeat(np.arange(len(found), dtype=np.int32), [len(each.device) for each in stacked])
    notes = [note for each in found for note in each.notes]
    result = Discovery(
        files=tuple(files),
        formats=tuple(formats),
        **_device_columns(devices),
        device_file=np.array(origin, np.int32),
        port_names=port_names,
        **_cable_columns(rows),
        cable_file=file[rows.first],
    )
    return replace(result, notes=(*notes, *_note_shared_ports(result)))


def _by_row(found: Sequence[Findings], ends: list[PortEnds], name: str) -> npt.NDArray[np.bool_]:
    """Return a property of files for each of their rows."""
    values = np.array([getattr(each, name) for each in found], np.bool_)
    return np.repeat(values, [len(each.device) for each in ends])


def _device_columns(devices: list[SeenDevice]) -> dict[str, Any]:
    return {
        "texts": tuple(each.text for each in devices),
        "names": tuple(each.name for each in devices),
        "parts": tuple(each.part for each in devices),
        "hardware_ids": tuple(each.hardware_id for each in devices),
        "systems": tuple(each.system for each in devices),
        "models": tuple(each.model for each in devices),
        "kind": np.array([each.kind for each in devices], np.int8),
        "ports": np.array([each.ports for each in devices], np.int32),
        "own_record": np.array([each.own_record for each in devices], np.bool_),
        "device_line": np.array([each.line for each in devices], np.int64),
    }


def _cable_columns(rows: CableRows) -> dict[str, Any]:
    ends = rows.ends
    return {
        "a": ends.device,
        "b": ends.peer,
        "a_port": ends.port,
        "b_port": ends.peer_port,
        "width": ends.width,
        "rate_gbps": ends.rate_gbps,
        "both_sides": rows.both_sides,
        "cable_line": ends.line,
    }


def _merge_devices(found: Sequence[Findings]) -> tuple[list[SeenDevice], list[int], list[Codes]]:
    """Return the devices of all files, the file of each, and for each file the row of each of its devices."""
    short, owners, texts = _short_names(found), _owners_of_addresses(found), _shared_texts(found)
    devices: list[SeenDevice] = []
    origin: list[int] = []
    known: dict[tuple[str, str] | tuple[int, int], int] = {}
    rows_of = []
    for file, each in enumerate(found):
        rows = np.empty(len(each.devices), np.int32)
        for place, device in enumerate(each.devices):
            key = _key(device, short, owners)
            row = known.setdefault((file, place) if key is None or key in texts else key, len(devices))
            if row == len(devices):
                devices.append(device)
                origin.append(file)
            else:
                devices[row] = _complete(devices[row], device)
            rows[place] = row
        rows_of.append(rows)
    return devices, origin, rows_of


def _key(device: SeenDevice, short: dict[str, str], owners: dict[str, str]) -> tuple[str, str] | None:
    """Return by what a device is known again: its GUID, else its name, its address or its text; None by nothing."""
    if len(device.hardware_id) == GUID_DIGITS:
        return "GUID", device.hardware_id
    if name := device.name.lower() or owners.get(device.hardware_id, ""):
        return short.get(name, name), device.part
    if device.hardware_id:
        return "address", device.hardware_id
    return ("text", device.text) if device.text else None


def _shared_texts(found: Sequence[Findings]) -> set[tuple[str, str]]:
    """Return the keys of texts that several devices of a file have, such as a bare model, which identify none."""
    counts = Counter(
        (file, device.text)
        for file, each in enumerate(found)
        for device in each.devices
        if device.text and not device.name and not device.hardware_id
    )
    return {("text", text) for (_, text), number in counts.items() if number > 1}


def _owners_of_addresses(found: Sequence[Findings]) -> dict[str, str]:
    """Return the name, in lower case, that goes with each chassis address; none where two names do."""
    owners: dict[str, str] = {}
    for device in (device for each in found for device in each.devices):
        if device.hardware_id and device.name:
            name = device.name.lower()
            owners[device.hardware_id] = name if owners.get(device.hardware_id, name) == name else ""
    return owners


def _short_names(found: Sequence[Findings]) -> dict[str, str]:
    """Return the names to compare for those with a domain: the part before it, where that is clear.

    It is where another device has the short name alone and no second one has it with another domain.
    """
    names = {device.name.lower() for each in found for device in each.devices if device.name}
    dotted = {name: name.split(".", 1)[0] for name in names if "." in name}
    counts = Counter(dotted.values())
    return {name: short for name, short in dotted.items() if short in names and counts[short] == 1}


def _complete(known: SeenDevice, other: SeenDevice) -> SeenDevice:
    """Return a device with what another record of it adds."""
    return SeenDevice(
        text=known.text or other.text,
        name=known.name or other.name,
        part=known.part or other.part,
        hardware_id=known.hardware_id or other.hardware_id,
        system=known.system or other.system,
        model=known.model or other.model,
        kind=known.kind if known.kind != UNKNOWN else other.kind,
        ports=known.ports if known.ports >= 0 else other.ports,
        own_record=known.own_record or other.own_record,
        line=known.line,
    )


def _merge_ports(found: Sequence[Findings]) -> tuple[tuple[str, ...], list[Codes]]:
    """Return the names of ports, each once, and for each file the new index of each of its own; -1 keeps -1."""
    codes: dict[str, int] = {}
    ports_of = []
    for each in found:
        own = [codes.setdefault(name, len(codes)) for name in each.port_names]
        ports_of.append(np.array([*own, -1], np.int32))
    return tuple(codes), ports_of


def _renumber(ends: PortEnds, rows: Codes, ports: Codes) -> PortEnds:
    return replace(
        ends,
        device=rows[ends.device],
        port=ports[ends.port],
        peer=rows[ends.peer],
        peer_port=ports[ends.peer_port],
        peer_alias=ports[ends.peer_alias],
    )


def _stack(parts: list[PortEnds]) -> PortEnds:
    names = PortEnds.__dataclass_fields__
    return PortEnds(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _note_shared_ports(found: Discovery) -> list[Note]:
    """Return notes of ports at which two cables end: their two sides disagree, or two discoveries do."""
    width = len(found.port_names)
    device = np.concatenate([found.a, found.b]).astype(np.int64)
    port = np.concatenate([found.a_port, found.b_port])
    cable = np.tile(np.arange(found.cables), 2)
    named = port >= 0
    key, cable = (device * width + port)[named], cable[named]
    order = np.argsort(key, kind="stable")
    key, cable = key[order], cable[order]
    again = np.flatnonzero(key[1:] == key[:-1]) + 1
    notes = [
        Note(
            found.place(int(cable[at])),
            f"port {found.port(int(key[at] % width))} of {found.label(int(key[at] // width))} is also at the end of"
            f" the cable of {found.place(int(cable[at - 1]))}; both are kept",
        )
        for at in again[:SHOWN].tolist()
    ]
    if len(again) > SHOWN:
        notes.append(Note(found.files[0], f"{len(again) - SHOWN:,} more ports at the end of two cables"))
    return notes
