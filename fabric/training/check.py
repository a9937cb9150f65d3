"""Whether degrees of parallelism fit a model, a batch and the GPUs of a fabric, and which ones nearby do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from fabric.catalog import Model
from fabric.errors import InputError, Mistake
from fabric.request.parallel import Parallel
from fabric.training.model_run import ModelRun
from fabric.training.stages import split_layers

__all__ = ["check", "find_mistakes", "find_nearest", "list_mistakes", "most_micro_batches"]

MOST_OF_RANK, MOST_OF_ALL = 50_000, 2_000_000
"""The most forward passes of a rank, which are simulated one after another at some 0.2 ms each, and of all, which are
held in memory."""


def check(run: ModelRun, gpus: int) -> None:
    """Raise InputError with every reason why a run can't be on a fabric of `gpus` GPUs."""
    if mistakes := list_mistakes(run, gpus):
        raise InputError(mistakes)


def list_mistakes(run: ModelRun, gpus: int) -> list[Mistake]:
    """Return every reason why a run can't be on a fabric of `gpus` GPUs, each by the key that is wrong."""
    return [
        Mistake(f"parallel.{key}" if hasattr(run.parallel, key) else key, text)
        for key, text in find_mistakes(run, gpus)
    ]


def find_mistakes(run: ModelRun, gpus: int) -> Iterator[tuple[str, str]]:
    """Yield each key that is wrong, with what is wrong and the nearest value that works."""
    yield from _check_gpus(run.parallel, gpus)
    yield from _check_tensor(run.model, run.parallel)
    yield from _check_pipeline(run.model, run.parallel)
    yield from _check_offload(run.model, run.parallel)
    yield from _check_experts(run.model, run.parallel)
    yield from _check_batch(run.parallel, run.batch)


def find_nearest(wanted: int, works: Callable[[int], bool], most: int) -> str:
    """Return `; the nearest that works is N`, of two as near the larger; empty where none from 1 to `most` does."""
    start = min(wanted, most)
    for distance in range(max(start, most - start + 1)):
        for each in (start + distance, start - distance):
            if 1 <= each <= most and works(each):
                return f"; the nearest that works is {each:,}"
    return ""


def _check_gpus(parallel: Parallel, gpus: int) -> Iterator[tuple[str, str]]:
    if parallel.gpus > gpus:
        inner = parallel.gpus // parallel.dp
        remedy = f"dp={gpus // inner:,} fits" if gpus >= inner else f"tp x cp x pp alone is {inner:,}"
        degrees = f"tp={parallel.tp} x cp={parallel.cp} x pp={parallel.pp} x dp={parallel.dp:,}"
        yield "dp", f"{degrees} is {parallel.gpus:,} GPUs, but the fabric has {gpus:,}; {remedy}"
    ranks = parallel.dp * parallel.cp
    group = parallel.shard_group
    if group is not None and (group > ranks or ranks % group):
        near = find_nearest(group, lambda each: ranks % each == 0, ranks)
        yield "shard_group", f"{group:,} does not divide the {ranks:,} data-parallel ranks (dp x cp){near}"


