"""The bill of a cluster: the bills of all its fabrics as one, with totals over them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from fabric import units
from fabric.blueprint.bill_rows import Bill
from fabric.report.bill_summary import list_parts, list_power, list_sums, tabulate_parts
from fabric.report.bill_table import (
    BILL_COLUMNS,
    BILL_KEYS,
    KINDS,
    BillColumn,
    Cell,
    bill_object,
    csv_text,
    list_cells,
    list_totals,
    sum_by_kind,
    totals_object,
)
from fabric.report.table import Summary, Table
from fabric.studies.multi_fabric import Cluster

__all__ = [
    "CLUSTER_BILL_KEYS",
    "cluster_bill_csv",
    "cluster_bill_object",
    "list_cluster_cells",
    "merge_bills",
    "summarize_cluster_bill",
]

SCHEMA = "fabric.cluster-bill/1"

CLUSTER_BILL_KEYS = ("fabric", *BILL_KEYS)
"""The keys of a row in files: those of the bill of one fabric after the fabric's name."""


def merge_bills(cluster: Cluster) -> Bill:
    """Return the bills of all fabrics as one, for its sums, with their discount where all have the same."""
    bills = [study.bill for study in cluster.fabrics.values()]
    rows = tuple(row for bill in bills for row in bill.rows)
    alike = all(bill.discount == bills[0].discount for bill in bills)
    discount = bills[0].discount if alike else {}
    return Bill(sum(bill.gpus for bill in bills), rows, currency=cluster.spec.currency, discount=discount)


def list_cluster_cells(cluster: Cluster) -> Iterator[tuple[Cell, ...]]:
    """Yield the cells of each row under `CLUSTER_BILL_KEYS`: each fabric's with its total, then the totals."""
    for name, study in cluster.fabrics.items():
        for cells in (*list_cells(study.bill), *_whole(study.bill)):
            yield name, *cells
    for cells in list_totals(merge_bills(cluster)):
        yield "all fabrics", *cells


def _whole(bill: Bill) -> list[tuple[Cell, ...]]:
    """Return the total of all parts of a bill as a row."""
    part = BILL_KEYS.index("part")
    return [cells for cells in list_totals(bill) if cells[part] == "all"]


def cluster_bill_csv(cluster: Cluster) -> str:
    """Return the bill as CSV (see `bill_csv`)."""
    columns = (BillColumn("fabric", lambda bill, row: None), *BILL_COLUMNS)
    return csv_text(columns, list_cluster_cells(cluster))


def cluster_bill_object(cluster: Cluster) -> dict[str, Any]:
    """Return the bill as one plain object (docs/bill.md)."""
    whole = merge_bills(cluster)
    return {
        "schema": SCHEMA,
        "name": cluster.spec.name,
        "currency": whole.currency,
        "fabrics": {name: bill_object(study) for name, study in cluster.fabrics.items()},
        **totals_object(whole),
    }


def summarize_cluster_bill(cluster: Cluster) -> Summary:
    """Return what `fabric bill` prints of a cluster: the parts of each fabric, and the sums of all."""
    whole, fabrics = merge_bills(cluster), cluster.fabrics
    title = f"Bill of materials of {cluster.spec.name}: {units.count_noun(len(fabrics), 'fabric')}"
    tables = [tabulate_parts(name, study.bill) for name, study in fabrics.items()]
    lines = [*list_sums(whole), *list_power(list(fabrics.values()), whole), *list_parts(whole)]
    return Summary(f"{title}; amounts in {whole.currency}.", [*tables, _tabulate_totals(cluster, whole)], lines)


def _tabulate_totals(cluster: Cluster, whole: Bill) -> Table:
    """Return the price of what is ordered for each fabric and for all, by kind of parts."""
    money, kinds = partial(units.money, currency=whole.currency), sum_by_kind(whole, "order_usd")
    bills = {**{name: study.bill for name, study in cluster.fabrics.items()}, "total": whole}
    rows = []
    for name, bill in bills.items():
        own = sum_by_kind(bill, "order_usd")
        rows.append((name, *(money(own[kind]) if kind in own else "-" for kind in kinds), money(bill.order_usd)))
    return Table("Totals", ("fabric", *(KINDS[kind] for kind in kinds), "all"), rows)
