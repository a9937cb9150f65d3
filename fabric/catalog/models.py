"""A transformer, dense or with experts: its shape, from which its parameters and operations follow."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.presented import Presented

__all__ = ["LatentAttention", "Model"]


@dataclass(frozen=True)
class LatentAttention:
    """Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434, section 2.1): keys and values from a small vector."""

    q_rank: int
    """The size of the compressed query."""
    kv_rank: int
    """The size of the compressed keys and values."""
    rope: int
    """The size of each head's part that has rotary positions."""
    value: int
    """The size of each head's values."""


@dataclass(frozen=True)
class Model(Presented):
    """The shape of a decoder-only transformer."""

    name: str
    """The word by which it is asked for."""
    layers: int
    """Its transformer layers."""
    hidden: int
    """The size of its hidden state."""
    heads: int
    """The query heads of its attention."""
    kv_heads: int
    """The heads of keys and values, fewer than `heads` with grouped queries."""
    head_dim: int
    """The size of a head."""
    ffn: int
    """The inner size of its dense feed-forward layers."""
    vocabulary: int
    """The entries of its vocabulary."""
    sequence: int
    """The tokens of a sequence that it is trained with, by default."""
    gated: bool = True
    """Whether a feed-forward layer has three matrices (SwiGLU) and not two."""
    tied: bool = False
    """Whether input and output embeddings are one matrix."""
    positions: int = 0
    """Learned position embeddings; 0 with rotary ones."""
    experts: int = 0
    """The routed experts of a layer; 0 of a dense model."""
    top_k: int = 0
    """The routed experts that a token goes to."""
    expert_ffn: int = 0
    """The inner size of an expert."""
    expert_bias: bool = False
    """Whether experts have biases."""
    shared_experts: int = 0
    """The experts of a layer to which every token goes."""
    dense_layers: int = 0
    """The first layers that have a dense feed-forward layer in place of experts."""
    predicted_tokens: int = 0
    """The layers of multi-token prediction beyond the model's own."""
    window: int | None = None
    """The tokens that attention looks back over in every other layer; None: all in every layer."""
    latent: LatentAttention | None = None
    """Its latent attention, where it has one."""
    expert_groups: int = 1
    """The groups of neighbouring experts, as many in each, of which those of a token are in at most `group_limit`."""
    group_limit: int | None = None
    """The most groups that have experts of a token (node-limited routing); None: no limit."""
    title: str = ""
    """Its full name."""
    source: str = ""
    """Where these facts come from."""

    @property
    def moe_count(self) -> int:
        """Its layers with experts."""
        return self.layers - self.dense_layers if self.experts else 0

    @property
    def dense_count(self) -> int:
        """Its layers with a dense feed-forward part."""
        return self.layers - self.moe_count
