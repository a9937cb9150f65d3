"""The design as one plain object: what `--json` prints and `design.json` holds (docs/design-json.md)."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import Attached, attach_appliances
from fabric.blueprint.bill_rows import Bill
from fabric.blueprint.metrics import links_of_pairs, matched_share
from fabric.errors import Infeasible
from fabric.optimizer import Alternative
from fabric.report.design import Design, SwitchTier
from fabric.report.growth import foresight_object, stage_object
from fabric.report.near_optima import near_object
from fabric.report.sensitivity import list_changes
from fabric.report.unlike_servers import list_server_kinds
from fabric.topology.axis_bundle import BalancedBundle

__all__ = ["SCHEMA", "design_object", "fabric_object", "infeasible_object"]

SCHEMA = "fabric.design/1"


def design_object(design: Design, *, timed: bool = True) -> dict[str, Any]:
    """Return the design object; unless `timed`, `optimizer.wall_s` is None, so that equal requests give equal files."""
    blueprint, spec, bill = design.blueprint, design.spec, design.bill
    topology = blueprint.topology
    found: dict[str, Any] = {
        "schema": SCHEMA,
        **fabric_object(blueprint),
        "switches": {
            "total": design.switches_total,
            "by_role": {tier.role: _tier_object(blueprint, tier) for tier in design.switches},
        },
        "links": _links_object(design),
        "modules": _count_parts(bill, ("module",), "by_role"),
        "fibres": _count_parts(bill, ("fibre",), "by_bundle"),
        "cables": _count_parts(bill, ("fibre", "cable"), "by_bundle"),
        "cages": _count_parts(bill, ("cage",), "by_role"),
        "oversubscription": {
            tier.role: tier.oversubscription for tier in design.switches if tier.oversubscription is not None
        },
        "survives": design.survives,
        "appliances": [_appliance_object(each) for each in attach_appliances(blueprint)],
        "stages": [stage_object(stage) for stage in design.study.stages],
        "foresight": foresight_object(design),
        "hops": {"max": design.study.hops.max, "mean": design.hops_mean},
        "virtual_channels": topology.virtual_channels,
        "injection_gbps": design.study.injection_gbps,
        "bisection_gbps": design.study.bisection_gbps,
        "currency": spec.currency,
        "cost_usd": asdict(design.cost),
        "power_w": {
            "total": design.power_w,
            "per_gpu": None if design.power_w is None or not spec.gpus else round(design.power_w / spec.gpus, 2),
            "maximum": bill.max_power_w,
        },
        **_allreduce_objects(design),
        "optimizer": _proof_object(design, timed),
        "notes": list(design.notes),
        "sources": list(spec.sources),
        "request": dict(spec.request),
        "expected": [asdict(number) for number in design.expected],
    }
    changes = design.price_changes
    return found if changes is None else found | {"sensitivity": list_changes(changes)}


def fabric_object(blueprint: Blueprint) -> dict[str, Any]:
    """Return the form and the sizes of a fabric as plain values: the first keys of the design object."""
    topology = blueprint.topology
    return {
        "name": blueprint.name,
        "family": topology.family,
        "form": topology.text,
        "rails_meet": topology.rails_meet_at if blueprint.rails > 1 else None,
        "gpus": blueprint.gpus,
        "server": " + ".join(server.name for server in blueprint.servers_by_role.values()),
        "servers": blueprint.servers,
        "server_kinds": list_server_kinds(blueprint),
        "rails": blueprint.rails,
        "planes": blueprint.planes,
        "tiers": blueprint.tiers,
        "unit_gpus": blueprint.unit_gpus,
        "pod_gpus": blueprint.pod_gpus,
        "link_gbps": blueprint.link_gbps,
        "axes": {axis: blueprint.sizes[axis] for axis in topology.axes},
        "copies": {each.name: blueprint.sizes[each.name] if blueprint.links(each) else 0 for each in topology.bundles},
        "sizes": dict(blueprint.sizes),
        "uplinks": {bundle.name: _uplinks_object(blueprint, bundle) for bundle in topology.balanced_bundles},
    }


def _allreduce_objects(design: Design) -> dict[str, Any]:
    return {
        "allreduce": [asdict(estimate) for estimate in design.allreduce],
        "allreduce_in_network": [asdict(estimate) for estimate in design.allreduce_in_network],
        "allreduce_bound": None if design.allreduce_bound is None else asdict(design.allreduce_bound),
    }


def _uplinks_object(blueprint: Blueprint, bundle: BalancedBundle) -> dict[str, Any]:
    least, most = links_of_pairs(blueprint, bundle)
    return {
        "links": blueprint.ports_up(bundle.lower.role),
        "switches": blueprint.evaluate(bundle.upper_only),
        "per_pair": {"min": least, "max": most},
        "matched": float(matched_share(blueprint, bundle)),
    }


def _appliance_object(each: Attached) -> dict[str, Any]:
    one = each.appliance
    return {
        "name": one.name,
        "tier": one.tier,
        "count": each.copies,
        "ports": each.links,
        "switches": each.switches,
    }


def _links_object(design: Design) -> dict[str, Any]:
    return {
        "total": design.links_total,
        "by_bundle": {bundle.name: bundle.links for bundle in design.links},
        "per_pair": {bundle.name: bundle.per_pair for bundle in design.links},
        "gbps": design.blueprint.bundle_rates,
    }


def _tier_object(blueprint: Blueprint, tier: SwitchTier) -> dict[str, Any]:
    return {
        "count": tier.count,
        "model": tier.model,
        "models": dict(tier.models),
        "models_added": {model.name: count for model, count in blueprint.growth.get(tier.role, ())},
        "ports_down": tier.ports_down,
        "ports_up": tier.ports_up,
        "ports_used": tier.ports_used,
        "ports_now": {"min": tier.ports.least, "max": tier.ports.most, "total": tier.ports.total},
        "ports_full": tier.ports.full,
        "ports_free": tier.ports.free,
        "radix": tier.radix,
        "rate_gbps": tier.rates.down,
        "uplink_gbps": tier.rates.up or None,
    }


def _count_parts(bill: Bill, kinds: tuple[str, ...], by: str) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for row in bill.of(*kinds):
        counts[row.used_for] += row.quantity
    return {"total": bill.quantity(*kinds), by: dict(counts)}


def _proof_object(design: Design, timed: bool) -> dict[str, Any]:
    study, proof = design.study, design.proof
    return {
        "status": proof.status,
        "objective_name": proof.objective_name,
        "objective": proof.objective,
        "bound": proof.bound,
        "wall_s": round(proof.wall_s, 3) if timed and proof.wall_s is not None else None,
        "unpriced": list(proof.unpriced),
        "fabrics_laid_out": proof.fabrics_laid_out,
        "gap": proof.gap,
        "objectives": dict(proof.objectives),
        "binding": None if study.binding is None else [asdict(item) for item in study.binding],
        "near": near_object(study.near_optima),
        "fewer_hops": asdict(study.fewer_hops) if study.fewer_hops else None,
        "runner_up": _alternative_object(study.others[0]) if study.others else None,
        "others": [_alternative_object(other) for other in study.others],
    }


def _alternative_object(alternative: Alternative) -> dict[str, Any]:
    return {"name": alternative.name, **alternative.objectives}


def infeasible_object(answer: Infeasible) -> dict[str, Any]:
    """Return why there is no design as one plain object."""
    text = str(answer).partition("\n")[0]
    return {
        "schema": "fabric.infeasible/1",
        "status": "INFEASIBLE",
        "message": text,
        "reasons": list(answer.reasons),
        "conflict": [vars(item) for item in answer.conflict],
    }
