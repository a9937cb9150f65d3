"""Collectives, algorithms, routings and placements of other packages, added to the registries and used end to end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fabric.catalog import servers
from fabric.errors import InputError
from fabric.flow import (
    ALGORITHMS,
    COLLECTIVES,
    PLACEMENTS,
    ROUTINGS,
    Algorithm,
    Collective,
    Machine,
    Parts,
    Phase,
    Placement,
    RankRuns,
    RoutingPolicy,
    phases,
    sum_parts,
)
from fabric.flow.hashing import Keys, flow_keys
from fabric.registry import Record, Registry
from tests.flow.flow_fabrics import WITH_FLOWS
from tests.request_fixtures import Run

SMALL = "superpod-h100-1su"


def add(registry: Registry, record: Record, request: pytest.FixtureRequest) -> None:
    """Add a record for the time of a test."""
    registry.add(record)
    request.addfinalizer(lambda: registry.remove(record.name))


def answers(run: Run, *words: str) -> list[dict[str, object]]:
    """Return the results of `fabric allreduce` on a small fabric at 1 GiB."""
    code, out, err = run("allreduce", SMALL, "--size", "1GiB", "--json", "--quiet", *words)
    assert code == 0, err
    return json.loads(out)["results"]


def refusal(run: Run, *words: str) -> str:
    """Return the message of a `fabric allreduce` that is refused as bad input."""
    code, _, err = run("allreduce", SMALL, "--size", "1GiB", "--quiet", *words)
    assert code == 2
    return " ".join(err.split())


def scatter_time(machine: Machine, _: Collective, protocol: object, gigabytes: float) -> Parts | None:
    """Return the time that the NICs of one server take to send everything."""
    if machine.domains == 1 or protocol.name != "simple":  # type: ignore[attr-defined]
        return None
    sent = (gigabytes * (machine.domains - 1) / machine.domains / machine.network, machine.network_limit)
    return sum_parts(machine, "simple", machine.network_us(protocol.ring.network_us), 0.0, sent)  # type: ignore[attr-defined]


def scatter_flows(runs: RankRuns, _: Collective, __: int | None) -> Iterator[Phase]:
    """Send from the first server to every other."""
    others = np.arange(1, runs.count)
    yield runs.between(0 * others, others, 1 / runs.count)


SCATTER = Collective("scatter", "one rank sends a part to every other", lambda ranks: (ranks - 1) / ranks)
FROM_ONE = Algorithm(
    "from-one",
    "the first server sends to all others",
    scatter_time,
    scatter_flows,
    needs="several servers",
    collectives=("scatter",),
)


@pytest.fixture
def scatter(request: pytest.FixtureRequest) -> None:
    """Add a collective with an algorithm of its own."""
    add(COLLECTIVES, SCATTER, request)
    add(ALGORITHMS, FROM_ONE, request)


@pytest.mark.usefixtures("scatter")
def test_a_collective_is_listed_and_estimated_by_both_models(run: Run, tmp_path: Path) -> None:
    """The help lists it, both engines find what the first server's NICs take, and jobs run it."""
    assert "scatter" in run("allreduce", "--help")[1]
    closed, flows = (
        answers(run, "--collective", "scatter", "--routing", "adaptive", "--engine", engine)[0]
        for engine in ("closed", "flows")
    )
    assert (closed["collective"], closed["algorithm"], closed["limited_by"]) == ("scatter", "from-one", "NIC")
    assert flows["time_s"] == pytest.approx(closed["time_s"], rel=1e-3)
    assert flows["busbw_GBps"] == pytest.approx(flows["algbw_GBps"] * 255 / 256)
    file = tmp_path / "jobs.yaml"
    file.write_text("jobs: [{name: a, gpus: 64, collective: scatter}]")
    assert json.loads(run("allreduce", SMALL, "--jobs", file, "--json", "--quiet")[1])["jobs"][0]["min"] == 1


