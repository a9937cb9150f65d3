"""The commands that size a fabric: `design`, `optimize`, `cluster` and `check`."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click

import fabric
from fabric import units
from fabric.cli.options import AS_JSON, OUT, REQUEST, overrides, request_prices, request_words
from fabric.cli.runs import Run, run_cluster, run_front, run_study
from fabric.cli.terminal import progress_of

__all__ = ["check", "cluster", "design", "optimize"]


@click.command()
@REQUEST
@OUT
@AS_JSON
@request_words
@click.pass_obj
def design(quiet: bool, /, request: str, out: str | None, as_json: bool, **words: Any) -> None:
    """Size, cost, draw and estimate the fabric of REQUEST."""
    run_study(partial(fabric.design, request), Run(quiet or words.pop("silent"), out, as_json), overrides(words))


@click.command()
@REQUEST
@click.option(
    "--objective",
    show_default="cost",
    help="Names in order of importance (cost,hops) or weights (cost=1,hops=50000), of"
    " cost, total_cost, power, rack_units, hops, switches, links, models; in order also allreduce, mean_hops and"
    " ring_hops.",
)
@click.option("--sensitivity", is_flag=True, help="Say which price, moved by how much, would change the choice.")
@click.option("--pareto", metavar="NAMES", help="Find the whole front instead, as in cost,hops,allreduce.")
@click.option("--size", default="1GiB", show_default=True, help="The size of the all-reduce to be fast.")
@click.option("--routing", type=click.Choice(["adaptive", "ecmp"]), default="adaptive", help="Its routing.")
@OUT
@AS_JSON
@request_words
@click.pass_obj
def optimize(quiet: bool, /, request: str, out: str | None, as_json: bool, **words: Any) -> None:
    """Find the fabric of REQUEST that is best in what you choose, or all that nothing beats, with proof."""
    objective, names, moved = words.pop("objective"), words.pop("pareto"), words.pop("sensitivity")
    if names is not None and objective:
        raise click.UsageError("--pareto takes the objectives itself; leave --objective out.")
    if names is not None and moved:
        raise click.UsageError("--sensitivity goes with one objective, not with --pareto.")
    message = {"size_bytes": units.parse_size(words.pop("size")), "routing": words.pop("routing")}
    run = Run(quiet or words.pop("silent"), out, as_json)
    if names is None:
        run_study(partial(fabric.optimize, request, objective or "cost", **message), run, overrides(words), moved=moved)
    else:
        run_front(partial(fabric.pareto, request, names, **message), run, overrides(words))


@click.command()
@click.argument("file", type=click.Path())
@OUT
@AS_JSON
@request_prices
@click.pass_obj
def cluster(quiet: bool, /, file: str, out: str | None, as_json: bool, **words: Any) -> None:
    """Design the several fabrics of a cluster FILE, together the cheapest within the limits they share."""
    run_cluster(partial(fabric.cluster, file, **overrides(words)), Run(quiet or words["silent"], out, as_json))


@click.command()
@REQUEST
@request_words
@click.pass_obj
def check(quiet: bool, /, request: str, **words: Any) -> None:
    """Say whether REQUEST is well-formed, feasible and as published: exit 0, 1 if not feasible or not as published."""
    from fabric.report.design_json import document

    with progress_of(quiet or words.pop("silent")) as say:
        study = fabric.design(request, progress=say, **overrides(words))
        missed = [row for row in document(study)["expected"] if not row["ok"]]
    tiers = f"{study.blueprint.tiers} tier{'s'[: study.blueprint.tiers > 1]}"
    click.echo(f"{study.spec.name}: feasible, for example as {study.blueprint.topology.family} in {tiers}")
    for row in missed:
        published, designed = units.number(row["published"]), units.number(row["designed"])
        click.echo(f"fabric: expected.{row['key']}: published {published}, but designed {designed}", err=True)
    sys.exit(1 if missed else 0)
