"""Published numbers held against a design: each key is found in the design object and compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fabric.errors import InputError, Mistake, nearest

__all__ = ["check"]


def check(design: Mapping[str, Any], expected: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each expected number: key, published, designed, ok.

    A key is a switch role (`leaf`), a bundle (`leaf-spine`), or a dotted path into the design object (`hops.max`;
    `switches` stands for `switches.total`). A number must be met exactly, or `within` its relative tolerance. A role
    or bundle that this fabric lacks counts 0. Raises InputError for keys that no design has.
    """
    mistakes = [
        Mistake(f"expected.{key}", f"no such number in a design{nearest(key, _known(design))}")
        for key in expected
        if _find(design, key) is None
    ]
    if mistakes:
        raise InputError(mistakes)
    return [_row(key, wanted, _find(design, key)) for key, wanted in expected.items()]


def _row(key: str, wanted: Any, found: Any) -> dict[str, Any]:
    published, within = (wanted["value"], wanted.get("within", 0)) if isinstance(wanted, Mapping) else (wanted, 0)
    number = isinstance(found, int | float)
    ok = abs(found - published) <= within * abs(published) if number else False
    return {"key": key, "published": published, "designed": found if number else None, "ok": ok}


def _find(design: Mapping[str, Any], key: str) -> Any:
    """Return the number under `key`; `unknown` for one that the design has without a value; None for none."""
    counts = {role: row["count"] for role, row in design["switches"]["by_role"].items()} | design["links"]["by_bundle"]
    if key in counts:
        return counts[key]
    if key in ABSENT:
        return 0
    value: Any = design
    for word in key.split("."):
        if not isinstance(value, Mapping) or word not in value:
            return None
        value = value[word]
    if isinstance(value, Mapping):
        value = value.get("total")
    if value is None:
        return "unknown"
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


ABSENT = ("leaf", "spine", "core", "super", "server-leaf", "leaf-spine", "spine-core", "core-super")
"""Roles and bundles of the built-in families: a fabric without them has none, which may be what was published."""


def _known(design: Mapping[str, Any]) -> list[str]:
    keys = [*design["switches"]["by_role"], *design["links"]["by_bundle"]]
    for key, value in design.items():
        if isinstance(value, int | float):
            keys.append(key)
        elif isinstance(value, Mapping) and key != "request":
            keys += [f"{key}.{word}" for word, inner in value.items() if isinstance(inner, int | float)]
    return keys