@pytest.mark.usefixtures("scatter")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--collective", "scater"), "did you mean 'scatter'"),
        (
            ("--collective", "scatter", "--algorithm", "ring"),
            "algorithm 'ring' does not implement scatter; algorithms of scatter: from-one",
        ),
        (("--algorithm", "from-one"), "algorithm 'from-one' does not implement all-reduce"),
        (
            ("--collective", "scatter", "--gpus", "8", "--engine", "closed", "--placement", "contiguous"),
            "no algorithm is chosen automatically for scatter on 8 GPUs in one server",
        ),
        (
            ("--collective", "scatter", "--gpus", "8", "--algorithm", "from-one", "--engine", "flows"),
            "algorithm 'from-one' can't run scatter on 8 GPUs in one server: it needs several servers",
        ),
    ],
)
def test_wrong_uses_of_a_collective_are_refused(run: Run, words: tuple[str, ...], message: str) -> None:
    """Each wrong use is refused with a message about itself."""
    assert message in refusal(run, *words)


def test_a_collective_with_a_closed_form_alone(run: Run, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """It is estimated in closed form; explicit flows and jobs are refused, and the message says why."""
    add(COLLECTIVES, Collective("gather", "", lambda ranks: 1.0), request)
    add(ALGORITHMS, Algorithm("to-one", "", scatter_time, collectives=("gather",)), request)
    assert answers(run, "--collective", "gather")[0]["algorithm"] == "to-one"
    flows = ("--collective", "gather", "--engine", "flows")
    assert "collective 'gather' has no explicit flows; use engine closed" in refusal(run, *flows)
    assert "'to-one' has no explicit flows for gather" in refusal(run, *flows, "--algorithm", "to-one")
    file = tmp_path / "jobs.yaml"
    file.write_text("jobs: [{name: a, gpus: 64, collective: gather}]")
    assert "no algorithm of gather has explicit flows" in refusal(run, "--jobs", str(file))


def test_a_collective_with_flows_alone(run: Run, request: pytest.FixtureRequest) -> None:
    """Its flows can be laid out; a time is refused, because no algorithm has a closed form."""
    add(COLLECTIVES, Collective("gossip", "", lambda ranks: 1.0), request)
    assert "collective 'gossip' has no algorithm" in refusal(run, "--collective", "gossip")
    add(ALGORITHMS, Algorithm("rumour", "", flows=scatter_flows, collectives=("gossip",)), request)
    for engine in ("closed", "flows", "lp"):
        words = ("--collective", "gossip", "--engine", engine)
        assert "collective 'gossip' has no algorithm with a closed form" in refusal(run, *words)
        assert "algorithm 'rumour' has no closed form" in refusal(run, *words, "--algorithm", "rumour")
    server = servers()["hgx-h100"]
    (phase,) = phases(server, np.arange(4 * server.gpus), "gossip", "rumour")
    assert phase.flows == 3 * server.nics


def test_an_algorithm_joins_a_collective_that_exists(run: Run, request: pytest.FixtureRequest) -> None:
    """It competes with the built-in algorithms, and is chosen where it is the fastest."""
    before = answers(run, "--routing", "adaptive")[0]["time_s"]
    add(ALGORITHMS, Algorithm("magic", "", scatter_time, scatter_flows, collectives=("all-reduce",)), request)
    for engine in ("closed", "flows"):
        found = answers(run, "--routing", "adaptive", "--engine", engine)[0]
        assert found["algorithm"] == "magic"
        assert found["time_s"] < before


def _hash_source(source: np.ndarray, _: np.ndarray, queue_pair: np.ndarray, seed: int) -> Keys:
    return flow_keys(source, 0 * source, queue_pair, seed)


SMODK = RoutingPolicy(
    "smodk",
    "source-mod-k",
    "the source alone chooses the path",
    hash_keys=_hash_source,
    digits_of=lambda source, target: source,
)


def test_a_routing_is_listed_and_routes_flows(run: Run, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The help lists it, flows take its paths on a Clos and on a direct network, and a picture shows its loads."""
    add(ROUTINGS, SMODK, request)
    assert "smodk" in run("allreduce", "--help")[1]
    assert "smodk" in run("diagram", "--help")[1]
    assert "smodk" not in run("scale", "--help")[1]
    direct = tmp_path / "direct.yaml"
    direct.write_text("{name: a, gpus: 128, server: hgx-h100, family: dragonfly, switches: sn5600}")
    shares = []
    for fabric_ in ("superpod-h100-4su", direct):
        words = ("allreduce", fabric_, "--routing", "smodk,ecmp", "--algorithm", "ring", "--size", "1GiB")
        found = json.loads(run(*words, "--json", "--quiet", "--qps", "4")[1])["results"]
        assert [each["routing"] for each in found] == ["smodk", "ecmp"]
        assert found[0]["engine"] == "flows"
        shares.append([each["share_of_line_rate"] for each in found])
    assert shares[0][0] != shares[0][1]
    assert run("diagram", SMALL, "--kind", "load", "--routing", "smodk", "-o", tmp_path / "x.svg")[0] == 0
    assert "Source-mod-k routing" in (tmp_path / "x.svg").read_text()


def test_source_and_destination_mod_k_mirror_each_other(run: Run, request: pytest.FixtureRequest) -> None:
    """On a Clos with all links up the flows of a symmetric all-to-all get the same by both."""
    add(ROUTINGS, SMODK, request)
    words = (
        "--gpus",
        "64",
        "--collective",
        "all-to-all",
        "--routing",
        "smodk,dmodk",
        "--engine",
        "flows",
        "--placement",
        "contiguous",
    )
    source, target = answers(run, *words)
    assert source["share_of_line_rate"] == pytest.approx(target["share_of_line_rate"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--routing", "smod"), "did you mean 'smodk'"),
        (("--routing", "smodk", "--engine", "closed"), "there is no closed form for source-mod-k routing"),
        (("--routing", "lash"), "lash routing needs escape paths; rail-optimized is a Clos"),
    ],
)
def test_wrong_uses_of_a_routing_are_refused(
    run: Run, request: pytest.FixtureRequest, words: tuple[str, ...], message: str
) -> None:
    """Each wrong use is refused with a message about itself."""
    add(ROUTINGS, SMODK, request)
    add(ROUTINGS, RoutingPolicy("lash", "lash", "", paths="escape"), request)
    assert message in refusal(run, *words)


def test_a_routing_with_a_closed_form(run: Run, request: pytest.FixtureRequest) -> None:
    """It is estimated in closed form by default, and `scale` and a design's curves list it too."""
    half = RoutingPolicy("half", "half", "", sprays=True, slowest_share=lambda summary, in_order, sent: 0.5)
    add(ROUTINGS, half, request)
    found, whole = answers(run, "--routing", "half,adaptive", "--algorithm", "ring")
    assert (found["engine"], found["limited_by"]) == ("closed", "collisions")
    assert found["share_of_line_rate"]["min"] == pytest.approx(0.5 * half.transport_share())
    assert found["time_s"] > whole["time_s"]
    assert "half" in run("scale", "--help")[1]


def test_a_placement(run: Run, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The help lists it, explicit flows use it, a picture names it, and a closed form is refused."""
    backwards = Placement("backwards", "from the last GPU to the first", lambda ranks: np.arange(ranks.ranks)[::-1])
    add(PLACEMENTS, backwards, request)
    assert "backwards" in run("allreduce", "--help")[1]
    found, other = (answers(run, "--placement", name, "--engine", "flows")[0] for name in ("backwards", "contiguous"))
    assert (found["placement"], found["engine"]) == ("backwards", "flows")
    assert found["share_of_line_rate"] == pytest.approx(other["share_of_line_rate"], rel=0.2)
    words = ("--placement", "backwards", "--engine", "closed")
    assert "there is no closed form for placement backwards" in refusal(run, *words)
    assert "did you mean 'backwards'" in refusal(run, "--placement", "backward")
    assert run("diagram", SMALL, "--kind", "load", "--placement", "backwards", "-o", tmp_path / "x.svg")[0] == 0
    assert "from the last GPU to the first" in (tmp_path / "x.svg").read_text()


def test_an_algorithm_that_is_not_there(run: Run, request: pytest.FixtureRequest) -> None:
    """A collective that names an unknown algorithm is refused with its name."""
    add(COLLECTIVES, Collective("broken", "", lambda ranks: 1.0, ("rong",)), request)
    assert "unknown algorithm 'rong'; did you mean 'ring'" in refusal(run, "--collective", "broken")


def test_built_in_collectives_have_flows() -> None:
    """Every built-in collective has an algorithm with explicit flows."""
    assert {collective for collective, _ in WITH_FLOWS} == set(COLLECTIVES)
    with pytest.raises(InputError, match="algorithm 'sharp' has no explicit flows"):
        next(phases(servers()["hgx-h100"], np.arange(8), "all-reduce", "sharp"))
