"""Run `fabric design` on the shipped giants, the whole command with its files; the bar for 100,000 GPUs is 10 s."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time


def main() -> None:
    """Time the whole command on each design."""
    for name in ("colossus-100k", "colossus-200k", "colossus-1m"):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "fabric", "design", name, "--out", folder], check=True, capture_output=True
            )
            print(f"fabric design {name} --out: {time.perf_counter() - start:.2f} s (bar for 100k: 10)")


if __name__ == "__main__":
    main()
