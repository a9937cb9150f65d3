"""A discovered fabric as a summary, as JSON and as the text of its request."""

from __future__ import annotations

import math
from typing import Any

from fabric import units
from fabric.discovery.structure import Structure, Tier
from fabric.discovery.uneven import list_uneven
from fabric.report.table import Summary, Table
from fabric.request.yaml_writer import yaml_text
from fabric.studies.discovered_design import ROLES, DiscoveredDesign
from fabric.units import count_noun

__all__ = ["discovered_object", "request_text", "summarize_discovered"]

SHOWN = 20
"""The notes of readers that are printed; JSON has all."""


def summarize_discovered(found: DiscoveredDesign) -> Summary:
    """Return what a fabric is, tier by tier, what is uneven, and how near the design comes."""
    structure, seen = found.structure, found.discovery
    tables = [_tier_table(structure)] if structure.tiers else []
    uneven = [str(note) for note in list_uneven(seen, structure, direct=found.direct is not None)]
    notes = [str(note) for note in seen.notes]
    lines = (
        ["What deviates:", *(f"  {text}" for text in uneven)] if uneven else ["Nothing deviates from what most show."]
    )
    if notes:
        more = [f"  and {len(notes) - SHOWN:,} more; --json has all"] if len(notes) > SHOWN else []
        lines += ["Notes of the readers:", *(f"  {text}" for text in notes[:SHOWN]), *more]
    return Summary(_describe(found), tables, [*lines, *_describe_design(found)])


def _describe(found: DiscoveredDesign) -> str:
    """Return the fabric in a few sentences."""
    structure, seen = found.structure, found.discovery
    text = f"{count_noun(seen.devices, 'device')} and {count_noun(seen.cables, 'cable')}."
    if structure.guessed:
        text += " The files do not say which devices are switches: those of many cables are taken for them."
    if found.direct:
        hosts = f"{count_noun(structure.hosts, 'host')} of {count_noun(structure.adapters, 'NIC')}"
        return f"{text} A direct network: {found.direct.text}, with {hosts}."
    if not structure.tiers or not structure.is_clos:
        return text
    text += f" {count_noun(len(structure.tiers), 'tier')} above {count_noun(structure.hosts, 'host')}"
    text += f" of {count_noun(structure.adapters, 'NIC')}"
    text += f" on {count_noun(structure.planes, 'plane')}." if structure.planes > 1 else "."
    if structure.rails > 1:
        place = {0: "never meet", 2: "meet at the spines", 3: "meet at the cores"}[structure.rails_meet]
        text += f" {count_noun(structure.rails, 'rail')}, which {place}."
    if structure.graph.grouped:
        text += (
            f" {count_noun(structure.graph.grouped, 'adapter')} without a name are taken for hosts by GUIDs in a row,"
            " each at another of the same leaves."
        )
    least, most = structure.unit_hosts
    hosts = f"{least} to {most} hosts" if least < most else count_noun(most, "host")
    text += f" {count_noun(structure.units, 'unit')} of {hosts}"
    return text + (f", in {count_noun(structure.pods, 'pod')}." if len(structure.tiers) > 2 else ".")


def _tier_table(structure: Structure) -> Table:
    rows = []
    for place, tier in enumerate(structure.tiers):
        free = tier.ports - tier.used[1], tier.ports - tier.used[0]
        rows.append(
            [
                ROLES[place] if place < len(ROLES) else f"tier {place + 1}",
                units.count(tier.switches),
                ", ".join(name for name, _ in tier.models[:2]) or "unknown",
                units.count(tier.ports),
                f"{free[0]} to {free[1]}" if free[0] < free[1] else str(free[0]),
                units.count(tier.links),
                str(tier.parallel),
                "unknown" if math.isnan(tier.rate_gbps) else units.rate(tier.rate_gbps),
            ]
        )
    heads = ["tier", "switches", "model", "ports", "free", "links below", "per pair", "rate"]
    return Table("", heads, rows)


def _describe_design(found: DiscoveredDesign) -> list[str]:
    if found.request is None or found.study is None:
        return [f"No design is recovered: {found.refusal}"]
    lines = [f"Assumed: {text}" for text in found.assumed]
    if found.agrees:
        return [*lines, "The design has as many switches and links of every kind."]
    unlike = [each for each in found.counts if each.found != each.designed]
    return [
        *lines,
        "The nearest design differs: "
        + ", ".join(f"{each.name} {each.designed:,} for {each.found:,} found" for each in unlike),
    ]


def request_text(found: DiscoveredDesign, record: str = "") -> str:
    """Return the request as the text of a YAML file, with what it assumes in comments.

    `record` is the file with the cables that stand, which it names where there is one.
    """
    assert found.request is not None
    head = [f"# discovered in {', '.join(found.discovery.files[:3])}"[:110]]
    head += [f"# assumed: {text}" for text in found.assumed]
    uneven = list_uneven(found.discovery, found.structure, direct=found.direct is not None)
    head += [f"# deviates from what most show: {' '.join(note.text.split())}" for note in uneven]
    as_built = {"as_built": record} if record else {}
    return "\n".join(head) + "\n" + yaml_text(found.request | as_built)


def discovered_object(found: DiscoveredDesign) -> dict[str, Any]:
    """Return all of it in plain values; what is unknown is null."""
    structure, seen = found.structure, found.discovery
    return {
        "format": "fabric.discovered/1",
        "files": [{"file": file, "reader": reader} for file, reader in zip(seen.files, seen.formats, strict=True)],
        "devices": seen.devices,
        "cables": seen.cables,
        "clos": structure.is_clos,
        "direct": None if found.direct is None else found.direct.family,
        "switches_guessed": structure.guessed,
        "tiers": [_tier_object(place, tier) for place, tier in enumerate(structure.tiers)],
        "hosts": structure.hosts,
        "nics_per_host": structure.adapters,
        "planes": structure.planes,
        "rails": structure.rails,
        "rails_meet_tier": structure.rails_meet,
        "units": structure.units,
        "unit_hosts": {"min": structure.unit_hosts[0], "max": structure.unit_hosts[1]},
        "pods": structure.pods,
        "pod_units": {"min": structure.pod_units[0], "max": structure.pod_units[1]},
        "deviations": [
            {"place": note.place, "text": note.text}
            for note in list_uneven(seen, structure, direct=found.direct is not None)
        ],
        "notes": [{"place": note.place, "text": note.text} for note in seen.notes],
        "request": found.request,
        "assumed": list(found.assumed),
        "counts": [{"name": each.name, "found": each.found, "designed": each.designed} for each in found.counts],
        "agrees": found.agrees,
        "refusal": found.refusal or None,
    }


def _tier_object(place: int, tier: Tier) -> dict[str, Any]:
    return {
        "role": ROLES[place] if place < len(ROLES) else f"tier-{place + 1}",
        "switches": tier.switches,
        "models": dict(tier.models),
        "ports": tier.ports,
        "ports_used": {"min": tier.used[0], "max": tier.used[1]},
        "links_below": tier.links,
        "links_per_pair": tier.parallel,
        "rate_gbps": None if math.isnan(tier.rate_gbps) else tier.rate_gbps,
    }
