"""What to say of a mistake that pydantic found: the value, what would be right, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from fabric.errors import Mistake, nearest
from fabric.request.document import Document, Keys
from fabric.request.fields import WRITING
from fabric.request.job import JobFields
from fabric.request.link import InlineLink
from fabric.request.model import InlineServer, InlineSwitch, Published, RatioRange, Request, RequestLimits
from fabric.request.table import DiffersFields, RowFields, TableFields

__all__ = ["shown", "told"]

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
_MODELS: dict[str | int, type[BaseModel]] = {
    "<server>": InlineServer,
    "<switch>": InlineSwitch,
    "limits": RequestLimits,
    "links": InlineLink,
    "jobs": JobFields,
    "<table>": TableFields,
    "rows": RowFields,
    "differs": DiffersFields,
    "<mapping>": Published,
    "<range>": RatioRange,
}
_HOMES: dict[str, type[BaseModel]] = {"limits": RequestLimits, "switches": InlineSwitch, "server": InlineServer}
_NUMBER = re.compile(r"\s*[-+]?\d[\d_]*(\.\d*)?([eE][-+]?\d+)?\s*", re.ASCII)


def told(error: ValidationError, document: Document, kind: str = "") -> Iterator[tuple[str, Mistake]]:
    """Yield the mistakes of a validation, one for each place, with the top-level key that each is in.

    A document of another `kind` than a request is read by that one of `_MODELS`.
    """
    seen: set[Keys] = set()
    for detail in error.errors(include_url=False):
        keys = tuple(part for part in detail["loc"] if part not in _TAGS and part != "[key]")
        if keys not in seen:
            seen.add(keys)
            text = _text({**detail, "loc": (kind, *detail["loc"]) if kind else detail["loc"]})
            yield str(keys[0]), document.mistake(keys, text, bare=text.startswith("unknown key"))


def shown(value: Any) -> str:
    """Write a value as its YAML, shortened, with all control characters escaped."""
    if isinstance(value, dict | list):
        return "this"
    text = repr(value) if isinstance(value, str) else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return text if len(text) <= 60 else text[:57] + "..."


def _text(detail: dict[str, Any]) -> str:
    kind, value, limits = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return f"missing{_example(detail['loc'])}"
    if kind == "extra_forbidden":
        return "unknown key" + _nearest_field(detail["loc"])
    if kind == "literal_error" and detail["loc"][-1] == "[key]":
        return "unknown key" + nearest(value, re.findall(r"'([^']+)'", limits["expected"]))
    if kind in _WANTED or kind == "union_tag_invalid":
        return _wrong_kind(detail)
    return _out_of_bounds(kind, value, limits) or str(detail["msg"])


def _out_of_bounds(kind: str, value: Any, limits: dict[str, Any]) -> str | None:
    match kind:
        case "greater_than":
            return f"{shown(value)} is too small; more than {limits['gt']:g}"
        case "greater_than_equal":
            return f"{shown(value)} is too small; at least {limits['ge']:g}"
        case "less_than_equal":
            return f"{shown(value)} is too large; at most {limits['le']:,.0f}"
        case "finite_number":
            return f"{shown(value)} is no finite number"
        case "string_pattern_mismatch":
            return f"{shown(value)} is not well written; {WRITING[limits['pattern']]}"
        case "string_too_long":
            return f"{shown(value)} is {len(value):,} characters long; at most {limits['max_length']:,}"
        case "too_short":
            return "is empty; name at least one"
        case "too_long":
            return f"holds over {limits['max_length']:,} items"
    return None


def _plainly(text: str) -> str:
    """Return a number written as text without its exponent, point or underscores where it is whole."""
    number = float(text.replace("_", ""))
    return f"{number:.0f}" if number.is_integer() and abs(number) < 1e15 else text.strip()


def _wrong_kind(detail: dict[str, Any]) -> str:
    value, tags = detail["input"], re.findall(r"<[^>]+>", detail.get("ctx", {}).get("expected_tags", ""))
    wanted = _WANTED.get(detail["type"]) or _listed([_TAGS[tag] for tag in tags])
    numeric = detail["type"] in ("int_type", "float_type", "literal_error") or "<one>" in tags
    if value is None:
        return f"is empty; leave the key out or write {wanted}"
    if isinstance(value, str) and numeric and _NUMBER.fullmatch(value):
        return f"{shown(value)} is text, not {wanted}; write it without quotes: {_plainly(value)[:40]}"
    if isinstance(value, float) and detail["type"] == "int_type":
        whole = f"; write {value:.0f}" if value.is_integer() and abs(value) < 1e15 else ""
        return f"{shown(value)} is not a whole number{whole}"
    if "text" in wanted and not isinstance(value, dict | list):
        return f"{shown(value)} is {_kind(value)}, not {wanted}; write it in quotes: '{shown(value)}'"
    return f"{shown(value)} is {_kind(value)}, not {wanted}{_example(detail['loc'])}"


def _kind(value: Any) -> str:
    kinds = {bool: "a boolean", str: "text", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return kinds.get(type(value), "something else")


def _listed(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _example(loc: Keys) -> str:
    field = _field(loc)
    if field is None or not field.examples:
        return ""
    key = next(part for part in reversed(loc) if part not in _TAGS)
    return f"; write for example `{key}: {field.examples[0]}`"


def _field(loc: Keys) -> FieldInfo | None:
    """Return the field that an error stands at, or None when it is inside one."""
    while loc and loc[-1] in _TAGS:
        loc = loc[:-1]
    model = _model(loc)
    return model.model_fields.get(str(loc[-1])) if model and loc else None


def _model(loc: Keys) -> type[BaseModel] | None:
    """Return the model of the mapping that a key stands in, which may be an item of a list."""
    around = [key for key in loc[:-1] if not isinstance(key, int)]
    return _MODELS.get(around[-1]) if around else Request


def _nearest_field(loc: Keys) -> str:
    """Return the remedy for an unknown key: the nearest of its mapping, or at the top one that belongs further in."""
    word = str(loc[-1])
    if len(loc) > 1:
        model = _model(loc)
        return nearest(word, model.model_fields) if model else ""
    top = [field.alias or name for name, field in Request.model_fields.items()]
    homes = {name: f"{home}.{name}" for home, model in _HOMES.items() for name in model.model_fields}
    close = get_close_matches(word.lower(), {**homes, **dict.fromkeys(top)}, 1, 0.55)
    return f"; did you mean '{homes[close[0]]}'?" if close and close[0] not in top else nearest(word, top)
