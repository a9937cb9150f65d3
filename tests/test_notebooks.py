"""The notebooks of the examples run, and print what is kept in them.

`python -m tests.test_notebooks` runs them all and keeps what they print (`make notebooks`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "examples" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_BYTES = 600_000
"""The size of a notebook with its pictures."""


def execute(notebook: Path) -> Any:
    """Return a notebook with the outputs of a run of its own; raises where a cell fails."""
    found = nbformat.read(notebook, as_version=4)
    where = {"metadata": {"path": str(FOLDER)}}
    NotebookClient(found, timeout=300, record_timing=False, coalesce_streams=True, resources=where).execute()
    found.metadata = {key: found.metadata[key] for key in ("kernelspec", "language_info")}
    found.metadata.language_info = {"name": "python"}
    return found


def read_outputs(cell: Any) -> list[Any]:
    """Return what a cell prints and shows: text as it is, and whether it has a picture."""
    shown: list[Any] = []
    for output in cell.outputs:
        if output.output_type == "stream":
            shown.append((output.name, output.text))
        else:
            data = output.data
            texts = {kind: _visible(kind, text) for kind, text in data.items() if kind.startswith("text/")}
            shown.append((sorted(data), texts))
    return shown


def _visible(kind: str, text: str) -> str:
    """Return the words of a text, without the tags of HTML and addresses in memory."""
    words = re.sub(r"<style.*?</style>|<[^<>]*>", " ", text, flags=re.DOTALL) if kind == "text/html" else text
    words = re.sub(r"size [0-9.]+x[0-9.]+", "size", words)  # of a figure, which text of other widths moves
    return re.sub(r"0x[0-9a-f]+", "0x", words)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_prints_what_is_kept_in_it(notebook: Path) -> None:
    """Every cell runs, and shows the text, the tables and as many pictures as the notebook has."""
    kept, found = nbformat.read(notebook, as_version=4), execute(notebook)
    for number, (old, new) in enumerate(zip(kept.cells, found.cells, strict=True)):
        if old.cell_type == "code":
            assert old.execution_count == new.execution_count, f"cell {number} was kept out of order"
            assert read_outputs(new) == read_outputs(old), f"cell {number} of {notebook.name}: run `make notebooks`"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_small_and_its_results_are_shown(notebook: Path) -> None:
    """It has a title, tables and pictures, no error, and no paths or times of the machine that ran it."""
    text, found = notebook.read_text(encoding="utf-8"), nbformat.read(notebook, as_version=4)
    assert len(text) < MOST_BYTES
    assert found.cells[0].source.startswith("# ")
    outputs = [output for cell in found.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert [output for output in outputs if "text/html" in output.get("data", {})]
    assert not re.search(r"/(tmp|work|home|root)/", text)
    assert not [output for output in outputs if output.output_type == "stream" and output.name == "stderr"]


def test_there_are_notebooks() -> None:
    """Design, comparison, failures, data and flows have one each."""
    assert len(NOTEBOOKS) == 5


if __name__ == "__main__":
    for file in NOTEBOOKS:
        nbformat.write(execute(file), file)
