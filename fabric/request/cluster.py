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
    """The fabrics of a cluster by name, and the limits on their totals together."""

    name: str
    fabrics: Mapping[str, Spec]
    limits: Mapping[str, float]


def read_cluster(
    source: str | os.PathLike[str] | Mapping[str, Any], resolve: Callable[[Document], Spec]
) -> ClusterSpec:
    """Read a cluster from a file or a mapping of `fabrics`, with `name`, `common` words and shared `limits`.

    Each fabric is a request, which `resolve` turns into a Spec; the words of `common` hold in each that does not say
    otherwise. Raises InputError with every mistake, each at its line.
    """
    document = read_document(source, {})
    if "gpus" in document.values and "fabrics" not in document.values:
        raise InputError([document.mistake(("gpus",), "a request of one fabric; `fabric design` takes it", bare=True)])
    mistakes = [*document.mistakes, *_unknown(document)]
    limits = _limits(document, mistakes)
    fabrics = _mapping(document, "fabrics", mistakes)
    _mapping(document, "common", mistakes)  # its words are read with each fabric's
    if not fabrics and not mistakes:
        mistakes.append(Mistake(document.file, "no fabrics; write for example fabrics: {compute: {gpus: 1024, ...}}"))
    name = document.values.get("name", "cluster")
    found: dict[str, Spec] = {}
    for key in fabrics:
        if not key:
            mistakes.append(document.mistake(("fabrics", key), "a fabric needs a name"))
        elif isinstance(fabrics[key], Mapping):
            part = document.part(("fabrics", key), ("common",))
            try:
                found[key] = resolve(replace(part, values={**part.values, "name": f"{name}-{key}"}))
            except InputError as error:
                mistakes += error.mistakes
        else:
            mistakes.append(document.mistake(("fabrics", key), "is no request; write a mapping of its words"))
    if mistakes:
        raise InputError(mistakes)
    return ClusterSpec(str(name), MappingProxyType(found), MappingProxyType(limits))


def _unknown(document: Document) -> list[Mistake]:
    return [
        document.mistake((key,), f"unknown key{nearest(key, KEYS)}", bare=True)
        for key in document.values
        if key not in KEYS
    ]


def _limits(document: Document, mistakes: list[Mistake]) -> dict[str, float]:
    limits = {}
    for key, value in _mapping(document, "limits", mistakes).items():
        if key not in SHARED:
            mistakes.append(document.mistake(("limits", key), f"no total that fabrics share{nearest(key, SHARED)}"))
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e15:
            mistakes.append(document.mistake(("limits", key), f"{value!r:.60} is no number above 0"))
        else:
            limits[key] = value
    return limits


def _mapping(document: Document, key: str, mistakes: list[Mistake]) -> Mapping[str, Any]:
    value = document.values.get(key)
    if value is None or isinstance(value, Mapping):
        return value or {}
    mistakes.append(document.mistake((key,), "is no mapping"))
    return {}
