"""What an estimate in closed form depends on, as plain numbers: a blueprint has them, the optimizer bounds them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from operator import mul

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import hop_shares, hops, metrics_of
from fabric.catalog import Server, Switch, collectives
from fabric.errors import InputError
from fabric.topology.graph_form import GraphForm
from fabric.topology.polynomial import evaluate

__all__ = ["FabricSummary", "slowest_ns"]


@dataclass(frozen=True)
class FabricSummary:
    """A fabric as a collective sees it.

    `hops` are the switches on the longest path, `switch_ns` the latency of the slowest of them, and `steps` the
    switches on a path that turns at each tier. Below the top tier, from the leaf up, `peers` are the servers of one
    full place, `unmet_rails` the lanes that have not met, and `ratios` the bandwidth that servers send over that up
    from there, each tier's at least 1 times those below. `leaf_nics` are the NICs of one server under one leaf. With
    `switches_reduce` its switches can reduce what they carry, as those of InfiniBand do (SHARP). Where switches are
    joined otherwise than by tiers, traffic that is not uniform loads links `detour` times as much as uniform traffic,
    `crowding` is one over the minimal ways between two leaves, and `by_tiers` is false. Nothing gets worse when `peers`
    gets more, or anything else less.
    """

    server: Server
    gpus: int
    servers: int
    planes: int
    link_gbps: float
    tiers: int
    hops: int
    switch_ns: float
    steps: tuple[int, ...]
    several_paths: bool
    peers: tuple[int, ...]
    unmet_rails: tuple[int, ...]
    ratios: tuple[float, ...]
    leaf_nics: int
    switches_reduce: bool = False
    detour: float = 1.0
    crowding: float = 0.0
    by_tiers: bool = True

    @classmethod
    def of(cls, blueprint: Blueprint) -> FabricSummary:
        """Return the shape of a blueprint."""
        form, below_top = blueprint.topology, blueprint.topology.roles[:-1]
        if isinstance(form, GraphForm):
            return cls._of_wired(blueprint, form)
        return cls(
            blueprint.server,
            blueprint.gpus,
            blueprint.servers,
            blueprint.planes,
            blueprint.link_gbps,
            blueprint.tiers,
            hops(blueprint).max,
            slowest_ns(model for role in blueprint.topology.roles for model, _ in blueprint.boxes(role)),
            tuple(2 * tier + 1 for tier in range(form.tiers)),
            any(blueprint.ports_up(role) > 1 for role in below_top),
            metrics_of(blueprint).peers(),
            metrics_of(blueprint).unmet_rails(),
            tuple(accumulate((max(1.0, float(blueprint.oversubscription(role) or 1)) for role in below_top), mul)),
            blueprint.sizes[blueprint.topology.bundles[0].name],
            _infiniband(blueprint),
        )

    @classmethod
    def _of_wired(cls, blueprint: Blueprint, form: GraphForm) -> FabricSummary:
        """Return the shape of a wired blueprint: leaves below a tier that is all of its other links.

        The longest way stands for every one between leaves, and for the ratio that of the busiest bundle, which is
        under 1 where uniform traffic leaves room. By way of a switch drawn at random for each packet all traffic is
        uniform twice, and so no more than twice as much (L. Valiant 1982, doi 10.1137/0211027).
        """
        far = evaluate(form.paths.diameter, blueprint.sizes) if blueprint.servers > 1 else 0
        ratios = (float(blueprint.oversubscription(role) or 0) for role in form.roles)
        models = (model for role in form.roles for model, _ in blueprint.boxes(role))
        metrics, routing = metrics_of(blueprint), form.routing
        return cls(
            blueprint.server, blueprint.gpus, blueprint.servers, blueprint.planes, blueprint.link_gbps, 2, far,
            slowest_ns(models), (1, far), True, metrics.peers(), metrics.unmet_rails(), (max(1e-6, *ratios),),
            blueprint.server.nics, _infiniband(blueprint), routing.load_factor,
            float(routing.inverse_path_diversity(blueprint.sizes)), by_tiers=False,
        )  # fmt: skip

    def first(self, gpus: int | None) -> FabricSummary:
        """Return the shape that a collective on the first `gpus` GPUs sees, by default all; raises InputError."""
        if gpus is not None and not 1 <= gpus <= self.gpus:
            raise InputError(f"gpus {gpus:,}: the design has {self.gpus:,}; take 1 to {self.gpus:,}")
        count = gpus or self.gpus
        return self if count == self.gpus else replace(self, gpus=count, servers=-(-count // self.server.gpus))

    def group(self, groups: int) -> FabricSummary:
        """Return the shape that one of `groups` equal groups sees, whose GPUs are so many apart (`place`, strided).

        Its part of each server's GPUs, and as large a part of the NICs.
        """
        if groups == 1:
            return self
        server, gpus = self.server, self.gpus // groups
        domain = -(-server.gpus // groups)
        nics = max(1, server.nics * domain // server.gpus)
        rate = self.link_gbps * server.nics * domain / (server.gpus * nics)
        own = replace(server, gpus=domain, nics=nics)
        return replace(self, server=own, gpus=gpus, servers=-(-gpus // domain), link_gbps=rate)

    @property
    def neighbour_hops(self) -> float:
        """The mean switches between servers next to each other on a ring in order: one of each place leaves it."""
        places = [-(-self.servers // peers) for peers in self.peers]
        more = (up - down for down, up in pairwise(self.steps))
        each = zip(more, places, strict=True)
        return self.steps[0] + math.fsum(hops * count / self.servers for hops, count in each if count > 1)

    @property
    def mean_hops(self) -> float:
        """The mean switches between the NICs of different servers, over all pairs."""
        shares = hop_shares(self.servers, self.peers, self.unmet_rails)
        return float(sum(hops * share for hops, share in zip(self.steps, shares, strict=True)))


def _infiniband(blueprint: Blueprint) -> bool:
    """Say whether all switches are of InfiniBand."""
    boxes = (box for role in blueprint.topology.roles for box in blueprint.boxes(role))
    return all(model.link_layer == "infiniband" for model, _ in boxes)


def slowest_ns(models: Iterable[Switch]) -> float:
    """Return the largest port-to-port latency; a model without one counts with its class's (collectives.yaml)."""
    usual = collectives().switch_latency_ns
    return max(usual if model.latency_ns is None else model.latency_ns for model in models)
