"""Which degrees are refused, and that the nearest value in a message works."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric.catalog import models
from fabric.errors import InputError
from fabric.request.parallel import Parallel
from fabric.request.parallel_text import parse_parallel
from fabric.training.check import check, find_mistakes
from fabric.training.model_run import ModelRun

MODELS = models()


@pytest.mark.parametrize(
    ("name", "text", "batch", "gpus"),
    [
        ("llama3-405b", "tp=8,pp=16,dp=128", 2048, 16384),
        ("llama3-405b", "tp=8,cp=2,pp=9,vp=7,dp=4", 252, 576),
        ("nemotron4-340b", "tp=8,pp=8,vp=12,dp=32", 512, 2048),
        ("grok-1", "tp=4,cp=2,pp=8,vp=8,ep=8,dp=8", 1024, 512),
        ("deepseek-v3", "pp=16,ep=64,dp=128,schedule=dualpipe", 15360, 2048),
        ("mpt-70b", "dp=512,micro_batch=8,sharding=zero3,recompute=full", 4096, 512),
        ("palm-540b", "tp=12,dp=2", 4, 24),
    ],
)
def test_published_runs_pass(name: str, text: str, batch: int, gpus: int) -> None:
    """Degrees of published runs, or such as their authors could have chosen, are taken."""
    model = replace(MODELS[name], sequence=2052) if name == "palm-540b" else MODELS[name]
    check(ModelRun(model, parse_parallel(text), batch), gpus)


def test_any_sequence_runs_on_one_context_parallel_rank() -> None:
    """Only a ring takes a chunk from the front and one from the back."""
    model = replace(MODELS["llama3-8b"], sequence=8191)
    check(ModelRun(model, Parallel(), 1), 1)
    with pytest.raises(InputError, match="8,191 tokens does not divide into 2 x 2 parts; the nearest that works is 1"):
        check(ModelRun(model, Parallel(cp=2), 1), 2)


@pytest.mark.parametrize(
    ("name", "text", "batch", "gpus", "says"),
    [
        ("llama3-405b", "tp=8,pp=16,dp=128", 2048, 8192, r"parallel.dp: .*16,384 GPUs, but .* 8,192; dp=64 fits"),
        ("llama3-70b", "tp=12", 1, 100, r"parallel.tp: 12 does not divide the 64 query heads .*works is 16"),
        ("llama3-70b", "tp=8,pp=4,vp=7", 4, 32, r"parallel.vp: 80 layers .* 4 x 7 .*; the nearest that works is 5"),
        ("llama3-70b", "pp=4", 10**8, 4, r"batch: 100,000,000 micro-batches .* at most 50,000 fit"),
        ("llama3-8b", "cp=5", 1, 5, r"parallel.cp: .*; the nearest that works is 4"),
        ("llama3-405b", "tp=8,pp=13", 1, 999, r"parallel.pp: 126 layers .* 13 stages; the nearest that works is 14"),
        ("llama3-70b", "ep=2,dp=2", 2, 2, r"parallel.ep: llama3-70b has no experts"),
        ("deepseek-v3", "ep=60,dp=64", 64, 64, r"parallel.ep: 60 does not divide the 256 experts; .* is 64"),
        ("llama3-8b", "dp=8", 12, 8, r"batch: 12 sequences .*; 8 or 16 do"),
        ("llama3-8b", "vp=2", 1, 1, r"parallel.vp: 2 virtual stages need a pipeline"),
        ("llama3-8b", "cp=3,dp=1", 1, 3, r"parallel.cp: .*; the nearest that works is 4"),
        ("deepseek-v3", "pp=16,dp=2,schedule=dualpipe", 62, 32, r"batch: dualpipe needs .* a batch of 64"),
        (
            "deepseek-v3",
            "pp=16,dp=2,schedule=dualpipe",
            66,
            32,
            r"even number .* these are 33; a batch of 64 or 68 fits",
        ),
        ("llama3-70b", "tp=8,pp=4,vp=5,dp=32", 416, 1024, r"turns of pp=4 .* these are 13; a batch of 384 or 512 fits"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(name: str, text: str, batch: int, gpus: int, says: str) -> None:
    """Each mistake has its key, the value and the nearest value that works."""
    with pytest.raises(InputError, match=says):
        check(ModelRun(MODELS[name], parse_parallel(text), batch), gpus)


@given(
    st.sampled_from(["llama3-8b", "gpt3-175b", "qwen3-30b-a3b", "deepseek-v3"]),
    st.sampled_from(["tp", "cp", "pp", "ep", "etp"]),
    st.integers(1, 200),
)
def test_the_nearest_value_works(name: str, key: str, value: int) -> None:
    """Where a degree alone is wrong and a nearest value is given, that value is not refused."""
    model = replace(MODELS[name], sequence=8192)

    def mistakes(size: int) -> dict[str, str]:
        return dict(find_mistakes(ModelRun(model, replace(Parallel(dp=1024), **{key: size}), 1024), 10**9))

    text = mistakes(value).get(key, "")
    if found := re.search(r"nearest that works is ([\d,]+)", text):
        nearest = int(found[1].replace(",", ""))
        assert key not in mistakes(nearest)


@pytest.mark.parametrize(
    ("text", "gpus", "says"),
    [
        ("tp=8,pp=16", 1000, "dp=7 takes 896 of them, dp=8 1,024"),
        ("tp=8,dp=3", 16, "24 GPUs, but the run has 16; dp=2 takes 16"),
        ("tp=0,pp=x", None, "parallel.tp: 0 is too small; at least 1\nparallel.pp: 'x' is text, not a whole number"),
        ("tp=-8", None, "parallel.tp: -8 is too small; at least 1"),
        ("dp=99999999999999", None, "parallel.dp: 99999999999999 is too large; at most 100,000,000"),
        ("pp=4.5,dp=1e3", None, "4.5 is not a whole number\nparallel.dp: 1000.0 is not a whole number; write 1000"),
        ("sequence_parallel=maybe", None, "parallel.sequence_parallel: 'maybe' is text, not true or false"),
        ("tp=8,sharding=zero4", None, "parallel.sharding: unknown sharding 'zero4'; did you mean 'zero3'"),
        ("tp=8,tp=4", None, "tp is given twice"),
        ("", None, "is empty; write for example tp=8"),
    ],
)
def test_bad_text_is_refused_with_its_key(text: str, gpus: int | None, says: str) -> None:
    """Every mistake in a text is reported, with its key, and what to write."""
    with pytest.raises(InputError, match=re.escape(says)):
        parse_parallel(text, gpus)


def test_data_parallel_ranks_follow_from_the_gpus() -> None:
    """Degrees without dp take all GPUs of the run; virtual stages make the schedule interleaved."""
    found = parse_parallel("tp=8, pp=16, vp=2, sequence-parallel=false", 16384)
    assert found == Parallel(tp=8, pp=16, dp=128, vp=2, schedule="interleaved", sequence_parallel=False)
