"""Compare permutations with packet runs, and with `--fit` print the constants of transports that are fitted to them.

The runs of packet_runs.jsonl are by htsim on fat trees of 100G links, three tiers of 8-port switches with 128 hosts; a
row has the shares of line rate that flows got. The permutations were drawn by their simulator, so the model's answer
is the mean over permutations and hashes of its own. Ring all-reduces are compared too, with a new path for every chunk,
as htsim has it; of their time only the latency of a step is fitted.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.catalog import Delivery, Server, Switch, Transport, transports
from fabric.flow import Phase, Routing, SendsAnswer, draw_sends, max_min, permutation, route, solve_sends
from fabric.flow.throughput import climbed_tiers, flow_shares, left_by_tiers, pay_for_tiers, split_rates
from fabric.topology.families import families
from fabric.units import size

FILE = Path(__file__).with_name("packet_runs.jsonl")

SEEDS = 32
"""Permutations drawn for each answer of the model: their mean is then within half a percent."""

RING_SEEDS = 4
"""The draws of a ring's placement and paths."""

STEP_US = 6.3
"""The latency of a step of a ring: that of the run whose neighbours are next to each other, on hashed paths."""

TRANSPORT = {"ndp": "ndp", "roce": "roce-pfc"}
"""The transport of each simulated protocol."""

Column = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Run:
    """A permutation that was simulated packet by packet."""

    transport: str
    """The name of the transport."""
    hosts: int
    """The hosts."""
    strategy: str
    """How packets took paths, as the simulator calls it."""
    paths: int | None
    """The hashed paths of a flow; None where packets are sprayed over all."""
    mean: float
    """The mean share of line rate over the flows."""
    least: float
    """The least share of a flow."""
    most: float
    """The largest share of a flow, which had its path to itself."""

    @property
    def routing(self) -> Routing:
        """The routing that is to match it."""
        name = "adaptive" if self.paths is None else "ecmp"
        return Routing(name, self.paths or 1, transport=self.transport)


def _rows(kind: str) -> list[dict[str, Any]]:
    rows = (json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines())
    return [row for row in rows if row["set"] == kind]


@cache
def runs() -> tuple[Run, ...]:
    """Return the simulated permutations."""
    return tuple(
        Run(
            TRANSPORT[row["proto"]], row["n"], row["strat"], None if row["paths"] == "-" else int(row["paths"]),
            row["mean"], row["min"], row["max"],
        )
        for row in _rows("perm")
    )  # fmt: skip


@cache
def fat_tree(hosts: int) -> Blueprint:
    """Return the full fat tree of three tiers with this number of hosts, k^3 / 4 on switches of k ports."""
    half = round((hosts / 2) ** (1 / 3))
    form = next(form for form in families()["fat-tree"].forms if form.tiers == 3)
    sizes = {"pod": 2 * half, "block": half, "slot": half, "group": half, "core": half}
    full = dict.fromkeys([*form.axes, *(bundle.name for bundle in form.bundles)], 1) | sizes
    server = Server("host", gpus=1, nics=1, nic_gbps=100)
    models = dict.fromkeys(form.roles, Switch("switch", ports=2 * half, rate_gbps=100))
    return Blueprint("fat tree", form, form.complete_sizes(full, 1, hosts), models, server, hosts, 100)


@cache
def sampled(hosts: int, name: str, paths: int) -> tuple[Column, Column, Column]:
    """Return the even deal, the sum of sub-flows and the tiers climbed beyond the first of flows of drawn permutations.

    The shapes are (seeds, hosts); rates are shares of line rate.
    """
    plan = fat_tree(hosts)
    columns = []
    for seed in range(SEEDS):
        routes = route(plan, permutation(np.arange(hosts), seed), Routing(name, paths, seed))
        even, total = split_rates(max_min(routes) / plan.link_gbps, hosts)
        columns.append((even, total, climbed_tiers(routes, hosts)))
    even, total, tiers = (np.stack(each) for each in zip(*columns, strict=True))
    return even, total, tiers


