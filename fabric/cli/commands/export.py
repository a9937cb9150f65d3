"""The command `export`: a fabric as graphs and drawings for other tools."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

import fabric
from fabric import units
from fabric.cli.options import REQUEST, overrides, request_words, spare
from fabric.cli.terminal import progress_of

if TYPE_CHECKING:
    from fabric.view import View

__all__ = ["export"]

FORMATS = ("graphml", "dot", "drawio", "node-link")
LEVELS = ("fabric", "pod", "unit", "device")


@click.command()
@REQUEST
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Without it, the suffix of the file says which.")
@click.option("--level", type=click.Choice(LEVELS), help="Of detail; without it, the finest that can be read.")
@click.option("--pod", type=click.IntRange(0), metavar="INTEGER", help="The pod to show, numbered from 0.")
@click.option("--unit", type=click.IntRange(0), metavar="INTEGER", help="The unit to show, numbered in its pod.")
@click.option("--out", "-o", metavar="FILE", help="Write to this file instead of stdout.")
@request_words
@click.pass_obj
def export(quiet: bool, /, request: str, format_: str | None, out: str | None, **words: Any) -> None:
    """Write the fabric of REQUEST for other tools: GraphML, Graphviz, draw.io or node-link JSON.

    At level fabric a node stands for all devices of a tier, at the others for one pod, one unit, or every device one by
    one. Positions, multiplicities, models, links and rates go along.
    """
    from fabric.export import format_of, view_for, written
    from fabric.report.files import write_view

    out = None if out == "-" else out
    if format_ is None and out is None:
        raise click.UsageError("Give --format, or --out FILE with a suffix that says it.")
    spare(out, request, words["prices"])
    chosen = format_ or format_of(str(out))
    level, place = words.pop("level"), {key: words.pop(key) for key in ("pod", "unit")}
    if level in ("fabric", "device") and any(number is not None for number in place.values()):
        raise click.UsageError("--pod and --unit are of --level pod or unit.")
    if out is None and sys.stdout is None:
        raise fabric.FabricError("stdout is closed; give --out FILE")
    with progress_of(quiet or words.pop("silent")) as say:
        study = fabric.design(request, progress=say, **overrides(words))
        say("looking at it")
        view = view_for(study.blueprint, chosen, level, **place)
        file = None if out is None else write_view(view, out, chosen)
    if file is None:
        for piece in written(view, chosen):
            click.echo(piece, nl=False)
    else:
        click.echo(f"wrote {file}: {_words(view)}")
    if level is None:
        click.echo(f"level {view.level}; --level takes {', '.join(_levels(study))} too", err=True)


def _words(view: View) -> str:
    nodes, edges = len(view), view.edge_count
    return f"{view.title}, {units.count(nodes)} node{'s'[: nodes != 1]}, {units.count(edges)} edge{'s'[: edges != 1]}"


def _levels(study: fabric.Study) -> tuple[str, ...]:
    from fabric.view import levels_of

    return levels_of(study.blueprint)
