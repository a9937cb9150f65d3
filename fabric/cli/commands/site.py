"""The commands `layout` and `wiring`: where devices stand, and which cable goes where."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click

import fabric
from fabric.cli.options import AS_JSON, REQUEST, override_options, read_overrides, refuse_input_as_output
from fabric.cli.record_name import RecordName
from fabric.cli.runs import make_or_explain
from fabric.cli.terminal import print_summary, show_progress

__all__ = ["layout", "wiring"]


@click.command(short_help="Place the racks of a fabric in halls.")
@REQUEST
@click.option("--out", "-o", metavar="FILE", help="Write a floor plan (.svg, .png, .pdf, .dxf), or .json.")
@click.option(
    "--show",
    type=click.Choice(["contents", "power", "fill"]),
    default="contents",
    help="What the colours of the plan say: what stands in racks, their power, or how full trays are.",
)
@click.option("--hall", default="", metavar="NAME", help="Draw one hall alone.")
@click.option(
    "--page",
    type=RecordName("fabric.draw:PAGES"),
    metavar="NAME",
    help="Shape of the page: 16:9, a4, a3 or letter.  [default: a3]",
)
@click.option("--lost", is_flag=True, help="Add what is lost with one power feed, one row or one cable tray.")
@AS_JSON
@override_options
@click.pass_obj
def layout(quiet: bool, /, request: str, out: str | None, lost: bool, as_json: bool, **words: Any) -> None:
    """Place the servers and switches of REQUEST in racks, and the racks in halls (key `site`)."""
    from fabric.draw import FloorPicture
    from fabric.report.domain_losses import losses_object, summarize_losses
    from fabric.report.files import json_text
    from fabric.report.site import layout_object, summarize_layout
    from fabric.report.site_files import check_layout_suffix, write_layout
    from fabric.studies.failure_domains import list_domain_losses

    refuse_input_as_output(out, request, words["prices"])
    if out is not None:
        check_layout_suffix(out)
    picture = FloorPicture(words.pop("show"), words.pop("hall"), words.pop("page") or "")
    with show_progress(quiet or words.pop("silent")) as say:
        study = make_or_explain(as_json, partial(fabric.design, request, progress=say, **read_overrides(words)))
        say("layout")
        study.layout  # noqa: B018 (all that takes time, while progress is shown)
        losses = list_domain_losses(study, say) if lost else ()
        file = None if out is None else write_layout(study, out, picture)
    if as_json:
        click.echo(json_text(layout_object(study) | ({"lost": losses_object(losses)} if lost else {})), nl=False)
    elif sys.stdout is not None:
        print_summary(summarize_layout(study))
        if lost:
            print_summary(summarize_losses(study, losses))
    if file is not None:
        click.echo(f"wrote {file}", err=as_json)


@click.command(short_help="List every cable with its ports and length.")
@REQUEST
@click.option(
    "--out", "-o", metavar="FILE", help="Write all cables to this file: .csv, .xlsx, .parquet, or labels as .pdf."
)
@click.option(
    "--of",
    metavar="NAME",
    help="Only the cables of a device (`leaf[pod=0,rail=3]`), a rack, `hall A`, or a pair: ONE--OTHER.",
)
@override_options
@click.pass_obj
def wiring(quiet: bool, /, request: str, out: str | None, of: str | None, **words: Any) -> None:
    """List the cables of REQUEST: device, rack, rack unit and port at both ends, part and length (key `site`)."""
    from fabric.report.site import find_cables, summarize_cables, summarize_wiring
    from fabric.report.site_files import check_cable_suffix, write_cables

    refuse_input_as_output(out, request, words["prices"])
    if out is not None:
        check_cable_suffix(out)
    with show_progress(quiet or words.pop("silent")) as say:
        study = make_or_explain(False, partial(fabric.design, request, progress=say, **read_overrides(words)))
        say("cables")
        rows = None if of is None else find_cables(study.planned_wiring, of)
        found = summarize_wiring(study) if rows is None else summarize_cables(study.planned_wiring, rows, of or "")
        file = None if out is None else write_cables(study, out, rows)
    if sys.stdout is not None:
        print_summary(found)
    if file is not None:
        click.echo(f"wrote {file}")
