"""What a search for the best layout of a model found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fabric import units
from fabric.report.table import Summary, Table
from fabric.report.training import describe_parallel
from fabric.training.search import SearchResult

__all__ = ["list_layouts", "search_object", "summarize_search", "with_searches"]


def search_object(found: SearchResult) -> dict[str, Any]:
    """Return a search as one plain object (docs/design-json.md), without its best layout, which the step has."""
    facts = {name: getattr(found, name) for name in ("layouts", "timed", "too_large", "bound_s")}
    others = [{"parallel": asdict(parallel), "step_s": step_s} for parallel, step_s in found.others]
    return {**facts, "proven": found.bound_s is None, "others": others}


def list_layouts(found: SearchResult) -> list[dict[str, Any]]:
    """Return the best layouts as rows, each with its GPUs and its step."""
    return [{**asdict(parallel), "gpus": parallel.gpus, "step_s": step_s} for parallel, step_s in found.ranked]


def summarize_search(found: SearchResult) -> Summary:
    """Return what a notebook shows of a search."""
    best = describe_parallel(found.best).replace(",", ", ")
    text = f"The best layout: {best}, on {units.count_noun(found.best.gpus, 'GPU')}."
    return Summary(text, [Table("", ("layout", "step"), _list_best(found))], [_describe(found)])


def with_searches(summary: Summary, names: Sequence[str], searches: Sequence[SearchResult]) -> Summary:
    """Return a summary of training steps with the best layouts for each, and how they are proven."""
    tables = [
        Table(f"The best layouts{f' on {name}' if len(names) > 1 else ''}", ("layout", "step"), _list_best(found))
        for name, found in zip(names, searches, strict=True)
    ]
    lines = [
        f"{f'{name}: ' if len(names) > 1 else ''}{_describe(found)}"
        for name, found in zip(names, searches, strict=True)
    ]
    return Summary(summary.text, [*summary.tables, *tables], [*summary.lines, *lines])


def _list_best(found: SearchResult) -> list[tuple[str, str]]:
    return [(describe_parallel(parallel).replace(",", ", "), units.time(step_s)) for parallel, step_s in found.ranked]


def _describe(found: SearchResult) -> str:
    text = f"Of {found.layouts:,} layouts {found.timed:,} were timed"
    if found.bound_s is None:
        return f"{text}; bounds show that the others are slower, or they do not fit into memory (proven)."
    return f"{text}; whether another is faster is not proven: none can take less than {units.time(found.bound_s)}."
