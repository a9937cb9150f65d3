"""How long the kernels of training take on an accelerator: matrix products, attention, and what memory limits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

from fabric.catalog import PRECISIONS, Accelerator, KernelClass, Software, TrainingEfficiency, training_efficiency
from fabric.errors import InputError
from fabric.request.parallel import Parallel

__all__ = ["WIDE_BYTES", "Kernels", "kernels_of"]

_WIDE = "bf16"
"""The precision of attention and logits whatever that of the layers' matrix products is."""

WIDE_BYTES = PRECISIONS[_WIDE]
"""The bytes of a value between matrix products."""


@dataclass(frozen=True)
class Kernels:
    """The kernels of one run: their accelerator, their precision and their constants."""

    constants: TrainingEfficiency
    """The constants of all kernels."""
    kind: KernelClass
    """The class of the run's kernels."""
    accelerator: Accelerator
    """The GPU that they run on."""
    precision: str
    """The precision of the layers' matrix products, one of PRECISIONS."""
    software: Software
    """The framework that runs them."""
    gpus: int = 1
    """The GPUs of the run, of which all wait for the slowest."""

    @property
    def narrow(self) -> bool:
        """Whether the layers' matrix products have less than 16 bits, so that what they read is quantized first."""
        return PRECISIONS[self.precision] < WIDE_BYTES

    @property
    def bytes_per_s(self) -> float:
        """The memory bandwidth that elementwise kernels reach."""
        return self.constants.memory * 1e9 * (self.accelerator.hbm_GBps or 0.0)

    @property
    def occupied(self) -> float:
        """The share of the multiprocessors that messages take from computation beside them.

        Software that reserves some for them leaves these out of computation all the time.
        """
        return 0.0 if self.software.reserved_multiprocessors else self.constants.occupied

    def product_s(
        self, rows: float, columns: float, inner: float, *, count: float = 1, wide: bool = False, adds: bool = False
    ) -> float:
        """Return the seconds of `count` matrix products of rows x inner by inner x columns.

        Tiles of the output occupy a multiprocessor each; the last wave of them is half full on average, and a tile has
        a prologue and an epilogue as long as `inner` more multiplications. What memory has to deliver is a lower limit.
        With `wide` they are in 16 bits whatever the precision is; with `adds` the result is added to what is in memory.
        """
        constants, precision = self.constants, _WIDE if wide else self.precision
        share = constants.matmul[self.accelerator.name][precision] * self.speed
        peak = 1e12 * self.accelerator.peak_tflops[precision]
        tiles = max(count * rows * columns / constants.tile, 1.0)
        waves = 1 + self.multiprocessors / (2 * tiles)
        compute = 2 * count * rows * columns * (inner + constants.inner) * waves / (peak * share)
        element = PRECISIONS[precision]
        written = 2 * self.software.gradient_bytes if adds else WIDE_BYTES
        moved = count * (element * inner * (rows + columns) + written * rows * columns)
        return max(compute, moved / self.bytes_per_s) + self.launch_s

    def traffic_s(self, moved_bytes: float, kernels: float = 1) -> float:
        """Return the seconds of elementwise kernels that would move these bytes if written with the fewest passes."""
        return self.kind.passes * moved_bytes / self.bytes_per_s + kernels * self.launch_s

    def quantize_s(self, elements: float) -> float:
        """Return the seconds in which what products read is quantized, once for each direction that it is read in."""
        if not self.narrow:
            return 0.0
        return elements * (WIDE_BYTES + 2 * PRECISIONS[self.precision]) / self.bytes_per_s

    def attention_s(self, flops: float, head_dim: float, *, backward: bool = False) -> float:
        """Return the seconds of fused attention, in 16 bits, by its operations on the tokens that it looks at."""
        constants, generation = self.constants, self.accelerator.generation
        share = constants.attention[self.software.attention or ""][generation] * self.speed
        share *= head_dim / (head_dim + constants.head_dim)
        share *= constants.attention_backward if backward else 1.0
        return flops / (1e12 * self.accelerator.peak_tflops[_WIDE] * share) + self.launch_s

    @property
    def multiprocessors(self) -> int:
        """The multiprocessors of the GPU."""
        return self.constants.multiprocessors[self.accelerator.generation]

    @cached_property
    def speed(self) -> float:
        """The speed of computing over that of the usual software on the same chip with its usual power."""
        free = 1 - self.software.reserved_multiprocessors / self.multiprocessors
        return self.kind.share * self.constants.clock.get(self.accelerator.name, 1.0) * free * self.slowest

    @property
    def slowest(self) -> float:
        """The clock of the slowest of the run's GPUs over their mean, of clocks that are normally distributed.

        The expected smallest of n is that of Blom (1958): the quantile at (n - 3/8) / (n + 1/4), with its sign changed.
        """
        return 1 - self.constants.spread * NormalDist().inv_cdf((self.gpus - 0.375) / (self.gpus + 0.25))

    @property
    def launch_s(self) -> float:
        """The seconds between two kernels."""
        return 1e-6 * self.constants.launch_us


def kernels_of(
    accelerator: Accelerator,
    precision: str,
    software: str,
    parallel: Parallel,
    constants: TrainingEfficiency | None = None,
) -> Kernels:
    """Return the kernels of a run divided so. Raises InputError where none of that kind was measured."""
    found = training_efficiency() if constants is None else constants
    if accelerator.name not in found.matmul:
        known = ", ".join(sorted(found.matmul))
        raise InputError(f"no training run on {accelerator.name} was measured; the accelerators measured are {known}")
    if precision not in found.matmul[accelerator.name]:
        known = ", ".join(found.matmul[accelerator.name])
        raise InputError(f"no training run in {precision} on {accelerator.name} was measured; measured are {known}")
    if accelerator.hbm_GBps is None:
        raise InputError(f"the memory bandwidth of {accelerator.name} is not known: give its hbm_GBps")
    framework, generation = found.software[software], accelerator.generation
    if framework.attention is not None and generation not in found.attention[framework.attention]:
        measured = {kernel for kernel, shares in found.attention.items() if generation in shares}
        known = ", ".join(sorted(name for name, each in found.software.items() if each.attention in measured))
        raise InputError(f"no training run of {software} on {accelerator.name} was measured; measured are {known}")
    kind = found.kernel_classes[framework.kernel_class(parallel.recompute)]
    return Kernels(found, kind, accelerator, precision, framework, parallel.gpus)
