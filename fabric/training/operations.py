"""The weights of a model, and the operations that a token costs, by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fabric.catalog import Model

__all__ = [
    "COUNTS", "Operations", "Parameters", "count_operations", "count_parameters", "flops_of_recompute", "mean_context",
]  # fmt: skip


@dataclass(frozen=True)
class Parameters:
    """The weights of a model: its matrices, without biases and norms, which are under 0.1 % of them."""

    total: int
    """All, with embeddings, without layers that predict further tokens."""
    active: int
    """Those that act on a token: all but the experts that it is not sent to. An input embedding counts, though a token
    reads one row of it."""
    attention: int
    """The attention of one layer."""
    feed_forward: int
    """The feed-forward part of one dense layer."""
    expert: int
    """One routed expert."""
    shared: int
    """The shared experts of one layer."""
    router: int
    """The router of one layer."""
    embedding: int
    """One matrix of embeddings, as wide as the vocabulary."""
    positions: int
    """Learned position embeddings."""
    predicted: int
    """One layer that predicts a further token: a layer as the last one, and the matrix that joins its two inputs."""

    @property
    def dense_layer(self) -> int:
        """One dense layer."""
        return self.attention + self.feed_forward

    def moe_layer(self, experts: int) -> int:
        """Return one layer with `experts` routed experts."""
        return self.attention + self.router + self.shared + experts * self.expert


@dataclass(frozen=True)
class Operations:
    """The floating-point operations of one token's forward pass, by part: of one layer, but for the logits."""

    projections: float
    """The projections of attention."""
    scores: float
    """Scores and their weighted sum over all tokens that attention looks at, as if no later ones were masked; on
    average over the layers, where some look back over a window."""
    causal_scores: float
    """The same over the tokens before it alone."""
    feed_forward: float
    """The feed-forward part of a dense layer."""
    experts: float
    """The routed experts that a token goes to."""
    shared: float
    """The shared experts."""
    router: float
    """The router."""
    logits: float
    """The logits, once for the model."""
    joined: float
    """The matrix of a layer that predicts a further token, beside what it has as the last layer has."""


def count_parameters(model: Model) -> Parameters:
    """Return the weights of a model by part."""
    attention, matrices = _attention_weights(model), 3 if model.gated else 2
    feed_forward = matrices * model.hidden * model.ffn if model.dense_count else 0
    expert = matrices * model.hidden * model.expert_ffn
    router = model.hidden * model.experts
    embedding = model.vocabulary * model.hidden
    rest = (
        model.layers * attention
        + model.dense_count * feed_forward
        + model.moe_count * (router + model.shared_experts * expert)
        + embedding * (1 if model.tied else 2)
        + model.positions * model.hidden
    )
    last = attention + (
        router + (model.experts + model.shared_experts) * expert if model.experts else feed_forward
    )  # fmt: skip
    return Parameters(
        total=rest + model.moe_count * model.experts * expert,
        active=rest + model.moe_count * model.top_k * expert,
        attention=attention,
        feed_forward=feed_forward,
        expert=expert,
        shared=model.shared_experts * expert,
        router=router,
        embedding=embedding,
        positions=model.positions * model.hidden,
        predicted=last + 2 * model.hidden**2 if model.predicted_tokens else 0,
    )


def _attention_weights(model: Model) -> int:
    """Return the weights of one layer's attention (of a latent one by arXiv:2405.04434, section 2.1)."""
    if model.latent is None:
        return 2 * model.hidden * model.head_dim * (model.heads + model.kv_heads)
    latent = model.latent
    queries = latent.q_rank * (model.hidden + model.heads * (model.head_dim + latent.rope))
    keys = model.hidden * (latent.kv_rank + latent.rope) + latent.kv_rank * model.heads * model.head_dim
    return queries + keys + latent.value * model.heads * (latent.kv_rank + model.hidden)


