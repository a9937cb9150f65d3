"""How long a GPU computes for a micro-batch: the passes of its layers, by part.

Every part is written as the kernels that it consists of, with their shapes, so a model or a layout that was never
measured has a time of its own. The gradients of inputs and of weights are apart, since schedules move them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fabric.catalog import Model
from fabric.frozen import freeze
from fabric.request.parallel import Parallel
from fabric.training.kernels import WIDE_BYTES, Kernels
from fabric.training.operations import mean_context
from fabric.training.stages import Stage

__all__ = ["PARTS", "LayerTimes", "part_times", "stage_times", "update_s"]

PARTS = ("projections", "attention", "feed-forward", "experts", "routing", "elementwise", "logits")
"""The parts of a micro-batch's computation. Tokens are routed, and sorted by expert, in `routing`."""

UPDATE_BYTES = 2 * 4 + 2 * 3 * 4 + 2
"""The bytes that Adam moves for a weight: the gradient in 32 bits read twice, first for the norm of all; the weight and
two moments in 32 bits read and written; and the weight in 16 bits written."""

LOSS_BYTES = (2 + 4) + 4, (4 + 4) + (4 + 2)
"""The bytes that the loss moves for a logit, forward and backward: it is converted from 16 to 32 bits and read by the
loss; read again for its gradient, which is written in 32 bits and converted to 16."""


@dataclass(frozen=True)
class LayerTimes:
    """The seconds in which a GPU computes a micro-batch's passes, by part, one of PARTS."""

    forward_s: Mapping[str, float]
    """The forward pass."""
    backward_s: Mapping[str, float]
    """The gradients of inputs."""
    weight_s: Mapping[str, float]
    """The gradients of weights."""
    recompute_s: Mapping[str, float]
    """What the backward pass computes again of the forward pass."""

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def passes(self) -> tuple[Mapping[str, float], ...]:
        """The four of them."""
        return self.forward_s, self.backward_s, self.weight_s, self.recompute_s

    @property
    def total_s(self) -> float:
        """All passes."""
        return sum(sum(each.values()) for each in self.passes)


@dataclass(frozen=True)
class _Part:
    """The passes of one part of a layer, in seconds."""

    name: str
    forward_s: float
    backward_s: float
    weight_s: float = 0.0
    cheap: bool = False
    """Whether it is computed again where that is asked of what costs little to compute and much to keep."""


@dataclass(frozen=True)
class _Layer:
    """What the kernels of a layer depend on."""

    kernels: Kernels
    model: Model
    parallel: Parallel

    @property
    def tokens(self) -> float:
        """The tokens of a micro-batch on a GPU, of its part of the context."""
        return self.parallel.micro_batch * self.model.sequence / self.parallel.cp

    @property
    def spread(self) -> int:
        """The GPUs among which what stands between matrix products is divided."""
        return self.parallel.tp if self.parallel.sequence_parallel else 1

    def product(
        self, name: str, tokens: float, columns: float, inner: float, *, count: float = 1, wide: bool = False
    ) -> _Part:
        """Return the products of `count` matrices of inner x columns with the activations of `tokens` tokens each."""
        price = self.kernels.product_s
        quantize = 0.0 if wide else self.kernels.quantize_s(count * tokens * inner)
        quantize_gradient = 0.0 if wide else self.kernels.quantize_s(count * tokens * columns)
        return _Part(
            name,
            price(tokens, columns, inner, count=count, wide=wide) + quantize,
            price(tokens, inner, columns, count=count, wide=wide) + quantize_gradient,
            price(columns, inner, tokens, count=count, wide=wide, adds=True),
        )

    def traffic(self, name: str, moved_bytes: float, kernels: int) -> _Part:
        """Return elementwise kernels; their backward pass reads the gradients beside what the forward pass reads."""
        forward = self.kernels.traffic_s(moved_bytes, kernels)
        return _Part(name, forward, 2 * forward)


def part_times(kernels: Kernels, model: Model, parallel: Parallel) -> Mapping[str, LayerTimes]:
    """Return the seconds in which a GPU computes a micro-batch of `parallel.micro_batch` sequences, by part of a model.

    The parts are a `dense` layer, a layer with experts (`moe`), one that predicts a further token, with its loss
    (`predicted`), and the output embedding with the loss (`logits`); what the model lacks takes no time. Messages are
    not in it. The precision of `kernels` is that of the layers' matrix products; attention and logits run in 16 bits.
    """
    layer = _Layer(kernels, model, parallel)
    dense = _attention(layer) + _feed_forward(layer) if model.dense_count else []
    moe = _attention(layer) + _experts(layer) if model.experts else []
    joined = layer.product("projections", layer.tokens, model.hidden / parallel.tp, 2 * model.hidden)
    logits = [(part, 0.0) for part in _logits(layer)]
    kinds = {"dense": dense, "moe": moe, "predicted": [*(moe or dense), joined]}
    saved = kernels.software.recomputes_products
    layers = {
        kind: [(part, _recomputed(part, parallel.recompute, saved)) for part in parts] for kind, parts in kinds.items()
    }
    layers["predicted"] += logits
    return {kind: _sum_parts(parts) for kind, parts in {**layers, "logits": logits}.items()}


