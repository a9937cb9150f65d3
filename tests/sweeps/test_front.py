"""The front over a sweep's points against brute force, with ties, missing values and groups."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric.errors import InputError
from fabric.sweeps.front import Front, add_front, find_front, read_front

VALUE = st.one_of(st.integers(0, 4).map(float), st.just(math.nan))


def dominated(point: list[float], others: list[list[float]]) -> bool:
    """Return whether another point is at most as large in all values and smaller in one."""
    return any(
        all(a <= b for a, b in zip(other, point, strict=True)) and any(a < b for a, b in zip(other, point, strict=True))
        for other in others
    )


@settings(max_examples=150, deadline=None)
@given(
    st.integers(2, 4).flatmap(lambda n: st.lists(st.tuples(st.lists(VALUE, min_size=n, max_size=n), st.integers(0, 1))))
)
def test_the_front_is_that_of_brute_force(drawn: list[tuple[list[float], int]]) -> None:
    """Ties are on it together, unknown values are not, and each group has its own."""
    values, groups = [each for each, _ in drawn], [group for _, group in drawn]
    known = [(value, group) for value, group in drawn if not any(map(math.isnan, value))]
    expected = [
        not any(map(math.isnan, value)) and not dominated(value, [other for other, at in known if at == group])
        for value, group in drawn
    ]
    width = len(values[0]) if values else 2
    found = find_front(np.array(values).reshape(len(values), width), np.array(groups, np.int64))
    assert found.tolist() == expected


def test_the_column_is_missing_where_a_value_is() -> None:
    """An unknown objective leaves the point undecided; `max:` turns a column round, and `by` splits the points."""
    pa = pytest.importorskip("pyarrow")
    table = pa.table(
        {"gpus": [1, 1, 1, 2], "cost": [1, 2, None, 9], "speed": [1.0, 2.0, 9.0, 1.0], "name": list("abcd")}
    )
    assert add_front(table, Front(("cost", "max:speed"))).column("on_front").to_pylist() == [True, True, None, False]
    assert add_front(table, Front(("cost", "speed"))).column("on_front").to_pylist() == [True, False, None, False]
    again = add_front(add_front(table, Front(("cost", "speed"))), Front(("cost", "speed"), ("gpus",)))
    assert again.column("on_front").to_pylist() == [True, False, None, True]
    assert again.column_names.count("on_front") == 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["cost"], "two different columns"),
        ("cost,max:cost", "two different columns"),
        (3, "not a list of columns"),
        ({"columns": ["cost", "speed"], "bye": []}, "unknown key 'bye'"),
        (["cost", "sped"], "no such column; did you mean 'speed'"),
        (["cost", "name"], "holds text"),
        ({"columns": ["cost", "speed"], "by": "gpu"}, "did you mean 'gpus'"),
    ],
)
def test_what_is_not_a_front_is_refused(asked: object, message: str) -> None:
    """Each mistake has a message with the nearest name."""
    with pytest.raises(InputError, match=message):
        read_front(asked).check({"gpus": "whole", "cost": "number", "speed": "number", "name": "text"})