def predict(run: Run, transport: Transport) -> float:
    """Return the mean share of line rate that the model has for a run, with these constants."""
    sprays = run.paths is None
    even, total, tiers = sampled(run.hosts, run.routing.name, run.paths or 1)
    delivery = transport.delivery(sprays=sprays, queue_pairs=run.paths or 1)
    assert delivery is not None
    got = total if sprays else even + transport.stream_rebalance * (total - even)
    return float(delivery.share * left_by_tiers(got, tiers, delivery).mean())


def answer(run: Run) -> float:
    """Return the mean share of line rate that the library has for a run, as `fabric allreduce` shows it."""
    return _solve(run.hosts, run.routing).mean


def least(run: Run) -> float:
    """Return the least share of a flow in the model, the mean over permutations."""
    return mean(draw.min for draw in _solve(run.hosts, run.routing).draws)


@cache
def _solve(hosts: int, routing: Routing) -> SendsAnswer:
    plan = fat_tree(hosts)
    draw = partial(draw_sends, plan, "permutation", "contiguous", None)
    return solve_sends(plan, draw, routing, range(SEEDS))


def fit(name: str) -> Transport:
    """Return a transport with its constants fitted to its runs, one after another.

    The share of one tier is what flows got that had their paths to themselves, the cost of a tier makes the mean of the
    runs on one path, and of those sprayed over all paths, that of the model, and the rebalance is the one with the
    least squares of relative errors over runs on several hashed paths. What no run settles stays as it is.
    """
    found, own = transports()[name], [run for run in runs() if run.transport == name]
    single, sprayed, hashed = (
        [run for run in own if of(run.paths)]
        for of in (lambda paths: paths == 1, lambda paths: paths is None, lambda paths: paths not in (1, None))
    )
    found = replace(found, ordered=_fit_delivery(single, found, "ordered"))
    if sprayed:
        found = replace(found, sprayed=_fit_delivery(sprayed, found, "sprayed"))
    if hashed:
        even, total = (np.array([predict(run, replace(found, stream_rebalance=r)) for run in hashed]) for r in (0, 1))
        target = np.array([run.mean for run in hashed])
        gain, missing = (total - even) / target, (target - even) / target
        rebalance = float(gain @ missing / (gain @ gain))
        found = replace(found, stream_rebalance=rebalance, message_rebalance=rebalance)
    return found


def _fit_delivery(chosen: list[Run], transport: Transport, order: str) -> Delivery:
    """Return the delivery with which the mean over runs is theirs."""
    known: Delivery = getattr(transport, order)
    share, low, high = mean(run.most for run in chosen), 0.0, 1.0
    for _ in range(40):
        cost = (low + high) / 2
        tried = replace(transport, **{order: replace(known, share=share, tier_cost=cost)})
        above = mean(predict(run, tried) for run in chosen) > mean(run.mean for run in chosen)
        low, high = (cost, high) if above else (low, cost)
    return replace(known, share=share, tier_cost=low)


@dataclass(frozen=True)
class Ring:
    """All-reduces that run on rings of some hosts each, all at the same time, simulated packet by packet."""

    transport: str
    """The name of the transport."""
    hosts: int
    """The hosts of all rings."""
    members: int
    """The hosts of one ring."""
    chunk_bytes: int
    """What a host sends in each step."""
    placement: str
    """How hosts follow each other on a ring: `seq` next to each other, `stride` a ring's length apart, `rand`."""
    sprays: bool
    """Whether packets are sprayed over all paths; otherwise each chunk has a hashed path of its own."""
    time_us: float
    """The time that it took."""

    @property
    def steps(self) -> int:
        """The steps of a ring all-reduce."""
        return 2 * (self.members - 1)

    def order(self, seed: int) -> npt.NDArray[np.int64]:
        """Return the hosts of each ring in their order, shape (rings, members)."""
        rings = self.hosts // self.members
        if self.placement == "stride":
            return np.arange(self.hosts).reshape(self.members, rings).T
        hosts = np.arange(self.hosts)
        hosts = np.random.default_rng(seed).permutation(hosts) if self.placement == "rand" else hosts
        return hosts.reshape(rings, self.members)


