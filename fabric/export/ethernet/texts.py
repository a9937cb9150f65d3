"""Columns of text, built without a loop over their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["choose_texts", "join_texts", "number_texts", "pick_texts", "spell_address", "spell_addresses"]

Numbers = npt.NDArray[np.int64]


def spell_address(number: int) -> str:
    """Return an IPv4 address in its usual form, such as `10.0.0.1`."""
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def spell_addresses(numbers: Numbers) -> pa.StringArray:
    """Return IPv4 addresses in their usual form, shape (addresses,)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    octets = pa.array([str(each) for each in range(256)])
    columns = [octets.take(pa.array(numbers >> shift & 255)) for shift in (24, 16, 8, 0)]
    return pc.binary_join_element_wise(*columns, ".")


def pick_texts(texts: tuple[str, ...] | list[str], rows: npt.NDArray[np.integer]) -> pa.StringArray:
    """Return the text of each row, shape (rows,)."""
    import pyarrow as pa

    return pa.array(texts, pa.string()).take(pa.array(rows))


def join_texts(*parts: Any) -> pa.StringArray:
    """Return each row's parts joined; a part is a column of texts, or one text for all rows."""
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(*parts, "")


def choose_texts(mask: npt.NDArray[np.bool_], one: Any, other: Any) -> pa.StringArray:
    """Return `one` where the mask holds and `other` elsewhere, each a column of texts or one text for all rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pa.array(mask), one, other)


def number_texts(numbers: npt.NDArray[np.integer]) -> pa.StringArray:
    """Return whole numbers as texts, of their shape."""
    import pyarrow as pa

    return pa.array(numbers).cast(pa.string())
