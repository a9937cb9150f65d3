"""The maximum flow between two groups of devices as a document, and as lines with the cut that limits it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric import units
from fabric.flow import MaxFlow
from fabric.flow.failure_words import Failed
from fabric.report.failures import failed_objects, list_parts
from fabric.report.table import Summary, Table
from fabric.studies.study import Study

__all__ = ["SCHEMA", "flow_object", "summarize_flow"]

SCHEMA = "fabric.maxflow/1"


def flow_object(study: Study, found: MaxFlow, failed: Sequence[Failed]) -> dict[str, Any]:
    """Return the flow as one plain object (docs/design-json.md)."""
    network = found.network
    ends = zip(network.lower[found.cut_links].tolist(), network.upper[found.cut_links].tolist(), strict=True)
    return {
        "schema": SCHEMA,
        "name": study.spec.name,
        "design_gpus": study.blueprint.gpus,
        "failed": failed_objects(failed),
        "gbps": found.gbps,
        "from": [network.name(row) for row in found.source.tolist()],
        "to": [network.name(row) for row in found.target.tolist()],
        "cut": [
            {"bundle": part.bundle, "direction": part.direction, "links": part.links, "gbps": part.gbps}
            for part in found.cut
        ],
        "cut_links": [[network.name(lower), network.name(upper)] for lower, upper in ends],
    }


def summarize_flow(study: Study, found: MaxFlow, failed: Sequence[Failed], seed: int) -> Summary:
    """Return what the command prints; `seed` is that of the failures."""
    groups = f"{units.count_noun(len(found.source), 'device')} to {units.count_noun(len(found.target), 'device')}"
    each = found.gbps / len(found.source)
    text = (
        f"{study.spec.name}: maximum flow from {groups}: {units.rate(found.gbps)}, one direction;"
        f" {units.number(round(each, 1))} Gb/s for each that sends."
    )
    rows = [(part.bundle, part.direction, units.count(part.links), units.rate(part.gbps)) for part in found.cut]
    tables = [Table("Limiting cut", ("bundle", "direction", "links", "bandwidth"), rows)] if rows else []
    lines = [] if rows else ["No path joins the two groups."]
    return Summary(text, tables, [*list_parts(failed, seed), *lines])
