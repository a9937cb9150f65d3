"""Read topologies in JSON: CANU's model of a Cray network (paddle) and NetQ's topology graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fabric.discovery.discovery import HOST, SWITCH, UNKNOWN, Note
from fabric.discovery.end_columns import EndRow, findings_of_rows
from fabric.discovery.findings import Findings, PortEnds, SeenDevice, port_codes
from fabric.discovery.source import Source

__all__ = ["is_netq_graph", "is_paddle", "read_netq_graph", "read_paddle"]

Row = tuple[int, str, int, str, float]


def is_paddle(source: Source) -> bool:
    """Say whether a file is CANU's model: `topology`, a list of devices with ports that lead to others."""
    return any(True for _ in _paddle_devices(source))


def _paddle_devices(source: Source) -> Iterator[dict[str, Any]]:
    for document in source.json_documents:
        devices = document.get("topology") if isinstance(document, dict) else None
        for each in devices if isinstance(devices, list) else []:
            if isinstance(each, dict) and "common_name" in each and isinstance(each.get("ports"), list):
                yield each


def read_paddle(source: Source) -> Findings:
    """Return the devices and ports of CANU's model. Raises InputError where a port leads to no device of it."""
    found = list(_paddle_devices(source))
    numbers = {each.get("id"): place for place, each in enumerate(found)}
    kinds = {"switch": SWITCH, "server": HOST, "node": HOST}
    devices = [
        SeenDevice(
            text=str(each["common_name"]),
            name=str(each["common_name"]),
            model=str(each.get("model") or ""),
            kind=kinds.get(str(each.get("type")), UNKNOWN),
            own_record=True,
        )
        for each in found
    ]
    rows: list[Row] = []
    for place, each in enumerate(found):
        for port in each["ports"]:
            if isinstance(port, dict) and port.get("destination_node_id") is not None:
                rows.append(_paddle_row(source, devices[place].name, place, port, numbers))
    names, codes = port_codes([row[1] for row in rows] + [row[3] for row in rows])
    near, far = np.split(codes, 2)
    ends = PortEnds.of(
        (np.array([row[0] for row in rows], np.int32), near),
        (np.array([row[2] for row in rows], np.int32), far),
        rate_gbps=np.array([row[4] for row in rows], np.float64),
    )
    return Findings(devices, names, ends)


def _paddle_row(source: Source, name: str, place: int, port: dict[str, Any], numbers: dict[Any, int]) -> Row:
    target = port["destination_node_id"]
    if not isinstance(target, int | str) or target not in numbers:
        raise source.error(
            f"port {port.get('port')!r:.20} of {name:.60} leads to device {target!r:.40}, which is not in the file"
        )
    speed = port.get("speed")
    rate = float(speed) if isinstance(speed, int | float) and speed else float("nan")
    return place, _paddle_port(port, ""), numbers[target], _paddle_port(port, "destination_"), rate


def _paddle_port(port: dict[str, Any], end: str) -> str:
    number, slot = port.get(f"{end}port"), port.get(f"{end}slot")
    name = "" if number is None else str(number)
    return f"{slot}:{name}" if slot and name else name


def is_netq_graph(source: Source) -> bool:
    """Say whether a file is NetQ's graph: `links` with an `interfaces` list of two ends each."""
    return any(True for _ in _netq_links(source))


def _netq_links(source: Source) -> Iterator[dict[str, Any]]:
    for document in source.json_documents:
        for part in document if isinstance(document, list) else [document]:
            links = part.get("links") if isinstance(part, dict) else None
            for each in links if isinstance(links, list) else []:
                if isinstance(each, dict) and isinstance(each.get("interfaces"), list):
                    yield each


def read_netq_graph(source: Source) -> Findings:
    """Return the links of NetQ's graph, each of which may stand for several cables between two devices."""
    notes: list[Note] = []
    rows, nodes = [], dict(_netq_nodes(source))
    for link in _netq_links(source):
        cables = link.get("compounded_links")
        for each in cables if isinstance(cables, list) and cables else [link]:
            ends = each.get("interfaces") if isinstance(each, dict) else None
            if not isinstance(ends, list) or len(ends) != 2 or not all(isinstance(end, dict) for end in ends):
                notes.append(Note(source.name, f"link {str(each)!r:.60} has not two ends; left out"))
                continue
            numbers = [str(end.get("node") or "") for end in ends]
            one, two = (nodes.get(number, (number, UNKNOWN))[0] for number in numbers)
            near, far = (str(end.get("interface") or "") for end in ends)
            rows.append(EndRow((one, two), (near, far), float("nan"), place=source.name))
    found = findings_of_rows(rows)
    kinds = {name: kind for name, kind in nodes.values() if kind != UNKNOWN}
    for device in found.devices:
        device.kind = kinds.get(device.name, device.kind)
    found.notes += notes
    return found


def _netq_nodes(source: Source) -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield the number of each node with its name and its kind, where the graph says which it is."""
    kinds = {"switch": SWITCH, "host": HOST, "server": HOST}
    for document in source.json_documents:
        for part in document if isinstance(document, list) else [document]:
            nodes = part.get("nodes") if isinstance(part, dict) else None
            for tier in nodes if isinstance(nodes, list) else []:
                inner = tier.get("compounded_nodes") if isinstance(tier, dict) else None
                for node in inner if isinstance(inner, list) else [tier]:
                    if isinstance(node, dict) and isinstance(node.get("id"), str) and node.get("name"):
                        yield node["id"], (str(node["name"]), kinds.get(str(node.get("device_type")), UNKNOWN))