def count_operations(model: Model, sequence: int) -> Operations:
    """Return the operations of one token's forward pass in sequences of `sequence` tokens.

    A matrix costs two operations a weight. Of attention each token meets `sequence` others, or those before it, which
    are half as many (arXiv:2204.02311, appendix B); with a window, in every other layer, at most that.
    """
    weights = count_parameters(model)
    value = model.latent.value if model.latent else model.head_dim
    key = model.head_dim + (model.latent.rope if model.latent else 0)
    pair = 2 * model.heads * (key + value)
    return Operations(
        projections=2 * weights.attention,
        scores=pair * mean_context(model, sequence, causal=False),
        causal_scores=pair * mean_context(model, sequence, causal=True),
        feed_forward=2 * weights.feed_forward,
        experts=2 * model.top_k * weights.expert,
        shared=2 * weights.shared,
        router=2 * weights.router,
        logits=2 * weights.embedding,
        joined=4 * model.hidden**2 if model.predicted_tokens else 0,
    )


def mean_context(model: Model, sequence: int, *, causal: bool) -> float:
    """Return the tokens that attention looks at for one token, on average over tokens and layers."""
    window = sequence if model.window is None else min(model.window, sequence)
    if not causal:
        return (sequence + window) / 2
    # A token at position i meets min(i, window) others: window - window² / (2 sequence) on average.
    return (sequence / 2 + window - window * window / (2 * sequence)) / 2


def _forward(model: Model, sequence: int, *, causal: bool) -> float:
    """Return the operations of one token's forward pass through the whole model."""
    one = count_operations(model, sequence)
    attention = one.projections + (one.causal_scores if causal else one.scores)
    moe = one.experts + one.shared + one.router
    last = attention + (moe if model.experts else one.feed_forward)
    return (
        model.layers * attention
        + model.dense_count * one.feed_forward
        + model.moe_count * moe
        + one.logits
        + model.predicted_tokens * (last + one.joined + one.logits)
    )


def _count_six_n(model: Model, sequence: int) -> float:  # noqa: ARG001
    return 6 * count_parameters(model).active


def _count_full(model: Model, sequence: int) -> float:
    return 3 * _forward(model, sequence, causal=False)


def _count_causal(model: Model, sequence: int) -> float:
    return 3 * _forward(model, sequence, causal=True)


COUNTS: Mapping[str, Callable[[Model, int], float]] = {
    "6n": _count_six_n,
    "full": _count_full,
    "causal": _count_causal,
}
"""The ways to count the operations of training on one token, by name; the backward pass has twice those of the forward.
`6n`: six for each active weight, nothing for attention. `full`: each matrix product, with attention to all tokens, as
Megatron and PaLM count (arXiv:2204.02311, appendix B). `causal`: the same with attention to earlier tokens alone."""


def flops_of_recompute(model: Model, sequence: int, recompute: str, *, products: float = 0.0) -> float:
    """Return the operations that a token costs once more in the backward pass, which HFU counts beside the model's.

    `full` recomputes every layer, `selective` attention's scores (arXiv:2205.05198, section 5), or with software that
    recomputes a share of matrix `products` instead these (`Software.recomputes_products`); fused attention, with which
    scores are never kept, computes them again by itself, and that is not counted. `modules` recomputes up-projections
    of latent attention, and for the rest what has no matrix products. Attention looks at all tokens, as `full` counts.
    """
    one = count_operations(model, sequence)
    layers = model.layers + model.predicted_tokens
    every = _forward(model, sequence, causal=False) - one.logits * (1 + model.predicted_tokens)
    if recompute == "full":
        return every
    if recompute == "selective":
        return products * (every - layers * one.scores) if products else layers * one.scores
    if recompute == "modules" and (latent := model.latent):
        up = latent.q_rank * (model.head_dim + latent.rope) + latent.kv_rank * (model.head_dim + latent.value)
        return 2.0 * layers * model.heads * up
    return 0.0
