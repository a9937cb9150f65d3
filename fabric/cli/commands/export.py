"""The command `export`: a fabric as a graph or drawing for other tools."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

import fabric
from fabric.cli.options import REQUEST, override_options, read_overrides, refuse_input_as_output
from fabric.cli.terminal import show_progress

if TYPE_CHECKING:
    from fabric.view import View

__all__ = ["export"]

FORMATS = ("graphml", "dot", "drawio", "node-link")
LEVELS = ("fabric", "pod", "unit", "device")


@click.command()
@REQUEST
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Format.  [default: from the suffix of the file]")
@click.option("--level", type=click.Choice(LEVELS), help="Level of detail.  [default: the finest that is readable]")
@click.option("--pod", type=click.IntRange(0), metavar="INTEGER", help="The pod, numbered from 0.")
@click.option(
    "--unit", type=click.IntRange(0), metavar="INTEGER", help="The scalable unit, numbered from 0 in its pod."
)
@click.option("--out", "-o", metavar="FILE", help="Write to this file instead of stdout.")
@override_options
@click.pass_obj
def export(quiet: bool, /, request: str, format_: str | None, out: str | None, **words: Any) -> None:
    """Export the fabric of REQUEST to GraphML, Graphviz, draw.io or node-link JSON.

    At level fabric one node stands for all devices of a tier; the other levels show one pod, one scalable unit, or
    every device. Nodes and edges carry positions, multiplicities, models, links and rates.
    """
    from fabric.export import format_of, view_for, written
    from fabric.report.files import write_view
    from fabric.view import levels_of

    out = None if out == "-" else out
    if format_ is None and out is None:
        raise click.UsageError("Give --format, or --out FILE with a suffix of a known format.")
    refuse_input_as_output(out, request, words["prices"])
    chosen = format_ or format_of(str(out))
    level, place = words.pop("level"), {key: words.pop(key) for key in ("pod", "unit")}
    if level in ("fabric", "device") and any(number is not None for number in place.values()):
        raise click.UsageError("--pod and --unit need --level pod or unit.")
    if out is None and sys.stdout is None:
        raise fabric.FabricError("stdout is closed; give --out FILE")
    with show_progress(quiet or words.pop("silent")) as say:
        study = fabric.design(request, progress=say, **read_overrides(words))
        say("building the view")
        view = view_for(study.blueprint, chosen, level, **place)
        file = None if out is None else write_view(view, out, chosen)
    if file is None:
        for piece in written(view, chosen):
            click.echo(piece, nl=False)
    else:
        click.echo(f"wrote {file}: {_describe_view(view)}")
    if level is None:
        others = ", ".join(name for name in levels_of(study.blueprint) if name != view.level)
        click.echo(f"level {view.level}; other levels: {others}", err=True)


def _describe_view(view: View) -> str:
    from fabric.report.text import count_noun

    nodes, edges = len(view), view.edge_count
    return f"{view.title}, {count_noun(nodes, 'node')}, {count_noun(edges, 'edge')}"
