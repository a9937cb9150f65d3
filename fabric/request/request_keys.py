"""The keys of a request as keyword arguments, so that editors complete them and type checkers find mistakes.

A test holds them against the model (`fabric.request.model`), which says what each means (docs/request.md).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, SupportsFloat, SupportsIndex, TypedDict, TypeVar

if TYPE_CHECKING:
    from fabric.catalog import Server, Switch
    from fabric.topology.family import Family

__all__ = ["DesignKeys", "RequestKeys", "Whole", "list_request_keys"]

Whole = SupportsIndex
"""A whole number: an int, or an integer of numpy."""

Number = SupportsFloat
"""A number: an int or a float, or one of numpy."""

Ratio = SupportsFloat | str
"""A ratio: a number, or text such as `2:1`."""

Keys = Mapping[str, Any]
"""A mapping with keys of its own."""

PartKind = Literal["switch", "link", "module", "fibre", "cable", "nic"]
PricedKind = Literal[PartKind, "server"]
Medium = Literal["dac", "acc", "aec", "aoc", "mmf", "smf", "rj45"]


class DesignKeys(TypedDict, total=False):
    """The keys of a request but `gpus`: what a design is for each cluster size."""

    name: str
    title: str | None
    description: str | None
    server: str | Server | Keys | None
    servers: Sequence[Keys] | None
    mix: Literal["apart", "together"]
    family: str | Family | Sequence[str | Family]
    switches: str | Switch | Keys | Sequence[str | Switch | Keys]
    link_price_usd: Number | Mapping[str, Number] | None
    lengths_m: Number | Mapping[str, Number] | None
    media: Medium | Mapping[str, Medium] | None
    optics: Sequence[str]
    exclude_optics: Sequence[str]
    links: Sequence[Keys]
    prices_usd: Mapping[str, Number]
    prices_usd_per_m: Mapping[str, Number]
    currency: str
    discount: Number | Mapping[PricedKind, Number]
    spares: Number | Mapping[PartKind, Number]
    nic_usd: Number | None
    years: Number | None
    electricity_usd_per_kwh: Number | None
    pue: Number
    available: Mapping[str, Whole]
    link_gbps: Whole | Mapping[str, Whole] | None
    planes: Whole | Literal["any"] | Sequence[Whole] | None
    tiers: Whole | Literal["any"] | Sequence[Whole]
    rails: Whole | Literal["any"] | Sequence[Whole] | None
    oversubscription: Ratio | Mapping[str, Ratio | Mapping[str, Ratio]] | None
    uplink_spread: Literal["even", "balanced"]
    unit_gpus: Whole | None
    pod_gpus: Whole | Mapping[Literal["min", "max"], Whole] | None
    reserve: Whole | Mapping[str, Whole]
    appliances: Sequence[Keys]
    grow_to_gpus: Whole | Sequence[Whole] | Mapping[str, Whole] | None
    survive: Mapping[str, Number]
    nccl: Keys
    calibration: str | Keys | None
    as_built: str | None
    site: Keys
    limits: Keys
    pinned: Mapping[str, Whole]
    expected: Mapping[str, Number | Keys]
    sources: Sequence[str]


class RequestKeys(DesignKeys, total=False):
    """The keys of a request."""

    gpus: Whole | None


class _LeftOut:
    """The default of a key: what the request, or the model, has."""

    def __repr__(self) -> str:
        return "..."


Function = TypeVar("Function", bound=Callable[..., Any])


def list_request_keys(function: Function) -> Function:
    """Let `help` and the completion of IPython list the keys that a function takes as `**request`; a decorator."""
    signature, left_out = inspect.signature(function), _LeftOut()
    named = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    known = {each.name for each in named}
    keys = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=left_out, annotation=kind.__forward_arg__)
        for key, kind in inspect.get_annotations(RequestKeys).items()
        if key not in known
    ]
    vars(function)["__signature__"] = signature.replace(parameters=[*named, *keys])
    return function
