"""The files of a design run."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from fabric.blueprint import Blueprint
from fabric.blueprint.bill import Bill
from fabric.draw import Diagram, draw_allreduce, draw_diagram, draw_fabric, draw_front, draw_scale, save
from fabric.draw.render import check_suffix
from fabric.errors import FabricError
from fabric.export import format_of, written
from fabric.optimizer import Change
from fabric.report.atomic_write import check_folder, write_atomically
from fabric.report.collectives import Run, curves
from fabric.report.design_json import document
from fabric.report.markdown import report
from fabric.report.multi_fabric import cluster_document, cluster_report
from fabric.report.objectives import SOUGHT
from fabric.report.pareto import front_document, pareto_csv, shape
from fabric.report.scaling import scale_document, scale_picture
from fabric.report.sensitivity import moved_rows
from fabric.studies.multi_fabric import Cluster, named
from fabric.studies.scaling import Scaling
from fabric.studies.study import Pareto, Study
from fabric.units import size
from fabric.view import View

__all__ = [
    "allreduce_picture",
    "bom_csv",
    "design_json",
    "write",
    "write_cluster",
    "write_front",
    "write_picture",
    "write_run",
    "write_scaling",
    "write_text",
    "write_view",
]


def write(
    study: Study,
    folder: str | os.PathLike[str],
    progress: Callable[[str], None] | None = None,
    changes: Sequence[Change] = (),
) -> list[Path]:
    """Write design.json, report.md, bom.csv, fabric.svg, fabric.png and allreduce.svg to `folder`, made if missing.

    `changes` are those of `Study.sensitivity`, for the first two. The same request gives the same bytes on every run
    and machine. Either all files are written or none is changed; raises FabricError saying what the system refused.
    """
    return write_atomically(folder, lambda temporary: _make(study, temporary, progress or (lambda text: None), changes))


def write_cluster(
    cluster: Cluster, folder: str | os.PathLike[str], progress: Callable[[str], None] | None = None
) -> list[Path]:
    """Write cluster.json and report.md to `folder`, and into it a folder for each fabric, as `write` does."""
    say = progress or (lambda text: None)

    def make(temporary: Path) -> list[str]:
        _text(temporary, "cluster.json", design_json(cluster_document(cluster, timed=False)))
        _text(temporary, "report.md", cluster_report(cluster))
        names = ["cluster.json", "report.md"]
        for name, study in cluster.fabrics.items():
            inner = temporary / name
            inner.mkdir()
            names += [f"{name}/{file}" for file in _make(study, inner, named(say, name))]
        return names

    return write_atomically(folder, make)


def write_front(front: Pareto, folder: str | os.PathLike[str]) -> list[Path]:
    """Write pareto.json, pareto.csv and pareto.svg to `folder`, as `write` does."""
    return write_atomically(folder, lambda temporary: _make_front(front, temporary))


def _text(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _make(study: Study, folder: Path, progress: Callable[[str], None], changes: Sequence[Change] = ()) -> list[str]:
    progress("writing the report")
    design = document(study, timed=False)
    design |= {"sensitivity": moved_rows(changes)} if changes else {}
    texts = {"design.json": design_json(design), "report.md": report(study, design), "bom.csv": bom_csv(study.bill)}
    for name, text in texts.items():
        _text(folder, name, text)
    progress("drawing")
    figure = draw_fabric(study.blueprint)
    for name in ("fabric.svg", "fabric.png"):
        save(figure, folder / name)
    save(allreduce_picture(study, design), folder / "allreduce.svg")
    return [*texts, "fabric.svg", "fabric.png", "allreduce.svg"]


def _make_front(front: Pareto, folder: Path) -> list[str]:
    texts = {"pareto.json": design_json(front_document(front, timed=False)), "pareto.csv": pareto_csv(front)}
    for name, text in texts.items():
        _text(folder, name, text)
    first, *others = front.names
    last = max(reversed(others), key=lambda name: len({values[name] for values in front.values}))
    points = [
        (values[first], values[last], shape(study)) for study, values in zip(front.studies, front.values, strict=True)
    ]
    scaled = [(x / _scale(first), y / _scale(last), group) for x, y, group in points]
    labels = (_axis(first), _axis(last))
    save(
        draw_front(f"{front.spec.name}: {front.spec.gpus:,} GPUs, what each step buys", scaled, labels),
        folder / "pareto.svg",
    )
    return [*texts, "pareto.svg"]


def _scale(name: str) -> float:
    """Return the units of an objective in one unit of its axis: a million dollars, a kilowatt, a millisecond."""
    return {"usd": 1e6, "w": 1e3, "s": 1e-3}.get(name.rpartition("_")[2], 1)


def _axis(name: str) -> str:
    unit = {"usd": ", million USD", "w": ", kW", "s": ", ms"}.get(name.rpartition("_")[2], "")
    return f"{SOUGHT.get(name, name)}{unit}"


def allreduce_picture(study: Study, design: dict[str, Any]) -> Any:
    """Draw the bus bandwidth of a design object's all-reduces, under the line rate of a server."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for row in design["allreduce"]:
        curves.setdefault(f"{row['routing']} routing", []).append((row["size_bytes"], row["busbw_GBps"]))
    line = study.blueprint.planes * study.blueprint.link_gbps * study.blueprint.server.nics / 8
    return draw_allreduce(f"{study.spec.name}: all-reduce on {study.spec.gpus:,} GPUs", curves, line)


