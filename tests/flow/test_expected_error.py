"""The error to expect of an estimate, and what is said where nothing of the kind was measured."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import LARGE, measured
from benchmarks.expected_errors import LeftOut, bands, check, clusters_table, kinds_table, pair_with_bands, read_rows
from fabric.catalog import Server, collectives, expected_errors, servers
from fabric.flow import FabricSummary, estimate, summarize
from fabric.studies.measured_runs import one_switch
from tests.network.test_network import blueprint

GIB = 2**30


def _machine(servers_: int, name: str = "hgx-h100", **more: object) -> FabricSummary:
    server = servers()[name]
    return replace(one_switch(server, servers_ * server.gpus, collectives()), **more)  # type: ignore[arg-type]


def test_large_messages_on_measured_machines_have_an_error() -> None:
    """H100 servers with adaptive routing are what was measured most, up to twice as many as were."""
    for count in (1, 2, 4, 8, 16):
        found = estimate(_machine(count), "all-reduce", GIB)
        assert found.expected_error is not None
        assert 0.01 < found.expected_error <= expected_errors().widest
        assert not found.not_measured


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (estimate(_machine(17), "all-reduce", GIB), "beyond 16 servers"),
        (estimate(_machine(1).first(1), "all-reduce", GIB), "a GPU by itself"),
        (estimate(_machine(2), "all-to-all", 2**20), "messages of this size in all-to-all"),
        (estimate(_machine(2), "broadcast", GIB), "broadcast"),
        (estimate(_machine(2, "vr-nvl72"), "all-reduce", GIB), "generation rubin"),
        (estimate(_machine(2, "mi355x"), "all-reduce", GIB), "generation cdna4"),
        (estimate(_machine(8, "mi300x"), "all-reduce", GIB), "several servers of AMD GPUs"),
        (estimate(_machine(4), "all-reduce", GIB, algorithm="hierarchical-ring"), "hierarchical-ring"),
        (estimate(_machine(16, several_paths=True, peers=(4,), ratios=(1.0,), steps=(1, 3), unmet_rails=(1,), tiers=2),
                  "all-reduce", GIB, "ecmp"), "collisions"),
        (estimate(_machine(16, several_paths=True, peers=(4,), ratios=(4.0,), steps=(1, 3), unmet_rails=(1,), tiers=2),
                  "all-reduce", GIB), "oversubscription"),
    ],
)  # fmt: skip
def test_what_was_not_measured_is_said_and_has_no_error(found: object, words: str) -> None:
    """Other collectives, vendors, algorithms, larger machines and collisions have no error, and the reason is named."""
    assert found.expected_error is None  # type: ignore[attr-defined]
    assert words in " ".join(found.not_measured)  # type: ignore[attr-defined]


def test_a_constant_without_a_measured_point_widens_the_error() -> None:
    """On two servers of A100 the latency of a network step is NCCL's alone: the error is wider than of H100."""
    known, doubtful = (
        estimate(_machine(2, name), "all-reduce", GIB, algorithm="tree") for name in ("hgx-h100", "hgx-a100")
    )
    assert "network_us" in expected_errors().unmeasured["ampere"]
    assert known.expected_error is not None
    wide = doubtful.expected_error
    assert wide is None or wide > known.expected_error


def test_large_messages_are_known_best() -> None:
    """Latencies vary more from system to system than bandwidths, in every kind of run."""
    for kind in expected_errors().kinds:
        assert list(kind.errors) == sorted(kind.errors, reverse=True)
        assert kind.errors[LARGE] == min(kind.errors.values())


def test_an_unlike_server_has_no_error() -> None:
    """A server of a generation that nobody has measured has no error, even of the size of one that was."""
    server = Server("x", 8, 8, 400, 450.0)
    found = estimate(one_switch(server, 16, collectives()), "all-reduce", GIB)
    assert found.expected_error is None
    assert found.not_measured == ("GPUs of an unknown generation",)


def test_every_answer_has_an_error_or_a_reason() -> None:
    """Exactly one of the two is there, whatever is asked; an error is a share that says something."""
    plan = summarize(blueprint())
    for collective in ("all-reduce", "all-gather", "all-to-all", "broadcast"):
        for power in range(8, 36, 4):
            for gpus in (8, 16, plan.gpus):
                for routing in ("adaptive", "ecmp"):
                    found = estimate(plan.first(gpus), collective, 1 << power, routing)
                    assert (found.expected_error is None) == bool(found.not_measured)
                    assert found.expected_error is None or math.isfinite(found.expected_error)


def test_constants_without_a_measured_point_are_named() -> None:
    """An estimate names those that it depends on, and one on machines that were measured well names none."""
    doubtful = estimate(_machine(4, "hgx-a100"), "all-reduce", 2**20)
    assert "generations.ampere.network_us" in doubtful.unmeasured_constants
    assert not estimate(_machine(2), "all-reduce", GIB).unmeasured_constants


def test_a_band_is_that_of_its_clusters() -> None:
    """Of a normal error between clusters, nine of ten new points are inside the bands of a few, as drawn by chance."""
    draw, inside = np.random.default_rng(3), []
    points = [each for each in measured() if each.size_bytes >= LARGE and each.run.server.generation == "hopper"]
    one = {each.run.domains: each for each in points}[2]
    for _ in range(300):
        rows = []
        for number in range(5):
            shift = draw.normal(0, 0.1)
            point = replace(one, system=f"cluster {number}")
            rows += [LeftOut(point, "tree", shift + draw.normal(0, 0.03)) for _ in range(4)]
        new = draw.normal(0, 0.1) + draw.normal(0, 0.03, 10)
        band = bands(rows)[rows[0].kind][LARGE]
        inside += list(np.abs(new) <= np.log1p(band))
    assert 0.88 <= np.mean(inside) <= 0.97


def test_nine_of_ten_points_of_unseen_clusters_are_inside() -> None:
    """Each cluster had no part in the constants nor in the bands, and its outliers count; a tenth may be outside."""
    found = [
        (row, band)
        for row, band in pair_with_bands(read_rows())
        if band is not None and band <= expected_errors().widest
    ]
    assert len(found) > 100
    assert np.mean([abs(row.log_error) <= np.log1p(band) for row, band in found]) >= 0.9


def test_the_table_and_the_page_follow_from_the_points() -> None:
    """Expected_errors.yaml has the bands of left_out_errors.csv, and docs/accuracy.md what the benchmark prints."""
    rows = read_rows()
    for kind in expected_errors().kinds:
        errors = bands(rows)[kind.vendor, kind.collective, kind.layout]
        assert kind.errors == {least: round(error, 3) for least, error in errors.items()}
    page = (Path(__file__).parents[2] / "docs" / "accuracy.md").read_text(encoding="utf-8")
    for lines in (kinds_table(), clusters_table(rows), check(rows)):
        assert "\n".join(lines) in page
