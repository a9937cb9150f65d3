"""The command `compare`: designs, families or published tables held against one another."""

from __future__ import annotations

from typing import Any

import click

import fabric
from fabric.cli.options import REQUESTS, once, overrides, request_words
from fabric.cli.runs import Run, run_table
from fabric.cli.terminal import print_json, print_summary, progress_of

__all__ = ["compare"]


@click.command()
@REQUESTS
@click.option("--differences", is_flag=True, help="Print only the rows in which the designs differ.")
@click.option("--families", "field", help="Hold families against each other on one REQUEST: names with commas, or all.")
@click.option("--table", metavar="NAME", help="Hold a table of published fabrics, a shipped one or a file, to designs.")
@click.option("--json", "as_json", is_flag=True, help="Print designs and rows as JSON.")
@request_words
@click.pass_obj
def compare(
    quiet: bool, /, requests: tuple[str, ...], differences: bool, field: str | None, as_json: bool, **words: Any
) -> None:
    """Print two or more designs side by side, or with --table published fabrics against ours.

    Rows that differ are marked *, and numbers show their change against the first design. With --table the exit code
    is 1 when a cell differs that the table does not explain.
    """
    from fabric.report.comparison import design_each
    from fabric.report.side_by_side import side_by_side

    table, quiet = words.pop("table"), words.pop("silent") or quiet
    if table is not None:
        if requests or differences or field is not None or any(words.values()):
            raise click.UsageError("--table stands alone: its rows are the requests.")
        run_table(table, Run(quiet, None, as_json))
        return
    if field is not None:
        _contest(quiet, requests, field, as_json, words)
        return
    if len(requests) < 2:
        raise click.UsageError("Give two requests or more.")
    with progress_of(quiet) as say:
        comparison = fabric.compare(*design_each(requests, progress=say, **overrides(words)))
    names = _names(requests, comparison)
    if as_json:
        print_json(comparison.document(differences=differences))
    else:
        print_summary("", *side_by_side(comparison, names, differences=differences))
    for name, item in zip(names, comparison.designs, strict=True):
        if not all(row["ok"] for row in item["expected"]):
            click.echo(f"warning: {name} does not meet every published number", err=True)


def _contest(quiet: bool, requests: tuple[str, ...], field: str, as_json: bool, words: dict[str, Any]) -> None:
    """Hold families against each other on one request."""
    from fabric.report.family_comparison import contest_document, contest_summary
    from fabric.studies.family_comparison import contest

    if len(requests) != 1:
        raise click.UsageError(
            f"--families holds families against each other on one REQUEST; {len(requests)} are given."
        )
    if words["family"]:
        raise click.UsageError("--families and --family exclude each other.")
    with progress_of(quiet) as say:
        given = overrides(words)
        entries = contest(requests[0], once("--families", field.split(",")), progress=say, **given)
        spec = fabric.read(requests[0], **given)
    if as_json:
        print_json(contest_document(spec.name, spec.gpus, entries))
    else:
        print_summary(*contest_summary(spec.name, spec.gpus, entries))


def _names(requests: tuple[str, ...], comparison: fabric.Comparison) -> tuple[str, ...]:
    """Return what to call the designs: their names, or, where two have the same, their requests as given."""
    names = tuple(str(design["name"]) for design in comparison.designs)
    return names if len(set(names)) == len(names) else requests
