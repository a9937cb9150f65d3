"""Arrays from Python: lists and arrays of any kind of number are taken, and a mistake names its first bad element."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array

import fabric
from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.flow import (
    Job,
    Phase,
    Routing,
    Sends,
    Workload,
    estimate_workload,
    interference,
    link_loads,
    place,
    shares,
    solve_sends,
)
from fabric.flow.checked_arrays import count_before
from tests.flow.flow_fabrics import fat_tree

PLAN = fat_tree(2, 4, 4)
"""Sixteen servers of one NIC and one GPU."""


def loads(phase: Phase) -> Any:
    """Return the loads of the links of the plan."""
    return link_loads(PLAN, phase)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Phase([0, 1.5], [4, 5]), "source[1] is 1.5: not a whole number from 0"),
        (lambda: Phase([0, -1], [4, 5]), "source[1] is -1: not a whole number from 0"),
        (lambda: Phase([0, 1], [4, np.nan]), "target[1] is nan: not a whole number from 0"),
        (lambda: Phase([0, 1], [4, np.inf]), "target[1] is inf: not a whole number from 0"),
        (lambda: Phase([0, 1], [4]), "source has 2 NICs and target 1; give one of each for a flow"),
        (lambda: Phase([[0, 1]], [4]), "source: an array of shape (1, 2); give one of one dimension"),
        (lambda: Phase(["a"], [4]), "source ['a']: not numbers"),
        (lambda: Phase([True], [4]), "source [True]: true or false"),
        (lambda: Phase([2**63], [4]), f"source[0] is {2**63}: not a whole number from 0"),
        (lambda: Phase([0, 1], [4, 5], [1, np.nan]), "share[1] is nan: not a finite number from 0"),
        (lambda: Phase([0, 1], [4, 5], [1, -2]), "share[1] is -2.0: not a finite number from 0"),
        (lambda: Phase([0], [4], -1), "share is -1.0: not a finite number from 0"),
        (lambda: Phase([0], [4], 0), "share: all shares are 0, so nothing is sent"),
        (lambda: Phase([0, 1], [4, 5], [1, 1, 1]), "share: an array of shape (3,); give one number, or an array of"),
        (lambda: Phase([0, 1], [4, 5], job=[0]), "job: 1 numbers of 2 flows; give one for each, or one for all"),
        (lambda: Phase.of_matrix(np.zeros((2, 3))), "demands: a matrix of shape (2, 3); give a square one"),
        (lambda: Phase.of_matrix([[0, 1], [-1, 0]]), "demands[1, 0] is -1.0: not a finite number from 0"),
        (lambda: loads(Phase([0, 16], [4, 5])), "source[1] is 16: sized has 16 NICs, numbered from 0"),
        (lambda: shares(PLAN, [Phase([0], [99])]), "target[0] is 99: sized has 16 NICs, numbered from 0"),
        (lambda: Workload(placement=[0, 1, 0]), "placement[2] is 0, as placement[0] is; give each GPU once"),
        (lambda: Workload(placement=[[0, 1], [2, 0]]), "placement[1, 1] is 0, as placement[0, 0] is"),
        (lambda: Workload(placement=[0, 2.5]), "placement[1] is 2.5: not a whole number from 0"),
        (lambda: Workload(placement=[[0], [1, 2]]), "placement [[0], [1, 2]]: not numbers"),
        (lambda: Job("a", [[0], [1, 2]]), "job a: gpus [[0], [1, 2]]: not numbers"),
        (lambda: Job("a", "all"), "job a: gpus all: not numbers"),
        (lambda: Workload(placement=[]), "placement: no GPUs; list one or more"),
        (lambda: Workload(placement=[0, 1], gpus=3), "gpus 3: the placement lists 2; leave gpus out"),
        (lambda: Workload(stride=0), "stride 0: not a whole number from 1"),
        (
            lambda: estimate_workload(PLAN, Workload(placement=[0, 16]), [1]),
            "placement[1] is 16: sized has 16 GPUs, numbered from 0",
        ),
        (lambda: Job("a", [1, 1]), "job a: gpus[1] is 1, as job a: gpus[0] is; give each GPU once"),
        (lambda: Job("a", []), "job a: gpus: none are listed; list one or more"),
        (lambda: Job("a", 0), "job a: gpus 0: not a positive whole number; give one, or list GPUs"),
        (lambda: Job("a", 1, placement="x"), "unknown placement 'x'"),
        (
            lambda: interference(PLAN, [Job("a", [1, 2]), Job("b", [3, 2])]),
            "job b: gpus[1] is 2, which job a has already",
        ),
        (lambda: interference(PLAN, [Job("a", [16])]), "job a: gpus[0] is 16: sized has 16 GPUs, numbered from 0"),
        (lambda: Sends([0], [4], [0]), "size_bytes[0] is 0: not a whole number from 1"),
        (lambda: Sends([0], [4, 5], [1]), "source has 1 GPUs, target and size_bytes 2 and 1; give one of each a send"),
        (lambda: fabric.scale("colossus-100k", np.array([64, 0])), "gpus[1] is 0: not a whole number from 1"),
        (lambda: fabric.scale("colossus-100k", [64, 64]), "gpus[1] is 64, as gpus[0] is; give each size once"),
        (lambda: Routing("ecmp", qps=2, seed=-1), "seed -1: not a whole number from 0"),
    ],
)
def test_the_first_bad_element_is_named_with_its_value(make: Callable[[], object], text: str) -> None:
    """One message says which argument, where in it, the value, and what would be right."""
    with pytest.raises(InputError, match=re.escape(text)) as caught:
        make()
    assert len(caught.value.mistakes) == 1


@given(
    st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15), st.integers(1, 9)), min_size=1, max_size=40),
    st.sampled_from([list, np.array, lambda x: np.array(x, np.float32), lambda x: np.array(x, np.uint16), tuple]),
)
def test_any_kind_of_numbers_gives_the_same_flows(rows: list[tuple[int, int, int]], kind: Callable[[Any], Any]) -> None:
    """Lists, tuples and arrays of whole numbers of any type are one phase, with equal loads, in both directions."""
    source, target, share = ([row[part] for row in rows] for part in range(3))
    phase = Phase(kind(source), kind(target), kind(share))
    assert phase == Phase(np.array(source), np.array(target), np.array(share, np.float64))
    assert pickle.loads(pickle.dumps(phase)) == phase
    assert hash(phase) == hash(pickle.loads(pickle.dumps(phase)))


def test_a_matrix_is_its_columns() -> None:
    """A dense and a sparse matrix of demands are the flows of its elements that are not 0, and sends likewise."""
    random = np.random.default_rng(3)
    matrix = random.integers(0, 3, (16, 16)) * (1 - np.eye(16, dtype=np.int64))
    source, target = np.nonzero(matrix)
    phase = Phase(source, target, matrix[source, target])
    assert Phase.of_matrix(matrix) == Phase.of_matrix(coo_array(matrix)) == Phase.of_matrix(matrix.tolist()) == phase
    sends = Sends(source, target, matrix[source, target])
    assert Sends.of_matrix(matrix) == sends
    one, other = (solve_sends(PLAN, each, Routing(), [0]) for each in (sends, lambda _: sends))
    assert one == other
    # Every NIC sends and receives what the matrix says: the loads of its link are in that proportion.
    both = loads(phase)[:, :16]
    most = max(matrix.sum(axis=0).max(), matrix.sum(axis=1).max())
    assert both == pytest.approx(np.stack([matrix.sum(axis=1), matrix.sum(axis=0)]) / most)


def test_the_arrays_of_the_caller_stay_his_own() -> None:
    """What was passed can be written to afterwards."""
    nics, share = np.arange(4), np.ones(4)
    phase, _ = Phase(nics, nics + 4, share), Workload(placement=nics)
    assert not phase.source.flags.writeable
    nics[0], share[0] = 7, 2.0
    assert (int(nics[0]), float(share[0])) == (7, 2.0)


@pytest.fixture(scope="module")
def plan() -> Blueprint:
    """Return a SuperPOD of 128 servers."""
    return fabric.design("superpod-h100-4su").blueprint


@pytest.mark.parametrize(("name", "stride"), [("contiguous", 8), ("by-rail", 8), ("random", 8), ("strided", 8)])
def test_a_listed_placement_is_the_one_of_that_order(plan: Blueprint, name: str, stride: int) -> None:
    """The GPUs that a placement returns, passed as a list, get what the placement gets by its name, by flows."""
    gpus = 1016 - 1016 % (stride if name == "strided" else 1)
    words = {"routing": Routing("ecmp", qps=4), "engine": "flows"}
    named = estimate_workload(plan, Workload(gpus=gpus, placement=name, stride=stride, **words), [2**30])[0][0]
    order = place(plan, name, gpus, stride=stride)
    work = Workload(placement=order.tolist(), **words)
    listed = estimate_workload(plan, work, [2**30])[0][0]
    assert listed.estimate.placement == "listed"
    assert (listed.mean, listed.min, listed.groups) == (named.mean, named.min, named.groups)
    assert listed.estimate.gpus == named.estimate.gpus
    assert pickle.loads(pickle.dumps(work)) == work != Workload(placement=order.tolist()[::-1], **words)


def test_jobs_on_listed_gpus_are_those_that_were_placed_there(plan: Blueprint) -> None:
    """Jobs that list the GPUs that they would have got otherwise get the same, whichever of them list."""
    jobs = [Job("a", 256), Job("b", 128, placement="by-rail"), Job("c", 64)]
    whole = interference(plan, jobs, Routing("ecmp", qps=2))
    listed = [Job("a", range(256)), Job("b", np.arange(256, 384), placement="by-rail"), Job("c", 64)]
    assert interference(plan, listed, Routing("ecmp", qps=2)) == whole
    assert interference(plan, [listed[0], jobs[1], jobs[2]], Routing("ecmp", qps=2)) == whole


def test_numbers_of_numpy_are_numbers() -> None:
    """Sizes, seeds, queue pairs, strides and counts of numpy's types give what Python's own do."""
    asked = {"server": "hgx-h100", "switches": "sn5600", "family": "fat-tree"}
    study = fabric.design(gpus=np.int64(256), **asked)
    assert study.blueprint == fabric.design(gpus=256, **asked).blueprint
    assert study.allreduce(np.int64(2**30)) == study.allreduce(2**30)
    assert Routing("ecmp", qps=np.uint8(4), seed=np.int32(7)) == Routing("ecmp", qps=4, seed=7)
    work = Workload(gpus=np.int64(64), seed=np.int16(3), stride=np.int8(4))
    assert work == Workload(gpus=64, seed=3, stride=4)
    assert type(work.gpus) is int
    found = fabric.scale(gpus=np.array([128, 64]), routings=["adaptive"], algorithms=["ring"], **asked)
    assert [each.blueprint.gpus for each in found.studies] == [64, 128]
    assert study.path(np.int64(0), np.int64(255)) == study.path(0, 255)


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_equal_values_before_each_are_counted(count: int) -> None:
    """The number of each value among its equals is that of a plain count, in an empty column too."""
    values = np.random.default_rng(count).integers(0, 5, count)
    expected = [values[:place].tolist().count(value) for place, value in enumerate(values.tolist())]
    assert count_before(values).tolist() == expected
