"""How long a rank is busy with a micro-batch in each part of a model: what it computes, and what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric.catalog import Software
from fabric.request.parallel import Parallel
from fabric.training.chunk import Chunk, MessageTimes
from fabric.training.overlap import beside_computation, contend, expose_pieces, expose_ring, stretch

__all__ = ["PRODUCTS", "Overlap", "Passes", "passes_of", "sent_beside"]

PRODUCTS = ("projections", "feed-forward", "experts", "logits")
"""The parts of the computation that are matrix products with weights."""


@dataclass(frozen=True)
class Passes:
    """The seconds of one micro-batch in a part of a model."""

    forward_s: float
    """The forward pass, with what it waits for."""
    backward_s: float
    """The gradients of inputs, with what is computed again and what they wait for."""
    weight_s: float
    """The gradients of weights."""
    joint_saved_s: float
    """What is saved where a forward and a backward pass run together and hide the messages of experts."""
    forward_waits_s: float
    """How much of the forward pass is messages that it waits for, or that slow it down."""
    backward_waits_s: float
    """The same of the backward pass, its gradients of weights included."""
    forward_duty: float
    """The share of the forward pass in which messages of experts or of a ring are sent."""
    backward_duty: float
    """The same of the backward pass."""


@dataclass(frozen=True)
class Overlap:
    """Which messages run beside computation."""

    software: Software
    """The training framework, which says which."""
    parallel: Parallel
    """How the model is divided."""
    occupied: float
    """The share of the multiprocessors that messages occupy meanwhile."""

    def tensor(self, sent: float, products: float) -> float:
        """Return by how much tensor-parallel messages prolong a pass."""
        exposed = expose_pieces(sent, products, self.parallel.tp) if self.software.overlaps_tp else sent
        return beside_computation(sent, exposed, self.occupied)

    def ring(self, sent: float, attention: float) -> float:
        """Return by how much keys and values on their way around the ring prolong a pass."""
        return beside_computation(sent, expose_ring(sent, attention, self.parallel.cp), self.occupied)

    def layers(self, sent: float, computed: float, layers: int) -> float:
        """Return by how much weights and gradients that are sent layer by layer prolong a pass."""
        exposed = expose_pieces(sent, computed, max(layers, 1)) if self.software.overlaps_dp else sent
        return beside_computation(sent, exposed, self.occupied)

    @property
    def joint(self) -> bool:
        """Whether the schedule has slots in which a forward and a backward pass run together."""
        return self.parallel.schedule == "dualpipe"

    def experts(self, sent: float, computed: float) -> float:
        """Return by how much messages of experts prolong a pass that has no slot with another one.

        Software that overlaps them computes another micro-batch meanwhile, whose pass they run beside.
        """
        if self.joint or not self.software.overlaps_ep:
            return sent
        return beside_computation(sent, max(0.0, sent - computed), self.occupied)

    def experts_saved(self, sent: float, computed: float) -> float:
        """Return what is saved where a forward and a backward pass hide each other's messages of experts."""
        hidden = min(sent, computed) if self.joint and self.software.overlaps_ep else 0.0
        return hidden * (1 - self.occupied)


def passes_of(chunk: Chunk, overlap: Overlap, times: MessageTimes) -> Passes:
    """Return how long a rank is busy with a micro-batch in a part of the model."""
    compute = chunk.compute
    weight = _total(compute.weight_s)
    beside = sum(
        count * call.backward * times.seconds(call.message) for count, call in chunk.of("TP") if call.beside
    )  # fmt: skip
    gathered = beside_computation(beside, max(0.0, beside - _products(compute.weight_s)), overlap.occupied)
    forward = _pass(chunk, compute.forward_s, overlap, times, backward=False)
    backward = _pass(chunk, compute.backward_s, overlap, times, backward=True) + _total(compute.recompute_s) + gathered
    shared = [
        chunk.sent_s("EP", times, backward=way) + chunk.sent_s("CP", times, backward=way) for way in (False, True)
    ]
    duties = _share(shared[0], forward), _share(shared[1], backward + weight)
    # Sharded weights are gathered, and gradients reduced, beside all else that layers do.
    forward += _layer_by_layer(chunk, overlap, times, forward, duties[0], backward=False)
    backward += _layer_by_layer(chunk, overlap, times, backward + weight, duties[1], backward=True)
    experts = sum(chunk.sent_s("EP", times, backward=way) for way in (False, True))
    return Passes(
        forward, backward, weight, overlap.experts_saved(experts, compute.total_s),
        forward - _total(compute.forward_s),
        backward - _total(compute.backward_s) - _total(compute.recompute_s),
        *duties,
    )  # fmt: skip


def _pass(
    chunk: Chunk, compute: Mapping[str, float], overlap: Overlap, times: MessageTimes, *, backward: bool
) -> float:  # fmt: skip
    """Return the seconds of a pass with what it waits for, without messages of data-parallel ranks."""
    tensor, ring, experts = (chunk.sent_s(cause, times, backward=backward) for cause in ("TP", "CP", "EP"))
    waits = overlap.tensor(tensor, _products(compute)) + overlap.ring(ring, compute.get("attention", 0.0))
    return _total(compute) + waits + overlap.experts(experts, _total(compute))


def _layer_by_layer(
    chunk: Chunk, overlap: Overlap, times: MessageTimes, computed: float, duty: float, *, backward: bool
) -> float:
    """Return by how much the data-parallel messages of a micro-batch prolong a pass, and the others' beside them."""
    if not overlap.software.overlaps_dp:
        return chunk.sent_s("DP", times, backward=backward)
    sent, slower = sent_beside(chunk, times, duty, "micro-batch", backward=backward)
    return overlap.layers(sent, computed, chunk.stage.layers) + slower * min(sent, computed)


def sent_beside(
    chunk: Chunk, times: MessageTimes, duty: float, each: str, *, backward: bool
) -> tuple[float, float]:  # fmt: skip
    """Return the seconds of a part's data-parallel messages, and the share of these by which they prolong its pass.

    A share `duty` of the pass it sends messages of experts or of a ring. Where they use the same links, both take
    longer. `each` says of what, a `micro-batch` or a `step`.
    """
    sent = chunk.messages("DP", times, each, backward=backward)
    others = chunk.messages("EP", times, backward=backward) | chunk.messages("CP", times, backward=backward)
    if not duty or not any(sent.values()) or not any(others.values()):
        return sum(sent.values()), 0.0
    other, most = (max(found, key=lambda message: found[message]) for found in (others, sent))
    slowed = times.beside(other, most)
    duty = stretch(duty, slowed)
    taken = sum(contend(alone, times.beside(message, other), duty) for message, alone in sent.items() if alone)
    return taken, duty * (1 - 1 / slowed)


def _share(sent: float, total: float) -> float:
    return min(1.0, sent / total) if total else 0.0


def _total(parts: Mapping[str, float]) -> float:
    return sum(parts.values())


def _products(parts: Mapping[str, float]) -> float:
    return sum(parts.get(name, 0.0) for name in PRODUCTS)
