"""The command `export`: a fabric as a graph or drawing for other tools."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

import fabric
from fabric.cli.options import REQUEST, override_options, read_overrides, refuse_input_as_output
from fabric.cli.record_name import record_option
from fabric.cli.terminal import show_progress
from fabric.units import count_noun

if TYPE_CHECKING:
    from fabric.view import View

__all__ = ["export"]


@click.command(short_help="Export a fabric to other tools.")
@REQUEST
@record_option(
    "--format",
    "format_",
    registry="fabric.export:FORMATS",
    metavar="NAME",
    help="Format, by default that of the file's suffix: {names}.",
)
@record_option(
    "--level",
    registry="fabric.view:LEVELS",
    metavar="NAME",
    help="Level of detail: {names}.  [default: the finest with at most 2,000 nodes]",
)
@click.option("--pod", type=click.IntRange(0), metavar="INTEGER", help="The pod to show, numbered from 0.")
@click.option("--unit", type=click.IntRange(0), metavar="INTEGER", help="The unit to show, numbered in its pod.")
@click.option("--out", "-o", metavar="PATH", help="Write to this file, or folder, instead of stdout.")
@override_options
@click.pass_obj
def export(quiet: bool, /, request: str, format_: str | None, out: str | None, **words: Any) -> None:
    """Write the fabric of REQUEST for other tools, in one of the formats of `fabric list formats`.

    Graphs and drawings show a view. A node is a group of devices at level fabric; levels pod and unit show one pod or
    unit in more detail, and level device every device. Positions, multiplicities, models, links and rates are included.

    Configurations are written from the whole plan: every device by name, and the ports at both ends of every cable;
    laboratories of one pod or unit too.
    Those of several files go to a folder, whole or not at all.
    """
    from fabric.export import format_by_suffix, takes_part, takes_view

    out = None if out == "-" else out
    if format_ is None and out is None:
        raise click.UsageError("Give --format, or --out FILE with the suffix of a format.")
    refuse_input_as_output(out, request, words["prices"])
    chosen = format_ or format_by_suffix(str(out)).name
    if out is None and sys.stdout is None:
        raise fabric.FabricError("stdout is closed; give --out FILE")
    view_words = {key: words.pop(key) for key in ("level", "pod", "unit")}
    silent = quiet or words.pop("silent")
    if takes_view(chosen):
        _export_view(silent, request, chosen, out, view_words, words)
        return
    level, *place = view_words.items()
    for key, value in [level] if takes_part(chosen) else view_words.items():
        if value is not None:
            raise click.UsageError(
                f"--{key} does not apply to --format {chosen}, which is written from the whole plan."
            )
    _export_plan(silent, request, chosen, out, dict(place), words)


def _export_view(
    silent: bool, request: str, chosen: str, out: str | None, view_words: dict[str, Any], words: dict[str, Any]
) -> None:
    """Write a view in a format to a file or to stdout."""
    from fabric.export import view_for, write_view_text
    from fabric.report.files import write_view

    level, place = view_words["level"], {key: view_words[key] for key in ("pod", "unit")}
    if level in ("fabric", "device") and any(number is not None for number in place.values()):
        raise click.UsageError("--pod and --unit need --level pod or unit.")
    with show_progress(silent) as say:
        study = fabric.design(request, progress=say, **read_overrides(words))
        say("making the view")
        view = view_for(study.blueprint, chosen, level, **place)
        file = None if out is None else write_view(view, out, chosen)
    if file is None:
        for piece in write_view_text(view, chosen):
            click.echo(piece, nl=False)
    else:
        click.echo(f"wrote {file}: {_describe_view(view)}")
    if level is None:
        click.echo(f"level {view.level}; other levels: {', '.join(_other_levels(study, view))}", err=True)


def _export_plan(
    silent: bool, request: str, chosen: str, out: str | None, place: dict[str, Any], words: dict[str, Any]
) -> None:
    """Write the plan in a format to a file, a folder or stdout."""
    from fabric.report.plan_files import read_single, replace_plan

    with show_progress(silent) as say:
        study = fabric.design(request, progress=say, **read_overrides(words))
        say("placing racks and cables")
        asked = any(number is not None for number in place.values())
        plan = study.plan.of_part(**place) if asked else study.plan
        files = None if out is None else replace_plan(plan, out, chosen, say)
    if files is None:
        for piece in read_single(plan, chosen):
            click.echo(piece, nl=False)
        return
    counts = count_noun(int(plan.written_devices.sum()), "device"), count_noun(int(plan.written_links.sum()), "link")
    what = f"{plan.title}, {', '.join(counts)}"
    written = files.written
    where = written[0] if len(written) == 1 else f"{count_noun(len(written), 'file')} in {out}"
    click.echo(f"wrote {where}: {what}")
    if files.removed:
        click.echo(f"removed {count_noun(len(files.removed), 'file')} of an earlier export that this one does not have")


def _describe_view(view: View) -> str:
    return f"{view.title}, {count_noun(len(view), 'node')}, {count_noun(view.edge_count, 'edge')}"


def _other_levels(study: fabric.Study, view: View) -> list[str]:
    from fabric.view import levels_of

    return [level for level in levels_of(study.blueprint) if level != view.level]
