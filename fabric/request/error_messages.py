"""What to say of a mistake that pydantic found: the value, what would be right, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from fabric.errors import Mistake, nearest
from fabric.request.document import Document, Keys
from fabric.request.fields import WRITING

__all__ = ["explain_errors"]

_TAGS = {
    "<one>": "a number",
    "<any>": "any",
    "<name>": "a name",
    "<list>": "a list",
    "<mapping>": "a mapping",
    "<range>": "a mapping of min and max",
    "<server>": "a mapping of a server's facts",
    "<switch>": "a mapping of a switch's facts",
    "<by tier>": "a mapping by tier",
}
_WANTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "literal_error": "any, a whole number or a list",
}
_NUMBER = re.compile(r"\s*[-+]?\d[\d_]*(\.\d*)?([eE][-+]?\d+)?\s*", re.ASCII)


def explain_errors(error: ValidationError, document: Document, model: type[BaseModel]) -> Iterator[tuple[str, Mistake]]:
    """Yield the mistakes of a validation by `model`, one for each place, with the top-level key that each is in."""
    seen: set[Keys] = set()
    for detail in error.errors(include_url=False):
        keys = tuple(part for part in detail["loc"] if part not in _TAGS and part != "[key]")
        if keys not in seen:
            seen.add(keys)
            text = _text(dict(detail), model)
            yield str(keys[0]), document.mistake(keys, text, bare=text.startswith("unknown key"))


def _show(value: Any) -> str:
    """Write a value as its YAML, shortened, with all control characters escaped."""
    if isinstance(value, dict | list):
        return "this"
    text = repr(value) if isinstance(value, str) else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return text if len(text) <= 60 else text[:57] + "..."


def _text(detail: dict[str, Any], model: type[BaseModel]) -> str:
    kind, value, limits = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return f"missing{_example(detail['loc'], model)}"
    if kind == "extra_forbidden":
        return "unknown key" + _nearest_field(detail["loc"], model)
    if kind == "literal_error" and detail["loc"][-1] not in _TAGS:
        field = _field(detail["loc"], model)
        return f"unknown value {_show(value)}" + nearest(value, _literals(field.annotation) if field else ())
    if kind in _WANTED or kind == "union_tag_invalid":
        return _wrong_kind(detail, model)
    return _out_of_bounds(kind, value, limits) or str(detail["msg"])


def _out_of_bounds(kind: str, value: Any, limits: dict[str, Any]) -> str | None:
    match kind:
        case "greater_than":
            return f"{_show(value)} is too small; more than {limits['gt']:g}"
        case "greater_than_equal":
            return f"{_show(value)} is too small; at least {limits['ge']:g}"
        case "less_than_equal":
            return f"{_show(value)} is too large; at most {limits['le']:,.0f}"
        case "finite_number":
            return f"{_show(value)} is no finite number"
        case "string_pattern_mismatch":
            return f"{_show(value)} is not well written; {WRITING[limits['pattern']]}"
        case "string_too_long":
            return f"{_show(value)} is {len(value):,} characters long; at most {limits['max_length']:,}"
        case "too_short":
            return "is empty; name at least one"
        case "too_long":
            return f"holds over {limits['max_length']:,} items"
    return None


def _plainly(text: str) -> str:
    """Return a number written as text without its exponent, point or underscores where it is whole."""
    number = float(text.replace("_", ""))
    return f"{number:.0f}" if number.is_integer() and abs(number) < 1e15 else text.strip()


def _wrong_kind(detail: dict[str, Any], model: type[BaseModel]) -> str:
    value, tags = detail["input"], re.findall(r"<[^>]+>", detail.get("ctx", {}).get("expected_tags", ""))
    wanted = _WANTED.get(detail["type"]) or _listed([_TAGS[tag] for tag in tags])
    numeric = detail["type"] in ("int_type", "float_type", "literal_error") or "<one>" in tags
    if value is None:
        return f"is empty; leave the key out or write {wanted}"
    if isinstance(value, str) and numeric and _NUMBER.fullmatch(value):
        return f"{_show(value)} is text, not {wanted}; write it without quotes: {_plainly(value)[:40]}"
    if isinstance(value, float) and detail["type"] == "int_type":
        whole = f"; write {value:.0f}" if value.is_integer() and abs(value) < 1e15 else ""
        return f"{_show(value)} is not a whole number{whole}"
    if "text" in wanted and not isinstance(value, dict | list):
        return f"{_show(value)} is {_kind(value)}, not {wanted}; write it in quotes: '{_show(value)}'"
    return f"{_show(value)} is {_kind(value)}, not {wanted}{_example(detail['loc'], model)}"


def _kind(value: Any) -> str:
    kinds = {bool: "a boolean", str: "text", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return kinds.get(type(value), "something else")


def _listed(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _example(loc: Keys, model: type[BaseModel]) -> str:
    field = _field(loc, model)
    if field is None or not field.examples:
        return ""
    key = next(part for part in reversed(loc) if part not in _TAGS)
    return f"; write for example `{key}: {field.examples[0]}`"


def _field(loc: Keys, model: type[BaseModel]) -> FieldInfo | None:
    """Return the field in which an error is, or None when it is further inside one."""
    while loc and loc[-1] in _TAGS:
        loc = loc[:-1]
    mapping = _model_around(loc, model)
    return mapping.model_fields.get(str(loc[-1])) if mapping and loc else None


def _model_around(loc: Keys, model: type[BaseModel]) -> type[BaseModel] | None:
    """Return the model of the mapping in which a key is; each field has at most one model inside."""
    found: type[BaseModel] | None = model
    for key in loc[:-1]:
        if found and str(key) in found.model_fields:
            found = _model_inside(found.model_fields[str(key)].annotation)
    return found


def _literals(annotation: Any) -> Iterator[str]:
    """Yield the words that an annotation allows by name."""
    for each in get_args(annotation):
        if isinstance(each, str):
            yield each
        else:
            yield from _literals(each)


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    """Return the model within a type such as `list[Model]` or `dict[str, Model | float] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for inner in get_args(annotation) if (model := _model_inside(inner))), None)


def _nearest_field(loc: Keys, model: type[BaseModel]) -> str:
    """Return the remedy for an unknown key: the nearest of its mapping, or at the top one that belongs further in."""
    word = str(loc[-1])
    if len(loc) > 1:
        around = _model_around(loc, model)
        return nearest(word, around.model_fields) if around else ""
    top = [field.alias or name for name, field in model.model_fields.items()]
    homes = _inner_fields(model)
    close = get_close_matches(word.lower(), {**homes, **dict.fromkeys(top)}, 1, 0.55)
    return f"; did you mean '{homes[close[0]]}'?" if close and close[0] not in top else nearest(word, top)


def _inner_fields(model: type[BaseModel]) -> dict[str, str]:
    """Return the path of every field one level further in, by its name; the first of each name."""
    found: dict[str, str] = {}
    for home, field in model.model_fields.items():
        inner = _model_inside(field.annotation)
        for name in inner.model_fields if inner else ():
            found.setdefault(name, f"{home}.{name}")
    return found
