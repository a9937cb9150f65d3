"""What the Colossus fabrics cost a training step, at 1:1 to 4:1: prints the tables of docs/colossus-training.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import fabric
from fabric.catalog import models
from fabric.flow import fail
from fabric.request.parallel import Parallel
from fabric.studies.study import Study
from fabric.training.fit import check_fit
from fabric.training.model_run import ModelRun
from fabric.training.network_time import NetworkTime
from fabric.training.prepared_step import accelerator_of, prepare_step

HOURS = 8766
GPU_HOUR_USD = 2.0
"""The price of a GPU's hour that the page takes."""
YEARS = 4
"""The years over which the page writes a fabric off."""


@dataclass(frozen=True)
class Job:
    """A run on as many GPUs as a fabric has."""

    name: str
    model: str
    precision: str
    software: str
    micro_batches: int
    """Those of each data-parallel rank in a step."""
    order: str = "tp-cp-ep-dp-pp"
    """The order of ranks."""

    def parallel(self, gpus: int) -> Parallel:
        """Return its published degrees, with as many data-parallel ranks as there are GPUs for."""
        if self.model == "deepseek-v3":
            return Parallel(pp=16, ep=64, dp=gpus // 16 // 64 * 64, schedule="dualpipe", recompute="modules")
        return Parallel(tp=8, pp=16, vp=8, dp=gpus // 128, schedule="interleaved", order=self.order)


JOBS = (
    Job("405B, BF16", "llama3-405b", "bf16", "megatron", 16),
    Job("405B, BF16, Llama 3's order", "llama3-405b", "bf16", "megatron", 16, "tp-cp-pp-dp"),
    Job("405B, FP8", "llama3-405b", "fp8", "megatron", 16),
    Job("405B, FP8, Llama 3's order", "llama3-405b", "fp8", "megatron", 16, "tp-cp-pp-dp"),
    Job("DeepSeek-V3, FP8", "deepseek-v3", "fp8", "hai-llm", 32),
)
"""Llama 3's degrees and micro-batches (arXiv:2407.21783, table 4), in Megatron's order of ranks and in its own (section
3.3.2), and DeepSeek-V3's degrees and recomputation (arXiv:2412.19437, section 3.2) with two micro-batches a stage."""


def failures_of(study: Study) -> list[str]:
    """Return one spine of every pod, and 5 % of the links between spines and cores."""
    pods = range(study.blueprint.sizes["pods"])
    return [*(f"spine[pod={pod},group=0,spine=0]" for pod in pods), "spine-core:5%"]


def times_of(study: Study, job: Job, routing: str, *, failed: bool) -> tuple[float, float]:
    """Return the seconds of a step, and those on an ideal network."""
    blueprint, parallel = study.blueprint, job.parallel(study.blueprint.gpus)
    up = fail(blueprint, failures_of(study)) if failed else None
    network = NetworkTime.of(blueprint, parallel, routing, up=up)
    run = ModelRun(models()[job.model], parallel, job.micro_batches * parallel.dp, job.precision, job.software)
    check_fit(run, accelerator_of(blueprint))
    prepared = prepare_step(blueprint, run, network=network)
    return prepared.step_s(), prepared.step.run(prepared.view.on_ideal_network()).step_s


def rows_of(name: str, ratio: int) -> Iterator[str]:
    """Yield the rows of a fabric at one oversubscription."""
    study = fabric.design(name, oversubscription=ratio) if ratio > 1 else fabric.design(name)
    cost = study.bill.cost_usd()
    for job in JOBS:
        shown, lost = [], 0.0
        for failed in (False, True):
            for routing in ("adaptive", "ecmp"):
                step, ideal = times_of(study, job, routing, failed=failed)
                shown.append(f"{step / ideal - 1:.1%}")
                if routing == "adaptive" and not failed:
                    shown.insert(0, f"{step:.2f}")
                    lost = (1 - ideal / step) * study.blueprint.gpus * GPU_HOUR_USD * HOURS * YEARS
        dollars = "-" if cost is None else f"${cost / 1e6:,.0f}M"
        yield f"| {name} | {ratio}:1 | {dollars} | {job.name} | {' | '.join(shown)} | ${lost / 1e6:,.0f}M |"


def main() -> None:
    """Print the table of the fabrics named, by default of all three."""
    print("| fabric | ratio | price | run | step s | adaptive | ECMP | adaptive, failures | ECMP, failures | lost |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in sys.argv[1:] or ("colossus-100k", "colossus-200k", "colossus-1m"):
        for ratio in (1, 2, 4):
            print(*rows_of(name, ratio), sep="\n", flush=True)


if __name__ == "__main__":
    main()
