"""The shipped designs: one request file each, found beside the package in a checkout and inside it once installed."""

from __future__ import annotations

from pathlib import Path

__all__ = ["topologies"]


def topologies() -> dict[str, Path]:
    """Return the files of the shipped designs by name, sorted; none when the package came without them.

    The folder inside the package is the installed one. A checkout has none there, but `topologies/` beside the package.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "topologies", package.parent / "topologies"):
        if files := sorted(folder.glob("*.yaml")):
            return {file.stem: file for file in files}
    return {}
