"""Run whole commands on requests that leave everything open, against a limit for each on two cores.

A free choice of family, planes, tiers and switches; the Pareto front of three objectives at up to 2:1, to be proven;
and all families compared, with the seconds to the line of the first.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OPEN: dict[str, Any] = {"server": "hgx-h100", **dict.fromkeys(("family", "planes", "tiers", "switches"), "any")}
CHOICE_S = {100_000: 2, 1_048_576: 2}
FRONT_S = {100_000: 15, 1_048_576: 60}
FAMILIES_S = {1_048_576: 60}


def time_command(words: Sequence[str], request: dict[str, Any]) -> tuple[float, float, str]:
    """Return the seconds of a command on a request, those to its second line, and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "request.json"
        file.write_text(json.dumps(request))
        start = time.perf_counter()
        command = [sys.executable, "-m", "fabric", words[0], str(file), *words[1:]]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            lines = [process.stdout.readline(), process.stdout.readline()]
            second = time.perf_counter() - start
            text = "".join([*lines, process.stdout.read()])
        took = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"{' '.join(words)}: exit code {process.returncode}")
    return took, second, text


def measure(gpus: int, limit_s: float, words: Sequence[str], request: dict[str, Any]) -> bool:
    """Print how a command keeps to its limit, and say whether it does."""
    took, second, text = time_command(words, {**request, "gpus": gpus})
    status = json.loads(text) if "--json" in words else {}
    proof = status.get("status") or status.get("optimizer", {}).get("status") or f"first line after {second:.1f} s"
    print(f"{gpus:9,} GPUs, fabric {' '.join(words)}: {took / limit_s:4.0%} of {limit_s} s, {proof}", flush=True)
    return took <= limit_s and proof != "FEASIBLE"


def main() -> None:
    """Run all commands and exit with 1 where a limit is missed."""
    front = ("optimize", "--pareto", "cost,power,hops", "--json")
    named = {key: OPEN[key] for key in ("server", "switches")}
    kept = [measure(gpus, limit, ("design", "--json"), OPEN) for gpus, limit in CHOICE_S.items()]
    kept += [measure(gpus, limit, front, {**OPEN, "oversubscription": 2}) for gpus, limit in FRONT_S.items()]
    kept += [measure(gpus, limit, ("compare", "--families", "all"), named) for gpus, limit in FAMILIES_S.items()]
    if not all(kept):
        sys.exit("a limit is missed")


if __name__ == "__main__":
    main()
