"""What can go wrong, in three kinds: bad input, an infeasible request, and a request too big for the machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

__all__ = ["Conflict", "FabricError", "Infeasible", "InputError", "Mistake", "TooLarge", "nearest", "whole"]


class FabricError(Exception):
    """Any error that a user of fabric can cause and mend; its text is the whole message."""

    exit_code = 2


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with an input: where it stands (`file:line`, or a key), and what would be right."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


class InputError(FabricError):
    """A request or file that is ill-formed; it carries every mistake found, not only the first."""

    def __init__(self, mistakes: Iterable[Mistake] | str) -> None:
        if isinstance(mistakes, str):
            mistakes = [Mistake("", mistakes)]
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


@dataclass(frozen=True)
class Conflict:
    """One of the limits that exclude every fabric together: its value, and the nearest that alone would be enough.

    `nearest` is None where no value of it alone is enough, or, if not `settled`, where that took too much work.
    """

    limit: str
    value: Any
    nearest: int | float | None = None
    settled: bool = True


class Infeasible(FabricError):
    """A well-formed request that no fabric meets: an answer, which names the limits that bind.

    `conflict` holds a smallest set of limits that exclude every fabric by themselves; it is empty where it is no limit
    that does (but a part, or a rate), or where none was found.
    """

    exit_code = 1

    def __init__(self, text: str, reasons: Iterable[str] = (), conflict: Iterable[Conflict] = ()) -> None:
        self.reasons = tuple(reasons)
        self.conflict = tuple(conflict)
        super().__init__("\n".join([text, *(f"  {reason}" for reason in self.reasons)]))


class TooLarge(FabricError):
    """A result that would not fit this machine's memory, or that nobody could read, refused before it is tried."""


def whole(number: object, least: int) -> bool:
    """Say whether a value is a whole number, no boolean, and at least so much."""
    return isinstance(number, int) and not isinstance(number, bool) and number >= least


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the known word nearest to `word`, or the known words if none is near."""
    words = sorted(known)
    close = get_close_matches(str(word).lower(), words, n=1, cutoff=0.55)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known: {', '.join(words)}" if words else ""
