"""What a training step takes on a fabric, and why: computation, waiting, and the messages that nothing hides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from fabric.blueprint import Blueprint
from fabric.frozen import freeze
from fabric.presented import Plotted
from fabric.request.parallel import Parallel
from fabric.training.gpu_hour import GpuHour
from fabric.training.memory import Memory, memory_of
from fabric.training.message import Message
from fabric.training.message_time import MessageTime
from fabric.training.message_views import MessageView
from fabric.training.model_run import ModelRun
from fabric.training.network_time import NetworkTime
from fabric.training.operations import COUNTS, flops_of_recompute
from fabric.training.prepared_step import prepare_step
from fabric.training.step_run import Step, StepRun

__all__ = ["CAUSES", "NETWORK", "SentMessage", "TrainingStep", "train_step"]

CAUSES = ("DP", "PP", "CP", "EP", "TP")
"""The kinds of messages, in the order in which they are taken away to see what each costs."""

NETWORK = ("failures", "collisions", "oversubscription", "contention", "latency")
"""What makes messages slower than their bytes at the line rate of NICs, in the order in which they are taken away."""


ROUNDING = 1e-9
"""The share of a step below which what is left of it is rounding."""


@dataclass(frozen=True)
class SentMessage:
    """A message of a step, and how long it takes."""

    message: Message
    """The message."""
    calls: float
    """How often a rank sends it in a step."""
    time: MessageTime
    """The time of one call, alone."""

    @property
    def total_s(self) -> float:
        """The seconds of all calls of a step, whether something hides them or not."""
        return self.calls * self.time.total_s


@dataclass(frozen=True, repr=False)
class TrainingStep(Plotted):
    """A training step on a fabric."""

    name: str
    """The name of the design."""
    model: str
    """The name of the model."""
    parallel: Parallel
    """How it is divided."""
    batch: int
    """The sequences of a step, over all GPUs."""
    sequence: int
    """The tokens of a sequence."""
    precision: str
    """The precision of the layers' matrix products."""
    software: str
    """The name of the training framework."""
    routing: str
    """The name of the routing."""
    accelerator: str
    """The name of the GPU."""
    step_s: float
    """The seconds of a step: the sum of computation, update, bubble and exposed messages below."""
    compute_s: Mapping[str, float]
    """What the busiest rank computes, by part."""
    update_s: float
    """The update of weights."""
    bubble_s: float
    """For how long that rank would wait for other stages if messages took no time."""
    exposed_s: Mapping[str, float]
    """By how much messages prolong the step, by cause: each as the causes before it are taken away."""
    network_s: Mapping[str, float]
    """The same by what slows messages down, `bandwidth` being their bytes at the line rate of NICs and NVLink."""
    ideal_step_s: float
    """The seconds of a step on an ideal network: NICs alone limit it, and all of them are at one switch."""
    flops: Mapping[str, float]
    """The operations of a step by the ways to count them (COUNTS), without what is computed again."""
    recompute_flops: float
    """The operations of a step that are computed again, counted as `full`."""
    peak_tflops: float
    """The peak of a GPU in this precision."""
    expected_error: float
    """The share e such that nine of ten published runs took from 1/(1+e) to 1+e times as long as was predicted of them
    by constants that their own series had no part in."""
    memory: Memory
    """What the GPU that needs most memory holds."""
    messages: tuple[SentMessage, ...]
    """What the busiest rank sends, what takes longest first."""
    run: StepRun = field(compare=False)
    """When everything runs."""
    unsaid: tuple[str, ...] = field(default=(), compare=False)
    """The keys of the layout that nobody gave, whose values follow from the fabric and its memory."""
    gpu_hour: GpuHour = field(default_factory=GpuHour)
    """The price of a GPU for an hour, where it is known."""

    def __post_init__(self) -> None:
        freeze(self)

    def __repr__(self) -> str:
        return (
            f"<TrainingStep {self.name}: {self.model} on {self.gpus:,} GPUs, {self.step_s:.4g} s, MFU {self.mfu:.1%}>"
        )

    @property
    def gpus(self) -> int:
        """The GPUs of the run."""
        return self.parallel.gpus

    @property
    def tokens(self) -> int:
        """The tokens of a step."""
        return self.batch * self.sequence

    @property
    def tokens_s_gpu(self) -> float:
        """The tokens per second and GPU."""
        return self.tokens / self.step_s / self.gpus

    @property
    def tflops_gpu(self) -> float:
        """The TFLOP/s of a GPU, with the operations of the model counted as `full`."""
        return self.flops["full"] / self.step_s / self.gpus / 1e12

    @property
    def mfu(self) -> float:
        """The share of the GPU's peak in this precision that the model's operations make (`full`; arXiv:2204.02311)."""
        return self.tflops_gpu / self.peak_tflops

    @property
    def hfu(self) -> float:
        """The same with what is computed again."""
        return self.mfu * (1 + self.recompute_flops / self.flops["full"])

    @property
    def network_cost(self) -> float:
        """By which share the step is longer than on an ideal network."""
        return self.step_s / self.ideal_step_s - 1

    def usd_per_trillion_tokens(self, gpu_hour_usd: float | None = None) -> float | None:
        """Return the cost of training on 10^12 tokens at a price of a GPU for an hour, by default the step's own.

        None where that is not known.
        """
        price = self.gpu_hour.usd if gpu_hour_usd is None else gpu_hour_usd
        return None if price is None else price * 1e12 / (3600 * self.tokens_s_gpu)

    @property
    def limited_by(self) -> str:
        """What takes the most of what the busiest rank does not compute: `bubble`, a cause of messages, or `update`."""
        lost = {"bubble": self.bubble_s, "update": self.update_s, **self.exposed_s}
        return max(lost, key=lambda each: lost[each])


