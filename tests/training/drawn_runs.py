"""Runs drawn at random on drawn designs, on which the two ways to time messages are compared."""

from __future__ import annotations

from random import Random

from fabric.request.parallel import ORDERS, Parallel


def draw_run(random: Random, gpus: int, server: int = 1) -> Parallel:
    """Return degrees of parallelism on at most `gpus` GPUs, mostly whole servers of `server`."""
    degrees = {"tp": 1, "cp": 1, "pp": 1, "dp": 1}
    limit = random.randint(2, gpus) if gpus > 2 else gpus
    if random.random() < 0.7:
        degrees["tp"] = random.choice([each for each in range(1, min(server, limit) + 1) if server % each == 0])
    while True:
        axis = random.choice(list(degrees))
        factor = random.choice([2, 2, 2, 3, 5])
        product = factor
        for each in degrees.values():
            product *= each
        if product > limit:
            break
        degrees[axis] *= factor
    stage = degrees["tp"] * degrees["cp"] * degrees["dp"]
    ep = random.choice([each for each in range(1, stage + 1) if stage % each == 0])
    return Parallel(**degrees, ep=ep, order=random.choice(ORDERS))
