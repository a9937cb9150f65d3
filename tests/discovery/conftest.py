"""Files of discovery tools, read from text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fabric.discovery import Discovery, read_discovery

Read = Callable[..., Discovery]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that reads texts or bytes as files, whose names are the keywords with `.txt`."""

    def read_all(*texts: str | bytes, **named: str | bytes) -> Discovery:
        files = {**{f"file{number}": text for number, text in enumerate(texts)}, **named}
        paths = []
        for name, text in files.items():
            path = tmp_path / f"{name}.txt"
            path.write_bytes(text.encode() if isinstance(text, str) else text)
            paths.append(path)
        return read_discovery(paths)

    return read_all
