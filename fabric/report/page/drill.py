"""The views that a reader can open: the fabric by groups, a pod, a unit, a switch with the far end of each port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from fabric.blueprint import Blueprint
from fabric.blueprint.native_ports import ports_taken, tier_ports
from fabric.errors import TooLarge
from fabric.export.attributes import node_labels
from fabric.network import Network
from fabric.studies.study import Study
from fabric.units import count, rate
from fabric.view import View, levels_of, location_of, node_count, partial_place

__all__ = ["drill"]

LARGEST_VIEW = 600
"""The most nodes of a view that a page draws."""

SWITCHES = 24
"""The switches of a unit whose ports are listed; of all other switches one of each role, since they are alike."""

Drawn = dict[str, Any]
Place = dict[str, int]


def drill(study: Study) -> dict[str, Drawn]:
    """Return the views of a page by key: `fabric`, `pod`, `unit`, and `switch:NAME` for each whose ports are listed.

    Where the last pod or unit is partly filled, `last pod` and `last unit` show it.

    A view has its title, the key `above` it, nodes `[name, role, multiplicity, model, x, y, opens, label]` and edges
    `[lower, upper, bundle, links]` by the numbers of nodes. A switch has rows `[port, bundle, peer, its port]`. Views
    of more than LARGEST_VIEW nodes are left out, and ports where the links would not fit in memory.
    """
    levels = [level for level in levels_of(study.blueprint) if level != "device"]
    levels = [level for level in levels if node_count(study.blueprint, level) <= LARGEST_VIEW]
    views = {level: study.view(level) for level in levels}
    listed = dict(_list_switches(study, list(views.values())))
    found = {}
    for index, (level, view) in enumerate(views.items()):
        below = levels[index + 1] if index + 1 < len(levels) else ""
        above = levels[index - 1] if index else ""
        found[level] = _draw_view(view, above, below, listed, study.blueprint.servers_by_role)
    places = {level: _locate_last(study, level) for level in levels if partial_place(study.blueprint, level)}
    found |= _draw_last(study, levels, listed, places)
    for level in [each for each in found if each != "fabric"]:
        _link_partly_filled(study, found, level, places)
    return found | {f"switch:{name}": {**rows, "above": levels[-1]} for name, rows in listed.items()}


def _locate_last(study: Study, level: str) -> dict[str, int]:
    """Return the coordinates of the last pod or unit."""
    numbers = partial_place(study.blueprint, level) or {}
    return location_of(study.blueprint, level, numbers.get("pod", 0), numbers.get("unit", 0))


def _draw_last(
    study: Study, levels: list[str], listed: dict[str, Drawn], places: Mapping[str, Place]
) -> dict[str, Drawn]:
    """Return the views of the last pod and unit that are partly filled and not the first, of the levels shown."""
    found = dict[str, Drawn]()
    for level in (each for each in places if any(places[each].values())):
        view = study.view(level, **partial_place(study.blueprint, level) or {})
        above = "last pod" if "last pod" in found else "pod" if level == "unit" and "pod" in levels else "fabric"
        if len(view) <= LARGEST_VIEW:
            below = "unit" if level == "pod" and "unit" in levels else ""
            found[f"last {level}"] = _draw_view(view, above, below, listed, study.blueprint.servers_by_role)
    return found


def _link_partly_filled(study: Study, found: dict[str, Drawn], key: str, places: Mapping[str, Place]) -> None:
    """Make nodes in a partly filled pod or unit open that one, or nothing, since no other is like it."""
    first, pod = not key.startswith("last"), key.endswith("pod")
    for node in found[key]["nodes"]:
        inside = [level for level, place in places.items() if _has_coordinates(node[0], place)]
        if pod and node[1] in study.blueprint.servers_by_role:
            if "unit" in inside:
                node[6] = "last unit" if "last unit" in found else ""
        elif ("unit" in inside and any(places["unit"].values())) or (inside and not first):
            node[6] = ""


def _has_coordinates(name: str, place: Mapping[str, int]) -> bool:
    """Say whether a device's name has these coordinates."""
    coordinates = _parse_coordinates(name)
    return all(coordinates.get(axis) == value for axis, value in place.items())


def _parse_coordinates(name: str) -> dict[str, int]:
    """Return the coordinates that a device's or a aggregated node's name gives."""
    words = (word.split("=") for word in name.partition("[")[2].rstrip("]").split(",") if "!=" not in word)
    return {word[0]: int(word[1]) for word in words if len(word) == 2}


def _draw_view(view: View, above: str, below: str, listed: dict[str, Drawn], servers: Collection[str]) -> Drawn:
    first = {key.partition("[")[0]: f"switch:{key}" for key in reversed(listed)}
    nodes = []
    for node, label in zip(view.nodes(), node_labels(view), strict=True):
        own = f"switch:{node.name}" if node.name in listed else ""
        inner = below if view.level == "fabric" or node.role in servers else ""
        opens = own or (inner if node.multiplicity > 1 else "") or first.get(node.role, "")
        position = round(node.x, 3), round(node.y, 3)
        nodes.append([node.name, node.role, node.multiplicity, node.model, *position, opens, label.replace("\n", " ")])
    numbers = zip(view.lower.tolist(), view.upper.tolist(), view.edges(), strict=True)
    edges = [[lower, upper, edge.bundle, edge.links] for lower, upper, edge in numbers]
    rates = " and ".join(rate(each) for each in dict.fromkeys(view.bundle_gbps))
    return {"title": f"{view.title}; links of {rates}", "above": above, "nodes": nodes, "edges": edges}


def _list_switches(study: Study, views: list[View]) -> Iterator[tuple[str, Drawn]]:
    """Yield the switches whose ports are listed, by name: those of the finest view, and the first of each role."""
    try:
        network = study.network
    except TooLarge:
        return
    names = [node.name for node in views[-1].nodes() if node.multiplicity == 1 and node.role in study.blueprint.models]
    switches = network.groups[network.kinds :]
    rows = {group.name(group.first): group.first for group in switches}
    for group in switches:
        own = [name for name in names[:SWITCHES] if name.partition("[")[0] == group.role]
        rows |= {name: group.row(_parse_coordinates(name)) for name in own}
    for name, row in rows.items():
        yield name, _list_ports(study.blueprint, network, name, row)


def _list_ports(blueprint: Blueprint, network: Network, name: str, row: int) -> Drawn:
    low, high = np.flatnonzero(network.lower == row), np.flatnonzero(network.upper == row)
    ends = [(int(network.lower_port[link]), link, network.upper[link], network.upper_port[link]) for link in low]
    ends += [(int(network.upper_port[link]), link, network.lower[link], network.lower_port[link]) for link in high]
    rows = [
        [port, network.bundles[int(network.bundle[link])], network.name(int(peer)), int(there)]
        for port, link, peer, there in sorted(ends, key=lambda end: end[0])
    ]
    role = name.partition("[")[0]
    model = blueprint.models[role]
    used = ports_taken(blueprint, role, model, Counter(str(bundle) for _, bundle, _, _ in rows))
    use = f"{count(used)} ports in use, {count(tier_ports(blueprint, role).radix - used)} free"
    return {"title": f"{name}, {model.name}: {use}", "ports": rows}
