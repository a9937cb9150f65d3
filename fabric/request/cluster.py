"""A cluster of several fabrics: the request of each, the endpoints that it joins, and the totals that they share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from fabric.errors import InputError, Mistake, nearest
from fabric.frozen import FrozenMapping, freeze
from fabric.request.document import Document
from fabric.request.endpoints import SWITCHES, Endpoints, Joined, JoinKeys, joined_request, read_endpoints, read_joins
from fabric.request.limits import SHARED
from fabric.request.resolve import read_document
from fabric.request.spec import Spec

__all__ = ["CLUSTER_FILES", "ClusterSpec", "is_cluster", "read_cluster"]

KEYS = ("$schema", "name", "limits", "racks", "endpoints", "common", "fabrics")

CLUSTER_FILES = ("cluster.json", "report.md", "bill.csv", "cluster.svg", "cluster.png")
"""The files of a cluster, beside the folders of its fabrics, which have the fabrics' names."""

Join = Callable[[int], tuple[Joined, ...]]
"""What a fabric joins, given the switches of all others."""

Resolve = Callable[[Document], Spec]
"""Turns the request of one fabric into a Spec."""


@dataclass(frozen=True)
class ClusterSpec:
    """A request for a cluster of several fabrics."""

    name: str
    """The name of the cluster."""
    fabrics: Mapping[str, Spec]
    """The request of each fabric, by the fabric's name."""
    limits: Mapping[str, float]
    """The limits on the totals of all fabrics together, by key."""
    joins: Mapping[str, tuple[Joined, ...]] = field(default_factory=dict)
    """What each fabric joins, by its name; fabrics that have servers of their own request are left out."""
    managing: str | None = None
    """The fabric that joins the switches of all others, and is designed after them."""
    resized: Callable[[int], ClusterSpec] | None = field(default=None, compare=False, repr=False)
    """Returns the request, given the number of switches of all others; None where no fabric joins them."""

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def currency(self) -> str:
        """The currency of all amounts, which is that of every fabric."""
        return next(iter(self.fabrics.values())).currency


def is_cluster(source: str | os.PathLike[str] | Mapping[str, Any]) -> bool:
    """Say whether a request is of several fabrics; one that can't be read is not, and is refused where it is read."""
    try:
        values = read_document(source).values
    except InputError:
        return False
    return "fabrics" in values and "gpus" not in values


def read_cluster(source: str | os.PathLike[str] | Mapping[str, Any], resolve: Resolve) -> ClusterSpec:
    """Read a cluster from a file or a mapping of `fabrics`, with a `name`, `common` keys and shared `limits`.

    Each fabric is a request, which `resolve` turns into a Spec; a key of `common` applies to each that does not set it.
    What it `joins` are `endpoints` of the cluster. Raises InputError with every mistake, each at its line.
    """
    document = read_document(source, {})
    if "gpus" in document.values and "fabrics" not in document.values:
        remedy = "this is a request for one fabric; use `fabric design`"
        raise InputError([document.mistake(("gpus",), remedy)])
    mistakes = [*document.mistakes, *_unknown_keys(document)]
    limits = _shared_limits(document, mistakes)
    fabrics = _mapping_at(document, "fabrics", mistakes)
    _mapping_at(document, "common", mistakes)  # its keys are read with those of each fabric
    if not fabrics and not mistakes:
        example = "write for example fabrics: {compute: {gpus: 1024, ...}}"
        mistakes.append(Mistake(document.file, f"there are no fabrics; {example}"))
    name = document.values.get("name", "cluster")
    joins = _read_joins(document, fabrics, read_endpoints(document, mistakes), mistakes)
    found: dict[str, Spec] = {}
    for key in fabrics:
        try:
            found[key] = _resolve_fabric(document, key, str(name), joins.get(key), 1, resolve)
        except InputError as error:
            mistakes += [mistake for mistake in error.mistakes if mistake not in mistakes]
    if len(currencies := {spec.currency for spec in found.values()}) > 1:
        remedy = f"the fabrics have {' and '.join(sorted(currencies))}; write one `currency` under `common`"
        mistakes.append(document.mistake(("fabrics",), remedy))
    if mistakes:
        raise InputError(mistakes)
    every = {key: join(1) for key, join in joins.items() if join}
    managing = next((key for key, each in every.items() if SWITCHES in [one.endpoint for one in each]), None)
    spec = ClusterSpec(str(name), FrozenMapping(found), FrozenMapping(limits), FrozenMapping(every), managing)
    return replace(spec, resized=partial(_resize, spec, document, joins, resolve)) if managing else spec


