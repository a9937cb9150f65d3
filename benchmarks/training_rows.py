"""The published training runs of training_runs.csv as runs of this project: a model, how it is divided, its fabric."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import fabric
from fabric.catalog import Model, accelerators, models, servers
from fabric.request.parallel import Parallel
from fabric.studies.study import Study
from fabric.training.model_run import ModelRun
from fabric.training.operations import COUNTS
from fabric.training.usual_run import OPEN, complete_run, does_fit

__all__ = ["Run", "fabric_of", "published"]

FILE = Path(__file__).with_name("training_runs.csv")
NAMES = {
    "Nemotron-4 340B": "nemotron4-340b", "Llama 3.1 405B": "llama3-405b", "Llama 3.1 70B": "llama3-70b",
    "Llama 3.1 8B": "llama3-8b", "GPT-3 175B": "gpt3-175b", "GPT 175B": "gpt3-175b", "Grok-1 314B": "grok-1",
    "GPT 175B (MegaScale shape)": "megascale-175b", "GPT 530B": "megascale-530b", "MT-NLG 530B": "mt-nlg-530b",
    "DeepSeek-V3 671B": "deepseek-v3", "GPT 1.7B": "megatron-1.7b", "GPT 3.6B": "megatron-3.6b",
    "GPT 7.5B": "megatron-7.5b", "GPT 18.4B": "megatron-18b", "GPT 22B": "megatron-22b", "GPT 39.1B": "megatron-39b",
    "GPT 76.1B": "megatron-76b", "GPT 145.6B": "megatron-146b", "GPT 310.1B": "megatron-310b",
    "GPT 529.6B": "mt-nlg-530b", "GPT 1000B": "megatron-1t", "GPT 1008.0B": "megatron-1t",
    "BloombergGPT 50B": "bloomberggpt-50b", "GLM-130B": "glm-130b", "BLOOM 176B": "bloom-176b", "OPT-175B": "opt-175b",
    "Qwen3 30B-A3B": "qwen3-30b-a3b", "Qwen3 235B-A22B": "qwen3-235b-a22b", "GPT-OSS 120B": "gpt-oss-120b",
    **{f"MPT {size}b": f"mpt-{size}b" for size in (1, 3, 7, 13, 30, 70)},
}  # fmt: skip
"""The models as the table calls them."""
GPUS = {
    "A100-SXM-80GB": ("dgx-a100", "a100-80"), "A100-SXM-40GB": ("dgx-a100", "a100-40"), "H100": ("dgx-h100", "h100"),
    "H100-SXM-80GB": ("dgx-h100", "h100"), "H100-SXM-96GB 500W": ("hgx-h100", "h100-96-500w"),
    "H800-SXM": ("hgx-h800", "h800"), "B200": ("dgx-b200", "b200"), "B300": ("dgx-b300", "b300"),
    "GB200": ("gb200-nvl72", "gb200"), "GB300": ("gb300-nvl72", "gb300"),
}  # fmt: skip
"""The server of each GPU, and its accelerator."""
SOFTWARE = (
    ("dgxc-benchmarking", "nemo"), ("release 26.02", "megatron-26.04"),
    ("release 26.04", "megatron-26.04"), ("Megatron-Bridge", "megatron"), ("torchtitan", "torchtitan"),
    ("llm-foundry", "fsdp"), ("2407.21783", "llama3"), ("2406.11704", "megatron-2024"), ("2505.09343", "hai-llm"),
    ("2205.05198", "megatron-2022"), ("2104.04473", "megatron-2021"), ("2201.11990", "megatron-deepspeed"),
    ("2303.17564", "megatron-deepspeed"), ("2210.02414", "megatron-deepspeed"),
)  # fmt: skip
"""The training framework by a word of the source; MegaScale's rows say it in the name of their series."""
RACK_GPUS = 64
"""The GPUs of a rack of 72 that these runs use: their numbers are multiples of it, and jobs are given whole sixteens of
trays."""


@dataclass(frozen=True)
class Run:
    """A published training run."""

    row: str
    """Its row in the table."""
    series: str
    """The rows that it was published with."""
    model: Model
    parallel: Parallel
    batch: int
    sequence: int
    precision: str
    software: str
    server: str
    accelerator: str
    nic_gbps: float
    """The rate of a GPU's share of its server's NICs."""
    routing: str
    qps: int | None
    """The queue pairs of a flow; None where they are not published."""
    gpus: int
    step_s: float
    """The seconds of a step, published or by the tokens or the operations that were."""

    @property
    def series_name(self) -> str:
        """The series, of which the rows called `single` have one each."""
        return self.model.name if self.series == "single" else self.series

    @property
    def model_run(self) -> ModelRun:
        """What is timed of it."""
        model = replace(self.model, sequence=self.sequence)
        return ModelRun(model, self.parallel, self.batch, self.precision, self.software)


@cache
def published(file: Path = FILE) -> tuple[Run, ...]:
    """Return the runs of a table, in its order."""
    with file.open(newline="", encoding="utf-8") as text:
        return tuple(map(_run, csv.DictReader(text)))


