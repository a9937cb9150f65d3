"""A family that is asked for by its name alone is built by its own definition, whatever others have by default."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

import fabric
from fabric.errors import FabricError, Infeasible, InputError
from fabric.topology.families import FAMILIES, Family, families
from tests.optimizer.brute_force import Request
from tests.optimizer.brute_force_graph_forms import cheapest
from tests.request_fixtures import Run, run_every_command

BOX = {"name": "box", "gpus": 1, "nics": 2, "nic_gbps": 100}
SWITCH = {"name": "s32", "ports": 32, "rate_gbps": 100, "price_usd": 3200, "breakouts": {}}
ALONE: dict[str, Any] = {"gpus": 1024, "server": BOX, "switches": SWITCH, "link_price_usd": 100}
FORMS = {"bcube": [("bcube", 2), ("bcube", 3), ("bcube", 4)], "zcube": [("zcube", 2), ("zcube", 3)]}


def counts(study: fabric.Study) -> tuple[Any, ...]:
    """Return what is built and bought."""
    plan = study.blueprint
    roles = [(role, plan.devices(role)) for role in plan.topology.roles]
    return roles, plan.links_total, study.proof.objective, study.bisection_gbps, study.hops


def test_bcube_is_that_of_its_paper() -> None:
    """BCube(32, 2) has 2 x 32 switches for 1,024 servers of two ports: a server's two NICs are those ports."""
    study = fabric.design(ALONE, family="bcube")
    assert study.blueprint.switches == 2 * 32
    assert study.blueprint.links_total == 2 * 1024
    one = {**BOX, "nics": 1, "nic_gbps": 200, "cages": 1}
    spelled = fabric.design(ALONE, family="bcube", server=one, planes=2, oversubscription=2)
    assert counts(study) == counts(spelled)


