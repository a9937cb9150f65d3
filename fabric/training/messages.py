"""What the ranks of a training step send each other: every message, its size, and how often a part of a model has it.

Sizes are those of tensor and sequence parallelism (arXiv:2205.05198, section 4.2.2), pipelines (arXiv:2104.04473,
section 3.2), ring attention (arXiv:2310.01889), experts (arXiv:2101.03961) and sharded data parallelism
(arXiv:1910.02054, section 7).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from fabric.catalog import Model
from fabric.request.parallel import SHARDINGS, Parallel
from fabric.training.message import Message
from fabric.training.weights import PARTS as WITH_WEIGHTS
from fabric.training.weights import weights_on_gpu

__all__ = ["PARTS", "Bytes", "Call", "messages_of"]

PARTS = (*WITH_WEIGHTS, "boundary", "chunk")
"""The parts of a model that send: those with weights, what a rank passes to the next stage of the pipeline, and a
virtual stage as a whole, whose layers are joined (`join_layers`)."""


@dataclass(frozen=True)
class Bytes:
    """The bytes in which values are sent."""

    activation: float = 2
    """An element of a hidden state, or of its gradient."""
    gradient: float = 2
    """A gradient that data-parallel ranks reduce: 2, or 4 where they reduce in FP32."""
    weight: float = 2
    """A weight that data-parallel ranks gather."""
    dispatch: float = 2
    """An element of a hidden state on its way to experts: 1 in FP8 (arXiv:2412.19437, section 3.3.3)."""
    joined: bool = False
    """Whether a token goes once to a rank that has several of its experts, instead of once to each expert."""


@dataclass(frozen=True)
class Call:
    """A message of a part of a model, and how often it is sent."""

    message: Message
    """The message."""
    part: str
    """The part of the model, one of PARTS."""
    each: str
    """What the numbers below are for each of: `micro-batch` or `step`."""
    forward: float = 0
    """How often it is sent in the forward pass of that part."""
    backward: float = 0
    """How often in the backward pass, with what this computes again."""
    beside: bool = False
    """Whether any software sends it beside products that do not need it: inputs gathered for gradients of weights."""
    weights: float = 0
    """The weights of a rank whose gradients it reduces, or that it gathers."""


def messages_of(model: Model, parallel: Parallel, *, sent: Bytes | None = None) -> tuple[Call, ...]:
    """Return what a step sends, of every part that sends anything; degrees are taken to divide the model (`check`).

    A pipeline's rank passes a micro-batch on once for each of its virtual stages; the gradients come back as often, the
    other way.
    """
    run = _Run(model, parallel, sent or Bytes())
    found = [
        *run.tensor_calls(), *run.context_calls(), *run.pipeline_calls(), *run.expert_calls(), *run.data_calls()
    ]  # fmt: skip
    return tuple(each for each in found if each.message.size_bytes and (each.forward or each.backward))


@dataclass(frozen=True)
class _Run:
    """A run of a model."""

    model: Model
    parallel: Parallel
    sent: Bytes

    @property
    def tokens(self) -> float:
        """The tokens of a micro-batch on a context-parallel rank."""
        return self.parallel.micro_batch * self.model.sequence / self.parallel.cp

    @property
    def local_tokens(self) -> float:
        """The tokens that a rank has between matrices: its part of them where the sequence is divided there too."""
        return self.tokens / (self.parallel.tp if self.parallel.sequence_parallel else 1)

    @property
    def states(self) -> float:
        """The bytes of the hidden states of a micro-batch on all tensor-parallel ranks together."""
        return self.tokens * self.model.hidden * self.sent.activation

    @property
    def layers(self) -> tuple[str, ...]:
        """The kinds of layers that the model has."""
        model = self.model
        kinds = {"dense": model.dense_count, "moe": model.moe_count, "predicted": model.predicted_tokens}
        return tuple(kind for kind, count in kinds.items() if count)

    def has_experts(self, part: str) -> bool:
        """Return whether a kind of layer has experts."""
        return part == "moe" or (part == "predicted" and bool(self.model.experts))

    @property
    def again(self) -> int:
        """How often the backward pass repeats the forward one: once with full recomputation."""
        return int(self.parallel.recompute == "full")

    def tensor_calls(self) -> Iterator[Call]:
        """Yield what tensor-parallel ranks exchange: sums after each pair of matrices, and inputs before it.

        Without a divided sequence one all-reduce of each pass stands for both (arXiv:1909.08053).
        """
        if self.parallel.tp == 1:
            return
        for part in self.layers:
            # Attention, and a dense feed-forward part or shared experts; routed experts are reached by other messages.
            pairs = 2 if not self.has_experts(part) or self.model.shared_experts else 1
            yield from self._around_matrices(part, pairs, self.again)
        # The vocabulary is divided: a sum after the input embedding, and an input before the output embedding.
        size = self.states
        if not self.parallel.sequence_parallel:
            for part, passes in (("embedding", (1, 0)), ("logits", (0, 1))):
                yield Call(self._tensor("all-reduce", size, "embeddings"), part, "micro-batch", *passes)
            return
        gather, scatter = (self._tensor(name, size, "embeddings") for name in ("all-gather", "reduce-scatter"))
        yield Call(scatter, "embedding", "micro-batch", forward=1)
        yield Call(gather, "embedding", "micro-batch", backward=1)
        yield Call(gather, "logits", "micro-batch", forward=1)
        yield Call(scatter, "logits", "micro-batch", backward=1)

    def _around_matrices(self, part: str, pairs: int, again: int) -> Iterator[Call]:
        size, often = self.states, pairs * (1 + again)
        if not self.parallel.sequence_parallel:
            yield Call(self._tensor("all-reduce", size, "hidden states"), part, "micro-batch", pairs, often)
            return
        for name in ("all-gather", "reduce-scatter"):
            yield Call(self._tensor(name, size, "hidden states"), part, "micro-batch", pairs, often)
        again_gathered = self._tensor("all-gather", size, "inputs, for gradients of weights")
        yield Call(again_gathered, part, "micro-batch", backward=pairs, beside=True)

    def _tensor(self, collective: str, size: float, what: str) -> Message:
        return Message("TP", collective, ("tp",), size, what)

    def context_calls(self) -> Iterator[Call]:
        """Yield the keys and values that context-parallel ranks pass around, and back with their gradients."""
        cp = self.parallel.cp
        if cp == 1:
            return
        size = self.tokens * self._key_value_size * self.sent.activation
        message = Message("CP", "send-recv", ("cp",), size, "keys and values")
        forward = cp - 1
        for part in self.layers:
            yield Call(message, part, "micro-batch", forward, 2 * forward + self.again * forward)

    @property
    def _key_value_size(self) -> float:
        """The elements of a token's keys and values on one tensor-parallel rank."""
        model, tp = self.model, self.parallel.tp
        if model.latent is not None:
            return model.heads / tp * (model.head_dim + model.latent.rope + model.latent.value)
        return 2 * max(1.0, model.kv_heads / tp) * model.head_dim

    def pipeline_calls(self) -> Iterator[Call]:
        """Yield what a stage passes to the next one: the hidden states that each of its ranks has."""
        if self.parallel.pp == 1:
            return
        size = self.local_tokens * self.model.hidden * self.sent.activation
        collective = "send-recv" if self.parallel.vp > 1 else "send"
        message = Message("PP", collective, ("pp",), size, "hidden states")
        yield Call(message, "boundary", "micro-batch", self.parallel.vp, self.parallel.vp)

    def expert_calls(self) -> Iterator[Call]:
        """Yield the hidden states of tokens on their way to experts and back, and their gradients the other way."""
        if self.parallel.ep * self.parallel.etp == 1:
            return
        for part in (each for each in self.layers if self.has_experts(each)):
            elements = self.local_tokens * self.copies * self.model.hidden
            # What comes back is added up, in more digits; its gradient goes as the tokens went.
            for way, each in (("to experts", self.sent.dispatch), ("from experts", self.sent.activation)):
                yield Call(self._exchange(elements * each, way), part, "micro-batch", 1, 1 + self.again)
            size = self.parallel.etp * elements * self.sent.activation
            for name in ("all-gather", "reduce-scatter") if self.parallel.etp > 1 else ():
                message = Message("TP", name, ("etp",), size, "tokens of divided experts")
                yield Call(message, part, "micro-batch", 1, 1 + self.again)

    def _exchange(self, size: float, way: str) -> Message:
        model = self.model
        groups = None if model.group_limit is None else (model.group_limit, model.expert_groups)
        return Message("EP", "all-to-all", ("ep",), size, f"tokens {way}", groups=groups, copies=self.copies)

    @property
    def copies(self) -> float:
        """The ranks that a token goes to, its own included, where its experts are any as many of those it may go to.

        Of e experts a rank has m. None of a token's k is among these with the chance C(e - m, k) / C(e, k), which is
        the product of 1 - m / (e - i) over i < k, and the same with k and m exchanged. Where groups of experts are on
        ranks of their own, e are those of as many groups as the model allows (arXiv:2412.19437, section 2.1.2).
        """
        model, ranks, chosen = self.model, self.parallel.ep, self.model.top_k
        if not self.sent.joined:
            return chosen
        limit, groups = model.group_limit or 1, model.expert_groups if model.group_limit else 1
        part = Fraction(limit, groups) if ranks % groups == 0 else Fraction(1)
        own, experts = model.experts // ranks, int(model.experts * part)
        missed = math.prod(max(0.0, 1 - max(own, chosen) / (experts - each)) for each in range(min(own, chosen)))
        return float(ranks * part) * (1 - missed)

    def data_calls(self) -> Iterator[Call]:
        """Yield the gradients that data-parallel ranks reduce and the weights that they gather, layer by layer."""
        weights = weights_on_gpu(self.model, self.parallel)
        for part in (*self.layers, "embedding", "logits"):
            shared, experts = weights[part]
            yield from self._reduce(part, shared, ("cp", "dp"))
            yield from self._reduce(part, experts, ("edp",))

    def _reduce(self, part: str, weights: float, group: tuple[str, ...]) -> Iterator[Call]:
        """Yield how gradients of as many weights are reduced, and these gathered, as the sharding has it."""
        sharding, limited = self.parallel.sharding, self.parallel.shard_group
        gradients, gathered = weights * self.sent.gradient, weights * self.sent.weight
        within = ("shard",) if limited and group == ("cp", "dp") else group

        def message(name: str, where: tuple[str, ...], size: float, what: str) -> Message:
            return Message("DP", name, where, size, what)

        if sharding == "none":
            yield Call(message("all-reduce", group, gradients, "gradients"), part, "step", backward=1, weights=weights)
            return
        # On a pipeline weights stay from the first forward pass to the last backward one (arXiv:2407.21783, 3.3.2) and
        # gradients are summed whole; elsewhere a rank with its share alone gathers and reduces for each micro-batch.
        kept = SHARDINGS.index(sharding) if self.parallel.pp == 1 else 0
        gathers, reduces = ("micro-batch" if kept >= SHARDINGS.index(least) else "step" for least in ("zero3", "zero2"))
        passes = (1, 1) if gathers == "micro-batch" else (1, 0)
        yield Call(message("all-gather", within, gathered, "weights"), part, gathers, *passes, weights=weights)
        scattered = message("reduce-scatter", within, gradients, "gradients")
        yield Call(scattered, part, reduces, backward=1, weights=weights)
        if limited and within != group:
            own = message("all-reduce", ("replica",), gradients / limited, "gradients of shards")
            yield Call(own, part, "step", backward=1, weights=weights)