@cache
def rings() -> tuple[Ring, ...]:
    """Return the simulated all-reduces."""
    return tuple(
        Ring(
            TRANSPORT[row["proto"]], row["n"], row["group"], row["chunk"], row["place"],
            not row["strat"].startswith("ecmp"), row["ar_us"],
        )
        for row in _rows("ar")
    )  # fmt: skip


@cache
def ring_us(ring: Ring) -> float:
    """Return the time of an all-reduce in the model, in microseconds: the mean over draws of placements and paths."""
    return mean(_draw_ring_us(ring, seed) for seed in range(RING_SEEDS))


def _draw_ring_us(ring: Ring, seed: int) -> float:
    """Return the time with the placement and the paths of one seed.

    A host sends its next chunk once it has sent the last and has received that of the host before it; while it sends,
    so do all others, each at its max-min fair share of this step's paths. A step takes STEP_US besides.
    """
    plan, order = fat_tree(ring.hosts), ring.order(seed)
    phase = Phase(order.reshape(-1), np.roll(order, -1, axis=1).reshape(-1))
    done, chunk_us = np.zeros(order.shape), ring.chunk_bytes * 8e-3 / plan.link_gbps
    for step in range(ring.steps):
        way = Routing(
            "adaptive" if ring.sprays else "ecmp", seed=seed * ring.steps + step, transport=ring.transport
        )  # fmt: skip
        got = _ring_shares(plan, phase, way).reshape(order.shape)
        done = np.maximum(done, np.roll(done, 1, axis=1)) + chunk_us / got + STEP_US
    return float(done.max())


def _ring_shares(plan: Blueprint, phase: Phase, way: Routing) -> Column:
    routes = route(plan, phase, way)
    fair = flow_shares(plan, phase, max_min(routes), way, way.protocol.message_rebalance)
    return way.delivery.share * pay_for_tiers(fair, routes, way)


def main() -> None:
    """Print each run beside the model, and with `--fit` the constants."""
    if "--fit" in sys.argv:
        for name in sorted({run.transport for run in runs()}):
            print(fit(name))
    worst = 0.0
    heads = f"{'transport':<10} {'packets by':<10} {'paths':>5}"
    print(f"{heads} {'packets':>8} {'model':>7} {'differ':>7} {'least':>7} {'model':>7}")
    for run in runs():
        found = answer(run)
        worst = max(worst, abs(found / run.mean - 1))
        paths = "all" if run.paths is None else str(run.paths)
        print(
            f"{run.transport:<10} {run.strategy:<10} {paths:>5} {run.mean:>8.3f} {found:>7.3f}"
            f" {found / run.mean - 1:>+7.1%} {run.least:>7.3f} {least(run):>7.3f}"
        )
    print(f"The mean over flows differs from that of a run by at most {worst:.1%}.")
    heads = f"{'transport':<10} {'ring':>5} {'placed':<7} {'chunk':>8} {'paths':>6}"
    print(f"\n{heads} {'packets':>10} {'model':>10} {'differ':>7}")
    for ring in rings():
        found, paths = ring_us(ring), "all" if ring.sprays else "one"
        print(
            f"{ring.transport:<10} {ring.members:>5} {ring.placement:<7} {size(ring.chunk_bytes):>8} {paths:>6}"
            f" {ring.time_us:>7,.0f} us {found:>7,.0f} us {found / ring.time_us - 1:>+7.1%}"
        )


if __name__ == "__main__":
    main()
