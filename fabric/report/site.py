"""A fabric on its site as tables and plain data: racks and rooms, and the cables of a bundle, a device or a pair."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric import units
from fabric.errors import InputError
from fabric.export.cables import cable_batches
from fabric.layout.device_names import list_device_names
from fabric.layout.layout import Layout
from fabric.layout.rack_fillings import list_models
from fabric.layout.tray_fill import TrayFill
from fabric.layout.wiring import Wiring
from fabric.network import Network
from fabric.report.table import Summary, Table
from fabric.report.trunk_lines import describe_bends, describe_trunks
from fabric.studies.study import Study

__all__ = ["SCHEMA", "find_cables", "layout_object", "summarize_cables", "summarize_layout", "summarize_wiring"]

SCHEMA = "fabric.layout/1"

SHOWN = 200
"""The most cables that the terminal lists."""


def summarize_layout(study: Study) -> Summary:
    """Return what `fabric layout` prints: halls, racks by what stands in them, and what was not checked."""
    layout = study.layout
    text = (
        f"{study.spec.name}: {units.count_noun(layout.racks, 'rack')} "
        f"({units.count(int(layout.holds_servers.sum()))} with servers) "
        f"in {units.count_noun(len(np.unique(layout.hall)), 'hall')}; rule of placement: {layout.site.layout}."
    )
    tables = [_tabulate_halls(layout), _tabulate_racks(study), *_tabulate_stages(study)]
    return Summary(text, tables, list(_list_notes(study)))


def _tabulate_stages(study: Study) -> Iterator[Table]:
    """Yield what each stage of growth brings and touches on the floor, where the fabric grows."""
    if study.grown_floor:
        rows = [
            (
                "today" if work.stage == 0 else units.count(work.stage),
                units.count(work.gpus),
                _write_touched(work.racks, work.racks_touched),
                _write_touched(work.devices, work.devices_touched),
                _write_touched(work.cables, work.cables_to_old),
            )
            for work in study.grown_floor.list_work()
        ]
        heads = ("stage", "GPUs", "racks", "devices", "cables")
        yield Table("Stages: what is new (+ what is there and touched; cables to it)", heads, rows)


def _write_touched(new: int, touched: int) -> str:
    return f"{units.count(new)} (+{units.count(touched)})" if touched else units.count(new)


def _tabulate_halls(layout: Layout) -> Table:
    rows = []
    for number, hall in enumerate(layout.halls):
        racks = layout.hall == number
        if racks.any():
            power = units.known_power(float(layout.rack_w[racks].sum()), bool(layout.power_known[racks].all()))
            used, servers = int(racks.sum()), int(layout.holds_servers[racks].sum())
            cells = (hall.rows, hall.racks_per_row, servers, used - servers, hall.positions - used)
            rows.append((hall.name, *map(units.count, cells), power))
    shown = rows[:12]
    heads = ("hall", "rows", "per row", "with servers", "network", "free", "power")
    title = "Halls" if len(shown) == len(rows) else f"Halls (the first {len(shown)} of {units.count(len(rows))})"
    return Table(title, heads, shown)


def _tabulate_racks(study: Study) -> Table:
    """Return the racks by what stands in them, the commonest first."""
    layout, network = study.layout, study.layout.network
    roles = np.zeros((layout.racks, len(network.groups)), np.int64)
    np.add.at(roles, (layout.device_rack, network.role), 1)
    kinds, first, counts = np.unique(roles, axis=0, return_index=True, return_counts=True)
    names, rows = layout.rack_names(), []
    top = np.zeros(layout.racks, np.int64)
    np.maximum.at(top, layout.device_rack, layout.device_unit + layout.device_height - 1)
    for kind in np.argsort(-counts, kind="stable")[:12]:
        inside = ", ".join(
            units.count_noun(int(number), group.role, "leaves" if group.role == "leaf" else "")
            for number, group in zip(kinds[kind], network.groups, strict=True)
            if number
        )
        rack = int(first[kind])
        power = units.known_power(float(layout.rack_w[rack]), bool(layout.power_known[rack]))
        rows.append((inside, units.count(int(counts[kind])), names[rack], f"U{top[rack]}", power))
    return Table("Racks by what stands in them", ("contents", "racks", "first", "top", "power"), rows)


def _list_notes(study: Study) -> Iterator[str]:
    """Yield the length of all cables beside its bound, and what is assumed or was not checked."""
    from fabric.layout.length_bound import bound_total_m
    from fabric.layout.routes import cable_metres

    layout, network = study.layout, study.layout.network
    total = float(cable_metres(layout, network.lower, network.upper).sum())
    bound = bound_total_m(layout, network)
    yield (
        f"Cable: {total / 1000:,.1f} km in all, {total / max(1, network.links):.1f} m on average, with slack; "
        f"no arrangement of these racks in these halls needs less than {bound / 1000:,.1f} km "
        f"({'which this is' if total <= bound * (1 + 1e-9) else f'this is {total / bound - 1:.0%} above'})."
    )
    if study.grown_floor:
        reserved = study.planned_wiring.layout.racks - layout.racks
        yield f"{units.count_noun(reserved, 'free position')} reserved for the racks of later stages."
    if not study.spec.site.halls:
        yield "Halls are assumed, for the request has none (key site.halls)."
    if layout.assumed_heights:
        yield f"Heights not known, so assumed: {', '.join(layout.assumed_heights)} (key site.heights)."
    if layout.unknown_power:
        yield f"Power not known, so not counted or checked: {', '.join(layout.unknown_power)} (key site.power_w)."
    if layout.site.racks["server"].weight_kg is not None and layout.unknown_weights:
        yield f"Weight not known, so not counted or checked: {', '.join(layout.unknown_weights)} (key site.weights_kg)."
    yield from _list_slips(study)
    for server in study.blueprint.servers_by_role.values():
        if server.trays > 1:
            yield f"{server.name} is a rack of its own; the power of a rack does not limit it."


def _list_slips(study: Study) -> Iterator[str]:
    """Yield what the site states to no effect, or beyond its rows: likely a slip of the one who wrote it."""
    site = study.spec.site
    longest = max(hall.length_m for hall in study.layout.halls)
    if beyond := [f"{at:g}" for at in site.trays.cross_aisles_m if at > longest]:
        yield (
            f"Cross trays beyond the longest row, which ends at {longest:g} m: {', '.join(beyond)} m "
            "(key site.trays.cross_aisles_m)."
        )
    models = {model for _, model, _ in list_models(study.blueprint)}
    for key in ("heights", "weights_kg", "power_w"):
        if unused := ", ".join(name for name in getattr(site, key) if name not in models):
            yield f"Without effect, for this fabric has none: {unused} (key site.{key})."
    roles = {*(group.role for group in study.blueprint.topology.groups), "server", "*"}
    for key in ("places", "first_uplinks", "names"):
        if unused := ", ".join(role for role in getattr(site, key) if role not in roles):
            yield f"Without effect, for this fabric has no such tier: {unused} (key site.{key})."


def layout_object(study: Study) -> dict[str, Any]:
    """Return the layout as one plain object (docs/site.md): halls, racks, and what stands in each rack.

    Where the fabric grows these are the racks and devices of all stages, each with the stage that brings it.
    """
    growth = study.grown_floor
    layout = growth.wiring.layout if growth else study.layout
    network = layout.network
    names, spots = layout.rack_names(), layout.spots
    rack_stage = growth.rack_stage.tolist() if growth else [0] * layout.racks
    device_stage = growth.device_stage.tolist() if growth else [0] * network.devices
    devices = list_device_names(layout, network)
    contents: list[list[dict[str, Any]]] = [[] for _ in names]
    columns = (layout.device_rack.tolist(), layout.device_unit.tolist(), layout.device_height.tolist(), device_stage)
    for device, rack, unit, height, stage in zip(devices, *columns, strict=True):
        contents[rack].append({"device": device, "unit": unit, "height": height, "stage": stage})
    racks = [
        {
            "name": name,
            "hall": layout.halls[hall].name,
            "row": row + 1,
            "position": position + 1,
            "x_m": round(x, 3),
            "y_m": round(y, 3),
            "kind": "server" if servers else "network",
            "power_w": round(watts, 1) if watts_known else None,
            "least_power_w": round(watts, 1),
            "weight_kg": round(weight, 1) if weight_known else None,
            "least_weight_kg": round(weight, 1),
            "stage": stage,
            "devices": inside,
        }
        for name, hall, row, position, x, y, servers, watts, watts_known, weight, weight_known, stage, inside in zip(
            names,
            layout.hall.tolist(),
            layout.row.tolist(),
            layout.position.tolist(),
            spots.x_m.tolist(),
            spots.y_m.tolist(),
            layout.holds_servers.tolist(),
            layout.rack_w.tolist(),
            layout.power_known.tolist(),
            layout.rack_kg.tolist(),
            layout.weight_known.tolist(),
            rack_stage,
            contents,
            strict=True,
        )
    ]
    halls = [{key: getattr(hall, key) for key in hall.__dataclass_fields__} for hall in layout.halls]
    return {
        "schema": SCHEMA,
        "name": study.spec.name,
        "layout": layout.site.layout,
        "halls": halls,
        "racks": racks,
        "assumed_heights": list(layout.assumed_heights),
        "unknown_power": list(layout.unknown_power),
        "unknown_weights": list(layout.unknown_weights),
        "stages": [dict(vars(work)) for work in growth.list_work()] if growth else [],
    }


def summarize_wiring(study: Study) -> Summary:
    """Return what `fabric wiring` prints: the cables of each bundle by length as sold."""
    wiring = study.wiring
    network = wiring.network
    rows = [
        (kind.bundle, kind.part or "unknown", f"{length:g} m", units.count(many))
        for kind, counts in wiring.count_lengths()
        for length, many in counts.items()
    ]
    cables = int(wiring.cable.max(initial=-1)) + 1
    links = f" for {units.count_noun(network.links, 'link')}" if cables < network.links else ""
    text = (
        f"{study.spec.name}: {units.count_noun(cables, 'cable')}{links}, {wiring.total_m / 1000:,.1f} km as sold, "
        f"between {units.count_noun(wiring.layout.racks, 'rack')}."
    )
    lines = [*_describe_fill(study.tray_fill), *describe_trunks(wiring)]
    lines += describe_bends(wiring)
    if study.grown_floor:
        later = study.planned_wiring.network.links - network.links
        lines.append(f"Later stages add {units.count_noun(later, 'cable')}; files have them too, by the column stage.")
    if wiring.unsold:
        lines.append(f"Sold lengths not known, usual ones assumed: {', '.join(wiring.unsold)}.")
    return Summary(text, [Table("Cables by length", ("bundle", "part", "length", "cables"), rows)], lines)


def _describe_fill(fill: TrayFill) -> Iterator[str]:
    """Yield the fullest stretch of a tray with its share of the cross-section, where that is known."""
    if not fill.cables.any():
        return
    known = not fill.unknown
    fullest = int((fill.area_mm2 if known else fill.cables).argmax())
    where = " is between halls and" if fill.hall[fullest] < 0 else ""
    text = f"The fullest tray{where} has {units.count_noun(int(fill.cables[fullest]), 'cable')}"
    if known:
        text += f", which take {100 * fill.share[fullest]:.1f} % of its cross-section (limit {100 * fill.limit:g} %)"
        over = int((fill.share > fill.limit).sum())
        text += f"; {units.count_noun(over, 'stretch', 'stretches')} of trays have more than the limit" if over else ""
    yield f"{text}."
    if not known:
        yield f"Fill of trays not checked, diameters not known: {', '.join(fill.unknown)} (key site.diameters_mm)."


def find_cables(wiring: Wiring, of: str) -> npt.NDArray[np.int64]:
    """Return the cables of a device, a rack, a hall, or a pair of these joined by `--`, as rows of the network.

    Raises InputError, with near names, where there is none of that name.
    """
    ends = [part.strip() for part in of.split("--")]
    if len(ends) > 2 or not all(ends):
        raise InputError(f"--of '{of:.80}': write a device, a rack, or two of them joined by --")
    found = [_find_devices(wiring.network, wiring.layout, end) for end in ends]
    network = wiring.network
    if len(found) == 1:
        return np.flatnonzero(found[0][network.lower] | found[0][network.upper])
    one, other = found
    there = one[network.lower] & other[network.upper]
    back = other[network.lower] & one[network.upper]
    return np.flatnonzero(there | back)


def _find_devices(network: Network, layout: Layout, name: str) -> npt.NDArray[np.bool_]:
    """Return which devices a name means: a device by its coordinates, in any order, or all of a rack or hall."""
    chosen = np.zeros(network.devices, np.bool_)
    racks, halls = layout.rack_names(), [f"hall {hall.name}" for hall in layout.halls]
    if name in halls:
        return np.asarray(layout.hall[layout.device_rack] == halls.index(name))
    if name in racks:
        return np.asarray(layout.device_rack == racks.index(name))
    if layout.site.names and name in (named := list_device_names(layout, network)):
        chosen[named.index(name)] = True
        return chosen
    written = re.fullmatch(r"([^\[\]]+)\[([^\]]*)\]", name)
    roles = {group.role: group for group in network.groups}
    if not written or written[1] not in roles:
        known = f"a hall such as '{halls[0]}', a rack such as {racks[0]}, or a device such as {network.name(0)}"
        raise InputError(f"--of '{name:.80}': no hall, rack or device of that name; write {known}")
    group = roles[written[1]]
    coordinates = group.coordinates()
    inside = np.ones(group.count, np.bool_)
    for part in filter(None, (each.strip() for each in written[2].split(","))):
        axis, _, value = part.partition("=")
        if axis not in coordinates or not value.isdecimal():
            raise InputError(f"--of '{name:.80}': {part!r:.40} is no coordinate; known: {', '.join(coordinates)}")
        inside &= coordinates[axis] == int(value)
    if not inside.any():
        last = network.name(group.first + group.count - 1)
        raise InputError(f"--of '{name:.80}': there is no such device; the last is {last}")
    chosen[group.first : group.first + group.count] = inside
    return chosen


def summarize_cables(wiring: Wiring, rows: npt.NDArray[np.int64], of: str) -> Summary:
    """Return the cables of a device, a rack or a pair as a table."""
    cells = []
    for batch in cable_batches(wiring, rows[:SHOWN]):
        for row in batch.to_pylist():
            ends = (f"{row[f'{end}_rack']}-U{row[f'{end}_unit']} {row[f'{end}_port']}" for end in "ab")
            cells.append((*ends, f"{row['length_m']:g} m", row["part"]))
    more = [f"The first {SHOWN} of {units.count(len(rows))}; -o FILE writes all."] if len(rows) > SHOWN else []
    text = f"{units.count_noun(len(rows), 'cable')} of {of}."
    return Summary(text, [Table("", ("lower end", "upper end", "length", "part"), cells)] if cells else [], more)
