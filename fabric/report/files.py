"""The files of a design run."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fabric.atomic_write import check_folder, write_atomically
from fabric.blueprint import Blueprint
from fabric.draw import Diagram, draw_diagram, draw_fabric, save
from fabric.draw.render import check_suffix
from fabric.errors import FabricError
from fabric.export import format_by_suffix, write_view_text
from fabric.optimizer import BreakEven
from fabric.report.bill_table import bill_csv, bill_object, check_bill_suffix, list_totals
from fabric.report.bill_workbook import save_cluster_workbook, save_workbook
from fabric.report.cluster_bill import cluster_bill_csv, cluster_bill_object
from fabric.report.cluster_picture import cluster_picture
from fabric.report.collectives import WorkloadRun
from fabric.report.describe import describe
from fabric.report.design import Design
from fabric.report.design_json import design_object
from fabric.report.failure_statistics import draws_csv, failures_object
from fabric.report.markdown import markdown_report
from fabric.report.multi_fabric import cluster_object, cluster_report
from fabric.report.pareto import front_object, pareto_csv
from fabric.report.pictures import allreduce_picture, failures_picture, front_picture, runs_picture, scaling_picture
from fabric.report.scaling import scaling_object
from fabric.request.cluster import CLUSTER_FILES
from fabric.studies.failure_statistics import FailureStatistics
from fabric.studies.multi_fabric import Cluster, prefix_progress
from fabric.studies.pareto import Pareto
from fabric.studies.scaling import Scaling
from fabric.studies.study import Study
from fabric.view import View

__all__ = [
    "encode_pieces",
    "find_target",
    "json_text",
    "write",
    "write_bill",
    "write_cluster",
    "write_cluster_picture",
    "write_design",
    "write_failures",
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
    changes: Sequence[BreakEven] | None = None,
) -> list[Path]:
    """Write design.json, report.md, bom.csv, fabric.svg, fabric.png and allreduce.svg to `folder`, made if missing.

    The last is left out where no GPU stands.
    `changes` are those of `Study.sensitivity`, for the first two, where they were asked for. The same request gives the
    same bytes on every run and machine. Either all files are written or none is changed; raises FabricError saying what
    the system refused.
    """
    return write_design(describe(study, changes), folder, progress)


def write_design(
    design: Design, folder: str | os.PathLike[str], progress: Callable[[str], None] | None = None
) -> list[Path]:
    """Write the files of a described design to `folder`, as `write` does."""
    say = progress or (lambda text: None)
    return write_atomically(folder, lambda temporary: _make_files(design, temporary, say))


def write_cluster(
    cluster: Cluster, folder: str | os.PathLike[str], progress: Callable[[str], None] | None = None
) -> list[Path]:
    """Write cluster.json, report.md, bill.csv, cluster.svg and cluster.png to `folder`, as `write` does.

    The files of each fabric are in a folder of its name there.
    """
    say = progress or (lambda text: None)

    def make(temporary: Path) -> list[str]:
        result, *texts, svg, png = CLUSTER_FILES
        _write_file(temporary, result, json_text(cluster_object(cluster, timed=False)))
        for name, text in zip(texts, (cluster_report(cluster), cluster_bill_csv(cluster)), strict=True):
            _write_file(temporary, name, text)
        figure = cluster_picture(cluster)
        for name in (svg, png):
            save(figure, temporary / name)
        names = [*CLUSTER_FILES]
        for name, study in cluster.fabrics.items():
            inner = temporary / name
            inner.mkdir()
            names += [f"{name}/{file}" for file in _make_files(describe(study), inner, prefix_progress(say, name))]
        return names

    return write_atomically(folder, make)


def write_front(front: Pareto, folder: str | os.PathLike[str]) -> list[Path]:
    """Write pareto.json, pareto.csv and pareto.svg to `folder`, as `write` does."""
    return write_atomically(folder, lambda temporary: _make_front(front, temporary))


def _write_file(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _make_files(design: Design, folder: Path, progress: Callable[[str], None]) -> list[str]:
    progress("writing the report")
    texts = {
        "design.json": json_text(design_object(design, timed=False)),
        "report.md": markdown_report(design),
        "bom.csv": bill_csv(design.bill),
    }
    for name, text in texts.items():
        _write_file(folder, name, text)
    progress("drawing")
    figure = draw_fabric(design.blueprint)
    for name in ("fabric.svg", "fabric.png"):
        save(figure, folder / name)
    names = [*texts, "fabric.svg", "fabric.png"]
    if design.allreduce:
        save(allreduce_picture(design), folder / "allreduce.svg")
        names.append("allreduce.svg")
    return names


def _make_front(front: Pareto, folder: Path) -> list[str]:
    texts = {"pareto.json": json_text(front_object(front, timed=False)), "pareto.csv": pareto_csv(front)}
    for name, text in texts.items():
        _write_file(folder, name, text)
    save(front_picture(front), folder / "pareto.svg")
    return [*texts, "pareto.svg"]


def json_text(value: dict[str, Any]) -> str:
    """Return a plain object as JSON text, two spaces per level."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_bill(design: Study | Cluster, file: str | os.PathLike[str]) -> Path:
    """Write the bill of a design or of a cluster as CSV, Excel workbook or JSON, by the suffix, whole or not at all.

    Raises InputError for another suffix, and what `write_text` raises.
    """
    suffix = check_bill_suffix(os.fspath(file))
    if suffix == ".csv":
        return write_text(file, [_bill_text(design)])
    if suffix == ".json":
        found = cluster_bill_object(design) if isinstance(design, Cluster) else bill_object(design)
        return write_text(file, [json_text(found)])
    target = find_target(file)

    def make(temporary: Path) -> list[str]:
        if isinstance(design, Cluster):
            save_cluster_workbook(design, temporary / target.name)
        else:
            save_workbook(design, temporary / target.name)
        return [target.name]

    return write_atomically(target.parent, make)[0]


