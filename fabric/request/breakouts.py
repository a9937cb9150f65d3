"""Breakouts as people write them, to the ports that a switch offers in all at each slower rate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Breakouts", "split_ports"]

Breakouts = Mapping[str, int] | Sequence[int | str]
"""Rate to ports in all; or a list: 2 splits each port in two, as `2x400G` does, and `128x400G` is in all."""

_WRITTEN = re.compile(r"\s*([1-9][0-9]{0,5})\s*[xX×]\s*([1-9][0-9]{0,6})\s*G?\s*")
_MOST_WAYS = 8


def split_ports(ports: int, rate_gbps: int, breakouts: Breakouts) -> dict[int, int]:
    """Return the ports in all at each slower rate, of a switch with so many ports of `rate_gbps`.

    Raises ValueError, which says all that is wrong, when one is no breakout, is faster than the switch or stands twice.
    """
    offered: dict[int, int] = {}
    wrong = []
    for rate, total, written in _read(ports, rate_gbps, breakouts):
        if problem := _problem(ports, rate_gbps, rate, total):
            wrong.append(f"{written}: {problem}")
        elif rate in offered:
            wrong.append(f"{written}: {rate}G stands twice; keep one")
        offered[rate] = total
    if wrong:
        raise ValueError("; ".join(wrong))
    return offered


def _read(ports: int, rate_gbps: int, breakouts: Breakouts) -> Iterator[tuple[int, int, str]]:
    """Yield rate, ports in all and the text of each; a rate of 0 means that it can't be read."""
    if isinstance(breakouts, Mapping):
        yield from ((int(rate), total, rate) for rate, total in breakouts.items())
        return
    for item in breakouts:
        if isinstance(item, int):
            yield (0 if rate_gbps % item else rate_gbps // item), ports * item, str(item)
        elif match := _WRITTEN.fullmatch(item):
            number, rate = int(match[1]), int(match[2])
            yield rate, number * ports if number <= _MOST_WAYS else number, item
        else:
            yield 0, 0, f"{item!r:.60}"


def _problem(ports: int, rate_gbps: int, rate: int, total: int) -> str | None:
    if not rate:
        return f"no breakout of {rate_gbps}G; write ways that divide it, such as 2, or text such as 2x400G or 128x400G"
    if rate >= rate_gbps:
        return f"a breakout is slower than the port's {rate_gbps}G"
    if total * rate > ports * rate_gbps:
        return f"{total} ports are more than {ports} x {rate_gbps}G make; at most {ports * rate_gbps // rate}"
    return None
