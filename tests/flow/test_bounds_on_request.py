"""Bounds are solved when they are read, and are values afterwards."""

from __future__ import annotations

import copy
import pickle

import pytest

import fabric
from fabric.flow import Routing, Workload, estimate_workload


@pytest.mark.parametrize("engine", ["flows", "closed"])
def test_no_bound_is_solved_before_it_is_read(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The linear program and the bound of the collective run at the first reading, once."""
    keys = {"family": "torus", "oversubscription": 8} if engine == "flows" else {"family": "fat-tree"}
    plan = fabric.design(gpus=64, server="hgx-h100", switches="sn5600", **keys).blueprint
    calls = []
    for module, name in (
        ("explicit_flows", "lp_bound"),
        ("explicit_flows", "bound_collective"),
        ("workload", "bound_collective"),
    ):
        real = getattr(__import__(f"fabric.flow.{module}", fromlist=[name]), name)

        def counted(*words: object, real: object = real, name: str = name, **more: object) -> object:
            calls.append(name)
            return real(*words, **more)  # type: ignore[operator]

        monkeypatch.setattr(f"fabric.flow.{module}.{name}", counted)
    work = Workload(algorithm="ring", routing=Routing("ecmp", qps=4), engine=engine)
    if engine == "closed":
        work = Workload(algorithm="ring", routing=Routing("adaptive"), engine=engine)
    _, bounds = estimate_workload(plan, work, [2**30])
    assert calls == []
    first = bounds.lp, bounds.cut, bounds.collective
    assert set(calls) == ({"lp_bound", "bound_collective"} if engine == "flows" else {"bound_collective"})
    solved = len(calls)
    assert (bounds.lp, bounds.cut, bounds.collective) == first
    assert len(calls) == solved
    again = pickle.loads(pickle.dumps(bounds))
    assert again == bounds == copy.deepcopy(bounds)
    assert hash(again) == hash(bounds)
    assert (again.lp, again.cut, again.collective) == first
