"""Infeasible requests: the set of limits named is a smallest one that conflicts, and each nearest value is right."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from random import Random
from typing import Any

import pytest

import fabric
from fabric.catalog import Server, Switch
from fabric.errors import Conflict
from fabric.optimizer.allowance import Allowance
from fabric.optimizer.build_model import build_model
from fabric.optimizer.candidates import candidates
from fabric.optimizer.infeasibility import request_limits
from fabric.optimizer.limit_relaxation import smallest_conflict
from fabric.optimizer.solve import minimise
from fabric.request import Limits, Spec

HUGE = 2000


def small(random: Random) -> Spec:
    """Return a random request on one small switch, with a few limits that may be too tight."""
    nics = random.choice([1, 2])
    limits = Limits(
        parallel_links=random.choice([1, 2, 8]),
        cost_usd=random.choice([None, None, 40.0]),
        hops=random.choice([None, None, 1]),
    )
    return Spec(
        "small",
        random.randint(6, 30) * nics,
        Server("box", gpus=nics, nics=nics, nic_gbps=100),
        (random.choice(["fat-tree", "rail-optimized"]),),
        {"*": (Switch("switch", random.choice([4, 6, 8]), 100, price_usd=5),)},
        100,
        tiers=random.choice([(1,), (2,), (1, 2), (1, 2, 3, 4)]),
        unit_gpus=random.choice([None, None, 3 * nics]),
        link_price_usd={"*": 1.0},
        limits=limits,
        reserve={"*": random.choice([0, 0, 1, 3])},
    )


def small_by_tier(random: Random) -> Spec:
    """Return such a request with a switch model of its own for each of two tiers, on units that may be given."""
    spec = small(random)
    models = (Switch(role, random.choice([4, 6, 8, 12]), 100, price_usd=5) for role in ("leaf", "spine"))
    most = Fraction(random.choice([1, 2, 3]))
    return replace(spec, switches={model.name: (model,) for model in models}, tiers=(2,), oversubscription={"*": most})


def small_network(random: Random) -> Spec:
    """Return such a request for a direct network, one tier of switches joined to each other."""
    families = (random.choice(["hyperx", "torus", "dragonfly", "slim-fly"]),)
    return replace(small(random), families=families, tiers=(1,), oversubscription={"*": Fraction(2)})


def feasible(spec: Spec) -> bool:
    """Return whether any candidate is feasible, by the models that sizing solves."""
    found, _ = candidates(spec, ("price",))
    return any(minimise(build_model(candidate), [0]).status == "OPTIMAL" for candidate in found)


def changed(spec: Spec, limit: str, value: Any) -> Spec:
    """Return the request with another value of one limit."""
    if limit.startswith("ports"):
        role = limit.removeprefix("ports of the ") if " of " in limit else "*"
        return replace(spec, switches={**spec.switches, role: (replace(spec.switches[role][0], ports=value),)})
    if limit.startswith("limits."):
        return replace(spec, limits=replace(spec.limits, **{limit.partition(".")[2]: value}))
    ratio = Fraction(value).limit_denominator(100) if limit == "oversubscription" else 0
    words = {"tiers": (value,) if isinstance(value, int) else value, "oversubscription": {"*": ratio}}
    return replace(spec, **{limit: words.get(limit, {"*": value} if limit == "reserve" else value)})


def without(spec: Spec, limits: Iterable[str]) -> Spec:
    """Return the request with such loose values of some limits that they exclude nothing."""
    loose = {"gpus": spec.server.gpus, "tiers": (1, 2, 3, 4), "reserve": 0}
    loose |= {"oversubscription": HUGE, "limits.parallel_links": HUGE}
    for limit in limits:
        spec = changed(spec, limit, HUGE if "ports" in limit else loose.get(limit))
    return spec


def tighter(item: Conflict) -> float | int:
    """Return the value next to the nearest on the way to the one asked for."""
    assert item.nearest is not None
    if item.limit == "oversubscription":
        return round(item.nearest - 0.01, 2)
    if item.limit == "limits.cost_usd":
        return item.nearest - 0.01
    return item.nearest + (1 if item.limit == "reserve" else -1)


@pytest.mark.parametrize(
    ("draw", "times", "expected"),
    [
        (small, 15, {"gpus", "tiers", "ports at 100G"}),
        (small_by_tier, 10, {"gpus", "ports of the leaf", "ports of the spine"}),
        (small_network, 8, {"gpus", "ports at 100G"}),
    ],
)
def test_the_set_is_a_smallest_one_and_each_nearest_value_is_exact(
    draw: Callable[[Random], Spec], times: int, expected: set[str]
) -> None:
    """No fewer limits of small requests exclude every fabric, and each nearest value does while the next does not."""
    random, checked, seen = Random(5), 0, set()
    while checked < times:
        spec = draw(random)
        if feasible(spec):
            continue
        checked += 1
        met = smallest_conflict(spec, ("price",), Allowance(60))
        assert met
        assert met.smallest
        limits = [_shown(limit) for limit in request_limits(spec) if limit != "planes"]
        named = [item.limit.partition(" at ")[0] for item in met.conflict]
        sizes = range(len(named))
        fewer = (kept for size in sizes for kept in combinations([*limits], size))
        assert not feasible(without(spec, set(limits) - set(named))), (spec, named)
        for kept in fewer:
            assert feasible(without(spec, set(limits) - set(kept))), (spec, named, kept)
        for item in met.conflict:
            seen.add(item.limit)
            check_nearest(spec, item)
    assert expected <= seen


def _shown(limit: str) -> str:
    """Return a limit as messages call it."""
    return limit.replace("ports.", "ports of the ")


def check_nearest(spec: Spec, item: Conflict) -> None:
    """Check one nearest value: the request with it is feasible, and with the next tighter one is not."""
    limit, gpus = item.limit, spec.server.gpus
    assert item.settled
    if limit == "planes":
        return
    if item.nearest is None:
        assert not feasible(without(spec, [limit.partition(" at ")[0]])), (spec, item)
        return
    assert feasible(changed(spec, limit, item.nearest)), (spec, item)
    if limit == "gpus":
        assert not feasible(changed(spec, limit, item.nearest + gpus)), (spec, item)
    elif limit == "unit_gpus":
        apart = abs(item.nearest - item.value)
        nearer = [each for each in range(gpus, item.value + apart, gpus) if abs(each - item.value) < apart]
        assert not any(feasible(changed(spec, limit, each)) for each in nearer), (spec, item)
    elif limit != "tiers":
        assert not feasible(changed(spec, limit, tighter(item))), (spec, item)


CASE = {"gpus": 2400, "server": {"name": "box", "gpus": 1, "nics": 1, "nic_gbps": 25}, "family": "fat-tree", "tiers": 2}
CASE |= {"oversubscription": 12, "unit_gpus": 48, "link_price_usd": 1}


def test_the_tier_that_is_short_is_named_with_its_own_switch() -> None:
    """A spine needs a port for each of 50 leaves; the leaves have enough, and with 50 ports to a spine there is one."""
    leaf, spine = (
        {"name": name, "ports": ports, "rate_gbps": 25, "price_usd": 10} for name, ports in (("lf", 52), ("sp", 36))
    )
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(CASE | {"switches": {"leaf": leaf, "spine": spine}})
    ports = [(item.limit, item.value, item.nearest) for item in caught.value.conflict if "ports" in item.limit]
    assert ports == [("ports of the spine", 36, 50)]
    assert "the ports of the spine (sp: 36 at 25G) are too few; minimum per switch (others unchanged): 50" in str(
        caught.value
    )
    assert "each leaf is joined to every spine above it, by equally many links" in str(caught.value)
    assert "lf" not in str(caught.value)
    enough = fabric.design(CASE | {"switches": {"leaf": leaf, "spine": spine | {"ports": 50}}})
    assert enough.blueprint.devices("leaf") == 50


def test_balanced_uplinks_are_named_where_they_are_enough() -> None:
    """18 leaves of 64 uplinks fill 9 spines of 128 ports, if and only if the links of a leaf may differ by one."""
    words = {"gpus": 1152, "server": CASE["server"], "family": "fat-tree", "tiers": 2, "link_price_usd": 1}
    words |= {"switches": {"name": "s", "ports": 128, "rate_gbps": 25, "price_usd": 1}, "unit_gpus": 64}
    with pytest.raises(fabric.Infeasible, match="uplink_spread: balanced") as caught:
        fabric.design(words | {"pinned": {"spine": 9}})
    assert ("uplink_spread", "balanced") in [(item.limit, item.nearest) for item in caught.value.conflict]
    balanced = fabric.design(words | {"pinned": {"spine": 9}, "uplink_spread": "balanced"}).blueprint
    assert (balanced.devices("spine"), balanced.devices("leaf")) == (9, 18)
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(words | {"pinned": {"spine": 8}})
    assert "uplink_spread" not in [item.limit for item in caught.value.conflict]


@pytest.mark.parametrize("tiers", [[2, 3], [1, 2, 3]])
def test_link_layers_that_clash_are_told_before_anything_else(tiers: list[int]) -> None:
    """Ethernet leaves below InfiniBand spines are named first, also where another number of tiers could be tried."""
    switches = {"leaf": "sn5600", "spine": "qm9700", "core": "qm9700"}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(FAR | {"tiers": tiers, "gpus": 1024, "switches": switches})
    assert caught.value.reasons[0].startswith("the leaf (sn5600) is Ethernet and the spine (qm9700) is InfiniBand")
    assert bool(caught.value.conflict) == (1 in tiers)
    assert fabric.design(FAR | {"tiers": tiers, "gpus": 1024, "switches": switches | {"leaf": "qm9700"}})


def test_nics_faster_than_every_port_get_a_slower_rate_or_a_split() -> None:
    """A QM8700 has 200G at most: NICs of 400G take one link of 200G each, or two; the cause comes first."""
    words = FAR | {"gpus": 256, "switches": "qm8700"}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(words)
    assert "the leaf has no ports at 400G (qm8700 at 200G and 100G)" in caught.value.reasons[0]
    assert {item.limit: item.nearest for item in caught.value.conflict} == {"planes": 2, "link_gbps": 200}
    assert "write link_gbps: 200" in str(caught.value)
    for key, value in {"planes": 2, "link_gbps": 200}.items():
        assert fabric.design(words | {key: value}).blueprint.link_gbps == 200


FAR = {"name": "far", "gpus": 131_072, "server": "hgx-h100", "family": "fat-tree", "switches": "qm9700"}


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            {"tiers": 2},
            [
                "these limits conflict: gpus 131,072, tiers 2 and the ports of qm9700 (64 at 400G)",
                "gpus 131,072 is too high; maximum feasible value (others unchanged): 2,048",
                "tiers 2 is infeasible; nearest feasible value (others unchanged): 4",
                "the ports of qm9700 (64 at 400G) are too few; minimum per switch (others unchanged): 512 at 400G",
            ],
        ),
        (
            {"tiers": 2, "gpus": 2048, "limits": {"cost_usd": 8_000_000}},
            ["limits.cost_usd 8,000,000 is too low; minimum feasible value (others unchanged): "],
        ),
        (
            {"gpus": 1024, "pinned": {"stripe": 2}},
            [
                "this limit alone excludes every fabric: pinned.stripe 2",
                "pinned.stripe 2 is infeasible; nearest feasible value (others unchanged): 1",
            ],
        ),
        (
            {"gpus": 2048, "tiers": 2, "reserve": 4},
            ["reserve 4 is too high; maximum feasible value (others unchanged): 0"],
        ),
        (
            {"gpus": 2048, "tiers": 2, "reserve": 4, "limits": {"cost_usd": 5}},
            ["limits.cost_usd 5: changing this alone is not enough"],
        ),
        (
            {"gpus": 2048, "tiers": 2, "grow_to_gpus": 4096},
            ["grow_to_gpus 4,096 is too high; maximum feasible value (others unchanged): 2,048"],
        ),
    ],
)
def test_the_message_names_the_conflict_first(words: dict[str, Any], lines: list[str]) -> None:
    """The limits that conflict come first, each with its nearest value, and at most three forms after them."""
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design({**FAR, **words})
    answer = caught.value
    assert answer.reasons[0].startswith(("these limits conflict: ", "this limit alone"))
    assert len(answer.reasons) <= 1 + len(answer.conflict) + 3
    for line in lines:
        assert any(reason.startswith(line) for reason in answer.reasons), answer


def test_a_part_that_excludes_every_fabric_is_named_without_a_conflict() -> None:
    """Where a part and not a limit excludes every fabric, no conflict is named."""
    with pytest.raises(fabric.Infeasible, match="has no ports at") as caught:
        fabric.design({**FAR, "gpus": 64, "link_gbps": 7})
    assert caught.value.conflict == ()


def test_sizes_of_millions_are_decided_within_the_budget() -> None:
    """Without the limit on ports a dragonfly's sizes go to millions; the search for them must not go one by one."""
    words = {"server": "hgx-h100", "family": "dragonfly", "switches": "qm9700"}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(gpus=1_000_000, **words)
    assert caught.value.conflict == (
        Conflict("gpus", 1_000_000, 279_312),
        Conflict("planes", (1,), None),
        Conflict("ports at 400G", 64, 90),
    )
    assert fabric.design(gpus=279_312, **words).blueprint.gpus == 279_312


