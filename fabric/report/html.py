"""A summary as HTML for a notebook: text and tables without colours, so that they suit a light and a dark theme."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from fabric.report.table import Summary, Table

__all__ = ["html_of"]

ROWS = 40
"""The most rows of a table that are shown; the others are counted."""

LEFT, RIGHT = ' style="text-align: left"', ' style="text-align: right"'
"""How words and numbers stand."""


def html_of(summary: Summary) -> str:
    """Return a summary as HTML, all text escaped."""
    parts = [f"<p>{_lines(summary.text)}</p>"] if summary.text else []
    parts += [part for table in summary.tables for part in _table(table)]
    parts += [f"<p>{'<br>'.join(_lines(line) for line in summary.lines)}</p>"] if summary.lines else []
    return f"<div>{''.join(parts)}</div>"


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _table(table: Table) -> Iterator[str]:
    """Yield the title and the table; a column whose first cell begins with a letter is of words."""
    if table.title:
        yield f"<p><b>{escape(table.title)}</b></p>"
    shown = table.rows[:ROWS]
    firsts = [
        next((row[index] for row in shown if index < len(row) and row[index]), "") for index in range(len(table.heads))
    ]
    styles = [LEFT if first.strip(" *")[:1].isalpha() else RIGHT for first in firsts]
    heads = "".join(f"<th{style}>{_lines(head)}</th>" for head, style in zip(table.heads, styles, strict=True))
    rows = "".join(
        f"<tr>{''.join(f'<td{style}>{_lines(cell)}</td>' for cell, style in zip(row, styles, strict=False))}</tr>"
        for row in shown
    )
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    if len(table.rows) > ROWS:
        yield f"<p>and {len(table.rows) - ROWS:,} more rows</p>"
