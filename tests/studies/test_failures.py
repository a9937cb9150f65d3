"""Monte-Carlo failures against enumeration, closed forms, single estimates and what Llama 3 counted."""

from __future__ import annotations

import csv
import io
import json
import math
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import fabric
from fabric.catalog import HOURS_PER_YEAR, failure_rates
from fabric.cli.main import cli
from fabric.errors import InputError
from fabric.flow import Routing, Workload, estimate_impact
from fabric.flow.failure_words import FailableParts
from fabric.flow.masked_estimates import MaskedEstimates
from fabric.flow.router import router_of
from fabric.flow.workload import place_ranks
from fabric.studies.failure_statistics import FailureStatistics
from fabric.studies.failures import AskedFailures, run_failures, simulate_failures

REQUEST = {
    "gpus": 256, "server": "hgx-h100", "switches": "qm9700", "tiers": 2, "family": "fat-tree", "oversubscription": 4,
}  # fmt: skip
RING = Workload(algorithm="ring", routing=Routing("adaptive"))
HASHED = Workload(algorithm="ring", routing=Routing("ecmp"))
ON_RAILS = Workload(algorithm="ring", placement="contiguous", routing=Routing("ecmp"))
NEVER = (0.0, 1.0)
SIZE = 2**33
OFTEN = (12.0, HOURS_PER_YEAR / 4000)
"""A rate by which a part is down 0.3 % of the time."""


@pytest.fixture(scope="module")
def study() -> fabric.Study:
    """Return a small fabric with little bandwidth above its leaves."""
    return fabric.design(REQUEST)


@pytest.fixture(scope="module")
def mixed(study: fabric.Study) -> FailureStatistics:
    """Return 60 draws in which links, leaves and GPUs fail often."""
    rates = {"link": OFTEN, "switch": OFTEN, "gpu": OFTEN, "nic": NEVER, "server": NEVER}
    return simulate_failures(study, rates=rates, draws=60, size_bytes=SIZE, workload=RING)


@pytest.mark.parametrize(("kind", "work"), [("leaf-spine", HASHED), ("server-leaf", ON_RAILS)])
def test_one_part_down_has_the_mean_of_all(study: fabric.Study, kind: str, work: Workload) -> None:
    """With one link down in each draw the mean is, within its error, that over every link of the bundle in turn."""
    plan = study.blueprint
    parts, estimates = FailableParts(plan), MaskedEstimates.of(plan, work, SIZE)
    every = range(parts.counts[kind])
    exact = [estimates.keep(parts.fail_numbers(kind, np.array([number])).up).share for number in every]
    found = simulate_failures(study, counts={kind: 1}, draws=100, size_bytes=SIZE, workload=work)
    assert (found.down == 1).all()
    assert set(found.kept.round(9)) <= set(np.round(exact, 9))
    spread = float(np.std(exact)) / math.sqrt(found.draws)
    assert found.mean == pytest.approx(float(np.mean(exact)), abs=4 * spread + 1e-12)
    assert found.kept[found.worst] >= min(exact)
    assert min(exact) < 1


def test_a_draw_is_the_estimate_of_what_it_names(study: fabric.Study, mixed: FailureStatistics) -> None:
    """The worst draw keeps what `estimate_impact` leaves after the failures that it names, and loses as many GPUs."""
    words = tuple(name for _, names in mixed.worst_parts for name in names)
    work = replace(RING, failures=words)
    (kept,) = estimate_impact(study.blueprint, work, [SIZE], 1).kept
    assert kept.worst == pytest.approx(mixed.kept[mixed.worst], rel=1e-9)
    assert kept.worst < 1
    assert mixed.gpus_lost[mixed.worst] == 256 - kept.left[0].gpus


def test_the_share_of_time_without_failures_is_that_of_independent_parts(study: fabric.Study) -> None:
    """No link is down in (1 - q)^n of the time, and in this time all of the bandwidth is there."""
    rates = {"leaf-spine": OFTEN, "server-leaf": NEVER}
    asked = dict.fromkeys(("switch", "nic", "gpu", "server"), NEVER)
    found = simulate_failures(study, rates={**asked, **rates}, draws=1000, size_bytes=SIZE, workload=RING)
    (kind,) = (each for each in found.kinds if each.kind == "leaf-spine")
    none = (1 - 0.003) ** kind.parts
    share = float((found.down.sum(axis=1) == 0).mean())
    assert 0.1 < none < 0.9
    assert share == pytest.approx(none, abs=4 * math.sqrt(none * (1 - none) / found.draws))
    assert found.time_at_least(1) >= share
    assert (found.kept[found.down.sum(axis=1) == 0] == 1).all()


