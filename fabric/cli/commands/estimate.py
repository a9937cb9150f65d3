"""The commands that estimate collectives: `allreduce` on one fabric, and `scale` on many sizes of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

import fabric
from fabric import units
from fabric.cli.options import AS_JSON, OUT, REQUEST
from fabric.cli.record_name import split_names
from fabric.cli.runs import RunOptions, run_scale, run_workload

__all__ = ["allreduce", "scale"]


@click.command()
@REQUEST
@click.option(
    "--size", default="1MiB..16GiB", show_default=True, help="Message sizes with commas, or doublings from..to."
)
@click.option(
    "--collective",
    default="all-reduce",
    show_default=True,
    help="Collective: all-reduce, reduce-scatter, all-gather, all-to-all, broadcast, send-recv.",
)
@click.option("--gpus", metavar="INTEGER", help="Run on this many of the GPUs.  [default: all]")
@click.option("--algorithm", help="Algorithm to use.  [default: the fastest that NCCL supports]")
@click.option(
    "--routing",
    default="adaptive,ecmp",
    show_default=True,
    help="Routing, one or several with commas: adaptive, ecmp, dmodk, valiant.",
)
@click.option("--qps", type=click.IntRange(1, 4096), default=2, show_default=True, help="Queue pairs per flow.")
@click.option(
    "--placement",
    default="random",
    show_default=True,
    help="Placement of ranks: random, contiguous, by-rail, strided, fragmented.",
)
@click.option("--stride", type=click.IntRange(1), default=8, show_default=True, help="Stride of a strided placement.")
@click.option(
    "--fail",
    "failures",
    multiple=True,
    metavar="WHAT",
    help="Failures: leaf:3 (any three), link:1% or spine[spine=0] (that one); repeatable.",
)
@click.option("--jobs", metavar="FILE", help="Run the concurrent jobs of a YAML or JSON file.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed (ECMP hash, placement, failures)."
)
@click.option("--pxn", is_flag=True, help="Use PXN: cross to the destination rail through NVLink first.")
@click.option(
    "--engine",
    help="Model: closed (closed form), flows (explicit flows) or lp (linear program)."
    "  [default: closed where it applies, else flows]",
)
@OUT
@AS_JSON
@click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress.")
@click.pass_obj
def allreduce(quiet: bool, /, request: str, out: str | None, as_json: bool, silent: bool, **words: Any) -> None:
    """Estimate a collective on the fabric of REQUEST.

    Reports time, bus bandwidth, the limiting factor and the model error.
    """
    from fabric.flow import Routing, Workload

    sizes, jobs = units.doublings(words.pop("size"), units.parse_size), words.pop("jobs")
    gpus = None if (text := words.pop("gpus")) is None else units.parse_count(text)
    qps, pxn, names = words.pop("qps"), words.pop("pxn"), words.pop("routing")
    routings = [Routing(name, qps, words["seed"], pxn) for name in split_names(names)]
    words["failures"] = tuple(words["failures"])
    workloads = [Workload(gpus=gpus, routing=routing, **words) for routing in routings]
    run_workload(partial(fabric.design, request), workloads, sizes, jobs, RunOptions(quiet or silent, out, as_json))


@click.command()
@REQUEST
@click.option(
    "--gpus",
    default="1024..1048576",
    show_default=True,
    help="Cluster sizes in GPUs with commas, or doublings from..to.",
)
@click.option("--size", default="1GiB", show_default=True, help="Message size.")
@click.option(
    "--routing", default="ecmp,adaptive", show_default=True, help="Routing, one or both with commas: ecmp, adaptive."
)
@click.option(
    "--algorithm",
    default="ring,best",
    show_default=True,
    help="Algorithms with commas; best is the fastest at each size.",
)
@OUT
@AS_JSON
@click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress.")
@click.pass_obj
def scale(quiet: bool, /, request: str, out: str | None, as_json: bool, silent: bool, **words: Any) -> None:
    """Show how an all-reduce scales as REQUEST grows, and where and why its curve bends."""
    gpus = units.doublings(words["gpus"], units.parse_count)
    routings, algorithms = (split_names(words[key]) for key in ("routing", "algorithm"))
    size = units.parse_size(words["size"])
    make = partial(fabric.scale, request, gpus, size_bytes=size, routings=routings, algorithms=algorithms)
    run_scale(make, RunOptions(quiet or silent, out, as_json))
