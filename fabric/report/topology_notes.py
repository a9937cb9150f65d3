"""The notes on the topology of a design: what its family takes as its own, its planes, switches and hops."""

from __future__ import annotations

from collections.abc import Iterator

from fabric import units
from fabric.blueprint import Blueprint
from fabric.blueprint.port_rules import most_down
from fabric.report.text import join_words
from fabric.studies.study import Study
from fabric.topology.families import family
from fabric.topology.topology import Topology

__all__ = ["note_topology"]


def note_topology(study: Study) -> Iterator[str]:
    """Yield the notes on the topology of `study`."""
    blueprint, topology = study.blueprint, study.blueprint.topology
    if note := family(topology.family).note:
        yield note
    yield from _note_own_values(study)
    yield from _note_planes(blueprint)
    yield from _note_rails(study)
    yield from _note_channels(topology)
    yield from _note_one_switch(study)
    yield from topology.remarks(blueprint.sizes)
    yield from _note_single_leaf(study)
    yield from _note_directors(blueprint)


def _note_own_values(study: Study) -> Iterator[str]:
    """Say which values the family has of its own for keys that the request leaves out."""
    topology, planes = study.blueprint.topology, study.blueprint.planes
    own = {
        "planes": f"planes {planes} (its levels of switches)" if topology.routing.nic_levels else f"planes {planes}",
        "oversubscription": f"oversubscription {family(topology.family).own_ratio(topology)}",
    }
    left = [text for key, text in own.items() if key in study.spec.left_to_family]
    if left:
        yield f"The request leaves open what {topology.family} has by its definition: {join_words(left)}."


def _note_planes(blueprint: Blueprint) -> Iterator[str]:
    """Say how NICs are joined to several planes, or to levels of switches."""
    planes, server = blueprint.planes, blueprint.server
    levels = blueprint.topology.routing.nic_levels
    one = f"each NIC has one link, and a server {units.count_noun(server.nics, 'NIC')} in each"
    if levels:
        yield f"{levels} levels: {one if server.cards > 1 else 'each NIC has one link to every level of switches'}."
    elif planes > 1:
        each = one if server.cards > 1 else "each NIC has one link in every plane"
        yield (
            f"{planes} planes: {each}, and planes join only at the NICs."
            " Traffic cannot change planes inside the fabric; a NIC that loses a plane reaches others through NVLink."
        )


def _note_rails(study: Study) -> Iterator[str]:
    """Say what becomes of rails in one tier: they share the leaf, or, where the request asks for them, never meet."""
    blueprint, own = study.blueprint, family(study.blueprint.topology.family)
    if own.rails_apart is None or blueprint.tiers > 1 or blueprint.servers == 1:
        return
    most = max(study.spec.rails, default=1)
    if blueprint.rails > 1:
        yield (
            f"In one tier the {blueprint.rails} rails have a leaf each and never meet: between rails GPUs reach each"
            " other only through NVLink. `tiers: 2` joins rails by spines; without `rails` they may share a leaf."
        )
    elif most > 1:
        yield f"In one tier the {most} rails share a leaf, where they meet; `rails: {most}` gives each its own."


def _note_channels(topology: Topology) -> Iterator[str]:
    """Say how many virtual channels the switches need, where one is not enough."""
    if max(topology.virtual_channels.values()) > 1:
        channels = [
            f"{count} for {name.replace('valiant', 'Valiant')} paths"
            for name, count in topology.virtual_channels.items()
        ]
        yield f"Virtual channels for deadlock-free routing: {join_words(channels)}."


def _note_one_switch(study: Study) -> Iterator[str]:
    """Say where one switch in each plane would do instead of several, with room to grow and the reserved ports."""
    blueprint, spec = study.blueprint, study.spec
    leaf = blueprint.topology.roles[0]
    grown = spec.grown_nics if spec.kinds else spec.grown_servers * blueprint.server.nics
    ports = min(most_down(model, blueprint.rates_at(leaf), 0) for model, _ in blueprint.model_counts(leaf))
    fits = grown + spec.spare_ports(leaf) <= ports
    if blueprint.devices(leaf) > blueprint.planes and fits and not spec.survive:
        model = blueprint.models[leaf].name
        yield f"One {model} per plane has ports for all {blueprint.nics:,} NICs: family fat-tree with tiers 1."


def _note_single_leaf(study: Study) -> Iterator[str]:
    """Say where the loss of one leaf disconnects servers."""
    leaf = study.blueprint.topology.roles[0]
    if study.blueprint.servers > 1 and study.survives.get(leaf) == 0:
        yield (
            f"Losing one {leaf} disconnects its servers{' and stops the job' if study.spec.gpus else ''};"
            f" survive: {{{leaf}: 0.5}} would rule this out."
        )


def _note_directors(blueprint: Blueprint) -> Iterator[str]:
    """Say which switches are themselves fabrics, of which hops count the longest path."""
    models = (model for role in blueprint.topology.roles for model, _ in blueprint.model_counts(role))
    directors = {model.name: model.inner_hops for model in models if model.inner_hops > 1}
    for name, hops in directors.items():
        yield (
            f"{name} is a director, itself a fabric: hops count the {hops} switch chips of the longest path through it,"
            " also in means."
        )
