"""The endpoints of a cluster, each kind listed once, and the ports by which its fabrics join them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Discriminator, Field, Tag, ValidationError

from fabric import catalog
from fabric.errors import Mistake, nearest
from fabric.frozen import FrozenMapping, freeze
from fabric.request.document import Document
from fabric.request.error_messages import explain_errors
from fabric.request.fields import Count, Gbps, Gpus, Name, StrictModel, tag
from fabric.request.server_lists import AskedServer

__all__ = [
    "SWITCHES",
    "EndpointKeys",
    "EndpointKind",
    "Endpoints",
    "JoinKeys",
    "Joined",
    "joined_request",
    "read_endpoints",
    "read_joins",
]

SWITCHES = "switches"
"""The endpoints that no list has: the switches of all other fabrics, which a management network joins."""


class EndpointKind(StrictModel):
    """A kind of endpoint of a cluster."""

    server: AskedServer | None = Field(default=None, examples=["dgx-h100"])
    """The server, a catalogue name or a mapping of facts; default: a device that has only the ports of `nics`."""
    count: Gpus | None = Field(default=None, examples=[128])
    """The number of these endpoints."""
    per_rack: Count | None = Field(default=None, examples=[2])
    """Instead of `count`: how many there are in each of the cluster's `racks`."""
    of: Annotated[list[Name], Field(min_length=1, max_length=100)] | None = Field(default=None, examples=[["storage"]])
    """Instead of `count`: the kinds of which each endpoint has one of these, as a server has a BMC."""


class EndpointKeys(StrictModel):
    """The keys of a cluster that count endpoints."""

    racks: Count | None = Field(default=None, examples=[40])
    """The racks of the cluster, for endpoints that are counted `per_rack`."""
    endpoints: dict[Name, EndpointKind] = Field(default={}, max_length=100)
    """The kinds of endpoints by name."""


PerEndpoint = Annotated[
    Annotated[Count, Tag("<one>")] | Annotated[dict[Name, Count], Tag("<mapping>"), Field(min_length=1)],
    Discriminator(tag),
]
GbpsPerEndpoint = Annotated[
    Annotated[Gbps, Tag("<one>")] | Annotated[dict[Name, Gbps], Tag("<mapping>"), Field(min_length=1)],
    Discriminator(tag),
]


class JoinKeys(StrictModel):
    """The keys of a fabric that say which endpoints it joins."""

    joins: Annotated[list[Name], Field(min_length=1, max_length=100)] = Field(examples=[["gpu-servers", "storage"]])
    """Names of the `endpoints` that the fabric joins, or `switches`; instead of `server`, `servers` and `gpus`."""
    nics: PerEndpoint | None = Field(default=None, examples=[1, {"gpu-servers": 2}])
    """Ports of an endpoint on this fabric, one or by endpoint; default: its server's NICs, or 1 at `nic_gbps`."""
    nic_gbps: GbpsPerEndpoint | None = Field(default=None, examples=[1, {"gpu-servers": 200}])
    """Rate of these ports in Gb/s, one or by endpoint; default: that of its server's NICs."""
    per_unit: Count | None = Field(default=None, examples=[40])
    """Endpoints of a kind in a scalable unit, alike ones together; default: sizing chooses."""


