"""The request whose design is what was discovered: written from the structure alone, and held to it by designing it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fabric.catalog import switches as catalogue
from fabric.discovery import Discovery
from fabric.discovery.direct import DirectNetwork, find_direct
from fabric.discovery.structure import Structure, Tier, find_structure
from fabric.errors import Infeasible, InputError
from fabric.studies.discovered_direct import PARALLEL, CountedPart, compare_direct, describe_direct, plain_rate
from fabric.studies.study import Study, design
from fabric.units import count_noun

__all__ = ["CountedPart", "DiscoveredDesign", "recover_design"]

ROLES = ("leaf", "spine", "core")
"""The tiers of the families that a request may name, from the hosts upward."""


@dataclass(frozen=True)
class DiscoveredDesign:
    """What a discovered fabric is, and the design that it is closest to."""

    discovery: Discovery
    """The devices and cables."""
    structure: Structure
    """Their structure."""
    request: dict[str, Any] | None
    """The request in plain values; None where no family of the registry has such a structure."""
    study: Study | None
    """Its design; None where there is none."""
    counts: tuple[CountedPart, ...]
    """The switches and links of both."""
    assumed: tuple[str, ...]
    """What the request assumes, since no file says it."""
    refusal: str = ""
    """Why there is no request or no design."""
    direct: DirectNetwork | None = None
    """The direct network that it is; None of a Clos fabric and of what is not known."""

    @property
    def agrees(self) -> bool:
        """Whether the design has as many switches and links as were discovered, of every kind."""
        return self.study is not None and all(each.found == each.designed for each in self.counts)


def recover_design(found: Discovery, name: str = "discovered") -> DiscoveredDesign:
    """Return the structure of a discovery, and the request and design that it is closest to.

    A model of the catalogue stands for switches that name it, and the facts of the ports in use for others.
    """
    structure = find_structure(found)
    direct = find_direct(structure)
    refusal = "" if direct else _refuse(structure)
    if refusal:
        return DiscoveredDesign(found, structure, None, None, (), (), refusal)
    request, assumed = _write_request(structure, name, direct)
    for switches in _direct_switches(structure) if direct else _switches(structure):
        request["switches"] = switches
        try:
            study = design(**request)
        except (InputError, Infeasible) as error:
            refusal = str(error).splitlines()[0]
            continue
        counts = compare_direct(structure, study) if direct else _compare(structure, study)
        return DiscoveredDesign(found, structure, request, study, counts, assumed, direct=direct)
    return DiscoveredDesign(found, structure, request, None, (), assumed, refusal, direct)


def _refuse(structure: Structure) -> str:
    """Return why no request can be written; empty where one can."""
    tiers = len(structure.tiers)
    if not tiers:
        return "no switch has a cable to a host"
    if not structure.is_clos:
        return (
            f"{structure.same_tier:,} links join switches of one tier, and the switches are no direct network that is"
            " known: torus, mesh, HyperX, Slim Fly, dragonfly, dragonfly+ or a random graph of equal degrees"
        )
    if tiers > len(ROLES):
        return f"{tiers} tiers of switches; requests are recovered of up to {len(ROLES)}"
    if structure.rails_meet == 0 and tiers > 2:
        return "rails that never meet on three tiers, which no family has"
    return ""


def _write_request(
    structure: Structure, name: str, direct: DirectNetwork | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the request without its switches, and what it assumes."""
    rate = structure.tiers[0].rate_gbps
    assumed = ["a GPU for every NIC: cables say nothing of GPUs"]
    if math.isnan(rate):
        rate = 400.0
        assumed.append("links of 400 Gb/s: no file says their rate")
    nics = max(1, structure.adapters)
    request: dict[str, Any] = {
        "name": name,
        "gpus": _servers(structure) * nics,
        "server": {
            "name": f"server of {count_noun(nics, 'NIC')}",
            "gpus": nics,
            "nics": nics,
            "nic_gbps": plain_rate(rate * structure.planes),
        },
    }
    request |= describe_direct(structure, direct, rate) if direct else _describe_clos(structure, rate)
    return request, tuple(assumed)


def _describe_clos(structure: Structure, rate: float) -> dict[str, Any]:
    """Return the keys of a Clos fabric, of links of a rate where no file says it."""
    rails = structure.rails
    request: dict[str, Any] = {
        "family": "fat-tree" if rails == 1 else "rail-optimized" if structure.rails_meet else "rail-only",
        "planes": structure.planes,
        "tiers": len(structure.tiers),
        "link_gbps": _rates(structure, rate),
        "pinned": _pinned(structure),
    }
    if rails > 1:
        request["rails"] = rails
    if ratios := _ratios(structure):
        request["oversubscription"] = ratios
    parallel = max(tier.parallel for tier in structure.tiers)
    if parallel > PARALLEL:
        request["limits"] = {"parallel_links": parallel}
    return request


def _servers(structure: Structure) -> int:
    """Return the servers of the request: those discovered, where they fill as many units; else as many as do."""
    least, slots = structure.unit_hosts
    filled = (structure.units - 1) * slots
    return structure.hosts if structure.hosts > filled else filled + least


