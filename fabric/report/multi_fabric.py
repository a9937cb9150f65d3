"""The fabrics of a cluster as a document and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from fabric import units
from fabric.report.describe import describe_json
from fabric.report.link_parts import parts_at_typical_power
from fabric.report.markdown import escape_markdown, markdown_table
from fabric.report.objectives import heading_of, write_value
from fabric.report.table import Summary, Table
from fabric.report.text import join_words, name_fabric, name_places, name_switches
from fabric.studies.multi_fabric import AMOUNTS, Attached, Cluster, amount_of, limited_key

__all__ = ["SCHEMA", "cluster_object", "cluster_report", "name_attached", "summarize_cluster"]

SCHEMA = "fabric.cluster/1"


def cluster_object(cluster: Cluster, *, timed: bool = True) -> dict[str, Any]:
    """Return the cluster as one plain object (docs/design-json.md)."""
    return {
        "schema": SCHEMA,
        "name": cluster.spec.name,
        "status": cluster.status,
        "currency": cluster.spec.currency,
        "limits": dict(cluster.spec.limits),
        "totals": cluster.totals,
        "joins": {name: [asdict(each) for each in cluster.attached(name)] for name in cluster.fabrics},
        "fabrics": {name: describe_json(study, timed=timed) for name, study in cluster.fabrics.items()},
    }


def summarize_cluster(cluster: Cluster) -> Summary:
    """Return what `fabric cluster` prints."""
    limits = {limited_key(name): most for name, most in cluster.spec.limits.items()}
    currency = cluster.spec.currency
    keys = [key for key in AMOUNTS if key != "max_power_w" or key in limits]
    rows: list[tuple[str, ...]] = []
    lines: list[str] = []
    for name, study in cluster.fabrics.items():
        plan = study.blueprint
        places = f"; {text}" if (text := name_places(plan)) else ""
        joins = f"joins {name_attached(cluster.attached(name))}; " if name in cluster.spec.joins else ""
        links = units.count_noun(plan.links_total, "link")
        lines.append(f"{name}: {joins}{name_fabric(plan)}{places}; {name_switches(plan)}; {links}.")
        amounts = _write_amounts({key: amount_of(study, key) for key in keys}, currency)
        gpus = units.count(study.spec.gpus) if study.spec.gpus else "-"
        rows.append((name, gpus, units.count(plan.switches), *amounts))
    switches = sum(study.blueprint.switches for study in cluster.fabrics.values())
    totals = cluster.totals
    rows.append(("total", "", units.count(switches), *_write_amounts({key: totals[key] for key in keys}, currency)))
    rows.append(("limit", "", "", *_write_amounts({key: limits.get(key) for key in keys}, currency, "-")))
    lines += _note_maxima(cluster)
    proven = "proven" if cluster.status == "OPTIMAL" else "not proven"
    text = (
        f"{cluster.spec.name}: {units.count_noun(len(cluster.fabrics), 'fabric')}. Objective: minimise total cost."
        f" Status: {cluster.status} ({proven})."
    )
    heads = ("fabric", "GPUs", "switches", *map(heading_of, keys))
    return Summary(text, [Table("", heads, rows)], lines)


def name_attached(attached: Sequence[Attached]) -> str:
    """Return the endpoints that a fabric joins: `64 gpu-servers, 12 storage and 25 switches`."""
    return join_words([f"{units.count(each.count)} {each.endpoint}" for each in attached])


def _note_maxima(cluster: Cluster) -> Iterator[str]:
    """Yield which parts count at their typical power in a shared limit on power, because their maximum is not known."""
    if "power_w" in cluster.spec.limits:
        studies = cluster.fabrics.values()
        parts = dict.fromkeys(part for study in studies for part in parts_at_typical_power(study))
        if parts:
            yield f"limits.power_w bounds maximum power; that of {', '.join(parts)} is not known, so typical counts."


def _write_amounts(amounts: Mapping[str, float | None], currency: str, missing: str = "unknown") -> list[str]:
    return [missing if number is None else write_value(key, number, currency) for key, number in amounts.items()]


def cluster_report(cluster: Cluster) -> str:
    """Return the report of the whole in Markdown, with links to those of its fabrics."""
    text, [table], lines = summarize_cluster(cluster)
    links = [f"[{escape_markdown(name)}]({quote(name)}/report.md)" for name in cluster.fabrics]
    firsts = [*links, *(row[0] for row in table.rows[len(links) :])]
    rows = [(first, *row[1:]) for first, row in zip(firsts, table.rows, strict=True)]
    parts = [[f"# {escape_markdown(cluster.spec.name)}"], [escape_markdown(text)], ["![Cluster](cluster.svg)"]]
    parts += [[*markdown_table(table._replace(rows=rows))], [f"- {escape_markdown(line)}" for line in lines]]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"
