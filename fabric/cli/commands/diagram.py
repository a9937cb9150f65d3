"""The command `diagram`: a picture of a fabric, of a part of it, or of what its links carry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import fabric
from fabric.cli.options import REQUEST, override_options, read_overrides, refuse_input_as_output
from fabric.cli.record_name import split_names
from fabric.cli.terminal import show_progress

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
@click.option("--out", "-o", "output", required=True, metavar="FILE", help="Picture to write (.svg, .png or .pdf).")
@click.option("--kind", type=click.Choice(KINDS), default="tiers", show_default=True, help="Kind of diagram.")
@click.option(
    "--level", type=click.Choice(LEVELS), help="Tiers: the whole fabric, or one pod or scalable unit in full."
)
@click.option("--pod", type=click.IntRange(0), metavar="INTEGER", help="Tiers: the pod, numbered from 0.")
@click.option(
    "--unit", type=click.IntRange(0), metavar="INTEGER", help="Tiers: the scalable unit, numbered from 0 in its pod."
)
@click.option("--highlight", metavar="path:A,B", help="Tiers: highlight a shortest path between two GPUs.")
@click.option(
    "--routing",
    help="Load: routing, one or several with commas: ecmp, adaptive, dmodk, valiant.  [default: ecmp,adaptive]",
)
@click.option("--qps", type=click.IntRange(1, 64), help="Load: queue pairs per flow.  [default: 2]")
@click.option("--placement", help="Load and racks: placement of ranks: contiguous, by-rail, random or fragmented.")
@click.option("--seed", type=click.IntRange(0), help="Load and racks: random seed (ECMP hash, placement).")
@click.option("--rack-units", type=click.IntRange(1, 100), help="Racks: height of a rack in rack units.  [default: 42]")
@click.option("--rack-kw", type=click.FloatRange(0.1, 9999), help="Racks: power of a rack in kW.  [default: 45]")
@override_options
@click.pass_obj
def diagram(quiet: bool, /, request: str, output: str, kind: str, **words: Any) -> None:
    """Draw the fabric of REQUEST: its tiers, adjacency matrix, racks or link load.

    Large fabrics are drawn as aggregated groups with their multiplicities; up to 64 switches, each one is drawn.
    """
    from fabric.draw.render import check_suffix
    from fabric.report.files import write_picture

    check_suffix(Path(output))
    refuse_input_as_output(output, request, words["prices"])
    given = {key: words.pop(key) for key in OF_KIND}
    for key, kinds in OF_KIND.items():
        if given[key] is not None and kind not in kinds:
            raise click.UsageError(f"--{key.replace('_', '-')} does not apply to --kind {kind}.")
    asked = _asked(kind, given)
    with show_progress(quiet or words.pop("silent")) as say:
        study = fabric.design(request, progress=say, **read_overrides(words))
        say("drawing")
        file = write_picture(study.blueprint, asked, output)
    click.echo(f"wrote {file}")


def _asked(kind: str, given: dict[str, Any]) -> Diagram:
    """Return the diagram that the options ask for."""
    from fabric.blueprint.racks import RACK, Rack
    from fabric.draw import Diagram, Traffic
    from fabric.flow import Routing

    names = split_names(given["routing"] or "ecmp,adaptive")
    seed, qps = given["seed"] or 0, given["qps"] or 2
    routings = tuple(Routing(name, qps, seed) for name in names)
    power_w = RACK.power_w if given["rack_kw"] is None else 1000 * given["rack_kw"]
    rack = Rack(given["rack_units"] or RACK.units, power_w)
    if given["level"] == "fabric" and not (given["pod"] is None and given["unit"] is None):
        raise click.UsageError("--pod and --unit need --level pod or unit.")
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
            f"'{text[:80]}' is not path:A,B; write for example path:0,511", param_hint="'--highlight'"
        )
    if int(first) == int(second):
        raise click.BadParameter("a path has two ends; write two GPUs", param_hint="'--highlight'")
    return int(first), int(second)


def _number(text: str) -> bool:
    return text.strip().isascii() and text.strip().isdigit() and len(text.strip()) <= 20
