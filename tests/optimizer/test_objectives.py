"""What a fabric can be optimised for, and the limits on it."""

from __future__ import annotations

from functools import partial

import pytest

import fabric
import fabric.optimizer
from fabric.optimizer import parse_objectives
from fabric.report.describe import describe_json
from fabric.report.notes import list_notes

PARTS = {
    "name": "mine",
    "server": "hgx-h100",
    "family": ["fat-tree", "rail-optimized"],
    "switches": ["sn5600", "qm9700"],
}


TORN = {
    "switches": [
        {"name": "small", "ports": 64, "rate_gbps": 400, "price_usd": 1_000},
        {"name": "large", "ports": 256, "rate_gbps": 400, "price_usd": 100_000},
    ],
    "link_price_usd": 1,
}
"""Small switches are the cheapest in three tiers, and two tiers take large ones."""


def best(objective: str = "cost", **words: object) -> fabric.Study:
    """Return the best fabric of 4,096 GPUs, or as the words say."""
    return fabric.optimize({"gpus": 4096, **PARTS, **words}, objective)


def test_the_order_of_objectives_is_their_importance() -> None:
    """Asked for cost first the fabric is cheaper, and asked for hops first its paths are shorter."""
    cheap, short = best("cost,hops", **TORN), best("hops,cost", **TORN)
    assert cheap.bill.cost_usd() < short.bill.cost_usd()  # type: ignore[operator]
    assert (cheap.hops.max, short.hops.max) == (5, 3)
    assert cheap.proof.objectives == {"cost_usd": cheap.bill.cost_usd(), "hops_max": cheap.hops.max}


def test_objectives_are_what_the_design_counts() -> None:
    """The value of each objective is that of the blueprint and its bill."""
    study = best("power,cost,rack_units,switches,links,models,hops")
    values = study.proof.objectives
    models = study.blueprint.models.values()
    assert values["power_w"] == pytest.approx(study.bill.power_w)
    assert values["cost_usd"] == pytest.approx(study.bill.cost_usd())
    assert values["switches"] == study.blueprint.switches
    assert values["links"] == study.blueprint.links_total
    assert values["models"] == len({model.name for model in models})
    assert values["hops_max"] == study.hops.max
    heights = {role: study.blueprint.models[role].rack_units or 0 for role in study.blueprint.topology.roles}
    assert values["rack_units"] == sum(study.blueprint.devices(role) * height for role, height in heights.items())


def test_weights_trade_hops_against_dollars() -> None:
    """A hop with a large enough weight is avoided; one worth a dollar is not."""
    cheap, dear = best("cost=1,hops=1", **TORN), best("cost=1,hops=50000000", **TORN)
    assert (cheap.hops.max, dear.hops.max) == (5, 3)
    value = cheap.proof.objective
    assert value == pytest.approx((cheap.bill.cost_usd() or 0) + cheap.hops.max)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("cots", "did you mean 'cost'"),
        ("cost,cost", "duplicate name 'cost'"),
        ("cost=1,hops", "or none"),
        ("cost=much", "is not a number"),
        ("cost=-1", "above 0"),
        ("cost=0", "above 0"),
        ("cost=1000000000001", "at most 1,000,000,000,000"),
        ("cost=0.0000001", "at most six decimals"),
        ("", "no objective ''"),
    ],
)
def test_a_wrong_objective_is_refused(text: str, word: str) -> None:
    """Unknown and duplicate names, and weights that are missing or impossible, are refused as bad input."""
    with pytest.raises(fabric.InputError, match=word):
        parse_objectives(text)


def test_the_greatest_and_the_finest_weight_are_taken() -> None:
    """A weight may be a million million, and may have six decimals."""
    (found,) = parse_objectives("cost=1000000000000,hops=0.000001")
    assert found.key == "1e+12 cost_usd + 1e-06 hops_max"


def test_weights_too_large_to_add_exactly_are_refused() -> None:
    """A sum that does not fit the solver's integers is refused, not rounded."""
    with pytest.raises(fabric.FabricError, match="exceed 64 bits"):
        best("cost=1000000,hops=0.000001", gpus=10_000_000)


