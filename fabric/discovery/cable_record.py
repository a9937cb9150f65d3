"""The cables of a discovery as a list that has all that identifies devices, to compare later discoveries with."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter

import numpy as np

from fabric.discovery.discovery import AGGREGATION, HOST, SWITCH, Discovery

__all__ = ["COLUMNS", "record_text", "spell_port"]

COLUMNS = (
    "a_device", "a_type", "a_guid", "a_port", "b_device", "b_type", "b_guid", "b_port", "rate_gbps", "lanes",
)  # fmt: skip
"""The heads of the columns; the reader of lists of cables knows them."""

_TYPES = {SWITCH: "switch", HOST: "host"}


def spell_port(part: str, port: str) -> str:
    """Return a port with the adapter or chip that has it: port 1 of `mlx5_0` is `mlx5_0`, port 2 `mlx5_0p1`."""
    if not part or port in ("", "1"):
        return part or port
    return f"{part}p{int(port) - 1}" if port.isdecimal() else f"{part}{port}"


def record_text(found: Discovery) -> str:
    """Return the cables of a discovery as CSV, in their order, without those of aggregation nodes.

    A device that the files do not name has its GUID or address for a name.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    names = _name_devices(found)
    kept = np.flatnonzero((found.kind[found.a] != AGGREGATION) & (found.kind[found.b] != AGGREGATION))
    for row in kept.tolist():
        cells: list[object] = []
        for device, port in ((found.a[row], found.a_port[row]), (found.b[row], found.b_port[row])):
            name = found.port_names[port] if port >= 0 else ""
            kind = _TYPES.get(int(found.kind[device]), "")
            cells += [names[device], kind, found.hardware_ids[device], spell_port(found.parts[device], name)]
        rate, lanes = float(found.rate_gbps[row]), int(found.width[row])
        writer.writerow([*cells, "" if math.isnan(rate) else f"{rate:g}", lanes if lanes > 0 else ""])
    return text.getvalue()


def _name_devices(found: Discovery) -> list[str]:
    """Return what to call each device: its name, else its GUID or address, else its text with a number."""
    texts = Counter(found.texts)
    names = []
    for row, (name, code, text) in enumerate(zip(found.names, found.hardware_ids, found.texts, strict=True)):
        other = f"0x{code}" if code else text if text and texts[text] == 1 else f"{text} {row + 1}".strip()
        names.append(name or other)
    return names
