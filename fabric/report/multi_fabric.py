"""The fabrics of a cluster as a document and as a table."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fabric import units
from fabric.report.design_json import document
from fabric.report.markdown import escaped, markdown_table
from fabric.report.objectives import value
from fabric.report.pareto import shape
from fabric.report.terminal import Table
from fabric.request import LIMITS, SHARED
from fabric.studies.multi_fabric import Cluster, amount_of

__all__ = ["SCHEMA", "cluster_document", "cluster_report", "cluster_summary"]

SCHEMA = "fabric.cluster/1"


def cluster_document(cluster: Cluster, *, timed: bool = True) -> dict[str, Any]:
    """Return the cluster as one plain object (docs/design-json.md)."""
    return {
        "schema": SCHEMA,
        "name": cluster.spec.name,
        "status": cluster.status,
        "limits": dict(cluster.spec.limits),
        "totals": cluster.totals,
        "fabrics": {name: document(study, timed=timed) for name, study in cluster.fabrics.items()},
    }


def cluster_summary(cluster: Cluster) -> tuple[str, list[Table], list[str]]:
    """Return the paragraph, the table and the closing lines that `fabric cluster` prints."""
    rows: list[tuple[str, ...]] = []
    lines: list[str] = []
    for name, study in cluster.fabrics.items():
        plan = study.blueprint
        boxes = ", ".join(
            f"{units.count(count)} {model.name}" for role in plan.topology.roles for model, count in plan.boxes(role)
        )
        lines.append(f"{name}: {shape(study)}; {boxes}; {units.count(plan.links_total)} links.")
        rows.append((name, units.count(study.spec.gpus), units.count(plan.switches), *_amounts(study)))
    switches = sum(study.blueprint.switches for study in cluster.fabrics.values())
    rows.append(("together", "", units.count(switches), *(_said(name, cluster.totals[name]) for name in SHARED)))
    limits = [_said(name, cluster.spec.limits.get(name)) if name in cluster.spec.limits else "-" for name in SHARED]
    rows.append(("limit", "", "", *limits))
    best = "no choice of fabrics within the limits costs less" if cluster.status == "OPTIMAL" else "not proven"
    heads = ("fabric", "GPUs", "switches", *(LIMITS[key].label for key in SHARED))
    text = f"{cluster.spec.name}: {len(cluster.fabrics)} fabrics. Proof: {cluster.status}, {best}."
    return text, [("", heads, rows)], lines


def cluster_report(cluster: Cluster) -> str:
    """Return the report of the whole in Markdown, which leads to those of its fabrics."""
    text, [(_, heads, rows)], lines = cluster_summary(cluster)
    links = {name: f"[{escaped(name)}]({quote(name)}/report.md)" for name in cluster.fabrics}
    shown = [(links.get(row[0], row[0]), *row[1:]) for row in rows]
    parts = [[f"# {escaped(cluster.spec.name)}"], [escaped(text)], markdown_table(heads, shown)]
    parts.append(f"- {escaped(line)}" for line in lines)
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _amounts(study: Any) -> list[str]:
    return [_said(name, amount_of(study, name)) for name in SHARED]


def _said(name: str, number: float | None) -> str:
    return "unknown" if number is None else value(name, number)
