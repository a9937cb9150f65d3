"""What deviates in a discovered fabric from what most of it shows, each kind counted and with a first example."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from fabric.discovery.discovery import Discovery, Note
from fabric.discovery.graph import modal
from fabric.discovery.structure import Structure
from fabric.units import count_noun, rate

__all__ = ["list_uneven"]

Rows = npt.NDArray[np.integer]


def list_uneven(found: Discovery, structure: Structure, *, direct: bool = False) -> Iterator[Note]:
    """Yield what is uneven, each with the file and line of its first example.

    In a `direct` network links within a tier are what is expected: only hosts and rates are looked at.
    """
    graph = structure.graph
    if direct:
        yield from _list_hosts(found, structure)
        for switches in (False, True):
            yield from _list_rates(found, graph.cable[graph.is_switch[graph.lower] == switches])
        return
    tier = graph.tier
    lower, upper = tier[graph.lower], tier[graph.upper]
    switch = graph.is_switch[graph.lower]
    yield from _list_cables(
        found, graph.cable[~switch & (upper > 1)], "leads", "lead", "from a host to a switch above the leaves"
    )
    yield from _list_cables(
        found, graph.cable[switch & (lower == upper) & (lower > 0)], "joins", "join", "switches of one tier"
    )
    yield from _list_cables(found, graph.cable[switch & (upper > lower + 1) & (lower > 0)], "skips", "skip", "a tier")
    yield from _list_hosts(found, structure)
    for level in range(1, len(structure.tiers) + 1):
        rows = np.flatnonzero((upper == level) & (switch == (level > 1)) & (lower == level - 1))
        yield from _list_rates(found, graph.cable[rows])
        if level > 1:
            yield from _list_pairs(found, structure, rows, level)
    lost = np.flatnonzero(graph.is_switch & (tier == 0))
    if len(lost):
        device = int(np.flatnonzero(np.isin(graph.node, lost))[0])
        have = "has" if len(lost) == 1 else "have"
        yield _note(found, device, f"{count_noun(len(lost), 'switch', 'switches')} {have} no way to a host, such as")


def _note(found: Discovery, device: int, text: str) -> Note:
    line = int(found.device_line[device])
    file = found.files[found.device_file[device]]
    return Note(f"{file}:{line}" if line else file, f"{text} {found.label(device)}")


def _describe(found: Discovery, cable: int) -> str:
    """Return the two ends of a cable: `leaf001 port 3 to leaf002 port 4`."""
    ends = ((found.a, found.a_port), (found.b, found.b_port))
    return " to ".join(
        f"{found.label(int(device[cable]))} port {found.port(int(port[cable]))}" for device, port in ends
    )


def _list_cables(found: Discovery, cables: Rows, one: str, many: str, what: str) -> Iterator[Note]:
    if len(cables):
        verb = one if len(cables) == 1 else many
        first = int(cables[0])
        text = f"{count_noun(len(cables), 'cable')} {verb} {what}, such as {_describe(found, first)}"
        yield Note(found.place(first), text)


def _list_hosts(found: Discovery, structure: Structure) -> Iterator[Note]:
    """Yield a note on hosts with other numbers of links than most."""
    graph = structure.graph
    to_host = ~graph.is_switch[graph.lower]
    links = np.bincount(graph.lower[to_host], minlength=graph.nodes)
    usual = modal(links[links > 0])
    for odd, word in (
        (np.flatnonzero((links > 0) & (links < usual)), "fewer"),
        (np.flatnonzero(links > usual), "more"),
    ):
        if len(odd):
            device = int(np.flatnonzero(graph.node == odd[0])[0])
            have = "has" if len(odd) == 1 else "have"
            text = f"{count_noun(len(odd), 'host')} {have} {word} links than the {usual} of most, such as"
            yield _note(found, device, text)


def _list_rates(found: Discovery, cables: Rows) -> Iterator[Note]:
    """Yield a note on cables that run slower than most of their kind."""
    rates = found.rate_gbps[cables]
    known = rates[~np.isnan(rates)]
    if not len(known):
        return
    values, counts = np.unique(known, return_counts=True)
    usual = float(values[np.argmax(counts)])
    slow = cables[rates < usual]
    if len(slow):
        first = int(slow[0])
        verb = "runs" if len(slow) == 1 else "run"
        yield Note(
            found.place(first),
            f"{count_noun(len(slow), 'cable')} {verb} below the {rate(usual)} of most, such as"
            f" {_describe(found, first)} at {rate(float(found.rate_gbps[first]))}",
        )


def _list_pairs(found: Discovery, structure: Structure, rows: Rows, level: int) -> Iterator[Note]:
    """Yield a note on switches of a tier whose links up are not as many as of most."""
    graph = structure.graph
    links = np.bincount(graph.lower[rows], minlength=graph.nodes)
    below = np.flatnonzero(graph.tier == level - 1)
    usual = modal(links[below])
    odd = below[links[below] != usual]
    if len(odd):
        device = int(np.flatnonzero(graph.node == odd[0])[0])
        have = "has" if len(odd) == 1 else "have"
        switches = count_noun(len(odd), "switch", "switches")
        text = f"{switches} of tier {level - 1} {have} other than the {usual} links up of most, such as"
        yield Note(_note(found, device, "").place, f"{text} {found.label(device)} with {int(links[odd[0]])}")
