"""A step of a run on a fabric, put together before it is timed."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.catalog import Accelerator, Software, TrainingEfficiency, accelerators, training_efficiency
from fabric.errors import InputError, nearest
from fabric.training.buckets import join_layers, least_bucket
from fabric.training.check import check
from fabric.training.chunk import Chunk
from fabric.training.compute import part_times, stage_times, update_s
from fabric.training.kernels import kernels_of
from fabric.training.memory import updated_weights
from fabric.training.message_views import MessageView
from fabric.training.messages import Bytes, messages_of
from fabric.training.model_run import ModelRun
from fabric.training.network_time import NetworkTime
from fabric.training.passes import Overlap
from fabric.training.stages import divide_into_chunks
from fabric.training.step_run import Step

__all__ = ["PreparedStep", "accelerator_of", "bytes_of", "prepare_step"]


@dataclass(frozen=True, eq=False)
class PreparedStep:
    """A step that can be timed."""

    step: Step
    """What it consists of."""
    view: MessageView
    """The times of its messages."""
    accelerator: Accelerator
    """The GPU that it runs on."""
    expected_error: float
    """The error to expect of its time (`TrainingEfficiency.errors`)."""

    def step_s(self) -> float:
        """Return the seconds of the step alone, without what prolongs it."""
        return self.step.run(self.view).step_s


def prepare_step(
    blueprint: Blueprint,
    run: ModelRun,
    *,
    routing: str = "adaptive",
    network: NetworkTime | None = None,
    constants: TrainingEfficiency | None = None,
) -> PreparedStep:
    """Return a step of a run, by these efficiency constants; other words and the errors are those of `train_step`."""
    check(run, blueprint.gpus)
    model, parallel, accelerator = run.model, run.parallel, accelerator_of(blueprint)
    kernels = kernels_of(accelerator, run.precision, _check_software(run.software), parallel, constants)
    framework = kernels.software
    calls = messages_of(model, parallel, sent=bytes_of(framework))
    stages, least = divide_into_chunks(model, parallel), least_bucket(framework, parallel)
    times = part_times(kernels, model, parallel)
    unlike = {stage: Chunk(stage, stage_times(stage, times), join_layers(calls, stage, least)) for stage in set(stages)}
    overlap = Overlap(framework, parallel, kernels.occupied)
    update = update_s(kernels, updated_weights(model, parallel))
    step = Step.of(overlap, [unlike[stage] for stage in stages], run.batch, update)
    view = MessageView(network or NetworkTime.of(blueprint, parallel, routing))
    error = kernels.constants.errors["experts" if model.experts else "dense"]
    return PreparedStep(step, view, accelerator, error)


def bytes_of(software: Software) -> Bytes:
    """Return the bytes in which a training framework sends values."""
    return Bytes(gradient=software.gradient_bytes, dispatch=software.dispatch_bytes, joined=software.joins_copies)


def accelerator_of(blueprint: Blueprint) -> Accelerator:
    """Return the GPU of a design's servers; raises InputError where it, or how fast its NVLink is, is not known."""
    server = blueprint.server
    if server.gpus > 1 and server.nvlink_GBps is None:
        raise InputError(
            f"server {server.name}: how fast its {server.gpus} GPUs send to each other is not known; set `nvlink_GBps`"
        )
    if server.accelerator not in accelerators():
        known = ", ".join(sorted(accelerators()))
        raise InputError(f"server {server.name}: its GPU is not known; set `accelerator` to one of: {known}")
    return accelerators()[server.accelerator]


def _check_software(name: str) -> str:
    """Return the name of a training framework; raises InputError for an unknown one."""
    if name not in (known := training_efficiency().software):
        raise InputError(f"unknown software '{name:.60}'{nearest(name, known)}")
    return name
