"""A model to train, and what a file says of its run: a name of the catalogue, a file, or a mapping."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from fabric.catalog import PRECISIONS, LatentAttention, Model, models, training_efficiency
from fabric.errors import InputError, Mistake, nearest
from fabric.request.document import Document, Tree, add_plain, quoted
from fabric.request.error_messages import explain_errors
from fabric.request.fields import Gpus, Name, Price, StrictModel, Text, known_name
from fabric.request.parallel_text import ParallelKeys
from fabric.request.yaml_reader import read_file

__all__ = ["LatentKeys", "TrainingKeys", "TrainingRun", "check_words", "read_training"]

WHAT = "a file of a model is a mapping such as `model: llama3-405b`, or of `layers`, `hidden`, `heads` and so on"

DERIVED = ("kv_heads", "head_dim", "ffn")
"""The keys of a shape that follow from others."""

Size = Annotated[int, Field(ge=1, le=100_000_000)]
Count = Annotated[int, Field(ge=0, le=100_000_000)]


class LatentKeys(StrictModel):
    """Multi-head latent attention."""

    q_rank: Size = Field(examples=[1536])
    """Size of the compressed query."""
    kv_rank: Size = Field(examples=[512])
    """Size of the compressed keys and values."""
    rope: Size = Field(examples=[64])
    """Size of each head's part with rotary positions."""
    value: Size = Field(examples=[128])
    """Size of each head's values."""


class TrainingKeys(StrictModel):
    """A model, and a run of it."""

    model: Annotated[Name, known_name("model", models)] | None = Field(default=None, examples=["llama3-405b"])
    """Model of the catalogue (`fabric list models`), whose shape stands for the keys that are left out."""
    name: Name | None = None
    """Name of the model in reports; default: that of the catalogue's, or of the file."""
    layers: Size | None = Field(default=None, examples=[126])
    """Transformer layers."""
    hidden: Size | None = Field(default=None, examples=[16384])
    """Size of the hidden state."""
    heads: Size | None = Field(default=None, examples=[128])
    """Query heads of attention."""
    kv_heads: Size | None = Field(default=None, examples=[8])
    """Heads of keys and values; default: as many as `heads`."""
    head_dim: Size | None = None
    """Size of a head; default: hidden / heads."""
    ffn: Size | None = Field(default=None, examples=[53248])
    """Inner size of dense feed-forward layers; default: 4 x hidden."""
    vocabulary: Size | None = Field(default=None, examples=[128256])
    """Entries of the vocabulary."""
    sequence: Size | None = Field(default=None, examples=[8192])
    """Tokens of a sequence."""
    gated: bool | None = None
    """Whether a feed-forward layer has three matrices (SwiGLU) and not two; default: true."""
    tied: bool | None = None
    """Whether input and output embeddings are one matrix; default: false."""
    positions: Count | None = None
    """Learned position embeddings; default: 0, as with rotary ones."""
    experts: Count | None = None
    """Routed experts of a layer; default: 0, a dense model."""
    top_k: Count | None = None
    """Routed experts that a token goes to."""
    expert_ffn: Count | None = None
    """Inner size of an expert."""
    expert_bias: bool | None = None
    """Whether experts have biases; default: false."""
    shared_experts: Count | None = None
    """Experts of a layer to which every token goes; default: 0."""
    dense_layers: Count | None = None
    """First layers that have a dense feed-forward layer in place of experts; default: 0."""
    predicted_tokens: Count | None = None
    """Layers of multi-token prediction beyond the model's own; default: 0."""
    window: Size | None = None
    """Tokens that attention looks back over in every other layer; default: all."""
    latent: LatentKeys | None = None
    """Latent attention, where the model has it."""
    expert_groups: Size | None = Field(default=None, examples=[8])
    """Groups of neighbouring experts, as many in each; default: 1."""
    group_limit: Size | None = Field(default=None, examples=[4])
    """Most groups that have experts of a token; default: no limit."""
    title: Text | None = None
    """Full name of the model."""
    source: Text | None = None
    """Where the shape comes from."""
    parallel: ParallelKeys | None = Field(default=None, examples=["{tp: 8, pp: 16}"])
    """How the run is divided over GPUs."""
    gpus: Gpus | None = Field(default=None, examples=[16384])
    """GPUs of the run; default: as many as the degrees make, or all of the design's."""
    batch: Size | None = Field(default=None, examples=[2048])
    """Sequences of a step, over all GPUs."""
    precision: Annotated[str, known_name("precision", lambda: PRECISIONS)] | None = None
    """Precision of the layers' matrix products: bf16, fp16, fp8, mxfp8 or nvfp4; default: bf16."""
    software: Annotated[str, known_name("software", lambda: training_efficiency().software)] | None = None
    """Training framework (`fabric list training-software`); default: megatron."""
    gpu_hour_usd: Annotated[Price, Field(le=1_000_000)] | None = None
    """Price of one GPU for an hour, with all that it needs; default: from what its servers and fabric cost to buy."""


