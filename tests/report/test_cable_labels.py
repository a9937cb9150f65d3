"""Labels of cables: both ends, whole pages, and a limit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fabric
from fabric.draw.canvas import Label
from fabric.draw.label_sheets import EACH_PAGE, lay_out_label_sheet
from fabric.draw.plain_style import plain_style
from fabric.errors import TooLarge
from fabric.export.cables import cable_batches
from fabric.report.cable_labels import list_labels
from fabric.report.site_files import write_cables
from tests.draw.legibility import problems

NAME = "superpod-h100-1su"


def test_each_end_has_a_label_and_names_the_other() -> None:
    """Two labels a cable, each the other's mirror, with all that the row of the cable says; none is there twice."""
    wiring = fabric.design(NAME).wiring
    labels = list(list_labels(wiring))
    rows = [row for batch in cable_batches(wiring) for row in batch.to_pylist()]
    assert len(labels) == 2 * len(rows) == 2 * wiring.network.links
    assert len({label[0] for label in labels}) == len(labels)
    for row, lower, upper in zip(rows, labels[::2], labels[1::2], strict=True):
        assert f"{lower[0]} / {upper[0]}" == row["label"]
        assert (lower[2], upper[2]) == (f"to {upper[0]}", f"to {lower[0]}")
        assert (lower[1], lower[3]) == (row["a_device"], row["b_device"]) == (upper[3], upper[1])
        assert f"{row['length_m']:g} m" in lower[4] == upper[4]


def test_a_sheet_is_legible() -> None:
    """A full page: all first lines whole, no text over text, nothing beyond the page; so are long names."""
    wiring = fabric.design(NAME).wiring
    labels = list(list_labels(wiring, np.arange(EACH_PAGE // 2)))
    with plain_style():
        sheet = lay_out_label_sheet(labels)
        long = lay_out_label_sheet([["A1000-1000-U42 FourHundredGigE1/1/1/1 " * 2, *["long " * 40] * 4]] * EACH_PAGE)
    assert problems(sheet) == problems(long) == []
    texts = [mark.text for mark in sheet.marks if isinstance(mark, Label)]
    assert {label[0] for label in labels} <= set(texts)


def test_labels_are_written_or_refused(tmp_path: Path) -> None:
    """A page for every 42; too many are refused before any is drawn, with the remedy."""
    study = fabric.design(NAME)
    write_cables(study, tmp_path / "labels.pdf", np.arange(30))
    assert (tmp_path / "labels.pdf").read_bytes().count(b"/Type /Page ") == 2
    (tmp_path / "labels.pdf").unlink()
    with pytest.raises(TooLarge, match=r"20,002 labels are more than the 20,000 of a file; .*--of 'hall A'"):
        write_cables(study, tmp_path / "labels.pdf", np.zeros(10_001, np.int64))
    assert not list(tmp_path.iterdir())
