"""A summary as HTML for a notebook: text and tables without colours, so that they suit a light and a dark theme."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from fabric.report.table import Summary, Table

__all__ = ["html_of"]

ROWS = 40
"""The most rows of a table that are shown; the others are counted."""

LEFT = ' style="text-align: left"'
"""How words stand; Jupyter sets numbers to the right."""


def html_of(summary: Summary) -> str:
    """Return a summary as HTML, all text escaped."""
    parts = [f"<p>{_lines(summary.text)}</p>"] if summary.text else []
    parts += [part for table in summary.tables for part in _table(table)]
    parts += [f"<p>{'<br>'.join(_lines(line) for line in summary.lines)}</p>"] if summary.lines else []
    return f"<div>{''.join(parts)}</div>"


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _table(table: Table) -> Iterator[str]:
    """Yield the title and the table; what is not a number stands at the left."""
    if table.title:
        yield f"<p><b>{escape(table.title)}</b></p>"
    shown = table.rows[:ROWS]
    styles = [
        LEFT if any(row[index][:1].isalpha() for row in shown if index < len(row)) else ""
        for index in range(len(table.heads))
    ]
    heads = "".join(f"<th{style}>{_lines(head)}</th>" for head, style in zip(table.heads, styles, strict=True))
    rows = "".join(
        f"<tr>{''.join(f'<td{style}>{_lines(cell)}</td>' for cell, style in zip(row, styles, strict=False))}</tr>"
        for row in shown
    )
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    if len(table.rows) > ROWS:
        yield f"<p>and {len(table.rows) - ROWS:,} more rows</p>"
