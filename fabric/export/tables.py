"""Networks and views as tables of pandas and of Arrow, and as sparse matrices of scipy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from fabric.errors import InputError, MissingLibrary
from fabric.export.columns import Choice, Column, Source, columns_of, network_of
from fabric.resources import Work, refuse_excess
from fabric.units import count
from fabric.view import View

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from scipy.sparse import csr_array

__all__ = ["ArrowTables", "Frames", "to_arrow", "to_pandas", "to_scipy"]

BYTES_PER_ENTRY = 40
"""The bytes that scipy takes at most for each link and direction while it sums parallel links, about."""


class Frames(NamedTuple):
    """A network or a view as frames of pandas."""

    devices: pd.DataFrame
    """The devices or nodes; its index is what `lower` and `upper` of the links refer to."""
    links: pd.DataFrame
    """The links or edges."""


class ArrowTables(NamedTuple):
    """A network or a view as tables of Arrow."""

    devices: pa.Table
    """The devices or nodes; `lower` and `upper` of the links are their row numbers."""
    links: pa.Table
    """The links or edges."""


def to_pandas(source: Source | View, *, nics: bool = False) -> Frames:
    """Return the devices and links of a study, a blueprint or a network, or a view, as frames of pandas.

    Devices have `name`, `role`, a column for each coordinate and the number of the `server`, empty where a device has
    none. Links have `lower` and `upper` (rows of the devices), `bundle`, `rate_gbps` (one direction) and the port at
    each end. A view has the columns of its nodes and edges. With `nics` endpoints are NICs instead of servers (see
    `fabric.nic_network`); `attrs` of the frames says which, and what that means for hops. Raises MissingLibrary
    without pandas, and TooLarge as `fabric.expand` does.
    """
    try:
        import pandas as pd
    except ImportError:
        raise MissingLibrary.of("pandas", "frames") from None

    def series(column: Column) -> Any:
        match column:
            case Choice():
                return pd.Categorical.from_codes(column.index, list(column.words))
            case np.ma.MaskedArray():
                return pd.arrays.IntegerArray(column.data, np.ma.getmaskarray(column))
            case _:
                return column

    found = columns_of(source, nics=nics)
    frames = Frames(*(pd.DataFrame({k: series(v) for k, v in part.items()}) for part in (found.devices, found.links)))
    for frame in frames:
        frame.attrs.update(found.attributes)
    return frames


def to_arrow(source: Source | View, *, nics: bool = False) -> ArrowTables:
    """Return the same columns as `to_pandas` as tables of Arrow; words that repeat are dictionaries.

    The attributes are the metadata of each schema. Raises MissingLibrary without pyarrow, and TooLarge as
    `fabric.expand` does.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingLibrary.of("pyarrow", "frames") from None

    def array(column: Column) -> Any:
        match column:
            case Choice():
                return pa.DictionaryArray.from_arrays(pa.array(column.index, pa.int8()), pa.array(column.words))
            case np.ma.MaskedArray():
                return pa.array(column.data, mask=np.ma.getmaskarray(column))
            case _:
                return pa.array(column)

    found = columns_of(source, nics=nics)
    metadata = {key: str(value) for key, value in found.attributes.items()}
    return ArrowTables(
        *(
            pa.table({key: array(column) for key, column in part.items()}).replace_schema_metadata(metadata)
            for part in (found.devices, found.links)
        )
    )


def to_scipy(source: Source, *, weight: Literal["links", "gbps"] = "links", nics: bool = False) -> csr_array:
    """Return the adjacency matrix of a network: symmetric, shape (devices, devices), int64, rows as in the network.

    An entry is the number of links between two devices, or with `weight="gbps"` the sum of their rates in Gb/s, one
    direction. `nics` is as in `to_pandas`. Raises MissingLibrary without scipy, InputError for another weight, and
    TooLarge, with the estimate, for a matrix that needs more memory than the process may take.
    """
    try:
        from scipy.sparse import coo_array
    except ImportError:
        raise MissingLibrary.of("scipy", "frames") from None
    if weight not in ("links", "gbps"):
        raise InputError(f"weight {weight!r:.40}: write links or gbps")
    network = network_of(source, nics=nics)
    work = Work(2 * network.links * BYTES_PER_ENTRY)
    refuse_excess(f"{count(network.links)} links as a matrix", work, "use the columns of the network")
    values = np.ones(network.links, np.int64) if weight == "links" else network.rate_gbps.astype(np.int64)
    ends = np.concatenate([network.lower, network.upper]), np.concatenate([network.upper, network.lower])
    shape = (network.devices, network.devices)
    return coo_array((np.concatenate([values, values]), ends), shape=shape).tocsr()
