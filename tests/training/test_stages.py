"""How layers divide over the stages of a pipeline, as published, and for any degrees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric.catalog import models
from fabric.errors import InputError
from fabric.request.parallel import Parallel
from fabric.training.stages import divide, divide_into_chunks, split_layers


@pytest.mark.parametrize(
    ("name", "pp", "vp", "layers"),
    [
        ("llama3-405b", 16, 1, [7, *[8] * 14, 7]),  # arXiv:2407.21783, section 3.3.2
        ("llama3-405b", 9, 7, [14] * 9),  # DGX Cloud benchmarking
        ("llama3-405b", 8, 4, [15, *[16] * 6, 15]),
        ("nemotron4-340b", 12, 1, [8] * 12),
        ("glm-130b", 8, 1, [8, *[9] * 6, 8]),  # arXiv:2210.02414, appendix: 72 places, two of them for the embeddings
        ("qwen3-235b-a22b", 4, 12, [23, 24, 24, 23]),
        ("deepseek-v3", 16, 1, [3, *[4] * 14, 2 + 1]),
    ],
)
def test_published_pipelines_divide_as_they_did(name: str, pp: int, vp: int, layers: list[int]) -> None:
    """The stages of published runs have the published numbers of layers."""
    assert [stage.layers for stage in divide(models()[name], Parallel(pp=pp, vp=vp))] == layers


@given(st.sampled_from(sorted(models())), st.integers(1, 40), st.integers(1, 12))
def test_every_layer_is_in_one_stage(name: str, pp: int, vp: int) -> None:
    """Each layer of each kind, the embedding and the output are in exactly one part; parts differ by few layers."""
    model, parallel = models()[name], Parallel(pp=pp, vp=vp)
    if split_layers(model, pp * vp) is None:
        with pytest.raises(InputError, match="do not divide"):
            divide(model, parallel)
        return
    for parts in (divide(model, parallel), divide_into_chunks(model, parallel)):
        assert sum(part.dense for part in parts) == model.dense_count
        assert sum(part.moe for part in parts) == model.moe_count
        assert sum(part.predicted for part in parts) == model.predicted_tokens
        assert sum(part.embedding for part in parts) == sum(part.logits for part in parts) == 1
    counts = [part.dense + part.moe for part in divide_into_chunks(model, parallel)]
    assert max(counts) - min(counts) <= 1 + model.predicted_tokens
