"""A first request from a few answers: what each answer means, and the file with a comment for every key."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any

from fabric.catalog import servers, switches
from fabric.errors import InputError, nearest
from fabric.request.limits import LIMITS
from fabric.request.model import Request
from fabric.request.ranges import parse_ratio
from fabric.request.yaml_writer import yaml_value
from fabric.units import parse_count

__all__ = [
    "list_servers",
    "list_switches",
    "read_budget",
    "read_gpus",
    "read_growth",
    "read_ratio",
    "read_server",
    "read_switches",
    "read_terms",
    "starter_text",
]

WIDTH = 120
"""The longest line of a comment."""


def read_gpus(text: str) -> dict[str, Any]:
    """Return `gpus` from a whole number; raises InputError for other text."""
    return {"gpus": parse_count(text)}


def read_server(text: str) -> dict[str, Any]:
    """Return `server` from the name of one of the catalogue, in any case; raises InputError with the nearest name."""
    return {"server": _find_name(text, servers(), "server", "fabric list servers")}


def read_switches(text: str, server: str = "") -> dict[str, Any]:
    """Return `switches` from `any`, or from models with commas, among which a vendor stands for its own.

    Of a vendor they are those with a price, if some have one, since only they can be compared by cost, without those of
    which it is not known whether their ports split to the rate of the NICs of `server`. Raises InputError for an
    unknown word, with the nearest.
    """
    known = switches()
    vendors = {each.vendor.lower(): each.vendor for each in known.values()}
    found: list[str] = []
    for word in filter(None, (part.strip() for part in text.lower().split(","))):
        if word == "any":
            return {"switches": "any"}
        if word in vendors:
            models = [each for each in known.values() if each.vendor == vendors[word]]
            known_ports = [each for each in models if not (server and each.may_split(servers()[server].nic_gbps))]
            priced = [each for each in known_ports if each.price_usd is not None]
            found += [each.name for each in priced or known_ports or models]
        else:
            found.append(_find_name(word, [*known, *vendors], "switch or vendor", "fabric list switches"))
    if not found:
        raise InputError("no switch; write a model, a vendor, several with commas, or any")
    names = list(dict.fromkeys(found))
    return {"switches": names[0] if len(names) == 1 else names}


def _find_name(text: str, known: Any, kind: str, listed: str) -> str:
    """Return the known name that a text is, in any case; raises InputError with the nearest, or the list of all."""
    name = text.strip().lower()
    if name in known:
        return name
    hint = nearest(name, known)
    raise InputError(f"unknown {kind} '{name:.40}'{hint if 'did you mean' in hint else f'; `{listed}` has them all'}")


_BUDGET = re.compile(r"\$? ?(?P<number>\d[\d,_]*(\.\d+)?) ?(?P<scale>[kmb])?( ?usd)?", re.IGNORECASE)
_RATIO = re.compile(r"\d{1,3}(\.\d{1,6})?( ?: ?\d{1,3})?")
_SCALES = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}


def read_ratio(text: str) -> dict[str, Any]:
    """Return `oversubscription` from a number below 1,000 or a ratio, such as 2:1; raises InputError for other text."""
    found = _RATIO.fullmatch(text.strip())
    ratio = parse_ratio(text) if ":" in text else float(text) if found else None
    if not found or ratio is None:
        raise InputError(f"'{text.strip():.40}' is not a ratio; write for example 1, or 2:1")
    return {"oversubscription": _plain(ratio)}


def read_budget(text: str) -> dict[str, Any]:
    """Return `limits` from an amount of dollars, such as 4,000,000 or $4M; raises InputError for other text."""
    found = _BUDGET.fullmatch(text.strip())
    if not found:
        raise InputError(f"'{text.strip():.40}' is not an amount of dollars; write for example 4000000, or $4M")
    number = float(found["number"].replace(",", "").replace("_", "")) * _SCALES[(found["scale"] or "").lower()]
    return {"limits": {"cost_usd": _plain(number)}}


def read_terms(text: str) -> dict[str, Any]:
    """Return `oversubscription`, `limits` or both from a ratio, a budget or both: `2:1`, `$4M`, `2:1, $4M`.

    A bare number is a ratio below 1,000 and a budget from there on. Raises InputError for other text, and for two of
    one kind.
    """
    found: dict[str, Any] = {}
    for part in filter(None, (each.strip() for each in re.split(r",\s+|;|\band\b", text))):
        read = read_ratio if _RATIO.fullmatch(part) else read_budget if _BUDGET.fullmatch(part) else None
        if read is None:
            raise InputError(
                f"'{part:.40}' is neither a ratio nor a budget; write for example 2:1, or $4M, or 2:1, $4M"
            )
        keys = read(part)
        if keys.keys() & found.keys():
            raise InputError(f"'{text.strip():.40}' has two of a kind; write one ratio, one budget, or one of each")
        found |= keys
    if not found:
        raise InputError("neither a ratio nor a budget; write for example 1, or 2:1, or $4M")
    return found


def _plain(number: float) -> int | float:
    """Return a number as a whole one where it is."""
    return int(number) if number.is_integer() else number


def read_growth(text: str) -> dict[str, Any]:
    """Return `grow_to_gpus` from a number of GPUs or from stages with commas; nothing from `no`.

    Raises InputError for other text.
    """
    if text.strip().lower() in ("", "no", "none", "0"):
        return {}
    parts = re.split(r",\s+|\s+|,(?!\d{3}(?:\D|$))", text.strip())
    stages = [parse_count(part) for part in parts if part]
    return {"grow_to_gpus": stages[0] if len(stages) == 1 else stages}


def list_servers() -> list[tuple[str, str]]:
    """Return the name of each server of the catalogue, and its GPUs and NICs."""
    return [(each.name, f"{each.gpus} GPUs, {each.nics} x {each.nic_gbps}G") for each in servers().values()]


def list_switches() -> list[tuple[str, str]]:
    """Return each vendor of switches, and its models with their ports; a model with a known price has a star."""
    vendors: dict[str, list[str]] = {}
    for each in switches().values():
        star = "" if each.price_usd is None else "*"
        vendors.setdefault(each.vendor.lower(), []).append(f"{each.name}{star} {each.ports}x{each.rate_gbps}G")
    return [(vendor, ", ".join(models)) for vendor, models in vendors.items()]


def starter_text(request: Mapping[str, Any], command: str) -> str:
    """Return a request as YAML in which every key has a comment, and those left out follow as comments.

    `command` is the command line to show, by which the request is designed.
    """
    fields = {field.alias or name: field for name, field in Request.model_fields.items()}
    lines = [
        *_comment(f"Written by `fabric init`. To design it: {command}"),
        *_comment("`fabric show` prints this request with every default filled in; `fabric list` what may be named."),
    ]
    for key, value in request.items():
        lines += ["", *_comment(str(fields[key].description)), f"{key}: {yaml_value(value)}"]
    lines += ["", *_comment("Every other key, with an example or its default. Without the # of its line it holds.")]
    for key, field in fields.items():
        if key not in request and key not in ("$schema", "servers", "mix"):
            example = field.examples[0] if field.examples else SHOWN.get(key, field.default)
            lines += ["", *_comment(str(field.description)), f"#{key}: {yaml_value(example)}"]
    return "\n".join(lines) + "\n"


SHOWN = {
    "appliances": [{"name": "ufm", "ports": 2}],
    "links": [{"name": "my-optics", "rate_gbps": 400, "price_usd": 900}],
    "limits": {key: LIMITS[key].example for key in ("cost_usd", "power_w", "hops")},
    "title": "A title",
    "description": "A longer description.",
}
"""Values that show how keys without an example of their own are written."""


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False)
