"""The breakouts of switch ports as requests write them: totals by rate, or parts of a port."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Breakouts", "split_ports"]

Breakouts = Mapping[str, int] | Sequence[int | str]
"""Total ports by rate; or a list, where 2 and `2x400G` split each port in two, and `128x400G` is the total."""

_BREAKOUT = re.compile(r"\s*([1-9][0-9]{0,5})\s*[xX×]\s*([1-9][0-9]{0,6})\s*G?\s*")
_MAX_SPLIT = 8
"""The most parts into which one port can be split; a larger number before the x is a total."""


def split_ports(ports: int, rate_gbps: int, breakouts: Breakouts) -> dict[int, int]:
    """Return the total ports at each slower rate, of a switch with `ports` ports of `rate_gbps`.

    Raises ValueError, with all mistakes in its text, when a breakout is invalid, too fast or a duplicate.
    """
    totals: dict[int, int] = {}
    mistakes = []
    for rate, total, text in _parse_breakouts(ports, rate_gbps, breakouts):
        if problem := _breakout_problem(ports, rate_gbps, rate, total):
            mistakes.append(f"{text}: {problem}")
        elif rate in totals:
            mistakes.append(f"{text}: duplicate rate {rate}G; keep one")
        totals[rate] = total
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return totals


def _parse_breakouts(ports: int, rate_gbps: int, breakouts: Breakouts) -> Iterator[tuple[int, int, str]]:
    """Yield rate, total ports and text of each breakout; a rate of 0 means that it is invalid."""
    if isinstance(breakouts, Mapping):
        yield from ((int(rate), total, rate) for rate, total in breakouts.items())
        return
    for item in breakouts:
        if isinstance(item, int):
            yield (0 if rate_gbps % item else rate_gbps // item), ports * item, str(item)
        elif match := _BREAKOUT.fullmatch(item):
            number, rate = int(match[1]), int(match[2])
            yield rate, number * ports if number <= _MAX_SPLIT else number, item
        else:
            yield 0, 0, f"{item!r:.60}"


def _breakout_problem(ports: int, rate_gbps: int, rate: int, total: int) -> str | None:
    if not rate:
        return f"not a breakout of {rate_gbps}G; write a number that divides it, such as 2, or text such as 2x400G"
    if rate >= rate_gbps:
        return f"a breakout must be slower than the port's {rate_gbps}G"
    if total * rate > ports * rate_gbps:
        return f"{total} ports exceed the bandwidth of {ports} x {rate_gbps}G; at most {ports * rate_gbps // rate}"
    return None
