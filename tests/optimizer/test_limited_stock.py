"""Switches of limited stock: mixes of models within a tier, against trying them all, and all that counts them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from random import Random

import pytest

import fabric
from fabric.blueprint.stages import grow_blueprint
from fabric.catalog import Server, Switch
from fabric.draw.captions import model_title
from fabric.errors import Infeasible
from fabric.flow import summarize
from fabric.optimizer import size
from fabric.optimizer.build_model import build_model
from fabric.optimizer.flow_objectives import features_of
from fabric.optimizer.objectives import switches
from fabric.optimizer.search import comparable_candidates
from fabric.optimizer.solve import minimise
from fabric.report.comparison import compare
from fabric.report.describe import describe, describe_json
from fabric.report.markdown import markdown_report
from fabric.report.terminal import summarize_design
from fabric.request import Limits, Spec
from tests.marks import slow
from tests.request_fixtures import mistakes_of, read

SMALL = {"name": "small", "ports": 8, "rate_gbps": 400, "price_usd": 10, "rack_units": 1, "power_w": 5}
LARGE = {"name": "large", "ports": 16, "rate_gbps": 400, "price_usd": 90, "rack_units": 2, "power_w": 7}
LARGE |= {"latency_ns": 5000, "cages": 8}
ASKED = {
    "name": "mixed",
    "gpus": 16,
    "server": {"name": "srv", "gpus": 1, "nics": 1, "nic_gbps": 400},
    "family": "fat-tree",
    "tiers": 2,
    "switches": [SMALL, LARGE],
    "link_price_usd": 1,
    "pinned": {"slot": 4, "spine": 4},
    "available": {"small": 6},
}


@dataclass(frozen=True)
class Box:
    """A switch model with a number of ports and a price, of which a given number, or any number, is available.

    A native port is split into `split` links, of which `shared` are on one connector.
    """

    ports: int
    price: int
    stock: int | None
    split: int = 1
    shared: int = 1

    def joins(self, other: Box, links: int) -> bool:
        """Say whether this many links, on up to four native ports, can join it to another switch."""
        whole = max(self.shared, other.shared) if min(self.shared, other.shared) > 1 else 1
        return links <= 4 * min(self.split, other.split) and links % whole == 0


Shape_ = tuple[int, int, tuple[tuple[int, int], ...]]
"""Links, those of one pair of switches, and for each tier its switches with the ports that they use."""


def shapes(servers: int, nics: int, lanes: int) -> Iterator[Shape_]:
    """Yield the non-blocking fabrics of one and two tiers on up to 16 ports."""
    yield servers * nics, 0, ((1, servers * nics),)
    for slot, copies, spines in product(range(1, servers + 1), range(1, 17), range(1, 17)):
        down, up, units = slot * nics // lanes, copies * spines, math.ceil(servers / slot)
        if down <= up and down + up <= 16:
            leaves = units * lanes
            yield servers * nics + leaves * up, copies, ((leaves, down + up), (spines, leaves * copies))


def prices(copies: int, tiers: tuple[tuple[int, int], ...], boxes: tuple[Box, Box]) -> Iterator[int]:
    """Yield the cost of the switches of the tiers for every way to take them from the two models.

    Any two models in use in two tiers may be joined.
    """
    mixed = any(box.stock is not None for box in boxes)
    ways = [
        [
            (first, count - first)
            for first in (range(count + 1) if mixed else (0, count))
            if all(not some or ports <= box.ports for some, box in zip((first, count - first), boxes, strict=True))
        ]
        for count, ports in tiers
    ]
    for taken in product(*ways):
        ends = ([box for some, box in zip(each, boxes, strict=True) if some] for each in taken)
        fits = not copies or all(low.joins(high, copies) for low, high in product(*ends))
        totals = [sum(each[place] for each in taken) for place in (0, 1)]
        if fits and all(box.stock is None or total <= box.stock for box, total in zip(boxes, totals, strict=True)):
            yield sum(box.price * total for box, total in zip(boxes, totals, strict=True))


def grown_fabrics(servers: int, grown: int, nics: int) -> Iterator[tuple[int, tuple[tuple[int, int, int], ...]]]:
    """Yield the links of today's non-blocking fat trees, and for each tier its switches, those added later, and ports.

    They are as `shapes`, with up to four links a pair, and room for the servers that growth adds.
    """
    yield servers * nics, ((1, 0, grown * nics),)
    for slot, copies, spines in product(range(1, grown + 1), range(1, 5), range(1, 17)):
        down, up, (units, later) = slot * nics, copies * spines, (math.ceil(each / slot) for each in (servers, grown))
        if down <= up and down + up <= 16:
            leaves = units, later - units, down + up
            yield servers * nics + units * up, (leaves, (spines, 0, later * copies))


def cheapest_that_grows(servers: int, grown: int, nics: int, boxes: tuple[Box, Box]) -> int | None:
    """Return the least cost of today's switches and links for which the stock lasts until the fabric is grown."""
    costs = []
    for links, tiers in set(grown_fabrics(servers, grown, nics)):
        ways = [list(product(range(today + 1), range(added + 1))) for today, added, _ in tiers]
        for firsts in product(*ways):
            counts = [
                ((first, today - first), (later, added - later), ports)
                for (first, later), (today, added, ports) in zip(firsts, tiers, strict=True)
            ]
            ever = [sum(today[box] + added[box] for today, added, _ in counts) for box in (0, 1)]
            lasts = all(box.stock is None or total <= box.stock for box, total in zip(boxes, ever, strict=True))
            fits = all(
                ports <= boxes[box].ports for today, added, ports in counts for box in (0, 1) if today[box] + added[box]
            )
            if lasts and fits:
                paid = (today[box] * boxes[box].price for today, *_ in counts for box in (0, 1))
                costs.append(3 * links + sum(paid))
    return min(costs, default=None)


