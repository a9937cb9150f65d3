"""How a model is divided over GPUs: the degrees of parallelism, and what is sharded and recomputed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fabric.presented import Presented

__all__ = ["ORDERS", "RECOMPUTES", "SCHEDULES", "SHARDINGS", "Parallel"]

ORDERS = ("tp-cp-ep-dp-pp", "tp-cp-pp-dp")
"""The orders of ranks, from neighbours outwards: Megatron's by default, with the pipeline outermost, and Llama 3's
(arXiv:2407.21783, section 3.3.2), with the data parallel ranks outermost."""

SHARDINGS = ("none", "zero1", "zero2", "zero3")
"""What data-parallel ranks share out: nothing, the optimizer's states (Megatron's distributed optimizer), also the
gradients, also the weights (FSDP); arXiv:1910.02054."""

RECOMPUTES = ("none", "selective", "modules", "full")
"""What the backward pass computes again: nothing, attention's scores (arXiv:2205.05198, section 5), also what costs
little (norms, activation functions and the up-projections of latent attention; arXiv:2412.19437, section 3.2.3), or
every layer."""

SCHEDULES = ("1f1b", "interleaved", "zero-bubble", "dualpipe")
"""The schedules of a pipeline: arXiv:2104.04473 (the first two), arXiv:2401.10241, arXiv:2412.19437 (section 3.2.1)."""


@dataclass(frozen=True)
class Parallel(Presented):
    """The degrees of parallelism of a run, on tp x cp x pp x dp GPUs."""

    tp: int = 1
    """Tensor parallel: the GPUs among which every matrix is divided."""
    cp: int = 1
    """Context parallel: the GPUs among which a sequence is divided."""
    pp: int = 1
    """Pipeline parallel: the stages of the layers."""
    dp: int = 1
    """Data parallel: the copies, each of which trains on its part of the batch."""
    ep: int = 1
    """Expert parallel: the ranks among which a stage's experts are divided, of its tp x cp x dp; each is `etp` GPUs."""
    etp: int = 1
    """Expert tensor parallel: the GPUs among which an expert's matrices are divided; 1 where they are whole."""
    vp: int = 1
    """Virtual pipeline stages: the parts of the model that a GPU has of an interleaved pipeline."""
    micro_batch: int = 1
    """The sequences of a micro-batch on each data-parallel rank."""
    sharding: str = "zero1"
    """What data-parallel ranks share out, one of SHARDINGS."""
    shard_group: int | None = None
    """The ranks among which it is shared out, where that is fewer than all (HSDP, MiCS); None: all."""
    recompute: str = "none"
    """What the backward pass computes again, one of RECOMPUTES."""
    offload: int = 0
    """The layers whose activations wait in the host's memory for the backward pass, without a pipeline."""
    schedule: str = "1f1b"
    """The pipeline's schedule, one of SCHEDULES."""
    sequence_parallel: bool = True
    """Whether tensor-parallel ranks also divide the sequence between the matrices (arXiv:2205.05198)."""
    order: str = "tp-cp-ep-dp-pp"
    """The order of ranks from neighbours outwards, one of ORDERS."""

    @property
    def gpus(self) -> int:
        """The GPUs of the run."""
        return self.tp * self.cp * self.pp * self.dp

    @property
    def together(self) -> int:
        """The ranks of a stage that exchange messages in every layer, and so wait for each other: neighbours.

        They are tensor- and context-parallel ranks, and those that share out the experts.
        """
        return math.lcm(self.tp * self.cp, self.ep * self.etp)

    @property
    def expert_copies(self) -> int:
        """The copies of each expert: the data-parallel degree of experts."""
        return self.tp * self.cp * self.dp // (self.ep * self.etp)
