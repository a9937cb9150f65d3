"""Which layers each stage of a pipeline has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from fabric.catalog import Model
from fabric.errors import InputError
from fabric.request.parallel import Parallel

__all__ = ["Stage", "divide", "divide_into_chunks", "split_layers"]


@dataclass(frozen=True)
class Stage:
    """What one stage of a pipeline has of a model, or one of its virtual stages."""

    dense: int
    """Its dense layers."""
    moe: int
    """Its layers with experts."""
    embedding: bool = False
    """Whether it embeds the tokens."""
    logits: bool = False
    """Whether it has the output embedding and the loss."""
    predicted: int = 0
    """Its layers that predict further tokens."""

    @property
    def layers(self) -> int:
        """All its layers."""
        return self.dense + self.moe + self.predicted

    def kinds(self, model: Model) -> tuple[int, int]:
        """Return its layers without and with experts, those that predict further tokens being as the model's last."""
        predicted = self.predicted if model.experts else 0
        return self.layers - self.moe - predicted, self.moe + predicted

    def count(self, part: str) -> int:
        """Return how many of a part of the model it has, one of `fabric.training.messages.PARTS`."""
        return 1 if part == "chunk" else int(getattr(self, part, 0))


def split_layers(model: Model, chunks: int) -> tuple[int, ...] | None:
    """Return how many of the model's own layers each of `chunks` parts has, in order; None where none is even.

    All have as many where that divides. Otherwise the embedding, the output and each layer that predicts further tokens
    take the place of one layer: of Llama 3.1 405B's 126 layers on 16 stages the first and the last have 7 and the
    others 8 (arXiv:2407.21783, section 3.3.2), of GLM-130B's 70 on 8 they have 8 and the others 9 (arXiv:2210.02414).
    """
    if model.layers % chunks == 0:
        return (model.layers // chunks,) * chunks
    places = model.layers + 2 + model.predicted_tokens
    last = places // chunks - 1 - model.predicted_tokens
    if places % chunks or chunks == 1 or last < 0:
        return None
    each = places // chunks
    return (each - 1, *[each] * (chunks - 2), last)


def divide_into_chunks(model: Model, parallel: Parallel) -> tuple[Stage, ...]:
    """Return the parts of the model in order: `pp` x `vp`, of which stage i of the pipeline has every pp-th.

    Raises InputError where the layers do not divide.
    """
    chunks = parallel.pp * parallel.vp
    counts = split_layers(model, chunks)
    if counts is None:
        raise InputError(f"the {model.layers} layers of {model.name} do not divide into {chunks} parts")
    ends = [0, *accumulate(counts)]
    first = [min(max(model.dense_count - start, 0), count) for start, count in zip(ends, counts, strict=False)]
    return tuple(
        Stage(
            dense,
            count - dense,
            embedding=index == 0,
            logits=index == chunks - 1,
            predicted=model.predicted_tokens if index == chunks - 1 else 0,
        )
        for index, (dense, count) in enumerate(zip(first, counts, strict=True))
    )


def divide(model: Model, parallel: Parallel) -> tuple[Stage, ...]:
    """Return what each of the `pp` stages has, all its virtual stages together.

    With `dualpipe` each GPU has two of these stages, the i-th from the front and from the back (arXiv:2412.19437,
    section 3.2.1). Raises InputError where the layers do not divide.
    """
    chunks = divide_into_chunks(model, parallel)
    return tuple(_join(chunks[index :: parallel.pp]) for index in range(parallel.pp))


def _join(parts: Iterable[Stage]) -> Stage:
    found = tuple(parts)
    return Stage(
        sum(part.dense for part in found),
        sum(part.moe for part in found),
        any(part.embedding for part in found),
        any(part.logits for part in found),
        sum(part.predicted for part in found),
    )
