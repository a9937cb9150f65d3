"""Estimates of memory and time against measured runs: each step in a process of its own, by family and size.

Prints a table: what the step is estimated to take before it starts, what it took, and the ratios of the two, which
should lie between a third and three. Arguments: the sizes in GPUs, by default 16,384, 131,072 and 1,048,576.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

SIZES = (16_384, 131_072, 1_048_576)
LARGEST_GRAPH = 131_072
FAMILIES = ("fat-tree", "rail-optimized", "dragonfly", "slim-fly", "torus")
PLANS = {"FRR": "frr", "SONiC": "sonic", "NetBox": "netbox", "workbook of cables": "point-to-point-xlsx"}
STEPS = (
    *("expansion", "device view", "GraphML", "ECMP flows", "adaptive flows", "ECMP flows after failures"),
    *PLANS,
)
WITHIN = 3.0


def run_step(study: object, step: str) -> Callable[[], object]:
    """Return what runs a step of a study, its modules imported."""
    from fabric.export.formats import list_plan_files, view_for, write_view_text
    from fabric.flow import Routing, Workload, estimate_workload
    from fabric.network.expand import expand
    from fabric.view import view_of

    blueprint = study.blueprint  # type: ignore[attr-defined]
    if step == "expansion":
        return lambda: expand(blueprint)
    if step == "device view":
        return lambda: view_of(blueprint, "device")
    if step == "GraphML":
        return lambda: sum(map(len, write_view_text(view_for(blueprint, "graphml", "device"), "graphml")))
    if step in PLANS:
        plan = study.plan  # type: ignore[attr-defined]
        return lambda: sum(len(piece) for _, pieces in list_plan_files(plan, PLANS[step]) for piece in pieces)
    name = "ecmp" if step.startswith("ECMP") else "adaptive"
    failures = ("leaf:1",) if step.endswith("failures") else ()
    workload = Workload(routing=Routing(name, qps=2), engine="flows", failures=failures, algorithm="ring")
    return lambda: estimate_workload(blueprint, workload, [2**30])


def measure(family: str, gpus: int, step: str) -> None:
    """Run one step, and print its estimate and what it took as JSON."""
    import fabric
    from fabric import resources

    estimates: list[resources.Work] = []
    study = fabric.design(name="measured", gpus=gpus, server="hgx-h100", family=family, switches="sn5600")
    work = run_step(study, step)
    resources.find_excess = estimates.append
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    work()
    seconds, after = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({
        "bytes": (max(each.memory_bytes for each in estimates), (after - before) * 1024),
        "seconds": (max(each.seconds for each in estimates), seconds),
    }))  # fmt: skip


def main(sizes: list[int]) -> None:
    """Print the table, and how many estimates are out by more than a factor of three."""
    heads = f"{'MB est.':>8} {'MB':>7} {'ratio':>6} {'s est.':>7} {'s':>7} {'ratio':>6}"
    print(f"{'family':15} {'GPUs':>9} {'step':26} {heads}")
    outside = 0
    for family in FAMILIES:
        for gpus in sizes:
            for step in STEPS:
                if family in FAMILIES[2:] and gpus > LARGEST_GRAPH:
                    continue
                words = [sys.executable, __file__, family, str(gpus), step]
                done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=900)
                if done.returncode:
                    print(f"{family:15} {gpus:9,} {step:26} {done.stderr.strip().splitlines()[-1][:90]}")
                    continue
                found = json.loads(done.stdout)
                cells = []
                for (estimate, took), unit, least in ((found["bytes"], 1e6, 2e7), (found["seconds"], 1.0, 0.5)):
                    known = took >= least  # less is lost in what the process holds and does anyway
                    ratio = estimate / took if known else None
                    outside += known and not 1 / WITHIN <= estimate / took <= WITHIN
                    cells.append(
                        f"{estimate / unit:8,.2f} {took / unit:7,.2f} {'-' if ratio is None else f'{ratio:.2f}':>6}"
                    )
                print(f"{family:15} {gpus:9,} {step:26} {' '.join(cells)}", flush=True)
    print(f"estimates out by more than a factor of {WITHIN:g}: {outside}")


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] in FAMILIES:
        measure(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    else:
        main([int(word) for word in sys.argv[1:]] or list(SIZES))
