"""A verification as tables, as a plain object and as rows of a file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

from fabric import units
from fabric.report.table import Summary, Table
from fabric.verification.faults import HARMLESS, Fault, FaultKind
from fabric.verification.history import DOWN, UNKNOWN_RATE, LinkHistory
from fabric.verification.verify import Verification

__all__ = ["summarize_verification", "verification_csv", "verification_object"]

SCHEMA = "fabric.verification/1"

MOST_ROWS = 40
"""The rows of a table on the terminal; files have all."""

MOST_NOTES = 8
"""The notes on the terminal."""

COLUMNS = (
    "fault", "kind", "action", "device", "text", "other_end", "from_rack", "from_unit", "from_device", "from_port",
    "to_rack", "to_unit", "to_device", "to_port", "share_lost", "gpus_lost", "place",
)  # fmt: skip
"""The columns of a file of work orders: a row for each cable end to move, and for each fault without moves."""

ACTIONS = {
    FaultKind.MISSING: "check or lay cable",
    FaultKind.ABSENT: "check device",
    FaultKind.EXTRA: "take out",
    FaultKind.UNKNOWN: "check device",
    FaultKind.NAME: "correct name",
    FaultKind.SLOW: "check cable",
    FaultKind.NARROW: "check cable",
    FaultKind.TWICE: "check port",
    FaultKind.CROSSED: "none",
}
"""What is done about a fault that moves no cable end."""


def summarize_verification(found: Verification, changes: Sequence[LinkHistory] = ()) -> Summary:
    """Return what `fabric verify` prints: coverage, faults by cost, work orders, and links that changed since."""
    faults = [fault for fault in found.faults if fault.kind not in HARMLESS]
    tables = [_tabulate_kinds(faults), _tabulate_faults(faults), _tabulate_moves(faults), _tabulate_changes(changes)]
    return Summary(_describe(found, faults), [table for table in tables if table.rows], list(_list_lines(found)))


def _describe(found: Verification, faults: list[Fault]) -> str:
    cables = units.count_noun(found.links, "planned cable")
    name = found.name
    if not faults and found.judged == found.links:
        return f"{name}: as planned, all {cables}."
    if not faults:
        return f"{name}: no fault among the {units.count(found.judged)} of {cables} that could be judged."
    least = f"; at least {units.count_noun(found.moves, 'cable end')} must move" if found.moves else ""
    count = units.count_noun(len(faults), "fault")
    return f"{name}: {units.count(found.as_planned)} of {cables} as planned, {count}{least}."


def _tabulate_kinds(faults: list[Fault]) -> Table:
    counts = Counter(fault.kind for fault in faults)
    moves = Counter[FaultKind]()
    for fault in faults:
        moves[fault.kind] += len(fault.moves)
    rows = [(kind.value, units.count(counts[kind]), units.count(moves[kind]) if moves[kind] else "") for kind in counts]
    return Table("Faults", ("kind", "faults", "ends to move"), rows)


def _tabulate_faults(faults: list[Fault]) -> Table:
    if all(fault.share_lost is None for fault in faults):
        found = [(fault.kind.value, fault.text) for fault in faults[:MOST_ROWS]]
        return Table(_title("What is wrong", len(faults)), ("kind", "what"), found)
    rows = [(fault.kind.value, _cost(fault), fault.text) for fault in faults[:MOST_ROWS]]
    return Table(_title("The costliest first", len(faults)), ("kind", "all-reduce", "what"), rows)


def _cost(fault: Fault) -> str:
    if fault.share_lost is None:
        return ""
    share = "0 %" if fault.share_lost < 0.0005 else f"-{fault.share_lost * 100:.1f} %"
    return f"{share}, {units.count_noun(fault.gpus_lost, 'GPU')} lost" if fault.gpus_lost else share


def _title(text: str, total: int) -> str:
    return text if total <= MOST_ROWS else f"{text} ({MOST_ROWS} of {units.count(total)}; --csv has all)"


def _tabulate_moves(faults: list[Fault]) -> Table:
    moves = [move for fault in faults for move in fault.moves]
    rows = [
        (
            str(number),
            f"{_stand(move.from_rack, move.from_unit)} {move.from_device} {move.from_port}".strip(),
            f"{_stand(move.to_rack, move.to_unit)} {move.to_device} {move.to_port}".strip(),
        )
        for number, move in enumerate(moves[:MOST_ROWS], 1)
    ]
    return Table(_title("Work orders", len(moves)), ("move", "unplug from", "plug into"), rows)


def _tabulate_changes(changes: Sequence[LinkHistory]) -> Table:
    rows = [
        (each.text, units.count(each.flaps), ", ".join(map(_state, each.rates_gbps))) for each in changes[:MOST_ROWS]
    ]
    return Table(_title("Links that changed, oldest first", len(changes)), ("link", "flaps", "Gb/s"), rows)


def _state(rate: float | None) -> str:
    return "?" if rate is None else {DOWN: "down", UNKNOWN_RATE: "up"}.get(rate, f"{rate:g}")


def _stand(rack: str, unit: int | None) -> str:
    return f"{rack}-U{unit}" if unit is not None else rack


def _list_lines(found: Verification) -> list[str]:
    """Return the lines on what was not judged, what is harmless, and what the readers noted."""
    lines = []
    left = found.links - found.judged
    if left:
        names = found.unreported
        some = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        lines.append(
            f"Not judged: {units.count_noun(left, 'planned cable')}, of which no file names an end, between "
            f"{units.count_noun(len(names), 'device')} ({some})."
        )
    if found.cabling.any_port:
        lines.append("Compared by devices alone: a cable in the wrong port of the right device is not seen.")
    crossed = sum(fault.kind in HARMLESS for fault in found.faults)
    if crossed:
        lines.append(f"Harmless: {units.count_noun(crossed, 'twin-port cable')} with crossed lanes.")
    for label, means in found.cabling.labels.learned.items():
        lines.append(f"Hosts call the plan's port {means} '{label}': most of them are cabled so.")
    lone = int(found.cabling.seen.unnamed.sum())
    if lone:
        lines.append(
            f"{units.count_noun(lone, 'adapter')} without a name of their own: known by the switch port alone, so that "
            "cables exchanged among them are not seen."
        )
    notes = found.discovery.notes
    lines += [f"Note: {note}" for note in notes[:MOST_NOTES]]
    if len(notes) > MOST_NOTES:
        lines.append(f"... and {units.count_noun(len(notes) - MOST_NOTES, 'note')} more (--json has all).")
    return lines


def verification_object(found: Verification, changes: Sequence[LinkHistory] = ()) -> dict[str, Any]:
    """Return a verification as plain values, as `--json` prints it."""
    return {
        "schema": SCHEMA,
        "design": found.name,
        "files": list(found.discovery.files),
        "as_planned": found.is_as_planned,
        "cables": {
            "planned": found.links,
            "as_planned": found.as_planned,
            "judged": found.judged,
            "discovered": found.cabling.seen.cables,
        },
        "moves": found.moves,
        "faults": [_fault_object(fault) for fault in found.faults],
        "changed": [
            {
                "link": each.link,
                "text": each.text,
                "states": list(map(_state, each.rates_gbps)),
                "flaps": each.flaps,
                "slower_gbps": each.slower_gbps,
            }
            for each in changes
        ],
        "not_judged": list(found.unreported),
        "notes": [str(note) for note in found.discovery.notes],
    }


def _fault_object(fault: Fault) -> dict[str, Any]:
    return {
        "kind": fault.kind.value,
        "text": fault.text,
        "devices": list(fault.devices),
        "links": list(fault.links),
        "share_lost": fault.share_lost,
        "gpus_lost": fault.gpus_lost,
        "place": fault.place,
        "moves": [
            {
                "other_end": move.cable,
                "from": _port_object(move.from_rack, move.from_unit, move.from_device, move.from_port),
                "to": _port_object(move.to_rack, move.to_unit, move.to_device, move.to_port),
            }
            for move in fault.moves
        ],
    }  # fmt: skip


def _port_object(rack: str, unit: int | None, device: str, port: str) -> dict[str, Any]:
    return {"rack": rack, "unit": unit, "device": device, "port": port}


def verification_csv(found: Verification) -> str:
    """Return the work orders as CSV: a row for each cable end to move, and for each fault without moves."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for number, fault in enumerate(found.faults, 1):
        share = "" if fault.share_lost is None else f"{fault.share_lost:.6f}"
        common = {
            "fault": number, "kind": fault.kind.value, "text": fault.text, "share_lost": share,
            "gpus_lost": fault.gpus_lost, "place": fault.place,
        }  # fmt: skip
        for move in fault.moves:
            writer.writerow({
                **common, "action": "move", "device": move.to_device, "other_end": move.cable,
                "from_rack": move.from_rack, "from_unit": move.from_unit, "from_device": move.from_device,
                "from_port": move.from_port, "to_rack": move.to_rack, "to_unit": move.to_unit,
                "to_device": move.to_device, "to_port": move.to_port,
            })  # fmt: skip
        if not fault.moves:
            writer.writerow({**common, "action": ACTIONS[fault.kind], "device": "; ".join(fault.devices)})
    return text.getvalue()
