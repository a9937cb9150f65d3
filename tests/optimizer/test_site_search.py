"""The least cost on a site, against all fabrics of small requests, each laid out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from ortools.sat.python import cp_model

import fabric
from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.layout.routes import tray_metres
from fabric.layout.spots import spots_of
from fabric.optimizer import size
from fabric.optimizer.build_model import build_model
from fabric.optimizer.candidates import Candidate, candidates
from fabric.optimizer.model import Model
from fabric.optimizer.objectives import COST
from fabric.optimizer.site_bound import bound_site_cost, count_positions
from fabric.optimizer.site_search import SiteBudget, find_cheapest_on_site
from fabric.optimizer.solve import Solution, minimise
from fabric.optimizer.ties import blueprint_of
from fabric.request.site import Hall, Site
from fabric.studies.study import Study

FLAT = {"name": "flat", "gpus": 8, "nics": 8, "nic_gbps": 400, "cage": "osfp", "rack_units": 8}
PRICES = {
    "dac-split-2x400g": 100, "dac-osfp-2x400g": 60, "osfp-2xsr4": 900, "osfp-sr4-400g": 500, "mpo12-mmf": 40,
    "acc-split-2x400g": 150,
}  # fmt: skip
BOX = {"name": "box", "ports": 16, "rate_gbps": 800, "cages": 16, "cage": "osfp", "price_usd": 9000, "rack_units": 1}
BOX |= {"breakouts": {"400": 32}}
BASE: dict[str, Any] = {
    "server": FLAT, "switches": BOX, "exclude_optics": ["optical-400g"], "prices_usd": PRICES, "link_gbps": 400,
    "limits": {"parallel_links": 4}, "tiers": [1, 2], "site": {"slack_m": 0.5, "rack": {"power_kw": None}},
}  # fmt: skip
IN_RACK = BASE | {"site": BASE["site"] | {"layout": "in-rack"}}
SMALL = [
    BASE | {"gpus": 48, "family": "fat-tree"},
    IN_RACK | {"gpus": 48, "family": "fat-tree"},
    BASE | {"gpus": 48, "family": "fat-tree", "site": BASE["site"] | {"layout": "network-rows"}},
    IN_RACK | {"gpus": 64, "family": "rail-optimized", "limits": {"parallel_links": 1}},
    IN_RACK | {"gpus": 48, "family": "hyperx", "unit_gpus": 16, "oversubscription": 2},
    IN_RACK | {"gpus": 40, "family": "fat-tree", "appliances": [{"name": "ufm", "ports": 2}]},
    BASE | {"gpus": 32, "family": "fat-tree", "site": BASE["site"] | {"group_racks": 2}, "grow_to_gpus": 64},
    IN_RACK | {"gpus": 48, "family": "fat-tree", "prices_usd_per_m": {"mpo12-mmf": 60, "dac-split-2x400g": 55}},
]


def list_fabrics(candidate: Candidate) -> Iterator[tuple[Blueprint, Model]]:
    """Yield every fabric of a candidate, found by a solver that lists all solutions, with a model of it alone."""

    class Collect(cp_model.CpSolverSolutionCallback):
        def __init__(self, model: Model) -> None:
            super().__init__()
            self.model, self.found = model, dict[str, Solution]()

        def on_solution_callback(self) -> None:
            sizes = {name: self.value(term) for name, term in self.model.sizes.items()}
            counts, added = (
                {role: tuple(map(self.value, terms)) for role, terms in each.items()}
                for each in (self.model.switch_counts, self.model.added_counts)
            )
            added = {role: each for role, each in added.items() if any(each)}
            self.found[str((sizes, counts))] = Solution("OPTIMAL", (0,), 0, sizes, counts, added)

    model = build_model(candidate)
    solver, collect = cp_model.CpSolver(), Collect(model)
    solver.parameters.enumerate_all_solutions = True
    solver.parameters.num_workers = 1
    assert solver.solve(model.cp, collect) in (cp_model.OPTIMAL, cp_model.INFEASIBLE)
    for solution in collect.found.values():
        alone = build_model(candidate)
        for name, term in alone.sizes.items():
            alone.cp.add(term == solution.sizes[name])
        yield blueprint_of(candidate, solution), alone


def price(study: Study, blueprint: Blueprint) -> float | None:
    """Return what another fabric of a request costs on its site."""
    return Study(study.spec, blueprint, study.proof).bill.cost_usd()


def price_or_none(study: Study, blueprint: Blueprint) -> float | None:
    """Return the cost of a fabric; None where its unlike parts need more cages than its switches have."""
    try:
        return price(study, blueprint)
    except InputError as error:
        if "links need ports up to" in str(error):
            return None
        raise


@pytest.mark.parametrize(
    "request_", SMALL, ids=["rows", "in-rack", "apart", "rails", "hyperx", "appliance", "growing", "metres"]
)
def test_the_least_of_all_fabrics_is_found_and_no_bound_is_above_a_cost(request_: dict[str, Any]) -> None:
    """Every fabric that the request allows is laid out: none costs less than its bound, nor than what is found."""
    best = fabric.optimize(request_)
    assert best.proof.fabrics_laid_out > 0
    costs = []
    for candidate in candidates(best.spec, ("price",))[0]:
        objective = bound_site_cost(candidate)
        for blueprint, alone in list_fabrics(candidate):
            cost = price_or_none(best, blueprint)
            if cost is not None:
                assert minimise(alone, [alone.total(objective)]).values[0] <= round(100 * cost)
                costs.append(cost)
    assert len(costs) > 3
    assert best.bill.cost_usd() == min(costs) == best.proof.objective
    assert best.proof.status == "OPTIMAL"
    assert best.proof.bound == best.proof.objective


def test_the_site_decides_between_families() -> None:
    """With leaves in the racks of their servers, copper reaches all links of a fat tree's servers."""
    asked = IN_RACK | {"gpus": 128, "family": "clos", "switches": "qm9700"}
    plain, best = fabric.design(asked), fabric.optimize(asked)
    families = (plain.blueprint.topology.family, best.blueprint.topology.family)
    assert families == ("rail-optimized", "fat-tree")
    assert (plain.bill.cost_usd(), best.bill.cost_usd()) == (611_400, 521_160)
    assert best.others[0].name == "rail-optimized in 2 tiers, rails meeting at the spine, of qm9700"
    assert best.others[0].objectives == {"cost_usd": 611_400}
    assert {row.part for row in best.bill.of("cable") if row.used_for == "server-leaf"} == {"dac-split-2x400g"}


