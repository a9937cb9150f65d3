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

EXAMPLES = 4
"""The examples that a note gives."""

COMMON, LEAST_HOSTS = 0.75, 4
"""The share of a unit's hosts whose adapter of a name must be at one leaf, and the fewest hosts that have it."""

FEW_PAIRS = 0.2
"""The share of pairs of switches up to which those with other numbers of links are named one by one."""


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
    yield from _list_leaves(found, structure, np.flatnonzero(~switch & (upper == 1)))
    for level in range(1, len(structure.tiers) + 1):
        rows = np.flatnonzero((upper == level) & (switch == (level > 1)) & (lower == level - 1))
        yield from _list_rates(found, graph.cable[rows])
        if level > 1:
            yield from _list_pairs(found, structure, rows, level)
    lost = np.flatnonzero(graph.is_switch & (tier == 0))
    if len(lost):
        device = int(np.flatnonzero(np.isin(graph.node, lost))[0])
        have = "has" if len(lost) == 1 else "have"
        text = f"{count_noun(len(lost), 'switch', 'switches')} {have} no way to a host, such as {found.label(device)}"
        yield Note(_place(found, device), text)


def _place(found: Discovery, device: int) -> str:
    """Return where a file names a device first, as `file:line`."""
    line = int(found.device_line[device])
    file = found.files[found.device_file[device]]
    return f"{file}:{line}" if line else file


def _describe(found: Discovery, cable: int) -> str:
    """Return the two ends of a cable: `leaf001 port 3 to leaf002 port 4`."""
    ends = ((found.a, found.a_port), (found.b, found.b_port))
    return " to ".join(
        f"{_label(found, int(device[cable]))} port {found.port(int(port[cable]))}" for device, port in ends
    )


def _list_cables(found: Discovery, cables: Rows, one: str, many: str, what: str) -> Iterator[Note]:
    if len(cables):
        verb = one if len(cables) == 1 else many
        some = "; ".join(_describe(found, cable) for cable in cables[:EXAMPLES].tolist())
        yield Note(found.place(int(cables[0])), f"{count_noun(len(cables), 'cable')} {verb} {what}, such as {some}")


def _list_leaves(found: Discovery, structure: Structure, rows: Rows) -> Iterator[Note]:
    """Yield notes on cables of hosts to other leaves than those of most: of another unit, or of another adapter."""
    graph = structure.graph
    host, leaf = graph.lower[rows], graph.upper[rows]
    unit = structure.unit_of[host]
    stray = (unit >= 0) & (structure.unit_of[leaf] != unit)
    yield from _list_cables(
        found, graph.cable[rows[stray]], "leads", "lead", "from a host to a leaf of another unit than its others"
    )
    own = rows[~stray]
    _, of, counts = np.unique(
        np.column_stack((graph.lower[own], graph.upper[own])), axis=0, return_inverse=True, return_counts=True
    )
    usual = structure.tiers[0].parallel if structure.tiers else 0
    many = own[counts[of.reshape(-1)] > usual]
    several = int((counts > usual).sum())
    if several:
        have = "host has" if several == 1 else "hosts have"
        some = "; ".join(_describe(found, cable) for cable in graph.cable[many[:EXAMPLES]].tolist())
        place = found.place(int(graph.cable[many[0]]))
        yield Note(place, f"{several:,} {have} more links to one leaf than the {usual} of most, such as {some}")
    if structure.rails > 1:
        wrong = _find_wrong_adapters(found, structure, own)
        yield from _list_cables(
            found, graph.cable[wrong], "leads", "lead", "to another leaf than that adapter of most hosts of the unit"
        )


