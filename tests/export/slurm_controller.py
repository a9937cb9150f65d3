"""Slurm's controller with a topology: what its log says of it, and the tree that it shows."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

WAIT_S = 60
BAD = ("error:", "lack access", "Multiple leaf", "Invalid hostname", "no switch can reach", "warning:", "fatal:")
"""Words of lines in which the controller refuses a topology; its exit code is 0 all the same."""
HARMLESS = re.compile(r"MailProg|pmix|MPI|(job|resv)_state|state save file")
"""What it says of a machine without mail, PMIx or jobs."""

needs_slurm = pytest.mark.skipif(
    not (shutil.which("slurmctld") and shutil.which("scontrol") and shutil.which("munged") and os.geteuid() == 0),
    reason="slurmctld, slurm-client or munge is not installed, or this is not root",
)


@contextmanager
def run_munge(folder: Path) -> Iterator[Path]:
    """Run an authentication service of our own and yield its socket."""
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    folder.chmod(0o755)
    names = {name: folder / f"munge.{name}" for name in ("socket", "pid", "log", "seed")}
    process = subprocess.Popen(
        ["munged", "--foreground", "--force", f"--socket={names['socket']}", f"--key-file={key}",
         f"--pid-file={names['pid']}", f"--log-file={names['log']}", f"--seed-file={names['seed']}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        end = time.monotonic() + WAIT_S
        while not names["socket"].exists():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        yield names["socket"]
    finally:
        process.terminate()
        process.wait(WAIT_S)


def show_topology(
    topology: str, nodes: str, munge: Path, folder: Path
) -> tuple[list[str], dict[str, Mapping[str, str]]]:
    """Return the bad lines of the controller's log and the switches that it shows, each with its fields."""
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "topology.conf").write_text(topology)
    (folder / "slurm.conf").write_text(
        f"ClusterName=tested\nSlurmctldHost={socket.gethostname()}(127.0.0.1)\nSlurmctldPort={port}\nSlurmUser=root\n"
        f"AuthType=auth/munge\nAuthInfo=socket={munge}\nCryptoType=crypto/munge\nStateSaveLocation={folder}\n"
        f"SlurmctldPidFile={folder}/pid\nSlurmctldLogFile={folder}/log\nTopologyPlugin=topology/tree\n"
        "SelectType=select/cons_tres\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nMpiDefault=none\n"
        f"NodeName={nodes} NodeAddr=127.0.0.1 CPUs=8\nPartitionName=all Nodes=ALL Default=YES\n"
    )
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
    process = subprocess.Popen(
        ["slurmctld", "-D", "-i", "-c", "-f", str(folder / "slurm.conf")],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        shown = _await_topology(process, environment, folder)
    finally:
        process.terminate()
        process.wait(WAIT_S)
    log = (folder / "log").read_text()
    bad = [line for line in log.splitlines() if any(word in line for word in BAD) and not HARMLESS.search(line)]
    rows = (dict(pair.split("=", 1) for pair in line.split()) for line in shown.splitlines() if "SwitchName" in line)
    return bad, {row["SwitchName"]: row for row in rows}


def _await_topology(process: subprocess.Popen[bytes], environment: Mapping[str, str], folder: Path) -> str:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        assert process.poll() is None, (folder / "log").read_text()
        done = subprocess.run(
            ["scontrol", "show", "topology"], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return done.stdout
        time.sleep(0.1)
    raise AssertionError(done.stderr + (folder / "log").read_text())
