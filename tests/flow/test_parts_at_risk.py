"""Draws of what is down: binomial numbers, streams of each kind of its own, and refusals that name what is missing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.blueprint.hosts import Hosts
from fabric.catalog import HOURS_PER_YEAR, FailureRate, failure_rates
from fabric.errors import InputError
from fabric.flow import fail
from fabric.flow.failover import servers_up
from fabric.flow.failure_words import FailableParts
from fabric.flow.parts_at_risk import find_parts_at_risk
from tests.flow.flow_fabrics import rails

OFTEN = FailureRate("link", 3.0, HOURS_PER_YEAR / 100)
"""A rate by which a part is down 3 % of the time."""


@pytest.fixture(scope="module")
def plan() -> Blueprint:
    """Return a fabric of eight rails: 32 servers, 256 links to servers and 256 above."""
    return rails()


def test_the_numbers_down_are_binomial(plan: Blueprint) -> None:
    """Over 4,000 draws the number of links down has the mean and the variance of a binomial."""
    risk = find_parts_at_risk(plan, {"leaf-spine": OFTEN})
    (kind,) = risk.kinds
    drawn = [risk.draw(seed) for seed in range(4000)]
    found = np.array([len(each["leaf-spine"].numbers) if each else 0 for each in drawn])
    share, count = OFTEN.unavailability, kind.parts
    assert share == pytest.approx(0.03)
    variance = count * share * (1 - share)
    assert kind.expected_down == pytest.approx(count * share)
    assert found.mean() == pytest.approx(count * share, abs=4 * math.sqrt(variance / len(found)))
    assert found.var() == pytest.approx(variance, rel=0.12)
    # All links fail alike: the numbers of times that each is down scatter as sums of independent draws do.
    times = np.bincount(np.concatenate([each["leaf-spine"].numbers for each in drawn if each]))[256:]
    assert len(times) == count
    assert times.std() == pytest.approx(math.sqrt(len(found) * share * (1 - share)), rel=0.2)


def test_without_a_kind_all_others_fail_as_before(plan: Blueprint) -> None:
    """The stream of a kind depends on no other kind, and a draw on none before it."""
    rates = {"link": OFTEN, "nic": OFTEN, "server": OFTEN}
    everything, fewer = find_parts_at_risk(plan, rates), find_parts_at_risk(plan, {"server": OFTEN, "nic": OFTEN})
    for seed in (7, 3):
        all_failed, failed = everything.draw(seed), fewer.draw(seed)
        assert set(failed) <= set(all_failed)
        assert all(each.names() == all_failed[kind].names() for kind, each in failed.items())
    failed = everything.draw(3)
    up = everything.links_up(failed, without="nic")
    assert (up == everything.links_up({kind: each for kind, each in failed.items() if kind != "nic"})).all()
    assert (up & failed["nic"].up == everything.links_up(failed)).all()


def test_a_general_rate_stands_for_every_bundle_and_role_without_one(plan: Blueprint) -> None:
    """Rates of links and switches are spread over the fabric's own kinds, those of one bundle or role go first."""
    own = FailureRate("leaf", 0.5, 1.0)
    risk = find_parts_at_risk(plan, {"link": OFTEN, "switch": OFTEN, "leaf": own})
    assert {each.kind: each.rate for each in risk.kinds} == {
        "server-leaf": OFTEN,
        "leaf-spine": OFTEN,
        "leaf": own,
        "spine": OFTEN,
    }
    assert [each.kind for each in find_parts_at_risk(plan, failure_rates()).kinds] == [
        "server-leaf", "leaf-spine", "leaf", "spine", "nic", "gpu", "server",
    ]  # fmt: skip


def test_a_failed_gpu_takes_its_server_down(plan: Blueprint) -> None:
    """The links of the GPU's server are down, and no others."""
    (name,) = FailableParts(plan).fail("gpu:1", np.random.default_rng(5)).names()
    up = fail(plan, [name])
    (lost,) = np.flatnonzero(~servers_up(plan, up))
    block, slot, gpu = (int(word.split("=")[1].rstrip("]")) for word in name.split(","))
    assert gpu < 8
    assert (up == fail(plan, [f"server[block={block},slot={slot}]"])).all()
    assert Hosts.of(plan).server_of_gpu(8 * lost + gpu) == lost


@pytest.mark.parametrize(
    ("rates", "counts", "message"),
    [
        ({"leav": OFTEN}, {}, "unknown kind; did you mean 'leaf'"),
        ({"leaf": FailureRate("leaf", 0.1, None)}, {}, "leaf: repair time not known; give .* --rate leaf=0.01:24"),
        ({"switch": FailureRate("switch", None, None)}, {}, "failure rate and repair time not known"),
        ({"leaf": FailureRate("leaf", 400.0, 24.0)}, {}, "leave no time in service"),
        ({}, {}, "no part may fail"),
        ({}, {"leaf": 33}, "the fabric has only 32"),
        ({}, {"leaf": -1}, "not a whole number"),
        ({}, {"switch": 1}, "unknown kind"),
        ({"leaf": OFTEN}, {"leaf": 1}, "by a rate and by a count"),
        ({"leaf-spine": OFTEN}, {"link": 1}, "leaf-spine: drawn by a rate and by a count"),
    ],
)
def test_what_makes_no_sense_is_refused(
    plan: Blueprint, rates: dict[str, FailureRate], counts: dict[str, int], message: str
) -> None:
    """Each mistake has a message with the kind and what would do."""
    with pytest.raises(InputError, match=message):
        find_parts_at_risk(plan, rates, counts)
