"""The commands that only look: `list` and `show`."""

from __future__ import annotations

import click

import fabric
from fabric.cli.options import REQUEST
from fabric.cli.streams import record
from fabric.cli.terminal import cell, print_json, print_table

__all__ = ["list_", "show"]

LISTS = ("topologies", "tables", "families", "switches", "servers", "optics")


@click.command("list")
@click.argument("what", type=click.Choice(LISTS), default="topologies")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(what: str, as_json: bool) -> None:
    """List shipped topologies, tables of published fabrics, known families, or catalogue parts."""
    from fabric.report.catalog_lists import listing

    heads, rows = listing(what)
    if as_json:
        print_json([dict(zip(heads, row, strict=True)) for row in rows])
    elif what == "families":
        click.echo("\n\n".join(record(heads, row) for row in rows))
    else:
        print_table("", [head.replace("_", " ") for head in heads], [[cell(value) for value in row] for row in rows])


@click.command()
@REQUEST
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(request: str, as_json: bool) -> None:
    """Show REQUEST with every default filled in, its sources and what it must reproduce."""
    from fabric.request.yaml_writer import yaml_text

    words = dict(fabric.read(request).request)
    if as_json:
        print_json(words)
    else:
        click.echo(yaml_text(words), nl=False)
