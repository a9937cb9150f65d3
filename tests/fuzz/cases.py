"""Cases of the fuzz: command lines and the files that they read, plausible and hostile, each drawn by its own seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.fuzz.commands import COMMANDS
from tests.fuzz.requests import draw_text

__all__ = ["Case", "draw_case"]


@dataclass(frozen=True)
class Case:
    """A command line and the files that it finds in its folder."""

    seed: str
    """What draws it again."""
    words: tuple[str, ...]
    """The words after `fabric`."""
    files: dict[str, bytes]
    """The files, by name."""

    def __str__(self) -> str:
        files = "".join(f"\n  {name}: {content[:600]!r}" for name, content in self.files.items())
        return f"seed {self.seed}: fabric {' '.join(map(repr, self.words))}{files}"


def draw_case(seed: int | str, number: int = 0) -> Case:
    """Return case `number` of a seed; the same on every machine."""
    name = f"{seed}:{number}"
    rng = random.Random(name)
    files: dict[str, bytes] = {}
    words = rng.choices(list(COMMANDS), list(COMMANDS.values()))[0](rng, files)
    if rng.random() < 0.08:
        words.insert(rng.randint(0, len(words)), draw_text(rng))
    return Case(name, tuple(words), files)
