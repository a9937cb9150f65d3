"""The design as one plain object: what `--json` prints and `design.json` holds (docs/design-json.md)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from fabric.blueprint import Blueprint
from fabric.blueprint.bill import Bill
from fabric.blueprint.metrics import metrics_of
from fabric.blueprint.prices import Prices, unknown
from fabric.errors import Infeasible
from fabric.flow import curve
from fabric.optimizer import Runner
from fabric.report.expected import check
from fabric.studies.study import Study
from fabric.topology.families import family
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import Topology

__all__ = ["SCHEMA", "SIZES", "document", "infeasible_document", "left_out", "notes"]

SCHEMA = "fabric.design/1"

SIZES = tuple(2**power for power in range(20, 35, 2))
"""The message sizes estimated: 1 MiB to 16 GiB."""


def document(study: Study, *, timed: bool = True) -> dict[str, Any]:
    """Return the design object; unless `timed`, `optimizer.wall_s` is None, so that equal requests give equal files."""
    blueprint, spec, bill = study.blueprint, study.spec, study.bill
    design: dict[str, Any] = {
        "schema": SCHEMA,
        "name": spec.name,
        "family": blueprint.topology.family,
        "form": blueprint.topology.text,
        "rails_meet": blueprint.topology.rails_meet_at if blueprint.rails > 1 else None,
        "gpus": spec.gpus,
        "server": blueprint.server.name,
        "servers": blueprint.servers,
        "rails": blueprint.rails,
        "planes": blueprint.planes,
        "tiers": blueprint.tiers,
        "link_gbps": blueprint.link_gbps,
        "axes": {axis: blueprint.sizes[axis] for axis in blueprint.topology.axes},
        "copies": {bundle.name: blueprint.sizes[bundle.name] for bundle in blueprint.topology.bundles},
        "switches": {"total": blueprint.switches, "by_role": _roles(study)},
        "links": {
            "total": blueprint.links_total,
            "by_bundle": {bundle.name: blueprint.links(bundle) for bundle in blueprint.topology.bundles},
            "per_pair": {
                bundle.name: metrics_of(blueprint).links_per_pair(bundle) for bundle in blueprint.topology.bundles
            },
        },
        "modules": _counted(bill, "module", "by_role"),
        "cables": _counted(bill, "cable", "by_bundle"),
        "cages": _counted(bill, "cage", "by_role"),
        "oversubscription": {
            role: float(ratio) for role in blueprint.topology.roles if (ratio := blueprint.oversubscription(role))
        },
        "survives": {loss: round(float(share), 6) for loss, share in study.survives.items()},
        "hops": {"max": study.hops.max, "mean": round(study.hops.mean, 6)},
        "virtual_channels": blueprint.topology.virtual_channels,
        "injection_gbps": study.injection_gbps,
        "bisection_gbps": study.bisection_gbps,
        "cost_usd": _cost(bill),
        "power_w": {"total": bill.power_w, "per_gpu": _per(bill.power_w, spec.gpus)},
        "allreduce": [_estimate(asdict(estimate)) for estimate in curve(blueprint, SIZES)],
        "optimizer": _proof(study, timed),
        "notes": list(notes(study)),
        "sources": list(spec.sources),
        "request": dict(spec.request),
    }
    design["expected"] = check(design, spec.expected)
    return design


def _roles(study: Study) -> dict[str, dict[str, Any]]:
    blueprint = study.blueprint
    return {
        role: {
            "count": blueprint.devices(role),
            "model": blueprint.models[role].name,
            "models": {model.name: count for model, count in blueprint.boxes(role)},
            "ports_down": blueprint.ports_down(role),
            "ports_up": blueprint.ports_up(role),
            "ports_used": blueprint.ports_down(role) + blueprint.ports_up(role),
            "radix": blueprint.radix(role),
            "rate_gbps": blueprint.link_gbps,
        }
        for role in blueprint.topology.roles
    }


def _counted(bill: Bill, kind: str, by: str) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for row in bill.of(kind):
        counts[row.used_for] += row.quantity
    return {"total": bill.quantity(kind), by: dict(counts)}


def _cost(bill: Bill) -> dict[str, float | None]:
    total = bill.cost_usd()
    parts = {"switches": bill.cost_usd("switch"), "links": bill.cost_usd("link")}
    parts["nics"] = bill.cost_usd("nic") if bill.of("nic") else None
    running = bill.electricity_usd
    both = None if total is None or running is None else round(total + running, 4)
    electricity = {"electricity": running, "total_with_electricity": both}
    return {"total": total, **parts, "per_gpu": _per(total, bill.gpus), **electricity}


def _per(total: float | None, gpus: int) -> float | None:
    return None if total is None else round(total / gpus, 2)


def _estimate(values: Mapping[str, Any]) -> dict[str, Any]:
    """Round to six digits: beyond them a last bit may differ from machine to machine."""
    return {key: _digits(value) if isinstance(value, float) else value for key, value in values.items()}


def _digits(value: float) -> float:
    return value if value == 0 or not math.isfinite(value) else float(f"{value:.6g}")


def _proof(study: Study, timed: bool) -> dict[str, Any]:
    proof = study.proof
    return {
        "status": proof.status,
        "objective_name": proof.objective_name,
        "objective": proof.objective,
        "bound": proof.bound,
        "wall_s": round(proof.wall_s, 3) if timed else None,
        "unpriced": list(proof.unpriced),
        "gap": proof.gap,
        "objectives": dict(proof.objectives),
        "binding": None if study.binding is None else [asdict(item) for item in study.binding],
        "fewer_hops": asdict(study.fewer_hops) if study.fewer_hops else None,
        "runner_up": _runner(study.others[0]) if study.others else None,
        "others": [_runner(other) for other in study.others],
    }


def infeasible_document(answer: Infeasible) -> dict[str, Any]:
    """Return why there is no design as one plain object."""
    text = str(answer).partition("\n")[0]
    return {
        "schema": "fabric.infeasible/1",
        "status": "INFEASIBLE",
        "message": text,
        "reasons": list(answer.reasons),
        "conflict": [vars(item) for item in answer.conflict],
    }


def _runner(other: Runner) -> dict[str, Any]:
    return {"name": other.name, **other.objectives}


def notes(study: Study) -> Iterator[str]:
    """Say what a reader of the numbers must know and might not guess."""
    blueprint, spec = study.blueprint, study.spec
    item = family(blueprint.topology.family)
    if item.note:
        yield item.note
    if blueprint.planes > 1:
        yield (
            f"{blueprint.planes} planes: each NIC has one link in every plane; planes join only at the NICs, so traffic"
            " can't change plane inside the fabric, and a NIC that loses a plane reaches others through NVLink."
        )
    yield from _channels(blueprint.topology)
    yield from _simpler(blueprint)
    if blueprint.servers > 1 and study.survives.get(blueprint.topology.roles[0]) == 0:
        leaf = blueprint.topology.roles[0]
        yield f"A lost {leaf} cuts its servers off, and the job with them; survive: {{{leaf}: 0.5}} would forbid it."
    for part in study.proof.unpriced:
        yield f"{part} has no known price: the fewest switches, then links, were sought instead of the least cost."
    yield from _prices(study)
    if study.bill.power_w is None:
        prices, bundles = Prices(spec, blueprint.link_gbps), [bundle.name for bundle in blueprint.topology.bundles]
        models = [model for role in blueprint.topology.roles for model, _ in blueprint.boxes(role)]
        yield f"The power is unknown, having no figure for {', '.join(unknown(prices, 'power', models, bundles))}."
    for bundle in blueprint.topology.fabric_bundles:
        if blueprint.sizes[bundle.name] == spec.limits.parallel_links:
            yield f"The {bundle.name} links are at limits.parallel_links, {spec.limits.parallel_links} a pair."
    if unpriced := left_out(study):
        yield f"Left out of the choice, having no known price: {', '.join(unpriced)}."
    yield from _partly_filled(study)
    idle = blueprint.servers * blueprint.server.gpus - spec.gpus
    if idle:
        yield f"The last server holds {blueprint.server.gpus - idle} of its {blueprint.server.gpus} GPUs."


def _channels(form: Topology) -> Iterator[str]:
    """Say how many virtual channels the switches must have, where one is not enough."""
    if max(form.virtual_channels.values()) > 1:
        channels = " and ".join(f"{count} for {name}" for name, count in form.virtual_channels.items())
        yield f"Routing needs virtual channels not to lock: {channels} ways."


def _simpler(blueprint: Blueprint) -> Iterator[str]:
    """Say of a network without tiers when another, simpler one is the same or would do."""
    form, links = blueprint.topology, blueprint.servers * blueprint.server.nics
    if not isinstance(form, GraphForm):
        return
    leaf = form.roles[0]
    if links <= blueprint.radix(leaf):
        model = blueprint.models[leaf].name
        yield f"One {model} in each plane would carry all {links:,} NICs: family fat-tree with tiers 1."
    if form.family == "jellyfish" and blueprint.sizes["degree"] == blueprint.sizes["switch"] - 1:
        yield "Every switch is joined to every other, so nothing is random: it is a hyperx in 1 dimension."


def _prices(study: Study) -> Iterator[str]:
    """Say how old the prices are, and when a link is priced as the share of a faster one."""
    prices, rate = Prices(study.spec, study.blueprint.link_gbps), study.blueprint.link_gbps
    bundles = [each.name for each in study.blueprint.topology.bundles if study.spec.link_price(each.name) is None]
    parts = {part.name: part for name in bundles if (part := prices.part(name))}
    models = [model for role in study.blueprint.topology.roles for model, _ in study.blueprint.boxes(role)]
    dated = {model.name: model.price_date for model in models if model.price_date}
    for part in parts.values():
        dated |= {part.name: part.price_date} if part.price_date else {}
        share = part.share(rate)
        if share < 1:
            yield f"A {rate}G link is priced and powered as {share:g} of {part.name}: an assumption, that one is split."
    if dated:
        dates = ", ".join(f"{name} of {date}" for name, date in dated.items())
        yield f"Prices are dated indications, not quotations ({dates}); put your own in the request."


def left_out(study: Study) -> list[str]:
    """Return the allowed switches that were not compared because their price is not known."""
    if not {"cost_usd", "total_cost_usd"} & set(study.proof.objectives):
        return []
    models = [model for role in study.blueprint.topology.roles for model in study.spec.models(role)]
    return list(dict.fromkeys(model.name for model in models if model.price_usd is None))


def _partly_filled(study: Study) -> Iterator[str]:
    blueprint = study.blueprint
    sizes, placement = blueprint.sizes, blueprint.topology.server.axes
    for outer, inner in pairwise(placement):
        rest = sizes[f"{inner}s"] % sizes[inner]
        if rest:
            what = "servers" if inner == placement[-1] else f"{_place(inner)}s"
            yield f"The last {_place(outer)} is partly filled: {rest} of {sizes[inner]} {what}."


def _place(axis: str) -> str:
    """Return what people call a place: a block of servers that share their leaves is a unit."""
    return "unit" if axis == "block" else axis
