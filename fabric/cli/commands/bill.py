"""The command `bill`: what to order for a fabric."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

import fabric
from fabric.cli.options import AS_JSON, REQUEST, override_options, read_overrides, refuse_input_as_output
from fabric.cli.runs import make_or_explain
from fabric.cli.terminal import print_summary, show_progress

if TYPE_CHECKING:
    from fabric.report.table import Summary

__all__ = ["bill"]


@click.command(short_help="List the parts to order, with their prices.")
@REQUEST
@click.option("--out", "-o", metavar="FILE", help="Write to this file: .csv, .xlsx or .json.")
@AS_JSON
@override_options
@click.pass_obj
def bill(quiet: bool, /, request: str, out: str | None, as_json: bool, **words: Any) -> None:
    """List the parts to order for the fabric of REQUEST: switches, modules, fibres, cables, with prices and spares.

    For a file of a cluster it is one bill of all its fabrics.
    """
    from fabric.report.bill_table import check_bill_suffix
    from fabric.report.files import json_text, write_bill
    from fabric.request.cluster import is_cluster

    refuse_input_as_output(out, request, words["prices"])
    if out is not None:
        check_bill_suffix(out)
    with show_progress(quiet or words.pop("silent")) as say:
        design: Callable[..., fabric.Study | fabric.Cluster] = fabric.cluster if is_cluster(request) else fabric.design
        found = make_or_explain(as_json, partial(design, request, progress=say, **read_overrides(words)))
        file = None if out is None else write_bill(found, out)
    if as_json:
        click.echo(json_text(_make_object(found)), nl=False)
    elif sys.stdout is not None:
        print_summary(_summarize(found))
    if file is not None:
        click.echo(f"wrote {file}", err=as_json)


def _make_object(found: fabric.Study | fabric.Cluster) -> dict[str, Any]:
    from fabric.report.bill_table import bill_object
    from fabric.report.cluster_bill import cluster_bill_object

    return cluster_bill_object(found) if isinstance(found, fabric.Cluster) else bill_object(found)


def _summarize(found: fabric.Study | fabric.Cluster) -> Summary:
    from fabric.report.bill_summary import summarize_bill
    from fabric.report.cluster_bill import summarize_cluster_bill

    return summarize_cluster_bill(found) if isinstance(found, fabric.Cluster) else summarize_bill(found)
