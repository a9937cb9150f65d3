"""Documents: the plain values of a request with the line of every key, and the tree that collects them one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass, replace
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

from fabric.errors import InputError, Mistake

__all__ = ["Document", "Keys", "Overlay", "Tree", "dotted", "plain", "quoted"]

WHAT = "a request is a mapping of keys such as `gpus: 4096`"
"""What a document is, for messages."""

MAX_DEPTH = 12
MAX_VALUES = 20_000
MAX_BITS = 330

Keys = tuple[str | int, ...]
"""The way to a value: keys of mappings and positions in lists, from the outside in."""


def dotted(keys: Keys) -> str:
    """Write the way to a value as people do: `server.nic_gbps`, `switches[1].ports`."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{_name(key)}" for key in keys)
    return text.removeprefix(".")


def _name(key: str) -> str:
    return quoted(key if len(key) <= 60 else key[:57] + "...")


def quoted(text: str) -> str:
    """Return text as it is, or in quotes and with escapes when it is empty or holds control characters."""
    return text if text and text.isprintable() else repr(text)


@dataclass(frozen=True)
class Overlay:
    """Entries to set in a mapping of a request that keeps its others; each has the place that messages name."""

    values: Mapping[str, Any]
    places: Mapping[str, str]
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True)
class Document:
    """A request's plain values; `lines` holds the line of every key and item that came from `file`.

    `mistakes` are those met in reading that do not hinder the checks to come, such as a key that stands twice. `places`
    name where entries of its mappings that an Overlay set come from.
    """

    values: Mapping[str, Any]
    lines: Mapping[Keys, int] = field(default_factory=lambda: MappingProxyType({}))
    file: str = ""
    mistakes: tuple[Mistake, ...] = ()
    overridden: frozenset[str] = frozenset()
    places: Mapping[Keys, str] = field(default_factory=lambda: MappingProxyType({}))

    def override(self, values: Mapping[str, Any]) -> Document:
        """Return the document with whole top-level keys replaced; mistakes in them have no line, but the key's name.

        A value that is an Overlay is set in the mapping of that key instead.
        """
        tree = Tree("")
        plain({key: value for key, value in values.items() if not isinstance(value, Overlay)}, tree)
        others = tree.document()
        document = replace(
            self,
            values={**self.values, **others.values},
            mistakes=(*self.mistakes, *others.mistakes),
            overridden=self.overridden | frozenset(others.values),
        )
        for key, value in values.items():
            document = document._overlaid(key, value) if isinstance(value, Overlay) else document
        return document

    def _overlaid(self, key: str, overlay: Overlay) -> Document:
        own = self.values.get(key, {})
        if not isinstance(own, dict):  # which is a mistake of its own
            return self
        places: dict[Keys, str] = {(key, name): place for name, place in overlay.places.items()}
        return replace(
            self,
            values={**self.values, key: {**own, **overlay.values}},
            mistakes=(*self.mistakes, *overlay.mistakes),
            places={**self.places, **places},
        )

    def part(self, keys: Keys, common: Keys) -> Document:
        """Return the mapping at `keys`, with the words of that at `common` that it does not say, as a document.

        Its keys know their lines in the whole, and what it lacks stands at its own.
        """
        own, shared = self._below(keys), self._below(common)
        lines = {inner: line for inner, line in shared.lines.items() if inner and inner[0] not in own.values}
        return Document({**shared.values, **own.values}, MappingProxyType(lines | dict(own.lines)), self.file)

    def _below(self, keys: Keys) -> Document:
        values: Any = self.values
        for key in keys:
            values = values.get(key) if isinstance(values, Mapping) else values[key]
        depth = len(keys)
        lines = {inner[depth:]: line for inner, line in self.lines.items() if inner[:depth] == keys}
        return Document(values if isinstance(values, Mapping) else {}, MappingProxyType(lines), self.file)

    def mistake(self, keys: Keys, text: str, *, bare: bool = False) -> Mistake:
        """Say what is wrong at `keys`, by file and line where there are any; `bare` writes the last key alone."""
        if keys[:2] in self.places:
            return Mistake(self.places[keys[:2]], text)
        if not self.file or keys[0] in self.overridden:
            return Mistake(dotted(keys), text)
        depth = next((depth for depth in range(len(keys), 0, -1) if keys[:depth] in self.lines), 0)
        return Mistake(
            f"{self.file}:{self.lines.get(keys[:depth], 1)}", f"{dotted(keys[-1:] if bare else keys)}: {text}"
        )


@dataclass
class _Branch:
    values: dict[str, Any] | list[Any]
    keys: Keys
    key: str | None = None