def test_statistics_are_those_of_the_columns(mixed: FailureStatistics) -> None:
    """Means, errors, percentiles and shares of time follow from the columns, and the gains from paired draws."""
    kept = np.sort(mixed.kept)
    assert mixed.mean == pytest.approx(kept.mean())
    assert mixed.standard_error == pytest.approx(kept.std(ddof=1) / math.sqrt(60))
    assert mixed.percentiles[50] == kept[29]
    assert mixed.percentiles[95] == kept[56]
    assert mixed.percentiles[1] == kept[0] == mixed.kept[mixed.worst]
    assert mixed.time_at_least(0.9) == pytest.approx(float((mixed.kept >= 0.9 - 1e-9).mean()))
    gains = {each.kind: each.gain for each in mixed.importance}
    for column, kind in enumerate(mixed.kinds):
        assert gains[kind.kind] == pytest.approx(float((mixed.kept_without[:, column] - mixed.kept).mean()))
        idle = mixed.down[:, column] == 0
        assert (mixed.kept_without[idle, column] == mixed.kept[idle]).all()
    assert list(gains.values()) == sorted(gains.values(), reverse=True)
    with pytest.raises(InputError, match="not above 0 and at most 1"):
        mixed.time_at_least(0)


def test_no_kind_is_expected_to_gain_more_than_there_is(mixed: FailureStatistics) -> None:
    """One part down is expected to cost nearly what it costs alone, and no number of them over all of the bandwidth."""
    costs = {each.kind: 1 - alone.kept for each, alone in zip(mixed.kinds, mixed.alone, strict=True)}
    one, many = (
        replace(mixed, kinds=tuple(replace(each, rate=None, down=down) for each in mixed.kinds)).importance
        for down in (1, 1000)
    )
    assert all(each.expected == pytest.approx(1 - math.exp(-costs[each.kind])) for each in one)
    assert max(costs.values()) > 0.01
    assert all(0 <= each.expected <= 1 for each in many)


def test_draws_depend_on_their_seeds_alone(study: fabric.Study, mixed: FailureStatistics) -> None:
    """Draws made apart are those made together, so that any number of workers draws the same."""
    rates = {each.kind: each.rate for each in mixed.kinds if each.rate}
    parts = [
        simulate_failures(study, rates=rates, draws=count, seed=seed, size_bytes=SIZE, workload=RING)
        for seed, count in ((40, 20), (0, 40))
    ]
    for name in ("kept", "gpus_lost", "down", "kept_without"):
        together = np.concatenate([getattr(parts[1], name), getattr(parts[0], name)])
        assert np.array_equal(together, getattr(mixed, name))


def test_the_expected_gain_of_rare_failures_is_near_the_drawn_one(study: fabric.Study) -> None:
    """Where one part is down at a time, a kind's mean number down times what one costs is what it gains."""
    asked = dict.fromkeys(("server-leaf", "leaf", "spine", "nic", "gpu", "server"), NEVER)
    rare = (0.05, HOURS_PER_YEAR / 200)
    found = simulate_failures(study, rates={**asked, "leaf-spine": rare}, draws=2000, size_bytes=SIZE, workload=RING)
    first = found.importance[0]
    assert first.kind == "leaf-spine"
    assert first.gain == pytest.approx(first.expected, abs=4 * (first.standard_error or 0))
    assert first.gain > 0


