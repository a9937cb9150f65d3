"""From a request in any form to a Spec; all mistakes in it are reported at once."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from functools import partial
from math import gcd
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fabric.errors import InputError, MissingFile, Mistake, nearest
from fabric.frozen import FrozenMapping
from fabric.request import chosen_parts
from fabric.request.calibration import calibrated_constants, inline_calibration
from fabric.request.calibration_keys import CalibrationKeys
from fabric.request.checks import allowed_families, allowed_tiers, find_contradictions, own_values
from fabric.request.document import Document, Tree, add_plain, dotted, quoted
from fabric.request.error_messages import explain_errors, explain_missing
from fabric.request.known_names import KnownNames
from fabric.request.library_keys import library_of
from fabric.request.limits import Limits
from fabric.request.model import Request
from fabric.request.ranges import PodRange, RatioRange
from fabric.request.server_kinds import (
    fastest_nic,
    growth_stages,
    missing_servers,
    rail_numbers,
    server_kinds,
    total_gpus,
    usual_rails,
    without_gpus,
)
from fabric.request.shipped_designs import topologies
from fabric.request.site_keys import site_of
from fabric.request.spec import Appliance, PodSize, Spec, even_planes
from fabric.request.yaml_reader import read_file, read_text

__all__ = ["Source", "find_malformed", "read_document", "read_spec"]

RECORD = "as_built"
"""The key of the list of cables that stand."""

MAX_MISTAKES = 100
"""The most mistakes reported for one request; the rest are counted."""


Source = str | os.PathLike[str] | Mapping[str, Any] | Document | None
"""What a request is read from: a shipped design's name, a file's path, a mapping, or a document already read."""


def read_spec(source: Source, overrides: Mapping[str, Any], *, names: KnownNames) -> Spec:
    """Return the Spec of a request; a `source` of None is an empty request.

    A name that is both a shipped design's and a file's means the design; write `./name` for the file. `overrides`
    replace whole keys of the request. `names` are those of all families and of their parts. Raises InputError with
    every mistake, each at its file and line, or at its key where it does not come from a file.
    """
    document = inline_calibration(read_document(source).override(overrides))
    if "fabrics" in document.values and "gpus" not in document.values:
        remedy = "this is a cluster of several fabrics; use `fabric cluster`"
        raise InputError([document.mistake(("fabrics",), remedy)])
    request, mistakes = _validate(document, names)
    if mistakes:
        more = len(mistakes) - MAX_MISTAKES
        rest = [Mistake(document.file, f"and {more:,} more mistakes")] if more > 0 else []
        raise InputError([*mistakes[:MAX_MISTAKES], *rest])
    return _make_spec(request, document, names)


def find_malformed(document: Document, names: KnownNames) -> list[Mistake]:
    """Return the mistakes of keys and values that no request can have, whatever else is in it.

    What is wrong only of several keys together, such as a rate that a server does not have, is not among them.
    """
    try:
        Request.model_validate(document.values, context=_names_by_kind(document, names))
    except ValidationError as error:
        return [*document.mistakes, *(mistake for _, mistake in explain_errors(error, document, Request))]
    return list(document.mistakes)


def read_document(source: Source, shipped: Mapping[str, Path] | None = None) -> Document:
    """Return the document of a request; `shipped` are the files that have names, by default the shipped designs.

    Raises InputError when there is no such file, or when it cannot be read.
    """
    if source is None or isinstance(source, Document):
        return source or Document({})
    if isinstance(source, Mapping):
        tree = Tree("")
        add_plain(source, tree)
        return tree.document()
    shipped = topologies() if shipped is None else shipped
    if isinstance(source, str) and source in shipped:
        return read_text(shipped[source].read_text(encoding="utf-8"), f"{source}.yaml")
    if not isinstance(source, str | os.PathLike):
        raise InputError(f"a request is a name, a path or a mapping, not a {type(source).__name__}")
    return read_file(source) if _exists(source) else _refuse_unknown_name(os.fsdecode(source), shipped)


def _exists(path: str | os.PathLike[str]) -> bool:
    try:
        Path(path).lstat()
    except (OSError, ValueError) as error:
        return not isinstance(error, FileNotFoundError | NotADirectoryError | ValueError)
    return os.fspath(path) not in ("", b"")


def _refuse_unknown_name(name: str, shipped: Mapping[str, Path]) -> Document:
    """Refuse a name; for a path only a similar shipped name is suggested, for a bare name else all are listed."""
    hint = nearest(Path(name).stem[:100], shipped)
    hint = "" if hint.startswith("; known") and Path(name).name != name else hint
    what = "no shipped design and no file" if shipped else "no file"
    raise MissingFile([Mistake(quoted(name), f"{what} of that name{hint}")])


def _validate(document: Document, names: KnownNames) -> tuple[Request, list[Mistake]]:
    """Return the request with all its mistakes; where there are some, the request has only its valid keys."""
    mistakes, invalid = list(document.mistakes), set()
    known = _names_by_kind(document, names)
    try:
        request = Request.model_validate(document.values, context=known)
    except ValidationError as error:
        for key, mistake in explain_errors(error, document, Request):
            invalid.add(key)
            mistakes.append(mistake)
        valid = {key: value for key, value in document.values.items() if key not in invalid}
        request = Request.model_validate(valid, context=known)
    for key in missing_servers(document):
        mistakes.append(document.mistake((key,), explain_missing(key, document, Request)))
    invalid |= {key for key in ("gpus", "server") if getattr(request, key) is None and not request.servers}
    found = find_contradictions(request, invalid, names)
    mistakes += [document.mistake(keys, text) for keys, text in found]
    return request, sorted(mistakes, key=_line_of)


def _names_by_kind(document: Document, names: KnownNames) -> dict[str, Collection[str]]:
    """Return the names that are valid beside the catalogue's, by the kinds that `fabric.request.fields` uses."""
    return {
        "family": (*names.topologies, *names.sets),
        "switch": tuple(_inline_names(document.values.get("switches"))),
        "tier": names.roles,
        "tier with uplinks": names.uplink_roles,
        "tier or plane": (*names.roles, "plane"),
        "bundle": (*names.bundles, *_kind_bundles(document.values.get("servers"), names)),
    }


