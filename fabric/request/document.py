"""Documents: the plain values of a request with the line of every key, and the tree that builds one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass, replace
from numbers import Integral, Real
from typing import Any

from fabric.errors import InputError, Mistake
from fabric.frozen import FrozenMapping

__all__ = ["MAX_VALUES", "Document", "Keys", "Overlay", "Tree", "add_plain", "dotted", "quoted"]

WHAT = "a request is a mapping of keys such as `gpus: 4096`"
"""What a document is, for messages."""

MAX_DEPTH = 12
MAX_VALUES = 20_000
"""The most values of a request."""
MAX_BITS = 330

Keys = tuple[str | int, ...]
"""The path to a value: keys of mappings and positions in lists, from the outside in."""


def dotted(keys: Keys) -> str:
    """Return the path to a value as text: `server.nic_gbps`, `switches[1].ports`."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{_name(key)}" for key in keys)
    return text.removeprefix(".")


def _name(key: str) -> str:
    return quoted(key if len(key) <= 60 else key[:57] + "...")


def quoted(text: str) -> str:
    """Return text as it is, or in quotes and with escapes where it is empty or has control characters."""
    return text if text and text.isprintable() else repr(text)


@dataclass(frozen=True)
class Overlay:
    """Entries to set in a mapping of a request, beside those that it has."""

    values: Mapping[str, Any]
    """The entries."""
    places: Mapping[str, str]
    """The place of each entry, for messages."""
    mistakes: tuple[Mistake, ...] = ()
    """The mistakes found in reading them."""


@dataclass(frozen=True)
class Document:
    """A request's plain values, with their places."""

    values: Mapping[str, Any]
    """The values by key: mappings, lists, text, numbers, booleans and None."""
    lines: Mapping[Keys, int] = field(default_factory=FrozenMapping)
    """The line of every key and list item that came from `file`."""
    file: str = ""
    """The name of the file as it was given; empty for values from Python."""
    mistakes: tuple[Mistake, ...] = ()
    """The mistakes found in reading that do not prevent further checks, such as a duplicate key."""
    overridden: frozenset[str] = frozenset()
    """The top-level keys whose values do not come from `file`."""
    places: Mapping[Keys, str] = field(default_factory=FrozenMapping)
    """The places of values that do not come from `file`, by their paths: what is inside them is there too."""

    def override(self, values: Mapping[str, Any]) -> Document:
        """Return the document with whole top-level keys replaced; an Overlay is set in the mapping of its key instead.

        A mistake in the new values is placed at its key, without a line.
        """
        tree = Tree("")
        add_plain({key: value for key, value in values.items() if not isinstance(value, Overlay)}, tree)
        others = tree.document()
        document = replace(
            self,
            values={**self.values, **others.values},
            mistakes=(*self.mistakes, *others.mistakes),
            overridden=self.overridden | frozenset(others.values),
        )
        for key, value in values.items():
            document = document._overlay(key, value) if isinstance(value, Overlay) else document
        return document

    def _overlay(self, key: str, overlay: Overlay) -> Document:
        own = self.values.get(key, {})
        if not isinstance(own, dict):  # reported when the request is validated
            return self
        places: dict[Keys, str] = {(key, name): place for name, place in overlay.places.items()}
        return replace(
            self,
            values={**self.values, key: {**own, **overlay.values}},
            mistakes=(*self.mistakes, *overlay.mistakes),
            places={**self.places, **places},
        )

    def part(self, keys: Keys, common: Keys) -> Document:
        """Return the mapping at `keys`, with the entries at `common` that it does not have itself, as a document.

        Lines are those of the whole file. A mistake about a missing key is at the line of the mapping.
        """
        own, shared = self._subtree(keys), self._subtree(common)
        lines = {inner: line for inner, line in shared.lines.items() if inner and inner[0] not in own.values}
        return Document({**shared.values, **own.values}, FrozenMapping(lines | dict(own.lines)), self.file)

    def _subtree(self, keys: Keys) -> Document:
        values: Any = self.values
        for key in keys:
            values = values.get(key) if isinstance(values, Mapping) else values[key]
        depth = len(keys)
        lines = {inner[depth:]: line for inner, line in self.lines.items() if inner[:depth] == keys}
        return Document(values if isinstance(values, Mapping) else {}, FrozenMapping(lines), self.file)

    def mistake(self, keys: Keys, text: str) -> Mistake:
        """Return the mistake at `keys`, with file and line where known."""
        for depth in range(len(keys), 0, -1):
            if keys[:depth] in self.places:
                inner = dotted(keys[depth:])
                gap = "." if inner and not inner.startswith("[") else ""
                return Mistake(f"{self.places[keys[:depth]]}{gap}{inner}", text)
        if not self.file or keys[0] in self.overridden:
            return Mistake(dotted(keys), text)
        depth = next((depth for depth in range(len(keys), 0, -1) if keys[:depth] in self.lines), 0)
        return Mistake(f"{self.file}:{self.lines.get(keys[:depth], 1)}", f"{dotted(keys)}: {text}")


