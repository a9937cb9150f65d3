"""Start the command, against importing click alone: `fabric --help` must stay within twice that time."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 15


def seconds(*arguments: str) -> float:
    """Return the wall time of one Python process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Time both in turn and print the median of the ratios."""
    ratios = [seconds("-m", "fabric", "--help") / seconds("-c", "import click") for _ in range(ROUNDS)]
    print(f"fabric --help takes {statistics.median(ratios):.2f} times `import click` (bar: 2)")
    if statistics.median(ratios) > 2:
        sys.exit("the bar is missed")


if __name__ == "__main__":
    main()
