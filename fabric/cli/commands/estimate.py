"""The commands that estimate collectives: `allreduce` on one fabric, and `scale` on many sizes of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import click
from click.core import ParameterSource

import fabric
from fabric import units
from fabric.cli.options import AS_JSON, CALIBRATION, OUT, REQUEST, read_calibration_option
from fabric.cli.record_name import record_option
from fabric.cli.runs import RunOptions, run_scale, run_traffic, run_workload

__all__ = ["allreduce", "scale"]

ROUTINGS = "fabric.flow.routings:ROUTINGS"
ALGORITHMS = "fabric.flow.algorithms:ALGORITHMS"
PATTERNS = "fabric.flow.patterns:PATTERNS"

USUAL = ("adaptive", "ecmp")
"""The routings by default, before the fabric's link layer is known."""

NOT_OF_A_PATTERN = ("algorithm", "jobs", "nccl", "stride")
"""The options of collectives alone."""

NOT_OF_A_FILE = (*NOT_OF_A_PATTERN, "collective", "gpus", "placement", "size")
"""The options that a file of traffic leaves nothing to say of."""


@click.command(short_help="Estimate a collective on a fabric.")
@REQUEST
@click.option(
    "--size", default="1MiB..16GiB", show_default=True, help="Message sizes with commas, or doublings from..to."
)
@record_option(
    "--collective",
    registry="fabric.flow.collectives:COLLECTIVES",
    also=(PATTERNS,),
    metavar="NAME",
    default="all-reduce",
    show_default=True,
    help="Collective, or traffic of a pattern (permutation): {names}.",
)
@click.option("--traffic", metavar="FILE", help="Run the traffic of a CSV file instead: source_gpu,target_gpu,bytes.")
@click.option("--gpus", metavar="INTEGER", help="Run on this many of the GPUs.  [default: all]")
@record_option(
    "--algorithm",
    registry=ALGORITHMS,
    metavar="NAME",
    help="Algorithm: {names}.  [default: what the library chooses]",
)
@record_option(
    "--routing",
    registry=ROUTINGS,
    several=True,
    metavar="NAMES",
    help="Routing, one or several with commas: {names}.  [default: adaptive, and ecmp or on InfiniBand dmodk]",
)
@click.option(
    "--qps",
    type=click.IntRange(1, 4096),
    default=2,
    help="Queue pairs per flow.  [default: those of the library's channels, 2 with its own defaults]",
)
@click.option(
    "--nccl",
    metavar="KEY=VALUE,...",
    help="Settings of the library: channels, qps (per connection), protocol, algorithm, version, nvlink_us and"
    " network_us (latencies of a step).  [default: its own]",
)
@record_option(
    "--transport",
    registry="fabric.flow.transports:TRANSPORTS",
    metavar="NAME",
    default="rdma",
    show_default=True,
    help="Transport of the NICs: {names}.",
)
@record_option(
    "--placement",
    registry="fabric.flow.placements:PLACEMENTS",
    metavar="NAME",
    default="random",
    show_default=True,
    help="Placement of ranks: {names}.",
)
@click.option("--stride", type=click.IntRange(1), default=8, show_default=True, help="Stride of a strided placement.")
@click.option(
    "--fail",
    "failures",
    multiple=True,
    metavar="WHAT",
    help="Failures: leaf:3 (any three), link:1%, leaf[block=0] (that one), leaf[block=0]--spine[spine=2] (a link) or"
    " @FILE, a list; repeatable.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    help="Seeds over which --fail compares with the healthy fabric, or of which each draws a pattern and its hashes."
    "  [default: 8; with --fail fewer on large fabrics]",
)
@click.option("--jobs", metavar="FILE", help="Run the concurrent jobs of a YAML or JSON file.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed (ECMP hash, placement, failures)."
)
@click.option("--pxn", is_flag=True, help="Use PXN: cross to the destination rail through NVLink first.")
@record_option(
    "--engine",
    registry="fabric.flow.engines:ENGINES",
    metavar="NAME",
    help="Model: {names} (closed form, explicit flows, linear program).  [default: closed if it applies, or flows]",
)
@click.option(
    "--bounds",
    is_flag=True,
    help="Add upper bounds on the throughput of a collective's flows under any routing: by cuts, and by a linear"
    " program where that is quick.",
)
@CALIBRATION
@OUT
@AS_JSON
@click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress.")
@click.pass_obj
def allreduce(quiet: bool, /, request: str, out: str | None, as_json: bool, silent: bool, **words: Any) -> None:
    """Estimate a collective on the fabric of REQUEST.

    Reports time, bus bandwidth, the limiting factor and the model error; of traffic between pairs of GPUs the shares of
    line rate over its flows, the time and the busiest link.
    """
    from fabric.catalog import LibrarySettings
    from fabric.flow import PATTERNS, Routing, Workload
    from fabric.request.library_keys import parse_settings

    sizes, jobs = units.doublings(words.pop("size"), units.parse_size), words.pop("jobs")
    gpus = None if (text := words.pop("gpus")) is None else units.parse_count(text)
    way = {key: words.pop(key) for key in ("qps", "pxn", "transport")}
    names = words.pop("routing")
    routings = [Routing(name, seed=words["seed"], **way) for name in names or USUAL]
    words["library"] = parse_settings(text) if (text := words.pop("nccl")) else LibrarySettings()
    words["failures"], seeds = tuple(words["failures"]), words.pop("seeds")
    make = partial(fabric.design, request, **read_calibration_option(words))
    options = RunOptions(quiet or silent, out, as_json, with_bounds=words.pop("bounds"))
    traffic = words.pop("traffic")
    if traffic is not None or words["collective"] in PATTERNS:
        _refuse_unused(NOT_OF_A_PATTERN if traffic is None else NOT_OF_A_FILE)
        run_traffic(make, _ask_traffic(traffic, sizes, gpus, seeds, tuple(routings), words), options)
        return
    workloads = [Workload(gpus=gpus, routing=routing, **words) for routing in routings]
    workloads_of = (lambda _: workloads) if names else partial(_under_usual_routings, workloads[0])
    run_workload(make, workloads_of, sizes, jobs, options, seeds)


