"""Run `fabric design` on the largest shipped designs, the whole command with its files, against a limit for each."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

LIMITS_S = {"colossus-100k": 10, "colossus-200k": 15, "colossus-1m": 30}


def main() -> None:
    """Print each time as a share of its limit; exit with 1 when one is missed."""
    missed = []
    for name, limit in LIMITS_S.items():
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "fabric", "design", name, "--out", folder], check=True, capture_output=True
            )
            took = time.perf_counter() - start
        print(f"fabric design {name} --out: {took / limit:.0%} of {limit} s")
        missed += [name] if took > limit else []
    if missed:
        sys.exit(f"a limit is missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
