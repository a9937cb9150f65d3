"""The inventory for NetBox: files for its bulk import in the order of their names, and a YAML for each device type.

`netbox/dcim/forms/bulk_import.py` of github.com/netbox-community/netbox has the columns. The racks of a hall are in a
location of the hall's name; a link is a cable of its own, between an interface at each end.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any

from fabric.catalog import LinkPart
from fabric.export.file_format import Witness
from fabric.export.operations.netbox_types import DeviceType, list_device_types, slug_of
from fabric.export.plan import Plan, PlanFormat
from fabric.export.text_lines import BATCH
from fabric.request.yaml_writer import yaml_text

__all__ = ["NETBOX"]

STATUS = "planned"
"""The status of all that is not there yet."""

COLOURS = ("2196f3", "ff9800", "4caf50", "9c27b0", "f44336", "00bcd4", "795548", "607d8b")
"""The colours of roles, in NetBox's own palette."""

MEDIA = {"dac": "dac-passive", "acc": "dac-active", "aec": "dac-active", "aoc": "aoc", "mmf": "mmf", "smf": "smf"}
"""NetBox's types of cables by medium (`CableTypeChoices`)."""

FIBRES = {"om3": "mmf-om3", "om4": "mmf-om4", "os2": "smf-os2"}
"""NetBox's types of fibres."""

LONGEST_LABEL = 100
"""The most characters of a cable's label."""


def _list_files(plan: Plan) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield the name and the text of each file, in the order of import."""
    types = list_device_types(plan)
    makers = list(dict.fromkeys(each.maker for each in types.values()))
    yield "01-manufacturers.csv", _table(("name", "slug"), ((maker, slug_of(maker)) for maker in makers))
    roles = [group.role for group in plan.network.groups]
    head = ("name", "slug", "color", "vm_role")
    rows = ((role, slug_of(role), COLOURS[number % len(COLOURS)], "false") for number, role in enumerate(roles))
    yield "02-device-roles.csv", _table(head, rows)
    site = plan.name[:LONGEST_LABEL]
    yield "03-sites.csv", _table(("name", "slug", "status"), [(site, slug_of(site), STATUS)])
    halls = [hall.name for hall in plan.layout.halls]
    rows = ((site, hall, slug_of(f"hall-{hall}"), STATUS) for hall in halls)
    yield "04-locations.csv", _table(("site", "name", "slug", "status"), rows)
    documents = {f"{slug_of(each.maker)}/{each.document['slug']}": each.document for each in types.values()}
    for name, document in sorted(documents.items()):
        yield f"05-device-types/{name}.yaml", iter([f"---\n{yaml_text(document)}"])
    yield "06-racks.csv", _list_racks(plan, site)
    yield "07-devices.csv", _list_devices(plan, site, types)
    yield "08-cables.csv", _list_cables(plan, site)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield the lines of a table as CSV; None is an empty cell."""
    for cells in (head, *rows):
        text = StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        yield text.getvalue()


def _list_racks(plan: Plan, site: str) -> Iterator[str]:
    """Yield the racks, with the weight that they carry where the site gives it."""
    layout = plan.layout
    head = ("site", "location", "name", "status", "width", "u_height", "max_weight", "weight_unit")
    rows = []
    for rack, name in enumerate(layout.rack_names()):
        kind, weight = layout.rack_kind(rack), layout.rack_limits(rack)[1]
        hall = layout.halls[layout.hall[rack]].name
        rows.append(
            (site, hall, name, STATUS, 19, kind.units, None if weight is None else round(weight), weight and "kg")
        )
    return _table(head, rows)


def _list_devices(plan: Plan, site: str, types: dict[tuple[str, str], DeviceType]) -> Iterator[str]:
    """Yield the devices with their racks and the lowest rack units that they have."""
    layout, network = plan.layout, plan.network
    racks = layout.rack_names()
    head = ("name", "role", "manufacturer", "device_type", "status", "site", "location", "rack", "position", "face")
    yield from _table(head, ())
    for group in network.groups:
        own = slice(group.first, group.first + group.count)
        kinds = [types[group.role, model.name if model else ""] for model in plan.models[own]]
        rack = layout.device_rack[own]
        halls = [layout.halls[hall].name for hall in layout.hall[rack].tolist()]
        columns = (
            plan.device_names[own],
            kinds,
            halls,
            [racks[each] for each in rack.tolist()],
            layout.device_unit[own].tolist(),
        )
        for name, kind, hall, where, unit in zip(*columns, strict=True):
            cells = (name, group.role, kind.maker, kind.model, STATUS, site, hall, where, unit, "front")
            yield from _table(cells, ())


def _list_cables(plan: Plan, site: str) -> Iterator[str]:
    """Yield the cables: the interfaces at both ends, the type where it is known, and the length as it is sold.

    Names of devices are unique in a site alone.
    """
    network, layout, wiring = plan.network, plan.layout, plan.wiring
    sides = [f"side_{side}_{what}" for side in "ab" for what in ("site", "device", "type", "name")]
    yield from _table((*sides, "type", "status", "label", "length", "length_unit"), ())
    parts = [wiring.compositions.get(name) for name in network.bundles]
    media = [_cable_type(found.joint) if found else "" for found in parts]
    racks, interface = layout.rack_names(), "dcim.interface"
    places = [
        f"{racks[rack]}-U{unit}"
        for rack, unit in zip(layout.device_rack.tolist(), layout.device_unit.tolist(), strict=True)
    ]
    for start in range(0, network.links, BATCH):
        rows = slice(start, start + BATCH)
        columns = (network.lower, wiring.a_port, network.upper, wiring.b_port, network.bundle, wiring.length_m)
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for a, p, b, q, bundle, metres in zip(*(column[rows].tolist() for column in columns), strict=True):
            one, other = wiring.port_names[p], wiring.port_names[q]
            label = f"{places[a]} {one} / {places[b]} {other}"[:LONGEST_LABEL]
            ends = (site, plan.device_names[a], interface, one, site, plan.device_names[b], interface, other)
            writer.writerow((*ends, media[bundle], STATUS, label, f"{metres:.10g}", "m"))
        yield text.getvalue()


def _cable_type(part: LinkPart) -> str:
    """Return NetBox's type of a cable or fibre; empty where it has none."""
    return FIBRES.get(part.fibre, MEDIA.get(part.media, ""))


NETBOX = PlanFormat(
    "netbox",
    (),
    "NetBox 4, its bulk import",
    "device types, racks, devices, cables with lengths",
    _list_files,
    folder=True,
    witness=Witness("grammar", "NetBox's import forms and device-type library"),
)
"""The format of NetBox."""
