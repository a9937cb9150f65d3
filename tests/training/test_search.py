"""The search for the best layout: against every layout timed, and bounds against steps."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fabric
from fabric.blueprint import Blueprint
from fabric.catalog import models
from fabric.errors import InputError
from fabric.request.parallel import Parallel
from fabric.training.check import find_mistakes
from fabric.training.model_run import ModelRun
from fabric.training.prepared_step import prepare_step
from fabric.training.search import Search, list_shapes
from fabric.training.step_bound import StepBound

MODELS = models()


@pytest.fixture(scope="module")
def pod() -> Blueprint:
    """Return a fabric of 256 H100s."""
    return fabric.design("superpod-h100-1su").blueprint


def test_the_best_is_that_of_all_layouts(pod: Blueprint) -> None:
    """No layout of a small model, of all that fit, has a shorter step than the one that is found."""
    model = replace(MODELS["llama3-8b"], layers=4)
    search = Search(pod, model, 16, 16, fixed={"micro_batch": 1, "cp": 1})
    found = search.run()
    every = [replace(shape, dp=dp) for shape, degrees in list_shapes(search) for dp in degrees]
    fitting = filter(None, map(search.least_recomputing, every))
    assert found.step_s == min(map(search.time_s, set(fitting)))
    assert found.step_s == search.time_s(found.best)
    assert found.layouts == len(every)
    assert found.timed < len(every) / 2
    assert found.bound_s is None


def test_divided_experts_are_searched(pod: Blueprint) -> None:
    """No layout of a small model with experts, their own tensor degrees included, is faster than what is found."""
    model = replace(MODELS["qwen3-30b-a3b"], layers=2, experts=4, top_k=2)
    search = Search(pod, model, 8, 8, fixed={"micro_batch": 1, "cp": 1, "vp": 1, "recompute": "none"})
    found = search.run()
    every = [replace(shape, dp=dp) for shape, degrees in list_shapes(search) for dp in degrees]
    assert {each.etp for each in every} == {1, 2, 4, 8}
    assert all(each.tp % each.etp == 0 for each in every)
    assert found.step_s == min(map(search.time_s, every))
    assert found.layouts == len(every)
    assert found.bound_s is None


DEGREES = st.fixed_dictionaries(
    {
        "tp": st.sampled_from([1, 2, 8]),
        "cp": st.sampled_from([1, 2]),
        "pp": st.sampled_from([1, 2, 4]),
        "vp": st.sampled_from([1, 2, 4]),
        "dp": st.sampled_from([1, 2, 8, 16]),
        "ep": st.sampled_from([1, 8, 16]),
        "etp": st.sampled_from([1, 2, 8]),
        "micro_batch": st.sampled_from([1, 2]),
        "sharding": st.sampled_from(["none", "zero1", "zero3"]),
        "recompute": st.sampled_from(["none", "full"]),
        "schedule": st.sampled_from(["1f1b", "zero-bubble", "dualpipe"]),
        "order": st.sampled_from(["tp-cp-ep-dp-pp", "tp-cp-pp-dp"]),
    }
)


@settings(max_examples=20)
@given(st.sampled_from(["llama3-8b", "qwen3-30b-a3b"]), st.sampled_from(["megatron", "fsdp", "hai-llm"]), DEGREES)
def test_no_step_beats_its_bounds(pod: Blueprint, name: str, software: str, degrees: dict[str, int]) -> None:
    """Each bound is at most the step, the closer ones are higher, and fewer ranks never have a lower coarse bound."""
    model, parallel = MODELS[name], Parallel(**degrees)  # type: ignore[arg-type]
    if parallel.pp == 1 or parallel.schedule == "dualpipe":
        parallel = replace(parallel, vp=1)
    if parallel.vp > 1:
        parallel = replace(parallel, schedule="interleaved")
    if not model.experts:
        parallel = replace(parallel, ep=1, etp=1)
    batch = 4 * parallel.dp * parallel.micro_batch * parallel.pp
    run = ModelRun(model, parallel, batch, software=software)
    assume(not [*find_mistakes(run, pod.gpus)])
    bounds = StepBound(pod, model, batch, "bf16", software)
    step = prepare_step(pod, run).step_s()
    assert bounds.bound_s(parallel) <= step * (1 + 1e-9)
    assert bounds.bound_s(parallel, ideal=True) <= step * (1 + 1e-9)
    assert bounds.spread_s(parallel) <= bounds.bound_s(parallel) * (1 + 1e-9)
    if parallel.dp % 2 == 0:
        assert bounds.spread_s(parallel) <= bounds.spread_s(replace(parallel, dp=parallel.dp // 2))


def test_tensor_degrees_fill_a_server(pod: Blueprint) -> None:
    """Every tensor degree that divides the heads and fits in a server is tried, none beyond: 8, or 64 of 72 GPUs."""
    racks = fabric.design(gpus=144, server="gb200-nvl72", family="fat-tree").blueprint
    for plan, most in ((pod, 8), (racks, 64)):
        search = Search(plan, MODELS["llama3-405b"], 64, plan.gpus, fixed={"cp": 1, "micro_batch": 1})
        assert {shape.tp for shape, _ in list_shapes(search)} == {1 << power for power in range(most.bit_length())}


def test_what_is_given_is_kept(pod: Blueprint) -> None:
    """Degrees that are given are those of every layout; where none is left, the message says which were given."""
    found = Search(pod, MODELS["llama3-8b"], 32, 32, fixed={"tp": 2, "recompute": "full"}).run()
    assert {each.tp for each, _ in ((found.best, 0), *found.others)} == {2}
    assert found.best.recompute == "full"
    with pytest.raises(InputError, match=r"no layout over at most 32 GPUs .* with tp=2,pp=5"):
        Search(pod, MODELS["llama3-8b"], 32, 32, fixed={"tp": 2, "pp": 5}).run()
    with pytest.raises(InputError, match=r"none of .* layouts fits into memory; .* alone fill 78 GPUs"):
        Search(pod, MODELS["llama3-405b"], 8, 8).run()