@pytest.mark.parametrize("family", FORMS)
def test_it_is_the_cheapest_by_brute_force(family: str) -> None:
    """Over all levels that divide a server's NICs, the least cost is that of an exhaustive search."""
    random, found = Random(family), 0
    for _ in range(30):
        nics, ports = random.randint(1, 4), random.randint(4, 12)
        asked = Request(
            random.randint(2, 40), nics, ports, random.choice([100, 1000]), random.choice([1, 30]), copies=2
        )
        costs = []
        for form, levels in [*FORMS[family], *([("zcube-partial", 3)] if family == "zcube" else [])]:
            together = 2 if form == "zcube-partial" else levels
            if nics % together == 0:
                ratio = levels if family == "bcube" else 1
                costs.append(cheapest(replace(asked, nics=nics // together, ratio=ratio), form, levels))
        best = min((cost for cost in costs if cost is not None), default=None)
        words = {
            "gpus": asked.servers,
            "server": {**BOX, "nics": nics},
            "switches": {**SWITCH, "ports": ports, "price_usd": asked.switch_price},
            "link_price_usd": asked.link_price,
            "limits": {"parallel_links": 2},
        }
        if best is None:
            with pytest.raises(Infeasible):
                fabric.design(words, family=family)
        else:
            assert fabric.design(words, family=family).proof.objective == best, asked
            found += 1
    assert found >= 10


def test_every_family_alone_is_designed_or_refused_for_a_cause_of_its_own() -> None:
    """No family is refused for planes that it was not asked for, on drawn servers, switches and sizes."""
    random, designed, refusals = Random(17), dict.fromkeys(families(), 0), list[tuple[str, str]]()
    for family in families():
        for _ in range(6):
            nics, rate = random.choice([1, 2, 4, 8]), random.choice([100, 200, 400])
            ports = random.choice([32, 64, 128])
            words = {
                "gpus": random.choice([16, 100, 640, 2048]),
                "server": {"name": "box", "gpus": random.choice([1, nics]), "nics": nics, "nic_gbps": rate},
                "switches": {"name": "any", "ports": ports, "rate_gbps": rate, "price_usd": 9000, "breakouts": [2]},
                "link_price_usd": 500,
            }
            try:
                study = fabric.design(words, family=family)
            except FabricError as error:
                refusals.append((family, str(error)))
            else:
                plan = study.blueprint
                assert plan.planes == FAMILIES[family].own_planes(plan.topology)
                assert all(
                    plan.ports_down(role) + plan.ports_up(role) <= plan.radix(role) for role in plan.topology.roles
                )
                designed[family] += 1
    assert all(designed.values()), designed
    for family, text in refusals:
        assert FAMILIES[family].own_planes(FAMILIES[family].forms[0]) == 1, text
        assert re.search(r"oversubscription 1 is too low|too few; minimum per switch|carries at most", text), text


@pytest.mark.parametrize("family", ["hpn", "bcube", "zcube"])
def test_the_request_of_a_design_asks_for_the_same(family: str, run: Run, tmp_path: Path) -> None:
    """What is left to the family stays so in the design's own request, and its notes say what it took."""
    path = tmp_path / "alone.yaml"
    path.write_text(yaml.safe_dump({**ALONE, "family": family}))
    code, out, err = run("-q", "design", path, "--json")
    assert code == 0, err
    design = json.loads(out)
    assert design["request"]["planes"] is None
    (note,) = [note for note in design["notes"] if "leaves open" in note]
    assert f"planes {design['planes']}" in note
    again = tmp_path / "again.json"
    again.write_text(json.dumps(design["request"]))
    second = json.loads(run("-q", "design", again, "--json")[1])
    assert [second[key] for key in ("switches", "links", "cost_usd", "notes")] == [
        design[key] for key in ("switches", "links", "cost_usd", "notes")
    ]


@pytest.mark.parametrize(
    ("family", "words", "named"),
    [
        ("bcube", {"planes": 1}, "planes"),
        ("hpn", {"planes": 1}, "planes"),
        ("zcube", {"planes": 4}, "planes"),
        ("bcube", {"oversubscription": 1}, "oversubscription"),
    ],
)
def test_a_written_key_is_kept_and_named_where_it_excludes_the_family(
    family: str, words: dict[str, Any], named: str
) -> None:
    """A value in the request is never replaced by the family's."""
    with pytest.raises((Infeasible, InputError), match=named):
        fabric.design(ALONE, family=family, **words)


def test_a_written_number_of_planes_splits_each_nic() -> None:
    """With `planes: 2` written a NIC has two ports at half its rate, also on BCube."""
    split = {**SWITCH, "breakouts": [2]}
    study = fabric.design(ALONE, family="bcube", switches=split, planes=2, server={**BOX, "cages": 2, "connectors": 2})
    assert study.blueprint.link_gbps == 50
    assert study.blueprint.links_total == 2 * 2 * 1024


def test_several_families_are_compared_by_the_same_values() -> None:
    """Among several families each has one plane and 1:1, so a BCube at 2:1 does not win by carrying half."""
    for asked in ("any", ["fat-tree", "bcube"]):
        study = fabric.design(ALONE, family=asked)
        plan = study.blueprint
        assert plan.planes == 1
        assert all((plan.oversubscription(role) or 0) <= 1 for role in plan.topology.roles)


def test_cards_are_counted_one_by_one() -> None:
    """NICs that are the ports of one node are bought, and have modules, each for itself."""
    study = fabric.design(ALONE, family="bcube", nic_usd=1000)
    (nics,) = [row for row in study.bill.rows if row.kind == "nic"]
    assert (nics.part, nics.quantity) == ("100G NIC", 2048)
    assert sum(row.quantity for row in study.bill.of("module") if row.used_for == "server") == 2048
    assert study.proof.objective == study.bill.cost_usd()


@pytest.fixture
def twins() -> Iterator[Family]:
    """Register a family of another package that needs two planes."""
    forms = ["server(block, slot) - leaf(block) - top(top)"]
    FAMILIES.add(Family.of("twins", "", *forms, reference="", least_planes=2))
    yield FAMILIES["twins"]
    FAMILIES.remove("twins")


def test_a_family_of_another_package_has_its_own_values(twins: Family) -> None:
    """What it needs is a value of its record, which sizing takes."""
    study = fabric.design({"gpus": 256, "server": "hgx-h100", "family": twins.name, "switches": "sn5600"})
    assert study.blueprint.planes == 2


@pytest.mark.parametrize("family", ["bcube", "zcube", "hpn"])
def test_such_a_design_goes_the_whole_line(family: str, run: Run, tmp_path: Path) -> None:
    """Its bill, flows, wiring, drawing, page and export agree on the numbers of devices and links."""
    path = tmp_path / "alone.yaml"
    path.write_text(yaml.safe_dump({**ALONE, "gpus": 28, "family": family}))
    study = fabric.design(path)
    assert study.network.links == study.blueprint.links_total
    assert {gpus: len(study.path(0, gpus)) > 1 for gpus in (1, 27)} == {1: True, 27: True}
    run_every_command(run, path, tmp_path)


def test_a_rail_for_each_nic_that_is_asked_for_stays_one() -> None:
    """Two NICs become the ports of one where only that attaches them, but not where that would leave fewer rails."""
    words = {**ALONE, "gpus": 64, "server": {**BOX, "gpus": 8, "nics": 8}, "family": "hpn"}
    words["switches"] = {"name": "s", "ports": 64, "rate_gbps": BOX["nic_gbps"], "price_usd": 9000}
    plan = fabric.design(words).blueprint
    assert (plan.server.nics, plan.planes, plan.rails) == (4, 2, 4)
    assert fabric.design(words, rails=[2, 8]).blueprint.rails == 2
    with pytest.raises(InputError, match="the breakouts of s to"):
        fabric.design(words, rails=8)
