"""Write files again and again, each time with a signal at the next file operation, and print what each run leaves.

Arguments: the signal's number, an empty folder to work in, and the texts that its folder `out` holds before, if any.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
from pathlib import Path

from fabric.atomic_write import write_atomically

STALE = ["gone/d"]
"""What is removed with that."""


def make(folder: Path) -> list[str]:
    """Write three files, one of them in a folder of its own."""
    names = ["a", "b", "inner/c"]
    (folder / "inner").mkdir()
    for name in names:
        (folder / name).write_text("new")
    return names


def write(base: Path, number: int, step: int) -> None:
    """Write to `base`, and send this process a signal at that file operation, if it gets so far."""
    steps = itertools.count()

    def hook(_event: str, arguments: tuple[object, ...]) -> None:
        if str(base) in str(arguments) and next(steps) == step:
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.addaudithook(hook)
    write_atomically(base / "out" / "below", make, STALE)
    os._exit(0)


def main(number: int, base: Path, *before: str) -> None:
    """Print, a line for each step, how the process ended, and the files and folders left in `base`."""
    for step in itertools.count():
        shutil.rmtree(base, ignore_errors=True)
        base.mkdir()
        for name in before:
            path = base / "out" / "below" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("old")
        process = os.fork()
        if not process:
            write(base, number, step)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        paths = sorted(base.rglob("*"))
        left = [f"{path.name}={path.read_text()}" if path.is_file() else path.name for path in paths]
        sys.stdout.write(f"{' '.join([str(code), *left])}\n")
        if code != -number:
            break


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
