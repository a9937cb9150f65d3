"""OpenSM on a simulated fabric: ibsim loads a file of ibnetdiscover's text, and the subnet manager routes it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

LIBRARY = "/usr/lib/x86_64-linux-gnu/umad2sim/libumad2sim.so"
WAIT_S = 120
BAD = re.compile(r"ERR [0-9A-F]{4}|falling back|minhop tables configured")
"""What the log says where a routing engine refuses a fabric; the exit code is 0 all the same."""

needs_opensm = pytest.mark.skipif(
    not (shutil.which("ibsim") and shutil.which("opensm") and Path(LIBRARY).exists()),
    reason="ibsim or OpenSM is not installed (Debian: opensm, ibsim-utils)",
)


@dataclass(frozen=True)
class Routed:
    """What OpenSM made of a fabric."""

    log: str
    """Its log."""
    folder: Path
    """The folder of the tables that it wrote."""

    def bad_lines(self) -> list[str]:
        """Return the lines of errors, and those that say that the engine gave up."""
        return [line for line in self.log.splitlines() if BAD.search(line)]

    def reach_all(self, nics: int) -> bool:
        """Return whether every switch has a way to every NIC: updn leaves out what it can't reach, without a word."""
        tables = (self.folder / "opensm-lfts.dump").read_text().split("Unicast lids ")[1:]
        return all(table.count("# Channel Adapter portguid") == nics for table in tables)

    def find(self, pattern: str) -> tuple[int, ...]:
        """Return the numbers of the last line that has a pattern, which the log must have."""
        found = re.findall(pattern, self.log)
        assert found, f"{pattern}: {self.log[-2000:]}"
        return tuple(map(int, found[-1] if isinstance(found[-1], tuple) else (found[-1],)))


@contextmanager
def simulate(file: Path, folder: Path) -> Iterator[dict[str, str]]:
    """Run ibsim on a file and yield the environment in which programs see its fabric."""
    name = f"fabric-{os.getpid()}-{time.monotonic_ns()}"
    environment = {**os.environ, "IBSIM_SOCKNAME": name, "LD_PRELOAD": ""}
    limits = ("-N", "65536", "-S", "8192", "-P", "400000", "-L", "49152")
    log = folder / "ibsim.log"
    with log.open("w") as out:
        command = ["ibsim", "-s", "-n", *limits, str(file)]
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            _await(process, log)
            yield environment | {"LD_PRELOAD": LIBRARY}
        finally:
            process.terminate()
            process.wait(WAIT_S)


def _await(process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + WAIT_S
    while "Network simulator ready" not in log.read_text(errors="replace"):
        assert process.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < end, log.read_text(errors="replace")
        time.sleep(0.02)


def run_opensm(text: str, folder: Path, engine: str, roots: str = "") -> Routed:
    """Route a fabric by an engine, from the switches of a file of GUIDs where given; return the log and the tables."""
    folder.mkdir(parents=True)
    file = folder / "fabric.ibnetdiscover"
    file.write_text(text)
    with simulate(file, folder) as environment:
        environment |= {"OSM_CACHE_DIR": str(folder), "OSM_TMP_DIR": str(folder)}
        log = folder / "opensm.log"
        words = ("--once", "-R", engine, "-f", log, "-e", "--dump_files_dir", folder, "-D", "0x43", "--maxsmps", "4")
        if roots:
            (folder / "roots").write_text(roots)
            words = (*words, "-a", folder / "roots")
        done = subprocess.run(
            ["opensm", *map(str, words)], cwd=folder, env=environment, capture_output=True, timeout=WAIT_S, check=False
        )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return Routed(log.read_text(errors="replace"), folder)


def check_balance(routed: Routed) -> dict[int, int]:
    """Return how many switch ports have each number of destinations, by ibdmchk, which must find no credit loop.

    Ports to hosts are left out. ibdmchk 1.5.7 prints all of its report and then ends by a signal.
    """
    files = ("-s", "opensm-subnet.lst", "-f", "opensm.fdbs", "-m", "opensm.mcfdbs")
    done = subprocess.run(
        ["ibdmchk", *files], cwd=routed.folder, capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert "no credit loops found" in done.stdout, done.stdout[-2000:]
    rows = done.stdout.partition("NUM-DLIDS NUM-SWITCH-PORTS\n")[2].partition("\n-----")[0]
    return {int(row.split()[0]): int(row.split()[1]) for row in rows.splitlines() if row.strip()}


def discover(file: Path, folder: Path) -> str:
    """Return what ibnetdiscover finds on the simulated fabric of a file."""
    with simulate(file, folder) as environment:
        done = subprocess.run(
            ["ibnetdiscover"], env=environment, capture_output=True, text=True, timeout=WAIT_S, check=True
        )
    return done.stdout
