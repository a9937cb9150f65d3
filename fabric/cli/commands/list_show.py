"""The commands `list` and `show`, which design nothing."""

from __future__ import annotations

import click

import fabric
from fabric.cli.options import REQUEST
from fabric.cli.record_name import RecordName
from fabric.cli.streams import can_encode, lay_out_record
from fabric.cli.terminal import print_json, print_table, write_cell
from fabric.errors import MissingFile

__all__ = ["list_", "show"]


class ListCommand(click.Command):
    """A command whose help ends with the names of the lists."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the names of the lists."""
        formatter.write_paragraph()
        formatter.write_text(f"LIST is one of {', '.join(LIST_NAME.list_names())}; by default topologies.")


LIST_NAME = RecordName("fabric.report.catalog_lists:LISTS")


@click.command("list", cls=ListCommand, short_help="List designs, tables, families, parts and formats.")
@click.argument("what", type=LIST_NAME, default="topologies", metavar="[LIST]")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(what: str, as_json: bool) -> None:
    """List shipped topologies, published tables, families, parts, models, training software, formats or measures."""
    from fabric.report.catalog_lists import LISTS

    listing = LISTS[what]()
    heads = [*listing.columns.values()]
    if as_json:
        print_json(listing.objects())
    elif listing.records or any(isinstance(value, list) for row in listing.rows for value in row):
        click.echo("\n\n".join(lay_out_record(heads, row) for row in listing.rows))
    else:
        print_table("", heads, [[write_cell(value) for value in row] for row in listing.rows])


@click.command(short_help="Show a request with its defaults, a model, a GPU or training software.")
@REQUEST
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(request: str, as_json: bool) -> None:
    """Show REQUEST with every default filled in, its sources and its published numbers.

    Instead of a request, the name of a model (`fabric list models`) shows its shape, as a file for `fabric train`, and
    that of a GPU (`fabric list accelerators`) or of software (`fabric list training-software`) what training takes of
    it.
    """
    from fabric.report.training_lists import find_facts, suggest_name
    from fabric.request.yaml_writer import yaml_text

    try:
        keys = find_facts(request) or dict(fabric.read(request).request)
    except MissingFile:
        if hint := suggest_name(request):
            raise MissingFile(f"{request}: no design, model, GPU or software, and no file of that name{hint}") from None
        raise
    if as_json:
        print_json(keys)
    else:
        text = yaml_text(keys)
        click.echo(text if can_encode(text) else yaml_text(keys, ascii_only=True), nl=False)
