"""The links of a plan as pairs of names, written down one by one, for tests to compare files with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from fabric.export.plan import Plan
from tests.export.plans import CLOS, GRAPHS, draw_plans, shipped_plan

End = tuple[str, str]


def links_of(plan: Plan) -> Counter[tuple[End, End]]:
    """Return both ends of every link that is written, host or switch and port, the lower one first."""
    found: Counter[tuple[End, End]] = Counter()
    for row in np.flatnonzero(plan.written_links).tolist():
        host = plan.host[row]
        name = plan.device_names[plan.lower.device[row]] if host < 0 else plan.hosts.names[host]
        lower = name, plan.lower.names[plan.lower.name[row]]
        upper = plan.device_names[plan.upper.device[row]], plan.upper.names[plan.upper.name[row]]
        found[lower, upper] += 1
    assert max(found.values()) == 1
    return found


def nodes_of(plan: Plan) -> set[str]:
    """Return the names of hosts and switches that are written."""
    written = plan.written_devices
    switches = (plan.device_names[row] for row in np.flatnonzero(plan.is_switch & written).tolist())
    hosts = (plan.hosts.names[row] for row in np.flatnonzero(written[plan.hosts.device]).tolist())
    return {*hosts, *switches}


def many_plans(seed: int, number: int) -> Iterator[Plan]:
    """Yield shipped designs with planes, trays and appliances, and drawn ones of Ethernet, of all families."""
    yield from map(shipped_plan, ("superpod-b300-1su", "examples/superpod-gb200.yaml", "examples/superpod-ufm.yaml"))
    yield from draw_plans(seed, number, "ethernet", CLOS + GRAPHS)
