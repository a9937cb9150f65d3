"""What to write about an error that pydantic found: the value, what would be valid, and how to fix it."""

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

__all__ = ["explain_errors", "explain_missing"]

_TAGS = {
    "<one>": "a number",
    "<any>": "any",
    "<name>": "a name",
    "<list>": "a list",
    "<mapping>": "a mapping",
    "<range>": "a range of min and max",
    "<server>": "a mapping of a server's facts",
    "<switch>": "a mapping of a switch's facts",
    "<uplinks>": "a mapping of ports and rate_gbps",
    "<by tier>": "a mapping by tier",
    "<rack>": "a mapping of what a rack offers",
    "<by kind>": "a mapping by kind of rack",
}
_WANTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
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
            text = _message(dict(detail), model)
            yield str(keys[0]), document.mistake(keys, text)


def explain_missing(key: str, document: Document, model: type[BaseModel]) -> str:
    """Return the message for a key of `model` that is missing or empty, with an example."""
    return f"{'is empty' if key in document.values else 'missing'}{_example((key,), model)}"


def _format_value(value: Any) -> str:
    """Return a value as YAML, shortened, with all control characters escaped."""
    if isinstance(value, dict | list):
        return "this"
    text = repr(value) if isinstance(value, str) else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return text if len(text) <= 60 else text[:57] + "..."


def _message(detail: dict[str, Any], model: type[BaseModel]) -> str:
    kind, value, limits = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return f"missing{_example(detail['loc'], model)}"
    if kind == "extra_forbidden":
        return "unknown key" + _suggest_key(detail["loc"], model)
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", limits["expected"])
        if len(known) > 1 and isinstance(value, dict | list):
            return f"this is {_type_name(value)}, not one of {_join_or(known)}"
        if known != ["any"]:  # the text `any` alone is one form of a value among others
            return f"unknown value {_format_value(value)}" + nearest(value, known)
    if kind in _WANTED or kind == "union_tag_invalid":
        return _explain_type(detail, model)
    return _explain_bound(kind, value, limits) or str(detail["msg"])


def _explain_bound(kind: str, value: Any, limits: dict[str, Any]) -> str | None:
    match kind:
        case "greater_than":
            return f"{_format_value(value)} is too small; more than {limits['gt']:g}"
        case "greater_than_equal":
            return f"{_format_value(value)} is too small; at least {limits['ge']:g}"
        case "less_than_equal":
            return f"{_format_value(value)} is too large; at most {limits['le']:,.0f}"
        case "finite_number":
            return f"{_format_value(value)} is not a finite number"
        case "string_pattern_mismatch":
            return f"{_format_value(value)} is not valid; {WRITING[limits['pattern']]}"
        case "string_too_long":
            return f"{_format_value(value)} is {len(value):,} characters long; at most {limits['max_length']:,}"
        case "too_short":
            return "is empty; give at least one"
        case "too_long":
            return f"has over {limits['max_length']:,} items"
    return None


def _plain_number(text: str) -> str:
    """Return a number that was given as text; a whole one without exponent, point and underscores."""
    number = float(text.replace("_", ""))
    return f"{number:.0f}" if number.is_integer() and abs(number) < 1e15 else text.strip()


def _explain_type(detail: dict[str, Any], model: type[BaseModel]) -> str:
    """Return the message for a value of the wrong type, with the valid spelling where it can be guessed."""
    value, tags = detail["input"], re.findall(r"<[^>]+>", detail.get("ctx", {}).get("expected_tags", ""))
    wanted = _WANTED.get(detail["type"]) or _join_or([_TAGS[tag] for tag in tags])
    numeric = detail["type"] in ("int_type", "float_type", "literal_error") or "<one>" in tags
    shown = _format_value(value)
    if value is None:
        return f"is empty; leave the key out or write {wanted}"
    if isinstance(value, str) and numeric and _NUMBER.fullmatch(value):
        return f"{shown} is text, not {wanted}; write it without quotes: {_plain_number(value)[:40]}"
    if isinstance(value, float) and detail["type"] == "int_type":
        whole = f"; write {value:.0f}" if value.is_integer() and abs(value) < 1e15 else ""
        return f"{shown} is not a whole number{whole}"
    if "text" in wanted and not isinstance(value, dict | list):
        if isinstance(value, float):  # whose spelling is lost: 2.30 is 2.3
            return f"{shown} is a number, not {wanted}; write it in quotes, with the zeros at its end: '{shown}'"
        return f"{shown} is {_type_name(value)}, not {wanted}; write it in quotes: '{shown}'"
    return f"{shown} is {_type_name(value)}, not {wanted}{_example(detail['loc'], model)}"


def _type_name(value: Any) -> str:
    kinds = {bool: "a boolean", str: "text", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return kinds.get(type(value), "something else")


def _join_or(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _example(loc: Keys, model: type[BaseModel]) -> str:
    field = _field(loc, model)
    if field is None or not field.examples:
        return ""
    key = next(part for part in reversed(loc) if part not in _TAGS)
    return f"; write for example `{key}: {field.examples[0]}`"


def _field(loc: Keys, model: type[BaseModel]) -> FieldInfo | None:
    """Return the field of an error, or None where the error is further inside a field."""
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


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    """Return the model within a type such as `list[Model]` or `dict[str, Model | float] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for inner in get_args(annotation) if (model := _model_inside(inner))), None)


def _suggest_key(loc: Keys, model: type[BaseModel]) -> str:
    """Return a suggestion for an unknown key: the nearest of its mapping, or at the top one of an inner mapping."""
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