@dataclass
class _Branch:
    values: dict[str, Any] | list[Any]
    keys: Keys
    key: str | None = None


class Tree:
    """Builds a document from its parts in order, without recursion, and refuses what no request needs."""

    def __init__(self, file: str, what: str = WHAT, most: int = MAX_VALUES) -> None:
        self.file = file
        self.what = what
        self.most = most
        self.root: Any = None
        self.complete = False
        self.lines: dict[Keys, int] = {}
        self.mistakes: list[Mistake] = []
        self._branches: list[_Branch] = []
        self._count = 0

    @property
    def expects_key(self) -> bool:
        """Whether the next value must be a key of the open mapping."""
        return bool(self._branches) and isinstance(self._branches[-1].values, dict) and self._branches[-1].key is None

    def open(self, values: dict[str, Any] | list[Any], line: int = 0) -> None:
        """Begin a mapping or a list; raises InputError where a key is expected, or when it is nested too deeply."""
        if self.expects_key:
            raise self.refusal(line, "a mapping or a list where a key is expected; a key is plain text")
        if len(self._branches) == MAX_DEPTH:
            raise self.refusal(line, "nested too deeply; a request is a few levels deep")
        self._branches.append(_Branch(values, self.add(values, line)))

    def close(self) -> None:
        """End the mapping or the list that was opened last."""
        self._branches.pop()

    def key(self, key: str, line: int = 0) -> None:
        """Begin an entry of the open mapping; a duplicate key is a mistake, and its first value is kept.

        Raises InputError for a key that no file can contain.
        """
        branch = self._branches[-1]
        self._refuse_surrogates(key, line)
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
        """Add a value to the open mapping or list, or as the root, and return its path.

        Raises InputError when there are too many values, and for text that no file can contain.
        """
        self._count += 1
        self._refuse_surrogates(value, line)
        if self._count > self.most:
            usual = "; a request has a few dozen" if self.most == MAX_VALUES else ""
            raise self.refusal(line, f"over {self.most:,} values{usual}")
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
        """Return the error that ends reading at `line`."""
        return InputError([Mistake(f"{self.file}:{line}" if self.file else dotted(self._here), text)])

    def _refuse_surrogates(self, value: Any, line: int) -> None:
        """Raise InputError for text with a lone surrogate: an escape in JSON can write one, but no encoding has it."""
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise self.refusal(line, f"{value!r:.60} has a lone surrogate; write text that is valid Unicode")

    @property
    def _here(self) -> Keys:
        if not self._branches:
            return ()
        branch = self._branches[-1]
        return branch.keys if branch.key is None else (*branch.keys, branch.key)

    def document(self) -> Document:
        """Return the document; raises InputError when the root is not a mapping."""
        if not isinstance(self.root, dict):
            kind = "a list" if isinstance(self.root, list) else "a single value"
            raise self.refusal(1, f"{self.what}, not {kind}")
        lines = FrozenMapping(self.lines if self.file else {})
        return Document(self.root, lines, self.file, tuple(self.mistakes))


def add_plain(value: Any, tree: Tree) -> None:
    """Add a Python value to the tree as YAML would read it; raises InputError for a value that YAML cannot express.

    A dataclass, such as a part of the catalogue, is the mapping of its fields that are not at their defaults.
    """
    if is_dataclass(value) and not isinstance(value, type):
        value = {item.name: getattr(value, item.name) for item in fields(value) if _is_set(value, item)}
    if isinstance(value, Mapping):
        tree.open({})
        for key, item in value.items():
            if isinstance(key, bool) or not isinstance(key, str | int):
                raise tree.refusal(0, f"the key {key!r:.60} is not text")
            tree.key(str(key))
            add_plain(item, tree)
        tree.close()
    elif isinstance(value, list | tuple):
        tree.open([])
        for item in value:
            add_plain(item, tree)
        tree.close()
    else:
        tree.add(_scalar(value, tree))


def _is_set(value: Any, item: Field[Any]) -> bool:
    return getattr(value, item.name) not in (item.default, {})


def _scalar(value: Any, tree: Tree) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral) and int(value).bit_length() <= MAX_BITS:
        return int(value)
    if isinstance(value, Real) and not isinstance(value, Integral):
        return _float(value, tree)
    if isinstance(value, Integral):
        raise tree.refusal(0, f"a number of {int(value).bit_length():,} bits; the maximum is {MAX_BITS}")
    raise tree.refusal(0, f"{value!r:.60} is a {type(value).__name__}, which a request cannot contain")


def _float(value: Real, tree: Tree) -> float:
    try:
        return float(value)
    except OverflowError:
        raise tree.refusal(0, "the number is too large") from None
