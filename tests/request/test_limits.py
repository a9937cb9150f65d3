"""The limits of a request, each declared once."""

from __future__ import annotations

from fabric.optimizer.objectives import OBJECTIVES
from fabric.request import LIMITS, SHARED, Limits
from tests.request_fixtures import BASE, mistakes_of, read


def test_every_limit_is_a_key_with_its_own_bounds() -> None:
    """A request takes each limit up to its maximum, and the spec has it."""
    base = {**BASE, "years": 5, "electricity_usd_per_kwh": 0.1}
    for key, limit in LIMITS.items():
        most = int(limit.maximum)
        assert [read(base, limits={key: value}).limits.value(key) for value in (1, most)] == [1, most]
        assert mistakes_of(base, limits={key: 0}) == [f"limits.{key}: 0 is too small; at least 1"]
        assert mistakes_of(base, limits={key: most + 1}) == [f"limits.{key}: {most + 1} is too large; at most {most:,}"]


def test_the_limits_on_objectives_are_those_that_are_set() -> None:
    """Only what bounds an objective is listed, in the order of the keys; a limit can be dropped."""
    limits = Limits(parallel_links=4, hops=3, cost_usd=1e6)
    assert limits.on_objectives == {"cost_usd": 1e6, "hops": 3}
    assert limits.without("hops") == Limits(parallel_links=4, cost_usd=1e6)
    assert Limits().on_objectives == {}


def test_every_limit_names_an_objective_that_exists() -> None:
    """Each limit but that on parallel links bounds an objective, and a shared one is a total of all fabrics."""
    named = {key: limit.objective for key, limit in LIMITS.items() if limit.objective}
    assert set(LIMITS) - set(named) == {"parallel_links"}
    assert set(named.values()) <= set(OBJECTIVES)
    assert SHARED == ("cost_usd", "power_w", "rack_units")
