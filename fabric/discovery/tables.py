"""Read tables of neighbours as switches print them: SONiC's `show lldp table`, `nv show interface lldp` and the like.

A row of dashes below the heads says where each column is, so that values may have blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fabric.discovery.findings import Findings
from fabric.discovery.neighbours import Neighbour, gather, host_of, rate_gbps
from fabric.discovery.source import Source

__all__ = ["is_neighbour_table", "read_neighbour_table"]

HEADS = {
    "port": ("localport", "interface", "localinterface", "localintf", "port"),
    "name": ("remotedevice", "remotehost", "neighbordeviceid", "remotesystem", "systemname"),
    "far_port": ("remoteportid", "remoteport", "neighborportid", "portid"),
    "description": ("remoteportdescr", "portdescription"),
    "rate": ("speed",),
}
"""The heads of the columns, without blanks and in lower case."""

_DASHES = re.compile(r"^(?P<before>.*?)(?P<dashes>(?<!-)-{2,}+(?:[ \t]+-{2,}+){2,})[ \t-]*\r?$", re.MULTILINE)

_PROMPT = re.compile(r"^\s*(?:[\w.-]+@)?(?P<host>[A-Za-z][\w.-]*)(?::[^\n#$>]*)?\s*[#$>]\s*\S.*\b(?:lldp)\b.*$")


def is_neighbour_table(source: Source) -> bool:
    """Say whether a file has a table with a column of ports, one of neighbours and one of their ports."""
    return source.is_text and next(_tables(source), None) is not None


def read_neighbour_table(source: Source) -> Findings:
    """Return the neighbours in all tables of a file. Raises InputError where a row breaks off."""
    return gather(source, _rows(source))


def _rows(source: Source) -> Iterator[tuple[str, Neighbour]]:
    lines = source.text.splitlines()
    for row, columns in _tables(source):
        host = _host_above(lines, row) or host_of(source)
        for number in range(row + 1, len(lines)):
            cells = {key: lines[number][cut].strip() for key, cut in columns.items()}
            if not cells["port"] or cells["port"].startswith("--"):
                break
            if not cells["name"] and not cells["far_port"]:
                if number == len(lines) - 1 and not source.text.endswith("\n"):
                    raise source.error("the row breaks off; save the whole table", number + 1)
                continue
            yield (
                host,
                Neighbour(
                    port=cells["port"],
                    name=cells["name"],
                    far_port=cells["far_port"],
                    description=cells.get("description", ""),
                    rate_gbps=rate_gbps(cells["rate"]) if cells.get("rate") else float("nan"),
                    line=number + 1,
                ),
            )


def _tables(source: Source) -> Iterator[tuple[int, dict[str, slice]]]:
    """Yield the row of dashes of each table of neighbours, from 0, and where its columns are."""
    text = source.text
    lines: list[str] | None = None
    for found in _DASHES.finditer(text):
        lines = lines or text.splitlines()
        row = text.count("\n", 0, found.start())
        if not row:
            continue
        spans = [match.span() for match in re.finditer("-{2,}", lines[row])]
        starts = [start for start, _ in spans]
        ends = [*starts[1:], None]
        columns: dict[str, slice] = {}
        for start, end in zip(starts, ends, strict=True):
            word = re.sub(r"[\s_-]", "", lines[row - 1][start:end]).lower()
            key = next((key for key, heads in HEADS.items() if word in heads), "")
            if key and key not in columns:
                columns[key] = slice(start, end)
        if {"port", "name", "far_port"} <= columns.keys():
            yield row, columns


def _host_above(lines: list[str], row: int) -> str:
    """Return the host in the nearest prompt above a table that asks for LLDP; empty where there is none."""
    for number in range(row - 1, max(-1, row - 6), -1):
        if found := _PROMPT.match(lines[number]):
            return found["host"]
    return ""
