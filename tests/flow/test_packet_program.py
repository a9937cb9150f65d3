"""The sharing of hashed paths, fitted to one tree, against packets on other fabrics, by a program of our own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from statistics import mean

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.flow import Routing, max_min, permutation, route
from fabric.flow.throughput import flow_shares
from tests.flow.flow_fabrics import fat_tree

SOURCE = Path(__file__).with_name("packets.c")

FREE = 1 / (1 + 64 / 9000)
"""The share of line rate that pulls for packets the other way leave to packets."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the program."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler")
    made = tmp_path_factory.mktemp("packets") / "packets"
    subprocess.run(["cc", "-O2", SOURCE, "-o", made], check=True)
    return made


@pytest.mark.parametrize("paths", [4, 16])
@pytest.mark.parametrize(
    ("tiers", "half", "places", "ratio"),
    [(2, 16, 16, 1), (2, 16, 16, 2), (3, 4, 8, 1), pytest.param(3, 8, 16, 1, marks=pytest.mark.slow)],
)
def test_hashed_paths_on_other_fabrics(
    program: Path, tiers: int, half: int, places: int, ratio: int, paths: int
) -> None:
    """Leaf-spines at 1:1 and 2:1 and trees of 128 and 1,024 hosts: the mean over flows is the packets' within 8 %.

    Only how sub-flows share their load is compared: what packets cost besides is that of each simulator.
    """
    plan = fat_tree(tiers, half, places, ratio)
    words = [tiers, half, places, half // ratio, paths]
    sent = [
        float(line)
        for seed in range(2)
        for line in subprocess.run(
            [program, *map(str, words), str(seed)], check=True, capture_output=True, text=True
        ).stdout.split()
    ]
    assert len(sent) == 2 * plan.servers
    assert FREE * mean(fair_mean(plan, paths, seed) for seed in range(4)) == pytest.approx(mean(sent), rel=0.08)


def fair_mean(plan: Blueprint, paths: int, seed: int) -> float:
    """Return the mean share of line rate that links leave to the flows of a permutation over hashed paths."""
    phase, way = permutation(np.arange(plan.servers), seed), Routing("ecmp", paths, seed, transport="ndp")
    rates = max_min(route(plan, phase, way))
    return float(flow_shares(plan, phase, rates, way, way.protocol.stream_rebalance).mean())
