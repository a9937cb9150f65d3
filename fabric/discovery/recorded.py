"""Read what a collector, such as SuzieQ, recorded of LLDP on many hosts: for each its name and the output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fabric.discovery.findings import Findings
from fabric.discovery.lldpcli import is_lldp_text, is_lldpcli_json, list_json_neighbours, list_text_neighbours
from fabric.discovery.neighbours import Neighbour, gather
from fabric.discovery.source import Source

__all__ = ["is_recorded_output", "read_recorded_output"]


def is_recorded_output(source: Source) -> bool:
    """Say whether a file has records with a `hostname` and the output that it printed as text, `data`."""
    return any(True for _ in _records(source))


def _records(source: Source) -> Iterator[dict[str, Any]]:
    for document in source.json_documents:
        for each in document if isinstance(document, list) else [document]:
            if isinstance(each, dict) and isinstance(each.get("hostname"), str) and isinstance(each.get("data"), str):
                yield each


def read_recorded_output(source: Source) -> Findings:
    """Return the neighbours of all hosts. Raises InputError where an output breaks off."""
    rows: list[tuple[str, Neighbour]] = []
    for each in _records(source):
        output = Source(f"{source.name} ({each['hostname']:.80})", each["data"].encode())
        if is_lldpcli_json(output):
            found = list_json_neighbours(output)
        elif is_lldp_text(output):
            found = list_text_neighbours(output)
        else:
            continue
        # Lines within an output are not those of the file.
        rows += [(each["hostname"], replace(row, line=0)) for row in found]
    return gather(source, rows)
