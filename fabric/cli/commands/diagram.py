"""The command `diagram`: a picture of a fabric, of a part of it, or of the load of its links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import fabric
from fabric.cli.options import REQUEST, override_options, read_overrides, refuse_input_as_output
from fabric.cli.record_name import RecordName, RecordOption, record_option
from fabric.cli.terminal import show_progress

if TYPE_CHECKING:
    from fabric.draw import Diagram

__all__ = ["diagram"]


class KindOption(RecordOption):
    """An option of some kinds of diagram, which its help names when it is shown."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option's spelling and its help with the kinds that it applies to."""
        from fabric.draw import KINDS

        record = super().get_help_record(ctx)
        kinds = [kind.name for kind in KINDS.values() if self.name in kind.options]
        return record and (record[0], f"{record[1]}  [kind {', '.join(kinds)}]")


def _kind_option(*words: str, **attributes: Any) -> Callable[..., Any]:
    """Return an option that only some kinds of diagram have."""
    return click.option(*words, cls=KindOption, **attributes)


@click.command(short_help="Draw a fabric, or a part of it.")
@REQUEST
@click.option("--out", "-o", "output", required=True, metavar="FILE", help="The picture: .svg, .png or .pdf.")
@record_option(
    "--kind",
    registry="fabric.draw:KINDS",
    metavar="NAME",
    default="tiers",
    show_default=True,
    help="Kind of diagram: {names}.",
)
@_kind_option(
    "--level",
    type=RecordName("fabric.view:LEVELS", only=lambda level: level.drawn),
    metavar="NAME",
    help="Level of detail: {names}.",
)
@_kind_option("--pod", type=click.IntRange(0), metavar="INTEGER", help="The pod to draw, numbered from 0.")
@_kind_option("--unit", type=click.IntRange(0), metavar="INTEGER", help="The unit to draw, numbered in its pod.")
@_kind_option("--highlight", metavar="path:A,B", help="Highlight a shortest path between two GPUs.")
@_kind_option(
    "--routing",
    type=RecordName("fabric.flow.routings:ROUTINGS", several=True),
    metavar="NAMES",
    help="Routings to compare, with commas: {names}.  [default: ecmp,adaptive]",
)
@_kind_option("--qps", type=click.IntRange(1, 64), help="Queue pairs per flow.  [default: 2]")
@_kind_option(
    "--placement",
    type=RecordName("fabric.flow.placements:PLACEMENTS"),
    metavar="NAME",
    help="Placement of ranks: {names}.",
)
@_kind_option(
    "--fail",
    multiple=True,
    callback=lambda _context, _parameter, words: words or None,
    metavar="WHAT",
    help="Failures, as of `fabric allreduce`: leaf:3, link:1%, leaf[block=0], @FILE; repeatable.",
)
@_kind_option("--seed", type=click.IntRange(0), help="Random seed (ECMP hash, placement, failures).  [default: 0]")
@_kind_option("--whole", is_flag=True, default=None, help="The fabric alone, without the unit below it.")
@click.option(
    "--page",
    type=RecordName("fabric.draw:PAGES"),
    metavar="NAME",
    help="Shape of the page: 16:9, a4, a3 or letter.  [default: as high as the picture]",
)
@override_options
@click.pass_obj
def diagram(quiet: bool, /, request: str, output: str, kind: str, page: str | None, **words: Any) -> None:
    """Draw the fabric of REQUEST: its tiers or natural layout, its adjacency matrix, racks, or the load of its links.

    Large fabrics are drawn by groups with their multiplicities; up to 64 switches are drawn one by one. A file of a
    cluster is drawn as one picture of its endpoints and fabrics.
    """
    from fabric.draw.render import check_suffix
    from fabric.report.files import write_cluster_picture, write_picture
    from fabric.request.cluster import is_cluster

    check_suffix(Path(output))
    refuse_input_as_output(output, request, words["prices"])
    given = _options(kind, words)
    if is_cluster(request):
        if given or kind != "tiers":
            raise click.UsageError("A cluster has one picture; draw a fabric of it from its own request.")
        with show_progress(quiet or words.pop("silent")) as say:
            cluster = fabric.cluster(request, progress=say, **read_overrides(words))
            click.echo(f"wrote {write_cluster_picture(cluster, output, page or '')}")
        return
    asked = _diagram(kind, given)
    with show_progress(quiet or words.pop("silent")) as say:
        study = fabric.design(request, progress=say, **read_overrides(words))
        say("drawing")
        file = write_picture(study.blueprint, study.place_diagram(replace(asked, page=page or "")), output)
    click.echo(f"wrote {file}")


def _options(kind: str, words: dict[str, Any]) -> dict[str, Any]:
    """Take the options of all kinds from `words`, and return those given; refuses one that `kind` does not have."""
    from fabric.draw import KINDS

    every = dict.fromkeys(name for each in KINDS.values() for name in each.options if name in words)
    given = {name: value for name in every if (value := words.pop(name)) is not None}
    for name in given:
        if name not in KINDS[kind].options:
            option = name.replace("_", "-")
            raise click.UsageError(f"--{option} does not apply to --kind {kind}.")
    return given


def _diagram(kind: str, given: dict[str, Any]) -> Diagram:
    """Return the diagram that the options ask for."""
    from fabric.draw import Diagram, Traffic
    from fabric.flow import Routing

    names = given.get("routing", ("ecmp", "adaptive"))
    seed, queue_pairs = given.get("seed", 0), given.get("qps", 2)
    routings = tuple(Routing(name, queue_pairs, seed) for name in names)
    place = {part: given[part] for part in ("unit", "pod") if part in given}
    level = given.get("level", next(iter(place), "fabric"))
    if level == "fabric" and place:
        raise click.UsageError("--pod and --unit need --level pod or unit.")
    ends = _path_ends(given["highlight"]) if "highlight" in given else None
    traffic = Traffic(routings, given.get("placement"), seed, given.get("fail", ()))
    return Diagram(kind, level, **place, highlight=ends, traffic=traffic, whole=bool(given.get("whole")))


def _path_ends(text: str) -> tuple[int, int]:
    """Return the two GPUs of a path:A,B."""
    word, _, rest = text.partition(":")
    first, _, second = rest.partition(",")
    if word.strip() != "path" or not all(_is_number(gpu) for gpu in (first, second)):
        raise click.BadParameter(
            f"'{text[:80]}' is not a path:A,B; write for example path:0,511", param_hint="'--highlight'"
        )
    if int(first) == int(second):
        raise click.BadParameter("a path has two ends; give two GPUs", param_hint="'--highlight'")
    return int(first), int(second)


def _is_number(text: str) -> bool:
    return text.strip().isascii() and text.strip().isdigit() and len(text.strip()) <= 20
