"""Read the JSON of switches about their neighbours: Cumulus Linux (`nv show interface lldp -o json`) and Arista EOS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fabric.discovery.findings import Findings
from fabric.discovery.neighbours import Neighbour, gather, host_of, rate_gbps
from fabric.discovery.source import Source

__all__ = ["is_arista_json", "is_cumulus_json", "read_arista_json", "read_cumulus_json"]


def is_cumulus_json(source: Source) -> bool:
    """Say whether a file has interfaces by name, each with the neighbours under `lldp`."""
    return any(isinstance(each, dict) and any(map(_heard, each.values())) for each in source.json_documents)


def _heard(interface: Any) -> dict[str, Any]:
    """Return the neighbours of an interface by name, empty where it has none."""
    lldp = interface.get("lldp") if isinstance(interface, dict) else None
    found = lldp.get("neighbor") if isinstance(lldp, dict) else None
    return found if isinstance(found, dict) else {}


def read_cumulus_json(source: Source) -> Findings:
    """Return the neighbours of a switch of Cumulus Linux or NVOS."""
    host = host_of(source)
    return gather(source, [(host, row) for each in source.json_documents for row in _cumulus_rows(each)])


def _cumulus_rows(document: Any) -> Iterator[Neighbour]:
    for port, interface in document.items() if isinstance(document, dict) else ():
        for name, found in _heard(interface).items():
            fields = found if isinstance(found, dict) else {}
            chassis, far = _object(fields.get("chassis")), _object(fields.get("port"))
            states = _object(chassis.get("capability"))
            yield Neighbour(
                port=port,
                name=_text(chassis.get("system-name")) or name,
                address=_text(chassis.get("chassis-id")),
                system=_text(chassis.get("system-description")),
                capabilities=tuple(word.removeprefix("is-") for word, state in states.items() if state == "on"),
                far_port=_text(far.get("name")),
                description=_text(far.get("description")),
                rate_gbps=rate_gbps(_object(interface.get("link")).get("speed", "")),
            )


def is_arista_json(source: Source) -> bool:
    """Say whether a file has `lldpNeighbors`."""
    return any(isinstance(each, dict) and "lldpNeighbors" in each for each in source.json_documents)


def read_arista_json(source: Source) -> Findings:
    """Return the neighbours of a switch of Arista: of `show lldp neighbors`, with `detail` or without."""
    host = host_of(source)
    rows = []
    for each in source.json_documents:
        if isinstance(each, dict) and "lldpNeighbors" in each:
            rows += [(host, row) for row in _arista_rows(source, each["lldpNeighbors"])]
    return gather(source, rows)


def _arista_rows(source: Source, found: Any) -> Iterator[Neighbour]:
    if isinstance(found, list):
        for each in map(_object, found):
            yield Neighbour(
                port=_text(each.get("port")),
                name=_text(each.get("neighborDevice")),
                far_port=_text(each.get("neighborPort")),
            )
        return
    if not isinstance(found, dict):
        raise source.error(f"lldpNeighbors {found!r:.40}: neither a list nor an object of interfaces")
    for port, interface in found.items():
        heard = _object(interface).get("lldpNeighborInfo", interface)
        for each in map(_object, heard if isinstance(heard, list) else []):
            far = _object(each.get("neighborInterfaceInfo"))
            capabilities = _object(each.get("systemCapabilities"))
            yield Neighbour(
                port=port,
                name=_text(each.get("systemName")),
                address=_text(each.get("chassisId")),
                system=_text(each.get("systemDescription")),
                capabilities=tuple(word for word, on in capabilities.items() if on is True),
                far_port=_text(far.get("interfaceId_v2")) or _text(far.get("interfaceId")).strip('"'),
                description=_text(far.get("interfaceDescription")),
            )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
