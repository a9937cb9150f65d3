"""What remains without one switch or plane, against enumeration and linear programs on the network laid out."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from ortools.linear_solver import pywraplp

import fabric
from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import metrics_of
from fabric.errors import Infeasible
from fabric.network.expand import expand
from fabric.optimizer import size
from fabric.optimizer.build_model import build_model
from fabric.optimizer.objectives import switches
from fabric.optimizer.search import comparable_candidates
from fabric.optimizer.solve import minimise
from fabric.testing import random_blueprint
from fabric.topology.families import families
from fabric.topology.topology import PLANE, Topology
from tests.marks import slow
from tests.optimizer.brute_force import everything
from tests.optimizer.test_search import FAMILIES, as_spec, small_request
from tests.request_fixtures import mistakes_of, read

FORMS = [form for name in FAMILIES for form in families()[name].forms if form.tiers > 1]
Edges = Counter[tuple[str, str]]


def full(form: Topology, random: Random) -> Blueprint:
    """Return a random small blueprint of two or three full outermost places."""
    plan = random_blueprint(form, random)
    sizes = {axis: random.choice([1, 1, 2]) for axis in form.server.axes}
    sizes[form.server.axes[0]], sizes["slot"] = random.choice([2, 3]), random.randint(1, 4)
    sizes = {**plan.sizes, **sizes}
    servers = math.prod(sizes[axis] for axis in form.server.axes)
    return dataclasses.replace(plan, sizes=form.complete_sizes(sizes, 8, servers), gpus=servers * plan.server.gpus)


def edges(plan: Blueprint) -> Edges:
    """Return the links between each pair of devices of the network laid out, the servers of a block as one device."""
    network = expand(plan)
    slots = plan.sizes["slot"]
    found: Edges = Counter()
    for lower, upper in np.column_stack([network.lower, network.upper]).tolist():
        below = f"block {lower // slots}" if lower < plan.servers else network.name(lower)
        found[below, network.name(upper)] += 1
    return found


def most(links: Edges, blocks: int, outermost: int, sent: int) -> float:
    """Return the greatest share of `sent` that every block can send at once, evenly to the blocks of other places."""
    solver = pywraplp.Solver.CreateSolver("GLOP")
    share = solver.NumVar(0, solver.infinity(), "share")
    arcs = [*links, *((upper, lower) for lower, upper in links)]
    flows = {(b, arc): solver.NumVar(0, solver.infinity(), "") for b in range(blocks) for arc in arcs}
    for one, other in arcs:
        room = links[one, other] or links[other, one]
        solver.Add(sum(flows[b, (one, other)] for b in range(blocks)) <= room)
    inside = blocks // outermost
    for b in range(blocks):
        for node in {node for arc in arcs for node in arc}:
            out = sum(flows[b, arc] for arc in arcs if arc[0] == node)
            came = sum(flows[b, arc] for arc in arcs if arc[1] == node)
            wanted = 0.0
            if node.startswith("block "):
                other = int(node.removeprefix("block "))
                apart = other // inside != b // inside
                wanted = sent if other == b else -sent / (blocks - inside) if apart else 0
                if other != b:
                    solver.Add(out == 0)
            solver.Add(out - came == wanted * share)
    solver.Maximize(share)
    assert solver.Solve() == pywraplp.Solver.OPTIMAL
    return float(share.solution_value())


@pytest.mark.parametrize("draws", [1, pytest.param(6, marks=pytest.mark.slow)])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.family} {form.text.partition(' - ')[2]}")
def test_the_share_that_survives_can_be_routed(form: Topology, draws: int) -> None:
    """Without any one switch, a linear program sends at least the share of the closed form."""
    random = Random(form.text)
    for _ in range(min(draws, 2) if form.tiers > 3 else draws):
        plan = full(form, random)
        links, outermost = edges(plan), plan.sizes[form.server.axes[0]]
        blocks = plan.servers // plan.sizes["slot"]
        sent = plan.sizes["slot"] * plan.server.nics * plan.planes
        before, share = min(1.0, most(links, blocks, outermost, sent)), metrics_of(plan).survives()
        ratios = [plan.oversubscription(role) or 1 for role in form.roles[:-1]]
        assert before == pytest.approx(min(1 / math.prod(ratios[:tier]) for tier in range(form.tiers)))
        for role in form.roles:
            if share[role] == 0:
                continue
            lost = next(name for pair in links for name in pair if name.startswith(f"{role}["))
            left = Counter({pair: count for pair, count in links.items() if lost not in pair})
            after = min(1.0, most(left, blocks, outermost, sent))
            assert after >= float(share[role]) * before - 1e-6, (plan.sizes, role)


@pytest.mark.parametrize("draws", [1, pytest.param(6, marks=pytest.mark.slow)])
@pytest.mark.parametrize("form", FORMS[:-1], ids=lambda form: f"{form.family} {form.text.partition(' - ')[2]}")
def test_the_share_that_survives_with_balanced_uplinks_can_be_routed(form: Topology, draws: int) -> None:
    """Without any one switch, that with most links too, the program sends the share of what it sent before."""
    random = Random(f"balanced {form.text}")
    for _ in range(draws):
        plan = full(form.balanced(), random)
        links, outermost = edges(plan), plan.sizes[form.server.axes[0]]
        if len(links) > 160:
            continue
        blocks = plan.servers // plan.sizes["slot"]
        sent = plan.sizes["slot"] * plan.server.nics * plan.planes
        before, share = min(1.0, most(links, blocks, outermost, sent)), metrics_of(plan).survives()
        for role in form.roles:
            for lost in {name for pair in links for name in pair if name.startswith(f"{role}[") and share[role]}:
                left = Counter({pair: count for pair, count in links.items() if lost not in pair})
                after = min(1.0, most(left, blocks, outermost, sent))
                assert after >= float(share[role]) * before - 1e-6, (plan.sizes, lost)


def test_without_room_to_spare_one_of_n_is_lost() -> None:
    """A non-blocking fabric keeps exactly the others' share, and a linear program can't send more."""
    form = families()["fat-tree"].forms[2]
    sizes = {"pod": 2, "block": 2, "slot": 4, "stripe": 1, "group": 2, "spine": 2, "core": 2, "plane": 1}
    sizes |= {"server-leaf": 1, "leaf-spine": 1, "spine-core": 1, PLANE: 1}
    plan = full(form, Random(0))
    server = dataclasses.replace(plan.server, gpus=1, nics=1)
    plan = dataclasses.replace(plan, sizes=form.complete_sizes(sizes, 8, 16), server=server, gpus=16)
    assert metrics_of(plan).survives() == {"leaf": 0, "spine": Fraction(3, 4), "core": Fraction(3, 4), PLANE: 0}
    links = edges(plan)
    assert most(links, 4, 2, 4) == pytest.approx(1)
    for role in ("spine", "core"):
        lost = next(name for pair in links for name in pair if name.startswith(f"{role}["))
        left = Counter({pair: count for pair, count in links.items() if lost not in pair})
        assert most(left, 4, 2, 4) == pytest.approx(3 / 4)


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("draws", [15, *slow(40)])
@pytest.mark.parametrize("family", FAMILIES)
def test_surviving_fabrics_are_found_as_by_exhaustive_search(family: str, draws: int) -> None:
    """No small fabric that survives is cheaper than the one sized, which says itself that enough remains."""
    random = Random(f"survive {family}")
    shares = [Fraction(1, 2), Fraction(2, 3), Fraction(3, 4), Fraction(4, 5), Fraction(1)]
    for _ in range(draws):
        losses = random.choice([["leaf"], ["spine"], ["spine"], ["core"], ["spine", "core"]])
        request = dataclasses.replace(
            small_request(random), survive=tuple((role, random.choice(shares)) for role in losses)
        )
        tiers = random.choice([(1,), (2,), (3,), (1, 2, 3)])
        best = min((cost for cost, _ in everything(request, family, tiers)), default=None)
        asked = dataclasses.replace(as_spec(request, family, tiers), survive=dict(request.survive))
        try:
            sized = size(asked)
        except Infeasible:
            assert best is None, (request, family, tiers)
            continue
        assert sized.proof.objective == best, (request, family, tiers)
        left = metrics_of(sized.blueprint).survives()
        assert all(left.get(role, 1) >= share for role, share in asked.survive.items())


def test_surviving_a_plane_takes_planes() -> None:
    """To keep half without a plane takes two planes, three quarters four, and all can't be kept."""
    box = {"name": "box", "ports": 128, "rate_gbps": 400, "breakouts": [2, 4], "connectors": 4, "price_usd": 9}
    asked = {"gpus": 256, "server": "hgx-h100", "switches": box, "planes": [1, 2, 4], "family": "fat-tree"}
    asked["link_price_usd"] = 1
    for share, planes in ((0.5, 2), (0.75, 4)):
        study = fabric.design({**asked, "survive": {"plane": share}})
        assert (study.blueprint.planes, study.survives[PLANE]) == (planes, Fraction(planes - 1, planes))
    with pytest.raises(Infeasible):
        fabric.design({**asked, "survive": {"plane": 1}})