def test_a_price_that_is_needed_and_unknown_is_named() -> None:
    """The cost of a switch without a price is refused and names it; a price of the request's own fixes it."""
    words = {"switches": "tomahawk6-128x800g"}
    with pytest.raises(fabric.InputError, match="no known price of tomahawk6-128x800g"):
        best("cost", **words)
    assert best("cost", **words, prices_usd={"tomahawk6-128x800g": 90_000}).proof.status == "OPTIMAL"


def test_a_limit_on_cost_asks_for_a_price_whatever_is_minimised() -> None:
    """Where a limit counts a price that is not known, `design` asks for it as `optimize` does: it is no conflict."""
    box = {"name": "box", "ports": 64, "rate_gbps": 400}
    words = {**PARTS, "gpus": 512, "switches": box, "limits": {"cost_usd": 10**9}}
    asked = "no known price of box; give it in the request, or leave out the objectives and limits that count it"
    for make in (fabric.design, partial(fabric.optimize, objective="hops"), partial(fabric.optimize, objective="cost")):
        with pytest.raises(fabric.InputError, match=asked):
            make(words)
    assert fabric.design(words, switches=box | {"price_usd": 30_000})


@pytest.mark.parametrize(("limit", "key"), [("cost_usd", "cost"), ("power_w", "power"), ("rack_units", "rack_units")])
def test_a_limit_at_the_optimum_holds_and_below_it_nothing_is_left(limit: str, key: str) -> None:
    """A total may be limited to its least value, and not to less."""
    words = {"gpus": 2048, "switches": "sn5600", "family": "fat-tree", "tiers": [2, 3]}
    least = best(key, **words).proof.objective
    least = int(least) if limit == "rack_units" else least
    assert best("hops,cost", limits={limit: least}, **words).proof.status == "OPTIMAL"
    with pytest.raises(fabric.Infeasible, match=limit):
        best("cost", limits={limit: least - 1}, **words)


HOT = {"name": "hot", "ports": 64, "rate_gbps": 400, "price_usd": 1_000, "power_w": 1_000, "max_power_w": 3_000}
COOL = {**HOT, "name": "cool", "price_usd": 2_000, "power_w": 1_500, "max_power_w": 1_600}
BOTH = {"gpus": 64, "family": "fat-tree", "tiers": 1, "switches": [HOT, COOL]}


def test_a_limit_on_power_counts_the_maximum_and_the_objective_the_typical() -> None:
    """A switch of 1,000 W, at most 3,000, is less than one of 1,500, at most 1,600, and breaks a limit that that keeps.

    Beside them are 64 links, whose maximum is not known, so that their typical power counts; a note says so.
    """
    least = best("power", **BOTH)
    links_w = (least.bill.power_w or 0) - 1_000
    assert least.blueprint.models["leaf"].name == "hot"
    assert least.bill.max_power_w == 3_000 + links_w
    limited = best("power", **BOTH, limits={"power_w": 2_000 + links_w})
    assert limited.blueprint.models["leaf"].name == "cool"
    assert (limited.proof.objective, limited.bill.max_power_w) == (1_500 + links_w, 1_600 + links_w)
    (bound,) = (item for item in limited.binding or () if item.limit == "limits.power_w")
    assert bound.objective == 1_000 + links_w
    (note,) = (text for text in list_notes(limited) if "limits.power_w" in text)
    assert note.endswith("the maximum of optical-400g is not known, so typical power counts.")
    assert describe_json(limited)["power_w"]["maximum"] == limited.bill.max_power_w


def test_copper_links_draw_nothing() -> None:
    """The power of passive copper is 0 and known, so that the objective is the power of the switches to the watt."""
    wire = {"name": "wire", "rate_gbps": 400, "price_usd": 1, "power_w": 0, "media": "dac"}
    study = best("power", **BOTH, media="dac", links=[wire])
    assert study.proof.objective == study.bill.power_w == 1_000


def test_a_limit_on_power_that_is_too_low_gets_the_least_maximum() -> None:
    """The nearest feasible value is the maximum power of the fabric that draws least at its maximum."""
    least = best("max_power", **BOTH)
    assert least.blueprint.models["leaf"].name == "cool"
    with pytest.raises(fabric.Infeasible) as caught:
        best("cost", **BOTH, limits={"power_w": 1_000})
    nearest = {item.limit: item.nearest for item in caught.value.conflict}
    assert nearest["limits.power_w"] == least.bill.max_power_w


