"""The command `train`: a step of training on one fabric, or on several side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.options import AS_JSON, CALIBRATION, OUT, REQUESTS, YEARS, FiniteRange, price_options, read_overrides
from fabric.cli.record_name import record_option
from fabric.cli.runs import RunOptions, make_or_explain, print_result
from fabric.cli.terminal import show_progress

if TYPE_CHECKING:
    import fabric
    from fabric.studies.training import AskedTraining
    from fabric.training.goodput import Goodput, Recovery
    from fabric.training.search import SearchResult
    from fabric.training.step import TrainingStep

__all__ = ["train"]

RUN = ("parallel", "gpus", "batch", "sequence", "precision", "software")
"""The options that override what a file says of its run."""

OVERRIDES = ("calibration", "years", "price", "prices")
"""The options that override keys of the requests."""

SIZE = click.IntRange(1, 100_000_000)

RESTART_S = 600.0
"""From a failure until training goes on, where nobody says."""


@click.command(short_help="Time a training step on a fabric.")
@REQUESTS
@click.option(
    "--model",
    required=True,
    metavar="NAME",
    help="Model: a name of `fabric list models`, or a file of one and its run.",
)
@click.option(
    "--parallel",
    metavar="KEY=VALUE,...",
    help="Degrees: tp, pp, cp, dp, ep, etp, vp, micro_batch, sharding, recompute, schedule and others, such as"
    " tp=8,pp=16,dp=128; those of the file that are not given stay.",
)
@click.option("--gpus", type=SIZE, help="GPUs of the run.  [default: as dp says, or all of the fabric]")
@click.option(
    "--search",
    is_flag=True,
    help="Find the degrees with the shortest step that fit into memory; those that are given are kept.",
)
@click.option("--batch", type=SIZE, help="Sequences of a step, over all GPUs.  [default: the file's]")
@click.option("--seq", "sequence", type=SIZE, help="Tokens of a sequence.  [default: the model's]")
@record_option(
    "--precision",
    registry="fabric.catalog:PRECISIONS",
    metavar="NAME",
    help="Precision of matrix products: {names}.  [default: the file's, or bf16]",
)
@record_option(
    "--software",
    registry="fabric.catalog:training_software",
    metavar="NAME",
    help="Training framework: {names}.  [default: the file's, or megatron]",
)
@record_option(
    "--routing",
    registry="fabric.flow.routings:ROUTINGS",
    metavar="NAME",
    default="adaptive",
    show_default=True,
    help="Routing: {names}.",
)
@click.option(
    "--gpu-hour-usd",
    type=FiniteRange(0, 1_000_000, min_open=True),
    metavar="USD",
    help="Price of one GPU for an hour, with all that it needs; it takes precedence over that of servers and fabric.",
)
@YEARS
@click.option(
    "--fail",
    "failures",
    multiple=True,
    metavar="WHAT",
    help="Failures: leaf:3 (any three), link:1%, leaf[block=0] (that one) or @FILE, a list; repeatable.",
)
@click.option("--jobs", metavar="FILE", help="Other jobs that run at the same time, of a YAML or JSON file.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed of failures.")
@click.option(
    "--checkpoint",
    type=FiniteRange(0),
    metavar="SECONDS",
    help="Add the goodput of a month: how long training stands still for a checkpoint.",
)
@click.option(
    "--restart",
    type=FiniteRange(0),
    metavar="SECONDS",
    help="With --checkpoint: from a failure until training goes on.  [default: 600]",
)
@click.option(
    "--rates", metavar="FILE", help="With --checkpoint: failure rates from a file instead of the catalogue's."
)
@CALIBRATION
@OUT
@AS_JSON
@price_options
@click.pass_obj
def train(
    quiet: bool, /, requests: tuple[str, ...], out: str | None, as_json: bool, silent: bool, **words: Any
) -> None:
    """Time a step of training a model on the fabric of each REQUEST.

    Reports the step, tokens per second, MFU, and what each kind of parallelism and the network cost; several fabrics
    are shown side by side. --out writes a timeline as a picture, and as a trace for ui.perfetto.dev.
    """
    from fabric.report.comparison import design_each
    from fabric.report.training import summarize_training, training_object
    from fabric.report.training_files import write_training
    from fabric.report.training_search import search_object, with_searches

    if not requests:
        raise click.UsageError("Missing argument 'REQUEST...'.")
    options, recovery = RunOptions(quiet or silent, out, as_json), _read_recovery(words)
    find = _read_search(words) if words["search"] else _read_run(words)
    overrides = read_overrides({name: words.pop(name) for name in OVERRIDES})
    steps, lost, searches = [], [], []
    with show_progress(options.quiet) as say:
        make = partial(design_each, requests, progress=say, **overrides)
        for study in make_or_explain(options.as_json, make):
            asked, found = find(study, say)
            say(f"{study.spec.name}: a step of {asked.model.name}")
            steps.append(_time(study, asked, words))
            lost.append(None if recovery is None else _lose(study, steps[-1], recovery, words["rates"]))
            searches += [] if found is None else [found]
        result = training_object(steps, lost)
        if searches:
            result["searches"] = [search_object(each) for each in searches]
        say("writing files")
        files = [] if options.out is None else write_training(result, steps, options.out)
    names = [step.name for step in steps]
    summarize = partial(summarize_training, steps, lost)
    print_result(
        options, result, lambda: with_searches(summarize(), names, searches) if searches else summarize(), files
    )


Find = Callable[["fabric.Study", Callable[[str], None]], "tuple[AskedTraining, SearchResult | None]"]
"""Returns the run on a design, and the search that found its layout, if any."""


def _read_run(words: dict[str, Any]) -> Find:
    from dataclasses import replace

    from fabric.studies.training import AskedTraining

    asked = AskedTraining.read(words["model"], **{name: words[name] for name in RUN})
    price = words["gpu_hour_usd"]
    asked = asked if price is None else replace(asked, gpu_hour_usd=price)
    return lambda study, say: (asked, None)


def _read_search(words: dict[str, Any]) -> Find:
    from dataclasses import replace

    from fabric.studies.training_search import AskedSearch

    if words["failures"] or words["jobs"]:
        raise click.UsageError("--search excludes --fail and --jobs: it looks for the best layout of a healthy fabric.")
    asked = AskedSearch.read(words["model"], **{name: words[name] for name in RUN})
    if words["gpu_hour_usd"] is not None:
        asked = replace(asked, run=replace(asked.run, gpu_hour_usd=words["gpu_hour_usd"]))
    return lambda study, say: asked.on(study, words["routing"], say)


def _read_recovery(words: dict[str, Any]) -> Recovery | None:
    """Return how the job comes back after failures; None where nothing is asked of that."""
    from fabric.training.goodput import Recovery

    if words["checkpoint"] is None:
        if given := [f"--{name}" for name in ("restart", "rates") if words[name] is not None]:
            text = f"{' and '.join(given)} {'changes' if len(given) == 1 else 'change'} the goodput of --checkpoint"
            raise click.UsageError(f"{text}; give that, too.")
        return None
    return Recovery(words["checkpoint"], RESTART_S if words["restart"] is None else words["restart"])


def _time(study: fabric.Study, asked: AskedTraining, words: dict[str, Any]) -> TrainingStep:
    from fabric.cli.job_lists import read_job_list
    from fabric.studies.training import train_on

    jobs = () if words["jobs"] is None else read_job_list(words["jobs"])
    rest = {name: words[name] for name in ("routing", "failures", "seed")}
    return train_on(study, asked, jobs=jobs, **rest)


def _lose(study: fabric.Study, step: TrainingStep, recovery: Recovery, rates: str | None) -> Goodput:
    """Return what failures leave of a month."""
    from fabric.catalog import failure_rates
    from fabric.request.failure_rate_file import read_failure_rates
    from fabric.training.goodput import find_interruptions, goodput_of

    given = {} if rates is None else read_failure_rates(rates)
    stops = find_interruptions(study.blueprint, {**failure_rates(), **given}, step.gpus)
    return goodput_of(stops, recovery, step_s=step.step_s, tokens_per_step=step.tokens)
