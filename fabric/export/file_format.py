"""What every format of `fabric export` has: its name, its suffixes, what reads it, and how that was shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from fabric.errors import InputError

__all__ = ["UNTRIED", "WITNESSES", "FileFormat", "Witness"]

_SUFFIX = re.compile(r"\.[a-z0-9_+-]+")

WITNESSES = {
    "run": "the tests run the tool on exported files",
    "schema": "the tests check exported files against the schema that the tool's makers publish",
    "grammar": "the tests parse exported files by the grammar in the tool's documents or source",
    "none": "nothing but this program has read it",
}
"""How it was shown that a format is right, from the strongest evidence to none."""


@dataclass(frozen=True)
class Witness:
    """How it was shown that what is written is what other tools read; our own reader shows nothing."""

    kind: str
    """One of `WITNESSES`: `run`, `schema`, `grammar` or `none`."""
    tool: str = ""
    """The tool, schema or document, with its version."""

    def __post_init__(self) -> None:
        if self.kind not in WITNESSES or (self.kind == "none") != (not self.tool):
            raise InputError(
                f"witness '{self.kind:.40}' of '{self.tool:.80}': write one of run, schema and grammar with the tool"
                " and its version, or none without a tool"
            )

    def __str__(self) -> str:
        return f"{self.kind}: {self.tool}" if self.tool else self.kind


UNTRIED = Witness("none")
"""The witness of a format of which nobody has said how it was tried."""


@dataclass(frozen=True)
class FileFormat:
    """A file format; what it is written from, a view or a plan, is up to its two subclasses."""

    name: str
    """The word by which `--format` asks for it."""
    suffixes: tuple[str, ...]
    """The suffixes of its files, in lower case with the dot, such as `.dot`."""
    readers: str
    """The tools that read it, for people."""
    carries: str
    """What it carries, for people."""
    witness: Witness = field(default=UNTRIED, kw_only=True)
    """How it was shown that these tools read it."""

    def __post_init__(self) -> None:
        words = self.suffixes if isinstance(self.suffixes, tuple) else (None,)
        if not all(isinstance(word, str) and _SUFFIX.fullmatch(word) for word in words):
            raise InputError(
                f"format '{self.name}': the suffixes {self.suffixes!r:.80} are not a tuple of suffixes in lower case"
                " with the dot, such as ('.dot',)"
            )
