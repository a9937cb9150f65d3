"""A process in which a package is installed beside fabric, and that runs the command as often as it is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

SERVE = """
import contextlib, io, json, sys
for line in sys.stdin:
    words = json.loads(line)
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        if words[0] == "check_family":
            import fabric.testing
            from fabric.topology.families import family
            fabric.testing.check_family(family(words[1]))
        else:
            from fabric.cli.main import main
            sys.argv = ["fabric", *words]
            try:
                main()
            except SystemExit as end:
                code = end.code
    print(json.dumps([code or 0, out.getvalue(), err.getvalue()]), flush=True)
"""
"""A program that runs the command on each line of words in turn, so that fabric is imported only once."""


@dataclass(frozen=True)
class Sandbox:
    """A process in a folder with an installed package of one module."""

    process: subprocess.Popen[str]

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run the command where the package is installed; return its exit code, stdout and stderr."""
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, self.process.communicate()[1]
        return tuple(json.loads(answer))

    def fabric(self, *words: str) -> str:
        """Run the command and return what it prints; it must succeed."""
        code, out, err = self.run(*words)
        assert code == 0, err
        return out

    def refused(self, *words: str) -> str:
        """Run the command and return its message; it must be refused as bad input."""
        code, out, err = self.run(*words)
        assert code == 2, out + err
        return " ".join(err.split())


@contextmanager
def start_sandbox(folder: Path) -> Iterator[Sandbox]:
    """Start the process in a folder that packages are installed in, and end it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "COLUMNS": "80"}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(command, cwd=folder, env=environment, text=True, **pipes) as process:
        yield Sandbox(process)
        process.communicate()
