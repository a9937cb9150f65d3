"""Size clusters to their proven optimum, compared with trying every fabric of the same space, and against time limits.

The space: fat-tree and rail-optimized fabrics of one to three tiers, non-blocking, of one switch model, with at most 16
parallel links. (Rail-only provides less and is cheaper than both, so that it would hide their optima.) The
enumerator shares no code with the optimizer. It visits feasible fabrics only, whole arrays of them at a time; both must
find the same least cost. A case that takes it more than CAP_S is given up, and that one and the larger ones are
extrapolated with the exponent fitted to those before them, and marked with ~.

Two tables, because enumeration grows with the ports of a switch and hardly with the GPUs: they only decide how soon
the ports bind. Limits: with family, planes, tiers and switches all open, 100,000 and 1,048,576 GPUs within 2 s each.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

import fabric

GPUS = (1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576)
PORTS = (32, 64, 128, 256, 512)
BARS = {100_000: 2.0, 1_048_576: 2.0}
FRONT_BAR = 90.0
CAP_S = 30.0
ROUNDS = 3
NICS, PARALLEL = 8, 16
SWITCH_USD, LINK_USD = 90_000, 1_240


@dataclass
class Tally:
    """What enumeration has found: the least cost in dollars and the number of fabrics; it is given up after CAP_S."""

    least: float = math.inf
    fabrics: int = 0
    start: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.start

    def add(self, costs: np.ndarray) -> None:
        """Count some more fabrics by their costs."""
        if costs.size:
            self.least = min(self.least, int(costs.min()))
            self.fabrics += costs.size


@dataclass(frozen=True)
class Case:
    """A cluster to be sized with switches of a number of ports."""

    gpus: int
    ports: int

    @property
    def servers(self) -> int:
        return self.gpus // NICS

    @property
    def request(self) -> dict[str, Any]:
        """The request."""
        box = {"name": "box", "ports": self.ports, "rate_gbps": 400, "price_usd": SWITCH_USD}
        words = {"gpus": self.gpus, "server": "hgx-h100", "switches": box, "link_price_usd": LINK_USD}
        return {**words, "family": ["fat-tree", "rail-optimized"], "tiers": [1, 2, 3]}


@dataclass(frozen=True)
class Run:
    """A case with the seconds of the optimizer, and those of enumeration with its fabrics if it finished in time."""

    case: Case
    ours_s: float
    theirs_s: float | None = None
    fabrics: int = 0


def enumerate_all(case: Case) -> Tally | None:
    """Try every fabric for a case, or return None when that takes more than CAP_S."""
    tally = Tally()
    if case.gpus <= case.ports:
        tally.add(np.array([SWITCH_USD + case.gpus * LINK_USD]))
    for unit in units(case):
        two_tiers(tally, case, unit)
        for pod in pods_of(case, unit):
            three_tiers(tally, case, unit, pod)
            if tally.seconds > CAP_S:
                return None
    return tally


def units(case: Case) -> Iterator[tuple[int, int]]:
    """Yield a unit's leaves (one in a fat tree, else one for each rail) and servers, which leave half the ports."""
    for rails in (1, NICS):
        for slot in range(1, min(case.servers, case.ports // 2 * rails // NICS) + 1):
            yield rails, slot


def pods_of(case: Case, unit: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
    """Yield over how many sets of spines a pod's rails are spread, its units, and the links from a leaf to a spine."""
    rails, slot = unit
    for apart in sorted({1, rails}):
        most = min(math.ceil(case.servers / slot), case.ports // 2 * apart // rails)
        for block in range(1, most + 1):
            for parallel in range(1, min(PARALLEL, case.ports // 2 * apart // (block * rails)) + 1):
                yield apart, block, parallel


def spine_counts(case: Case, unit: tuple[int, int], parallel: int) -> np.ndarray:
    """Return the numbers of spines above a leaf that keep it non-blocking and that it has ports for."""
    down = unit[1] * NICS // unit[0]
    return np.arange(math.ceil(down / parallel), (case.ports - down) // parallel + 1)


@cache
def divisors(most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each whole number up to `most` as often as it has divisors, and these."""
    pairs = [(whole, part) for whole in range(1, most + 1) for part in range(1, whole + 1) if whole % part == 0]
    wholes, parts = np.array(pairs).T
    return wholes, parts


def two_tiers(tally: Tally, case: Case, unit: tuple[int, int]) -> None:
    """Count all fabrics of two tiers with these units."""
    leaves = math.ceil(case.servers / unit[1]) * unit[0]
    for parallel in range(1, min(PARALLEL, case.ports // leaves) + 1):
        spines = spine_counts(case, unit, parallel)
        links = case.gpus + leaves * parallel * spines
        tally.add((leaves + spines) * SWITCH_USD + links * LINK_USD)


def three_tiers(tally: Tally, case: Case, unit: tuple[int, int], pod: tuple[int, int, int]) -> None:
    """Count all fabrics of three tiers with these units and pods: an array for each number of links to a core.

    `together` are the spines of a pod and rail that reach the same cores, which divide the spines.
    """
    (rails, slot), (apart, block, copies) = unit, pod
    blocks, down = math.ceil(case.servers / slot), block * rails // apart * copies
    leaves, sets = blocks * rails, math.ceil(blocks / block) * apart
    counts = spine_counts(case, unit, copies)
    wholes, parts = divisors(case.ports)
    span = slice(*np.searchsorted(wholes, (counts[0], counts[-1] + 1))) if counts.size else slice(0)
    spines, together = wholes[span], parts[span]
    below = (leaves + sets * spines) * SWITCH_USD + (case.gpus + leaves * copies * spines) * LINK_USD
    for parallel in range(1, min(PARALLEL, case.ports // sets) + 1):
        fits = sets * together * parallel <= case.ports
        cores = np.arange(math.ceil(down / parallel), (case.ports - down) // parallel + 1)
        each = sets * parallel * spines[fits] * LINK_USD + spines[fits] // together[fits] * SWITCH_USD
        tally.add(below[fits, None] + np.outer(each, cores))


def optimized(request: dict[str, Any], rounds: int = 1) -> tuple[float, float]:
    """Return the median seconds of sizing to a proven optimum, and its cost."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        study = fabric.optimize(request)
        times.append(time.perf_counter() - start)
    if study.proof.status != "OPTIMAL":
        sys.exit(f"{request['gpus']:,} GPUs: not proven")
    return statistics.median(times), study.proof.objective


def race(cases: Iterable[Case]) -> list[Run]:
    """Run both on each case and compare their costs; enumeration stops at the first case that it does not finish."""
    runs: list[Run] = []
    for case in cases:
        ours_s, cost = optimized(case.request, ROUNDS)
        late = bool(runs) and runs[-1].theirs_s is None
        tally = None if late else enumerate_all(case)
        if tally and tally.least != cost:
            sys.exit(f"{case}: the optimizer says {cost:,.0f} USD, enumeration {tally.least:,.0f}")
        runs.append(Run(case, ours_s, tally.seconds, tally.fabrics) if tally else Run(case, ours_s))
    return runs


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the power of the size with which the seconds grow, fitted to their logarithms; nan for a single one."""
    if len(sizes) < 2:
        return math.nan
    return statistics.linear_regression([math.log(size) for size in sizes], [math.log(s) for s in seconds]).slope


def show(word: str, runs: Sequence[Run]) -> None:
    """Print the table of a race whose cases grow in `word`, and the fitted exponents."""
    sizes = [getattr(run.case, word) for run in runs]
    done = [(size, run.theirs_s) for size, run in zip(sizes, runs, strict=True) if run.theirs_s]
    power = exponent([size for size, _ in done], [seconds for _, seconds in done])
    print(f"{word:>9}  optimizer  enumeration       ratio        fabrics")
    for size, run in zip(sizes, runs, strict=True):
        theirs = run.theirs_s or done[-1][1] * (size / done[-1][0]) ** power
        fabrics = f"{run.fabrics:,}" if run.theirs_s else "extrapolated"
        mark = " " if run.theirs_s else "~"
        print(f"{size:>9,}  {run.ours_s:7.3f} s {mark}{theirs:9.2f} s {theirs / run.ours_s:11,.0f}  {fabrics:>13}")
    ours = exponent(sizes, [run.ours_s for run in runs])
    print(f"fitted: the optimizer grows with the power {ours:.2f} of {word}, enumeration with {power:.2f}\n")


def front_in_time() -> bool:
    """Time the front of three objectives at 100,000 GPUs, all else open, and say whether its bar is met."""
    start = time.perf_counter()
    words = dict.fromkeys(("family", "planes", "tiers", "switches"), "any")
    front = fabric.pareto({"gpus": 100_000, "server": "hgx-h100", **words}, "cost,hops,allreduce")
    seconds = time.perf_counter() - start
    if front.status != "OPTIMAL":
        sys.exit("the front is not proven")
    print(f"100,000 GPUs, all else open, cost,hops,allreduce: {seconds / FRONT_BAR:.0%} of {FRONT_BAR:.0f} s,", end=" ")
    print(f"{len(front.studies)} points, proven")
    return seconds <= FRONT_BAR


def main() -> None:
    """Race both in GPUs and in ports, then time the requests with everything open."""
    print("fat-tree and rail-optimized, 1 to 3 tiers, 256 ports per switch, in GPUs:")
    show("gpus", race(Case(gpus, 256) for gpus in GPUS))
    print("the same with 4,096 GPUs, in ports per switch:")
    show("ports", race(Case(4_096, ports) for ports in PORTS))
    missed = False
    for gpus, bar in BARS.items():
        words = dict.fromkeys(("family", "planes", "tiers", "switches"), "any")
        seconds, cost = optimized({"gpus": gpus, "server": "hgx-h100", **words})
        print(f"{gpus:,} GPUs, all else open: {seconds / bar:.0%} of {bar:.0f} s, {cost:,.0f} USD, proven")
        missed |= seconds > bar
    missed |= not front_in_time()
    if missed:
        sys.exit("a bar is missed")


if __name__ == "__main__":
    main()
