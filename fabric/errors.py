"""The errors of three kinds: invalid input, an infeasible request, and a request too large for the machine.

Each is a FabricError, and also the built-in exception that Python has for its kind: an InputError is a ValueError, a
MissingFile a FileNotFoundError too, a MissingLibrary an ImportError and NotEnoughMemory a MemoryError.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Integral
from typing import Any

__all__ = [
    "Conflict",
    "FabricError",
    "Infeasible",
    "InputError",
    "MissingFile",
    "MissingLibrary",
    "Mistake",
    "NotEnoughMemory",
    "TooLarge",
    "is_whole",
    "nearest",
    "nearest_name",
    "unreadable",
]


class FabricError(Exception):
    """Any error that a user of fabric can cause and fix; its text is the whole message."""

    exit_code = 2


@dataclass(frozen=True)
class Mistake:
    """One mistake in an input."""

    place: str
    """Where it is: `file:line`, or a key; empty where there is no place."""
    text: str
    """What is wrong, and what would be valid."""

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


class InputError(FabricError, ValueError):
    """An invalid request or file, with every mistake that was found, not only the first."""

    def __init__(self, mistakes: Iterable[Mistake] | str) -> None:
        if isinstance(mistakes, str):
            mistakes = [Mistake("", mistakes)]
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.mistakes,)


class MissingFile(InputError, FileNotFoundError):
    """A file that isn't there."""


def unreadable(name: str, error: Exception) -> InputError:
    """Return the error for a file of which `error` was raised as it was opened or read."""
    kind = MissingFile if isinstance(error, FileNotFoundError) else InputError
    return kind([Mistake(name, f"not readable: {getattr(error, 'strerror', None) or error}")])


@dataclass(frozen=True)
class Conflict:
    """One limit of a smallest set of limits that together exclude every fabric."""

    limit: str
    """Its key in the request."""
    value: Any
    """Its value."""
    nearest: int | float | str | None = None
    """The nearest value that would be feasible, others unchanged; None where there is none or it is not known."""
    settled: bool = True
    """Whether `nearest` is proven; otherwise the solve budget ended, and a nearer value may be feasible."""


class Infeasible(FabricError):
    """A valid request that no fabric satisfies, with the reasons.

    `conflict` is a smallest set of limits that together exclude every fabric. It is empty where the reason is not a
    limit (but a part, or a rate), or where no set was found.
    """

    exit_code = 1

    def __init__(self, text: str, reasons: Iterable[str] = (), conflict: Iterable[Conflict] = ()) -> None:
        self.reasons = tuple(reasons)
        self.conflict = tuple(conflict)
        self._text = text
        super().__init__("\n".join([text, *(f"  {reason}" for reason in self.reasons)]))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._text, self.reasons, self.conflict)


class MissingLibrary(FabricError, ImportError):
    """An optional library that is not installed; the text says how to install it."""

    @classmethod
    def of(cls, library: str, extra: str) -> MissingLibrary:
        """Return the error for a library that an extra of the distribution has."""
        return cls(f"{library} is not installed; pip install 'fabric-designer[{extra}]' or pip install {library}")


class TooLarge(FabricError):
    """A result that would not fit in memory, or be too large to read, refused before it is computed."""


class NotEnoughMemory(TooLarge, MemoryError):
    """A result that needs more memory than this process may take now; another machine may well compute it."""


def is_whole(number: object, least: int) -> bool:
    """Say whether a value is an integer of at least `least`, numpy's included, and not a boolean."""
    return not isinstance(number, bool) and isinstance(number, Integral) and int(number) >= least


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` with the known word nearest to `word`; all known words where none is near."""
    words = sorted(known)
    if close := nearest_name(word, words):
        return f"; did you mean '{close}'?"
    return f"; known: {', '.join(words)}" if words else ""


def nearest_name(word: str, known: Iterable[str]) -> str:
    """Return the known word nearest to `word`; empty where none is near."""
    return next(iter(get_close_matches(str(word).lower(), sorted(known), n=1, cutoff=0.55)), "")
