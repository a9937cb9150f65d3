"""The fields of SONiC's ports that depend on the model: lanes, alias and index where they are known, and FEC."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from fabric.catalog import LANES, PortPart, Switch, lane_count, sonic_ports
from fabric.export.ethernet.texts import pick_texts

if TYPE_CHECKING:
    import pyarrow as pa

    from fabric.export.ethernet.ethernet_plan import EthernetPlan, SwitchEnds

__all__ = ["breakout_mode", "list_port_fields"]

RS_LANE_GBPS = 50
"""The rate of a lane in Gb/s from which Ethernet always has Reed-Solomon FEC (IEEE 802.3, clauses 119, 134, 172)."""


def list_port_fields(plan: EthernetPlan, ends: SwitchEnds, rows: slice) -> pa.StringArray:
    """Return the fields of some cabled ports as JSON, each with a comma before it, shape (ends,).

    Which lanes of the chip a port has is known of the models of `fabric.catalog.sonic_ports` alone.
    """
    models = {model.name: model for model in plan.switch_models}
    numbers = {name: number for number, name in enumerate(models)}
    own = np.array([numbers[model.name] for model in plan.switch_models])
    model = own[plan.ports.device[rows] - plan.addresses.first_switch]
    columns = np.stack([model, ends.port - 1, ends.part, ends.parts, plan.gbps[rows]], axis=1)
    found, which = np.unique(columns, axis=0, return_inverse=True)
    every = list(models.values())
    texts = [
        _spell(every[number], PortPart(port, part, parts), gbps) for number, port, part, parts, gbps in found.tolist()
    ]
    return pick_texts(texts, which.reshape(-1))


def _spell(model: Switch, each: PortPart, gbps: int) -> str:
    """Return the fields of a port, or of a part of one."""
    group = model.uplinks if model.uplinks and each.port >= model.ports else model
    fields: dict[str, str] = {}
    known = sonic_ports().get(model.name)
    if known and group is model:
        fields["alias"] = known.alias(each)
        if (index := known.index(each)) is not None:
            fields["index"] = str(index)
        fields["lanes"] = ",".join(map(str, known.lanes(each, lane_count(model))))
    if group.cage in LANES and gbps * each.parts >= RS_LANE_GBPS * lane_count(group):
        fields["fec"] = "rs"
    return "".join(f', "{key}": {json.dumps(value)}' for key, value in fields.items())


def breakout_mode(model: Switch, parts: int, gbps: int) -> str:
    """Return SONiC's words for a port that is split: those of the model where they are known, else `2x400G`."""
    known = sonic_ports().get(model.name)
    return known.modes.get(parts, f"{parts}x{gbps}G") if known else f"{parts}x{gbps}G"
