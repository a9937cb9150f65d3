"""Sentences on a design that the terminal, the Markdown report and the page share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from fabric import units
from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import links_of_pairs, uneven_bundles
from fabric.flow import ROUTINGS
from fabric.report.best_possible import describe_best
from fabric.report.design import Design
from fabric.report.objectives import label_of, tolerance_of, write_amount
from fabric.report.text import add_article, describe_rates, format_percent, name_places, name_rail_tier, name_size
from fabric.report.unlike_servers import name_servers
from fabric.topology.axis_bundle import BalancedBundle
from fabric.topology.topology import PLANE, title

__all__ = [
    "describe_bandwidth",
    "describe_best_allreduce",
    "describe_choice",
    "describe_electricity",
    "describe_failures",
    "describe_objective",
    "describe_status",
    "describe_uplinks",
]


def describe_choice(design: Design) -> str:
    """Return the paragraph that says what was chosen."""
    blueprint, cost, money = design.blueprint, design.cost, design.write_money
    roles = ", ".join(f"{units.count(tier.count)} {tier.role}" for tier in design.switches)
    ends, name = units.count_ends(design.spec.gpus, blueprint.servers), name_servers(blueprint)
    servers = f" in {units.count_noun(blueprint.servers, 'server')}" if design.spec.gpus else ""
    each = "" if cost.per_gpu is None else f" ({money(cost.per_gpu)} per GPU)"
    price = "" if cost.total is None else f" Cost: {money(cost.total)}{each}."
    places = f", in {text}" if (text := name_places(blueprint)) else ""
    return (
        f"{ends}{servers} ({name}) on {add_article(blueprint.topology.family)} fabric"
        f" ({name_size(blueprint)}{name_rail_tier(blueprint)}):"
        f" {units.count_noun(design.switches_total, 'switch', 'switches')} ({roles}) and"
        f" {units.count_noun(design.links_total, 'link')} {describe_rates(blueprint)}{places}.{price}"
    )


def describe_objective(design: Design) -> str:
    """Return what was minimised, in order of importance: `Objective: minimise cost, then hops.`."""
    tolerances = {name: tolerance_of(name) for name in design.proof.objectives}
    names = (f"{label_of(name)}{f' (within {text})' if text else ''}" for name, text in tolerances.items())
    site = ""
    if laid_out := design.proof.fabrics_laid_out:
        fabrics = units.count_noun(laid_out, "fabric was", "fabrics were")
        site = f" on the site: cables by length and parts by reach, as {fabrics} laid out (`{design.spec.site.layout}`)"
    return f"Objective: minimise {', then '.join(names)}{site}."


def describe_status(design: Design, *, bound: bool = False) -> str:
    """Return what the solver proved, with the objective's value and its lower bound where `bound`."""
    proof = design.proof
    gap = "no lower bound" if proof.gap is None else f"gap {format_percent(proof.gap, '.2f')}"
    proven = "proven under this rule of layout" if proof.fabrics_laid_out else "proven"
    status = f"Status: {proof.status} ({proven if proof.status == 'OPTIMAL' else gap})"
    if not bound:
        return f"{status}."
    write = partial(write_amount, proof.objective_name, currency=design.spec.currency)
    below = "" if proof.bound is None else f", lower bound {write(proof.bound)}"
    return f"{status}: {write(proof.objective)}{below}."


def describe_uplinks(design: Design) -> Iterator[str]:
    """Yield how the links of switches spread over those above them, where that can be chosen."""
    blueprint = design.blueprint
    topology, even = blueprint.topology, "a switch has as many links to each of those above it"
    if uneven := uneven_bundles(blueprint):
        yield f"Uplinks are balanced: {', '.join(_describe_uneven(blueprint, bundle) for bundle in uneven)}."
    elif topology.balanced_bundles:
        yield f"Uplinks may be balanced, and spread evenly here: {even}."
    elif topology.balanced() != topology:
        yield f"Uplinks spread evenly: {even}."


def _describe_uneven(blueprint: Blueprint, bundle: BalancedBundle) -> str:
    """Return how the links of a device spread: `the 32 of a leaf are 1 or 2 to each of 19 spines`."""
    least, most = links_of_pairs(blueprint, bundle)
    above = units.count_noun(blueprint.evaluate(bundle.upper_only), title(bundle.upper.role))
    up = units.count(blueprint.ports_up(bundle.lower.role))
    return f"the {up} of {add_article(title(bundle.lower.role))} are {least} or {most} to each of {above}"


def describe_failures(design: Design) -> str:
    """Return what throughput is sure to remain after each loss; a plane's only where there are several."""
    shares = [f"{loss} {format_percent(share)}" for loss, share in design.survives.items() if loss != PLANE or share]
    estimated = "; `fabric allreduce --fail` estimates it" if design.spec.gpus else ""
    known = ", ".join(shares) or f"not known in closed form{estimated}"
    return f"Guaranteed throughput after one failure: {known}."


def describe_bandwidth(design: Design) -> str:
    """Return the bandwidth in and across, and the length of paths."""
    study = design.study
    return (
        f"Injection bandwidth {units.rate(study.injection_gbps)}, bisection bandwidth"
        f" {units.rate(study.bisection_gbps)}. Hops: {study.hops.max} max, {design.hops_mean:.3f} on average."
    )


def describe_best_allreduce(design: Design) -> Iterator[str]:
    """Yield the best possible bus bandwidth of an all-reduce beside what the library gets at the largest size."""
    if design.allreduce_bound and design.allreduce:
        size = max(estimate.size_bytes for estimate in design.allreduce)
        at_size = [estimate for estimate in design.allreduce if estimate.size_bytes == size]
        got = [(ROUTINGS[estimate.routing].label, estimate.busbw_GBps) for estimate in at_size]
        yield describe_best(design.allreduce_bound, size, got, " for an all-reduce")


def describe_electricity(design: Design) -> Iterator[str]:
    """Yield the line on electricity, where the request gives years and a price."""
    spec, cost = design.spec, design.cost
    years, price = spec.request["years"], spec.request["electricity_usd_per_kwh"]
    if years is not None and price is not None:
        yield (
            f"Electricity: {design.write_money(cost.electricity)} over {units.count_noun(years, 'year')} at"
            f" {units.money_sign(spec.currency)}{price:g} per kWh and a PUE of {spec.request['pue']:g};"
            f" {design.write_money(cost.total_with_electricity)} with the cost."
        )
