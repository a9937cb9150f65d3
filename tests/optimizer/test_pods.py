"""Minimum and maximum GPUs of a pod: against an exhaustive search, as binding limits, and in refusals."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

import fabric
from fabric.errors import Infeasible, InputError
from fabric.optimizer import size
from tests.marks import slow
from tests.optimizer.brute_force import fabrics
from tests.optimizer.test_search import FAMILIES, as_spec, small_request

LARGE: dict[str, Any] = {"gpus": 16384, "server": "hgx-h100", "switches": "sn5600", "oversubscription": 3}


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("draws", [25, *slow(100)])
@pytest.mark.parametrize("family", FAMILIES)
def test_no_cheaper_fabric_has_pods_of_the_size_asked_for(family: str, draws: int) -> None:
    """With a least size, a greatest, both, or one exact size, sizing finds what an exhaustive search finds."""
    random, answers = Random(f"pods {family}"), list[bool]()
    for _ in range(draws):
        request, tiers = small_request(random), random.choice([(1,), (2,), (3,), (3,), (1, 2, 3)])
        most = random.choice([10**6, random.randint(1, 12)])
        request = replace(request, pod=(random.choice([0, most, random.randint(1, 12)]), most))
        best = min((found.cost for found in fabrics(request, family, tiers)), default=None)
        answers.append(best is not None)
        try:
            found: float | None = size(as_spec(request, family, tiers)).proof.objective
        except Infeasible:
            found = None
        assert found == best, (request, family, tiers)
    assert sum(answers) > draws // 6


def test_an_exact_pod_is_built_and_what_it_costs_is_told() -> None:
    """Pods of 4,096 GPUs are built as asked, and the binding limit has the cost of the free choice."""
    study, free = fabric.design(LARGE, pod_gpus=4096), fabric.design(LARGE)
    assert study.blueprint.pod_gpus == 4096
    assert free.blueprint.pod_gpus != 4096
    (found,) = [each for each in study.binding or () if each.limit == "pod_gpus"]
    assert (found.value, found.objective) == (4096, free.proof.objective)


def test_one_pod_is_never_too_small() -> None:
    """2,048 GPUs in two tiers are one pod, which meets a least size of 4,096, and not a greatest of 1,024."""
    words = {**LARGE, "gpus": 2048, "tiers": 2}
    assert fabric.design(words, pod_gpus={"min": 4096}).blueprint.pod_gpus == 2048
    with pytest.raises(Infeasible) as caught:
        fabric.design(words, pod_gpus={"max": 1024})
    (found,) = [each for each in caught.value.conflict if each.limit == "pod_gpus"]
    assert (found.value, found.nearest) == ({"max": 1024}, 2048)
    assert fabric.design(words, pod_gpus={"max": 2048}).blueprint.pod_gpus == 2048


def test_the_nearest_size_is_feasible_and_nothing_between_is() -> None:
    """Where 16 GPUs are too few for a pod of 16,384, the size named is built, and half of it is refused."""
    words = {**LARGE, "tiers": 3}
    with pytest.raises(Infeasible) as caught:
        fabric.design(words, pod_gpus=16)
    (found,) = [each for each in caught.value.conflict if each.limit == "pod_gpus"]
    assert found.nearest is not None
    assert fabric.design(words, pod_gpus=int(found.nearest)).blueprint.pod_gpus == found.nearest
    with pytest.raises(Infeasible):
        fabric.design(words, pod_gpus={"max": int(found.nearest) - 8})


@pytest.mark.parametrize(("asked", "nearest"), [(1, 3), (23, 24), (27, 25)])
def test_the_nearest_size_may_be_on_either_side(asked: int, nearest: int) -> None:
    """Of pods of other sizes than asked for, those nearer than the one named are infeasible, larger and smaller."""
    words: dict[str, Any] = {"gpus": 36, "server": {"name": "one", "gpus": 1, "nics": 1, "nic_gbps": 400}, "tiers": 3}
    words |= {"switches": {"name": "box", "ports": 12, "rate_gbps": 400, "price_usd": 100}, "link_price_usd": 1}
    words |= {"family": "fat-tree", "limits": {"parallel_links": 1}}
    with pytest.raises(Infeasible) as caught:
        fabric.design(words, pod_gpus=asked)
    (found,) = [each for each in caught.value.conflict if each.limit == "pod_gpus"]
    assert found.nearest == nearest
    assert fabric.design(words, pod_gpus=nearest).blueprint.pod_gpus == nearest
    for distance in range(1, abs(nearest - asked)):
        for size_between in {max(1, asked - distance), asked + distance}:
            with pytest.raises(Infeasible):
                fabric.design(words, pod_gpus=size_between)


def test_families_without_pods_are_left_out_or_refused() -> None:
    """Beside a torus a fat tree is chosen; a torus alone has no pods to ask for."""
    words = {**LARGE, "gpus": 512, "pod_gpus": {"min": 64}}
    assert fabric.design(words, family=["torus", "fat-tree"]).blueprint.topology.family == "fat-tree"
    with pytest.raises(InputError, match="torus has no pods"):
        fabric.design(words, family="torus")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({}, "pod_gpus: has neither min nor max"),
        ({"min": 64, "max": 32}, "pod_gpus.max: 32 is less than min, 64"),
        (30, "pod_gpus: 30 is no multiple of the server's 8 GPUs; the nearest is 32"),
        ({"min": 33, "max": 39}, "pod_gpus: 33 to 39 has no multiple of the server's 8 GPUs"),
        ("many", "not a number or a range of min and max"),
        ({"least": 3}, "unknown key"),
        (0, "pod_gpus"),
    ],
)
def test_sizes_that_no_pod_has_are_refused(asked: object, text: str) -> None:
    """What cannot be the size of a pod is refused with its key and what would be right."""
    with pytest.raises(InputError, match=text):
        fabric.read(LARGE, pod_gpus=asked)
