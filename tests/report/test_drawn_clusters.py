"""Drawn clusters through the whole line: JSON, bill, picture, page and files say the same of every fabric."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

import fabric
from fabric.draw.cluster import lay_out_cluster
from fabric.report.cluster_bill import list_cluster_cells
from fabric.report.cluster_picture import list_bars, list_cards
from fabric.report.files import write_cluster
from fabric.report.page import cluster_page
from fabric.testing import check_blueprint
from tests.draw.legibility import problems

LEAF = {"name": "low", "ports": 24, "rate_gbps": 1, "uplinks": 2, "uplink_gbps": 10, "price_usd": 500, "rack_units": 1}
SPINE = {"name": "high", "ports": 24, "rate_gbps": 10, "price_usd": 900, "rack_units": 1}
FAST = {"name": "fast", "ports": 32, "rate_gbps": 400, "price_usd": 30_000, "breakouts": [2, 4], "rack_units": 1}


def draw_cluster(random: Random) -> dict[str, Any]:
    """Return a cluster with kinds of endpoints of made-up numbers and ports, of which each fabric joins some."""
    servers = {"name": "node", "gpus": random.choice([2, 4]), "nics": 4, "nic_gbps": 400}
    boxes = {"name": "box", "gpus": 0, "nics": random.randint(1, 4), "nic_gbps": random.choice([100, 200])}
    endpoints = {
        "gpus": {"server": servers, "count": random.randint(2, 20)},
        "boxes": {"server": boxes, "count": random.randint(1, 20)},
        "login": {"count": random.randint(1, 5)},
        "bmcs": {"of": ["gpus", "boxes", "login"]},
        "pdus": {"per_rack": random.randint(1, 2)},
    }
    joins = random.sample(["gpus", "boxes", "login"], random.randint(2, 3))
    side = {"nics": {"gpus": random.randint(1, 2), "login": 1}, "nic_gbps": {"gpus": 200, "login": 100}}
    kept = {key: {name: value for name, value in each.items() if name in joins} for key, each in side.items()}
    return {
        "name": "drawn",
        "racks": random.randint(1, 9),
        "endpoints": endpoints,
        "common": {"link_price_usd": 100, "family": "fat-tree"},
        "fabrics": {
            "compute": {"joins": ["gpus"], "switches": FAST, "family": ["fat-tree", "rail-optimized"]},
            "storage": {"joins": joins, "switches": FAST, **{key: each for key, each in kept.items() if each}},
            "management": {
                "joins": [*endpoints, "switches"], "nic_gbps": 1, "switches": {"leaf": LEAF, "spine": SPINE},
            },
        },
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_a_drawn_cluster_passes_the_whole_line(seed: int, tmp_path: Path) -> None:
    """Links and prices are those of networks and bills, whatever endpoints a fabric joins and by whatever ports."""
    request = draw_cluster(Random(seed))
    cluster = fabric.cluster(request)
    for name, study in cluster.fabrics.items():
        check_blueprint(study.blueprint)
        network, ends = study.network, cluster.attached(name)
        hosts = network.lower < network.server_count
        assert sum(each.links for each in ends) == int(hosts.sum())
        rates = Counter(network.bundle_gbps[number] for number in network.bundle[hosts].tolist())
        assert rates == sum((Counter({each.nic_gbps: each.links}) for each in ends), Counter())
        assert study.spec.gpus == sum(each.count * each.gpus for each in ends)
    totals = [cells for cells in list_cluster_cells(cluster) if cells[1:3] == ("total", "all")]
    assert [cells[0] for cells in totals] == [*cluster.fabrics, "all fabrics"]
    write_cluster(cluster, tmp_path)
    document = json.loads((tmp_path / "cluster.json").read_text())
    assert document["totals"]["cost_usd"] == sum(each["cost_usd"]["total"] for each in document["fabrics"].values())
    assert problems(lay_out_cluster("drawn", "", list_cards(cluster), list_bars(cluster))) == []
    if seed < 2:
        assert "<h2" in cluster_page(cluster)
