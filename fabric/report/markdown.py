"""The report in Markdown: the request, what was chosen and why, the tables and the pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fabric.report.columns import list_tables, text_table
from fabric.report.design import Design
from fabric.report.growth import describe_growth
from fabric.report.near_optima import describe_near_optima
from fabric.report.objectives import write_amount
from fabric.report.rationale import describe_savings, explain_choice
from fabric.report.sensitivity import TITLE, UNCHANGED, name_alternative
from fabric.report.sentences import (
    describe_bandwidth,
    describe_best_allreduce,
    describe_choice,
    describe_electricity,
    describe_failures,
    describe_objective,
    describe_status,
    describe_uplinks,
)
from fabric.report.table import Table
from fabric.request.yaml_writer import yaml_text
from fabric.studies.study import read
from fabric.topology.families import family

__all__ = ["escape_markdown", "given_keys", "markdown_report", "markdown_table", "request_yaml"]


def markdown_report(design: Design) -> str:
    """Return the report of a design."""
    tables = {table.name: (table.title, _escape_table(text_table(table))) for table in list_tables(design)}
    spec = design.spec
    parts = [
        [f"# {escape_markdown(spec.name)}", "", escape_markdown(describe_choice(design))],
        [*map(escape_markdown, describe_savings(design))],
        ["![Fabric](fabric.svg)"],
        ["## Request", "", *_fence_code(request_yaml(spec.request), "yaml")],
        ["## Rationale", "", *_list_rationale(design)],
        _section(*tables["near"]) if "near" in tables else [],
        [f"- {escape_markdown(line)}" for line in describe_near_optima(design)],
        [f"## {TITLE}", "", *_list_changes(design)] if design.price_changes is not None else [],
        *(_section(*tables[name]) for name in ("switches", "links")),
        [*_section(*tables["bill"]), *(text for line in describe_electricity(design) for text in ("", line))],
        *([_section(*tables[name]) for name in ("stages", "stage_parts")] if design.study.stages else []),
        [f"- {line}" for line in describe_growth(design)],
        ["## Estimated performance", "", " ".join([describe_bandwidth(design), *describe_best_allreduce(design)])],
        [*markdown_table(tables["allreduce"][1])] if design.allreduce else [],
        ["![All-reduce busbw by message size](allreduce.svg)"] if design.allreduce else [],
        _section(*tables["expected"]) if design.expected else [],
        _list_section("Notes", design.notes),
        _list_section("Sources", spec.sources),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _section(title: str, table: Table) -> list[str]:
    return [f"## {title}", "", *markdown_table(table)]


def _fence_code(text: str, language: str) -> list[str]:
    """Return the lines of a code block, whose fence is longer than any run of backticks in the text."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", text, fence]


def _list_section(title: str, items: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {escape_markdown(item)}" for item in items)] if items else []


def request_yaml(request: Mapping[str, Any]) -> str:
    """Return the keys of a request that differ from their defaults, as YAML."""
    return yaml_text(given_keys(request)).rstrip()


def given_keys(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a request that differ from their defaults, its published numbers and sources left out."""
    asked = [key for key in ("gpus", "server", "servers") if request[key] is not None]
    plain = read({key: request[key] for key in asked}).request
    limits = {key: item for key, item in request["limits"].items() if item != plain["limits"][key]}
    given = {key: item for key, item in request.items() if key in ("name", *asked) or item != plain.get(key)}
    given = {key: item for key, item in given.items() if key not in ("expected", "sources") and item is not None}
    given |= {"limits": limits}
    return {key: item for key, item in given.items() if item != {}}


def _list_rationale(design: Design) -> Iterator[str]:
    if why := " ".join(explain_choice(design)):
        yield f"{why}\n"
    yield f"- {describe_objective(design)} {describe_status(design, bound=True)}"
    name, currency = design.proof.objective_name, design.spec.currency
    if others := design.study.others:
        alternatives = (
            f"{other.name} ({write_amount(name, other.objectives[name], currency)})" for other in others[:3]
        )
        yield f"- Other topologies: {', '.join(alternatives)}."
    yield from (f"- {line}" for line in describe_uplinks(design))
    yield f"- {describe_failures(design)}"
    topology = design.blueprint.topology
    yield f"- Topology: `{topology.text}` ({family(topology.family).reference}); {_list_sizes(design)}."


def _list_sizes(design: Design) -> str:
    blueprint = design.blueprint
    names = blueprint.topology.size_names
    return ", ".join(f"{name} {blueprint.sizes[name]}" for name in names if blueprint.sizes[name] > 1)


def _list_changes(design: Design) -> Iterator[str]:
    """Yield at which value of each price another fabric would be chosen, and which."""
    changes = design.price_changes or ()
    rows = [
        (
            item.part,
            design.write_money(item.price_usd),
            design.write_money(item.at_usd),
            name_alternative(item.instead, design.blueprint),
        )
        for item in changes
        if item.instead
    ]
    undecided = dict.fromkeys(item.part for item in changes if not item.settled)
    if undecided:
        yield f"Not determined within the solve budget: {escape_markdown(', '.join(undecided))}.\n"
    if rows:
        yield from markdown_table(_escape_table(Table("", ("part", "unit price", "at", "the optimum is"), rows)))
    elif not undecided:
        yield UNCHANGED


def _escape_table(table: Table) -> Table:
    return table._replace(rows=[[escape_markdown(cell) for cell in row] for row in table.rows])


def markdown_table(table: Table) -> Iterator[str]:
    """Yield the lines of a table, whose cells are Markdown already."""
    yield f"| {' | '.join(table.heads)} |"
    yield f"|{'---|' * len(table.heads)}"
    for row in table.rows:
        yield f"| {' | '.join(row)} |"


def escape_markdown(text: str) -> str:
    """Escape what Markdown or HTML would take for markup in a user's words."""
    for mark in "\\`*_[]<>|#":
        text = text.replace(mark, f"\\{mark}" if mark not in "<>" else {"<": "&lt;", ">": "&gt;"}[mark])
    return text
