"""The labels of cables, one for each end: where that end goes, where the other one goes, the part and the length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fabric.draw import draw_label_sheets, save_pages
from fabric.errors import TooLarge
from fabric.export.cables import cable_batches
from fabric.layout.wiring import Wiring
from fabric.units import count

__all__ = ["MOST_LABELS", "list_labels", "write_cable_labels"]

MOST_LABELS = 20_000
"""The most labels of a file."""


def write_cable_labels(wiring: Wiring, file: Path, rows: npt.NDArray[np.integer] | None = None) -> None:
    """Write the labels of both ends of some cables, by default all, as pages of a PDF.

    Raises TooLarge for more than MOST_LABELS.
    """
    labels = 2 * (wiring.network.links if rows is None else len(rows))
    if labels > MOST_LABELS:
        raise TooLarge(
            f"{count(labels)} labels are more than the {count(MOST_LABELS)} of a file; "
            f"write those of a hall, a rack or a device: --of 'hall {wiring.layout.halls[0].name}'"
        )
    save_pages(draw_label_sheets(list_labels(wiring, rows)), file)


def list_labels(wiring: Wiring, rows: npt.NDArray[np.integer] | None = None) -> Iterator[tuple[str, ...]]:
    """Yield the lines of each label: of the lower end of a cable, then of its upper end."""
    for batch in cable_batches(wiring, rows):
        for row in batch.to_pylist():
            ends = [(f"{row[f'{end}_rack']}-U{row[f'{end}_unit']} {row[f'{end}_port']}", end) for end in "ab"]
            for (here, own), (there, other) in (ends, ends[::-1]):
                foot = f"cable {row['cable']} · {row['part'] or row['bundle']} · {row['length_m']:g} m"
                yield here, row[f"{own}_device"], f"to {there}", row[f"{other}_device"], foot
