"""A training step as a document, as tables for a terminal, and several fabrics side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from fabric import units
from fabric.report.gpu_hour import gpu_hour_object, list_cost_notes, list_cost_rows, list_costs
from fabric.report.table import Summary, Table, tabulate_side_by_side
from fabric.report.text import format_percent, join_words
from fabric.request.parallel import Parallel
from fabric.training.goodput import Goodput
from fabric.training.step import SentMessage, TrainingStep

__all__ = [
    "SCHEMA", "goodput_object", "list_shares", "step_object", "summarize_goodput", "summarize_step",
    "summarize_training", "training_object",
]  # fmt: skip

SCHEMA = "fabric.training/1"

SHOWN = 8
"""The messages that the terminal lists; JSON has all."""


def step_object(step: TrainingStep) -> dict[str, Any]:
    """Return a step as one plain object (docs/design-json.md)."""
    return {
        "name": step.name,
        "model": step.model,
        "parallel": asdict(step.parallel),
        "gpus": step.gpus,
        "batch": step.batch,
        "sequence": step.sequence,
        "precision": step.precision,
        "software": step.software,
        "routing": step.routing,
        "accelerator": step.accelerator,
        "step_s": step.step_s,
        "expected_error": step.expected_error,
        "tokens_s_gpu": step.tokens_s_gpu,
        "tflops_gpu": step.tflops_gpu,
        "mfu": step.mfu,
        "hfu": step.hfu,
        "flops": dict(step.flops),
        "recompute_flops": step.recompute_flops,
        "peak_tflops": step.peak_tflops,
        "compute_s": dict(step.compute_s),
        "update_s": step.update_s,
        "bubble_s": step.bubble_s,
        "exposed_s": dict(step.exposed_s),
        "network_s": dict(step.network_s),
        "limited_by": step.limited_by,
        "ideal_step_s": step.ideal_step_s,
        "network_cost": step.network_cost,
        "memory": {**asdict(step.memory), "total_gib": step.memory.total_gib},
        "messages": [_message_object(each) for each in step.messages],
        "gpu_hour": gpu_hour_object(step.gpu_hour),
        "usd_per_trillion_tokens": step.usd_per_trillion_tokens(),
    }


def _message_object(sent: SentMessage) -> dict[str, Any]:
    return {**asdict(sent.message), "calls": sent.calls, "total_s": sent.total_s, "time": asdict(sent.time)}


def summarize_step(step: TrainingStep) -> Summary:
    """Return what the terminal and a notebook show of a step."""
    text = (
        f"{step.name}: a step of {step.model} on {units.count_noun(step.gpus, 'GPU')} ({step.accelerator}) takes "
        f"{units.time(step.step_s)}: {units.count(step.tokens_s_gpu)} tokens/s per GPU, MFU {_percent(step.mfu)}."
    )
    tables = [
        Table("The busiest GPU's time", ("part", "time", "share"), list(_list_parts(step))),
        Table("Exposed messages, by what they wait for", ("cause", "time", "share"), list(_list_network(step))),
        Table("Messages of a step, each alone", MESSAGE_HEADS, _list_messages(step)),
    ]
    return Summary(text, [table for table in tables if table.rows], list(_list_lines(step)))


def _list_parts(step: TrainingStep) -> Iterator[tuple[str, str, str]]:
    for part, seconds in sorted(step.compute_s.items(), key=lambda each: -each[1]):
        yield _row(step, part, seconds)
    yield _row(step, "update of weights", step.update_s)
    if step.parallel.pp > 1:
        yield _row(step, "bubble of the pipeline", step.bubble_s)
    for cause, seconds in step.exposed_s.items():
        if seconds > 0:
            yield _row(step, f"exposed messages: {cause}", seconds)
    yield _row(step, "step", step.step_s)


def _list_network(step: TrainingStep) -> Iterator[tuple[str, str, str]]:
    for cause, seconds in step.network_s.items():
        if seconds > 0:
            yield _row(step, cause, seconds)


def _row(step: TrainingStep, name: str, seconds: float) -> tuple[str, str, str]:
    return name, units.time(seconds) if seconds else "0 s", _percent(seconds / step.step_s)


MESSAGE_HEADS = ("message", "size", "calls", "each", "in all", "limited by")


def _list_messages(step: TrainingStep) -> list[tuple[str, ...]]:
    """Return the messages that take longest, those of one kind, size and time together."""
    alike: dict[tuple[str, str, str, str], list[SentMessage]] = {}
    for sent in step.messages:
        size, each = units.size(round(sent.message.size_bytes)), units.time(sent.time.total_s)
        key = f"{sent.message.cause} {sent.message.collective}", size, each, sent.time.limited_by
        alike.setdefault(key, []).append(sent)
    rows = sorted(alike.items(), key=lambda each: -sum(sent.total_s for sent in each[1]))
    return [
        (
            what,
            size,
            units.count(sum(one.calls for one in sent)),
            each,
            units.time(sum(one.total_s for one in sent)),
            limit,
        )
        for (what, size, each, limit), sent in rows[:SHOWN]
    ]


def _list_lines(step: TrainingStep) -> Iterator[str]:
    layout = describe_parallel(step.parallel)
    yield f"Parallel layout: {layout}; {step.precision}, {step.software}, {step.routing} routing."
    if step.unsaid:
        chosen = join_words([CHOSEN[key].format(getattr(step.parallel, key)) for key in step.unsaid])
        yield f"Not given, and so chosen: {chosen}."
    memory = step.memory
    where = f" on stage {memory.stage}" if step.parallel.pp > 1 else ""
    yield f"Memory: {memory.total_gib:.1f} of {memory.hbm_gib:g} GiB of a GPU{where}."
    yield (
        f"On an ideal network, limited only by the NICs, the step takes {units.time(step.ideal_step_s)}: this network "
        f"costs {_percent(step.network_cost)}."
    )
    error = _percent(step.expected_error)
    yield f"Expected error: {error}; nine of ten published runs that were left out of the fit are within it."
    others = ", ".join(
        f"{words} {_percent(step.mfu * step.flops[name] / step.flops['full'])}"
        for name, words in (("6n", "6 for each active weight"), ("causal", "attention to earlier tokens alone"))
    )
    again = f" HFU, with what is computed again, is {_percent(step.hfu)}." if step.recompute_flops else ""
    yield (
        f"MFU counts the model's matrix products, attention in full, over {step.peak_tflops:,g} TFLOP/s; with "
        f"{others}.{again}"
    )
    yield from list_costs(step)
    if step.limited_by != "update":
        yield f"What costs most beside computation: {LOSSES.get(step.limited_by, step.limited_by + ' messages')}."


CHOSEN = {
    "dp": "dp={:,} (all GPUs of the fabric)",
    "recompute": "recompute={} (the least that fits into memory)",
    "micro_batch": "micro_batch={:,}",
}
"""What is said of each key of a layout that nobody gave, with its value."""

LOSSES = {"bubble": "the bubble of the pipeline"}


def describe_parallel(parallel: Parallel) -> str:
    """Return the degrees of a run as `--parallel` takes them: `tp=8,pp=16,dp=128`, those of 1 and defaults left out."""
    usual = vars(Parallel(schedule="interleaved" if parallel.vp > 1 else "1f1b"))
    return ",".join(f"{key}={value}" for key, value in vars(parallel).items() if value != usual[key]) or "dp=1"


def list_shares(step: TrainingStep) -> list[tuple[str, float]]:
    """Return the parts of a step and their seconds, as `draw_training` shows them."""
    parts = [("computation", sum(step.compute_s.values())), ("update", step.update_s), ("bubble", step.bubble_s)]
    return [each for each in (*parts, *step.exposed_s.items()) if each[1] > 0]


def training_object(steps: Sequence[TrainingStep], lost: Sequence[Goodput | None]) -> dict[str, Any]:
    """Return what `fabric train` prints: a step on each fabric and its goodput, None where nobody asks."""
    rows = [
        {**step_object(step), "goodput": goods and goodput_object(goods)}
        for step, goods in zip(steps, lost, strict=True)
    ]
    return {"schema": SCHEMA, "steps": rows}


def summarize_training(steps: Sequence[TrainingStep], lost: Sequence[Goodput | None]) -> Summary:
    """Return what the terminal shows of a step on one fabric, or on several side by side."""
    if len(steps) > 1:
        return _compare(steps, lost)
    (step,), (goods,) = steps, lost
    text, tables, lines = summarize_step(step)
    if goods is None:
        return Summary(text, tables, lines)
    more = summarize_goodput(goods)
    return Summary(text, [*tables, *more.tables], [*lines, more.text, *more.lines])


def _compare(steps: Sequence[TrainingStep], lost: Sequence[Goodput | None]) -> Summary:
    """Return fabrics side by side, a column for each; costs and goodput where any is known."""
    first = steps[0]
    layouts = [describe_parallel(step.parallel).replace(",", ", ") for step in steps]
    unlike = {"GPUs": [f"{step.gpus:,} x {step.accelerator}" for step in steps], "layout": layouts}
    rows = {
        **{label: cells for label, cells in unlike.items() if len(set(cells)) > 1},
        "step": [units.time(step.step_s) for step in steps],
        "vs first": [_percent(step.step_s / first.step_s) for step in steps],
        "tokens/s per GPU": [units.count(step.tokens_s_gpu) for step in steps],
        "MFU": [_percent(step.mfu) for step in steps],
        "network costs": [_percent(step.network_cost) for step in steps],
        **list_cost_rows(steps),
    }
    if any(lost):
        rows["goodput"] = ["unknown" if each is None else _percent(each.effective) for each in lost]
    gpus = list(dict.fromkeys((step.gpus, step.accelerator) for step in steps))
    where = " or ".join(f"{units.count_noun(count, 'GPU')} ({name})" for count, name in gpus)
    text = f"A step of {first.model} on {where}, {first.precision}."
    lines = [] if "layout" in rows else [f"Parallel layout: {layouts[0]}."]
    lines += ["network costs: by how much the step is longer than on an ideal network, limited only by the NICs."]
    lines += list_cost_notes(steps)
    return Summary(text, tabulate_side_by_side([step.name for step in steps], rows), lines)


def goodput_object(found: Goodput) -> dict[str, Any]:
    """Return what failures leave of a job's time as one plain object."""
    return {**asdict(found), "per_day": found.per_day, "hours_between": found.hours_between}


