"""What the forward pass keeps for the backward pass, in bytes on one GPU, and for how many micro-batches at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fabric.catalog import PRECISIONS, Model, training_efficiency
from fabric.request.parallel import Parallel
from fabric.training.model_run import ModelRun
from fabric.training.stages import Stage

__all__ = ["Kept", "kept_of", "most_in_flight"]


@dataclass(frozen=True)
class Kept:
    """What a GPU keeps of one micro-batch, in bytes."""

    dense_bytes: float
    """Of a dense layer."""
    moe_bytes: float
    """Of a layer with experts."""
    whole_bytes: float
    """Of the layer that it computes, recomputes or fetches, all that its backward pass needs, where more than kept."""
    logits_bytes: float
    """Of the logits and the loss."""

    def stage_bytes(self, stage: Stage, model: Model, in_flight: float) -> float:
        """Return what a stage of the model keeps with `in_flight` micro-batches."""
        dense, moe = stage.kinds(model)
        each = dense * self.dense_bytes + moe * self.moe_bytes
        outputs = (1 + stage.predicted) * self.logits_bytes if stage.logits else 0.0
        return each * in_flight + outputs + (self.whole_bytes if stage.layers else 0.0)


def kept_of(run: ModelRun) -> Kept:
    """Return what a GPU keeps of one micro-batch.

    The formulas are those of arXiv:2205.05198, section 4, part by part and without dropout: of a GPT layer 32 and not
    34 bytes for each of its tokens' hidden values. Fused attention (arXiv:2205.14135) keeps no scores. A layer keeps
    its input alone with full recomputation; otherwise all but what Parallel.recompute says, and with software that
    recomputes a share of matrix products the outputs of the others. Of the layers that wait in the host's memory one is
    on its way.
    """
    model, parallel, framework = run.model, run.parallel, training_efficiency().software[run.software]
    tokens = parallel.micro_batch * model.sequence / parallel.cp
    stored = PRECISIONS[run.precision]
    rules = _Rules(parallel, stored, stored if framework.keeps_narrow else 2)
    share = framework.recomputes_products if parallel.recompute == "selective" else 0.0
    again = parallel.recompute == "full" or share > 0
    if again:  # while a layer's backward pass runs, all is there that it needs
        rules = replace(rules, parallel=replace(parallel, recompute="none"))
    unfused = framework.attention is None
    kept = unfused and parallel.recompute not in ("selective", "modules")
    attention = _attention(model, rules) + (5 * model.heads * model.sequence / parallel.tp if kept else 0.0)
    dense = attention + _feed_forward(model.hidden, model.ffn, model.gated, rules)
    moe = attention + _experts(model, rules)
    largest = max(dense if model.dense_count else 0.0, moe if model.moe_count else 0.0)
    inputs = 2 * model.hidden / rules.ranks
    if again:
        products = [(1 - share) * each for each in _outputs(model, rules)] if share else [0.0, 0.0]
        dense, moe = inputs + products[0], inputs + products[1]
    offloaded = parallel.offload / (model.layers + model.predicted_tokens)
    dense, moe = (1 - offloaded) * dense, (1 - offloaded) * moe
    whole = largest - inputs if again else largest if offloaded else 0.0
    logits = 4 * model.hidden / rules.ranks + framework.logit_bytes * model.vocabulary / parallel.tp
    return Kept(tokens * dense, tokens * moe, tokens * whole, tokens * logits)


def _outputs(model: Model, rules: _Rules) -> tuple[float, float]:
    """Return the bytes of a token in the outputs of matrix products, of a dense layer and of one with experts."""
    tp, inputs, hidden = rules.parallel.tp, 2 if model.gated else 1, model.hidden / rules.ranks
    attention = model.head_dim * (2 * model.heads / tp + 2 * max(model.kv_heads / tp, 1)) + hidden
    dense = inputs * model.ffn / tp + hidden
    shared = inputs * model.shared_experts * model.expert_ffn / tp + hidden
    moe = shared + model.top_k * (inputs * model.expert_ffn / rules.ranks + hidden)
    return 2 * (attention + dense), 2 * (attention + moe)


@dataclass(frozen=True)
class _Rules:
    """How a value is kept."""

    parallel: Parallel
    stored: float
    """The bytes of an input of a matrix product."""
    activated: float = 2
    """The bytes of an input of an expert's activation function."""

    @property
    def ranks(self) -> int:
        """The ranks among which values between the matrices are divided."""
        return self.parallel.tp if self.parallel.sequence_parallel else 1

    @property
    def cheap(self) -> float:
        """The bytes of an input of a matrix product that a norm or an activation function makes: 0 if it does again."""
        return 0.0 if self.parallel.recompute == "modules" else self.stored


def _attention(model: Model, rules: _Rules) -> float:
    """Return the bytes of a token in attention: its norm's input and output, keys, queries, values and the output."""
    tp, latent = rules.parallel.tp, model.latent
    value = latent.value if latent else model.head_dim
    key = model.head_dim + (latent.rope if latent else 0)
    own = 2 * (model.heads / tp * key + max(model.kv_heads / tp, 1) * (key + value))
    small = 0.0
    if latent:
        small = 2 * rules.stored * (latent.q_rank + latent.kv_rank) / rules.ranks
        own = 0.0 if rules.parallel.recompute == "modules" else own
    output = model.heads / tp * value * (2 if rules.stored == 2 else 2 + rules.stored)
    return (2 + rules.cheap) * model.hidden / rules.ranks + own + small + output


def _feed_forward(hidden: int, inner: int, gated: bool, rules: _Rules) -> float:
    """Return the bytes of a token in a dense part: its norm's input and output, the activation's input and output."""
    return (2 + rules.cheap) * hidden / rules.ranks + ((4 if gated else 2) + rules.cheap) * inner / rules.parallel.tp


def _experts(model: Model, rules: _Rules) -> float:
    """Return the bytes of a token in a layer with experts, as many of which a GPU receives as it sends.

    An expert's output is not kept: it is weighted where the activation function is.
    """
    if not model.experts:
        return 0.0
    received = rules.stored * model.hidden * rules.parallel.etp / rules.ranks
    inner = ((2 if model.gated else 1) * rules.activated + rules.cheap) * model.expert_ffn / rules.ranks
    shared = _feed_forward(model.hidden, model.shared_experts * model.expert_ffn, model.gated, rules)
    return shared + model.top_k * (received + inner)


def most_in_flight(parallel: Parallel, micro_batches: int, rank: int) -> float:
    """Return the most micro-batches whose activations a rank of the pipeline holds, in those of its whole part.

    1F1B arXiv:2104.04473, section 2.2; interleaved its warm-up and one more, 2 (pp - rank - 1) + (vp - 1) pp + 1 of its
    vp parts; zero-bubble (ZB-H1) on every rank as 1F1B on the first, until the gradients of weights are computed
    (arXiv:2401.10241, section 3.1); DualPipe arXiv:2412.19437, table 2.
    """
    if parallel.pp == 1:
        return 1.0
    if parallel.schedule == "dualpipe":
        return float(min(micro_batches, parallel.pp + 1))
    if parallel.schedule == "interleaved" and parallel.vp > 1:
        parts = 2 * (parallel.pp - rank - 1) + (parallel.vp - 1) * parallel.pp + 1
        return min(parts, micro_batches * parallel.vp) / parallel.vp
    return float(min(micro_batches, parallel.pp if parallel.schedule == "zero-bubble" else parallel.pp - rank))
