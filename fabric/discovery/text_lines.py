"""The lines of a text as a column of Arrow, and the parts of lines that match a pattern, without a loop over lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

    Column = pa.LargeStringArray

__all__ = ["Matches", "as_numbers", "code_texts", "match_lines", "split_lines"]


def split_lines(text: bytes) -> Any:
    """Return the lines of UTF-8 text as an Arrow array, shape (lines,), which shares its memory."""
    import pyarrow as pa

    data = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(data == ord("\n")).astype(np.int64)
    # Offsets run on from line to line, so each line keeps its end of line; patterns allow blanks there.
    starts = np.concatenate([[0], ends + 1])
    offsets = np.append(starts, len(data)) if starts[-1] < len(data) else starts
    return pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(text))


class Matches:
    """The lines that begin as a pattern says, and the groups of a second one in them."""

    def __init__(self, lines: npt.NDArray[np.int64], texts: Any, groups: Any) -> None:
        self.lines = lines
        """The rows of the lines, from 0, shape (matches,)."""
        self.texts = texts
        """The lines."""
        self._groups = groups

    def group(self, name: str) -> Any:
        """Return a group of the pattern as an Arrow array; empty text where it takes no part."""
        import pyarrow.compute as pc

        return pc.struct_field(self._groups, name)

    def unmatched(self) -> npt.NDArray[np.int64]:
        """Return the rows of lines that begin as the first pattern says and do not match the second."""
        failed: npt.NDArray[np.bool_] = self._groups.is_null().to_numpy(zero_copy_only=False)
        return self.lines[failed]


def match_lines(lines: Any, begins: str, pattern: str) -> Matches:
    """Return the groups of `pattern` in the lines that match `begins`; both are of RE2, and groups have names."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = np.flatnonzero(pc.match_substring_regex(lines, begins).to_numpy(zero_copy_only=False))
    texts = lines.take(pa.array(rows))
    return Matches(rows, texts, pc.extract_regex(texts, pattern))


def as_numbers(digits: Any) -> npt.NDArray[np.int64]:
    """Return an Arrow array of digits as numbers; -1 where there are none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    some = pc.if_else(pc.equal(digits, ""), pa.scalar("-1", digits.type), digits)
    numbers: npt.NDArray[np.int64] = pc.fill_null(some, "-1").cast(pa.int64()).to_numpy(zero_copy_only=False)
    return numbers


def code_texts(*columns: Any) -> tuple[list[str], list[npt.NDArray[np.int32]]]:
    """Return the different texts of Arrow arrays, in order, and the index of each text of each array."""
    import pyarrow as pa

    encoded = pa.chunked_array(list(columns)).dictionary_encode()
    whole = encoded.combine_chunks()
    whole = whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
    codes = whole.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    cuts = np.cumsum([len(column) for column in columns])[:-1]
    return whole.dictionary.to_pylist(), np.split(codes, cuts)
