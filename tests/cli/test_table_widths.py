"""Tables are fitted to the terminal."""

from __future__ import annotations

import pytest

from fabric.cli.table_widths import fit_widths

HEADS = ("name", "bus bandwidth", "limited by")
ROWS = [("a", "1.0", "oversubscription"), ("longest", "10.0", "latency of the switches")]


@pytest.mark.parametrize(
    ("available", "widths"),
    [
        (100, [7, 13, 23]),
        (39, [7, 9, 23]),
        (38, [7, 9, 22]),
        (32, [7, 9, 16]),
        (20, [6, 7, 7]),
        (1, [1, 1, 1]),
    ],
)
def test_heads_wrap_before_cells_and_cells_before_words(available: int, widths: list[int]) -> None:
    """With room for all nothing is narrowed; else heads wrap, then the cells between words, and words break at last."""
    assert fit_widths(HEADS, ROWS, available) == widths


def test_lines_of_a_head_are_lines() -> None:
    """A head that is broken already needs no more than its longest line."""
    assert fit_widths(["superpod-\nh100"], [["1"]], 80) == [9]
    assert fit_widths(["name"], [], 80) == [4]


def test_a_number_keeps_its_unit() -> None:
    """Names break before a number is parted from its unit; a number before another word is a word of its own."""
    row = ["superpod", "4.25 s", "46.9 %", "12 switches"]
    assert fit_widths(["a", "b", "c", "d"], [row], 28) == [8, 6, 6, 8]
    assert fit_widths(["a"], [["312.8 GB/s"]], 10) == [10]


def test_an_indent_belongs_to_its_word() -> None:
    """A name below another is not broken for the spaces before it."""
    assert fit_widths(["name", "what it is"], [["measure", ""], ["  column", "one two three"]], 13) == [8, 5]
