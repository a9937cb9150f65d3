"""The memory of training runs, against the formulas of papers, measured runs and published configurations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.training_rows import published
from fabric.catalog import accelerators, models
from fabric.errors import InputError
from fabric.request.parallel import Parallel
from fabric.request.parallel_text import parse_parallel
from fabric.training.activations import kept_of, most_in_flight
from fabric.training.check import find_mistakes
from fabric.training.fit import check_fit, find_nearest_fit
from fabric.training.memory import memory_of, updated_weights
from fabric.training.model_run import ModelRun
from fabric.training.operations import count_parameters
from fabric.training.pipeline_order import order_of
from fabric.training.stages import Stage

MODELS, GPUS = models(), accelerators()
GIB = 2**30


# Figure 1 and table 1 of arXiv:1910.02054: GB of model states, of which 16 bytes a parameter are not divided.
@pytest.mark.parametrize(
    ("billions", "dp", "sharding", "gigabytes"),
    [
        (7.5, 64, "none", 120),
        (7.5, 64, "zero1", 31.4),
        (7.5, 64, "zero2", 16.6),
        (7.5, 64, "zero3", 1.88),
        (7.5, 1024, "zero1", 30.1),
        (128, 64, "zero1", 535),
        (128, 64, "zero2", 284),
        (128, 1024, "zero3", 2),
        (1000, 1024, "zero1", 4011),
        (1000, 1024, "zero2", 2013),
        (1000, 1024, "zero3", 15.6),
    ],
)
def test_model_states_are_those_of_the_zero_paper(billions: float, dp: int, sharding: str, gigabytes: float) -> None:
    """Weights, gradients and states of Adam take the bytes of a parameter that the paper's table has."""
    model = MODELS["gpt3-175b"]
    found = memory_of(ModelRun(model, Parallel(dp=dp, sharding=sharding), dp, "fp16"), GPUS["a100-80"])
    states = (found.weights_gib + found.gradients_gib + found.optimizer_gib) * GIB
    assert states / count_parameters(model).total == pytest.approx(gigabytes / billions, rel=0.04)


def test_ranks_that_share_states_out_update_their_share_of_weights() -> None:
    """Without sharding each rank updates all weights of its stage, of two stages those of the larger one."""
    model = MODELS["llama3-8b"]
    whole = count_parameters(model)
    assert updated_weights(model, Parallel(dp=8, sharding="none")) == whole.total
    assert updated_weights(model, Parallel(dp=8)) == whole.total / 8
    assert updated_weights(model, Parallel(dp=8, shard_group=2)) == whole.total / 2
    assert updated_weights(model, Parallel(pp=2, dp=8)) == whole.total / 2 / 8


def test_gradients_are_whole_on_a_pipeline() -> None:
    """Micro-batches of a pipeline add to the same gradients, which zero2 shares out only once they are complete."""
    run = ModelRun(MODELS["gpt3-175b"], Parallel(pp=8, dp=64, sharding="zero2"), 512)
    one = replace(run, parallel=replace(run.parallel, sharding="zero1"))
    assert memory_of(run, GPUS["a100-80"]) == memory_of(one, GPUS["a100-80"])


@pytest.mark.parametrize("tp", [1, 8])
@pytest.mark.parametrize("divided", [False, True])
@pytest.mark.parametrize("fused", [False, True])
def test_activations_of_a_gpt_layer_are_those_of_the_paper(tp: int, divided: bool, fused: bool) -> None:
    """A layer keeps sbh (8 + 24/t + 5as/ht), with sequence parallelism all over t (arXiv:2205.05198, equations 2 to 4).

    The paper counts 10 and not 8, for two masks of dropout, and no scores with selective recomputation.
    """
    model, software = MODELS["gpt3-175b"], "megatron" if fused else "megatron-2022"
    parallel = Parallel(tp=tp, micro_batch=2, sequence_parallel=divided)
    run = ModelRun(model, parallel, 2, software=software)
    kept = kept_of(run)
    scores = 0 if fused else 5 * model.heads * 2048 / model.hidden / tp
    formula = 2 * 2048 * model.hidden * (8 / (tp if divided else 1) + 24 / tp + scores)
    assert kept.dense_bytes == pytest.approx(formula)
    selective = replace(run, parallel=replace(parallel, recompute="selective"), software="megatron-2022")
    assert kept_of(selective).dense_bytes == kept_of(replace(run, software="megatron")).dense_bytes
    full = kept_of(replace(run, parallel=replace(parallel, recompute="full")))
    assert full.dense_bytes == 2 * 2 * 2048 * model.hidden / (tp if divided else 1)