def test_a_maximum_without_a_typical_power_is_enough_for_a_limit() -> None:
    """A switch of which only the maximum is known can be limited; its typical power is still not known."""
    switch = {key: value for key, value in HOT.items() if key != "power_w"}
    study = best("cost", **{**BOTH, "switches": switch}, limits={"power_w": 10_000})
    assert study.bill.power_w is None
    assert study.bill.max_power_w is not None
    unknown = {key: value for key, value in switch.items() if key != "max_power_w"}
    with pytest.raises(fabric.InputError, match="no known maximum power of hot"):
        best("cost", **{**BOTH, "switches": unknown}, limits={"power_w": 10_000})


def test_hops_and_models_may_be_limited() -> None:
    """At most 3 hops excludes the core; one model forbids mixing two."""
    assert best("cost", gpus=2048, limits={"hops": 3}).hops.max <= 3
    assert len({model.name for model in best("cost", limits={"models": 1}).blueprint.models.values()}) == 1


def test_reserved_ports_stay_free() -> None:
    """With 8 ports in reserve no switch has fewer free, whatever its tier."""
    plan = best("cost", reserve=8, tiers=[2, 3]).blueprint
    assert all(plan.radix(role) - plan.ports_down(role) - plan.ports_up(role) >= 8 for role in plan.topology.roles)
    plan = best("cost", reserve={"leaf": 4}, tiers=[2, 3]).blueprint
    assert plan.radix("leaf") - plan.ports_down("leaf") - plan.ports_up("leaf") >= 4


@pytest.mark.parametrize(("gpus", "later"), [(1024, 2048), (2048, 16_384)])
def test_a_fabric_grows_by_adding_places_without_moving_a_cable(gpus: int, later: int) -> None:
    """Today's cables are all among those of the grown fabric, which has the same sizes but for what is filled."""
    from fabric.blueprint import Blueprint

    today = best("cost", gpus=gpus, grow_to_gpus=later, switches="qm9700", tiers=[2, 3]).blueprint
    sizes = {name: today.sizes[name] for name in (*today.topology.axes, *(b.name for b in today.topology.bundles))}
    grown = Blueprint(
        "grown",
        today.topology,
        today.topology.complete_sizes(sizes, 8, later // 8),
        today.models,
        today.server,
        later,
        400,
    )
    assert _cables(today) <= _cables(grown)
    for role in today.topology.roles:
        assert grown.ports_down(role) + grown.ports_up(role) <= today.radix(role)
    assert max(fabric.expand(grown).degrees()) <= max(grown.radix(role) for role in grown.topology.roles)


def _cables(plan: fabric.Blueprint) -> set[tuple[str, int, str, int]]:
    network = fabric.expand(plan)
    names = [network.name(row) for row in range(network.devices)]
    columns = (network.lower, network.lower_port, network.upper, network.upper_port)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {(names[lower], port, names[upper], other) for lower, port, upper, other in rows}


def test_every_public_name_of_the_optimizer_is_found() -> None:
    """The names exported are those that are imported when they are first used."""
    for name in fabric.optimizer.__all__:
        assert getattr(fabric.optimizer, name).__module__.startswith(("fabric.optimizer.", "fabric.registry"))


def test_an_unknown_fact_that_an_objective_needs_is_named() -> None:
    """Power cannot be minimised over a switch whose power nobody knows: the message names the switch."""
    box = {"name": "box", "ports": 64, "rate_gbps": 400, "price_usd": 1_000}
    with pytest.raises(fabric.InputError, match="no known power of box"):
        best("power", switches=box)


def test_a_direct_network_keeps_to_a_minimum_oversubscription() -> None:
    """Asked for at least 2:1 a torus is loaded so; without it, the same servers have fuller links to spare."""
    words = {"gpus": 512, "family": "torus", "tiers": 1, "link_price_usd": 1, "switches": "sn5600"}
    loaded = best("cost", **words, oversubscription={"min": 2, "max": 8})
    ratio = loaded.blueprint.oversubscription("leaf")
    assert ratio is not None
    assert 2 <= ratio <= 8
    free = best("cost", **words, oversubscription={"min": 4, "max": 8}).blueprint.oversubscription("leaf")
    assert free is not None
    assert free >= 4
