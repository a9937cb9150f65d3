"""Binding limits: which limits of a request cost something, each with the optimum without it."""

from __future__ import annotations

import fabric


def test_a_small_unit_binds_where_it_leaves_ports_of_its_leaf_free() -> None:
    """Units of 16 GPUs fill a quarter of a leaf's 64 ports; without them half of the leaves are enough."""
    request = {
        "gpus": 512,
        "server": "hgx-h100",
        "family": "fat-tree",
        "tiers": 2,
        "switches": "qm9700",
        "unit_gpus": 16,
    }
    study = fabric.design(request)
    (found,) = [limit for limit in study.binding or () if limit.limit == "unit_gpus"]
    free = fabric.design(request, unit_gpus=None)
    assert (found.value, found.objective) == (16, free.proof.objective)
    assert (study.blueprint.devices("leaf"), free.blueprint.devices("leaf")) == (32, 16)
