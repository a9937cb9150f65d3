"""How long a rank is busy with a micro-batch in each part of a model: what it computes, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from fabric.catalog import Software
from fabric.request.parallel import Parallel
from fabric.training.compute import LayerTimes
from fabric.training.message import Message
from fabric.training.messages import Call
from fabric.training.overlap import beside_computation, expose_layers, expose_pieces, expose_ring
from fabric.training.stages import Stage

__all__ = ["PRODUCTS", "Chunk", "Overlap", "Passes", "Seconds", "passes_of"]

Seconds = Callable[[Message], float]
"""Returns the seconds of one call of a message."""

PRODUCTS = ("projections", "feed-forward", "experts", "logits")
"""The parts of the computation that are matrix products with weights."""


@dataclass(frozen=True)
class Chunk:
    """A part of a model that a rank has: one of its virtual stages."""

    stage: Stage
    """What it has of the model."""
    compute: LayerTimes
    """The seconds of its computation for a micro-batch."""
    calls: tuple[Call, ...]
    """What ranks send for it."""

    def count(self, part: str) -> int:
        """Return how many of a part that sends messages it has."""
        return int(getattr(self.stage, part, 0))

    def of(self, cause: str, each: str = "micro-batch") -> Iterator[tuple[int, Call]]:
        """Yield its calls of a cause, each with the number of its parts that send it."""
        for call in self.calls:
            if call.message.cause == cause and call.each == each and (count := self.count(call.part)):
                yield count, call

    def sent_s(self, cause: str, seconds: Seconds, *, backward: bool, each: str = "micro-batch") -> float:
        """Return the seconds of the messages of a cause in a pass, one after another."""
        return sum(
            count * (call.backward if backward else call.forward) * seconds(call.message)
            for count, call in self.of(cause, each)
            if not call.beside
        )


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
        exposed = expose_layers(sent, computed, layers) if self.software.overlaps_dp else sent
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


def passes_of(chunk: Chunk, overlap: Overlap, seconds: Seconds) -> Passes:
    """Return how long a rank is busy with a micro-batch in a part of the model, with messages as `seconds` says."""
    compute = chunk.compute
    weight = _total(compute.weight_s)
    forward = _pass(chunk, compute.forward_s, overlap, seconds, backward=False)
    beside = sum(
        count * call.backward * seconds(call.message) for count, call in chunk.of("TP") if call.beside
    )  # fmt: skip
    gathered = beside_computation(beside, max(0.0, beside - _products(compute.weight_s)), overlap.occupied)
    backward = (
        _pass(chunk, compute.backward_s, overlap, seconds, backward=True) + _total(compute.recompute_s) + gathered
    )
    # Sharded weights are gathered, and gradients reduced, beside all else that layers do.
    forward += overlap.layers(chunk.sent_s("DP", seconds, backward=False), forward, chunk.stage.layers)
    backward += overlap.layers(chunk.sent_s("DP", seconds, backward=True), backward + weight, chunk.stage.layers)
    experts = [chunk.sent_s("EP", seconds, backward=each) for each in (False, True)]
    rings = [chunk.sent_s("CP", seconds, backward=each) for each in (False, True)]
    return Passes(
        forward, backward, weight, overlap.experts_saved(sum(experts), compute.total_s),
        forward - _total(compute.forward_s),
        backward - _total(compute.backward_s) - _total(compute.recompute_s),
        _share(experts[0] + rings[0], forward), _share(experts[1] + rings[1], backward + weight),
    )  # fmt: skip


def _pass(
    chunk: Chunk, compute: Mapping[str, float], overlap: Overlap, seconds: Seconds, *, backward: bool
) -> float:  # fmt: skip
    """Return the seconds of a pass with what it waits for, without messages of data-parallel ranks."""
    tensor, ring, experts = (chunk.sent_s(cause, seconds, backward=backward) for cause in ("TP", "CP", "EP"))
    waits = overlap.tensor(tensor, _products(compute)) + overlap.ring(ring, compute.get("attention", 0.0))
    return _total(compute) + waits + overlap.experts(experts, _total(compute))


def _share(sent: float, total: float) -> float:
    return min(1.0, sent / total) if total else 0.0


def _total(parts: Mapping[str, float]) -> float:
    return sum(parts.values())


def _products(parts: Mapping[str, float]) -> float:
    return sum(parts.get(name, 0.0) for name in PRODUCTS)
