"""Read Cumulus PTM's `topology.dot`: an edge for each cable, with the device and the port at both ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fabric.discovery.end_columns import EndRow, findings_of_rows
from fabric.discovery.findings import Findings
from fabric.discovery.source import Source

__all__ = ["is_ptm_graph", "read_ptm_graph"]

_END = r'(?:"(?P<device{0}>[^"\n]+)"|(?P<bare{0}>[\w.-]+))[ \t]*:[ \t]*(?:"(?P<port{0}>[^"\n]+)"|(?P<name{0}>[\w./-]+))'

_EDGE = re.compile(
    rf"^[ \t]*{_END.format(1)}[ \t]*-[->][ \t]*{_END.format(2)}[ \t]*(?:\[[^\]\n]*\])?[ \t]*;?[ \t]*\r?$", re.M
)

_BEGINS = re.compile(r'^[ \t]*"?[\w.-]+"?[ \t]*:[^\n]*-[->]', re.MULTILINE)

_GRAPH = re.compile(r"^[ \t]*(?:strict\s+)?(?:di)?graph\b[^{\n]*\{", re.MULTILINE | re.IGNORECASE)


def is_ptm_graph(source: Source) -> bool:
    """Say whether a file is a graph with an edge between the ports of two devices."""
    return source.is_text and _GRAPH.search(source.text) is not None and _EDGE.search(source.text) is not None


def read_ptm_graph(source: Source) -> Findings:
    """Return the cables of a graph. Raises InputError with the line where an edge or the graph breaks off."""
    text = source.text
    whole = {found.start() for found in _EDGE.finditer(text)}
    for begun in _BEGINS.finditer(text):
        if begun.start() not in whole:
            words = text[begun.start() :].partition("\n")[0].strip()
            raise source.error(
                f'{words:.60}: not an edge such as "leaf1":"swp3" -- "spine1":"swp1"', _line(text, begun)
            )
    if not text.rstrip().endswith("}"):
        raise source.error("the graph breaks off before its }; save the whole file", text.count("\n") + 1)
    return findings_of_rows(_rows(source))


def _line(text: str, found: re.Match[str]) -> int:
    return text.count("\n", 0, found.start()) + 1


def _rows(source: Source) -> Iterator[EndRow]:
    line, at = 1, 0
    for found in _EDGE.finditer(source.text):
        line, at = line + source.text.count("\n", at, found.start()), found.start()
        one, two = ((found[f"device{end}"] or found[f"bare{end}"]) for end in (1, 2))
        near, far = ((found[f"port{end}"] or found[f"name{end}"]) for end in (1, 2))
        yield EndRow((one, two), (near, far), float("nan"), place=f"{source.name}:{line}", line=line)