def design_json(design: dict[str, Any]) -> str:
    """Return the design object as JSON text, two spaces a level."""
    return json.dumps(design, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def bom_csv(bill: Bill) -> str:
    """Return the bill as CSV: one row per part and use, unknown prices and powers left empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        ["kind", "part", "used_for", "quantity", "unit_price_usd", "price_usd", "unit_power_w", "power_w", "note"]
    )
    for row in bill.rows:
        numbers = (row.unit_price_usd, row.price_usd, row.unit_power_w, row.power_w)
        writer.writerow([row.kind, row.part, row.used_for, row.quantity, *map(_cell, numbers), row.note])
    return stream.getvalue()


def _cell(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}".removesuffix(".00")


def write_run(study: Study, runs: Sequence[Run], result: dict[str, Any], folder: str | os.PathLike[str]) -> list[Path]:
    """Write allreduce.json and allreduce.svg to `folder`, as `write` does."""

    def make(temporary: Path) -> list[str]:
        _text(temporary, "allreduce.json", design_json(result))
        first = runs[0].answers[0].estimate
        title = f"{study.spec.name}: {first.collective} on {first.gpus:,} GPUs"
        line = study.blueprint.planes * study.blueprint.link_gbps * study.blueprint.server.nics / 8
        save(draw_allreduce(title, curves(runs), line), temporary / "allreduce.svg")
        return ["allreduce.json", "allreduce.svg"]

    return write_atomically(folder, make)


def write_view(view: View, file: str | os.PathLike[str], format: str | None = None) -> Path:
    """Write a view to a file, as `graphml`, `dot`, `drawio` or `node-link`; left out, its suffix says which.

    The file is whole or not changed; raises FabricError saying what the system refused, InputError for a format that
    there is not, and TooLarge for a picture of too many nodes.
    """
    return write_text(file, written(view, format or format_of(file)))


def write_text(file: str | os.PathLike[str], pieces: Iterable[str]) -> Path:
    """Write a text to a file of its own, whole or not at all; raises FabricError saying what the system refused."""
    target = _target(file)

    def make(temporary: Path) -> list[str]:
        with (temporary / target.name).open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(pieces)
        return [target.name]

    return write_atomically(target.parent, make)[0]


def write_picture(blueprint: Blueprint, diagram: Diagram, file: str | os.PathLike[str]) -> Path:
    """Draw a diagram to a file as SVG, PNG or PDF by its suffix, whole or not at all.

    Raises InputError for another suffix before anything is drawn, and what `draw_diagram` and `write_text` raise.
    """
    check_suffix(Path(os.fspath(file)))
    target = _target(file)

    def make(temporary: Path) -> list[str]:
        name = f"it{target.suffix}"
        save(draw_diagram(blueprint, diagram), temporary / name)
        (temporary / name).replace(temporary / target.name)
        return [target.name]

    return write_atomically(target.parent, make)[0]


def _target(file: str | os.PathLike[str]) -> Path:
    """Return the file that is to be written, that which a link leads to.

    Raises FabricError when it is no name of a file, or one of a folder, a device or a pipe, which no file may replace.
    """
    text = os.fspath(file)
    if not Path(text).name or text.endswith(os.sep):
        raise FabricError(f"{text!r:.200}: no name of a file")
    try:
        named = check_folder(text)
        found = named.resolve() if named.is_symlink() else named
        kind = found.stat().st_mode if found.exists() else stat.S_IFREG
        beside = found.parent.exists() and not found.parent.is_dir()
    except (OSError, RuntimeError) as error:
        raise FabricError(f"{text!r:.200}: can't write there: {getattr(error, 'strerror', None) or error}") from error
    if beside:
        raise FabricError(f"{text!r:.200}: {found.parent} is a file, and no folder")
    if not stat.S_ISREG(kind):
        what = "a folder" if stat.S_ISDIR(kind) else "a device or a pipe"
        raise FabricError(f"{text!r:.200} is {what}; write the name of a file")
    return found


def write_scaling(scaling: Scaling, folder: str | os.PathLike[str]) -> list[Path]:
    """Write scale.json and scale.svg to `folder`, as `write` does."""

    def make(temporary: Path) -> list[str]:
        _text(temporary, "scale.json", design_json(scale_document(scaling)))
        title = f"{scaling.name}: all-reduce of {size(scaling.size_bytes)} as the machine grows"
        save(draw_scale(title, *scale_picture(scaling)), temporary / "scale.svg")
        return ["scale.json", "scale.svg"]

    return write_atomically(folder, make)
