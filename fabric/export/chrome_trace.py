"""The timeline of a training step as a trace that Perfetto and Chrome show (Trace Event Format, JSON)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fabric.training.step import TrainingStep
from fabric.training.timeline import KINDS, MESSAGES, Timeline, list_spans

__all__ = ["chrome_trace"]

THREADS = ("computation", "messages of data-parallel ranks")
"""The threads of each rank, which the viewer shows as rows."""


def chrome_trace(step: TrainingStep) -> str:
    """Return a step as JSON that https://ui.perfetto.dev and chrome://tracing open: a process for each stage."""
    spans = list_spans(step.run)
    events = [*_name_rows(spans), *_list_events(spans)]
    about = {"design": step.name, "model": step.model, "step_s": step.step_s}
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms", "otherData": about})


def _name_rows(spans: Timeline) -> Iterator[dict[str, Any]]:
    for rank in range(spans.ranks):
        yield {"ph": "M", "name": "process_name", "pid": rank, "args": {"name": f"pipeline stage {rank}"}}
        yield {"ph": "M", "name": "process_sort_index", "pid": rank, "args": {"sort_index": rank}}
        for number, name in enumerate(THREADS):
            yield {"ph": "M", "name": "thread_name", "pid": rank, "tid": number, "args": {"name": name}}


def _list_events(spans: Timeline) -> Iterator[dict[str, Any]]:
    """Yield a complete event for each span, its times in microseconds."""
    columns = (spans.rank, spans.kind, spans.part, spans.micro_batch, spans.start_s, spans.end_s, spans.waits_s)
    for rank, kind, part, micro_batch, start, end, waits in zip(*(each.tolist() for each in columns), strict=True):
        numbers = {"part": part, "micro_batch": micro_batch, "waits_us": 1e6 * waits}
        yield {
            "ph": "X",
            "name": KINDS[kind] if micro_batch < 0 else f"{KINDS[kind]} {micro_batch}",
            "cat": KINDS[kind],
            "pid": rank,
            "tid": int(kind in MESSAGES),
            "ts": 1e6 * start,
            "dur": 1e6 * (end - start),
            "args": {key: value for key, value in numbers.items() if value >= 0},
        }