def as_spec(servers: int, nics: int, family: str, boxes: tuple[Box, Box]) -> Spec:
    """Return the same request in the project's own terms."""
    models = tuple(as_switch(name, box) for name, box in zip("ab", boxes, strict=True))
    server = Server("box", gpus=nics, nics=nics, nic_gbps=100)
    return Spec(
        "stock",
        servers * nics,
        server,
        (family,),
        {"*": models},
        100,
        tiers=(1, 2),
        link_price_usd={"*": 3.0},
        limits=Limits(parallel_links=4),
        available={name: box.stock for name, box in zip("ab", boxes, strict=True) if box.stock is not None},
    )


def as_switch(name: str, box: Box) -> Switch:
    """Return a model with links of 100G."""
    breakouts = {100: box.ports} if box.split > 1 else {}
    rate, connectors = 100 * box.split, box.split // box.shared
    return Switch(name, box.ports // box.split, rate, price_usd=box.price, breakouts=breakouts, connectors=connectors)


def cheapest(found: set[Shape_], boxes: tuple[Box, Box]) -> int | None:
    """Return the least cost of any of the fabrics from the two models."""
    return min((links * 3 + cost for links, *shape in found for cost in prices(*shape, boxes)), default=None)


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("draws", [24, *slow(100)])
@pytest.mark.parametrize("family", ["fat-tree", "rail-optimized"])
def test_models_that_split_ports_apart_are_joined_as_by_exhaustive_search(family: str, draws: int) -> None:
    """Each two models in use keep to the ports and connectors of both, and what needs neither is not held to them."""
    random, whole = Random(f"split {family}"), 0
    for _ in range(draws):
        servers, nics = random.randint(10, 28), random.choice([1, 2])
        lanes, stocks = nics if family == "rail-optimized" else 1, [random.choice([None, random.randint(1, 8)]), None]
        splits = [random.choice([(1, 1), (2, 1), (2, 2), (4, 2), (4, 4)]) for _ in stocks]
        ports, dear = (random.choice([8, 12, 16]), 16), random.choice([10, 30, 60])
        first, second = (Box(*each) for each in zip(ports, (10, dear), stocks, *zip(*splits, strict=True), strict=True))
        best = cheapest(set(shapes(servers, nics, lanes)), (first, second))
        try:
            found: float | None = size(as_spec(servers, nics, family, (first, second))).proof.objective
        except Infeasible:
            found = None
        assert found == best, (servers, nics, first, second)
        whole += min(first.shared, second.shared) > 1 and best is not None
    assert whole > 2


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("draws", [24, *slow(40)])
@pytest.mark.parametrize("family", ["fat-tree", "rail-optimized"])
def test_stock_is_shared_out_as_by_exhaustive_search(family: str, draws: int) -> None:
    """No way to share out two models of limited stock over the tiers is cheaper than the one sized."""
    random, mixes = Random(family), 0
    for _ in range(draws):
        servers, nics = random.randint(10, 28), random.choice([1, 2])
        lanes = nics if family == "rail-optimized" else 1
        stocks = random.choice(
            [(None, None), (random.randint(1, 8), None), (random.randint(1, 8), random.randint(0, 12))]
        )
        boxes = (Box(random.choice([8, 12, 16]), 10, stocks[0]), Box(16, random.choice([30, 60]), stocks[1]))
        best = cheapest(set(shapes(servers, nics, lanes)), boxes)
        try:
            sized = size(as_spec(servers, nics, family, boxes))
        except Infeasible:
            assert best is None, (servers, nics, boxes)
            continue
        assert sized.proof.objective == best, (servers, nics, boxes)
        mixes += bool(sized.blueprint.mixes)
    assert mixes > 2


def test_without_stock_a_tier_has_one_model() -> None:
    """A tier is only mixed where a model's stock is limited."""
    study = fabric.design({**ASKED, "available": {}})
    assert not study.blueprint.mixes
    assert {role: model.name for role, model in study.blueprint.models.items()} == {"leaf": "small", "spine": "small"}


def test_a_mix_is_counted_by_model_everywhere() -> None:
    """The bill, the design object, the rack units, the power and the slowest switch are those of all models."""
    study = fabric.design(ASKED)
    plan, design = study.blueprint, describe_json(study)
    counts = {role: row["models"] for role, row in design["switches"]["by_role"].items()}
    assert sum(each.get("small", 0) for each in counts.values()) == 6
    assert sum(sum(each.values()) for each in counts.values()) == plan.switches == 8
    assert [(row.used_for, row.part, row.quantity) for row in study.bill.of("switch")] == [
        (role, name, count) for role, each in counts.items() for name, count in each.items()
    ]
    assert study.bill.cost_usd("switch") == 6 * 10 + 2 * 90
    assert study.bill.quantity("cage") == 6 * 8 + 2 * 8
    assert sum(row.power_w or 0 for row in study.bill.of("switch")) == 6 * 5 + 2 * 7
    rack_units = next(row for row in compare(study, study).rows if row.quantity == "rack_units")
    assert rack_units.values[0] == 6 * 1 + 2 * 2
    assert summarize(plan).switch_ns == 5000
    assert features_of(plan)["switch_ps"] == 5_000_000
    for role in plan.mixes:
        assert plan.radix(role) == 8
        title = model_title(plan, plan.topology.group(role))
        assert "small" in title
        assert "large" in title


def test_a_mix_is_named_in_every_report() -> None:
    """The report and the terminal say how many of each model a mixed tier has."""
    study = fabric.design(ASKED)
    design = describe(study)
    (role, mix), *_ = study.blueprint.mixes.items()
    words = " + ".join(f"{count} {model.name}" for model, count in mix)
    assert words in markdown_report(design)
    assert any(words in row for row in summarize_design(design).tables[0].rows), role


def test_modules_and_cables_follow_the_cages_of_each_model() -> None:
    """A model of twin-port cages takes half the modules, and a cable joins no more links than both ends hold."""
    study = fabric.design({**ASKED, "switches": [{**SMALL, "ports": 16}, LARGE], "available": {"small": 5, "large": 3}})
    modules = {(row.used_for, row.part): row.quantity for row in study.bill.of("module")}
    for role in study.blueprint.topology.roles:
        ports = study.blueprint.ports_down(role) + study.blueprint.ports_up(role)
        for model, count in study.blueprint.model_counts(role):
            part = "400G module" if model.name == "small" else "2 x 400G module"
            assert modules[role, part] == count * (ports if model.name == "small" else math.ceil(ports / 2))


def test_of_equal_mixes_the_first_model_stands_lowest() -> None:
    """Of mixes that cost the same, the one with the first model in the lowest tier is taken."""
    asked = {**ASKED, "switches": [SMALL, {**SMALL, "name": "other"}], "available": {"small": 5, "other": 5}}
    plan = fabric.design(asked).blueprint
    assert [(model.name, count) for model, count in plan.model_counts("leaf")] == [("small", 4)]


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("draws", [24, *slow(100)])
def test_stock_lasts_while_the_fabric_grows(draws: int) -> None:
    """No fabric whose growth takes no more switches than there are is cheaper today, by exhaustive search."""
    random, grew = Random("grow"), 0
    for _ in range(draws):
        servers, nics = random.randint(4, 20), random.choice([1, 2])
        grown, stocks = servers + random.randint(1, 12), (random.randint(2, 9), random.choice([None, 4, 8]))
        boxes = (Box(random.choice([8, 12, 16]), 10, stocks[0]), Box(16, random.choice([30, 60]), stocks[1]))
        best = cheapest_that_grows(servers, grown, nics, boxes)
        spec = replace(as_spec(servers, nics, "fat-tree", boxes), grow_to_gpus=grown * nics, stages=(grown * nics,))
        try:
            sized = size(spec)
        except Infeasible:
            assert best is None, (servers, grown, nics, boxes)
            continue
        assert sized.proof.objective == best, (servers, grown, nics, boxes)
        today, later = sized.blueprint, grow_blueprint(sized.blueprint, grown * nics)
        ever = Counter[str]()
        for role in today.topology.roles:
            had, has = (
                [model.name for model, count in each.model_counts(role) for _ in range(count)]
                for each in (today, later)
            )
            assert has[: len(had)] == had
            ever.update(has)
        assert all(ever[name] <= stock for name, stock in spec.available.items())
        grew += bool(today.growth)
    assert grew > draws // 4


def test_growth_beyond_the_stock_is_infeasible() -> None:
    """Four units take 32 leaves and 16 spines: with 47 of the only switch there is no fabric, and 48 would do."""
    box = {"name": "box", "ports": 64, "rate_gbps": 400, "price_usd": 1}
    asked = {"gpus": 248, "server": "dgx-h100", "family": "rail-optimized", "tiers": 2, "unit_gpus": 256}
    asked |= {"switches": box, "link_price_usd": 1, "grow_to_gpus": [512, 1024]}
    with pytest.raises(Infeasible, match=r"available.box 47 is too low; minimum feasible value .*: 48"):
        fabric.design(asked, available={"box": 47})
    stages = fabric.design(asked, available={"box": 48}).stages
    assert [stage.bill.quantity("switch") for stage in stages] == [24, 32, 48]


def test_a_stage_adds_what_is_left() -> None:
    """Of ten cheap switches eight are leaves and two are spines today; later leaves are of the other model."""
    boxes = [{"name": name, "ports": 64, "rate_gbps": 400, "price_usd": price} for name, price in (("a", 1), ("b", 2))]
    asked = {"gpus": 248, "server": "dgx-h100", "family": "rail-optimized", "tiers": 2, "unit_gpus": 256}
    asked |= {"switches": boxes, "link_price_usd": 1, "grow_to_gpus": [512, 1024], "available": {"a": 10}}
    study = fabric.design(asked)
    leaves = [{model.name: count for model, count in each.blueprint.model_counts("leaf")} for each in study.stages]
    assert leaves == [{"a": 8}, {"a": 8, "b": 8}, {"a": 8, "b": 24}]
    assert study.stages[-1].blueprint.models["leaf"].name == "b"
    lines = summarize_design(describe(study)).lines
    assert any(line.startswith("Growth to 512 GPUs: 8 leaf switches are added") for line in lines)


def test_too_little_stock_is_infeasible() -> None:
    """Where no mix suffices, there is no fabric; without the bound on stock there is one."""
    asked = read({**ASKED, "available": {"small": 3, "large": 4}})
    with pytest.raises(Infeasible):
        size(asked)
    (candidate,), *_ = comparable_candidates(asked, ())
    model = build_model(candidate, ["available.small", "available.large"])
    assert minimise(model, [switches(model)]).values == (8,)


def test_a_wrong_name_in_stock_is_refused() -> None:
    """A name that is no switch of the catalogue or the request is one mistake, with the nearest name."""
    (mistake,) = mistakes_of(gpus=8, server="hgx-h100", available={"sn56000": 4})
    assert "available.sn56000: unknown switch 'sn56000'; did you mean 'sn5600'?" in mistake