def _bill_text(design: Study | Cluster) -> str:
    """Return a bill as CSV, with its totals."""
    if isinstance(design, Cluster):
        return cluster_bill_csv(design)
    return bill_csv(design.bill, list_totals(design.bill))


def write_run(
    study: Study, runs: Sequence[WorkloadRun], result: dict[str, Any], folder: str | os.PathLike[str]
) -> list[Path]:
    """Write allreduce.json and allreduce.svg to `folder`, as `write` does."""

    def make(temporary: Path) -> list[str]:
        _write_file(temporary, "allreduce.json", json_text(result))
        save(runs_picture(study, runs), temporary / "allreduce.svg")
        return ["allreduce.json", "allreduce.svg"]

    return write_atomically(folder, make)


def write_traffic(result: dict[str, Any], folder: str | os.PathLike[str]) -> list[Path]:
    """Write traffic.json to `folder`, as `write` does."""

    def make(temporary: Path) -> list[str]:
        _write_file(temporary, "traffic.json", json_text(result))
        return ["traffic.json"]

    return write_atomically(folder, make)


def write_view(view: View, file: str | os.PathLike[str], format: str | None = None) -> Path:
    """Write a view to a file in one of `fabric.export.FORMATS`, by default that of the file's suffix.

    The file is whole or not changed; raises FabricError saying what the system refused, InputError for an unknown
    format, and TooLarge for a picture of too many nodes.
    """
    return write_text(file, write_view_text(view, format or format_by_suffix(file).name))


def encode_pieces(pieces: Iterable[str | bytes]) -> Iterator[bytes]:
    """Yield the pieces of a file as bytes; bytes of a file name that are not UTF-8 are written as escapes."""
    return (piece if isinstance(piece, bytes) else piece.encode(errors="backslashreplace") for piece in pieces)


def write_text(file: str | os.PathLike[str], pieces: Iterable[str | bytes]) -> Path:
    """Write a text to a file of its own, whole or not at all; raises FabricError saying what the system refused.

    Bytes of a file name that are not UTF-8, which a page may cite, are written as escapes.
    """
    target = find_target(file)

    def make(temporary: Path) -> list[str]:
        with (temporary / target.name).open("wb") as stream:
            stream.writelines(encode_pieces(pieces))
        return [target.name]

    return write_atomically(target.parent, make)[0]


def write_cluster_picture(cluster: Cluster, file: str | os.PathLike[str], page: str = "") -> Path:
    """Draw a cluster to a file, as `write_picture` does a fabric, on a page of `fabric.draw.PAGES` or none."""
    return _write_figure(partial(cluster_picture, cluster, page), file)


def write_picture(blueprint: Blueprint, diagram: Diagram, file: str | os.PathLike[str]) -> Path:
    """Draw a diagram to a file as SVG, PNG or PDF by its suffix, whole or not at all.

    Raises InputError for another suffix before anything is drawn, and what `draw_diagram` and `write_text` raise.
    """
    return _write_figure(partial(draw_diagram, blueprint, diagram), file)


def _write_figure(draw: Callable[[], Any], file: str | os.PathLike[str]) -> Path:
    check_suffix(Path(os.fspath(file)))
    target = find_target(file)

    def make(temporary: Path) -> list[str]:
        name = f"it{target.suffix}"
        save(draw(), temporary / name)
        (temporary / name).replace(temporary / target.name)
        return [target.name]

    return write_atomically(target.parent, make)[0]


def find_target(file: str | os.PathLike[str]) -> Path:
    """Return the file to write; a symbolic link is followed.

    Raises FabricError when it is not a file name, or one of a folder, a device or a pipe, which no file may replace.
    """
    text = os.fspath(file)
    if not Path(text).name or text.endswith(os.sep):
        raise FabricError(f"{text!r:.200}: not a file name")
    try:
        named = check_folder(text)
        found = named.resolve() if named.is_symlink() else named
        kind = found.stat().st_mode if found.exists() else stat.S_IFREG
        blocked = found.parent.exists() and not found.parent.is_dir()
    except (OSError, RuntimeError) as error:
        raise FabricError(f"{text!r:.200}: can't write there: {getattr(error, 'strerror', None) or error}") from error
    if blocked:
        raise FabricError(f"{text!r:.200}: {found.parent} is a file, not a folder")
    if not stat.S_ISREG(kind):
        what = "a folder" if stat.S_ISDIR(kind) else "a device or a pipe"
        raise FabricError(f"{text!r:.200} is {what}; write the name of a file")
    return found


def write_scaling(scaling: Scaling, folder: str | os.PathLike[str]) -> list[Path]:
    """Write scale.json and scale.svg to `folder`, as `write` does."""

    def make(temporary: Path) -> list[str]:
        _write_file(temporary, "scale.json", json_text(scaling_object(scaling)))
        save(scaling_picture(scaling), temporary / "scale.svg")
        return ["scale.json", "scale.svg"]

    return write_atomically(folder, make)


def write_failures(found: FailureStatistics, folder: str | os.PathLike[str]) -> list[Path]:
    """Write failures.json, failures.csv, failures.svg and failures.png to `folder`, as `write` does."""

    def make(temporary: Path) -> list[str]:
        _write_file(temporary, "failures.json", json_text(failures_object(found)))
        _write_file(temporary, "failures.csv", draws_csv(found))
        figure, pictures = failures_picture(found), ["failures.svg", "failures.png"]
        for name in pictures:
            save(figure, temporary / name)
        return ["failures.json", "failures.csv", *pictures]

    return write_atomically(folder, make)
