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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.fuzz.cases import Case, draw_case, draw_request
from tests.fuzz.oracle import design_faults, find_faults, run_case
from tests.fuzz.signals import Signalled, signal_faults

__all__ = ["fuzz", "minimise"]

EVERY = 10
"""Of as many cases one is a design whose invariants are checked."""


def fuzz(seed: int | str, cases: int, seconds: float, report: Callable[[str], None]) -> tuple[int, list[str]]:
    """Run cases until either bound, and return how many ran and their faults."""
    faults, end, number = [], time.monotonic() + seconds, 0
    while number < cases and time.monotonic() < end:
        found = check(seed, number)
        faults += found
        for each in found:
            report(each)
        number += 1
    return number, faults


def check(seed: int | str, number: int) -> list[str]:
    """Run one case and return its faults, each with its smallest case."""
    if number % EVERY == 0:
        request = draw_request(random.Random(f"{seed}:{number}"))
        return [f"seed {seed}:{number}: {fault}\n  request: {request}" for fault in design_faults(request)]
    case = draw_case(seed, number)
    found = _faults(case)
    return [f"{fault}\n  {minimise(case, _kind(fault))}" for fault in found]


def _faults(case: Case) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        return find_faults(case, run_case(case, Path(folder)), Path(folder))


def _kind(fault: str) -> str:
    return fault.partition("\n")[0][:60]


def minimise(case: Case, kind: str, tries: int = 60) -> Case:
    """Return the case with fewer words and shorter files that still has a fault of a kind."""
    for position in reversed(range(1, len(case.words))):
        shorter = replace(case, words=case.words[:position] + case.words[position + 1 :])
        if (tries := tries - 1) > 0 and any(_kind(fault) == kind for fault in _faults(shorter)):
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
    parser.add_argument("--signals", type=int, default=300)
    parser.add_argument("--again", metavar="SEED:NUMBER", help="run one case again, and print how it ends")
    options = parser.parse_args()
    if options.again:
        seed, _, number = options.again.rpartition(":")
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            case = draw_case(seed, int(number))
            say(f"{case}\n{run_case(case, Path(folder))}")
        say("\n".join(check(seed, int(number))) or "no fault")
        return 0
    start = time.monotonic()
    seconds = options.minutes * 60
    sent, faults = signal_faults(Signalled(str(options.seed)), options.signals, seconds / 2)
    say("\n".join([f"{sent} signals: {len(faults)} faults", *faults]))
    left = seconds - (time.monotonic() - start)
    ran, found = fuzz(options.seed, options.cases, left, say)
    say(f"{ran:,} cases of seed {options.seed} in {time.monotonic() - start:,.0f} s: {len(found)} faults")
    return 1 if faults or found else 0


if __name__ == "__main__":
    sys.exit(main())