def _find_wrong_adapters(found: Discovery, structure: Structure, rows: Rows) -> Rows:
    """Return the rows whose leaf is not that at which most hosts of the unit have the adapter of this name."""
    graph = structure.graph
    parts = {part: code for code, part in enumerate(dict.fromkeys(found.parts))}
    part = np.array([parts[each] for each in found.parts], np.int64)[graph.lower_device[rows]]
    cable = graph.cable[rows]
    port = np.where(found.a[cable] == graph.lower_device[rows], found.a_port[cable], found.b_port[cable])
    keys, sort = np.unique(
        np.column_stack((structure.unit_of[graph.lower[rows]], part, port)), axis=0, return_inverse=True
    )
    named = np.array([bool(each) for each in parts], np.bool_)[part] | (port >= 0)
    pairs, counts = np.unique(np.column_stack((sort.reshape(-1), graph.upper[rows])), axis=0, return_counts=True)
    order = np.argsort(counts, kind="stable")
    usual, most, total = np.full(len(keys), -1), np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
    usual[pairs[order, 0]], most[pairs[order, 0]] = pairs[order, 1], counts[order]
    np.add.at(total, pairs[:, 0], counts)
    sure = (most >= COMMON * total) & (total >= LEAST_HOSTS)
    own = sort.reshape(-1)
    wrong: Rows = rows[named & sure[own] & (graph.upper[rows] != usual[own])]
    return wrong


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
            have = "has" if len(odd) == 1 else "have"
            some = "; ".join(f"{_name(found, structure, node)} with {links[node]}" for node in odd[:EXAMPLES].tolist())
            text = f"{count_noun(len(odd), 'host')} {have} {word} links than the {usual} of most, such as {some}"
            yield Note(_place(found, int(np.flatnonzero(graph.node == odd[0])[0])), text)


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
        verb = "runs" if len(slow) == 1 else "run"
        some = "; ".join(
            f"{_describe(found, cable)} at {rate(float(found.rate_gbps[cable]))}" for cable in slow[:EXAMPLES].tolist()
        )
        text = f"{count_noun(len(slow), 'cable')} {verb} below the {rate(usual)} of most, such as {some}"
        yield Note(found.place(int(slow[0])), text)


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
        some = "; ".join(f"{_name(found, structure, node)} with {links[node]}" for node in odd[:EXAMPLES].tolist())
        switches = count_noun(len(odd), "switch", "switches")
        text = f"{switches} of tier {level - 1} {have} other than the {usual} links up of most, such as {some}"
        yield Note(_place(found, device), text)
    yield from _list_parallel(found, structure, rows, level)


def _list_parallel(found: Discovery, structure: Structure, rows: Rows, level: int) -> Iterator[Note]:
    """Yield a note on pairs of switches with other numbers of links than most of their tiers."""
    graph, usual = structure.graph, structure.tiers[level - 1].parallel
    pairs, first, counts = np.unique(
        np.column_stack((graph.lower[rows], graph.upper[rows])), axis=0, return_index=True, return_counts=True
    )
    odd = np.flatnonzero(counts != usual)
    if not len(odd):
        return
    if len(odd) > FEW_PAIRS * len(pairs):
        yield Note(
            found.place(int(graph.cable[rows[first[odd[0]]]])),
            f"switches of tiers {level - 1} and {level} have {counts.min()} to {counts.max()} links to each other",
        )
        return
    some = "; ".join(
        f"{_name(found, structure, pairs[row, 0])} and {_name(found, structure, pairs[row, 1])} with {counts[row]}"
        for row in odd[:EXAMPLES].tolist()
    )
    have = "has" if len(odd) == 1 else "have"
    yield Note(
        found.place(int(graph.cable[rows[first[odd[0]]]])),
        f"{count_noun(len(odd), 'pair')} of switches of tiers {level - 1} and {level} {have} other than the {usual}"
        f" {'link' if usual == 1 else 'links'} of most, such as {some}",
    )


def _name(found: Discovery, structure: Structure, node: int) -> str:
    """Return what to call a node: the label of its first device."""
    return _label(found, int(np.flatnonzero(structure.graph.node == node)[0]))


def _label(found: Discovery, device: int) -> str:
    """Return what to call a device: with its GUID where others have the same label."""
    label, code = found.label(device), found.hardware_ids[device]
    return f"{label} ({code})" if code and found.texts.count(label) > 1 else label
