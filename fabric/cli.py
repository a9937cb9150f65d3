"""The command `fabric`: design, optimize, compare, list and the rest, over the public package."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any, NoReturn

import click

import fabric
from fabric import units
from fabric.console import drop_output, is_terminal, mend_streams, noted_interrupts, record, wrapped
from fabric.options import AS_JSON, OUT, REQUEST, REQUESTS, overrides, request_prices, request_words
from fabric.runs import Run, run_cluster, run_front, run_scale, run_study, run_table, run_workload
from fabric.tables import cell, print_json, print_summary, print_table, progress_of

__all__ = ["cli", "main"]

LISTS = ("topologies", "tables", "families", "switches", "servers", "optics")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(fabric.__version__, prog_name="fabric")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def cli(context: click.Context, *, quiet: bool) -> None:
    """Design the network fabric of a GPU cluster.

    REQUEST is a YAML or JSON file, or the name of a shipped design (see `fabric list topologies`).

    Exit codes: 0 done, 1 infeasible, 2 bad input.
    """
    context.obj = quiet or not is_terminal(sys.stderr)


@cli.command()
@REQUEST
@OUT
@AS_JSON
@request_words
@click.pass_obj
def design(quiet: bool, /, request: str, out: str | None, as_json: bool, **words: Any) -> None:
    """Size, cost, draw and estimate the fabric of REQUEST."""
    run_study(partial(fabric.design, request), Run(quiet or words.pop("silent"), out, as_json), overrides(words))


@cli.command()
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


@cli.command()
@REQUEST
@click.option(
    "--size", default="1MiB..16GiB", show_default=True, help="Bytes: sizes with commas, or doublings from..to."
)
@click.option(
    "--collective",
    default="all-reduce",
    show_default=True,
    help="Or reduce-scatter, all-gather, all-to-all, broadcast, send-recv.",
)
@click.option("--gpus", metavar="INTEGER", help="Run on so many of the design's GPUs.")
@click.option("--algorithm", help="Not the fastest of the library's, but this one.")
@click.option("--routing", default="adaptive,ecmp", show_default=True, help="One or several of adaptive, ecmp, dmodk.")
@click.option("--qps", type=click.IntRange(1, 4096), default=2, show_default=True, help="Queue pairs of a flow.")
@click.option("--placement", default="random", show_default=True, help="Or contiguous, by-rail, strided, fragmented.")
@click.option("--stride", type=click.IntRange(1), default=8, show_default=True, help="Of a strided placement.")
@click.option(
    "--fail",
    "failures",
    multiple=True,
    metavar="WHAT",
    help="leaf:3 (any three), link:1% or spine[spine=0] (that one); may be repeated.",
)
@click.option("--jobs", metavar="FILE", help="Several jobs at one time, from a YAML or JSON file.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Draws hashes, places and failures.")
@click.option("--pxn", is_flag=True, help="Cross to the target's rail by NVLink first.")
@click.option("--engine", help="closed, flows or lp; by default closed for all GPUs in random order.")
@OUT
@AS_JSON
@click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress.")
@click.pass_obj
def allreduce(quiet: bool, /, request: str, out: str | None, as_json: bool, silent: bool, **words: Any) -> None:
    """Estimate a collective on the fabric of REQUEST: time, bus bandwidth, what limits it, and how sure that is."""
    from fabric.flow import Routing, Workload

    sizes, jobs = units.doublings(words.pop("size"), units.parse_size), words.pop("jobs")
    gpus = None if (text := words.pop("gpus")) is None else units.parse_count(text)
    qps, pxn, names = words.pop("qps"), words.pop("pxn"), words.pop("routing").split(",")
    routings = [Routing(name, qps, words["seed"], pxn) for name in _once("--routing", names)]
    words["failures"] = tuple(words["failures"])
    workloads = [Workload(gpus=gpus, routing=routing, **words) for routing in routings]
    run_workload(partial(fabric.design, request), workloads, sizes, jobs, Run(quiet or silent, out, as_json))


@cli.command()
@REQUEST
@click.option(
    "--gpus", default="1024..1048576", show_default=True, help="Numbers of GPUs with commas, or doublings from..to."
)
@click.option("--size", default="1GiB", show_default=True, help="The size of the all-reduce.")
@click.option("--routing", default="ecmp,adaptive", show_default=True, help="One or both of ecmp and adaptive.")
@click.option("--algorithm", default="ring,best", show_default=True, help="Algorithms, and best.")
@OUT
@AS_JSON
@click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress.")
@click.pass_obj
def scale(quiet: bool, /, request: str, out: str | None, as_json: bool, silent: bool, **words: Any) -> None:
    """Show how an all-reduce fares as REQUEST grows, and where and why its curve bends."""
    gpus = units.doublings(words["gpus"], units.parse_count)
    routings, algorithms = (_once(f"--{key}", words[key].split(",")) for key in ("routing", "algorithm"))
    size = units.parse_size(words["size"])
    make = partial(fabric.scale, request, gpus, size_bytes=size, routings=routings, algorithms=algorithms)
    run_scale(make, Run(quiet or silent, out, as_json))


def _once(option: str, words: list[str]) -> list[str]:
    """Return the words of a list with commas; raises InputError when one stands twice."""
    found = [word.strip() for word in words]
    if twice := [word for place, word in enumerate(found) if word in found[:place]]:
        raise fabric.InputError(f"{option}: '{twice[0]}' stands twice")
    return found


@cli.command()
@click.argument("file", type=click.Path())
@OUT
@AS_JSON
@request_prices
@click.pass_obj
def cluster(quiet: bool, /, file: str, out: str | None, as_json: bool, **words: Any) -> None:
    """Design the several fabrics of a cluster FILE, together the cheapest within the limits they share."""
    run_cluster(partial(fabric.cluster, file, **overrides(words)), Run(quiet or words["silent"], out, as_json))


@cli.command()
@REQUESTS
@click.option("--differences", is_flag=True, help="Print only the rows in which the designs differ.")
@click.option("--families", "field", help="Hold families against each other on one REQUEST: names with commas, or all.")
@click.option("--table", metavar="NAME", help="Hold a table of published fabrics, a shipped one or a file, to designs.")
@click.option("--json", "as_json", is_flag=True, help="Print designs and rows as JSON.")
@request_words
@click.pass_obj
def compare(
    quiet: bool, /, requests: tuple[str, ...], differences: bool, field: str | None, as_json: bool, **words: Any
) -> None:
    """Print two or more designs side by side, or with --table published fabrics against ours.

    Rows that differ are marked *, and numbers show their change against the first design. With --table the exit code
    is 1 when a cell differs that the table does not explain.
    """
    from fabric.report.comparison import design_each
    from fabric.report.side_by_side import side_by_side

    table, quiet = words.pop("table"), words.pop("silent") or quiet
    if table is not None:
        if requests or differences or field is not None or any(words.values()):
            raise click.UsageError("--table stands alone: its rows are the requests.")
        run_table(table, Run(quiet, None, as_json))
        return
    if field is not None:
        _contest(quiet, requests, field, as_json, words)
        return
    if len(requests) < 2:
        raise click.UsageError("Give two requests or more.")
    with progress_of(quiet) as say:
        comparison = fabric.compare(*design_each(requests, progress=say, **overrides(words)))
    names = _names(requests, comparison)
    if as_json:
        print_json(comparison.document(differences=differences))
    else:
        print_summary("", *side_by_side(comparison, names, differences=differences))
    for name, item in zip(names, comparison.designs, strict=True):
        if not all(row["ok"] for row in item["expected"]):
            click.echo(f"warning: {name} does not meet every published number", err=True)


def _contest(quiet: bool, requests: tuple[str, ...], field: str, as_json: bool, words: dict[str, Any]) -> None:
    """Hold families against each other on one request."""
    from fabric.contest import contest
    from fabric.report.contest import contest_document, contest_summary

    if len(requests) != 1 or words["family"]:
        raise click.UsageError("--families takes one request, and instead of --family.")
    with progress_of(quiet) as say:
        given = overrides(words)
        entries = contest(requests[0], _once("--families", field.split(",")), progress=say, **given)
        spec = fabric.read(requests[0], **given)
    if as_json:
        print_json(contest_document(spec.name, spec.gpus, entries))
    else:
        print_summary(*contest_summary(spec.name, spec.gpus, entries))


def _names(requests: tuple[str, ...], comparison: fabric.Comparison) -> tuple[str, ...]:
    """Return what to call the designs: their names, or, where two have the same, their requests as given."""
    names = tuple(str(design["name"]) for design in comparison.designs)
    return names if len(set(names)) == len(names) else requests


@cli.command("list")
@click.argument("what", type=click.Choice(LISTS), default="topologies")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(what: str, as_json: bool) -> None:
    """List shipped topologies, tables of published fabrics, known families, or catalogue parts."""
    from fabric.report.lists import listing

    heads, rows = listing(what)
    if as_json:
        print_json([dict(zip(heads, row, strict=True)) for row in rows])
    elif what == "families":
        click.echo("\n\n".join(record(heads, row) for row in rows))
    else:
        print_table("", [head.replace("_", " ") for head in heads], [[cell(value) for value in row] for row in rows])


@cli.command()
@REQUEST
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(request: str, as_json: bool) -> None:
    """Show REQUEST with every default filled in, its sources and what it must reproduce."""
    from fabric.spec.writing import yaml_text

    words = dict(fabric.read(request).request)
    if as_json:
        print_json(words)
    else:
        click.echo(yaml_text(words), nl=False)


@cli.command()
@REQUEST
@request_words
@click.pass_obj
def check(quiet: bool, /, request: str, **words: Any) -> None:
    """Say whether REQUEST is well-formed, feasible and as published: exit 0, 1 if not feasible or not as published."""
    from fabric.report import document

    with progress_of(quiet or words.pop("silent")) as say:
        study = fabric.design(request, progress=say, **overrides(words))
        missed = [row for row in document(study)["expected"] if not row["ok"]]
    tiers = f"{study.blueprint.tiers} tier{'s'[: study.blueprint.tiers > 1]}"
    click.echo(f"{study.spec.name}: feasible, for example as {study.blueprint.form.family} in {tiers}")
    for row in missed:
        published, designed = units.number(row["published"]), units.number(row["designed"])
        click.echo(f"fabric: expected.{row['key']}: published {published}, but designed {designed}", err=True)
    sys.exit(1 if missed else 0)


def _output_ended(error: OSError) -> None:
    """End with 2 when stdout can't be written; a reader that has gone is no failure."""
    drop_output()
    if not isinstance(error, BrokenPipeError):
        click.echo(f"fabric: can't write the output: {error.strerror or error}", err=True)
        sys.exit(2)


def main() -> NoReturn:
    """Run the command; a FabricError becomes its message on stderr and its exit code.

    A reader of stdout that has gone ends the run quietly, with 0; a stdout that can't be written ends it with 2.
    """
    mend_streams()
    stdout, interrupted = sys.stdout, noted_interrupts()
    try:
        cli.main(standalone_mode=False, prog_name="fabric")
        if sys.stdout:
            sys.stdout.flush()
    except fabric.FabricError as error:
        click.echo(wrapped(f"fabric: {error}"), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("fabric: interrupted", err=True)
        sys.exit(130)
    except SystemExit as end:
        if sys.stdout is not stdout or isinstance(end.__context__, BrokenPipeError):  # so click and rich end
            drop_output()
            sys.exit(0)
        raise
    except OSError as error:
        _output_ended(error)
    except Exception:
        if not interrupted:  # a library may turn an interrupt into an error of its own
            raise
        click.echo("fabric: interrupted", err=True)
        sys.exit(130)
    sys.exit(0)
