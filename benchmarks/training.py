"""Time a training step on designs of 100,000 to 1,000,000 GPUs: healthy, after failures, and over all degrees.

The bars: any layout up to 1,000,000 GPUs in 2 s on a healthy fabric, and in 60 s after failures or beside another job;
the best of all degrees on 100,000 GPUs in 60 s. Time is that of the processor, so that others who use the machine do
not count, and sizing the fabric is not part of it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fabric.training.model_run import ModelRun

LAYOUTS: dict[str, tuple[str, dict[str, Any]]] = {
    "dense": ("llama3-405b", {"tp": 8, "pp": 16}),
    "dense, Llama 3's order": ("llama3-405b", {"tp": 8, "pp": 16, "order": "tp-cp-pp-dp", "sharding": "zero2"}),
    "dense, long context": ("llama3-405b", {"tp": 8, "cp": 16, "pp": 16, "order": "tp-cp-pp-dp"}),
    "experts": ("deepseek-v3", {"pp": 16, "ep": 64, "schedule": "dualpipe", "recompute": "modules"}),
    "sharded": ("llama3-70b", {"sharding": "zero3", "shard_group": 512, "recompute": "full"}),
}
"""Layouts by name: the model, and degrees that leave the data-parallel one open."""

HEALTHY = {"colossus-100k": 2.0, "colossus-1m": 2.0}
"""Seconds that a step may take on each design."""

FAILED = {
    "a spine of every pod and 5 % of the links above": ("spine:123", "spine-core:5%"),
    "20 leaves and 1,000 links": ("leaf:20", "link:1000"),
}
FAILED_S, SEARCH_S = 60.0, 60.0
SPARE = 0.98
"""The part of the GPUs that a run has where servers fail."""


def lay_out(name: str, gpus: int) -> ModelRun:
    """Return a run on at most as many GPUs, with a batch of 64 sequences for each copy of the model."""
    from fabric.catalog import models
    from fabric.request.parallel import Parallel
    from fabric.training.model_run import ModelRun

    model, degrees = LAYOUTS[name]
    inner = degrees.get("tp", 1) * degrees.get("cp", 1) * degrees.get("pp", 1)
    multiple = max(degrees.get("ep", 1), degrees.get("shard_group", 1))
    parallel = Parallel(**degrees, dp=gpus // inner // multiple * multiple)
    return ModelRun(models()[model], parallel, 64 * parallel.dp)


def compare(what: str, most_s: float, run: Callable[[], Any]) -> bool:
    """Print the time of a run against its bar, and say whether it keeps to that."""
    start = time.process_time()
    run()
    seconds = time.process_time() - start
    print(f"{what}: {seconds / most_s:4.0%} of {most_s:g} s")
    return seconds <= most_s


def compare_steps(design: str, most_s: float, routing: str) -> bool:
    """Time a step of every layout on a healthy design."""
    import fabric
    from fabric.training.step import train_step

    plan, kept = fabric.design(design).blueprint, True
    for name in LAYOUTS:
        run = lay_out(name, plan.gpus)
        what = f"{name} on {run.parallel.gpus:,} GPUs of {design}, {routing}"
        kept &= compare(what, most_s, partial(train_step, plan, run, routing=routing))
    return kept


def compare_damaged(design: str) -> bool:
    """Time steps after failures, and beside another job."""
    import fabric
    from fabric.flow import Job, fail
    from fabric.training.network_time import NetworkTime
    from fabric.training.step import train_step

    plan, kept = fabric.design(design).blueprint, True
    cases: dict[str, dict[str, Any]] = {name: {"up": fail(plan, words)} for name, words in FAILED.items()}
    cases["another job"] = {"jobs": [Job("other", int(plan.gpus * (1 - SPARE)), "all-to-all")]}
    for what, words in cases.items():
        for name in ("dense", "experts"):
            run = lay_out(name, int(plan.gpus * SPARE))

            def time_run(words: dict[str, Any] = words, run: ModelRun = run) -> Any:
                return train_step(plan, run, network=NetworkTime.of(plan, run.parallel, **words))

            kept &= compare(f"{name} on {design}, {what}", FAILED_S, time_run)
    return kept


def compare_search(design: str) -> bool:
    """Time the search for the best degrees, of a dense model and of one with experts."""
    import fabric
    from fabric.catalog import models
    from fabric.training.search import Search

    plan, kept = fabric.design(design).blueprint, True
    for name, batch, precision in (("llama3-405b", 12_500, "bf16"), ("deepseek-v3", 98_304, "fp8")):
        search = Search(plan, models()[name], batch, plan.gpus, precision)
        kept &= compare(f"the best degrees of {name} on {design}", SEARCH_S, search.run)
    return kept


def main() -> int:
    """Compare each time with its bar."""
    kept = [compare_steps(design, most_s, "adaptive") for design, most_s in HEALTHY.items()]
    kept.append(compare_steps("colossus-1m", HEALTHY["colossus-1m"], "ecmp"))
    kept.append(compare_damaged("colossus-1m"))
    kept.append(compare_search("colossus-100k"))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