class Tree:
    """Collects a document from its parts in order, without recursion, and refuses what no request needs."""

    def __init__(self, file: str, what: str = WHAT) -> None:
        self.file = file
        self.what = what
        self.root: Any = None
        self.complete = False
        self.lines: dict[Keys, int] = {}
        self.mistakes: list[Mistake] = []
        self._branches: list[_Branch] = []
        self._count = 0

    @property
    def expects_key(self) -> bool:
        """Whether the next value is a key of the mapping that is open."""
        return bool(self._branches) and isinstance(self._branches[-1].values, dict) and self._branches[-1].key is None

    def open(self, values: dict[str, Any] | list[Any], line: int = 0) -> None:
        """Begin a mapping or a list; raises InputError when it stands for a key or lies too deep."""
        if self.expects_key:
            raise self.refusal(line, "a mapping or a list stands where a key is due; a key is plain text")
        if len(self._branches) == MAX_DEPTH:
            raise self.refusal(line, "nested too deeply; a request is a few levels deep")
        self._branches.append(_Branch(values, self.add(values, line)))

    def close(self) -> None:
        """End the mapping or list opened last."""
        self._branches.pop()

    def key(self, key: str, line: int = 0) -> None:
        """Begin an entry of the open mapping; a key that stands twice is a mistake, and its first value holds."""
        branch = self._branches[-1]
        keys = (*branch.keys, key)
        if key in branch.values:
            place, where = (
                (f"{self.file}:{line}", f"line {self.lines[keys]}") if self.file else ("", "the same mapping")
            )
            self.mistakes.append(Mistake(place, f"{dotted(keys)}: set twice, first in {where}; keep one"))
        else:
            self.lines.setdefault(keys, line)
        branch.key = key

    def add(self, value: Any, line: int = 0) -> Keys:
        """Add a value to what is open, or as the root, and return its keys; raises InputError at too many values."""
        self._count += 1
        if self._count > MAX_VALUES:
            raise self.refusal(line, f"over {MAX_VALUES:,} values; a request has a few dozen")
        if not self._branches:
            self.root, self.complete = value, True
            return ()
        branch = self._branches[-1]
        if isinstance(branch.values, list):
            keys: Keys = (*branch.keys, len(branch.values))
            branch.values.append(value)
            self.lines.setdefault(keys, line)
            return keys
        assert branch.key is not None  # open() and add() come after key() in a mapping
        keys, branch.key = (*branch.keys, branch.key), None
        branch.values.setdefault(str(keys[-1]), value)
        return keys

    def refusal(self, line: int, text: str) -> InputError:
        """Return the error that ends the reading at `line`."""
        return InputError([Mistake(f"{self.file}:{line}" if self.file else dotted(self._here), text)])

    @property
    def _here(self) -> Keys:
        if not self._branches:
            return ()
        branch = self._branches[-1]
        return branch.keys if branch.key is None else (*branch.keys, branch.key)

    def document(self) -> Document:
        """Return what was collected; raises InputError when it is no mapping."""
        if not isinstance(self.root, dict):
            kind = "a list" if isinstance(self.root, list) else "a single value"
            raise self.refusal(1, f"{self.what}, not {kind}")
        lines = MappingProxyType(self.lines if self.file else {})
        return Document(self.root, lines, self.file, tuple(self.mistakes))


def plain(value: Any, tree: Tree) -> None:
    """Add a Python value to the tree as YAML would have it; raises InputError for what YAML has no word for.

    A part of the catalogue, which is a dataclass, is the mapping of its fields that are not at their defaults.
    """
    if is_dataclass(value) and not isinstance(value, type):
        value = {item.name: getattr(value, item.name) for item in fields(value) if _is_set(value, item)}
    if isinstance(value, Mapping):
        tree.open({})
        for key, item in value.items():
            if isinstance(key, bool) or not isinstance(key, str | int):
                raise tree.refusal(0, f"the key {key!r:.60} is not text")
            tree.key(str(_whole(key, tree)))
            plain(item, tree)
        tree.close()
    elif isinstance(value, list | tuple):
        tree.open([])
        for item in value:
            plain(item, tree)
        tree.close()
    else:
        tree.add(_scalar(value, tree))


def _is_set(value: Any, item: Field[Any]) -> bool:
    return getattr(value, item.name) not in (item.default, {})


def _scalar(value: Any, tree: Tree) -> Any:
    if value is None or isinstance(value, bool | str):
        return _whole(value, tree)
    if isinstance(value, Integral) and int(value).bit_length() <= MAX_BITS:
        return int(value)
    if isinstance(value, Real) and not isinstance(value, Integral):
        return _float(value, tree)
    if isinstance(value, Integral):
        raise tree.refusal(0, f"a number of {int(value).bit_length():,} bits; at most {MAX_BITS} are read")
    raise tree.refusal(0, f"{value!r:.60} is a {type(value).__name__}, which a request cannot hold")


def _whole(value: Any, tree: Tree) -> Any:
    """Return the value; refuses text with half a character, a lone surrogate, which no file can hold."""
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise tree.refusal(0, f"{value!r:.60} holds half a character; write text that is valid Unicode")
    return value


def _float(value: Real, tree: Tree) -> float:
    try:
        return float(value)
    except OverflowError:
        raise tree.refusal(0, "a number too large to be read") from None
