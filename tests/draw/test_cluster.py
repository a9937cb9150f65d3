"""The picture of a cluster: endpoints below, fabrics above, and the links between with their numbers."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

import fabric
from fabric.draw.canvas import Label, Line
from fabric.draw.cluster import Bar, draw_cluster, lay_out_cluster
from fabric.report.cluster_picture import list_bars, list_cards
from fabric.report.files import write_cluster_picture
from tests.draw.legibility import drawn_problems, problems
from tests.request_fixtures import Run

EXAMPLE = "examples/clusters/joined-endpoints.yaml"


@pytest.fixture(scope="module")
def cluster() -> fabric.Cluster:
    """Return the example."""
    return fabric.cluster(EXAMPLE)


def test_every_link_of_a_fabric_to_endpoints_is_counted(cluster: fabric.Cluster) -> None:
    """Each fabric has a line to each kind that it joins, and the numbers on them are all its host links."""
    cards, bars = list_cards(cluster), list_bars(cluster)
    canvas = lay_out_cluster("it", "", cards, bars)
    assert sum(isinstance(mark, Line) for mark in canvas.marks) == sum(len(bar.links) for bar in bars) == 10
    words = [mark.text for mark in canvas.marks if isinstance(mark, Label)]
    for study in cluster.fabrics.values():
        network = study.network
        hosts = int((network.lower < network.server_count).sum())
        counted = [int(text[0].split()[0].replace(",", "")) for text in bars.pop(0).links.values()]
        assert sum(counted) == hosts
        assert all(f"{number:,} link{'s' if number > 1 else ''}" in words for number in counted)
    assert [cards[key][:2] for key in cards] == [
        [each.endpoint, f"\u00d7 {each.count}"] for each in cluster.attached("management")
    ]


def test_servers_of_a_fabrics_own_are_drawn_too() -> None:
    """Fabrics without `joins` have the servers of their own requests below them, the same ones once."""
    found = fabric.cluster({"common": {"gpus": 64, "server": "hgx-h100", "switches": "sn5600"},
                            "fabrics": {"a": {}, "b": {}, "c": {"gpus": 128}}})  # fmt: skip
    assert list(list_cards(found).values()) == [
        ["hgx-h100", "\u00d7 8", "8 GPUs each"], ["hgx-h100", "\u00d7 16", "8 GPUs each"],
    ]  # fmt: skip


def draw(random: Random) -> tuple[dict[str, list[str]], list[Bar]]:
    """Return a made-up cluster, some words of which are too long for their places."""
    names = [random.choice(["gpu-servers", "x", "pdus of the second hall on the left"]) for _ in range(9)]
    cards = {
        str(key): [name, f"\u00d7 {random.randint(1, 10**7):,}", *random.choice([[], ["8 GPUs each"]])]
        for key, name in enumerate(names[: random.randint(1, 9)])
    }
    bars = [
        Bar(
            random.choice(["compute", "the fabric of all other devices of the site"]),
            ("rail-optimized, 3 tiers, 2 planes", "1,568 sn5600 + 1,568 sn5600 + 1,024 sn5600"),
            {
                key: (f"{random.randint(1, 10**7):,} links", "72 \u00d7 800 Gb/s")
                for key in cards
                if random.random() < 0.7
            },
        )
        for _ in range(random.randint(1, 6))
    ]
    return cards, bars


@pytest.mark.parametrize("seed", range(8))
def test_clusters_are_legible(seed: int) -> None:
    """No text lies over another or leaves the page, whatever the names and numbers."""
    cards, bars = draw(Random(seed))
    name = "a cluster with a long name " * 9
    assert problems(lay_out_cluster(name, "1 fabric \u00b7 4 switches " * 9, cards, bars)) == []
    if seed == 0:
        assert drawn_problems(draw_cluster(name, "", cards, bars)) == []


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_the_command_draws_a_cluster(suffix: str, run: Run, tmp_path: Path, cluster: fabric.Cluster) -> None:
    """`fabric diagram` of a cluster writes the same bytes as the function."""
    file = tmp_path / f"it.{suffix}"
    assert run("diagram", EXAMPLE, "-o", file)[0] == 0
    assert file.read_bytes() == write_cluster_picture(cluster, tmp_path / f"other.{suffix}").read_bytes()


@pytest.mark.parametrize("words", [("--kind", "racks"), ("--level", "pod")])
def test_a_cluster_has_one_picture(words: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    """Kinds and levels are of fabrics."""
    code, _, error = run("diagram", EXAMPLE, "-o", tmp_path / "it.svg", *words)
    assert code == 2
    assert "A cluster has one picture" in " ".join(error.split())
