"""The fabrics of a cluster as a document and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fabric import units
from fabric.report.describe import describe_json
from fabric.report.markdown import escape_markdown, markdown_table
from fabric.report.objectives import write_value
from fabric.report.table import Summary, Table
from fabric.report.text import name_fabric, name_switches
from fabric.request import LIMITS, SHARED
from fabric.studies.multi_fabric import Cluster, amount_of

__all__ = ["SCHEMA", "cluster_object", "cluster_report", "summarize_cluster"]

SCHEMA = "fabric.cluster/1"


def cluster_object(cluster: Cluster, *, timed: bool = True) -> dict[str, Any]:
    """Return the cluster as one plain object (docs/design-json.md)."""
    return {
        "schema": SCHEMA,
        "name": cluster.spec.name,
        "status": cluster.status,
        "limits": dict(cluster.spec.limits),
        "totals": cluster.totals,
        "fabrics": {name: describe_json(study, timed=timed) for name, study in cluster.fabrics.items()},
    }


def summarize_cluster(cluster: Cluster) -> Summary:
    """Return what `fabric cluster` prints."""
    rows: list[tuple[str, ...]] = []
    lines: list[str] = []
    for name, study in cluster.fabrics.items():
        plan = study.blueprint
        lines.append(
            f"{name}: {name_fabric(plan)}; {name_switches(plan)}; {units.count_noun(plan.links_total, 'link')}."
        )
        amounts = {total: amount_of(study, total) for total in SHARED}
        rows.append((name, units.count(study.spec.gpus), units.count(plan.switches), *_write_amounts(amounts)))
    switches = sum(study.blueprint.switches for study in cluster.fabrics.values())
    rows.append(("total", "", units.count(switches), *_write_amounts(cluster.totals)))
    limits = {total: limit for total in SHARED if (limit := cluster.spec.limits.get(total)) is not None}
    rows.append(("limit", "", "", *_write_amounts(limits, "-")))
    proven = "proven" if cluster.status == "OPTIMAL" else "not proven"
    text = (
        f"{cluster.spec.name}: {units.count_noun(len(cluster.fabrics), 'fabric')}. Objective: minimise total cost."
        f" Status: {cluster.status} ({proven})."
    )
    heads = ("fabric", "GPUs", "switches", *(LIMITS[key].label for key in SHARED))
    return Summary(text, [Table("", heads, rows)], lines)


def _write_amounts(amounts: Mapping[str, float | None], missing: str = "unknown") -> list[str]:
    found = ((name, amounts.get(name)) for name in SHARED)
    return [missing if number is None else write_value(name, number) for name, number in found]


def cluster_report(cluster: Cluster) -> str:
    """Return the report of the whole in Markdown, with links to those of its fabrics."""
    text, [table], lines = summarize_cluster(cluster)
    links = [f"[{escape_markdown(name)}]({quote(name)}/report.md)" for name in cluster.fabrics]
    firsts = [*links, *(row[0] for row in table.rows[len(links) :])]
    rows = [(first, *row[1:]) for first, row in zip(firsts, table.rows, strict=True)]
    parts = [[f"# {escape_markdown(cluster.spec.name)}"], [escape_markdown(text)]]
    parts += [[*markdown_table(table._replace(rows=rows))], [f"- {escape_markdown(line)}" for line in lines]]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"