def test_a_stock_that_is_too_low_gets_its_minimum() -> None:
    """With as many switches as the message says there is a fabric, and with one fewer there is none."""
    words = {"gpus": 256, "server": "hgx-h100", "switches": "qm9700", "family": "fat-tree", "tiers": 2}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(words | {"available": {"qm9700": 5}})
    (needed,) = (item.nearest for item in caught.value.conflict if item.limit == "available.qm9700")
    assert fabric.design(words | {"available": {"qm9700": needed}}).blueprint.switches <= needed
    with pytest.raises(fabric.Infeasible):
        fabric.design(words | {"available": {"qm9700": needed - 1}})


def test_a_share_that_cannot_survive_gets_its_maximum() -> None:
    """With at most two planes, half the throughput remains without one of them, and not a hundredth more."""
    words = {"gpus": 256, "server": "hgx-h100", "switches": "sn5600", "family": "fat-tree", "planes": [1, 2]}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(words | {"survive": {"plane": 0.9}})
    assert [item.nearest for item in caught.value.conflict if item.limit == "survive.plane"] == [0.5]
    assert fabric.design(words | {"survive": {"plane": 0.5}}).blueprint.planes == 2


def test_a_least_ratio_that_is_too_high_gets_its_maximum() -> None:
    """The value named is feasible, and a thousandth more is not."""
    words = {"gpus": 64, "server": "hgx-h100", "switches": "sn5600", "family": "fat-tree", "tiers": 2}
    limits = {"parallel_links": 1}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(words | {"oversubscription": {"min": 90, "max": 100}, "limits": limits})
    found = [item.nearest for item in caught.value.conflict if item.limit == "least_oversubscription"]
    for least in found:
        assert fabric.design(words | {"oversubscription": {"min": least, "max": 100}, "limits": limits})
        with pytest.raises(fabric.Infeasible):
            fabric.design(words | {"oversubscription": {"min": least + 0.001, "max": 100}, "limits": limits})
    assert found