def _kind_bundles(servers: Any, names: KnownNames) -> Iterator[str]:
    """Yield the names of the bundles of unlike servers, whatever else is wrong with the list of them."""
    for each in servers if isinstance(servers, list) else ():
        server = each.get("server") if isinstance(each, dict) else None
        name = server.get("name") if isinstance(server, dict) else server
        yield from (
            f"{name}{bundle.removeprefix('server')}" for bundle in names.bundles if bundle.startswith("server-")
        )


def _inline_names(switches: Any) -> Iterator[str]:
    """Yield the names of the switches that a request describes, at any depth; the rest of it may use them."""
    if isinstance(switches, dict):
        name = switches.get("name")
        yield from [name] if isinstance(name, str) else []
    for item in switches.values() if isinstance(switches, dict) else switches if isinstance(switches, list) else ():
        yield from _inline_names(item)


def _line_of(mistake: Mistake) -> int:
    """Return the line of a mistake, for the order; its place may name a file of prices with the key there."""
    found = re.search(r":([0-9]+)(: |$)", mistake.place)
    return int(found[1]) if found else 0


def _make_spec(request: Request, document: Document, names: KnownNames) -> Spec:
    every = chosen_parts.chosen_servers(request)
    host_bundles = [name for name in names.bundles if name.startswith("server-")]
    by_bundle = partial(_values_by_bundle, host_bundles, [server.name for server in every if request.servers])
    own, even = own_values(request, names), even_planes(gcd(*(server.nic_gbps for server in every)))
    ratios = request.oversubscription or max(own.get("oversubscription", (1,)))
    return Spec(
        name=request.name,
        gpus=total_gpus(request),
        server=next((server for server in every if server.gpus), every[0]),
        families=allowed_families(request, names),
        switches=FrozenMapping(chosen_parts.chosen_switches(request)),
        link_gbps=chosen_parts.host_gbps(request, fastest_nic(request)),
        link_rates=FrozenMapping(chosen_parts.rates_between_switches(request)),
        planes=own.get("planes") or _chosen_numbers(request.planes or 1, even),
        left_to_family=tuple(own),
        tiers=allowed_tiers(request),
        kinds=server_kinds(request),
        without_gpus=without_gpus(request),
        mix=request.mix,
        rails=_chosen_numbers(request.rails or usual_rails(request), rail_numbers(request)),
        oversubscription=_values_by_name(ratios, _largest_ratio),
        least_oversubscription=_values_by_name(ratios, _smallest_ratio),
        uplink_spread=request.uplink_spread,
        unit_gpus=request.unit_gpus,
        pod_gpus=_pod_size(request.pod_gpus),
        reserve=_values_by_name(request.reserve, int),
        appliances=tuple(
            Appliance(each.name, each.ports, each.per == "unit", each.tier) for each in request.appliances
        ),
        grow_to_gpus=max(growth_stages(request), default=None),
        stages=growth_stages(request),
        survive=_values_by_name(request.survive, _fraction),
        available=FrozenMapping(dict(request.available)),
        link_price_usd=by_bundle(request.link_price_usd, partial(chosen_parts.discount_price, request, "link")),
        lengths_m=by_bundle(request.lengths_m, float),
        link_parts=chosen_parts.link_parts(request),
        media=by_bundle(request.media, str),
        optics=tuple(request.optics),
        exclude_optics=tuple(request.exclude_optics),
        currency=request.currency,
        discount=_values_by_name(request.discount or None, _exact),
        spares=_values_by_name(request.spares or None, _exact),
        nic_usd=None if request.nic_usd is None else chosen_parts.discount_price(request, "nic", request.nic_usd),
        years=request.years,
        electricity_usd_per_kwh=request.electricity_usd_per_kwh,
        pue=request.pue,
        library=library_of(request.nccl),
        constants=calibrated_constants(_calibration(request), document, ("calibration",)),
        as_built=_record_path(request.as_built, document),
        site=site_of(request.site),
        limits=Limits(**vars(request.limits)),
        pinned=FrozenMapping(dict(request.pinned)),
        expected=FrozenMapping(dict(document.values.get("expected", {}))),
        sources=tuple(request.sources),
        request=FrozenMapping(_complete_request(request, document, own)),
        places=FrozenMapping(_list_places(document)),
    )


