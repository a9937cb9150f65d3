"""The long fuzz, `make fuzz`: cases and signals for some minutes, each failure with what draws it again.

python -m tests.fuzz.run --seed 1 --minutes 30 --cases 20000 --signals 300
python -m tests.fuzz.run --again 1:4711
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.fuzz.cases import Case, draw_case
from tests.fuzz.children import Run, call_apart, run_case, run_process, warm_up
from tests.fuzz.oracle import design_faults, find_differences, find_faults
from tests.fuzz.requests import draw_request
from tests.fuzz.signals import Signalled, signal_faults

__all__ = ["Tally", "fuzz", "minimise"]

DESIGNS = 10
"""Of as many cases one is a design whose invariants are checked."""

PROCESSES = 101
"""Of as many cases one runs as a process of its own too, and must show the same there."""

SLOW_S = 20.0
"""The processor time from which on a case is reported, though it is no fault."""


@dataclass
class Tally:
    """What the cases of a fuzz came to."""

    cases: int = 0
    """How many ran."""
    faults: list[str] = field(default_factory=list)
    """What was found, each with its case."""
    codes: Counter[str] = field(default_factory=Counter)
    """How many ended with each exit code."""
    slow: list[str] = field(default_factory=list)
    """The cases that took long, with their processor time."""

    def __str__(self) -> str:
        codes = ", ".join(f"{count:,} {code}" for code, count in sorted(self.codes.items()))
        return f"{self.cases:,} cases ({codes}): {len(self.faults)} faults, {len(self.slow)} over {SLOW_S:g} s"


def fuzz(seed: int | str, numbers: Iterable[int], seconds: float, report: Callable[[str], None]) -> Tally:
    """Run the cases of these numbers until the time is over, and return what they came to."""
    tally, end = Tally(), time.monotonic() + seconds
    for number in numbers:
        if time.monotonic() > end:
            break
        before = len(tally.faults), len(tally.slow)
        check(seed, number, tally)
        for each in (*tally.faults[before[0] :], *tally.slow[before[1] :]):
            report(each)
        if tally.cases % 1000 == 0:
            report(str(tally))
    return tally


def check(seed: int | str, number: int, tally: Tally) -> None:
    """Run one case and add its faults to the tally, each with its smallest case."""
    tally.cases += 1
    if number % DESIGNS == 0:
        request = draw_request(random.Random(f"{seed}:{number}"))
        found = call_apart(lambda: design_faults(request))
        tally.codes["designs counted anew"] += 1
        tally.faults += [f"seed {seed}:{number}: {fault}\n  request: {request}" for fault in found]
        return
    case = draw_case(seed, number)
    run, found = _run(case, as_process=number % PROCESSES == 0)
    tally.codes[f"with code {run.code}"] += 1
    tally.faults += [f"{fault}\n  {minimise(case, _kind(fault))}" for fault in found]
    if run.cpu_s > SLOW_S:
        tally.slow.append(f"{run.cpu_s:.0f} s: {case}")


def _run(case: Case, as_process: bool = False) -> tuple[Run, list[str]]:
    """Return how a case ends, and its faults."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as first, tempfile.TemporaryDirectory(prefix="fuzz-") as second:
        folder, other_folder = Path(first), Path(second)
        run = run_case(case, folder)
        faults = find_faults(case, run, folder)
        if as_process and not faults:
            other = run_process(case, other_folder)
            faults += find_differences(run, other, folder, other_folder)
    return run, faults


def _kind(fault: str) -> str:
    return fault.partition("\n")[0][:60]


def minimise(case: Case, kind: str, tries: int = 60) -> Case:
    """Return the case with fewer words and shorter files that still has a fault of a kind."""
    for position in reversed(range(1, len(case.words))):
        shorter = replace(case, words=case.words[:position] + case.words[position + 1 :])
        if (tries := tries - 1) > 0 and any(_kind(fault) == kind for fault in _run(shorter)[1]):
            case = shorter
    return case


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Fuzz as the options say; the exit code is 1 where anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--signals", type=int, default=300)
    parser.add_argument("--again", metavar="SEED:NUMBER", help="run one case again, and print how it ends")
    options = parser.parse_args()
    warm_up()
    if options.again:
        return run_again(*options.again.rpartition(":")[::2])
    start = time.monotonic()
    seconds = options.minutes * 60
    sent, faults = signal_faults(Signalled(str(options.seed)), options.signals, seconds / 2)
    say("\n".join([f"{sent} signals: {len(faults)} faults", *faults]))
    left = seconds - (time.monotonic() - start)
    tally = fuzz(options.seed, range(options.first, options.first + options.cases), left, say)
    say(f"seed {options.seed}, {time.monotonic() - start:,.0f} s: {tally}")
    return 1 if faults or tally.faults else 0


def run_again(seed: str, number: str) -> int:
    """Run one case again, print how it ends and what is wrong with it; the exit code is 1 for any fault."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        case = draw_case(seed, int(number))
        say(f"{case}\n{run_case(case, Path(folder))}")
    check(seed, int(number), tally := Tally())
    say("\n".join(tally.faults) or "no fault")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