@pytest.mark.parametrize(("gpus", "placement", "seed"), [(16, "contiguous", 1), (24, "random", 0)])
def test_a_part_of_the_gpus_is_stopped_by_its_own_parts(
    study: fabric.Study, gpus: int, placement: str, seed: int
) -> None:
    """Whichever parts are tried, the shares that stop a job are those over every part of a kind in turn."""
    work = Workload(algorithm="ring", gpus=gpus, placement=placement)
    asked = AskedFailures({"plane": OFTEN}, draws=1, size_bytes=SIZE, workload=work, seed=seed)
    found = run_failures(study, asked)
    parts, estimates = FailableParts(study.blueprint), MaskedEstimates.of(study.blueprint, work, SIZE)
    at_job = np.zeros(256, bool)  # a server has a NIC for each GPU
    at_job[[nic for gpu in place_ranks(study.blueprint, work) for nic in range(gpu // 8 * 8, gpu // 8 * 8 + 8)]] = True
    nics = router_of(study.blueprint).nic_of_links()
    for kind, alone, month in zip(found.kinds, found.alone, found.month, strict=True):
        ups = [parts.fail_numbers(kind.kind, np.array([number])).up for number in range(kind.parts)]
        at_nic = np.mean([bool((~up[: len(nics)] & at_job[nics]).any()) for up in ups])
        assert alone.at_nic == pytest.approx(at_nic, abs=1e-12), kind.kind
        if kind.kind in ("gpu", "server"):
            kept = [estimates.keep(up) for up in ups]
            stops = np.mean([each.stopped or each.gpus_lost > 0 for each in kept])
            assert alone.stops == pytest.approx(stops, abs=1e-12), kind.kind
            assert month.interruptions == pytest.approx((month.failures or 0) * stops)
        assert alone.tried == min(8, kind.parts)
    assert found.hours_between_interruptions[0]


def test_failures_of_the_network_stop_a_job_about_as_often_as_llama_3() -> None:
    """HPN's rates give, where NICs do not fail over, a third to three times Llama 3's interruptions by its network.

    These were 35 in 54 days on 16,384 GPUs, and 7 more by NICs, whose rate is from there. An eighth of the GPUs has an
    eighth of the links to servers.
    """
    study = fabric.design({"gpus": 2048, "server": "hgx-h100", "switches": "sn5600", "tiers": "any"})
    published = failure_rates()
    rates = {kind: published[kind] for kind in ("link", "switch", "nic")}
    rates |= dict.fromkeys(("gpu", "server"), NEVER)
    found = simulate_failures(study, rates=rates, draws=1, workload=RING)
    month = {each.kind: each for each in found.month}
    scale = 8 * 54 / (HOURS_PER_YEAR / 24 / 12)
    stops = {kind: each.interruptions_without_failover * scale for kind, each in month.items()}
    assert stops["nic"] == pytest.approx(7, rel=1e-6)
    network = sum(stops[kind] for kind in stops if kind != "nic")
    assert 35 / 3 < network < 35 * 3
    assert stops["leaf-spine"] == 0  # other links carry the traffic
    assert stops["server-leaf"] == pytest.approx(16384 * 0.00057 * 54 / 30.44, rel=1e-3)
    assert month["server-leaf"].interruptions == 0  # with failover the server's other NICs carry it
    months = sum(each.interruptions_without_failover for each in month.values())
    assert found.hours_between_interruptions == (None, pytest.approx(HOURS_PER_YEAR / 12 / months))


def test_numbers_of_numpy_are_taken(study: fabric.Study) -> None:
    """They stand for Python's own wherever a number is due."""
    own = simulate_failures(study, rates={"leaf": (1, 3.0)}, counts={"nic": 2}, draws=3, seed=4, workload=RING)
    rates = {"leaf": (np.int64(1), np.float32(3))}
    counts, draws, seed = {"nic": np.int64(2)}, np.int64(3), np.int64(4)
    assert simulate_failures(study, rates=rates, counts=counts, draws=draws, seed=seed, workload=RING) == own


def test_statistics_travel(mixed: FailureStatistics) -> None:
    """They are equal after pickling, plain in JSON, and a row a draw in columns."""
    again = pickle.loads(pickle.dumps(mixed))
    assert again == mixed
    assert hash(again) == hash(mixed)
    assert json.loads(json.dumps(mixed.to_dict(), allow_nan=False))["schema"] == "fabric.failures/1"
    assert {len(column) for column in mixed.columns().values()} == {60}
    assert "Which" not in mixed._repr_html_()
    assert "server-leaf" in mixed._repr_html_()
    assert mixed.plot().axes
    with pytest.raises(ValueError, match="read-only"):
        mixed.kept[0] = 0


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"draws": 0}, "draws 0: not a positive whole number"),
        ({"seed": -1}, "seed -1"),
        ({"size_bytes": 1.5}, "size_bytes 1.5"),
        ({"rates": [0.02, 24]}, "rates .*: not a mapping of kinds of parts"),
        ({"counts": 3}, "counts 3: not a mapping of kinds of parts"),
        ({"rates": {"leaf": 3}}, "failure rate of leaf 3: not failures a year and hours"),
        ({"rates": {"leaf": (-1.0, 2.0)}}, "failure rate of leaf"),
        ({"workload": Workload(failures=("leaf:1",))}, "leave them out"),
        ({"counts": {"leaf": 999}}, "the fabric has only"),
    ],
)
def test_bad_questions_are_refused(study: fabric.Study, asked: dict[str, object], message: str) -> None:
    """Each has one clear message."""
    with pytest.raises(InputError, match=message):
        run_failures(study, AskedFailures(**asked))  # type: ignore[arg-type]


