"""Where the chunks of a sweep are kept: the folder of a run, in which each has a file of its own, or memory.

A chunk's file is named by its key and by a digest of its own bytes, and is moved into place whole. So a file that is
there and whose bytes have that digest is the result of the chunk; anything else is computed again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from fabric.atomic_write import check_folder, explain_refusal
from fabric.errors import FabricError, InputError
from fabric.request.yaml_reader import read_text
from fabric.request.yaml_writer import yaml_text
from fabric.sweeps.sweep_file import MOST_VALUES, SHOWN_KEYS, WHAT

__all__ = ["ChunkStore", "FolderStore", "MemoryStore"]

CHUNKS = "chunks"
REQUEST = "request.yaml"
_UNFINISHED = ".unfinished-"


class ChunkStore(Protocol):
    """What keeps the chunks of a run."""

    def load(self, key: str) -> bytes | None:
        """Return the Parquet file of a chunk; None where there is none, or a damaged one."""

    def save(self, key: str, data: bytes) -> None:
        """Keep the Parquet file of a chunk; raises FabricError when it can't be written."""


class MemoryStore:
    """Keeps the chunks of a run until it ends."""

    def __init__(self) -> None:
        self._chunks: dict[str, bytes] = {}

    def load(self, key: str) -> bytes | None:
        """Return the file of a chunk; None where there is none."""
        return self._chunks.get(key)

    def save(self, key: str, data: bytes) -> None:
        """Keep the file of a chunk."""
        self._chunks[key] = data


class FolderStore:
    """Keeps the chunks of a sweep in `chunks/` of a folder, which holds that one sweep."""

    def __init__(self, folder: str | os.PathLike[str], sweep: Mapping[str, Any]) -> None:
        self.folder = check_folder(folder)
        self._sweep = sweep
        self._chunks = self.folder / CHUNKS

    @contextmanager
    def open(self) -> Iterator[None]:
        """Claim the folder for the duration of the block: make it, write `request.yaml`, and clear unfinished files.

        Raises InputError where it holds another sweep or another run writes to it, and FabricError where it can't be
        written.
        """
        text = yaml_text(self._sweep)
        self._refuse_another(text)
        with self._writing():
            self._chunks.mkdir(parents=True, exist_ok=True)
        with self._lock():
            self._refuse_another(text)  # which may have been written since
            with self._writing():
                for left in self._chunks.glob(f"{_UNFINISHED}*"):
                    left.unlink()
                path = self.folder / REQUEST
                if not path.exists() or path.read_text(encoding="utf-8") != text:  # other pictures of the same sweep
                    self._write(self.folder / REQUEST, text.encode())
            yield

    def load(self, key: str) -> bytes | None:
        """Return the file of a chunk; None where there is none whose bytes are as they were written."""
        for path in sorted(self._chunks.glob(f"{key}-*.parquet")):
            with suppress(OSError):
                data = path.read_bytes()
                if path.name == _name(key, data):
                    return data
        return None

    def save(self, key: str, data: bytes) -> None:
        """Write the file of a chunk, whole or not at all, in place of damaged ones."""
        name = _name(key, data)
        with self._writing():
            self._write(self._chunks / name, data)
            for other in self._chunks.glob(f"{key}-*.parquet"):
                if other.name != name:
                    other.unlink()

    def _refuse_another(self, text: str) -> None:
        """Raise InputError where the folder holds the results of another sweep."""
        path = self.folder / REQUEST
        if not path.exists():
            if (self.folder / "sweep.parquet").exists() or next(self._chunks.glob("*.parquet"), None):
                raise InputError(f"{self.folder}: holds a sweep without its {REQUEST}; write to another folder")
            return
        try:
            found = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: not readable ({error}); write to another folder") from None
        if found == text:
            return
        held, asked = (read_text(each, str(path), WHAT, MOST_VALUES).values for each in (found, text))
        held, asked = ({key: each for key, each in one.items() if key not in SHOWN_KEYS} for one in (held, asked))
        if held != asked:
            keys = [key for key in {**asked, **held} if held.get(key) != asked.get(key)]
            raise InputError(
                f"{self.folder}: holds another sweep, of which {', '.join(keys)} differ{'s' * (len(keys) == 1)};"
                " write to another folder, or remove this one"
            )

    def _write(self, path: Path, data: bytes) -> None:
        unfinished = self._chunks / f"{_UNFINISHED}{os.getpid()}"
        try:
            unfinished.write_bytes(data)
            unfinished.replace(path)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kept = "; the chunks in it are kept, and the same command continues from them"
            raise FabricError(
                f"{self.folder}: can't write there: {explain_refusal(error)}{kept if self._chunks.is_dir() else ''}"
            ) from error

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Hold the folder's lock, which the system gives up when the process ends, however it ends."""
        try:
            from fcntl import LOCK_EX, LOCK_NB, flock

            number = os.open(self._chunks, os.O_RDONLY)
        except (ImportError, OSError):  # a system without such locks
            yield
            return
        try:
            try:
                flock(number, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                raise InputError(f"{self.folder}: another run writes there; wait for it, or stop it") from None
            except OSError:
                pass  # a file system without such locks
            yield
        finally:
            os.close(number)


def _name(key: str, data: bytes) -> str:
    return f"{key}-{sha256(data).hexdigest()[:16]}.parquet"
