"""The measure `training`: a training step of a run on every design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fabric.errors import InputError
from fabric.request import Spec
from fabric.request.model_file import read_training
from fabric.studies.study import Study
from fabric.studies.training import AskedTraining, train_on
from fabric.sweeps.measure import Measure, MeasureColumn, Setting
from fabric.sweeps.read_settings import read_routing

__all__ = ["TRAINING"]

EXAMPLE = "{model: llama3-70b, parallel: {tp: 8, pp: 4}, batch: 1024}"


def read_run(value: Any) -> dict[str, Any] | None:
    """Return a model and its run in plain form; raises InputError for anything but the keys of a file of one."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InputError(f"{value!r:.40} is not a model and its run; write for example {EXAMPLE}")
    run = read_training(value)
    if run.parallel is None or run.batch is None:
        raise InputError(f"{run.model.name}: `parallel` and `batch` are needed; write for example {EXAMPLE}")
    return {str(key): dict(each) if isinstance(each, Mapping) else each for key, each in value.items()}


def _measure_training(study: Study, settings: Mapping[str, Any]) -> Sequence[Any]:
    if settings["run"] is None:
        raise InputError(f"training.run: no model and run to train; write for example {EXAMPLE}")
    asked = AskedTraining.read(settings["run"])
    step = train_on(study, asked, routing=settings["routing"])
    return (
        step.step_s,
        step.ideal_step_s,
        step.network_cost,
        step.mfu,
        step.tokens_s_gpu,
        step.gpu_hour.usd,
        step.usd_per_trillion_tokens(),
        step.limited_by,
    )


def _estimate_work(spec: Spec, _settings: Mapping[str, Any]) -> float:
    return 0.1 + 5e-7 * spec.gpus


TRAINING = Measure(
    "training",
    "a step of training a model (docs/training.md)",
    (
        MeasureColumn("training_step_s", "number", "its time in seconds"),
        MeasureColumn("training_ideal_step_s", "number", "its time on an ideal network, which NICs alone limit"),
        MeasureColumn("training_network_cost", "number", "by which share it is longer than that"),
        MeasureColumn("training_mfu", "number", "the share of the GPUs' peak that the model's operations make"),
        MeasureColumn("training_tokens_s_gpu", "number", "the tokens per second and GPU"),
        MeasureColumn(
            "training_gpu_hour_usd",
            "number",
            "the price of a GPU-hour: `gpu_hour_usd` of the run, or from prices of servers and fabric over `years`",
        ),
        MeasureColumn(
            "training_usd_per_trillion_tokens",
            "number",
            "the cost of tokens; missing where that price is not known",
        ),
        MeasureColumn("training_limited_by", "text", "what takes the most of what the busiest GPU does not compute"),
    ),
    _measure_training,
    (
        Setting("run", MeasureColumn("training_run", "text", "the model and its run"), None, read_run),
        Setting("routing", MeasureColumn("training_routing", "text", "the routing"), "adaptive", read_routing),
    ),
    _estimate_work,
)
