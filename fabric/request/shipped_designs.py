"""The shipped designs and published tables, one file each: in the package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

__all__ = ["tables", "topologies"]


def topologies() -> dict[str, Path]:
    """Return the files of the shipped designs by name, sorted; none where the package has none."""
    return _shipped("*.yaml")


def tables() -> dict[str, Path]:
    """Return the files of the shipped tables of published fabrics by name, sorted."""
    return _shipped("tables/*.yaml")


def _shipped(pattern: str) -> dict[str, Path]:
    """Return the files that match a pattern, by name.

    An installed package has them in a folder inside it, a checkout in `topologies/` beside it.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "topologies", package.parent / "topologies"):
        if files := sorted(folder.glob(pattern)):
            return {file.stem: file for file in files}
    return {}