def test_a_freed_loss_is_not_asked_for() -> None:
    """A model without its demand on the spine is solved where one with it is not."""
    asked = read(
        gpus=512, server="hgx-h100", family="rail-optimized", tiers=2, pinned={"spine": 4}, survive={"spine": 1}
    )
    candidate = comparable_candidates(asked, ())[0][0]
    for free, status in ((), "INFEASIBLE"), (["survive.spine"], "OPTIMAL"):
        model = build_model(candidate, free)
        assert minimise(model, [switches(model)]).status == status


def test_a_wrong_loss_is_refused() -> None:
    """An unknown role and a share above 1 are mistakes of the request."""
    assert "survive" in mistakes_of(gpus=8, server="hgx-h100", survive={"spin": 0.5})[0]
    assert "survive" in mistakes_of(gpus=8, server="hgx-h100", survive={"spine": 1.5})[0]


def test_no_level_of_a_server_centric_network_survives_without_another() -> None:
    """On BCube the planes are levels, none of which replaces another, so that no share is guaranteed without one."""
    box = {"name": "box", "ports": 64, "rate_gbps": 200, "price_usd": 1}
    asked = {"gpus": 64, "server": "hgx-h100", "switches": box, "link_price_usd": 1}
    asked |= {"family": "bcube", "planes": 2, "oversubscription": 4}
    assert fabric.design(asked).survives == {PLANE: 0}
    with pytest.raises(Infeasible, match=r"survive\.plane 0\.5"):
        fabric.design({**asked, "survive": {"plane": 0.5}})