def stage_times(stage: Stage, parts: Mapping[str, LayerTimes]) -> LayerTimes:
    """Return the seconds in which a GPU of a stage computes a micro-batch, from `part_times`."""
    passes: tuple[dict[str, float], ...] = ({}, {}, {}, {})
    for kind, times in parts.items():
        if count := stage.count(kind):
            for total, each in zip(passes, times.passes, strict=True):
                for part, seconds in each.items():
                    total[part] = total.get(part, 0.0) + count * seconds
    return LayerTimes(*passes)


def update_s(kernels: Kernels, parameters: float) -> float:
    """Return the seconds in which a GPU updates `parameters` weights, of which it has the optimizer's states."""
    return kernels.traffic_s(UPDATE_BYTES * parameters, 10)


def _recomputed(part: _Part, recompute: str, products: float) -> float:
    """Return the seconds that the backward pass spends on computing a part of a layer again.

    `selective` recomputes attention's scores (arXiv:2205.05198, section 5), which fused attention does anyway, or in
    software that saves a share of matrix products the others and all elementwise kernels. `modules` recomputes
    elementwise kernels and the up-projections of latent attention (arXiv:2412.19437, section 3.2.3).
    """
    if recompute == "full":
        return part.forward_s
    if recompute == "modules":
        return part.forward_s if part.cheap or part.name == "elementwise" else 0.0
    if recompute == "selective":
        if products:
            return part.forward_s * {"attention": 0.0, "elementwise": 1.0}.get(part.name, products)
        return part.forward_s if part.name == "attention" else 0.0
    return 0.0


def _sum_parts(found: Iterable[tuple[_Part, float]]) -> LayerTimes:
    """Return the sums of passes by the names of parts, each with the seconds of what is computed again."""
    passes: tuple[dict[str, float], ...] = ({}, {}, {}, {})
    for part, again in found:
        for total, seconds in zip(passes, (part.forward_s, part.backward_s, part.weight_s, again), strict=True):
            total[part.name] = total.get(part.name, 0.0) + seconds
    return LayerTimes(*passes)


def _attention(layer: _Layer) -> list[_Part]:
    """Return the parts of a layer's attention, with the norm before it and the addition after it."""
    model, tp, tokens = layer.model, layer.parallel.tp, layer.tokens
    queries = model.heads * model.head_dim / tp
    if model.latent:
        latent = model.latent
        keys, values = model.head_dim + latent.rope, latent.value
        products = [
            layer.product("projections", tokens, latent.q_rank, model.hidden),
            replace(layer.product("projections", tokens, model.heads * keys / tp, latent.q_rank), cheap=True),
            layer.product("projections", tokens, latent.kv_rank + latent.rope, model.hidden),
            replace(
                layer.product("projections", tokens, model.heads * (model.head_dim + values) / tp, latent.kv_rank),
                cheap=True,
            ),
            layer.product("projections", tokens, model.hidden, model.heads * values / tp),
        ]
        queries = model.heads * (2 * keys + values) / tp / 3
    else:
        keys = values = model.head_dim
        wide = queries + 2 * max(model.kv_heads / tp, 1) * model.head_dim
        products = [
            layer.product("projections", tokens, wide, model.hidden),
            layer.product("projections", tokens, model.hidden, queries),
        ]
    # The norm and the addition before it read and write two hidden states; rotary positions queries, keys and values.
    moved = 8 * tokens * model.hidden / layer.spread + 6 * tokens * queries
    return [*products, _scores(layer, keys, values), layer.traffic("elementwise", moved, 5)]


def _scores(layer: _Layer, keys: float, values: float) -> _Part:
    """Return attention between the projections, with its layers' average where every other one has a window."""
    kernels, model, sequence = layer.kernels, layer.model, layer.model.sequence
    pairs = layer.tokens * model.heads / layer.parallel.tp
    if kernels.software.attention is None:
        return _unfused_scores(layer, pairs * sequence, keys, values)
    seen = mean_context(model, sequence, causal=True)
    if layer.parallel.cp > 1 and not kernels.software.balances_context:
        # The rank with the end of the sequence, for which the others wait, looks at all tokens before its own.
        seen *= 2 - 1 / layer.parallel.cp
    flops = 2 * pairs * seen * (keys + values)
    forward = kernels.attention_s(flops, (keys + values) / 2)
    # Five matrix products instead of two, one of which computes the scores again: what is recomputed without `full`.
    return _Part("attention", forward, kernels.attention_s(2.5 * flops, (keys + values) / 2, backward=True))


