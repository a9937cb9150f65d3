"""Read lldpd's neighbours: lldpcli's JSON in its shapes, and the text of lldpctl and `show lldp neighbors`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fabric.discovery.findings import Findings
from fabric.discovery.neighbours import Neighbour, gather, host_of
from fabric.discovery.source import Source

__all__ = [
    "is_lldp_text",
    "is_lldpcli_json",
    "list_json_neighbours",
    "list_text_neighbours",
    "read_lldp_text",
    "read_lldpcli_json",
]

_INTERFACE = re.compile(r"^[ \t]*Interface:\s*(?P<port>[^\s,]+)", re.MULTILINE)
_CHASSIS = re.compile(r"^[ \t]*ChassisID:", re.MULTILINE)
_FIELD = re.compile(r"^\s*(?P<key>ChassisID|SysName|SysDescr|Capability|PortID|PortDescr):[ \t]*(?P<value>.*?)\s*$")


def is_lldpcli_json(source: Source) -> bool:
    """Say whether a file has JSON as lldpcli writes it: `lldp`, with interfaces below."""
    return any(isinstance(each, dict) and _is_table(each.get("lldp")) for each in source.json_documents)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and all(isinstance(each, dict) and (not each or "interface" in each) for each in value)
    )


def read_lldpcli_json(source: Source) -> Findings:
    """Return the neighbours of a host. Raises InputError where an interface is not of a known shape."""
    host = host_of(source)
    return gather(source, [(host, row) for row in list_json_neighbours(source)], [host])


def list_json_neighbours(source: Source) -> Iterator[Neighbour]:
    """Yield the neighbours in all tables of a file; raises InputError as `read_lldpcli_json` does."""
    for each in source.json_documents:
        if isinstance(each, dict) and "lldp" in each:
            yield from _table_rows(source, each["lldp"])


def _table_rows(source: Source, table: Any) -> Iterator[Neighbour]:
    for part in _listed(table):
        for interface in _listed(part.get("interface") if isinstance(part, dict) else None):
            if not isinstance(interface, dict):
                raise source.error(f"interface {interface!r:.40}: not an object with the neighbour of a port")
            if isinstance(interface.get("name"), str) and ("chassis" in interface or "port" in interface):
                yield _neighbour(source, interface["name"], interface)
                continue
            for port, found in interface.items():
                for each in _listed(found):
                    yield _neighbour(source, port, each)


def _listed(value: Any) -> list[Any]:
    """Return a value that may stand alone or in a list as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _neighbour(source: Source, port: str, found: Any) -> Neighbour:
    if not isinstance(found, dict):
        raise source.error(f"interface {port:.40}: {found!r:.40} is not a neighbour with `chassis` and `port`")
    name, chassis = _chassis(found.get("chassis"))
    far = _first(found.get("port"))
    return Neighbour(
        port=port,
        name=name,
        address=_identity(chassis)[1],
        system=_text(chassis.get("descr")),
        capabilities=tuple(
            str(each.get("type"))
            for each in _listed(chassis.get("capability"))
            if isinstance(each, dict) and each.get("enabled")
        ),
        far_port=_identity(far)[1],
        description=_text(far.get("descr")),
    )


def _chassis(value: Any) -> tuple[str, dict[str, Any]]:
    """Return the system name, empty where none is sent, and the fields of a chassis in any shape."""
    chassis = _first(value)
    if "id" in chassis and (not isinstance(chassis["id"], dict) or "type" in chassis["id"]):
        return _text(chassis.get("name")), chassis
    for name, fields in chassis.items():
        if isinstance(fields, dict):
            return name, fields
    return _text(chassis.get("name")), chassis


def _first(value: Any) -> dict[str, Any]:
    found: Any = next(iter(_listed(value)), {})
    return found if isinstance(found, dict) else {}


def _identity(fields: dict[str, Any]) -> tuple[str, str]:
    """Return the type and the value of an `id`."""
    found = _first(fields.get("id"))
    return _text(found.get("type")), _text(found.get("value"))


def _text(value: Any) -> str:
    """Return text that may stand in `value` of an object or of a list of them."""
    found: Any = next(iter(_listed(value)), "")
    if isinstance(found, dict):
        found = found.get("value", "")
    return found.strip() if isinstance(found, str) else ""


def is_lldp_text(source: Source) -> bool:
    """Say whether a file has the text of lldpctl, in which neighbours stand one after another."""
    if not source.is_text:
        return False
    return bool(_INTERFACE.search(source.text) and _CHASSIS.search(source.text))


def read_lldp_text(source: Source) -> Findings:
    """Return the neighbours in the text of lldpctl. Raises InputError where the last one breaks off."""
    host = host_of(source)
    return gather(source, [(host, row) for row in list_text_neighbours(source)])


def list_text_neighbours(source: Source) -> Iterator[Neighbour]:
    """Yield the neighbours in the text of lldpctl; raises InputError for one without a chassis or a port."""
    text = source.text
    starts = list(_INTERFACE.finditer(text))
    for number, start in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        line = text.count("\n", 0, start.start("port")) + 1
        fields: dict[str, list[str]] = {}
        for found in map(_FIELD.match, text[start.end() : end].splitlines()):
            if found:
                fields.setdefault(found["key"], []).append(found["value"])
        if "ChassisID" not in fields or "PortID" not in fields:
            raise source.error(f"interface {start['port']:.40} breaks off before its neighbour's PortID", line)
        yield Neighbour(
            port=start["port"],
            name=fields.get("SysName", [""])[0],
            address=_value(fields["ChassisID"][0]),
            system=fields.get("SysDescr", [""])[0],
            capabilities=tuple(
                word.split(",")[0] for word in fields.get("Capability", []) if word.replace(" ", "").endswith(",on")
            ),
            far_port=_value(fields["PortID"][0]),
            description=fields.get("PortDescr", [""])[0],
            line=line,
        )


def _value(text: str) -> str:
    """Return what follows the type of an identity, such as `mac` or `ifname`."""
    return text.partition(" ")[2].strip() or text