def test_an_expert_keeps_what_a_dense_layer_does_and_its_tokens() -> None:
    """Each expert of a token keeps its activation's inputs and output, and the token as it was received."""
    model = replace(MODELS["mixtral-8x7b"], dense_layers=1)
    one, two = (kept_of(ModelRun(replace(model, top_k=chosen), Parallel(), 1)) for chosen in (1, 2))
    assert one.moe_bytes - one.dense_bytes == model.sequence * 2 * model.hidden
    assert two.moe_bytes - one.moe_bytes == model.sequence * (2 * model.hidden + 2 * 3 * model.expert_ffn)


def test_every_predicted_token_has_logits() -> None:
    """A stage that also predicts the token after the next keeps the logits of both, and the layers that it has."""
    model = replace(MODELS["deepseek-v3"], layers=4, dense_layers=1)
    kept = kept_of(ModelRun(model, Parallel(ep=8, dp=8), 8))
    whole = Stage(1, 3, embedding=True, logits=True, predicted=1)
    layers = kept.dense_bytes + 4 * kept.moe_bytes
    assert kept.stage_bytes(whole, model, 1) == pytest.approx(layers + 2 * kept.logits_bytes)


@given(
    st.sampled_from([("1f1b", 1), ("interleaved", 2), ("interleaved", 4), ("zero-bubble", 1), ("dualpipe", 1)]),
    st.sampled_from([2, 4, 6, 8]),
    st.integers(1, 4),
)
def test_micro_batches_in_flight_are_those_of_the_simulated_order(
    schedule: tuple[str, int], ranks: int, rounds: int
) -> None:
    """The closed forms hold as many micro-batches as the order of the schedule, slot by slot, on every rank."""
    micro_batches = rounds * ranks * (2 if schedule[0] == "dualpipe" else 1)
    parallel = Parallel(pp=ranks, schedule=schedule[0], vp=schedule[1])
    counted = order_of(schedule[0], ranks, schedule[1], micro_batches).in_flight()
    for rank in range(ranks):
        assert most_in_flight(parallel, micro_batches, rank) == pytest.approx(counted[rank]), rank


# github.com/pytorch/torchtitan, benchmarks/llama3_h100_202412_torchtitan.md, tables 1 to 6: the most that PyTorch
# had reserved on any GPU, which is with what its allocator does not use.
MEASURED = [
    ("llama3-8b", "dp=128,micro_batch=2,sharding=zero3,recompute=selective", 256, 8192, 61.8),
    ("llama3-8b", "dp=8,micro_batch=2,sharding=zero3,recompute=selective", 16, 8192, 76.8),
    ("llama3-8b", "dp=8,sharding=zero3,recompute=full", 8, 32768, 83.9),
    ("llama3-8b", "dp=4,cp=2,sharding=zero3,recompute=full", 4, 65536, 84.2),
    ("llama3-8b", "dp=1,cp=8,sharding=zero3,recompute=full", 1, 262144, 84.5),
    ("llama3-70b", "tp=8,dp=32,micro_batch=16,sharding=zero3,recompute=full", 512, 8192, 67.6),
    ("llama3-405b", "tp=8,pp=8,dp=8,micro_batch=4,sharding=zero3,recompute=full", 256, 8192, 82.5),
    ("llama3-405b", "tp=8,pp=8,dp=8,sharding=zero3,recompute=full", 64, 32768, 75.3),
]