def _under_usual_routings(work: Any, study: fabric.Study) -> list[Any]:
    """Return a workload under every routing that is usual on the link layer of a design."""
    from fabric.flow import usual_routings

    return [replace(work, routing=replace(work.routing, name=name)) for name in usual_routings(study.blueprint, work)]


def _ask_traffic(
    file: str | None, sizes: tuple[int, ...], gpus: int | None, seeds: int | None, routings: tuple[Any, ...], words: Any
) -> Any:
    """Return the traffic that the options of `allreduce` ask for."""
    from fabric.studies.traffic import DRAWS, AskedTraffic

    return AskedTraffic(
        words["collective"], file, sizes, gpus, words["placement"], routings, words["seed"], seeds or DRAWS,
        words["failures"], words["engine"],
    )  # fmt: skip


def _refuse_unused(names: tuple[str, ...]) -> None:
    """Refuse options that were given and have no meaning for traffic between pairs of GPUs."""
    context = click.get_current_context()
    given = [name for name in names if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if given:
        raise click.UsageError(f"--{given[0]} has no meaning for traffic between pairs of GPUs; leave it out.")


@click.command(short_help="Show how an all-reduce scales with the cluster.")
@REQUEST
@click.option(
    "--gpus",
    default="1024..1048576",
    show_default=True,
    help="Cluster sizes in GPUs with commas, or doublings from..to.",
)
@click.option("--size", metavar="SIZE", default="1GiB", show_default=True, help="Message size.")
@record_option(
    "--routing",
    registry=ROUTINGS,
    several=True,
    only=lambda policy: policy.closed_form,
    metavar="NAMES",
    help="Routing, one or several with commas: {names}.  [default: ecmp and adaptive, on InfiniBand adaptive]",
)
@record_option(
    "--algorithm",
    registry=ALGORITHMS,
    several=True,
    also=("best",),
    metavar="NAMES",
    default="ring,best",
    show_default=True,
    help="Algorithms with commas: {names}; best is what the library chooses at each size.",
)
@CALIBRATION
@OUT
@AS_JSON
@click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress.")
@click.pass_obj
def scale(quiet: bool, /, request: str, out: str | None, as_json: bool, silent: bool, **words: Any) -> None:
    """Show how an all-reduce scales as REQUEST grows, and where and why its curve bends."""
    gpus = units.doublings(words["gpus"], units.parse_count)
    size = units.parse_size(words["size"])
    routings, algorithms = words["routing"], words["algorithm"]
    make = partial(fabric.scale, request, gpus, size_bytes=size, routings=routings, algorithms=algorithms)
    make = partial(make, **read_calibration_option(words))
    run_scale(make, RunOptions(quiet or silent, out, as_json))
