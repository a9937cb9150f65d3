"""Messages that are sent at the same time, in closed form and as explicit flows that share every link fairly."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.flow import COLLECTIVES, Phase, Routing, cross_rails, max_min, route, summarize
from fabric.flow.algorithms import algorithm_of
from fabric.flow.throughput import split_rates
from fabric.training.counted_network import CountedNetwork
from fabric.training.groups import Group, Run
from fabric.training.link_loads import lay_phases, send_to_next
from fabric.training.wire import Wire
from tests.flow.drawn_workloads import draw_design
from tests.marks import slow
from tests.training.drawn_runs import draw_run

GROUPS = {
    ("cp",): ("all-gather", "ring"),
    ("dp",): ("all-gather", "ring"),
    ("cp", "dp"): ("reduce-scatter", "ring"),
    ("pp",): ("send", "direct"),
    ("ep",): ("all-to-all", "pairwise"),
    ("edp",): ("all-gather", "ring"),
}
"""The groups that are drawn, each with its collective and algorithm."""


@dataclass(frozen=True)
class Pair:
    """A message and one beside it on a drawn design."""

    plan: Blueprint
    own: Group
    other: Group
    network: CountedNetwork

    def in_closed_form(self) -> Wire:
        """Return the time of the first message in closed form."""
        loads = []
        for group in (self.own, self.other):
            collective, algorithm = GROUPS[group.axes]
            record = algorithm_of({"send": "send-recv"}.get(collective, collective), algorithm)
            loads.append((collective, record, self.network.loads(collective, group, record, failed=False)))
        (collective, record, _), (*_, (other,)) = loads
        return self.network.wire(collective, self.own, record, self.network.routing.qps, [other])

    def phases(self) -> list[Phase]:
        """Return the flows of both, the busiest NIC of each as busy as the other's."""
        found = []
        for number, group in enumerate((self.own, self.other)):
            collective, algorithm = GROUPS[group.axes]
            if collective == "send":
                phase = send_to_next(group.run.hosts, group.gpus, around=False)
            else:
                record = algorithm_of(collective, algorithm)
                (phase,) = lay_phases(group.run.hosts, group.gpus, COLLECTIVES[collective], record)
            phase = cross_rails(self.plan, phase, pxn=False)
            busiest = max(float(np.bincount(end, phase.shares).max()) for end in (phase.source, phase.target))
            found.append(Phase(phase.source, phase.target, phase.shares / busiest, channels=number))
        return found

    def by_flows(self, seeds: int) -> float:
        """Return how many times as long the first takes beside the other than at line rate, by explicit flows."""
        own, other = self.phases()
        joined = Phase(
            *(np.concatenate([getattr(each, name) for each in (own, other)]) for name in ("source", "target", "share")),
            channels=np.repeat([0, 1], [own.flows, other.flows]),
        )
        found = []
        for seed in range(seeds):
            routing = replace(self.network.routing, seed=seed).over(self.plan.planes)
            even, total = split_rates(max_min(route(self.plan, joined, routing)), joined.flows)
            got = (total if routing.policy.sprays else even)[: own.flows]
            found.append(float((own.shares * self.plan.link_gbps * self.plan.planes / got).max()))
        return statistics.fmean(found)


def drawn(numbers: range, routing: Routing) -> Iterator[Pair]:
    """Yield pairs of messages that both cross the network."""
    for number in numbers:
        random = Random(number)
        plan = draw_design(random)
        run, axes = draw_run(random, plan.gpus, plan.server.gpus), random.sample(list(GROUPS), 2)
        network = CountedNetwork(plan, summarize(plan), routing)
        own, other = (Run(plan, run).group(each, network.summary) for each in axes)
        if own.domains > 1 < other.domains and not plan.gpus % plan.server.gpus:
            yield Pair(plan, own, other, network)


@pytest.mark.parametrize("first", [*range(0, 50, 10), *slow(*range(50, 120, 10))])
def test_sprayed_messages_share_links_fairly(first: int) -> None:
    """Beside another message one takes as long in closed form as its slowest flow under max-min fairness."""
    for pair in drawn(range(first, first + 10), Routing()):
        found = pair.in_closed_form()
        assert found.shared_s / found.line_s == pytest.approx(pair.by_flows(1), rel=1e-6)


@pytest.mark.slow
def test_hashed_messages_share_links() -> None:
    """Under ECMP three of four are within 10 %, and all but one in twenty within a quarter, on designs of few links."""
    off = []
    for pair in drawn(range(300), Routing("ecmp", qps=2)):
        found = pair.in_closed_form()
        off.append(abs(found.shared_s / found.line_s / pair.by_flows(8) - 1))
    assert statistics.quantiles(off, n=4)[-1] < 0.10
    assert statistics.quantiles(off, n=20)[-1] < 0.25