def test_a_search_that_ends_early_has_a_bound_below_every_cost() -> None:
    """With one or two fabrics laid out the status is FEASIBLE, and the bound is no more than the proven optimum."""
    study = fabric.optimize(BASE | {"gpus": 128, "family": "fat-tree"})
    first = size(study.spec, (COST,))
    optimum, bounds = study.proof.objective, []
    for fabrics in (1, 2, 1000):
        _, proof, _ = find_cheapest_on_site(
            study.spec, first, lambda plan: price(study, plan), lambda text: None, SiteBudget(fabrics)
        )
        bounds.append(proof.bound)
        assert proof.bound <= optimum <= proof.objective
        assert (proof.status == "OPTIMAL") == (proof.bound == proof.objective)
    assert bounds[0] < optimum == bounds[-1]
    assert bounds == sorted(bounds)


def test_the_runner_up_is_the_least_of_all_other_topologies() -> None:
    """Of every fabric of the other families, laid out one by one, none costs less than the runner-up that is named."""
    families = ["fat-tree", "rail-optimized", "rail-only"]
    asked = BASE | {"gpus": 96, "family": families, "rails": 2, "unit_gpus": 32, "tiers": [2]}
    best, costs = fabric.optimize(asked), dict[str, float]()
    for candidate in candidates(best.spec, ("price",))[0]:
        found = [price_or_none(best, blueprint) for blueprint, _ in list_fabrics(candidate)]
        costs[str(candidate)] = min((cost for cost in found if cost is not None), default=np.inf)
    first, second = sorted(costs.values())[:2]
    assert best.proof.objective == first
    assert [each.objectives["cost_usd"] for each in best.others][:1] == [second]
    assert any(best.others[0].name.startswith(name) for name, cost in costs.items() if cost == second)


def test_halls_without_room_say_so_and_other_fabrics_are_tried() -> None:
    """A hall for the servers and few switches: what does not fit is left out; one that is too small says so."""
    hall = {"name": "A", "rows": 1, "racks_per_row": 4}
    asked = BASE | {"gpus": 96, "family": "fat-tree", "site": BASE["site"] | {"halls": [hall]}}
    assert fabric.optimize(asked).layout.racks <= 4
    hall["racks_per_row"] = 2
    with pytest.raises(InputError, match="rack positions"):
        fabric.optimize(asked)


def test_without_cheaper_parts_the_cost_without_the_site_is_proven_at_once() -> None:
    """A whole link of one price reaches everywhere: one fabric is laid out, the one that `design` has."""
    asked = {"gpus": 512, "server": "hgx-h100", "family": "clos", "switches": "qm9700", "site": {"slack_m": 3}}
    best, plain = fabric.optimize(asked), fabric.design(asked)
    assert (best.blueprint, best.proof.status) == (plain.blueprint, "OPTIMAL")
    assert best.proof.fabrics_laid_out == 1 + len(best.others)
    assert best.proof.objective == plain.bill.cost_usd()


@pytest.mark.parametrize("metres", [0.3, 0.6, 1.3, 3.0, 4.4, 9.1])
def test_no_more_positions_are_near_than_the_count(metres: float) -> None:
    """Of every position of two halls, those within a way along the trays are counted one by one."""
    halls = (Hall("A", 4, 9, x_m=0.0, y_m=0.0), Hall("B", 4, 9, x_m=5.7, y_m=1.5))
    site = Site(halls)
    places = [(hall, row, at) for hall in range(2) for row in range(4) for at in range(9)]
    spots = spots_of(halls, *(column(places, number) for number in range(3)))
    most = 0
    for number in range(len(places)):
        own = spots.take(column([(number,)], 0).repeat(len(places)))
        near = tray_metres(site, halls, own, spots) <= metres + 1e-9
        most = max(most, int(near.sum()) - 1)
    assert most <= count_positions(site, metres)


def column(rows: list[tuple[int, ...]], number: int) -> Any:
    """Return one element of each row."""
    return np.array([row[number] for row in rows])
