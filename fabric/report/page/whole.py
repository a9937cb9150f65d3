"""The content of a page on a cluster: the fabrics together, their picture, their totals and their bill."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.report.cluster_bill import summarize_cluster_bill
from fabric.report.cluster_picture import cluster_picture
from fabric.report.multi_fabric import summarize_cluster
from fabric.report.page.pictures import encode_svg
from fabric.report.table import Table
from fabric.studies.multi_fabric import Cluster

__all__ = ["Whole", "make_whole"]


@dataclass(frozen=True)
class Whole:
    """A cluster as a page shows it above its fabrics."""

    text: str
    """The sentence on it."""
    picture: str
    """Its picture, as SVG in base64."""
    totals: Table
    """The amounts of its fabrics with their sums and the shared limits."""
    lines: tuple[str, ...]
    """A sentence on each fabric, and what a reader must know of the limits."""
    bill: tuple[Table, ...]
    """The parts of each fabric, and the totals of all."""
    sums: tuple[str, ...]
    """Sentences on the bill."""


def make_whole(cluster: Cluster) -> Whole:
    """Return the content of a page on a cluster."""
    text, [totals], lines = summarize_cluster(cluster)
    _, bill, sums = summarize_cluster_bill(cluster)
    return Whole(text, encode_svg(cluster_picture(cluster)), totals, tuple(lines), tuple(bill), tuple(sums))
