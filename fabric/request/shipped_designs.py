"""The shipped designs and published tables, one file each: beside the package in a checkout, inside it if installed."""

from __future__ import annotations

from pathlib import Path

__all__ = ["tables", "topologies"]


def topologies() -> dict[str, Path]:
    """Return the files of the shipped designs by name, sorted; none when the package came without them."""
    return _shipped("*.yaml")


def tables() -> dict[str, Path]:
    """Return the files of the shipped tables of published fabrics by name, as `topologies` does those of designs."""
    return _shipped("tables/*.yaml")


def _shipped(pattern: str) -> dict[str, Path]:
    """Return the files of a pattern by name.

    The folder inside the package is the installed one. A checkout has none there, but `topologies/` beside the package.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "topologies", package.parent / "topologies"):
        if files := sorted(folder.glob(pattern)):
            return {file.stem: file for file in files}
    return {}