def _rates(structure: Structure, host: float) -> dict[str, int | float]:
    names = ("server", *ROLES)
    rates = [host, *(tier.rate_gbps for tier in structure.tiers[1:])]
    return {
        f"{names[place]}-{names[place + 1]}": plain_rate(host if math.isnan(rate) else rate)
        for place, rate in enumerate(rates)
    }


def _pinned(structure: Structure) -> dict[str, int]:
    tiers = structure.tiers
    pinned = {"block": structure.pod_units[1], "slot": structure.unit_hosts[1]}
    if len(tiers) > 1:
        pinned |= {"spine": structure.spines, "leaf-spine": tiers[1].parallel}
    if len(tiers) > 2:
        pinned |= {"pod": structure.pods, "group": structure.groups, "core": structure.cores}
        pinned["spine-core"] = tiers[2].parallel
    return pinned


def _ratios(structure: Structure) -> dict[str, float]:
    """Return the ratio of bandwidth down to up of a switch in a full place, by tier, where it is above 1."""
    tiers = structure.tiers
    down, up = _ports_by_side(structure)
    found = {}
    for place, links in enumerate(up[:-1]):
        below, above = (1.0 if math.isnan(tier.rate_gbps) else tier.rate_gbps for tier in tiers[place : place + 2])
        ratio = down[place] * below / (links * above)
        if ratio > 1:
            found[ROLES[place]] = math.ceil(ratio * 1e6) / 1e6
    return found


def _switches(structure: Structure) -> Iterator[dict[str, Any]]:
    """Yield what to take for the switches of each tier: models of the catalogue, then the facts of the ports in use."""
    facts = {ROLES[place]: _facts(structure, place) for place in range(len(structure.tiers))}
    named = {ROLES[place]: _model(tier) for place, tier in enumerate(structure.tiers)}
    if any(named.values()):
        yield {role: named[role] or facts[role] for role in facts}
    yield facts
    needed = [down + up for down, up in zip(*_ports_by_side(structure), strict=True)]
    yield {role: {**facts[role], "ports": max(facts[role]["ports"], needed[place])} for place, role in enumerate(facts)}


def _direct_switches(structure: Structure) -> Iterator[Any]:
    """Yield what to take for all switches of a direct network: the model that most name, then the ports in use."""
    if model := _model(structure.tiers[0]):
        yield model
    yield {**_facts(structure, 0), "name": "switch", "ports": max(tier.ports for tier in structure.tiers)}


def _ports_by_side(structure: Structure) -> tuple[list[int], list[int]]:
    """Return the ports down and up of a switch of each tier in a full place; those of single switches may be fewer."""
    tiers, rails = structure.tiers, structure.rails
    down, up = [structure.unit_hosts[1] * tiers[0].parallel], [0] * len(tiers)
    if len(tiers) > 1:
        up[0] = structure.spines * structure.groups * tiers[1].parallel
        down.append(structure.pod_units[1] * (rails if structure.rails_meet == 2 else 1) * tiers[1].parallel)
    if len(tiers) > 2:
        up[1] = structure.cores * tiers[2].parallel
        down.append(structure.pods * structure.spines * (rails if structure.rails_meet == 3 else 1) * tiers[2].parallel)
    return down, up


def _model(tier: Tier) -> str:
    """Return the model of the catalogue that most switches of a tier name; empty where there is none."""
    if not tier.models:
        return ""
    word = tier.models[0][0].lower()
    for name, model in catalogue().items():
        number = (model.vendor_number or "").lower().split("-")[0]
        if word == name or (number and word == number):
            return name
    return ""


def _facts(structure: Structure, place: int) -> dict[str, Any]:
    """Return the facts of a tier's switch by its ports: those at the faster rate, which split for slower links."""
    tiers = structure.tiers
    rates = [tier.rate_gbps for tier in tiers[place : place + 2]]
    known = [rate for rate in rates if not math.isnan(rate)] or [400.0]
    fast, slow = max(known), min(known)
    ports = tiers[place].ports
    name = f"switch of the {ROLES[place]} tier"
    facts: dict[str, Any] = {"name": name, "ports": ports, "rate_gbps": plain_rate(fast)}
    if slow < fast and fast % slow == 0:
        facts["breakouts"] = {plain_rate(slow): ports * int(fast // slow)}
    return facts


def _compare(structure: Structure, study: Study) -> tuple[CountedPart, ...]:
    blueprint = study.blueprint
    names = ("server", *ROLES)
    switches = [
        CountedPart(ROLES[place], tier.switches, blueprint.devices(ROLES[place]))
        for place, tier in enumerate(structure.tiers)
    ]
    bundles = [(f"{names[place]}-{names[place + 1]}", tier.links) for place, tier in enumerate(structure.tiers)]
    links = {bundle.name: blueprint.links(bundle) for bundle in blueprint.topology.bundles}
    return (*switches, *(CountedPart(name, found, links[name]) for name, found in bundles))
