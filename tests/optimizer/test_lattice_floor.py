"""The bounds on lattices against their optima, found without them."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

import fabric
from fabric.blueprint.metrics import hops
from fabric.optimizer import OBJECTIVES, LinearObjective, parse_objectives
from fabric.optimizer.build_model import build_model, build_within, floor_of
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.lattice_floor import LatticeFloor
from fabric.optimizer.search import comparable_candidates
from fabric.optimizer.solve import minimise
from fabric.optimizer.ties import blueprint_of

NAMES = ("cost", "switches", "links", "hops", "cost=1,hops=5000")


def request(seed: int) -> dict[str, Any]:
    """Return a small random request of lattices."""
    draw = random.Random(seed)
    box = {"rate_gbps": 400, "price_usd": draw.randint(100, 9000), "power_w": draw.randint(100, 900)}
    switches = [{"name": "one", "ports": draw.choice([8, 12, 16, 24]), **box}]
    if seed % 2:
        switches.append({"name": "two", "ports": 32, **box, "price_usd": draw.randint(100, 30_000)})
    nics = draw.choice([1, 2, 4])
    return {
        "gpus": nics * draw.randint(2, 60),
        "server": {"name": "box", "gpus": nics, "nics": nics, "nic_gbps": 400},
        "switches": switches,
        "family": ["hyperx", "torus", "mesh"],
        "oversubscription": draw.choice([1, 1, 1.5, 2, 4]),
        "link_price_usd": draw.randint(1, 900),
        "limits": {"parallel_links": draw.choice([1, 2, 4, 16])},
    }


def lattices(seed: int) -> list[tuple[Candidate, LatticeFloor]]:
    """Return the candidates of a random request, each with its bounds."""
    found, _, _ = comparable_candidates(fabric.read(request(seed)), [OBJECTIVES["cost"]])
    small = [candidate for candidate in found if len(candidate.topology.fabric_bundles) <= 3]
    return [(candidate, floor) for candidate in small if (floor := floor_of(candidate))]


@pytest.mark.parametrize("seed", range(8))
def test_no_lattice_is_below_its_bounds_and_they_change_no_optimum(seed: int) -> None:
    """Whatever is minimised, the optimum without the bounds is that with them, and no bound is above it."""
    for candidate, floor in lattices(seed):
        for name in NAMES[seed % 2 :: 2]:
            (objective,) = parse_objectives(name)
            assert isinstance(objective, LinearObjective)
            plain = build_model(candidate)
            solution = minimise(plain, [plain.total(objective)])
            bounded = build_within(candidate, objective, None)
            if not solution.values:
                assert bounded is None or not minimise(bounded, [bounded.total(objective)]).values
                continue
            assert bounded is not None
            assert minimise(bounded, [bounded.total(objective)]).values == solution.values
            least = floor.least(objective)
            assert least is not None
            slot = solution.sizes["slot"]
            assert least[list(floor.slots).index(slot)] <= solution.values[0]
            assert build_within(candidate, objective, math.floor(least.min()) - 1) is None
            assert floor.hops <= hops(blueprint_of(candidate, solution)).max


@pytest.mark.parametrize("seed", range(8))
def test_one_order_of_levels_that_are_bought_alike_is_enough(seed: int) -> None:
    """A BCube whose levels trade places costs as much; one whose leaves have a ratio of their own is searched whole."""
    levels = 3 if seed % 2 else 4
    own = {"leaf": 2.2, "spine": 3, "core": 3}
    words = {**request(seed), "family": "bcube", "planes": levels, "oversubscription": own if seed % 2 else 4}
    words["gpus"] = words["server"]["gpus"] * random.Random(seed).randint(20, 300)
    words["server"]["nic_gbps"] = 400 * levels
    found, _, _ = comparable_candidates(fabric.read(words), [OBJECTIVES["cost"]])
    for candidate in found:
        objective = OBJECTIVES["cost"]
        assert isinstance(objective, LinearObjective)
        plain, ordered = build_model(candidate), build_within(candidate, objective, None)
        assert ordered is not None
        solutions = [minimise(model, [model.total(objective)]) for model in (plain, ordered)]
        assert solutions[0].values == solutions[1].values
        sizes = [solutions[1].sizes[axis] for axis in ("y", "z", "w") if axis in solutions[1].sizes]
        assert seed % 2 or sizes == sorted(sizes)
    assert found