def _list_places(document: Document) -> dict[str, Mistake]:
    """Return the place of each key that was written, and of those inside the site, which the layout may find wrong."""
    inside = [keys for keys in document.lines if keys[:1] == ("site",)]
    return {dotted(keys): document.mistake(keys, "") for keys in [*((key,) for key in document.values), *inside]}


def _chosen_numbers(asked: int | str | list[int], everything: list[int]) -> tuple[int, ...]:
    """Return the numbers that a number, a list or `any` allows, in its order and without duplicates."""
    numbers = everything if isinstance(asked, str) else asked if isinstance(asked, list) else [asked]
    return tuple(dict.fromkeys(numbers))


def _pod_size(asked: int | PodRange | None) -> PodSize | None:
    if asked is None:
        return None
    return PodSize(asked.min, asked.max) if isinstance(asked, PodRange) else PodSize(asked, asked)


def _values_by_name(asked: Any, kind: Any) -> Mapping[str, Any]:
    """Return the converted values by name: a single value has the name `*`, and None has none."""
    named = asked if isinstance(asked, dict) else {} if asked is None else {"*": asked}
    return FrozenMapping({name: kind(value) for name, value in named.items()})


def _values_by_bundle(host_bundles: list[str], servers: list[str], asked: Any, kind: Any) -> Mapping[str, Any]:
    """Return the converted values by bundle; one of `server-leaf` is that of every server's, unless it has its own."""
    named = _values_by_name(asked, kind)
    own = {f"{server}{name.removeprefix('server')}": name for server in servers for name in host_bundles}
    return FrozenMapping({**{each: named[name] for each, name in own.items() if name in named}, **named})


def _largest_ratio(asked: float | RatioRange) -> Fraction:
    return _fraction(asked if isinstance(asked, int | float) else asked.max)


def _smallest_ratio(asked: float | RatioRange) -> Fraction:
    return Fraction(0) if isinstance(asked, int | float) else _fraction(asked.min)


def _fraction(ratio: float) -> Fraction:
    """Return the nearest fraction with a small denominator: 1.5 is 3/2, and 1.333333 is 4/3."""
    return Fraction(str(ratio)).limit_denominator(10_000)


def _exact(share: float) -> Fraction:
    """Return a share of prices or parts exactly as it is written."""
    return Fraction(str(share))


def _record_path(name: str | None, document: Document) -> str:
    """Return the path of the list of cables that stand: from the folder of the file that names it; empty for none."""
    if not name or not document.file or RECORD in document.overridden:
        return name or ""
    return str(Path(document.file).parent / name)


def _calibration(request: Request) -> CalibrationKeys | None:
    """Return the calibration of a request, whose file has been read by then."""
    assert not isinstance(request.calibration, str)
    return request.calibration


def _complete_request(request: Request, document: Document, own: Collection[str]) -> dict[str, Any]:
    """Return the request as it was written, with the values that apply for the keys that it leaves out.

    The keys in `own`, which are left to the family, stay empty: read again, it asks for the same.
    """
    defaults = {key: value for key, value in request if key != "schema_uri"}
    complete = {
        **defaults,
        "limits": vars(request.limits),
        "nccl": vars(request.nccl),
        "site": request.site.model_dump(exclude_defaults=True),
    }
    complete |= {key: value for key, value in document.values.items() if key in complete and key != "limits"}
    complete["gpus"] = total_gpus(request) or None
    complete["link_gbps"] = complete["link_gbps"] or fastest_nic(request)
    usual = {"rails": usual_rails(request), "planes": 1, "oversubscription": 1}
    return complete | {key: value for key, value in usual.items() if complete[key] is None and key not in own}