def _run(row: Mapping[str, str]) -> Run:
    model, software = models()[NAMES[row["model"]]], _software(row)
    server, accelerator = GPUS[row["accelerator"]]
    gbps = float(row["nic_gbps_per_gpu"] or servers()[server].nic_gbps)
    return Run(
        row["id"], row["series"], model, _parallel(row, model, software, accelerator),
        int(row["global_batch"]), int(row["seq"]), row["precision"].lower(), software, server, accelerator, gbps,
        "ecmp" if "RoCE" in row["network"] else "adaptive", 16 if software == "llama3" else None, int(row["gpus"]),
        _step_s(row, model),
    )  # fmt: skip


def _software(row: Mapping[str, str]) -> str:
    if "2402.15627" in row["source"]:
        return "megatron-2023" if row["series"].endswith("megatron-lm") else "megascale"
    found = next(name for word, name in SOFTWARE if word in row["source"])
    return f"{found}-eager" if "eager" in row["note"] else found


def _parallel(row: Mapping[str, str], model: Model, software: str, accelerator: str) -> Parallel:
    """Return a run's layout. A degree that the table leaves open is 1, other keys are as `complete_run` says."""
    tp, pp, vp, cp, ep, dp = (int(row[key] or 1) for key in ("tp", "pp", "vp", "cp", "ep", "dp"))
    if software == "llama3":
        vp = 8  # one layer a virtual stage, the first and the last without one (section 3.3.2)
    if "interleaved" in row["note"] and not row["vp"]:
        vp = int(row["layers"]) // pp
    sharding = next(
        (value for word, value in SHARDINGS if word in row["sharding"]), "none"
    )  # fmt: skip
    parallel = Parallel(
        tp=tp, cp=cp, pp=pp, dp=dp, ep=ep, etp=tp if row["model"].startswith("Grok") else 1, vp=vp,
        micro_batch=int(row["micro_batch"] or 1), sharding=sharding, recompute=row["recompute"] or "none",
        schedule="dualpipe" if software == "hai-llm" else "interleaved" if vp > 1 else "1f1b",
        sequence_parallel=software not in ("megatron-2021", "megatron-deepspeed"),
        order="tp-cp-pp-dp" if software == "llama3" else "tp-cp-ep-dp-pp",
        shard_group=_shard_group(row["sharding"]),
    )  # fmt: skip
    unsaid = [key for key in OPEN if not row[key]]
    shown = replace(model, sequence=int(row["seq"]))
    run = ModelRun(shown, parallel, int(row["global_batch"]), row["precision"].lower(), software)
    fits = does_fit(run, accelerators()[accelerator])
    found = complete_run(run, unsaid, fits)
    if found.recompute == "full" != row["recompute"]:
        # NVIDIA's recipes recompute nothing there, but offload as many layers as do not fit (Megatron-Bridge,
        # scripts/performance/configs/llama/llama3_workload_base_configs.py: 40 of Llama 3 70B on GB200).
        kept = replace(found, recompute="none")
        return next(filter(fits, (replace(kept, offload=layers) for layers in range(1, model.layers))), kept)
    if found.sharding == "none" and not fits(found):
        # Where the table says none and that can't be, optimizer states are shared out: so GLM-130B's recipe does
        # (github.com/THUDM/LargeScale, configs/glm-130b/glm-130b.sh: ZERO_STAGE=1).
        return replace(found, sharding="zero1")
    return found


SHARDINGS = (
    ("GRAD_OP", "zero2"), ("FSDP", "zero3"), ("ZeRO-3", "zero3"), ("ZeRO-1", "zero1"),
    ("distributed optimizer", "zero1"),
)  # fmt: skip
"""What is sharded, by a word of the table."""


def _shard_group(text: str) -> int | None:
    found = re.search(r"([0-9]+) GPUs", text)
    return int(found[1]) if found else None


def _step_s(row: Mapping[str, str], model: Model) -> float:
    """Return the seconds of a step, as published or as the published tokens or operations give them."""
    if row["step_s"]:
        return float(row["step_s"])
    if found := re.search(r"([0-9.]+) s a step", row["note"]):
        return float(found[1])
    tokens = int(row["global_batch"]) * int(row["seq"]) / int(row["gpus"])
    if row["tokens_s_gpu"]:
        return tokens / float(row["tokens_s_gpu"])
    return tokens * COUNTS["full"](model, int(row["seq"])) / 1e12 / float(row["tflops_gpu"])


@cache
def fabric_of(run: Run) -> Study:
    """Return the fabric of a run: rails that meet in the spine without oversubscription, but for what was published."""
    if run.software == "llama3":
        return fabric.design("meta-llama3-24k")
    kind = servers()[run.server]
    size = RACK_GPUS if kind.gpus > RACK_GPUS else kind.gpus
    nics = max(1, round(size * run.nic_gbps / 400)) if run.nic_gbps < 100 else size
    wanted: dict[str, Any] = {
        "name": run.server, "gpus": size, "nics": nics, "nic_gbps": round(run.nic_gbps * size / nics),
        "nvlink_GBps": kind.nvlink_GBps, "generation": kind.generation,
        "accelerator": run.accelerator,
    }  # fmt: skip
    if kind.nic_us is not None:
        wanted["nic_us"] = kind.nic_us
    return fabric.design(gpus=max(run.gpus, size), server=wanted)
