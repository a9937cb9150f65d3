"""Files that are written whole or not at all: made in a hidden folder, then moved into place together."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from fabric.errors import FabricError
from fabric.signal_guard import SignalGuard

__all__ = ["check_folder", "explain_refusal", "write_atomically"]


_PREFIX = ".fabric-"

JUST_MADE_S = 60.0
"""The age in seconds from which a hidden folder without a lock is abandoned: it is locked right after it is made."""


def write_atomically(
    folder: str | os.PathLike[str], make: Callable[[Path], list[str]], stale: Sequence[str] = ()
) -> list[Path]:
    """Let `make` write files into an empty folder and return their names, then move them to `folder`, made if missing.

    Files of the folder that are `stale` are removed with that, and folders that this leaves empty. All files are moved
    or none, even if a signal ends the process. Raises FabricError saying what the system refused.
    """
    target = check_folder(folder)
    made: list[Path] = []
    with SignalGuard(lambda: _remove(made)) as guard:
        try:
            _make_folder(target, made)
            _remove_abandoned(target)
            temporary = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=target))
            made.append(temporary)
            with _lock(temporary), guard.admit():
                names = make(temporary)
            with _set_aside(stale, target, temporary):
                for inner in sorted({(target / name).parent for name in names}):
                    _make_folder(inner, made)
                _move(names, temporary, target)
            shutil.rmtree(temporary)
        except BaseException as error:
            _remove(made)
            if isinstance(error, OSError):
                raise FabricError(f"{folder}: can't write there: {explain_refusal(error)}") from error
            raise
    return [target / name for name in names]


def explain_refusal(error: OSError) -> str:
    """Return what the system refused, and what to do where a file or folder stands in the way."""
    if isinstance(error, FileExistsError | NotADirectoryError) and error.filename:
        wanted = Path(os.fsdecode(error.filename))
        taken = next((str(path) for path in (wanted, *wanted.parents) if path.exists() and not path.is_dir()), "it")
        return f"{taken!r:.200} is no folder; choose another folder, or move that file away"
    if isinstance(error, IsADirectoryError):
        return f"{error.strerror}; choose another folder, or move that one away"
    return error.strerror or str(error)


@contextmanager
def _set_aside(names: Sequence[str], target: Path, temporary: Path) -> Iterator[None]:
    """Move files out of a folder for good, or, where the block fails, for as long as it lasts."""
    moved: list[tuple[Path, Path]] = []
    try:
        aside = Path(tempfile.mkdtemp(dir=temporary))
        for name in names:
            if os.path.lexists(target / name):
                (target / name).replace(aside / str(len(moved)))
                moved.append((target / name, aside / str(len(moved))))
        yield
    except BaseException:
        for path, away in moved:
            with suppress(OSError):
                away.replace(path)
        raise
    for folder in sorted({inner for name in names for inner in Path(name).parents[:-1]}, reverse=True):
        with suppress(OSError):  # other files are there
            (target / folder).rmdir()


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Lock a folder for the duration of the block, and yield whether it is ours.

    The system gives a lock up when its process ends, however it ends. Where it has no such locks, none is ours.
    """
    try:
        from fcntl import LOCK_EX, LOCK_NB, flock

        number = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield False
        return
    try:
        flock(number, LOCK_EX | LOCK_NB)
    except OSError:
        yield False
    else:
        yield True
    finally:
        os.close(number)


def _remove_abandoned(target: Path) -> None:
    """Remove the hidden folders of runs that were killed: those that no process has locked, nor has just made."""
    for folder in target.glob(f"{_PREFIX}*"):
        with suppress(OSError), _lock(folder) as ours:
            if ours and time.time() - folder.stat().st_mtime > JUST_MADE_S:
                shutil.rmtree(folder, ignore_errors=True)


def _remove(made: list[Path]) -> None:
    """Remove the folders that were made, of which only the hidden one may hold files."""
    for path in reversed(made):
        if path.name.startswith(_PREFIX):
            shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):  # it isn't empty when another run writes there too
            path.rmdir()


def check_folder(folder: str | os.PathLike[str]) -> Path:
    """Return the folder as a path; raises FabricError when it is empty or holds what no file system takes."""
    name = os.fspath(folder) if isinstance(folder, str | os.PathLike) else ""
    try:
        sound = bool(name) and b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        sound = False
    if not sound:
        raise FabricError(f"{folder!r:.80}: not a folder name; write for example build/")
    return Path(folder)


def _make_folder(folder: Path, made: list[Path]) -> None:
    """Make a folder and its missing parents, and add them to `made`; raises OSError when one of them is a file."""
    for path in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        path.mkdir(exist_ok=True)
        made.append(path)
    folder.mkdir(exist_ok=True)


def _move(names: list[str], source: Path, target: Path) -> None:
    """Move the files into place, which can't fail halfway once no folder stands where a file must go."""
    for name in names:
        if (target / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, f"{name} is a folder")
    for name in names:
        if (target / name).exists():
            shutil.copymode(target / name, source / name)
        (source / name).replace(target / name)