def run(*words: str) -> tuple[int, str]:
    """Run `fabric failures` and return its exit code with what it prints; a mistake is an exception's text."""
    done = CliRunner().invoke(cli, ["failures", *words])
    return done.exit_code, done.output if done.exception is None else f"{done.output}{done.exception}"


def test_the_command_writes_all_or_prints_what_is_asked(tmp_path: Path) -> None:
    """JSON and CSV agree with each other and with the files, and a file of rates serves."""
    request, rates, out = tmp_path / "r.yaml", tmp_path / "rates.yaml", tmp_path / "out"
    request.write_text(json.dumps(REQUEST))
    rates.write_text("failure_rates:\n  switch: {mtbf_h: 1000, repair_h: 10, source: our log}\n")
    words = [str(request), "--rates", str(rates), "--rate", "link=10:100", "--draws", "4", "--algorithm", "ring"]
    code, text = run(*words, "--json")
    assert code == 0, text
    found = json.loads(text)
    leaf = next(each for each in found["kinds"] if each["kind"] == "leaf")
    assert leaf["failures_per_year"] == pytest.approx(8.766)
    assert leaf["source"] == "our log"
    code, text = run(*words, "--csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == found["draws"] == 4
    assert np.mean([float(row["kept"]) for row in rows]) == pytest.approx(found["kept"]["mean"])
    code, text = run(*words, "--out", str(out))
    assert code == 0, text
    assert "Which" not in text
    assert "Worst draw (seed" in text
    assert sorted(each.name for each in out.iterdir()) == [
        "failures.csv", "failures.json", "failures.png", "failures.svg",
    ]  # fmt: skip
    assert json.loads((out / "failures.json").read_text()) == found


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--count", "link"], "is not KIND=NUMBER"),
        (["--count", "lnk=1"], "unknown kind; did you mean 'link'"),
        (["--rate", "leaf=often"], "is not KIND=PER_YEAR:HOURS"),
        (["--rate", "leaf=nan:1"], "not failures a year"),
        (["--json", "--csv"], "exclude each other"),
        (["--rates", "no-such-file.yaml"], "no-such-file.yaml"),
    ],
)
def test_bad_options_are_refused(words: list[str], message: str) -> None:
    """Each ends with a message and no result."""
    code, text = run("superpod-h100-1su", *words)
    assert code
    assert message in text


def test_a_simulation_of_hours_is_refused_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the estimate, and fewer draws as the remedy; the same with few draws is run."""
    study = fabric.design(REQUEST)
    monkeypatch.setenv("FABRIC_MINUTES", "0.2")
    with pytest.raises(fabric.TooLarge, match=r"need about [\d,]+ minutes.*take fewer draws"):
        simulate_failures(study, counts={"link": 5}, draws=10**6, workload=RING)
    assert simulate_failures(study, counts={"link": 5}, draws=2, workload=RING).draws == 2


def test_gpus_in_servers_that_are_cut_off_are_counted_apart(study: fabric.Study) -> None:
    """A job on listed GPUs runs on without those of a dead server; all servers dead stop it."""
    listed = Workload(algorithm="ring", placement=[*range(64)], routing=Routing("adaptive"))
    found = simulate_failures(study, counts={"server": 31}, draws=20, size_bytes=SIZE, workload=listed)
    (alone,) = found.alone
    left = 64 - found.gpus_lost
    assert set(left) <= {0, 8}
    assert (found.kept[left == 0] == 0).all()
    assert found.stopped == float((left == 0).mean()) > 0
    assert 0 <= alone.stops < 1  # some servers are not of the job
    assert found.to_dict()["placement"] == "listed"
