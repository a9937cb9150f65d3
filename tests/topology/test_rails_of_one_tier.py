"""In one tier the rails that a request asks for have a leaf each; rails that it leaves open share one."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

import fabric
from fabric.report.notes import list_notes
from fabric.testing import check_family
from fabric.topology.clos_families import RAIL_OPTIMIZED
from fabric.topology.families import Family, family_sets

SWITCH = {"name": "s", "ports": 64, "rate_gbps": 400, "price_usd": 9000, "breakouts": [2]}


def notes_of(study: fabric.Study) -> str:
    """Return the notes on rails in one tier."""
    return " ".join(note for note in list_notes(study) if note.startswith("In one tier"))


@pytest.mark.parametrize("seed", range(10))
def test_every_rail_asked_for_has_its_leaf_and_its_nics(seed: int) -> None:
    """On drawn servers each leaf has one rail: as many links of every server, to the NICs of that rail alone."""
    random = Random(seed)
    nics = random.choice([2, 4, 8, 24])
    rails = random.choice([number for number in range(2, nics + 1) if nics % number == 0])
    servers = random.randint(2, 64 * rails // nics)
    box = {"name": "box", "gpus": 4, "nics": nics, "nic_gbps": 400}
    words: dict[str, Any] = {"gpus": 4 * servers, "server": box, "switches": SWITCH, "link_price_usd": 100}
    study = fabric.design(words, family="rail-optimized", tiers=1, rails=rails)
    plan, network = study.blueprint, study.network
    assert (plan.rails, plan.devices("leaf")) == (rails, rails)
    pairs: dict[tuple[int, int], set[int]] = {}
    for server, nic, leaf in zip(
        network.lower.tolist(), network.lower_port.tolist(), network.upper.tolist(), strict=True
    ):
        pairs.setdefault((server, leaf), set()).add(nic)
    assert len(pairs) == servers * rails
    assert {len(found) for found in pairs.values()} == {nics // rails}
    assert "never meet" in notes_of(study)
    alone = fabric.design(words, family="rail-only", tiers=1, rails=rails)
    assert alone.proof.objective == study.proof.objective
    assert alone.allreduce(2**30).time_s == study.allreduce(2**30).time_s


@pytest.mark.parametrize(("server", "rails"), [("gaudi3", 3), ("aws-p5", 8), ("hgx-h100", 8)])
def test_the_rails_of_a_server_share_a_leaf_unless_they_are_asked_for(server: str, rails: int) -> None:
    """A cluster that one switch holds takes one, and says how to keep the rails apart; asked for, they are."""
    words = {"gpus": 32, "server": server, "switches": {**SWITCH, "rate_gbps": 800, "breakouts": [2, 4, 8]}}
    one = fabric.design(words, family="rail-optimized")
    assert (one.blueprint.switches, one.blueprint.rails) == (1, 1)
    assert f"`rails: {rails}`" in notes_of(one)
    each = fabric.design(words, family="rail-optimized", rails=rails)
    assert (each.blueprint.devices("leaf"), each.blueprint.rails) == (rails, rails)


def test_two_tiers_join_the_rails() -> None:
    """With two tiers the rails meet at the spine, and no note is needed."""
    study = fabric.design(gpus=64, server="hgx-h100", family="rail-optimized", rails=8, tiers=2, switches=SWITCH)
    assert study.blueprint.topology.rails_meet_at == "spine"
    assert not notes_of(study)


@pytest.mark.parametrize("rails", [1, [1, 8], "any"])
def test_a_choice_of_rails_takes_the_cheapest(rails: Any) -> None:
    """Where one rail is among those allowed, one leaf is the cheapest."""
    study = fabric.design(gpus=64, server="hgx-h100", family="rail-optimized", rails=rails, switches=SWITCH)
    assert study.blueprint.switches == 1


@pytest.mark.parametrize("asked", ["any", "clos"])
def test_a_set_of_families_never_keeps_them_apart(asked: str) -> None:
    """`any` and `clos` choose only among fabrics that join every GPU to every other."""
    assert "rail-optimized" in family_sets()[asked]
    study = fabric.design(gpus=64, server="hgx-h100", family=asked, rails=8, switches=SWITCH)
    assert study.blueprint.topology.rails_meet_at


def test_the_topology_is_what_it_says() -> None:
    """Closed forms, expansion, hops and bisection of the leaves of rails agree on random small sizes."""
    assert RAIL_OPTIMIZED.rails_apart is not None
    check_family(Family("rails-apart", "", (RAIL_OPTIMIZED.rails_apart,), ""))