def _resize(
    spec: ClusterSpec, document: Document, joins: Mapping[str, Join | None], resolve: Resolve, switches: int
) -> ClusterSpec:
    """Return the request of the fabric that joins the switches of all others, given their number."""
    key, join = str(spec.managing), joins[str(spec.managing)]
    found = _resolve_fabric(document, key, spec.name, join, switches, resolve)
    assert join is not None  # a fabric that is read without mistakes
    return replace(
        spec,
        fabrics=FrozenMapping({**spec.fabrics, key: found}),
        joins=FrozenMapping({**spec.joins, key: join(switches)}),
    )


def _read_joins(
    document: Document, fabrics: Mapping[str, Any], endpoints: Endpoints | None, mistakes: list[Mistake]
) -> dict[str, Join | None]:
    """Return what each fabric joins that says so; None where something is wrong with it, or with the endpoints."""
    asked = {key: each for key, each in fabrics.items() if isinstance(each, Mapping) and "joins" in each}
    managing = [key for key, each in asked.items() if isinstance(each["joins"], list) and SWITCHES in each["joins"]]
    for key in managing[1:]:
        text = (
            f"'{managing[0]}' joins the switches of all other fabrics already, and only one can come after all others"
        )
        mistakes.append(document.mistake(("fabrics", key, "joins"), text))
    if managing and len(fabrics) == 1:
        text = "joins the switches of all other fabrics, but there are none; leave `switches` out"
        mistakes.append(document.mistake(("fabrics", managing[0], "joins"), text))
    if endpoints is None:
        return dict.fromkeys(asked)
    return {key: read_joins(document.part(("fabrics", key), ()), endpoints, mistakes) for key in asked}


def _resolve_fabric(
    document: Document, key: str, cluster: str, join: Join | None, switches: int, resolve: Resolve
) -> Spec:
    """Return the Spec of one fabric; raises InputError."""
    part = _fabric_document(document, key, cluster)
    if "joins" not in part.values:
        return resolve(part)
    if join is None:  # the mistakes are known already
        raise InputError([])
    own = {name: value for name, value in part.values.items() if name not in JoinKeys.model_fields}
    own = {name: value for name, value in own.items() if name not in ("server", "servers", "gpus")}
    request = joined_request(key, join(switches), part.values.get("per_unit"))
    lines = dict(part.lines)
    lines |= {(name,): lines[("joins",)] for name in request if ("joins",) in lines}
    return resolve(replace(part, values={**own, **request}, lines=FrozenMapping(lines)))


def _fabric_document(document: Document, key: str, cluster: str) -> Document:
    """Return the request of the fabric called `key`, with the common keys and a name of its own."""
    if not key:
        raise InputError([document.mistake(("fabrics", key), "a fabric needs a name")])
    if key.lower() in CLUSTER_FILES:
        text = f"is the name of a file of the cluster; its files are {', '.join(CLUSTER_FILES)}; choose another name"
        raise InputError([document.mistake(("fabrics", key), text)])
    if not isinstance(document.values["fabrics"][key], Mapping):
        raise InputError([document.mistake(("fabrics", key), "is not a request; write a mapping of its keys")])
    part = document.part(("fabrics", key), ("common",))
    return replace(part, values={**part.values, "name": f"{cluster}-{key}"})


def _unknown_keys(document: Document) -> list[Mistake]:
    return [document.mistake((key,), f"unknown key{nearest(key, KEYS)}") for key in document.values if key not in KEYS]


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
