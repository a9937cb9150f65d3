"""The weights that one GPU has of each part of a model, before data-parallel ranks share them out."""

from __future__ import annotations

from collections.abc import Mapping

from fabric.catalog import Model
from fabric.request.parallel import Parallel
from fabric.training.operations import Parameters, count_parameters
from fabric.training.stages import Stage

__all__ = ["PARTS", "PartWeights", "weights_of_stage", "weights_on_gpu"]

PARTS = ("dense", "moe", "predicted", "embedding", "logits")
"""The parts of a model that have weights: a dense layer, a layer with experts, one that predicts a further token, and
the input and the output embedding."""

PartWeights = Mapping[str, tuple[float, float]]
"""The weights of a GPU by part of the model: those that all data-parallel ranks of a stage have, and its experts'."""


def weights_on_gpu(model: Model, parallel: Parallel) -> PartWeights:
    """Return the weights that a GPU has of one of each of PARTS.

    Tensor-parallel ranks share out matrices (arXiv:1909.08053, section 3); routers and the compression of latent
    attention are whole on each, and of fewer key heads than ranks each has one. A layer that predicts further tokens is
    as the model's last one, with a matrix that joins its two inputs (arXiv:2412.19437, section 2.2).
    """
    count, tp = count_parameters(model), parallel.tp
    attention, embedding = _attention(model, count, tp), count.embedding / tp
    dense = attention + count.feed_forward / tp, 0.0
    moe = attention + count.router + count.shared / tp, model.experts * count.expert / (parallel.ep * parallel.etp)
    shared, experts = moe if model.experts else dense
    # On one stage the output embedding may be the input's; two stages have a copy each.
    logits = 0.0 if model.tied and parallel.pp == 1 else embedding
    return {
        "dense": dense,
        "moe": moe,
        "predicted": (shared + 2 * model.hidden**2 / tp, experts),
        "embedding": (embedding + count.positions, 0.0),
        "logits": (logits, 0.0),
    }


def _attention(model: Model, count: Parameters, tp: int) -> float:
    if model.latent:
        whole = model.hidden * (model.latent.q_rank + model.latent.kv_rank + model.latent.rope)
        return whole + (count.attention - whole) / tp
    queries = 2 * model.hidden * model.head_dim * model.heads
    return queries / tp + (count.attention - queries) / min(tp, model.kv_heads)


def weights_of_stage(stage: Stage, weights: PartWeights) -> tuple[float, float]:
    """Return the weights that a GPU of a stage has, by those of the parts: its experts' apart."""
    shared, experts = (sum(stage.count(part) * weights[part][kind] for part in PARTS) for kind in (0, 1))
    return shared, experts
