"""The commands that estimate collectives: `allreduce` on one fabric, and `scale` on many sizes of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

import fabric
from fabric import units
from fabric.cli.options import AS_JSON, OUT, REQUEST, once
from fabric.cli.runs import Run, run_scale, run_workload

__all__ = ["allreduce", "scale"]


@click.command()
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
@click.option(
    "--routing", default="adaptive,ecmp", show_default=True, help="One or several of adaptive, ecmp, dmodk, valiant."
)
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
@click.option("--engine", help="closed, flows or lp; by default closed for all GPUs in random order, adaptive or ecmp.")
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
    routings = [Routing(name, qps, words["seed"], pxn) for name in once("--routing", names)]
    words["failures"] = tuple(words["failures"])
    workloads = [Workload(gpus=gpus, routing=routing, **words) for routing in routings]
    run_workload(partial(fabric.design, request), workloads, sizes, jobs, Run(quiet or silent, out, as_json))


@click.command()
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
    routings, algorithms = (once(f"--{key}", words[key].split(",")) for key in ("routing", "algorithm"))
    size = units.parse_size(words["size"])
    make = partial(fabric.scale, request, gpus, size_bytes=size, routings=routings, algorithms=algorithms)
    run_scale(make, Run(quiet or silent, out, as_json))
