"""The degrees of parallelism of a run, from one line of text or from a mapping of a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from pydantic import Field, ValidationError

from fabric.errors import InputError, Mistake, nearest
from fabric.frozen import FrozenMapping
from fabric.request.document import Document, Keys
from fabric.request.error_messages import explain_errors
from fabric.request.fields import StrictModel, known_name
from fabric.request.parallel import ORDERS, RECOMPUTES, SCHEDULES, SHARDINGS, Parallel

__all__ = ["ParallelKeys", "make_parallel", "override_keys", "parse_keys", "parse_parallel", "read_keys"]

Degree = Annotated[int, Field(ge=1, le=100_000_000)]

NUMBER = re.compile(r"[-+]?\d{1,40}(\.\d{0,40})?([eE][-+]?\d{1,3})?", re.ASCII)

EXAMPLE = "write for example tp=8,pp=16,cp=1,dp=128"


class ParallelKeys(StrictModel):
    """How a model is divided over GPUs."""

    tp: Degree = 1
    """Tensor parallel degree."""
    cp: Degree = 1
    """Context parallel degree."""
    pp: Degree = 1
    """Pipeline stages."""
    dp: Degree | None = None
    """Data parallel degree; default: as the other degrees leave of the run's `gpus`, or of all that the design has."""
    ep: Degree = 1
    """Expert parallel degree, among the tp x cp x dp ranks of a stage."""
    etp: Degree = 1
    """Tensor parallel degree of an expert."""
    vp: Degree = 1
    """Virtual pipeline stages of a GPU; over 1 the schedule is interleaved."""
    micro_batch: Degree | None = None
    """Sequences of a micro-batch; default: 1 on a pipeline, otherwise the most that fit in memory."""
    sharding: Annotated[str, known_name("sharding", lambda: SHARDINGS)] = "zero1"
    """What data-parallel ranks share out: none, zero1 (optimizer states), zero2 (+ gradients), zero3 (+ weights)."""
    shard_group: Degree | None = None
    """Ranks among which it is shared out (HSDP); default: all."""
    recompute: Annotated[str, known_name("recomputation", lambda: RECOMPUTES)] | None = None
    """What the backward pass computes again: none, selective (attention's scores), modules (also norms, activation
    functions and latent projections) or full (every layer); default: the least that fits in memory."""
    offload: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    """Layers whose activations wait in the host's memory for the backward pass; the way there and back is taken to be
    hidden."""
    schedule: Annotated[str, known_name("schedule", lambda: SCHEDULES)] | None = None
    """Schedule: 1f1b, interleaved, zero-bubble or dualpipe; default: 1f1b, with virtual stages interleaved."""
    sequence_parallel: bool = True
    """Whether tensor-parallel ranks also divide the sequence between the matrices."""
    order: Annotated[str, known_name("order", lambda: ORDERS)] = "tp-cp-ep-dp-pp"
    """Order of ranks from neighbours outwards: tp-cp-ep-dp-pp (Megatron's) or tp-cp-pp-dp (Llama 3's)."""


def make_parallel(keys: ParallelKeys, gpus: int | None = None) -> Parallel:
    """Return the degrees that `keys` ask for, `dp` as `gpus` leave where it is not said, others as Parallel has them.

    Raises InputError where the degrees do not multiply to `gpus`.
    """
    inner = keys.tp * keys.cp * keys.pp
    dp = keys.dp or (gpus // inner if gpus else 1)
    if gpus is not None and inner * dp != gpus:
        raise InputError(_explain_product(keys, inner, dp, gpus))
    values = keys.model_dump(exclude={"dp", "schedule"}, exclude_none=True)
    return Parallel(**values, dp=dp, schedule=keys.schedule or ("interleaved" if keys.vp > 1 else "1f1b"))


def _explain_product(keys: ParallelKeys, inner: int, dp: int, gpus: int) -> str:
    degrees = f"tp={keys.tp} x cp={keys.cp} x pp={keys.pp}"
    least = f"at least {inner:,} GPUs are needed"
    if keys.dp is None:
        near = f"dp={dp} takes {inner * dp:,} of them, dp={dp + 1} {inner * (dp + 1):,}" if dp else least
        return f"{degrees} is {inner:,} GPUs, which does not divide the run's {gpus:,}; {near}"
    near = f"dp={gpus // inner} takes {inner * (gpus // inner):,}" if gpus >= inner else least
    return f"{degrees} x dp={dp} is {inner * dp:,} GPUs, but the run has {gpus:,}; {near}"


def parse_parallel(text: str, gpus: int | None = None) -> Parallel:
    """Return the degrees that a text asks for, such as `tp=8,pp=16,cp=1,dp=128`; the keys are those of ParallelKeys.

    Raises InputError with every mistake, and as `make_parallel`.
    """
    return make_parallel(parse_keys(text), gpus)


def parse_keys(text: str) -> ParallelKeys:
    """Return the keys that a text has, as `parse_parallel` reads them."""
    values: dict[str, Any] = {}
    mistakes = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        key, equals, value = (each.strip() for each in part.partition("="))
        key = key.replace("-", "_")
        if not (equals and value):
            mistakes.append(Mistake("parallel", f"{part!r:.60} is not KEY=VALUE; {EXAMPLE}"))
        elif key not in ParallelKeys.model_fields:
            mistakes.append(Mistake("parallel", f"unknown key {key!r:.60}{nearest(key, ParallelKeys.model_fields)}"))
        elif key in values:
            mistakes.append(Mistake("parallel", f"{key} is given twice; leave one out"))
        else:
            values[key] = _parse_value(value)
    if not (values or mistakes):
        mistakes.append(Mistake("parallel", f"is empty; {EXAMPLE}"))
    if mistakes:
        raise InputError(mistakes)
    return _validate(values)


def override_keys(keys: ParallelKeys | None, given: ParallelKeys) -> ParallelKeys:
    """Return `keys` with those that are given in their place."""
    return given if keys is None else keys.model_copy(update=given.model_dump(exclude_unset=True))


def read_keys(given: str | Mapping[str, Any] | Parallel) -> ParallelKeys:
    """Return the keys of a text, of a mapping of them, or of degrees; raises InputError with every mistake."""
    if isinstance(given, str):
        return parse_keys(given)
    if not isinstance(given, Mapping | Parallel):
        raise InputError([Mistake("parallel", f"{given!r:.60}: neither text, a mapping nor a Parallel; {EXAMPLE}")])
    return _validate(dict(given) if isinstance(given, Mapping) else vars(given))


def _validate(values: dict[str, Any]) -> ParallelKeys:
    places: dict[Keys, str] = {(key,): f"parallel.{key}" for key in values}
    document = Document(values, places=FrozenMapping(places))
    try:
        return ParallelKeys.model_validate(values)
    except ValidationError as error:
        raise InputError([mistake for _, mistake in explain_errors(error, document, ParallelKeys)]) from None


def _parse_value(text: str) -> float | bool | str:
    """Return a number, true or false, or else the text."""
    for kind in (int, float) if NUMBER.fullmatch(text) else ():
        with suppress(ValueError):
            return kind(text)
    return {"true": True, "false": False}.get(text.lower(), text)
