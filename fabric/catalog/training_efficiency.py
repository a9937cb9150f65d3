"""How fast the kernels of training run, and what the software of training overlaps: constants, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric.frozen import freeze

__all__ = ["KernelClass", "Software", "TrainingEfficiency"]


@dataclass(frozen=True)
class KernelClass:
    """Kernels of one kind of software, set apart by the software and what it recomputes, before anything was fitted."""

    name: str
    """Its name in the catalogue."""
    title: str
    """What belongs to it, in words."""
    share: float
    """The share of the usual speed at which its kernels run (fitted)."""
    passes: float
    """The memory traffic of its elementwise kernels, over that of the fewest kernels that do the work."""


@dataclass(frozen=True)
class Software:
    """A training framework: its kernels, and the messages that it sends while it computes."""

    name: str
    """Its name in the catalogue."""
    title: str
    """The framework, and its time."""
    kernel_classes: Mapping[str, str]
    """Its kernel class by what is recomputed: `none`, `selective` (and `modules`) or `full`."""
    attention: str | None
    """Its fused attention, a key of `TrainingEfficiency.attention`; None where scores go through memory."""
    gradient_bytes: int
    """The bytes of a gradient that data-parallel ranks reduce."""
    overlaps_tp: bool = False
    """Whether tensor-parallel messages run beside the matrix products that they belong to, piece by piece."""
    overlaps_pp: bool = False
    """Whether a rank computes while its activations are sent to the next stage."""
    overlaps_dp: bool = False
    """Whether gradients are reduced, and weights gathered, bucket by bucket beside the passes."""
    joins_layers: str | None = None
    """What the data-parallel messages of layers are joined to: `buckets`, as Megatron-Core has them by default, or one
    of a whole virtual stage, `chunk`; None where each layer is sent alone."""
    overlaps_ep: bool = False
    """Whether the messages of experts run beside another micro-batch's computation."""
    balances_context: bool = True
    """Whether context-parallel ranks have as much of causal attention each; otherwise the last one looks at all."""
    waits_for_counts: bool = True
    """Whether the host waits in each layer for the counts of experts' tokens, as it does without CUDA graphs."""
    joins_copies: bool = False
    """Whether a token goes once to a GPU that has several of its experts."""
    dispatch_bytes: int = 2
    """The bytes of an element of a token on its way to experts."""
    accumulates: bool = True
    """Whether it adds up the gradients of micro-batches; otherwise it has as many as the pipeline has stages."""
    keeps_narrow: bool = False
    """Whether inputs of experts' activation functions are kept in the precision of matrix products."""
    reserved_multiprocessors: int = 0
    """The multiprocessors of each GPU that send messages and compute nothing."""
    logit_bytes: int = 8
    """The bytes of memory that a logit takes: itself and its gradient in 16 bits, and in 32 its softmax; less where the
    loss is fused, or the gradient takes the place of the logit, and more where copies are made."""
    recomputes_products: float = 0.0
    """The share of matrix products that `selective` recomputation computes again; 0 where it is attention's scores."""
    source: str = ""
    """Where these facts come from."""

    def __post_init__(self) -> None:
        freeze(self)

    def kernel_class(self, recompute: str) -> str:
        """Return the name of its kernel class with what is recomputed, one of RECOMPUTES."""
        return self.kernel_classes["selective" if recompute == "modules" else recompute]


@dataclass(frozen=True)
class TrainingEfficiency:
    """The constants of the time of kernels, with their sources in `data/training_efficiency.yaml`."""

    matmul: Mapping[str, Mapping[str, float]]
    """The share of peak that large matrix products reach, by accelerator and precision."""
    clock: Mapping[str, float]
    """The clock of an accelerator over that of the others of its row in `matmul`, where its power is limited."""
    attention: Mapping[str, Mapping[str, float]]
    """The share of the 16-bit peak that fused attention reaches with very large heads, by kind and generation."""
    attention_backward: float
    """How many times its forward pass' speed the backward pass of attention runs at."""
    head_dim: float
    """The head size at which attention reaches half of that share, since exponentials cost the same for any size."""
    inner: float
    """The inner dimension of a matrix product that costs as much as its prologue and epilogue."""
    tile: int
    """The elements of an output tile, one per multiprocessor at a time."""
    multiprocessors: Mapping[str, int]
    """The multiprocessors of a GPU, by generation."""
    memory: float
    """The share of its memory's bandwidth that elementwise kernels reach."""
    launch_us: float
    """The microseconds between two kernels."""
    spread: float
    """The standard deviation of the clock between GPUs of one model under load, over its mean (fitted)."""
    occupied: float
    """The share of a GPU's multiprocessors that messages between GPUs occupy while computation goes on."""
    routing: float
    """The memory traffic of sorting tokens by expert and back, over that of the fewest kernels (fitted)."""
    biased_routing: float
    """How many times that where experts have biases, which are added to each expert's tokens apart (fitted)."""
    dispatch_us: float
    """The microseconds in which a GPU waits for the counts of its experts' tokens, in each pass of a layer (fitted)."""
    errors: Mapping[str, float]
    """The error to expect of a step of a `dense` model and of one with `experts`: the share e such that nine of ten
    published runs took from 1/(1+e) to 1+e times as long as constants say that were fitted without their series."""
    kernel_classes: Mapping[str, KernelClass]
    """The kernel classes by name."""
    software: Mapping[str, Software]
    """The frameworks by name."""

    def __post_init__(self) -> None:
        freeze(self)
