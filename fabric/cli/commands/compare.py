"""The command `compare`: designs side by side, families on one request, or a published table."""

from __future__ import annotations

from typing import Any

import click

import fabric
from fabric.cli.options import REQUESTS, override_options, read_overrides
from fabric.cli.record_name import record_option
from fabric.cli.runs import RunOptions, run_table
from fabric.cli.terminal import print_json, print_summary, show_lines, show_progress

__all__ = ["compare"]


@click.command(short_help="Compare designs, families, or a published table.")
@REQUESTS
@click.option("--differences", is_flag=True, help="Print only the rows in which the designs differ.")
@record_option(
    "--families",
    registry="fabric.topology.families:FAMILIES",
    several=True,
    also=("fabric.topology.families:family_sets", "all"),
    metavar="NAMES",
    help="Compare families on one REQUEST, one or several with commas: {names}.",
)
@record_option(
    "--table",
    registry="fabric.request:tables",
    checked=False,
    metavar="NAME",
    help="Check a table of published fabrics against designs: a file, or {names}.",
)
@click.option("--json", "as_json", is_flag=True, help="Print designs and rows as JSON.")
@override_options
@click.pass_obj
def compare(
    quiet: bool,
    /,
    requests: tuple[str, ...],
    differences: bool,
    families: tuple[str, ...] | None,
    as_json: bool,
    **words: Any,
) -> None:
    """Compare two or more designs, the families on one request, or a published table with our designs.

    Rows that differ are marked *, and numbers show their change relative to the first design. With --table the exit
    code is 1 when a cell differs and the table does not explain it.
    """
    from fabric.report.comparison import design_each, summarize_comparison

    table, quiet = words.pop("table"), words.pop("silent") or quiet
    if table is not None:
        if requests or differences or families is not None or any(words.values()):
            raise click.UsageError("--table excludes all other options and requests: its rows are the requests.")
        run_table(table, RunOptions(quiet, None, as_json))
        return
    if families is not None:
        _compare_families(quiet, requests, families, as_json, words)
        return
    if len(requests) < 2:
        raise click.UsageError("Give two requests or more.")
    with show_progress(quiet) as say:
        comparison = fabric.compare(*design_each(requests, progress=say, **read_overrides(words)))
    names = _label_designs(requests, comparison)
    if as_json:
        print_json(comparison.document(differences=differences))
    else:
        print_summary(summarize_comparison(comparison, names, differences=differences))
    for name, item in zip(names, comparison.designs, strict=True):
        if not all(row["ok"] for row in item["expected"]):
            click.echo(f"warning: {name} does not match every published number", err=True)


def _compare_families(
    quiet: bool, requests: tuple[str, ...], names: tuple[str, ...], as_json: bool, words: dict[str, Any]
) -> None:
    """Compare families on one request, with a line for each as soon as it is designed, and tables of all at the end."""
    from fabric.report.family_comparison import families_object, family_line, line_heads, summarize_families
    from fabric.studies.family_comparison import FamilyResult, compare_families

    if len(requests) != 1:
        raise click.UsageError(f"--families compares families on one REQUEST; {len(requests)} are given.")
    if words["family"]:
        raise click.UsageError("--families and --family are mutually exclusive.")
    given = read_overrides(words)
    spec = fabric.read(requests[0], **given)
    with show_lines(quiet) as (say, print_line):

        def show(result: FamilyResult) -> None:
            if not as_json:
                print_line(family_line(spec, result))

        if not as_json:
            print_line(line_heads())
        results = compare_families(requests[0], names, progress=say, found=show, **given)
    if as_json:
        print_json(families_object(spec, results))
    else:
        print_summary(summarize_families(spec, results))


def _label_designs(requests: tuple[str, ...], comparison: fabric.Comparison) -> tuple[str, ...]:
    """Return the names of the designs, or, where two are equal, their requests as given."""
    names = tuple(str(design["name"]) for design in comparison.designs)
    return names if len(set(names)) == len(names) else requests
