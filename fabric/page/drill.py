"""What a reader can open: the fabric by groups, a pod, a unit, a switch with the other end of each of its ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fabric.errors import TooLarge
from fabric.network import Network
from fabric.study import Study
from fabric.units import count, rate
from fabric.view import View, levels_of, node_count, part_filled, place_of

__all__ = ["drill"]

READABLE = 600
"""The most nodes of a view that a page draws."""

SWITCHES = 24
"""The switches of a unit whose ports are listed; of other switches, one of each role, as which all are."""

Drawn = dict[str, Any]


def drill(study: Study) -> dict[str, Drawn]:
    """Return the views of a page by key: `fabric`, `pod`, `unit`, and `switch:NAME` for each whose ports are listed.

    Where the last pod or unit is filled in part, `last pod` and `last unit` show it.

    A view has its title, the key `above` it, nodes `[name, role, multiplicity, model, x, y, opens]` and edges `[lower,
    upper, bundle, links, links per pair]` by the numbers of nodes. A switch has rows `[port, bundle, peer, its port]`.
    Views of more than READABLE nodes are left out, and ports where the links would not fit in memory.
    """
    levels = [level for level in levels_of(study.blueprint) if level != "device"]
    levels = [level for level in levels if node_count(study.blueprint, level) <= READABLE]
    views = {level: study.view(level) for level in levels}
    listed = dict(_listed(study, list(views.values())))
    found = {}
    for place, (level, view) in enumerate(views.items()):
        below = levels[place + 1] if place + 1 < len(levels) else ""
        found[level] = _drawn(view, levels[place - 1] if place else "", below, listed)
    found |= _last(study, levels, listed)
    return found | {f"switch:{name}": {**rows, "above": levels[-1]} for name, rows in listed.items()}


def _last(study: Study, levels: list[str], listed: dict[str, Drawn]) -> dict[str, Drawn]:
    """Return the views of the last pod and unit that are filled in part and not the first, of the levels shown."""
    found, plan = dict[str, Drawn](), study.blueprint
    numbers = {level: place for level in levels if (place := part_filled(plan, level)) and any(place.values())}
    views = {level: study.view(level, **place) for level, place in numbers.items()}
    views = {level: view for level, view in views.items() if len(view) <= READABLE}
    for level, view in views.items():
        above = "last pod" if "last pod" in found else "pod" if level == "unit" and "pod" in levels else "fabric"
        places = {each: place_of(plan, each, **_both(place)) for each, place in numbers.items()}
        drawn = _drawn(view, above, "unit" if level == "pod" and "unit" in levels else "", listed)
        for node in drawn["nodes"]:
            inside = [each for each, place in places.items() if _within(node[0], place)]
            unit = level == "pod" and node[1] == plan.form.server.role
            if inside and not unit:
                node[6] = ""  # what stands in a place that is filled in part is like no other
            elif "unit" in inside:
                node[6] = "last unit" if "unit" in views else ""
        found[f"last {level}"] = drawn
    return found


def _both(place: Mapping[str, int]) -> dict[str, int]:
    return {"pod": place.get("pod", 0), "unit": place.get("unit", 0)}


def _within(name: str, place: Mapping[str, int]) -> bool:
    """Tell whether a device's name has these coordinates."""
    words = name.partition("[")[2].rstrip("]").split(",")
    return all(f"{axis}={value}" in words for axis, value in place.items())


def _drawn(view: View, above: str, below: str, listed: dict[str, Drawn]) -> Drawn:
    first = {key.partition("[")[0]: f"switch:{key}" for key in reversed(listed)}
    nodes = []
    for node in view.nodes():
        own = f"switch:{node.name}" if node.name in listed else ""
        inner = below if view.level == "fabric" or node.role == "server" else ""
        opens = own or (inner if node.multiplicity > 1 else "") or first.get(node.role, "")
        place = round(node.x, 3), round(node.y, 3)
        nodes.append([node.name, node.role, node.multiplicity, node.model, *place, opens])
    numbers = zip(view.lower.tolist(), view.upper.tolist(), view.edges(), strict=True)
    edges = [[lower, upper, edge.bundle, edge.links, edge.links_per_pair] for lower, upper, edge in numbers]
    return {"title": view.title, "above": above, "nodes": nodes, "edges": edges, "rate": rate(view.rate_gbps)}


def _listed(study: Study, views: list[View]) -> Iterator[tuple[str, Drawn]]:
    """Yield the switches whose ports are listed, by name: those of the finest view, and the first of each role."""
    try:
        network = study.network
    except TooLarge:
        return
    names = [node.name for node in views[-1].nodes() if node.multiplicity == 1 and node.role != "server"]
    rows = {group.name(group.first): group.first for group in network.groups[1:]}
    wanted, places = {*names[:SWITCHES]}, {name.partition("[")[0] for name in names}
    for group in network.groups[1:]:
        if group.role in places:
            each = (group.first + number for number in range(min(group.count, 100_000)))
            rows |= {name: row for row in each if len(wanted) and (name := group.name(row)) in wanted}
    for name, row in rows.items():
        yield name, _ports(network, name, row, study.blueprint.models)


def _ports(network: Network, name: str, row: int, models: Any) -> Drawn:
    low, high = np.flatnonzero(network.lower == row), np.flatnonzero(network.upper == row)
    ends = [(int(network.lower_port[link]), link, network.upper[link], network.upper_port[link]) for link in low]
    ends += [(int(network.upper_port[link]), link, network.lower[link], network.lower_port[link]) for link in high]
    rows = [
        [port, network.bundles[int(network.bundle[link])], network.name(int(peer)), int(there)]
        for port, link, peer, there in sorted(ends, key=lambda end: end[0])
    ]
    role = name.partition("[")[0]
    return {"title": f"{name}, {models[role].name}: {count(len(rows))} ports in use", "ports": rows}
