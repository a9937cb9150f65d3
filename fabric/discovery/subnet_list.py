"""Read lists of links: ibdiagnet's `ibdiagnet2.lst` and OpenSM's `opensm-subnet.lst`, a line for each link.

Numbers of ports are hexadecimal there.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.discovery.discovery import AGGREGATION, HOST, SWITCH, UNKNOWN
from fabric.discovery.findings import Findings, PortEnds, SeenDevice
from fabric.discovery.node_descriptions import (
    AGGREGATION_NODE,
    cabled_ports,
    describe,
    lane_gbps_of_number,
    lane_rate_gbps,
    model_of,
)
from fabric.discovery.source import Source
from fabric.discovery.text_lines import Matches, as_numbers, code_texts, match_lines, split_lines

__all__ = ["is_subnet_list", "read_subnet_list"]

_KNOWN = re.compile(rb"^[ \t]*\{[ \t]*(?:CA|SW|RTR|RT)[^\n]*NodeGUID:", re.MULTILINE | re.IGNORECASE)

_BEGINS = r"^\s*\{\s*(?:CA|SW|RTR|RT)[\s-]"

_END = (
    r"\{{\s*(?P<kind{0}>CA|SW|RTR|RT)(?:-\w+)?\s+Ports:(?P<ports{0}>[0-9A-Fa-f]{{1,4}})\s"
    r"(?:.*?SystemGUID:(?P<system{0}>[0-9A-Fa-f]{{1,16}}))?.*?NodeGUID:(?P<id{0}>[0-9A-Fa-f]{{1,16}})"
    r"(?:.*?DevID:(?P<device{0}>[0-9A-Fa-f]{{1,8}}))?.*?(?:\{{(?P<text{0}>.*?)\}}\s*)?LID:[0-9A-Fa-f]*\s*"
    r"PN:(?P<port{0}>[0-9A-Fa-f]{{1,4}})\s*\}}"
)
_LINK = (
    r"^\s*" + _END.format("1") + r"\s*" + _END.format("2") + r"\s*PHY=(?P<width>\d{1,2})[xX]\S*"
    r"(?:\s+LOG=\S+)?\s+SPD=(?P<speed>[0-9A-Za-z.]+)"
)

_KINDS = {"SW": SWITCH, "CA": HOST}


def is_subnet_list(source: Source) -> bool:
    """Say whether a file has a line of a link with both ends in braces."""
    return source.is_text and _KNOWN.search(source.encoded) is not None


def read_subnet_list(source: Source) -> Findings:
    """Return the devices and links of a list. Raises InputError with the line where one is cut or wrong."""
    lines = split_lines(source.encoded)
    links = match_lines(lines, _BEGINS, _LINK)
    if (broken := links.unmatched()).size:
        line = int(broken[0])
        what = "breaks off" if line == len(lines) - 1 else "is not a link with two ends, PHY and SPD"
        raise source.error(f"{lines[line].as_py().strip():.60}: {what}; save the whole list", line + 1)
    ids, (one, two) = code_texts(links.group("id1"), links.group("id2"))
    guids = {text: text.lower().zfill(16) for text in ids}
    numbered = {guid: place for place, guid in enumerate(dict.fromkeys(guids.values()))}
    code = np.array([numbered[guids[text]] for text in ids], np.int32)
    one, two = code[one], code[two]
    devices = _list_devices(list(numbered), links, one, two)
    port, far = (_hexadecimal(links.group(f"port{end}")) for end in (1, 2))
    names, at = np.unique(np.concatenate([port, far]), return_inverse=True)
    width, words = as_numbers(links.group("width")), links.group("speed")
    texts, (speed,) = code_texts(words)
    lane = np.array([_lane(text) for text in texts])[speed]
    ends = PortEnds.of(
        (one, at[: len(port)]), (two, at[len(port) :]), width=width, rate_gbps=width * lane, line=links.lines + 1
    )
    return Findings(devices, tuple(map(str, names.tolist())), ends, both_sides=True)


def _lane(text: str) -> float:
    return lane_gbps_of_number(float(text)) if re.fullmatch(r"\d+(?:\.\d+)?", text) else lane_rate_gbps(text)


def _hexadecimal(digits: Any) -> npt.NDArray[np.int64]:
    texts, (code,) = code_texts(digits)
    return np.array([int(text, 16) for text in texts], np.int64)[code]


def _list_devices(
    guids: list[str], links: Matches, one: npt.NDArray[np.int32], two: npt.NDArray[np.int32]
) -> list[SeenDevice]:
    devices: dict[int, SeenDevice] = {}
    for end, column in (("1", one), ("2", two)):
        rows = np.unique(column, return_index=True)
        for device, row in zip(rows[0].tolist(), rows[1].tolist(), strict=True):
            if device not in devices:
                devices[device] = _device(guids[device], links, end, row)
    return [devices[device] for device in range(len(guids))]


def _device(guid: str, links: Matches, end: str, row: int) -> SeenDevice:
    def text(name: str) -> str:
        return str(links.group(name + end)[row].as_py() or "")

    number = int(text("device") or "0", 16)
    if number >> 16:  # OpenSM leaves the number of the second device where its word has it, in the upper half
        number >>= 16
    kind = _KINDS.get(text("kind").upper(), UNKNOWN)
    found = describe(text("text"), kind)
    kind = AGGREGATION if number == AGGREGATION_NODE else found.kind
    return SeenDevice(
        text=text("text"),
        name=found.name,
        part=found.part,
        hardware_id=guid,
        system=text("system").lower().zfill(16) if text("system") else "",
        model=found.model or model_of(number),
        kind=kind,
        ports=cabled_ports(int(text("ports"), 16), kind),
        own_record=True,
        line=int(links.lines[row]) + 1,
    )