@pytest.mark.parametrize(("name", "text", "batch", "sequence", "gib"), MEASURED)
def test_measured_runs_hold_as_much(name: str, text: str, batch: int, sequence: int, gib: float) -> None:
    """Measured runs of torchtitan reserve as much as is counted.

    The model is below by up to a quarter: what the allocator reserves and does not use is not in it.
    """
    model, parallel = replace(MODELS[name], sequence=sequence), parse_parallel(text)
    found = memory_of(ModelRun(model, parallel, batch, "fp8", "torchtitan"), GPUS["h100-96-500w"])
    assert 0.74 * gib < found.total_gib < 1.02 * gib


def test_more_ranks_leave_as_much_as_measured() -> None:
    """Of Llama 3.1 8B on 128 and not 8 GPUs torchtitan reserves 15.4 GiB less (tables 1 and 3): the states' shards."""
    few, many = (
        memory_of(
            ModelRun(MODELS["llama3-8b"], Parallel(dp=dp, sharding="zero3"), dp, software="torchtitan"), GPUS["h100"]
        ).total_gib
        for dp in (8, 128)
    )
    assert few - many == pytest.approx(82.4 - 67.0, rel=0.05)


# Configurations that ran, with what they recomputed; sources as in the catalogue of models and as published for them.
RAN = [
    ("nemotron4-340b", "tp=8,pp=8,vp=12,dp=4", 64, "bf16", "h100", "megatron"),
    ("llama3-405b", "tp=8,cp=2,pp=9,vp=7,dp=4", 252, "fp8", "h100", "megatron"),
    ("llama3-405b", "tp=8,pp=16,dp=128,sharding=zero3", 2048, "bf16", "h100", "megatron"),
    ("gpt3-175b", "tp=4,pp=8,vp=12,dp=4", 256, "fp8", "h100", "megatron"),
    ("grok-1", "tp=4,cp=2,pp=8,vp=8,ep=8,dp=8", 1024, "bf16", "h100", "megatron"),
    ("megatron-1t", "tp=8,pp=64,sharding=none,recompute=selective", 512, "bf16", "a100-80", "megatron-2022"),
    ("mt-nlg-530b", "tp=8,pp=35,vp=3,sharding=none,recompute=selective", 280, "bf16", "a100-80", "megatron-2022"),
    ("megatron-310b", "tp=8,pp=16,dp=15,sharding=none,recompute=full", 2160, "fp16", "a100-80", "megatron-2022"),
    ("mpt-70b", "dp=128,micro_batch=4,sharding=zero3,recompute=full", 512, "bf16", "a100-40", "fsdp"),
    ("mpt-7b", "dp=128,micro_batch=18,sharding=zero3,recompute=full", 2304, "bf16", "a100-40", "fsdp"),
    ("deepseek-v3", "pp=2,vp=8,ep=32,dp=128,recompute=modules", 4096, "mxfp8", "gb300", "megatron"),
    ("qwen3-30b-a3b", "ep=8,dp=8,micro_batch=8", 512, "mxfp8", "gb300", "megatron"),
    ("llama3-405b", "tp=4,pp=16,vp=8,dp=4", 1536, "mxfp8", "gb200", "megatron"),
    ("llama3-70b", "pp=4,vp=5,dp=16", 256, "nvfp4", "gb300", "megatron"),
    (
        "glm-130b",
        "tp=4,pp=8,dp=24,recompute=full,sequence_parallel=false",
        4224,
        "fp16",
        "a100-40",
        "megatron-deepspeed",
    ),
    ("mpt-1b", "dp=128,micro_batch=10,sharding=zero3", 1280, "bf16", "a100-40", "fsdp"),
    # NVIDIA's recipes that offload: Megatron-Bridge, scripts/performance/configs/llama/*_workload_base_configs.py.
    ("llama3-70b", "dp=64,micro_batch=2,sharding=zero3,offload=40", 256, "fp8", "gb200", "megatron-26.04"),
    ("llama3-70b", "dp=64,sharding=zero3,offload=20", 256, "bf16", "gb200", "megatron-26.04"),
    ("llama3-70b", "dp=64,micro_batch=2,sharding=zero3,offload=30", 256, "bf16", "gb300", "megatron-26.04"),
    ("llama3-70b", "dp=64,micro_batch=2,sharding=zero3,offload=20", 256, "fp8", "gb300", "megatron-26.04"),
    ("llama3-70b", "dp=64,sharding=zero3,offload=5", 256, "fp8", "b200", "megatron-26.04"),
    ("llama3-405b", "tp=2,dp=64,sharding=zero3,offload=40", 64, "bf16", "gb300", "megatron-26.04"),
    ("llama3-405b", "tp=2,dp=64,sharding=zero3,offload=10", 64, "fp8", "gb300", "megatron-26.04"),
]


