"""The weights of a GPU by part: together those of the model, and as its papers say where tensors are not divided."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric.catalog import models
from fabric.request.parallel import Parallel
from fabric.training.operations import count_parameters
from fabric.training.stages import divide, split_layers
from fabric.training.weights import weights_of_stage, weights_on_gpu


@given(st.sampled_from(sorted(models())), st.sampled_from([1, 2, 4]), st.integers(1, 8), st.sampled_from([1, 2, 4]))
def test_all_gpus_of_a_copy_have_the_weights_of_the_model(name: str, tp: int, pp: int, ep: int) -> None:
    """Over all stages each weight is once on the tensor-parallel ranks, but routers and what latents come from."""
    model, parallel = (
        replace(models()[name], tied=False),
        Parallel(tp=tp, pp=pp, dp=ep, ep=ep if models()[name].experts else 1),
    )
    if split_layers(model, pp) is None or tp > model.kv_heads:
        return
    parts, count = weights_on_gpu(model, parallel), count_parameters(model)
    stages = [weights_of_stage(stage, parts) for stage in divide(model, parallel)]
    total = sum(tp * shared + parallel.ep * experts for shared, experts in stages)
    latent = model.latent and model.hidden * (model.latent.q_rank + model.latent.kv_rank + model.latent.rope)
    layers = model.layers + model.predicted_tokens
    whole = layers * (latent or 0) + (layers - model.dense_count) * count.router + count.positions
    expected = count.total + model.predicted_tokens * count.predicted
    assert total == pytest.approx(expected + (tp - 1) * whole)


def test_fewer_key_heads_than_ranks_are_copied() -> None:
    """Of Llama 3 8B's 32 heads of queries and 8 of keys and of values each of 16 ranks has two and one."""
    model = models()["llama3-8b"]
    attention = 4096 * 128 * (2 * 32 / 16 + 2 * 1)
    assert weights_on_gpu(model, Parallel(tp=16))["dense"][0] == attention + 3 * 4096 * 14336 / 16


@pytest.mark.parametrize(("pp", "tables"), [(1, 1), (2, 2)])
def test_tied_embeddings_are_one_matrix_on_one_stage(pp: int, tables: int) -> None:
    """A stage with both ends has one matrix for them; the first and the last of several stages have a copy each."""
    model = replace(models()["llama3-8b"], tied=True)
    parallel = Parallel(pp=pp)
    parts = weights_on_gpu(model, parallel)
    total = sum(weights_of_stage(stage, parts)[0] for stage in divide(model, parallel))
    assert total - model.layers * parts["dense"][0] == tables * model.vocabulary * model.hidden
