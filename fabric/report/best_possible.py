"""The bound of a collective in words, beside what the library gets."""

from __future__ import annotations

from collections.abc import Sequence

from fabric import units
from fabric.flow import CollectiveBound
from fabric.report.text import join_words

__all__ = ["describe_best"]


def describe_best(best: CollectiveBound, size_bytes: int, got: Sequence[tuple[str, float]], where: str = "") -> str:
    """Return the best possible bus bandwidth, and what the library gets of it at a size.

    `got` are the routings with their GB/s; `where` says on what the bound is, if not on the fabric as it is.
    """
    most = best.in_network_GBps
    reduced = f", or {most:.0f} where switches reduce (SHARP)" if most and most > best.busbw_GBps * 1.001 else ""
    library = join_words([f"{speed:.0f} with {routing} routing" for routing, speed in got])
    return (
        f"Best possible here{where}: {best.busbw_GBps:.0f} GB/s of bus bandwidth (the cut around a {best.cut} limits)"
        f"{reduced}; at {units.size(size_bytes)} the library gets {library}."
    )
