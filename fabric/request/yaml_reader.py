"""Read a request from YAML or JSON text to a Document with the line of every key.

Only what a request needs is read: one document of mappings, lists, text, numbers, booleans and null, typed by the rules
of YAML 1.2, so that `NO` and `12:30` stay text. Anchors, aliases and tags are refused, so nothing can expand and no
object is built.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import yaml

from fabric.errors import InputError, Mistake
from fabric.request.document import MAX_VALUES, WHAT, Document, Tree, quoted
from fabric.request.plain_text import read_plain_text

__all__ = ["MAX_BYTES", "is_plain_text", "read_file", "read_text"]

MAX_BYTES = 2**20
"""The largest file that is read, in bytes; a request has a few hundred."""

_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*(_[0-9]+)*)")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_DIGITS = 100
_JSON_TOKEN = re.compile(r'[{}\[\]]|"(?:[^"\\]|\\.)*"|[^\s,:{}\[\]"]+')


def read_file(path: str | os.PathLike[str], what: str = WHAT, most: int = MAX_VALUES) -> Document:
    """Read the file at `path`, which messages name as it is given; `what` describes it where it is not a request.

    Raises InputError when it is not a regular, readable file, not one well-formed document, or has over `most` values
    or the bytes of as many: 1 MiB for a request.
    """
    small = "a request is a small file" if most == MAX_VALUES else "split it into several"
    text = read_plain_text(path, MAX_BYTES * most // MAX_VALUES, "a request is a YAML or JSON file", small)
    return read_text(text, quoted(os.fsdecode(path)), what, most)


def read_text(text: str, name: str, what: str = WHAT, most: int = MAX_VALUES) -> Document:
    """Read a request from `text`, as JSON if `name` ends in .json, else as YAML; raises InputError as read_file."""
    if strange := _UNREADABLE.search(text):
        line = text.count("\n", 0, strange.start()) + 1
        raise _refusal(f"{name}:{line}", f"control character U+{ord(strange[0]):04X}; write plain text")
    if not text.strip():
        raise _refusal(name, f"is empty; {what}")
    tree = Tree(name, what, most)
    read = _read_json if name.lower().endswith(".json") else _read_yaml
    read(text, tree)
    return tree.document()


def _refusal(place: str, text: str) -> InputError:
    return InputError([Mistake(place, text)])


def _read_yaml(text: str, tree: Tree) -> None:
    try:
        _add_events(text, tree)
    except yaml.YAMLError as error:
        mark: yaml.Mark | None = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or error
        if mark:
            _refuse_before(text[: mark.index], tree)
        raise tree.refusal(mark.line + 1 if mark else 1, f"not readable as YAML: {problem}") from None


def _add_events(text: str, tree: Tree) -> None:
    line = 1
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else line
        _refuse_aliases_and_tags(event, tree, line)
        _add_event(event, tree, line)


def _refuse_before(text: str, tree: Tree) -> None:
    """Refuse what a request can't hold in the text before the place where the YAML parser gave up.

    The parser scans ahead of its events, and has a limit on nesting: it may meet that before our own is checked.
    """
    with suppress(yaml.YAMLError):
        _add_events(text, Tree(tree.file, tree.what, tree.most))


def _refuse_aliases_and_tags(event: yaml.Event, tree: Tree, line: int) -> None:
    anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
    if isinstance(event, yaml.AliasEvent):
        raise tree.refusal(line, f"alias *{quoted(str(anchor))}: aliases are not supported; write the value in full")
    if anchor:
        raise tree.refusal(line, f"anchor &{quoted(anchor)}: anchors are not supported; write the value without one")
    if tag:
        raise tree.refusal(line, f"tag {quoted(tag)}: tags are not supported; write the plain value")
    if isinstance(event, yaml.DocumentStartEvent) and tree.complete:
        raise tree.refusal(line, "a second document begins; a file has one request")


def _add_event(event: yaml.Event, tree: Tree, line: int) -> None:
    if isinstance(event, yaml.MappingStartEvent):
        tree.open({}, line)
    elif isinstance(event, yaml.SequenceStartEvent):
        tree.open([], line)
    elif isinstance(event, yaml.CollectionEndEvent):
        tree.close()
    elif isinstance(event, yaml.ScalarEvent) and tree.expects_key:
        tree.key(event.value, line)
    elif isinstance(event, yaml.ScalarEvent):
        tree.add(_parse_scalar(event.value, tree, line) if event.implicit[0] else event.value, line)


def _parse_scalar(text: str, tree: Tree, line: int) -> Any:
    """Return the value of an unquoted YAML scalar: null, a boolean, a number, or else text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _parse_number(text, int, tree, line)
    if _FLOAT.fullmatch(text):
        return _parse_number(re.sub(r"\.(?=inf|nan)", "", text.lower()), float, tree, line)
    return text


def is_plain_text(text: str) -> bool:
    """Say whether a YAML scalar is read as text without quotes, and not as a number, a boolean or null."""
    return not (text in _WORDS or _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text))


def _parse_number(text: str, kind: type[int] | type[float], tree: Tree, line: int) -> int | float:
    if len(text) > _DIGITS:
        raise tree.refusal(line, f"a number of {len(text):,} characters; at most {_DIGITS}")
    return kind(text)


def _read_json(text: str, tree: Tree) -> None:
    try:
        json.loads(text, parse_constant=_refuse_constant, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise tree.refusal(error.lineno, f"not readable as JSON: {error.msg}") from None
    except RecursionError:
        raise tree.refusal(1, "nested too deeply; a request is a few levels deep") from None
    except ValueError as error:
        raise tree.refusal(1, f"not readable as JSON: {error}") from None
    for token, line in _json_tokens(text):
        _add_token(token, tree, line)


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not a JSON number")


def _json_tokens(text: str) -> Iterator[tuple[str, int]]:
    """Yield the tokens of well-formed JSON text, each with its line; commas and colons are left out."""
    line, seen = 1, 0
    for match in _JSON_TOKEN.finditer(text):
        line, seen = line + text.count("\n", seen, match.start()), match.start()
        yield match[0], line


def _add_token(token: str, tree: Tree, line: int) -> None:
    if token in "{[":
        tree.open({} if token == "{" else [], line)
    elif token in "}]":
        tree.close()
    elif tree.expects_key:
        tree.key(json.loads(token), line)
    elif token[0] == '"':
        tree.add(json.loads(token), line)
    else:
        tree.add(_parse_scalar(token, tree, line), line)