def _unfused_scores(layer: _Layer, scores: float, keys: float, values: float) -> _Part:
    """Return attention as products of matrices, all scores of which go through memory.

    Beside the products, which write and read scores themselves, the forward pass reads and writes them for the softmax
    and for dropout, which also writes a mask of a byte: 9 bytes a score. The backward pass reads a gradient and the
    mask and writes a gradient for dropout, and reads a gradient and the probabilities and writes a gradient for the
    softmax: 11 bytes (the tensors of arXiv:2205.05198, section 4.1).
    """
    kernels, heads = layer.kernels, layer.model.heads * layer.parallel.micro_batch / layer.parallel.tp
    tokens = layer.tokens / layer.parallel.micro_batch
    one = kernels.product_s(tokens, layer.model.sequence, keys, count=heads, wide=True)
    other = kernels.product_s(tokens, values, layer.model.sequence, count=heads, wide=True)
    forward = one + other + kernels.traffic_s(9 * scores, 3)
    return _Part("attention", forward, 2 * (one + other) + kernels.traffic_s(11 * scores, 4))


def _feed_forward(layer: _Layer) -> list[_Part]:
    """Return the parts of a dense feed-forward layer, with the norm before it and the addition after it."""
    model, tp, tokens = layer.model, layer.parallel.tp, layer.tokens
    inputs = 2 if model.gated else 1
    # The activation reads its inputs and writes its output.
    moved = 8 * tokens * model.hidden / layer.spread + WIDE_BYTES * (inputs + 1) * tokens * model.ffn / tp
    return [
        layer.product("feed-forward", tokens, inputs * model.ffn / tp, model.hidden),
        layer.product("feed-forward", tokens, model.hidden, model.ffn / tp),
        layer.traffic("elementwise", moved, 4),
    ]


def _experts(layer: _Layer) -> list[_Part]:
    """Return the parts of a layer with experts, with the norm before it and the addition after it.

    Tokens are spread evenly over the experts. A GPU has 1/ep of them, whole or 1/etp of each. Each tensor-parallel rank
    sends its own part of the tokens, and has those of all ranks with which it divides experts.
    """
    model, parallel = layer.model, layer.parallel
    own = layer.tokens * parallel.etp / parallel.tp
    sent, width, local = own * model.top_k, model.expert_ffn / parallel.etp, model.experts / parallel.ep
    inputs = 2 if model.gated else 1
    parts = [
        layer.product("experts", sent / local, inputs * width, model.hidden, count=local),
        layer.product("experts", sent / local, model.hidden, width, count=local),
    ]
    if model.shared_experts:
        shared = model.shared_experts * model.expert_ffn / parallel.tp
        parts += [
            layer.product("experts", layer.tokens, inputs * shared, model.hidden),
            layer.product("experts", layer.tokens, model.hidden, shared),
        ]
    moved = 8 * layer.tokens * model.hidden / layer.spread + WIDE_BYTES * (inputs + 1) * sent * width
    return [*parts, _routing(layer, own, sent), layer.traffic("elementwise", moved, 4)]


def _routing(layer: _Layer, own: float, sent: float) -> _Part:
    """Return what sends tokens to experts and back costs a GPU besides the messages themselves.

    A token is copied for each of its experts, sorted where it arrives, sorted back, and its copies are added.
    """
    model, constants = layer.model, layer.kernels.constants
    passes = constants.routing * (constants.biased_routing if model.expert_bias else 1.0)
    moved = passes * 10 * sent * model.hidden + own * (4 * model.hidden + 16 * model.experts)
    wait = 1e-6 * constants.dispatch_us if layer.kernels.software.waits_for_counts else 0.0
    found = layer.traffic("routing", moved, 20)
    return _Part("routing", found.forward_s + wait, found.backward_s + wait)


def _logits(layer: _Layer) -> list[_Part]:
    """Return the logits and their loss, in 16 bits with a loss in 32."""
    model, tokens, own = layer.model, layer.tokens, layer.model.vocabulary / layer.parallel.tp
    forward, backward = (layer.kernels.traffic_s(each * tokens * own, 6) for each in LOSS_BYTES)
    return [layer.product("logits", tokens, own, model.hidden, wide=True), _Part("logits", forward, backward)]
