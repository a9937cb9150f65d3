"""The command `diagram`: a picture of a fabric, of a part of it, or of what its links carry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import fabric
from fabric.cli.options import REQUEST, once, overrides, request_words, spare
from fabric.cli.terminal import progress_of

if TYPE_CHECKING:
    from fabric.draw import Diagram

__all__ = ["diagram"]

KINDS = ("tiers", "adjacency", "racks", "load")
LEVELS = ("fabric", "pod", "unit")
OF_KIND = {
    "level": ("tiers",), "pod": ("tiers",), "unit": ("tiers",), "highlight": ("tiers",), "routing": ("load",),
    "qps": ("load",), "placement": ("load", "racks"), "seed": ("load", "racks"), "rack_units": ("racks",),
    "rack_kw": ("racks",),
}  # fmt: skip
"""The kinds of diagram that an option says something of."""


@click.command()
@REQUEST
@click.option("--out", "-o", "output", required=True, metavar="FILE", help="The picture: .svg, .png or .pdf.")
@click.option("--kind", type=click.Choice(KINDS), default="tiers", show_default=True, help="What is drawn.")
@click.option("--level", type=click.Choice(LEVELS), help="Of tiers: the whole, or one pod or unit drawn out.")
@click.option("--pod", type=click.IntRange(0), metavar="INTEGER", help="The pod to draw, numbered from 0.")
@click.option("--unit", type=click.IntRange(0), metavar="INTEGER", help="The unit to draw, numbered in its pod.")
@click.option("--highlight", metavar="path:A,B", help="Of tiers: a shortest path between two GPUs.")
@click.option("--routing", help="Of load: one or several of ecmp, adaptive, dmodk, valiant.  [default: ecmp,adaptive]")
@click.option("--qps", type=click.IntRange(1, 64), help="Of load: queue pairs of a flow.  [default: 2]")
@click.option("--placement", help="Of load and racks: contiguous, by-rail, random or fragmented.")
@click.option("--seed", type=click.IntRange(0), help="Of load and racks: draws hashes and places.")
@click.option("--rack-units", type=click.IntRange(1, 100), help="Of racks: the height of a rack.  [default: 42]")
@click.option("--rack-kw", type=click.FloatRange(0.1, 9999), help="Of racks: the power of a rack.  [default: 45]")
@request_words
@click.pass_obj
def diagram(quiet: bool, /, request: str, output: str, kind: str, **words: Any) -> None:
    """Draw the fabric of REQUEST: by tiers, as a matrix, in racks, or the load of its links.

    Large fabrics are drawn by groups with their multiplicities; up to 64 switches every one is drawn.
    """
    from fabric.draw.render import check_suffix
    from fabric.report.files import write_picture

    check_suffix(Path(output))
    spare(output, request, words["prices"])
    given = {key: words.pop(key) for key in OF_KIND}
    for key, kinds in OF_KIND.items():
        if given[key] is not None and kind not in kinds:
            raise click.UsageError(f"--{key.replace('_', '-')} says nothing of a diagram of kind {kind}.")
    asked = _asked(kind, given)
    with progress_of(quiet or words.pop("silent")) as say:
        study = fabric.design(request, progress=say, **overrides(words))
        say("drawing")
        file = write_picture(study.blueprint, asked, output)
    click.echo(f"wrote {file}")


def _asked(kind: str, given: dict[str, Any]) -> Diagram:
    """Return the diagram that the options ask for."""
    from fabric.blueprint.racks import RACK, Rack
    from fabric.draw import Diagram, Traffic
    from fabric.flow import Routing

    names = once("--routing", (given["routing"] or "ecmp,adaptive").split(","))
    seed, qps = given["seed"] or 0, given["qps"] or 2
    routings = tuple(Routing(name, qps, seed) for name in names)
    power_w = RACK.power_w if given["rack_kw"] is None else 1000 * given["rack_kw"]
    rack = Rack(given["rack_units"] or RACK.units, power_w)
    if given["level"] == "fabric" and not (given["pod"] is None and given["unit"] is None):
        raise click.UsageError("--pod and --unit are of --level pod or unit.")
    level = given["level"] or next((key for key in ("unit", "pod") if given[key] is not None), "fabric")
    place = {key: given[key] or 0 for key in ("pod", "unit")}
    ends = None if given["highlight"] is None else _ends(given["highlight"])
    return Diagram(kind, level, **place, highlight=ends,
                   traffic=Traffic(routings, given["placement"], seed), rack=rack)  # fmt: skip


def _ends(text: str) -> tuple[int, int]:
    """Return the two GPUs of a path:A,B."""
    word, _, rest = text.partition(":")
    first, _, second = rest.partition(",")
    if word.strip() != "path" or not all(_number(gpu) for gpu in (first, second)):
        raise click.BadParameter(
            f"'{text[:80]}' is no path:A,B; write for example path:0,511", param_hint="'--highlight'"
        )
    if int(first) == int(second):
        raise click.BadParameter("a path has two ends; write two GPUs", param_hint="'--highlight'")
    return int(first), int(second)


def _number(text: str) -> bool:
    return text.strip().isascii() and text.strip().isdigit() and len(text.strip()) <= 20