@dataclass(frozen=True)
class Endpoints:
    """The endpoints of a cluster."""

    counts: Mapping[str, int]
    """The number of each kind."""
    servers: Mapping[str, Any]
    """The server of each kind as it was written, a name or a mapping of facts; those without are left out."""

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True)
class Joined:
    """Equal endpoints of one fabric."""

    endpoint: str
    """The name of their kind."""
    count: int
    """The number of them."""
    server: str | Mapping[str, Any]
    """What each is to the fabric, as in a request: its server, or ports by which no GPU is joined."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """The number and the rate of its NICs, and its GPUs: `nics`, `nic_gbps` and `gpus`."""
        server = self.server
        every = vars(catalog.servers()[server]) if isinstance(server, str) else server
        return {key: every[key] for key in ("nics", "nic_gbps", "gpus")}


Model = TypeVar("Model", bound=BaseModel)


def read_endpoints(document: Document, mistakes: list[Mistake]) -> Endpoints | None:
    """Return the endpoints of a cluster; what is wrong with them is added to `mistakes`.

    None where one could not be read, so that their names are not known.
    """
    found = _validate(EndpointKeys, document, mistakes)
    if found is None:
        return None
    mistakes += (document.mistake(("endpoints", *keys), text) for keys, text in _find_contradictions(found))
    counts = {name: _count(kind, found) for name, kind in found.endpoints.items()}
    written = document.values.get("endpoints") or {}
    servers = {name: written[name]["server"] for name, kind in found.endpoints.items() if kind.server is not None}
    return Endpoints(FrozenMapping(counts), FrozenMapping(servers))


def _validate(model: type[Model], document: Document, mistakes: list[Mistake]) -> Model | None:
    """Return the keys of `model` that a document has; None where one is wrong."""
    own = {key: value for key, value in document.values.items() if key in model.model_fields}
    try:
        return model.model_validate(own)
    except ValidationError as error:
        mistakes += (mistake for _, mistake in explain_errors(error, document, model))
        return None


def _find_contradictions(keys: EndpointKeys) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, kind in keys.endpoints.items():
        given = [key for key in ("count", "per_rack", "of") if getattr(kind, key) is not None]
        if name == SWITCHES:
            yield (name,), "are those of all other fabrics, and counted once these are designed; choose another name"
        elif len(given) != 1:
            said = " and ".join(given) or "no number"
            yield (name,), f"has {said}; write one of `count`, `per_rack` and `of`"
        elif kind.per_rack and keys.racks is None:
            yield (name, "per_rack"), "is for each rack, but their number is missing; write for example `racks: 40`"
        for other in kind.of or ():
            counted = [each for each, one in keys.endpoints.items() if one.of is None]
            if other not in counted:
                yield (name, "of"), f"'{other}' is no kind with a number of its own{nearest(other, counted)}"


def _count(kind: EndpointKind, keys: EndpointKeys) -> int:
    """Return the number of a kind; 0 where it is not well defined, which is a mistake of its own."""
    if kind.of is not None:
        others = (keys.endpoints.get(name) for name in dict.fromkeys(kind.of))
        return sum(_count(other, keys) for other in others if other and other.of is None)
    return kind.count or (kind.per_rack or 0) * (keys.racks or 0)


def read_joins(
    document: Document, endpoints: Endpoints, mistakes: list[Mistake]
) -> Callable[[int], tuple[Joined, ...]] | None:
    """Return what a fabric joins, given the number of switches of the others; what is wrong is added to `mistakes`.

    `document` has the keys of the fabric. None where something is wrong.
    """
    before = len(mistakes)
    for key in ("server", "servers", "gpus"):
        if document.values.get(key) is not None:
            mistakes.append(document.mistake((key,), "follows from what the fabric `joins`; keep one of them"))
    keys = _validate(JoinKeys, document, mistakes)
    if keys:
        mistakes += (document.mistake(place, text) for place, text in _find_unknown(keys, endpoints))
    if not keys or len(mistakes) > before:
        return None
    servers = {name: _server_on(name, keys, endpoints) for name in keys.joins}
    return lambda switches: tuple(
        Joined(name, endpoints.counts.get(name, switches), server) for name, server in servers.items()
    )


def _find_unknown(keys: JoinKeys, endpoints: Endpoints) -> Iterator[tuple[tuple[str | int, ...], str]]:
    known = (*endpoints.counts, SWITCHES)
    for index, name in enumerate(keys.joins):
        if name not in known:
            yield ("joins", index), f"unknown endpoint '{name}'{nearest(name, known)}"
        elif name in keys.joins[:index]:
            yield ("joins", index), f"'{name}' is joined twice; keep one"
        elif name not in endpoints.servers and _value_of(keys.nic_gbps, name) is None:
            yield ("joins", index), f"'{name}' has no server, so its rate is missing; write for example `nic_gbps: 1`"
    for key in ("nics", "nic_gbps"):
        asked = getattr(keys, key)
        for name in asked if isinstance(asked, dict) else ():
            if name not in keys.joins:
                yield (key, name), f"is no endpoint that the fabric joins{nearest(name, keys.joins)}"


def _value_of(asked: int | Mapping[str, int] | None, name: str) -> int | None:
    return asked.get(name) if isinstance(asked, Mapping) else asked


def _server_on(name: str, keys: JoinKeys, endpoints: Endpoints) -> str | Mapping[str, Any]:
    """Return what an endpoint is to a fabric: its server where it has its own NICs there, otherwise ports."""
    nics, gbps, own = _value_of(keys.nics, name), _value_of(keys.nic_gbps, name), endpoints.servers.get(name)
    if nics is None and gbps is None and own is not None:
        return own if isinstance(own, str) else dict(own)
    rate = gbps or Joined(name, 0, own or {}).facts["nic_gbps"]
    return {"name": name, "gpus": 0, "nics": nics or 1, "nic_gbps": rate}


def joined_request(fabric: str, joined: Sequence[Joined], per_unit: int | None = None) -> dict[str, Any]:
    """Return the keys of a request for what a fabric joins: `server`, `gpus` and perhaps `unit_gpus`, or `servers`.

    Endpoints that differ in no more than their name are one kind of servers, placed in their order.
    """
    alike: dict[str, list[Joined]] = {}
    for each in joined:
        alike.setdefault(_likeness(each), []).append(each)
    merged = [_merge(f"{fabric}-endpoint", each) for each in alike.values()]
    gpus = merged[0].facts["gpus"]
    if len(merged) == 1 and gpus:
        unit = {} if per_unit is None else {"unit_gpus": per_unit * gpus}
        return {"server": merged[0].server, "gpus": merged[0].count * gpus, **unit}
    unit = {} if per_unit is None else {"per_unit": per_unit}
    return {"servers": [{"server": each.server, "count": each.count, **unit} for each in merged]}


def _likeness(joined: Joined) -> str:
    """Return a text that is the same for endpoints that a fabric can't tell apart."""
    if isinstance(joined.server, str) or joined.facts["gpus"]:
        return repr(joined.server)
    return repr(sorted((key, value) for key, value in joined.server.items() if key != "name"))


def _merge(name: str, joined: Sequence[Joined]) -> Joined:
    """Return alike endpoints as one kind, with a name of its own where they have several."""
    first = joined[0]
    if any(each.server != first.server for each in joined):
        first = replace(first, endpoint=name, server={**dict(first.server), "name": name})  # type: ignore[arg-type]
    return replace(first, count=sum(each.count for each in joined))
