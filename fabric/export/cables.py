"""The cables of a fabric as a table of columns: a row for each, both ends with device, port, rack and rack unit.

`a` is the lower end. The table comes in batches, so that a million GPUs' cables never stand in memory as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fabric.layout.device_names import list_device_names
from fabric.layout.trunks import find_trunks, name_routes
from fabric.layout.wiring import Wiring

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

__all__ = [
    "COLUMNS",
    "cable_batches",
    "cable_schema",
    "write_cables_csv",
    "write_cables_parquet",
]

BATCH = 1 << 17
"""The rows of a batch."""

TEXT = ("label", "bundle", "part", "a_device", "a_port", "a_rack", "b_device", "b_port", "b_rack", "route")
"""The columns of text."""

COLUMNS = (
    "label",
    "bundle",
    "part",
    "length_m",
    "a_device",
    "a_port",
    "a_rack",
    "a_unit",
    "b_device",
    "b_port",
    "b_rack",
    "b_unit",
    "way_m",
    "cable",
    "trunk",
    "route",
    "stage",
)
"""The columns in order. Links of one splitter have one `cable`, and cables between the same two racks one `trunk`."""

DEVICES, PORTS, RACKS = "device", "port", "rack"


def cable_schema() -> pa.Schema:
    """Return the types of the columns: text, rack units and numbers as integers, and metres as 32-bit floats."""
    import pyarrow as pa

    def type_of(name: str) -> Any:
        if name in TEXT:
            return pa.dictionary(pa.int32(), pa.string()) if name != "label" else pa.string()
        if name in ("cable", "trunk"):
            return pa.int32()
        if name == "stage":
            return pa.int8()
        return pa.int16() if name.endswith("_unit") else pa.float32()

    return pa.schema([(name, type_of(name)) for name in COLUMNS])


def cable_batches(wiring: Wiring, rows: npt.NDArray[np.integer] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the table in batches; `rows` are those to take, by default all, in the order of the network's links."""
    import pyarrow as pa

    texts = _Texts(wiring)
    total = wiring.network.links if rows is None else len(rows)
    for start in range(0, total, BATCH):
        here = np.arange(start, min(start + BATCH, total)) if rows is None else rows[start : start + BATCH]
        yield pa.record_batch(texts.columns(here), schema=cable_schema())


class _Texts:
    """The texts that the columns of all batches point to."""

    def __init__(self, wiring: Wiring) -> None:
        import pyarrow as pa

        self.wiring, network = wiring, wiring.network
        names = list_device_names(wiring.layout, network)
        self.texts = {
            DEVICES: pa.array(names),
            PORTS: pa.array(wiring.port_names),
            RACKS: pa.array(wiring.layout.rack_names()),
        }
        trunks = find_trunks(wiring)
        routes, route = name_routes(wiring.layout, trunks)
        self.trunk, self.route = trunks.of_cable.astype(np.int32), route.astype(np.int32)
        self.routes = pa.array(routes)
        self.bundles = pa.array(network.bundles)
        self.parts = pa.array([kind.part for kind in wiring.kinds])

    def columns(self, rows: npt.NDArray[np.integer]) -> list[pa.Array]:
        """Return the columns of some links."""
        import pyarrow as pa

        wiring, network, layout = self.wiring, self.wiring.network, self.wiring.layout
        columns = {"length_m": pa.array(wiring.length_m[rows]), "way_m": pa.array(wiring.way_m[rows])}
        cable = wiring.cable[rows]
        trunk = self.trunk[cable]
        columns |= {"cable": pa.array(cable + 1), "trunk": pa.array(trunk + 1)}
        columns["route"] = self._point(self.route[trunk], self.routes)
        columns["stage"] = pa.array(wiring.stage[rows])
        ends = (("a", network.lower, wiring.a_port), ("b", network.upper, wiring.b_port))
        for end, devices, ports in ends:
            device = devices[rows]
            codes = {DEVICES: device, PORTS: ports[rows], RACKS: layout.device_rack[device]}
            for kind, code in codes.items():
                columns[f"{end}_{kind}"] = self._point(np.asarray(code, np.int32), self.texts[kind])
            columns[f"{end}_unit"] = pa.array(layout.device_unit[device].astype(np.int16))
        bundle, kind = network.bundle[rows].astype(np.int32), wiring.kind[rows].astype(np.int32)
        columns |= {"bundle": self._point(bundle, self.bundles), "part": self._point(kind, self.parts)}
        columns["label"] = _label(columns)
        return [columns[name] for name in COLUMNS]

    def _point(self, codes: npt.NDArray[np.int32], texts: pa.Array) -> pa.Array:
        import pyarrow as pa

        return pa.DictionaryArray.from_arrays(pa.array(codes), texts)


def _label(columns: dict[str, Any]) -> Any:
    """Return the label of each cable, which no other has: rack, rack unit and port of both ends."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def text(name: str) -> Any:
        column = columns[name]
        return column.dictionary_decode() if name in TEXT else column.cast(pa.string())

    ends = [pc.binary_join_element_wise(text(f"{end}_rack"), text(f"{end}_unit"), "-U") for end in "ab"]
    ends = [pc.binary_join_element_wise(place, text(f"{end}_port"), " ") for place, end in zip(ends, "ab", strict=True)]
    return pc.binary_join_element_wise(*ends, " / ")


def write_cables_csv(wiring: Wiring, file: Path, rows: npt.NDArray[np.integer] | None = None) -> None:
    """Write the table as CSV, batch by batch."""
    import pyarrow as pa
    from pyarrow.csv import CSVWriter

    schema = pa.schema([(each.name, pa.string() if each.name in TEXT else each.type) for each in cable_schema()])
    with CSVWriter(file, schema) as writer:
        for batch in cable_batches(wiring, rows):
            writer.write_batch(batch.cast(schema))


def write_cables_parquet(wiring: Wiring, file: Path, rows: npt.NDArray[np.integer] | None = None) -> None:
    """Write the table as Parquet, one row group a batch; the same cables give the same bytes."""
    from pyarrow.parquet import ParquetWriter

    # Dictionary pages end in bits that nobody sets, so that bytes would differ; compressed, text takes no more room.
    with ParquetWriter(file, cable_schema(), compression="zstd", use_dictionary=False) as writer:
        for batch in cable_batches(wiring, rows):
            writer.write_batch(batch)
