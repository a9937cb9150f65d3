"""Requests for tests to build on, and functions that read one or return its mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest

from fabric.errors import InputError
from fabric.request import Spec
from fabric.request.resolve import read_spec
from fabric.topology.families import known_names

BASE = {"gpus": 4096, "server": "hgx-h100"}
BOX = {"name": "box", "ports": 64, "rate_gbps": 800}
SERVER = {"name": "srv", "gpus": 8, "nics": 8, "nic_gbps": 400}


class Run(Protocol):
    """The command, run in this process: its exit code, stdout and stderr."""

    def __call__(self, *words: object) -> tuple[int, str, str]: ...


def read(source: Any = None, **overrides: Any) -> Spec:
    """Read a request with the built-in families."""
    return read_spec(source, overrides, names=known_names())


def mistakes_of(source: Any = None, **overrides: Any) -> list[str]:
    """Return the mistakes of a request, which must have some."""
    with pytest.raises(InputError) as caught:
        read(source, **overrides)
    return [str(mistake) for mistake in caught.value.mistakes]


def run_every_command(run: Run, path: Path, folder: Path) -> None:
    """Run the commands that take a design from a request to its bill, flows, pictures, page and export."""
    commands: tuple[tuple[object, ...], ...] = (
        ("design", path, "--out", folder / "out"),
        ("bill", path, "-o", folder / "bill.xlsx"),
        ("allreduce", path, "--engine", "flows"),
        ("allreduce", path, "--placement", "random"),
        ("diagram", path, "-o", folder / "picture.svg"),
        ("export", path, "-o", folder / "fabric.graphml"),
        ("report", path, "-o", folder / "page.html"),
        ("optimize", path, "--objective", "cost,hops"),
    )
    for words in commands:
        code, _, err = run("-q", *words)
        assert code == 0, (words, err)
