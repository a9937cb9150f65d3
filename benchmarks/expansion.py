"""Lay out 1,048,576 GPUs, against networkx building the same graph and numpy merely filling the same bytes.

Bars: at least 50 times faster than networkx, at most a tenth of its memory, within 20 times of numpy's fill.
Each is measured in a process of its own, so that peak memory is each one's.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import fabric
from fabric import Blueprint, Network

GPUS = 1_048_576


def plan() -> Blueprint:
    """Return the sized million."""
    return fabric.design(
        name="million", gpus=GPUS, server="hgx-h100", family="fat-tree", switches="sn5600", planes=2
    ).blueprint


def lay_out(blueprint: Blueprint) -> Network:
    """Expand the blueprint."""
    return fabric.expand(blueprint)


def fill(blueprint: Blueprint) -> object:
    """Allocate arrays of the same bytes and fill them with a constant."""
    import numpy as np

    dtypes = (np.int32, np.int32, np.uint16, np.uint16, np.uint8)
    return [np.full(blueprint.links_total, 7, dtype) for dtype in dtypes]


def graph(blueprint: Blueprint) -> object:
    """Build the same links as a networkx graph, from ready lists of ends, the cheapest way there is."""
    import networkx as nx

    network = fabric.expand(blueprint)
    ends = list(zip(network.lower.tolist(), network.upper.tolist(), strict=True))
    del network
    start = time.perf_counter()
    result = nx.Graph() if blueprint.sizes["spine-core"] == blueprint.sizes["leaf-spine"] == 1 else nx.MultiGraph()
    result.add_edges_from(ends)
    print(time.perf_counter() - start)
    return result


def measure(name: str) -> None:
    """Print the seconds and the extra peak memory in MB of one way, measured in this process."""
    blueprint = plan()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if name == "graph":
        graph(blueprint)
    else:
        methods = {"lay_out": lay_out, "fill": fill}
        times = []
        for _ in range(5):
            start = time.perf_counter()
            methods[name](blueprint)
            times.append(time.perf_counter() - start)
        print(sorted(times)[2])
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def main() -> None:
    """Run each way in a process of its own and print the ratios."""
    results = {}
    for name in ("lay_out", "fill", "graph"):
        output = subprocess.run([sys.executable, __file__, name], check=True, capture_output=True, text=True).stdout
        results[name] = tuple(float(line) for line in output.split())
        print(f"{name:8} {results[name][0]:8.3f} s {results[name][1]:8.0f} MB")
    (ours, memory), (numpy, _), (networkx, theirs) = (results[name] for name in ("lay_out", "fill", "graph"))
    print(f"networkx takes {networkx / ours:.0f} x the time (bar: 50), {theirs / memory:.0f} x the memory (bar: 10)")
    print(f"numpy's fill is {ours / numpy:.1f} times as fast (bar: within 20)")
    if networkx < 50 * ours or theirs < 10 * memory or ours > 20 * numpy:
        sys.exit("a bar is missed")


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
