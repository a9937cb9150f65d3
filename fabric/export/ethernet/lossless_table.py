"""What the lossless links of every switch need of its buffer, and where ECN marks their packets, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fabric.export.ethernet.ethernet_plan import EthernetPlan, refuse_others
from fabric.export.ethernet.lossless import LEAST_MARK_BYTES, MOST_MARK_BYTES, headroom_bytes
from fabric.export.ethernet.texts import choose_texts, join_texts, number_texts, pick_texts
from fabric.export.file_format import Witness
from fabric.export.plan import PlanFormat

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["COLUMNS", "LOSSLESS", "write_lossless"]

COLUMNS = (
    "device",
    "model",
    "gbps",
    "metres",
    "ports",
    "headroom_bytes",
    "device_headroom_bytes",
    "mark_from_bytes",
    "mark_most_bytes",
)
"""The columns: a row for the ports of a switch with one rate and one length of cable. `headroom_bytes` is of each port,
`device_headroom_bytes` of all ports of the switch; both are what links need at least, empty where that is not known."""

Rows = npt.NDArray[np.int64]


def write_lossless(plan: EthernetPlan) -> Iterator[str]:
    """Yield the table as CSV, switch by switch; see `headroom_bytes` and `mark_bytes` for what is counted."""
    yield ",".join(COLUMNS) + "\n"
    switch = plan.ports.device - plan.addresses.first_switch
    keys = np.stack([switch, plan.gbps, plan.metres], axis=1)
    (own, gbps, metres), ports = _count_rows(keys)
    each = headroom_bytes(gbps, metres.astype(np.float64))
    total = np.bincount(own, each * ports, len(plan.addresses.asn))[own]
    models = [model.name for model in plan.switch_models]
    columns = (
        *(pick_texts(plan.switch_names, own), pick_texts(models, own)),
        *(number_texts(column) for column in (gbps, metres, ports)),
        *(_spell_bytes(column) for column in (each, total)),
        *(number_texts(gbps * rate) for rate in (LEAST_MARK_BYTES, MOST_MARK_BYTES)),
    )
    cells = [cell for column in columns for cell in (column, ",")]
    yield "".join(join_texts(*cells[:-1], "\n").to_pylist())


def _count_rows(keys: Rows) -> tuple[Rows, Rows]:
    """Return the distinct rows as columns, in order, and how often each occurs."""
    found, counts = np.unique(keys, axis=0, return_counts=True)
    return found.T, counts


def _spell_bytes(numbers: npt.NDArray[np.float64]) -> pa.StringArray:
    """Return bytes as texts, empty where they are not known."""
    known = ~np.isnan(numbers)
    return choose_texts(known, number_texts(np.where(known, numbers, 0).astype(np.int64)), "")


LOSSLESS = PlanFormat(
    "lossless",
    (),
    "comparison with the buffer of a switch, spreadsheets",
    "least PFC headroom and ECN marks by rate and length",
    lambda plan: iter([("lossless.csv", write_lossless(EthernetPlan(plan)))]),
    refuse_others,
    witness=Witness("grammar", "buffer_headroom_mellanox.lua of SONiC"),
)
"""The format of the table of headroom and marks."""
