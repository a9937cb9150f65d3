"""Workbooks of cables where the system refuses to write."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openpyxl
import pytest

import fabric
from fabric.errors import FabricError
from fabric.report.site_files import write_cables


@contextmanager
def limit_files(size: int) -> Iterator[None]:
    """Let the system refuse files of more than `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # xlsxwriter leaves a file open
@pytest.mark.parametrize("size", [0, 10_000])
def test_a_refused_workbook_is_one_error_and_leaves_nothing(tmp_path: Path, size: int) -> None:
    """The temporary files of sheets, and the workbook, may both be refused."""
    study = fabric.design("superpod-h100-1su")
    with limit_files(size), pytest.raises(FabricError, match="can't write there"):
        write_cables(study, tmp_path / "cables.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_columns_show_their_words(tmp_path: Path) -> None:
    """A column is as wide as its head with the arrow of the filter, and as the label of the first cable."""
    study = fabric.design("superpod-h100-1su")
    write_cables(study, tmp_path / "cables.xlsx")
    for sheet in openpyxl.load_workbook(tmp_path / "cables.xlsx"):
        for column in range(1, sheet.max_column + 1):
            head, value = sheet.cell(1, column).value, sheet.cell(2, column).value
            letters = max(len(str(head)) + 2, 0 if isinstance(value, float) else len(str(value)))
            group = next(each for each in sheet.column_dimensions.values() if each.min <= column <= each.max)
            assert group.width > min(letters, 48)
