"""The command `diagram`: a picture of a fabric, of a part of it, or of what its links carry."""

from __future__ import annotations

import re
from typing import Any

import click

import fabric
from fabric.options import REQUEST, overrides, request_words
from fabric.runs import run_diagram

__all__ = ["diagram"]


@click.command()
@REQUEST
@click.option("--output", "-o", metavar="FILE", required=True, help="The picture: its suffix is .svg, .png or .pdf.")
@click.option(
    "--kind",
    type=click.Choice(["tiers", "adjacency", "racks", "load"]),
    default="tiers",
    show_default=True,
    help="Tiers or the family's own layout; which switches are joined; racks with rings; load of links.",
)
@click.option(
    "--level",
    type=click.Choice(["fabric", "pod", "unit", "device"]),
    help="Of tiers: the whole, or a part device by device. Without it a fabric of up to 64 switches is drawn whole.",
)
@click.option("--pod", type=click.IntRange(0), default=0, help="The pod to show, numbered from 0.")
@click.option("--unit", type=click.IntRange(0), default=0, help="The unit to show, numbered in its pod.")
@click.option("--highlight", metavar="path:A,B", help="Bring out a shortest path between two GPUs, from 0.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Draws the random order of racks and load.")
@request_words
@click.pass_obj
def diagram(quiet: bool, /, request: str, output: str, **words: Any) -> None:
    """Draw the fabric of REQUEST into FILE."""
    keys = ("kind", "level", "pod", "unit", "seed")
    asked = {key: words.pop(key) for key in keys} | {"path": _path(words.pop("highlight"))}
    if asked["kind"] != "tiers" and (asked["level"] or asked["path"]):
        raise click.UsageError("--level and --highlight are of --kind tiers.")
    run_diagram(request, output, asked, words.pop("silent") or quiet, overrides(words))


def _path(text: str | None) -> tuple[int, int] | None:
    """Return the two GPUs of a path:A,B."""
    if text is None:
        return None
    match = re.fullmatch(r"path:(\d{1,9}),(\d{1,9})", text.replace(" ", ""))
    if not match:
        raise fabric.InputError(f"--highlight '{text[:60]}': write two GPUs, as in path:0,99999")
    return int(match[1]), int(match[2])
