"""The terminal and the standard streams: their widths, what they can't take, and text laid out for them."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from functools import partial
from typing import Any, TextIO

__all__ = ["drop_output", "is_terminal", "mend_streams", "record", "wrapped"]

_fill = partial(textwrap.fill, break_long_words=False, break_on_hyphens=False)


def mend_streams() -> None:
    """Take a terminal's size that is no sensible number for unknown; write what a stream can't encode with escapes."""
    for name in ("COLUMNS", "LINES"):
        if not re.fullmatch("[1-9][0-9]{1,3}", os.environ.get(name, "80")):
            del os.environ[name]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Send what stdout still holds nowhere, so that Python does not fail over it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_terminal(stream: TextIO | None) -> bool:
    """Say whether the stream is a terminal; a stream that was closed before the start is None."""
    return stream is not None and stream.isatty()


def wrapped(text: str) -> str:
    """Wrap each line to the terminal, further lines indented; a file or pipe gets the lines whole."""
    if not is_terminal(sys.stderr):
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(_fill(line, width, subsequent_indent="    ") for line in text.splitlines())


def record(heads: Sequence[str], row: Sequence[Any]) -> str:
    """Lay out a row as its first value with the others below it, each after its head; no word is broken.

    The values of a list stand below their head, each on a line of its own.
    """
    width = shutil.get_terminal_size().columns
    fill = partial(_fill, width=width)
    lines = [str(row[0])]
    for head, value in zip(heads[1:], row[1:], strict=True):
        if isinstance(value, list):
            lines += [f"  {head}:", *(fill(item, initial_indent="    ", subsequent_indent="      ") for item in value)]
        else:
            lines.append(fill(f"{head}: {value}", initial_indent="  ", subsequent_indent="    "))
    return "\n".join(lines)
