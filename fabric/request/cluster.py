"""A cluster of several fabrics: the request of each, and the totals that they share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from fabric.errors import InputError, Mistake, nearest
from fabric.request.document import Document
from fabric.request.limits import SHARED
from fabric.request.resolve import read_document
from fabric.request.spec import Spec

__all__ = ["ClusterSpec", "read_cluster"]

KEYS = ("name", "limits", "common", "fabrics")


@dataclass(frozen=True)
class ClusterSpec:
    """A request for a cluster of several fabrics."""

    name: str
    """The name of the cluster."""
    fabrics: Mapping[str, Spec]
    """The request of each fabric, by the fabric's name."""
    limits: Mapping[str, float]
    """The limits on the totals of all fabrics together, by key."""

    @property
    def currency(self) -> str:
        """The currency of all amounts, which is that of every fabric."""
        return next(iter(self.fabrics.values())).currency


def read_cluster(
    source: str | os.PathLike[str] | Mapping[str, Any], resolve: Callable[[Document], Spec]
) -> ClusterSpec:
    """Read a cluster from a file or a mapping of `fabrics`, with a `name`, `common` keys and shared `limits`.

    Each fabric is a request, which `resolve` turns into a Spec; a key of `common` applies to each that does not set it.
    Raises InputError with every mistake, each at its line.
    """
    document = read_document(source, {})
    if "gpus" in document.values and "fabrics" not in document.values:
        remedy = "this is a request for one fabric; use `fabric design`"
        raise InputError([document.mistake(("gpus",), remedy, bare=True)])
    mistakes = [*document.mistakes, *_unknown_keys(document)]
    limits = _shared_limits(document, mistakes)
    fabrics = _mapping_at(document, "fabrics", mistakes)
    _mapping_at(document, "common", mistakes)  # its keys are read with those of each fabric
    if not fabrics and not mistakes:
        example = "write for example fabrics: {compute: {gpus: 1024, ...}}"
        mistakes.append(Mistake(document.file, f"there are no fabrics; {example}"))
    name = document.values.get("name", "cluster")
    found: dict[str, Spec] = {}
    for key in fabrics:
        try:
            found[key] = resolve(_fabric_document(document, key, name))
        except InputError as error:
            mistakes += error.mistakes
    if len(currencies := {spec.currency for spec in found.values()}) > 1:
        remedy = f"the fabrics have {' and '.join(sorted(currencies))}; write one `currency` under `common`"
        mistakes.append(document.mistake(("fabrics",), remedy, bare=True))
    if mistakes:
        raise InputError(mistakes)
    return ClusterSpec(str(name), MappingProxyType(found), MappingProxyType(limits))


def _fabric_document(document: Document, key: str, cluster: str) -> Document:
    """Return the request of the fabric called `key`, with the common keys and a name of its own."""
    if not key:
        raise InputError([document.mistake(("fabrics", key), "a fabric needs a name")])
    if not isinstance(document.values["fabrics"][key], Mapping):
        raise InputError([document.mistake(("fabrics", key), "is not a request; write a mapping of its keys")])
    part = document.part(("fabrics", key), ("common",))
    return replace(part, values={**part.values, "name": f"{cluster}-{key}"})


def _unknown_keys(document: Document) -> list[Mistake]:
    return [
        document.mistake((key,), f"unknown key{nearest(key, KEYS)}", bare=True)
        for key in document.values
        if key not in KEYS
    ]


def _shared_limits(document: Document, mistakes: list[Mistake]) -> dict[str, float]:
    limits = {}
    for key, value in _mapping_at(document, "limits", mistakes).items():
        if key not in SHARED:
            mistakes.append(document.mistake(("limits", key), f"unknown shared limit{nearest(key, SHARED)}"))
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e15:
            mistakes.append(document.mistake(("limits", key), f"{value!r:.60} is not a number above 0"))
        else:
            limits[key] = value
    return limits


def _mapping_at(document: Document, key: str, mistakes: list[Mistake]) -> Mapping[str, Any]:
    value = document.values.get(key)
    if value is None or isinstance(value, Mapping):
        return value or {}
    mistakes.append(document.mistake((key,), "is not a mapping"))
    return {}