def train_step(
    blueprint: Blueprint, run: ModelRun, *, routing: str = "adaptive", network: NetworkTime | None = None
) -> TrainingStep:
    """Return what a step of a run takes on a fabric, on the first GPUs, or as `network` places it.

    Raises InputError for what can't run (`check`), for GPUs, precisions and software that were not measured, and as
    `NetworkTime.of`.
    """
    prepared = prepare_step(blueprint, run, routing=routing, network=network)
    step, view, accelerator = prepared.step, prepared.view, prepared.accelerator
    without = [view.without_causes(CAUSES[:count]) for count in range(len(CAUSES) + 1)]
    faster = [view.without_parts(NETWORK[:count]) for count in range(len(NETWORK) + 1)]
    *runs, ideal = _run_each(step, [*without, *faster, view.on_ideal_network()])
    none = runs[len(CAUSES)]
    busiest = int(step.compute_s.argmax())
    compute = step.compute_of(busiest)
    exposed = dict(zip(CAUSES, _differences(runs[: len(without)]), strict=True))
    network_s = dict(zip((*NETWORK, "bandwidth"), _differences([*runs[len(without) :], none]), strict=True))
    bubble = none.step_s - step.update_s - sum(compute.values())
    bubble = bubble if bubble > ROUNDING * none.step_s else 0.0
    again = step.overlap.software.recomputes_products
    model, parallel, sequence, tokens = run.model, run.parallel, run.model.sequence, run.batch * run.model.sequence
    return TrainingStep(
        name=blueprint.name, model=model.name, parallel=parallel, batch=run.batch, sequence=sequence,
        precision=run.precision, software=run.software, routing=routing, accelerator=accelerator.name,
        step_s=runs[0].step_s, compute_s=compute, update_s=step.update_s, bubble_s=bubble, exposed_s=exposed,
        network_s=network_s, ideal_step_s=ideal.step_s,
        flops={name: tokens * count(model, sequence) for name, count in COUNTS.items()},
        recompute_flops=tokens * flops_of_recompute(model, sequence, parallel.recompute, products=again),
        peak_tflops=accelerator.peak_tflops[run.precision], expected_error=prepared.expected_error,
        memory=memory_of(run, accelerator), messages=_list_messages(step, view, busiest), run=runs[0],
    )  # fmt: skip


def _list_messages(step: Step, view: MessageView, rank: int) -> tuple[SentMessage, ...]:
    """Return what a rank sends, what takes longest first."""
    sent = [SentMessage(message, calls, view.time(message)) for message, calls in step.calls_of(rank).items()]
    return tuple(sorted((each for each in sent if each.total_s), key=lambda each: -each.total_s))


def _run_each(step: Step, views: Sequence[MessageView]) -> list[StepRun]:
    """Return the step with the messages of each view, simulated once for all that are alike."""
    messages = [call.message for chunk in step.chunks for call in chunk.calls]
    found: dict[tuple[object, ...], StepRun] = {}
    keys = [view.key(messages) for view in views]
    for key, view in zip(keys, views, strict=True):
        if key not in found:
            found[key] = step.run(view)
    return [found[key] for key in keys]


def _differences(runs: list[StepRun]) -> list[float]:
    """Return by how much each run is longer than the next."""
    return [one.step_s - other.step_s for one, other in pairwise(runs)]
