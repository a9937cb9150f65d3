"""The records of training as `fabric list` and `fabric show` print them: models, accelerators and software."""

from __future__ import annotations

from dataclasses import asdict

from fabric import catalog
from fabric.catalog import Accelerator, Model, Software
from fabric.errors import nearest_name
from fabric.report.listing import Listing
from fabric.request import topologies
from fabric.training.operations import count_parameters

__all__ = ["find_facts", "list_accelerators", "list_models", "list_software", "suggest_name"]


def find_facts(name: str) -> dict[str, object] | None:
    """Return the facts of the model, GPU or software of this name that are known; None where there is no such record.

    Those of a model are a file of it.
    """
    if name in catalog.models():
        facts = asdict(catalog.models()[name])
    elif name in catalog.accelerators():
        facts = _accelerator_facts(catalog.accelerators()[name])
    elif name in catalog.training_software():
        facts = _software_facts(catalog.training_software()[name])
    else:
        return None
    return {key: value for key, value in facts.items() if value is not None}


def suggest_name(word: str) -> str:
    """Return `; did you mean 'x'?` where a record of training is the nearest to a word, or an empty text."""
    records = {*catalog.models(), *catalog.accelerators(), *catalog.training_software()}
    name = nearest_name(word[:100], [*records, *topologies()])
    return f"; did you mean '{name}'?" if name in records else ""


def list_models() -> Listing:
    """Return the models; in the terminal facts share columns, and sources are left out."""
    columns = {
        "name": "name",
        "parameters": "billions",
        "active_parameters": "active",
        "layers": "layers",
        "hidden": "hidden",
        "heads": "heads, kv",
        "experts": "experts, top",
    }
    found = [*catalog.models().values()]
    return Listing(columns, [_model_row(model) for model in found], [_model_facts(model) for model in found])


def _model_facts(model: Model) -> dict[str, object]:
    """Return a model as `--json` prints it."""
    weights = count_parameters(model)
    return {**asdict(model), "parameters": weights.total, "active_parameters": weights.active}


def _model_row(model: Model) -> tuple[object, ...]:
    weights = count_parameters(model)
    return (
        model.name,
        f"{weights.total / 1e9:,.1f}",
        f"{weights.active / 1e9:,.1f}",
        model.layers,
        f"{model.hidden:,}",
        f"{model.heads}, {model.kv_heads}",
        f"{model.experts}, {model.top_k}" if model.experts else None,
    )


def list_accelerators() -> Listing:
    """Return the GPUs that training is timed on; in the terminal peaks have a column for each precision."""
    shown = ("bf16", "fp8", "nvfp4")
    columns = {"name": "name", "generation": "generation", "hbm_gib": "HBM (GiB)", "hbm_GBps": "HBM (GB/s)"}
    found = [*catalog.accelerators().values()]
    rows = [
        (item.name, item.generation, item.hbm_gib, item.hbm_GBps, *(item.peak_tflops.get(name) for name in shown))
        for item in found
    ]
    facts = [_accelerator_facts(item) for item in found]
    return Listing({**columns, **{name: f"{name} (TFLOP/s)" for name in shown}}, rows, facts)


def _accelerator_facts(item: Accelerator) -> dict[str, object]:
    """Return a GPU in plain values, with the precisions in which runs on it were measured, so that it is timed."""
    timed = [*catalog.training_efficiency().matmul.get(item.name, ())]
    return {**asdict(item), "peak_tflops": dict(item.peak_tflops), "timed": timed}


def list_software() -> Listing:
    """Return the training frameworks; in the terminal with the kinds of messages that they overlap."""
    kinds = ("tp", "pp", "dp", "ep")
    found = [*catalog.training_software().values()]
    rows = [
        (each.name, each.title, ", ".join(kind.upper() for kind in kinds if getattr(each, f"overlaps_{kind}")) or None)
        for each in found
    ]
    facts = [_software_facts(each) for each in found]
    return Listing({"name": "name", "title": "framework", "overlaps": "overlaps"}, rows, facts)


def _software_facts(each: Software) -> dict[str, object]:
    """Return a framework in plain values."""
    return {**asdict(each), "kernel_classes": dict(each.kernel_classes)}
