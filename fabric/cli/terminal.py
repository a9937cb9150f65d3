"""Tables, summaries and progress on the terminal, by rich."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from fabric import units
from fabric.cli.streams import can_encode
from fabric.cli.table_widths import fit_widths

if TYPE_CHECKING:
    from fabric.report.table import Summary

__all__ = ["print_json", "print_summary", "print_table", "show_lines", "show_progress", "write_cell"]


def print_summary(summary: Summary) -> None:
    """Print a paragraph, tables and closing lines."""
    from rich.console import Console

    console = Console(highlight=False)
    if summary.text:
        console.print(summary.text, markup=False)
    for table in summary.tables:
        print_table(*table)
    console.print()
    for line in summary.lines:
        console.print(line, markup=False)


def print_json(value: Any) -> None:
    """Print a plain value as JSON, two spaces per level, with what stdout can't encode escaped as JSON has it."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    click.echo(text if can_encode(text) else json.dumps(value, indent=2, allow_nan=False))


def print_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table with columns of numbers aligned to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, table = Console(highlight=False), Table(box=box.SIMPLE_HEAD, pad_edge=False)
    if title:
        console.print(Text(title, style="bold"))
    cells = [[str(cell) for cell in row] for row in rows]
    widths = fit_widths(heads, cells, console.width - EDGES - GAP * (len(heads) - 1))
    for index, (head, width) in enumerate(zip(heads, widths, strict=True)):
        numbers = all(_is_number(row[index]) for row in cells)
        table.add_column(Text(head), justify="right" if numbers else "left", overflow="fold", width=width)
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(table)


GAP = 3
"""The characters between two columns."""

EDGES = 2
"""The characters beside the first and the last column."""


def _is_number(text: str) -> bool:
    return text in ("-", "", "unknown") or re.fullmatch(r"([$]|[A-Z]{3} )?[0-9,.]*[0-9]", text) is not None


def write_cell(value: Any) -> str:
    """Write a value for a cell; None is a dash."""
    if value is None:
        return "-"
    return units.number(value) if isinstance(value, int | float) else str(value)


@contextmanager
def show_progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show what is being worked on, on stderr, unless `quiet`."""
    with show_lines(quiet) as (say, _):
        yield say


@contextmanager
def show_lines(quiet: bool) -> Iterator[tuple[Callable[[str], None], Callable[[str], None]]]:
    """Show what is being worked on, and yield what says it with what prints a line of the result at once."""
    if quiet:
        yield lambda text: None, click.echo
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("starting") as status:
        console.show_cursor()  # a run that a signal ends couldn't bring it back

        def print_line(text: str) -> None:
            status.stop()  # which would write into the line
            click.echo(text)
            status.start()
            console.show_cursor()

        yield status.update, print_line
