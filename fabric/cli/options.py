"""The options and arguments that commands share: a request, its overrides, where files go."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from fabric.cli.record_name import record_option

__all__ = [
    "AS_JSON",
    "CALIBRATION",
    "OUT",
    "REQUEST",
    "REQUESTS",
    "YEARS",
    "FiniteRange",
    "override_options",
    "price_options",
    "read_calibration_option",
    "read_overrides",
    "refuse_input_as_output",
]


class FiniteRange(click.FloatRange):
    """A range of numbers, of which infinity and what is no number are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number that a text is; raises BadParameter as FloatRange does."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return found


NUMBERS = ("gpus", "planes", "tiers", "years")
"""The keys that numbers stand for; in the others digits are part of a name."""

FIELDS = (
    click.option("--gpus", metavar="INTEGER", help="Override the number of GPUs."),
    record_option(
        "--server",
        registry="fabric.catalog:servers",
        checked=False,
        metavar="NAME",
        help="Override the server, a name of `fabric list servers`.",
    ),
    record_option(
        "--family",
        registry="fabric.topology.families:FAMILIES",
        several=True,
        also=("fabric.topology.families:family_sets",),
        checked=False,
        metavar="NAMES",
        help="Override the family, one or several with commas: {names}.",
    ),
    record_option(
        "--switches",
        registry="fabric.catalog:switches",
        several=True,
        also=("any",),
        checked=False,
        metavar="NAMES",
        help="Override the switch models, names of `fabric list switches` with commas, or any.",
    ),
    click.option("--planes", metavar="NUMBERS", help="Override the number of planes: numbers with commas, or any."),
    click.option("--tiers", metavar="NUMBERS", help="Override the number of tiers: 1 to 4, with commas, or any."),
)
CALIBRATION = click.option(
    "--calibration", metavar="FILE", help="Constants of estimates from this file of `fabric calibrate`."
)
YEARS = click.option(
    "--years",
    metavar="NUMBER",
    help="Override the years of operation, for which electricity counts and over which training writes off purchases.",
)
EVERYWHERE = (
    click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress."),
    click.option(
        "--price", multiple=True, metavar="NAME=USD", help="Unit price of a switch, link part or server; repeatable."
    ),
    click.option(
        "--prices", metavar="FILE", help="Unit prices from a YAML or JSON file (name: USD); --price takes precedence."
    ),
)


def price_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that override prices of a request, and --quiet."""
    return _add_options(command, EVERYWHERE)


def override_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that override keys of a request."""
    return _add_options(command, (*FIELDS, CALIBRATION, *EVERYWHERE))


def _add_options(command: Callable[..., Any], options: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command


def _complete_request(_context: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """Offer the shipped designs that begin with what is typed, and files."""
    from fabric.request import topologies

    items = [CompletionItem(name) for name in topologies() if name.startswith(start)]
    return [*items, CompletionItem(start, type="file")]


def _refuse_empty(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse an empty name, as from an unset variable."""
    if value == "":
        raise click.BadParameter("is empty; write the name of a folder, such as build/")
    return value


OUT = click.option(
    "--out",
    type=click.Path(file_okay=False),
    callback=_refuse_empty,
    help="Write the report, pictures and tables to this folder.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
REQUEST = click.argument("request", shell_complete=_complete_request)
REQUESTS = click.argument("requests", metavar="REQUEST...", nargs=-1, shell_complete=_complete_request)


def read_overrides(words: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of the request that options override, lists and numbers parsed, prices as one mapping."""
    from fabric.request.price_list import read_price_list

    file, given = words.pop("prices"), dict(map(_parse_price, words.pop("price")))
    found = {key: _parse_value(key, text) for key, text in words.items() if text is not None and key != "silent"}
    return {**found, "prices_usd": read_price_list(file, given)} if given or file is not None else found


def read_calibration_option(words: dict[str, Any]) -> dict[str, Any]:
    """Return the key of a request that --calibration overrides, and take the option out of `words`."""
    file = words.pop("calibration")
    return {} if file is None else {"calibration": file}


def refuse_input_as_output(out: str | None, *inputs: str | None) -> None:
    """Refuse an output that is one of the input files."""
    for each in inputs:
        with suppress(OSError, ValueError):
            if out and each and Path(out).samefile(each):
                raise click.UsageError(f"{out} is an input; write to another file.")


def _parse_price(text: str) -> tuple[str, int | float | str]:
    """Return the name and the price of a NAME=USD."""
    name, equals, price = (part.strip() for part in text.partition("="))
    if not (name and equals and price and text.isprintable()):
        raise click.BadParameter(f"{text!r} is not NAME=USD; write for example sn5600=52000", param_hint="'--price'")
    return name, _parse_number("price", price)


def _parse_value(key: str, text: str) -> Any:
    if key == "calibration":
        return text
    words = [word.strip() for word in text.split(",")]
    values = [_parse_number(key, word) for word in words] if key in NUMBERS else words
    return values[0] if len(values) == 1 else values


def _parse_number(key: str, word: str) -> int | float | str:
    """Return a word as a number; any other stays text, which the request then refuses."""
    power = "(e[-+]?[0-9]{1,3})?" if key == "price" else ""
    if not re.fullmatch(rf"[-+]?[0-9]+(\.[0-9]*)?{power}", word, re.IGNORECASE):
        return word
    if len(word) > 100:
        raise click.BadParameter(f"a number of {len(word):,} characters; at most 100 are read", param_hint=f"'--{key}'")
    return int(word) if re.fullmatch("[-+]?[0-9]+", word) else float(word)