def summarize_goodput(found: Goodput) -> Summary:
    """Return what failures leave of a job's time, by what they cost and by what fails."""
    often = "never" if found.hours_between is None else f"every {found.hours_between:.3g} h"
    text = f"Goodput over a month: {_percent(found.effective)} of the time; the job is interrupted {often}."
    shares = (
        ("checkpoints", found.checkpoints),
        ("work done again", found.rework),
        ("restarts", found.restarts),
    )
    rows = [(each.kind, "" if each.parts is None else units.count(each.parts), f"{30 * each.per_day:.3g}")
            for each in found.interruptions]  # fmt: skip
    tables = [
        Table("Time lost", ("to", "share"), [(name, _percent(share)) for name, share in shares]),
        Table("Interruptions", ("kind", "parts", "in 30 days"), rows),
    ]
    lines = []
    if found.recovery.interval_s:
        lines.append(
            f"A checkpoint every {units.time(found.recovery.interval_s)}, which takes "
            f"{units.time(found.recovery.checkpoint_s)}; {units.time(found.recovery.restart_s)} until training goes on "
            "after a failure."
        )
    if found.tokens_per_month is not None:
        lines.append(f"Tokens trained in a month: {found.tokens_per_month:.4g}.")
    return Summary(text, [table for table in tables if table.rows], lines)


def _percent(share: float) -> str:
    return format_percent(share, ".1f")
