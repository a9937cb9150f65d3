"""What is left without one power feed, row or cable tray, as a table and as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric import units
from fabric.report.table import Summary, Table
from fabric.studies.failure_domains import DomainLoss
from fabric.studies.study import Study

__all__ = ["losses_object", "summarize_losses"]


def summarize_losses(study: Study, losses: Sequence[DomainLoss]) -> Summary:
    """Return what `fabric layout --lost` prints: the worst failure domains of each kind."""
    rows = []
    for loss in losses:
        kind = f"{loss.kind} (of {units.count(loss.of_kind)})"
        kept = "-" if loss.share is None else f"{100 * loss.share:.1f} %" if loss.share else "stops"
        gpus = f"{units.count(loss.gpus)} ({100 * loss.gpus / max(1, study.blueprint.gpus):.1f} %)"
        rows.append((kind, loss.name, gpus, units.count(loss.links), kept))
    heads = ("lost", "name", "GPUs cut off", "links down", "all-reduce kept")
    notes = ["The worst of each kind, by GPUs cut off and by links between switches."]
    for engine in dict.fromkeys(loss.engine for loss in losses if loss.share is not None):
        notes.append(f"The bandwidth kept is that of an all-reduce of 1 GiB over the GPUs left, by {engine}.")
    if study.spec.site.feeds == "both":
        notes.append("Every rack has both power feeds (key site.feeds).")
    notes += [f"The all-reduce is not estimated. {text}." for text in {loss.refusal for loss in losses} - {""}]
    return Summary("", [Table("Lost with one failure domain", heads, rows)], notes)


def losses_object(losses: Sequence[DomainLoss]) -> list[dict[str, Any]]:
    """Return the losses as plain data."""
    return [
        {
            "kind": loss.kind,
            "name": loss.name,
            "of_kind": loss.of_kind,
            "gpus": loss.gpus,
            "links": loss.links,
            "allreduce_share": loss.share,
            "engine": loss.engine or None,
        }
        for loss in losses
    ]