@dataclass(frozen=True)
class TrainingRun:
    """A model, and what is said of its run; None where that is left open."""

    model: Model
    """The model, with the run's sequences."""
    parallel: ParallelKeys | None = None
    """How it is divided."""
    gpus: int | None = None
    """The GPUs of the run."""
    batch: int | None = None
    """The sequences of a step."""
    precision: str | None = None
    """The precision of matrix products."""
    software: str | None = None
    """The name of the training framework."""
    gpu_hour_usd: float | None = None
    """The price of a GPU for an hour."""


def read_training(source: str | os.PathLike[str] | Mapping[str, Any] | Model) -> TrainingRun:
    """Return a model of the catalogue by its name, or that of a YAML or JSON file or a mapping, with its run.

    The keys are those of TrainingKeys. Raises InputError with every mistake.
    """
    if isinstance(source, Model):
        return TrainingRun(source)
    if isinstance(source, str) and source in models():
        return TrainingRun(models()[source])
    document = _read(source)
    if document.mistakes:
        raise InputError(document.mistakes)
    try:
        keys = TrainingKeys.model_validate(document.values)
    except ValidationError as error:
        raise InputError([mistake for _, mistake in explain_errors(error, document, TrainingKeys)]) from None
    values = _shape_of(keys, document)
    if mistakes := [document.mistake((key,), text) for key, text in _find_mistakes(values)]:
        raise InputError(mistakes)
    own = {each.name: getattr(keys, each.name) for each in fields(TrainingRun) if each.name != "model"}
    return TrainingRun(Model(**values), **own)


def check_words(**words: Any) -> None:
    """Raise InputError for words of a call that a file could not have under these keys; None stands for none."""
    values = {key: value for key, value in words.items() if value is not None}
    try:
        TrainingKeys.model_validate(values)
    except ValidationError as error:
        document = Document(values)
        raise InputError([mistake for _, mistake in explain_errors(error, document, TrainingKeys)]) from None


def _read(source: str | os.PathLike[str] | Mapping[str, Any]) -> Document:
    if isinstance(source, Mapping):
        tree = Tree("")
        add_plain(source, tree)
        return tree.document()
    if not isinstance(source, str | bytes | os.PathLike):
        raise InputError([Mistake("model", f"{source!r:.60}: neither a name, a file, a mapping nor a Model")])
    path = os.fsdecode(source)
    if not os.path.lexists(path) and Path(path).suffix.lower() not in (".yaml", ".yml", ".json"):
        raise InputError([Mistake(quoted(path), f"no model and no file of that name{nearest(path[:100], models())}")])
    return read_file(source, WHAT)


def _shape_of(keys: TrainingKeys, document: Document) -> dict[str, Any]:
    """Return the fields of a model: the given keys, then those of the catalogue's model, then what follows."""
    names = {each.name for each in fields(Model)}
    given = {name: value for name, value in keys.model_dump(exclude={"model"}).items() if name in names}
    given = {name: value for name, value in given.items() if value is not None}
    base = asdict(models()[keys.model]) if keys.model else {}
    values = {**base, **given}
    if latent := values.get("latent"):
        values["latent"] = LatentAttention(**latent)
    heads, hidden = values.get("heads"), values.get("hidden")
    if heads and hidden and not base:
        values.setdefault("kv_heads", heads)
        values.setdefault("head_dim", max(hidden // heads, 1))
        values.setdefault("ffn", 4 * hidden)
    if not base or given.keys() - {"name", "sequence"}:  # another shape than the catalogue's of that name
        values["name"] = given.get("name") or Path(document.file).stem or "model"
    return values


def _find_mistakes(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the keys of a shape that are missing or can't be, with what would be right."""
    needed = [each.name for each in fields(Model) if each.default is MISSING and each.name not in DERIVED]
    if missing := [name for name in needed if name not in values]:
        for name in missing:
            yield name, "missing; give it, or the `model` of the catalogue that it is like"
        return
    if values["heads"] % values["kv_heads"]:
        yield "kv_heads", f"{values['kv_heads']} does not divide the {values['heads']} query heads"
    yield from _find_mistakes_of_experts(values)
    if values.get("dense_layers", 0) > values["layers"]:
        yield "dense_layers", f"{values['dense_layers']} of {values['layers']} layers; write at most {values['layers']}"


def _find_mistakes_of_experts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    experts, chosen = values.get("experts", 0), values.get("top_k", 0)
    if not experts:
        for name in ("top_k", "expert_ffn", "shared_experts", "dense_layers", "group_limit"):
            if values.get(name):
                yield name, f"{values[name]}, but the model has no `experts`; give their number, or leave {name} out"
        return
    if not 0 < chosen <= experts:
        yield "top_k", f"{chosen} of {experts} experts; write 1 to {experts}"
    if not values.get("expert_ffn"):
        yield "expert_ffn", "missing; write the inner size of an expert"
    groups, limit = values.get("expert_groups", 1), values.get("group_limit")
    each, rest = divmod(experts, groups)
    if rest:
        yield "expert_groups", f"{groups} does not divide the {experts} experts"
    elif limit and not chosen <= each * limit <= experts:
        least = -(-chosen // each)
        yield "group_limit", f"{limit} of {groups} groups with {each} experts each; write {least} to {groups}"
