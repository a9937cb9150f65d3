"""The releases of Python that the package is for, and those that are installed here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

__all__ = ["RELEASES", "find_python"]

RELEASES = ("3.11", "3.12", "3.13", "3.14")


@cache
def find_python(release: str) -> Path | None:
    """Return an interpreter of a release that is installed here: on the path, or beside this one's under pyenv."""
    beside = sorted(Path(sys.base_prefix).parent.glob(f"{release}.*/bin/python{release}"))
    found = shutil.which(f"python{release}")
    for each in [*beside, *([Path(found)] if found else [])]:
        if subprocess.run([each, "--version"], capture_output=True, check=False).returncode == 0:
            return each
    return None
