"""What a pipeline's sends take under ECMP on the Colossus fabrics, expected and by drawing the path of every sub-flow.

Prints how many times as long as at line rate: expected, of one draw or more, and the slowest single flow of these.
"""

from __future__ import annotations

import sys
from statistics import fmean

import numpy as np

import fabric
from benchmarks.colossus_training import JOBS
from fabric.flow import Routing, cross_rails
from fabric.flow.router import route, router_of
from fabric.training.groups import Run
from fabric.training.link_loads import send_to_next
from fabric.training.message import Message
from fabric.training.network_time import NetworkTime
from fabric.training.stage_sends import StageSends

QPS = 2
"""The queue pairs of a flow, those of NCCL on servers of 8 NICs."""


def compare(name: str, draws: int) -> str:
    """Return a row: what the sends of the first job take on a fabric, expected and by as many draws."""
    blueprint = fabric.design(name).blueprint
    parallel = JOBS[0].parallel(blueprint.gpus)
    times = NetworkTime.of(blueprint, parallel, Routing("ecmp", qps=QPS, pxn=True))
    expected = 1 / times.time(Message("PP", "send-recv", ("pp",), 2**25)).share
    run = Run(blueprint, parallel)
    gpus = run.group(("pp",), times.network.summary).gpus
    phase = cross_rails(blueprint, send_to_next(run.hosts, gpus, around=True), pxn=True)
    stages, router = StageSends.of(run.hosts, gpus, parallel, around=True), router_of(blueprint)
    drawn, slowest = list[float](), list[float]()
    for seed in range(draws):
        routing = Routing("ecmp", qps=QPS, seed=seed, pxn=True).over(blueprint.planes)
        routes = route(blueprint, phase, routing, None, router)
        # All that is on a link ends together; each sub-flow has an equal part of its flow.
        load = np.bincount(routes.arcs.reshape(-1), minlength=len(routes.capacity)) / routing.qps / routes.capacity
        worst = np.zeros(len(routes.arcs))
        for column in routes.arcs.T:
            np.maximum(worst, load[column], out=worst)
        flow = worst.reshape(phase.flows, -1).max(axis=1) * blueprint.link_gbps * blueprint.planes
        drawn.append(stages.slowest(flow, 1.0))
        slowest.append(float(flow.max()))
    return f"| {name} | {expected:.2f} | {fmean(drawn):.2f} | {fmean(slowest):.1f} |"


def main() -> None:
    """Print the rows of the fabrics named, by default of 100,000 and of 1,000,000 GPUs."""
    print("| fabric | expected | drawn | slowest flow |")
    print("|---|---|---|---|")
    for name in sys.argv[1:] or ("colossus-100k", "colossus-1m"):
        print(compare(name, draws=2), flush=True)


if __name__ == "__main__":
    main()