SPLIT = {"gpus": 520, "server": {"name": "box", "gpus": 1, "nics": 1, "nic_gbps": 100}, "tiers": 2, "link_price_usd": 1}
SPLIT |= {"family": "fat-tree", "switches": "qm8700"}
APART = {"name": "apart", "ports": 40, "rate_gbps": 200, "breakouts": [2], "connectors": 2, "price_usd": 1}


def test_a_pinned_part_of_a_connector_is_refused_as_such() -> None:
    """Five links of half a port at both ends are two and a half cables; four are two, and apart five will do."""
    with pytest.raises(fabric.Infeasible, match="no cable joins parts of two connectors") as caught:
        fabric.design(SPLIT | {"pinned": {"leaf-spine": 5}})
    found = {item.limit: item.nearest for item in caught.value.conflict}
    assert found == {"pinned.leaf-spine": 4, "whole_connectors": 1}
    assert fabric.design(SPLIT | {"pinned": {"leaf-spine": 4}}).blueprint.devices("leaf") == 13
    assert fabric.design(SPLIT | {"pinned": {"leaf-spine": 5}, "switches": APART}).blueprint.devices("spine") == 8


@pytest.mark.parametrize("family", ["dragonfly", "slim-fly", "jellyfish"])
def test_a_network_of_single_links_needs_whole_ports(family: str) -> None:
    """Where every pair has one link, ports that are split at both ends exclude every fabric, and nothing else does."""
    words = SPLIT | {"gpus": 64, "tiers": "any", "family": family, "oversubscription": 4}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(words)
    assert [(item.limit, item.nearest) for item in caught.value.conflict] == [("whole_connectors", 1)]
    assert fabric.design(words | {"switches": APART}).proof.status == "OPTIMAL"