@pytest.mark.parametrize(("name", "text", "batch", "precision", "gpu", "software"), RAN)
def test_runs_that_ran_fit(name: str, text: str, batch: int, precision: str, gpu: str, software: str) -> None:
    """A published run is not refused, and uses more than a third of its GPUs' memory."""
    memory = check_fit(ModelRun(MODELS[name], parse_parallel(text), batch, precision, software), GPUS[gpu])
    assert memory.total_gib > memory.hbm_gib / 3


def test_every_published_run_fits() -> None:
    """No row of the table of published runs is refused, as they all ran."""
    for run in published():
        assert not memory_of(run.model_run, GPUS[run.accelerator]).missing_gib, run.row


def test_offloaded_layers_leave_the_gpu() -> None:
    """Layers in the host's memory take none of the GPU's, but for one on its way, and need a run without a pipeline."""
    run = ModelRun(MODELS["llama3-70b"], Parallel(dp=64, sharding="zero3"), 64)
    kept = kept_of(run)
    half = kept_of(replace(run, parallel=replace(run.parallel, offload=40)))
    assert half.dense_bytes * 80 + half.whole_bytes == pytest.approx(41 * kept.dense_bytes)
    for text, message in (
        ("pp=2,dp=2,offload=1", "without a pipeline alone"),
        ("dp=4,offload=1,recompute=full", "nothing is recomputed"),
        ("dp=4,offload=80", "can offload 79"),
    ):
        mistakes = dict(find_mistakes(replace(run, parallel=parse_parallel(text)), 64))
        assert message in mistakes["offload"]


def test_what_does_not_fit_is_refused_with_what_is_missing() -> None:
    """GPT-3 1T without recomputation is refused, as its paper says, and with selective recomputation it fits."""
    parallel = parse_parallel("tp=8,pp=64,sharding=none")
    run = ModelRun(MODELS["megatron-1t"], parallel, 512, software="megatron-2022")
    with pytest.raises(InputError, match=r"a100-80 has 80: .* GiB are missing .*recompute=selective, with 6"):
        check_fit(run, GPUS["a100-80"])
    with pytest.raises(InputError, match=r"no run tried on 8 GPUs fits; .* alone fill 78"):
        check_fit(ModelRun(MODELS["llama3-405b"], Parallel(dp=8), 8), GPUS["h100"])


@settings(max_examples=25)
@given(
    st.sampled_from(["llama3-70b", "llama3-405b", "qwen3-235b-a22b", "deepseek-v3", "gpt3-175b"]),
    st.sampled_from([1, 2, 8]),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([8, 32, 128]),
    st.sampled_from(["none", "zero1", "zero3"]),
    st.sampled_from(["h100", "gb200"]),
)
def test_the_nearest_run_fits_and_more_sharing_never_takes_more(
    name: str, tp: int, micro_batch: int, dp: int, sharding: str, gpu: str
) -> None:
    """A run that is proposed is valid and fits on as many GPUs; sharding and recomputation never take memory."""
    model, batch = MODELS[name], 4 * dp * micro_batch
    parallel = Parallel(tp=tp, dp=dp, micro_batch=micro_batch, sharding=sharding)
    run = ModelRun(model, parallel, batch)
    if found := find_nearest_fit(run, GPUS[gpu]):
        assert found[0].gpus == parallel.gpus
        assert found[1].missing_gib == 0
        assert not [*find_mistakes(replace(run, parallel=found[0]), parallel.gpus)]
    sizes = [
        memory_of(
            replace(run, parallel=replace(parallel, recompute=recompute), software="megatron-2022"), GPUS[gpu]
        ).total_gib
        for recompute in ("none", "selective", "modules", "full")
    ]
    assert sizes == sorted(sizes, reverse=True)
