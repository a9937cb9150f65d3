"""Draw a million GPUs in every kind and family, and write the page of 100,000, each as a command of its own.

Each is given as a ratio to what Python takes to import matplotlib alone, in the same run, and to its limit: 5 seconds
for a diagram of a million GPUs by tiers, 10 for one of a direct family, which is sized first, and 15 for a report of
100,000.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from fabric.draw import KINDS

LIMITS = {"tiers": 5.0}
"""The limits of kinds of diagram in seconds."""
FAMILIES = ("dragonfly", "slim-fly", "jellyfish")
REQUEST = "name: million\ngpus: 1000000\nserver: hgx-h100\nswitches: sn5600\nplanes: any\n"


def seconds(*words: str) -> float:
    """Return the wall time of one Python process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - start


def runs(folder: Path) -> Iterator[tuple[str, float | None, list[str]]]:
    """Yield the name of each run, its limit in seconds if it has one, and the words of its command."""
    request, svg, html = (folder / name for name in ("million.yaml", "it.svg", "it.html"))
    request.write_text(REQUEST)
    for kind in KINDS:
        yield (
            f"diagram of 1M, {kind}",
            LIMITS.get(kind),
            ["diagram", "colossus-1m", "--kind", kind, "-q", "-o", str(svg)],
        )
    for family in FAMILIES:
        words = ["diagram", str(request), "--family", family, "-q", "-o", str(svg)]
        yield f"diagram of 1M, {family}", 10.0, words
    yield "report of 100k", 15.0, ["report", "colossus-100k", "-q", "-o", str(html)]


def main() -> None:
    """Print each ratio; exit with 1 when a limit is missed."""
    bare, missed = seconds("-c", "import matplotlib.pyplot"), []
    with tempfile.TemporaryDirectory() as folder:
        for name, limit, words in runs(Path(folder)):
            took = seconds("-m", "fabric", *words)
            share = f", {took / limit:.0%} of {limit:g} s" if limit else ""
            print(f"{name}: {took / bare:.1f} imports of matplotlib{share}")
            missed += [name] if limit and took > limit else []
    if missed:
        sys.exit(f"a limit is missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
