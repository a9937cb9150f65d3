"""The measures of this package, and the registry of all: what `measures:` in a sweep can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fabric.flow.routings import ROUTINGS
from fabric.registry import Registry
from fabric.request import Spec
from fabric.studies.study import Study
from fabric.sweeps.failure_measure import FAILURES
from fabric.sweeps.measure import Measure, MeasureColumn, Setting
from fabric.sweeps.read_settings import read_algorithm, read_routing, read_size
from fabric.sweeps.training_measure import TRAINING
from fabric.topology.families import family

__all__ = ["BUILTIN", "MEASURES"]


def allreduce_work(spec: Spec, settings: Mapping[str, Any]) -> float:
    """Return the seconds of an all-reduce: milliseconds in closed form, and more where flows are routed one by one."""
    direct = any(not family(name).layered for name in spec.families)
    explicit = not ROUTINGS[settings["routing"]].closed_form
    if explicit:
        return 0.01 + 2e-4 * spec.nics
    return 0.5 if direct and spec.gpus <= MOST_BY_FLOWS else 0.005


MOST_BY_FLOWS = 4096
"""The GPUs of a direct network up to which an all-reduce is estimated by flows, as work is estimated here."""


def _measure_fabric(study: Study, _settings: Mapping[str, Any]) -> Sequence[Any]:
    blueprint = study.blueprint
    return (
        blueprint.topology.family,
        blueprint.tiers,
        blueprint.planes,
        blueprint.unit_gpus,
        blueprint.pod_gpus,
    )


def _measure_cost(study: Study, _settings: Mapping[str, Any]) -> Sequence[Any]:
    cost = study.bill.cost_usd()
    return cost, None if cost is None or not study.spec.gpus else cost / study.spec.gpus


def _measure_total_cost(study: Study, _settings: Mapping[str, Any]) -> Sequence[Any]:
    cost, running = study.bill.cost_usd(), study.bill.electricity_usd
    return (None if cost is None or running is None else cost + running,)


def _measure_power(study: Study, _settings: Mapping[str, Any]) -> Sequence[Any]:
    return study.bill.power_w, study.bill.max_power_w


def _measure_switches(study: Study, _settings: Mapping[str, Any]) -> Sequence[Any]:
    return study.blueprint.switches, study.blueprint.rack_units


def _measure_links(study: Study, _settings: Mapping[str, Any]) -> Sequence[Any]:
    bill = study.bill
    return study.blueprint.links_total, bill.quantity("module"), bill.quantity("fibre", "cable")


def _measure_hops(study: Study, _settings: Mapping[str, Any]) -> Sequence[Any]:
    return study.hops.max, float(study.hops.mean)


def _measure_bisection(study: Study, _settings: Mapping[str, Any]) -> Sequence[Any]:
    return study.bisection_gbps, study.injection_gbps


def _measure_survival(study: Study, _settings: Mapping[str, Any]) -> Sequence[Any]:
    role, share = min(study.survives.items(), key=lambda item: item[1], default=(None, None))
    return None if share is None else float(share), role


def _measure_allreduce(study: Study, settings: Mapping[str, Any]) -> Sequence[Any]:
    found = study.allreduce(settings["size"], settings["routing"], settings["algorithm"])
    return found.time_s, found.busbw_GBps, found.algorithm, found.limited_by


BUILTIN = (
    Measure(
        "fabric",
        "what was designed: the family, tiers and planes",
        (
            MeasureColumn("fabric_family", "text", "the family of the design"),
            MeasureColumn("fabric_tiers", "whole", "its tiers"),
            MeasureColumn("fabric_planes", "whole", "its planes"),
            MeasureColumn("fabric_unit_gpus", "whole", "the GPUs of a scalable unit"),
            MeasureColumn("fabric_pod_gpus", "whole", "the GPUs of a pod"),
        ),
        _measure_fabric,
    ),
    Measure(
        "cost",
        "the cost of switches, links and what they need",
        (
            MeasureColumn("cost_usd", "number", "the cost, in the currency of the request"),
            MeasureColumn("cost_per_gpu_usd", "number", "the cost per GPU"),
        ),
        _measure_cost,
    ),
    Measure(
        "total_cost",
        "the cost with the electricity of the years of operation",
        (MeasureColumn("total_cost_usd", "number", "cost and electricity; missing where the request has no years"),),
        _measure_total_cost,
    ),
    Measure(
        "power",
        "the power of switches and modules",
        (
            MeasureColumn("power_w", "number", "the typical power in W"),
            MeasureColumn("max_power_w", "number", "the maximum power in W"),
        ),
        _measure_power,
    ),
    Measure(
        "switches",
        "the number of switches, and the rack units that they take",
        (
            MeasureColumn("switches_total", "whole", "the switches"),
            MeasureColumn("rack_units", "whole", "their rack units"),
        ),
        _measure_switches,
    ),
    Measure(
        "links",
        "the number of links, modules and cables",
        (
            MeasureColumn("links_total", "whole", "the links"),
            MeasureColumn("modules_total", "whole", "the modules"),
            MeasureColumn("cables_total", "whole", "the cables and fibres"),
        ),
        _measure_links,
    ),
    Measure(
        "hops",
        "the switches on a path between GPUs of different servers",
        (
            MeasureColumn("hops_max", "whole", "on the longest path"),
            MeasureColumn("hops_mean", "number", "on average over all pairs"),
        ),
        _measure_hops,
    ),
    Measure(
        "bisection",
        "the bandwidth between the two halves of the servers, and into the fabric",
        (
            MeasureColumn("bisection_gbps", "number", "from the first half of the servers to the second, in Gb/s"),
            MeasureColumn("injection_gbps", "number", "of all server links, in Gb/s"),
        ),
        _measure_bisection,
    ),
    Measure(
        "survival",
        "the guaranteed share of throughput after the loss of the worst single switch or plane",
        (
            MeasureColumn("survival_share", "number", "the share of throughput that remains"),
            MeasureColumn("survival_role", "text", "the role of the switch whose loss is the worst"),
        ),
        _measure_survival,
    ),
    Measure(
        "allreduce",
        "an all-reduce over all GPUs in random order",
        (
            MeasureColumn("allreduce_s", "number", "its time in seconds"),
            MeasureColumn("allreduce_busbw_GBps", "number", "its bus bandwidth in GB/s"),
            MeasureColumn("allreduce_chosen", "text", "the algorithm that is used"),
            MeasureColumn("allreduce_limited_by", "text", "what takes the most time"),
        ),
        _measure_allreduce,
        (
            Setting("size", MeasureColumn("allreduce_size_bytes", "whole", "the message size"), 2**30, read_size),
            Setting("routing", MeasureColumn("allreduce_routing", "text", "the routing"), "adaptive", read_routing),
            Setting(
                "algorithm",
                MeasureColumn("allreduce_algorithm", "text", "the algorithm asked for; missing: the library's choice"),
                None,
                read_algorithm,
            ),
        ),
        allreduce_work,
    ),
    FAILURES,
    TRAINING,
)

MEASURES = Registry("measure", "measures", Measure, lambda: BUILTIN)
"""What a sweep can compute of every design, by the word that asks for it."""
