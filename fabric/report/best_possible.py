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
    speed, most = _write_speed(best.busbw_GBps), best.in_network_GBps
    gains = most is not None and most > best.busbw_GBps * (1 + 1e-9)
    reduced = f", or {_write_speed(most)} where switches reduce (SHARP)" if most and gains else ""
    library = join_words([f"{_write_speed(each)} with {routing} routing" for routing, each in got])
    return (
        f"Best possible here{where}: {speed} GB/s of bus bandwidth (the cut around a {best.cut} limits)"
        f"{reduced}; at {units.size(size_bytes)} the library gets {library}."
    )


def _write_speed(speed: float) -> str:
    return f"{speed:,.0f}" if speed >= 10 else f"{speed:.2g}"
