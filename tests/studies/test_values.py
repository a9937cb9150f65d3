"""Values that travel: pickled, copied, hashed and compared."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fabric
from fabric.flow import Workload, estimate_workload
from fabric.frozen import FrozenMapping
from fabric.topology.families import families

REQUEST = {"gpus": 96, "server": {"name": "box", "gpus": 4, "nics": 2, "nic_gbps": 400}, "planes": "any"}
"""A request that every family can meet."""

UNLIKE = [{"server": "hgx-h100", "count": 8}, {"server": "dgx-a100", "count": 4}]
"""Two generations of servers."""


def design(name: str, **more: Any) -> fabric.Study:
    """Return a design of one family, of switches of 400G."""
    box = {"name": "s64", "ports": 64, "rate_gbps": 400, "breakouts": {200: 128}, "price_usd": 20_000}
    return fabric.design(REQUEST, family=name, switches=box, oversubscription=8, **more)


def travel(value: Any) -> list[Any]:
    """Return a value as it comes out of a pickle and of a deep copy."""
    return [pickle.loads(pickle.dumps(value)), copy.deepcopy(value)]


@pytest.mark.parametrize("name", sorted(families()))
def test_a_study_of_every_family_travels_with_all_that_it_holds(name: str) -> None:
    """Request, blueprint, study, bill, network, view and estimate come out equal, with the same hash; so does a rerun.

    What was computed of a study is not sent with it. Wall time does not count.
    """
    study = design(name)
    answers, _ = estimate_workload(study.blueprint, Workload(engine="flows"), [2**20])
    values = [
        study, study.spec, study.blueprint, study.blueprint.topology, study.proof, study.bill, study.network,
        study.view("fabric"), study.hops, answers,
    ]  # fmt: skip
    for value in values:
        for found in travel(value):
            assert found == value, type(value)
            assert hash(found) == hash(value), type(value)
    again = design(name)
    assert again == study
    assert hash(again) == hash(study)
    assert "bill" not in vars(pickle.loads(pickle.dumps(study)))
    assert replace(study.proof, wall_s=99.0) == study.proof


@pytest.mark.parametrize(
    "make",
    [
        lambda: fabric.design("superpod-h100-1su", uplink_spread="balanced"),
        lambda: fabric.optimize("superpod-h100-1su", "cost=1,hops=50000"),
        lambda: fabric.pareto("superpod-h100-1su", "cost,allreduce"),
        lambda: fabric.design({"servers": UNLIKE, "switches": "qm9700"}),
        lambda: fabric.scale("superpod-h100-1su", [64, 256]),
        lambda: fabric.cluster(
            {"common": {"server": "hgx-h100", "switches": "sn5600"}, "fabrics": {"a": {"gpus": 64}}}
        ),
    ],
    ids=["balanced", "weights", "front", "unlike", "scaling", "cluster"],
)
def test_other_results_travel_too(make: Callable[[], Any]) -> None:
    """Designs of balanced uplinks, of weights and of unlike servers, a front, a scaling study and a cluster."""
    value = make()
    for found in travel(value):
        assert found == value
        assert hash(found) == hash(value)
    assert make() == value


def test_columns_that_travelled_are_read_only_still() -> None:
    """The arrays of a network and of a view can't be changed, wherever they come from."""
    study = design("torus")
    for value, name in ((study.network, "lower"), (study.view("fabric"), "links")):
        for found in travel(value):
            with pytest.raises(ValueError, match="read-only"):
                getattr(found, name)[0] = 1
    other = replace(study.network, lower=np.roll(study.network.lower, 1))
    assert other != study.network
    assert study.network != 1


def test_a_study_is_read_by_another_process(tmp_path: Path) -> None:
    """A pickle holds no more than names of what another process knows by itself."""
    file, study = tmp_path / "study.pickle", design("slim-fly")
    file.write_bytes(pickle.dumps(study))
    script = f"import pickle; print(pickle.load(open({str(file)!r}, 'rb')).bill.cost_usd())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(done.stdout) == study.bill.cost_usd()


def test_a_frozen_mapping_is_a_mapping_that_cannot_change() -> None:
    """It keeps its order, equals a dict of the same items, and has a hash where its values have one."""
    mapping = FrozenMapping({"b": 1, "a": 2})
    assert list(mapping) == ["b", "a"]
    assert mapping == {"a": 2, "b": 1} == mapping
    assert hash(mapping) == hash(FrozenMapping({"a": 2, "b": 1}))
    assert (mapping.get("c"), mapping.get("c", 3), mapping.get("a")) == (None, 3, 2)
    assert "a" in mapping
    assert repr(mapping) == "{'b': 1, 'a': 2}"
    assert not hasattr(mapping, "__setitem__")
    with pytest.raises(TypeError, match="unhashable"):
        hash(FrozenMapping({"a": []}))
