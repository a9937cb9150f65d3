"""Draw a million GPUs in every kind, and write the page of 100,000, each as a command of its own.

Bars: 5 seconds for a diagram of a million GPUs by tiers, 15 for a report of 100,000. Beside each stands what Python
takes to import matplotlib alone, in the same run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

KINDS = {"tiers": 5.0, "adjacency": None, "racks": None, "load": None}


def seconds(*words: str) -> float:
    """Return what a process of Python takes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Print each time, its bar and its ratio to the import of matplotlib."""
    bare = seconds("-c", "import matplotlib.pyplot")
    print(f"import of matplotlib: {bare:.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        svg, html = str(Path(folder) / "it.svg"), str(Path(folder) / "it.html")
        runs = {f"diagram of 1M, {kind}": (["diagram", "colossus-1m", "--kind", kind, "-q", "-o", svg], bar)
                for kind, bar in KINDS.items()}  # fmt: skip
        runs["report of 100k"] = (["report", "colossus-100k", "-q", "-o", html], 15.0)
        for name, (words, bar) in runs.items():
            took = seconds("-m", "fabric", *words)
            said = f", bar {bar:g} s: {'met' if took <= bar else 'MISSED'}" if bar else ""
            print(f"{name}: {took:.2f} s, {took / bare:.1f} imports{said}")


if __name__ == "__main__":
    main()