def _check_tensor(model: Model, parallel: Parallel) -> Iterator[tuple[str, str]]:
    tp, cp, sequence = parallel.tp, parallel.cp, model.sequence
    divides = _divides_tensors(model, tp)
    if not divides:
        near = find_nearest(tp, lambda each: _divides_tensors(model, each), model.heads)
        yield "tp", f"{_explain_tensors(model, tp)} of {model.name}{near}"
    # A ring balances causal attention by giving each rank a chunk from the front and one from the back.
    parts = 2 * cp if cp > 1 else 1
    if sequence % parts:
        near = find_nearest(cp, lambda each: each == 1 or sequence % (2 * each) == 0, min(sequence, 4 * cp))
        yield "cp", f"a sequence of {sequence:,} tokens does not divide into 2 x {cp} parts{near}"
    elif divides and parallel.sequence_parallel and (sequence // cp) % tp:
        yield "sequence_parallel", f"{sequence // cp:,} tokens of a rank do not divide by tp={tp}; set it to false"


def _explain_tensors(model: Model, tp: int) -> str:
    if model.heads % tp:
        return f"{tp} does not divide the {model.heads} query heads"
    if model.dense_count and model.ffn % tp:
        return f"{tp} does not divide the {model.ffn:,} inner values of feed-forward layers"
    return f"{tp} neither divides the {model.kv_heads} key and value heads nor is a multiple"


def _divides_tensors(model: Model, tp: int) -> bool:
    """Return whether a tensor-parallel degree divides heads and inner sizes; fewer key heads than ranks are copied."""
    keys = model.kv_heads % tp == 0 or tp % model.kv_heads == 0
    return model.heads % tp == 0 and keys and (not model.dense_count or model.ffn % tp == 0)


def _check_pipeline(model: Model, parallel: Parallel) -> Iterator[tuple[str, str]]:
    pp, vp = parallel.pp, parallel.vp
    if vp > 1 and pp == 1:
        yield "vp", f"{vp} virtual stages need a pipeline; set pp to 2 or more, or vp to 1"
    elif vp > 1 and parallel.schedule != "interleaved":
        yield "schedule", f"{parallel.schedule} has no virtual stages; set vp to 1, or the schedule to interleaved"
    elif parallel.schedule == "interleaved" and vp == 1:
        yield "vp", "an interleaved schedule needs 2 or more; set the schedule to 1f1b otherwise"
    elif parallel.schedule == "dualpipe" and pp % 2:
        yield "pp", f"dualpipe runs from both ends, and {pp} stages do not pair; the nearest that works is {pp + 1}"
    if split_layers(model, pp * vp) is None:
        most, text = model.layers + 2, f"{model.layers:,} layers of {model.name} do not divide into {pp}"
        if vp > 1 and (near := find_nearest(vp, lambda each: split_layers(model, pp * each) is not None, most // pp)):
            yield "vp", f"{text} x {vp} virtual stages{near}"
            return
        near = find_nearest(pp, lambda each: split_layers(model, each * vp) is not None, most // vp)
        yield "pp", f"{text}{f' x {vp} virtual' if vp > 1 else ''} stages{near}"


def _check_offload(model: Model, parallel: Parallel) -> Iterator[tuple[str, str]]:
    """Yield what Megatron-Core refuses of layers whose activations are offloaded."""
    most = model.layers + model.predicted_tokens - 1
    if parallel.offload and parallel.pp > 1:
        yield "offload", f"layers are offloaded without a pipeline alone; set it to 0, or pp={parallel.pp} to 1"
    elif parallel.offload and parallel.recompute != "none":
        yield "offload", "nothing is recomputed where layers are offloaded; set it to 0, or recompute to none"
    elif parallel.offload > most:
        yield "offload", f"{parallel.offload:,} layers, of which {model.name} can offload {most:,}"


def _check_experts(model: Model, parallel: Parallel) -> Iterator[tuple[str, str]]:
    ep, etp = parallel.ep, parallel.etp
    if not model.experts:
        if ep * etp > 1:
            yield ("ep" if ep > 1 else "etp"), f"{model.name} has no experts; set it to 1"
        return
    ranks = parallel.tp * parallel.cp * parallel.dp
    if model.expert_ffn % etp:
        near = find_nearest(etp, lambda each: model.expert_ffn % each == 0, model.expert_ffn)
        yield "etp", f"{etp} does not divide the {model.expert_ffn:,} of an expert's inner size{near}"
    if model.experts % ep or ranks % (ep * etp):
        near = find_nearest(ep, lambda each: model.experts % each == 0 and ranks % (each * etp) == 0, model.experts)
        what = f"the {model.experts} experts" if model.experts % ep else f"the {ranks:,} ranks of a stage"
        yield "ep", f"{ep}{f' x etp={etp}' if etp > 1 else ''} does not divide {what}{near}"


def _check_batch(parallel: Parallel, batch: int) -> Iterator[tuple[str, str]]:
    each, pp = parallel.dp * parallel.micro_batch, parallel.pp
    count, turn = batch // each, _micro_batches_together(parallel)
    if batch % each:
        what = f"dp={parallel.dp:,} x micro_batch={parallel.micro_batch}"
        yield "batch", f"{batch:,} sequences do not divide over {what}; {_name_batches(parallel, batch, turn, 'do')}"
    elif count > (most := most_micro_batches(parallel)):
        most = max(most // pp * pp, 1) * each
        yield "batch", f"{count:,} micro-batches of a rank are more than a step is simulated with; at most {most:,} fit"
    elif parallel.vp > 1 and count % pp:
        what = f"virtual stages take turns of pp={pp} micro-batches, and these are {count}"
        yield "batch", f"{what}; a batch of {_name_batches(parallel, batch, turn, 'fits')}"
    elif parallel.schedule == "dualpipe" and count < 2 * pp:
        least = 2 * pp * each
        yield "batch", f"dualpipe needs 2 x pp micro-batches, and these are {count}; a batch of {least:,} has them"
    elif parallel.schedule == "dualpipe" and count % 2:
        what = f"dualpipe needs an even number of micro-batches, and these are {count}"
        yield "batch", f"{what}; a batch of {_name_batches(parallel, batch, turn, 'fits')}"


def _micro_batches_together(parallel: Parallel) -> int:
    """Return of what the micro-batches of a rank must be a multiple, as the schedule has it."""
    if parallel.vp > 1:
        return parallel.pp
    return 2 if parallel.schedule == "dualpipe" else 1


def _name_batches(parallel: Parallel, batch: int, turn: int, verb: str) -> str:
    """Return the batches nearby that the schedule takes, and the largest smaller `dp` that divides this one."""
    size = parallel.micro_batch * turn
    least = 2 * parallel.pp if parallel.schedule == "dualpipe" else turn
    wanted = max(batch, least * parallel.dp * parallel.micro_batch)
    most = min(parallel.dp, batch // (least * parallel.micro_batch))
    fewer = 0 if batch % size else _largest_divisor(batch // size, most)
    return f"{_name_multiples(wanted, size * parallel.dp)} {verb}{f', or dp={fewer:,}' if fewer else ''}"


def _largest_divisor(number: int, most: int) -> int:
    """Return the largest divisor of a number that is at most `most`; 0 where that is below 1."""
    small = [each for each in range(1, math.isqrt(number) + 1) if number % each == 0]
    return max((each for one in small for each in (one, number // one) if each <= most), default=0)


def most_micro_batches(parallel: Parallel) -> int:
    """Return the most micro-batches of a rank with which a step is simulated."""
    return min(MOST_OF_RANK, MOST_OF_ALL // parallel.pp) // parallel.vp


def _name_multiples(wanted: int, step: int) -> str:
    """Return the multiples of `step` next to a number, such as `384 or 512`, or the only one."""
    below, above = wanted // step * step, -(-wanted // step) * step
    return f"{below:,} or {above:,}" if 0 < below < above else f"{above:,}"
