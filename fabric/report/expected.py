"""Published numbers compared with a design: each key is found in the design object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fabric.errors import InputError, Mistake, nearest
from fabric.report.design import ExpectedNumber
from fabric.topology.families import families

__all__ = ["compare_expected"]


def compare_expected(design: Mapping[str, Any], expected: Mapping[str, Any]) -> tuple[ExpectedNumber, ...]:
    """Return each expected number with that of a design object.

    A key is a switch role (`leaf`), a bundle (`leaf-spine`), or a dotted path into the design object (`hops.max`;
    `switches` stands for `switches.total`). A number must be met exactly, or `within` its relative tolerance. A role
    or bundle that this fabric lacks counts 0. Raises InputError for keys that no design has.
    """
    absent = dict.fromkeys(_list_names(), 0) if expected else {}
    found = {key: absent.get(key) if (number := _find_number(design, key)) is None else number for key in expected}
    mistakes = [
        Mistake(f"expected.{key}", f"a design has no such number{nearest(key, _list_keys(design))}")
        for key, number in found.items()
        if number is None
    ]
    if mistakes:
        raise InputError(mistakes)
    return tuple(_compare(key, wanted, found[key]) for key, wanted in expected.items())


def _compare(key: str, wanted: Any, found: Any) -> ExpectedNumber:
    published, within = (wanted["value"], wanted.get("within", 0)) if isinstance(wanted, Mapping) else (wanted, 0)
    number = isinstance(found, int | float)
    ok = abs(found - published) <= within * abs(published) if number else False
    return ExpectedNumber(key, published, found if number else None, ok)


def _find_number(design: Mapping[str, Any], key: str) -> Any:
    """Return the number under `key`; `unknown` for one that the design has without a value; None for none."""
    counts = {role: row["count"] for role, row in design["switches"]["by_role"].items()} | design["links"]["by_bundle"]
    if key in counts:
        return counts[key]
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


def _list_names() -> set[str]:
    """Return the roles and bundles of every family: a fabric without one has 0, which may be what was published."""
    topologies = [topology for item in families().values() for topology in item.forms]
    names = {role for topology in topologies for role in topology.roles}
    return names | {bundle.name for topology in topologies for bundle in topology.bundles}


def _list_keys(design: Mapping[str, Any]) -> list[str]:
    keys = [*design["switches"]["by_role"], *design["links"]["by_bundle"]]
    for key, value in design.items():
        if isinstance(value, int | float):
            keys.append(key)
        elif isinstance(value, Mapping) and key != "request":
            keys += [f"{key}.{word}" for word, inner in value.items() if isinstance(inner, int | float)]
    return keys