def test_a_server_connector_of_several_planes_is_named() -> None:
    """A cage of two connectors for four planes leaves two links on each, which a leaf's own splits can't take."""
    server = {"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 800}
    words = {"gpus": 64, "planes": 4, "tiers": 1, "switches": "sn5600"}
    with pytest.raises(fabric.Infeasible, match="server-leaf links of a pair share their connectors with other planes"):
        fabric.design(words, server=server)
    assert fabric.design(words, server=server | {"connectors": 4}).blueprint.planes == 4


def test_too_few_parallel_links_get_their_minimum_in_native_ports() -> None:
    """The nearest value of the limit is in ports: with it there is a fabric, and with one less there is none."""
    words = {"gpus": 256, "server": "gaudi3", "rails": 3, "family": "rail-only", "switches": "sn5600", "tiers": 2}
    words |= {"pinned": {"spine": 1, "slot": 16}}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(words)
    (least,) = (item.nearest for item in caught.value.conflict if item.limit == "limits.parallel_links")
    assert least == 32
    assert "minimum feasible value (others unchanged): 32 native ports per pair" in str(caught.value)
    assert "parallel_links must be 32 native ports (128 links of 200G), the limit is 16" in str(caught.value)
    assert fabric.design(words | {"limits": {"parallel_links": least}}).blueprint.sizes["leaf-spine"] == 128
    with pytest.raises(fabric.Infeasible):
        fabric.design(words | {"limits": {"parallel_links": least - 1}})


def test_a_pinned_size_below_the_least_is_refused_with_the_least() -> None:
    """A dragonfly of one group divides by the other groups, of which there are none; with two there is a fabric."""
    words = {"gpus": 16, "server": SPLIT["server"], "family": "dragonfly", "link_price_usd": 1}
    words |= {"switches": {"name": "r", "ports": 16, "rate_gbps": 100, "price_usd": 1}}
    with pytest.raises(fabric.Infeasible, match=r"group 1: the least is 2") as caught:
        fabric.design(words | {"pinned": {"group": 1}})
    assert [(item.limit, item.nearest) for item in caught.value.conflict] == [("pinned.group", 2)]
    assert fabric.design(words | {"pinned": {"group": 2}}).blueprint.sizes["group"] == 2


PINS = [
    ("dragonfly-plus", 1, 8, {"spine": 1000}, 7),
    ("dragonfly-plus", 4, 4, {"slot": 10**6}, None),
    ("dragonfly", 4, 16, {"router": 2}, 3),
    ("torus", 1, 8, {"x": 1000}, 48),
]


@pytest.mark.parametrize(("family", "nics", "ports", "pinned", "nearest"), PINS)
def test_a_pin_that_no_switch_has_ports_for_is_told_as_a_pin(
    family: str, nics: int, ports: int, pinned: dict[str, int], nearest: int | None
) -> None:
    """An invalid pin is a limit with its nearest feasible value, or none, whatever the limit on parallel links."""
    server = {"name": "box", "gpus": nics, "nics": nics, "nic_gbps": 100}
    words = {"gpus": 8, "server": server, "family": family, "link_price_usd": 1, "limits": {"parallel_links": 10_000}}
    words |= {"switches": {"name": "r", "ports": ports, "rate_gbps": 100, "price_usd": 1}, "oversubscription": 2}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(words | {"pinned": pinned})
    found = {item.limit: item.nearest for item in caught.value.conflict}
    (axis,) = pinned
    if nearest is None:
        assert f"pinned.{axis}" not in found
        return
    assert found[f"pinned.{axis}"] == nearest
    assert fabric.design(words | {"pinned": {axis: nearest}}).blueprint.sizes[axis] == nearest


def test_a_model_that_the_solver_refuses_is_told_by_its_cause() -> None:
    """Sums beyond 64 bits and other invalid models have messages of their own; an empty choice is infeasible."""
    found, _ = candidates(small(Random(5)), ("price",))
    model = build_model(found[0])
    assert minimise(model, [model.var(0, "none", least=1)]).status == "INFEASIBLE"
    for cause, name in (("exceed 64 bits", "overflow"), ("mistake in fabric or in a family", "other")):
        model = build_model(found[0])
        if name == "overflow":
            wide = [model.var(2**62, "wide") for _ in range(4)]
            model.cp.add(sum(wide) >= 1)
        else:
            model.cp.add_division_equality(model.var(4, "quotient"), 4, model.var(4, "divisor", least=0))
        with pytest.raises(fabric.FabricError, match=cause):
            minimise(model, [0])


def test_unlike_ports_are_named_with_their_rates() -> None:
    """48 x 100G and 8 x 400G are two limits of a leaf, and a spine's ports are those at the rate of its links down."""
    leaf = {"name": "lf", "ports": 48, "rate_gbps": 100, "price_usd": 9, "uplinks": {"ports": 8, "rate_gbps": 400}}
    spine = {"name": "sp", "ports": 2, "rate_gbps": 400, "price_usd": 20}
    words = {"gpus": 960, "server": {"name": "box", "gpus": 4, "nics": 4, "nic_gbps": 100}, "family": "fat-tree"}
    words |= {"tiers": 2, "oversubscription": 1.5, "link_price_usd": 1, "switches": {"leaf": leaf, "spine": spine}}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(words)
    values = {item.limit: (item.value, item.nearest) for item in caught.value.conflict}
    assert values["ports of the leaf"] == (48, None)
    assert values["ports of the spine"] == (2, 20)
    assert "the ports of the leaf (lf: 48 at 100G)" in str(caught.value)
    assert "sp has 2 at 400G" in str(caught.value)
    assert fabric.design(words | {"switches": {"leaf": leaf, "spine": spine | {"ports": 20}}})
    with pytest.raises(fabric.Infeasible):
        fabric.design(words | {"switches": {"leaf": leaf, "spine": spine | {"ports": 19}}})


def test_a_part_without_the_ports_is_told_without_limits_that_would_not_help() -> None:
    """Where the spine has no ports at the rate of the links up, no number of tiers or servers is named instead."""
    leaf = {"name": "lf", "ports": 48, "rate_gbps": 100, "price_usd": 9, "uplinks": {"ports": 8, "rate_gbps": 400}}
    words = {"gpus": 192, "server": {"name": "box", "gpus": 4, "nics": 4, "nic_gbps": 100}, "family": "fat-tree"}
    words |= {"tiers": 2, "oversubscription": 1.5, "link_price_usd": 1}
    with pytest.raises(fabric.Infeasible, match="the spine has no ports at 400G") as caught:
        fabric.design(words | {"switches": {"leaf": leaf, "spine": {"name": "sp", "ports": 32, "rate_gbps": 100}}})
    assert caught.value.conflict == ()
    assert len(caught.value.reasons) == 1


def test_ports_that_a_tier_lacks_come_before_limits_that_conflict() -> None:
    """With tiers left open, limits that bind one tier come after the cause: no second tier can be built."""
    leaf = {"name": "lf", "ports": 48, "rate_gbps": 200, "price_usd": 9, "uplinks": {"ports": 24, "rate_gbps": 400}}
    words = {"gpus": 512, "server": "dgx-a100", "family": "fat-tree", "tiers": "any"}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(words | {"switches": {"leaf": leaf, "spine": "qm8790"}})
    first, second, *_ = caught.value.reasons
    assert "fat-tree in 2 tiers" in first
    assert "the spine has no ports at 400G (qm8790 at 200G and 100G); known with such ports: qm9700" in first
    assert second.startswith("these limits conflict: gpus 512 and the ports of the leaf")
    assert fabric.design(words | {"switches": {"leaf": leaf, "spine": "qm9700"}})


def test_nics_slower_than_every_port_get_a_switch_that_has_them() -> None:
    """Where no port is as slow as the NICs, the switches of the catalogue that have such ports are the way out."""
    box = {"name": "box", "gpus": 8, "nics": 4, "nic_gbps": 25}
    words = {"servers": [{"server": box, "count": 40}], "link_price_usd": 9}
    with pytest.raises(fabric.Infeasible) as caught:
        fabric.design(words, switches="qm9700")
    (reason,) = caught.value.reasons
    remedy = "known with such ports: sn3420"
    assert reason.endswith(f"the leaf has no ports at 25G (qm9700 at 400G and 200G); {remedy}")
    assert fabric.design(words, switches={"leaf": "sn3420", "spine": "sn3700"})
    with pytest.raises(fabric.Infeasible, match="no known switch has; describe one in the request"):
        fabric.design({"servers": [{"server": box | {"nic_gbps": 7}, "count": 40}], "switches": "qm9700"})


def test_unlike_servers_at_rates_that_no_switch_joins_get_fabrics_of_their_own() -> None:
    """No known switch has ports at 400G and at 25G."""
    box = {"name": "box", "gpus": 0, "nics": 2, "nic_gbps": 25}
    kinds = [{"server": "dgx-h100", "count": 40}, {"server": box, "count": 40}]
    with pytest.raises(fabric.Infeasible, match="`fabric cluster` gives unlike servers fabrics of their own"):
        fabric.design({"servers": kinds, "switches": "qm9700"})
