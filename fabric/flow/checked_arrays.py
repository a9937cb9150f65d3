"""Arrays that a caller passes, as checked numpy columns: a mistake names the first bad element with its value."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.errors import InputError
from fabric.units import count

__all__ = [
    "count_before",
    "read_amounts",
    "read_mask",
    "read_matrix",
    "read_numbers",
    "refuse_duplicates",
    "refuse_out_of_range",
]

MOST = 2**53
"""The largest whole number that a column of floats holds exactly."""

LARGEST = 2**60
"""The largest that a column of whole numbers may have: an exbibyte, as a file of traffic."""


def read_numbers(values: Any, what: str, *, dims: int = 1, most_dims: int = 0, least: int = 0) -> npt.NDArray[np.int64]:
    """Return whole numbers of at least `least` as a column of int64; floats are taken where they are whole.

    `what` is the name of the argument. Raises InputError for another number of dimensions than `dims`, or from there to
    `most_dims`, for what is not numbers, and with the first element that is not such a number.
    """
    column = _read_column(values, what)
    if not dims <= column.ndim <= max(dims, most_dims):
        raise InputError(f"{what}: an array of shape {column.shape}; give one of {_dimensions(dims)}")
    if column.dtype.kind in "iu":
        most, bad = LARGEST, (column < least) | (column > LARGEST)
    else:
        most, bad = MOST, ~(np.isfinite(column) & (column >= least) & (column <= MOST))
        bad |= column != np.floor(np.where(bad, 0.0, column))
    if bad.any():
        wanted = f"a whole number from {least}"
        wanted += f" to 2**{most.bit_length() - 1}" * bool((column[bad] > most).any())
        raise InputError(f"{_first(what, column, bad)}: not {wanted}")
    return column.astype(np.int64, copy=False).view()  # so that the caller's own array stays writable


def read_amounts(values: Any, what: str, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return amounts as a column of float64 of this shape, or of shape () where one stands for all.

    Raises InputError for another shape, and with the first element that is not a finite number from 0.
    """
    column = _read_column(values, what).astype(np.float64, copy=False)
    if column.ndim and column.shape != shape:
        raise InputError(f"{what}: an array of shape {column.shape}; give one number, or an array of shape {shape}")
    bad = ~(np.isfinite(column) & (column >= 0))
    if bad.any():
        raise InputError(f"{_first(what, column, bad)}: not a finite number from 0")
    return column.view()


def read_mask(values: Any, what: str, size: int) -> npt.NDArray[np.bool_]:
    """Return which of `size` things are chosen; raises InputError for anything but as many booleans."""
    mask = np.asarray(values)
    if mask.dtype != np.bool_ or mask.shape != (size,):
        kind = f"an array of {mask.dtype} of shape {mask.shape}"
        raise InputError(f"{what}: {kind}; give booleans of shape ({size},), as `fabric.flow.fail` returns them")
    return mask


def read_matrix(values: Any, what: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the rows, the columns and the values of a square matrix's elements that are not 0, row by row.

    The matrix is an array, nested lists, or a sparse one of scipy. Raises InputError for another shape, and with the
    first element that is not a finite number from 0.
    """
    if hasattr(values, "tocoo"):  # a sparse matrix of scipy, which need not be installed
        sparse = values.tocoo()
        rows, columns, amounts, shape = sparse.row, sparse.col, _read_column(sparse.data, what), tuple(sparse.shape)
    else:
        dense = _read_column(values, what)
        shape = dense.shape
        rows, columns = np.nonzero(dense) if dense.ndim == 2 else (np.zeros(0, np.int64),) * 2
        amounts = dense[rows, columns] if dense.ndim == 2 else dense
    if len(shape) != 2 or shape[0] != shape[1]:
        raise InputError(f"{what}: a matrix of shape {shape}; give a square one")
    amounts = amounts.astype(np.float64)
    bad = ~(np.isfinite(amounts) & (amounts >= 0))
    if bad.any():
        at = int(bad.argmax())
        raise InputError(f"{what}[{rows[at]}, {columns[at]}] is {amounts[at].item()}: not a finite number from 0")
    return rows.astype(np.int64), columns.astype(np.int64), amounts


def refuse_out_of_range(column: npt.NDArray[np.int64], size: int, what: str, thing: str, where: str) -> None:
    """Raise InputError with the first of the `column`'s numbers that is not one of a fabric's `size` things."""
    if column.size and (int(column.max()) >= size or int(column.min()) < 0):
        bad = (column >= size) | (column < 0)
        raise InputError(f"{_first(what, column, bad)}: {where} has {count(size)} {thing}s, numbered from 0")


def refuse_duplicates(column: npt.NDArray[np.int64], what: str, thing: str) -> None:
    """Raise InputError with the first element that stands in the column before."""
    flat = column.reshape(-1)
    _, first = np.unique(flat, return_index=True)
    again = np.ones(flat.size, bool)
    again[first] = False
    if again.any():
        at = int(again.argmax())
        before = _place(int((flat == flat[at]).argmax()), column.shape)
        text = _first(what, column, again.reshape(column.shape))
        raise InputError(f"{text}, as {what}{before} is; give each {thing} once")


def count_before(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return for each value how many equal ones come before it, shape (values,)."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    new = np.append(True, ordered[1:] != ordered[:-1])[: len(values)]
    places = np.arange(len(values))
    found = np.empty(len(values), np.int64)
    found[order] = places - np.maximum.accumulate(np.where(new, places, 0))
    return found


def _read_column(values: Any, what: str) -> npt.NDArray[Any]:
    """Return an array of numbers; raises InputError for anything else."""
    try:
        column = np.asarray(values)
    except (TypeError, ValueError):  # of lists of unlike lengths, or what refuses to be an array
        raise InputError(f"{what} {values!s:.40}: not numbers in rows of one length") from None
    if column.dtype.kind not in "iuf":
        if column.size == 0 and column.ndim:
            return column.astype(np.int64)
        kind = {"b": "true or false", "c": "complex numbers"}.get(column.dtype.kind, "not numbers")
        raise InputError(f"{what} {values!s:.40}: {kind}; give whole or floating-point numbers in a list or an array")
    return column


def _first(what: str, column: npt.NDArray[Any], bad: npt.NDArray[np.bool_]) -> str:
    """Return the first bad element with its place: `share[3] is -1.0`."""
    at = int(bad.argmax())
    return f"{what}{_place(at, column.shape)} is {column.reshape(-1)[at].item()}"


def _place(at: int, shape: tuple[int, ...]) -> str:
    return f"[{', '.join(str(int(each)) for each in np.unravel_index(at, shape))}]" if shape else ""


def _dimensions(dims: int) -> str:
    return "one dimension" if dims == 1 else f"{dims} dimensions"
