"""The optimizer against published fabrics, an exhaustive enumerator and arithmetic."""

from __future__ import annotations

import dataclasses
import importlib
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import pytest

import fabric
from fabric.catalog import Server, Switch, servers, switches
from fabric.errors import FabricError, Infeasible, InputError
from fabric.optimizer import SizingResult, parse_objectives, size
from fabric.report.notes import list_notes
from fabric.request import Limits, Spec
from fabric.request.spec import Appliance, PodSize
from fabric.studies.study import read
from fabric.topology.families import families
from tests.marks import slow
from tests.optimizer.brute_force import Request, everything

FAMILIES = ("fat-tree", "rail-optimized", "rail-only")


ANY_POD = (0, 10**9)
"""The size of a pod, in servers, of which an exhaustive search takes any."""


def spec(
    gpus: int, switch: str = "sn5600", server: str = "hgx-h100", family: str = "rail-optimized", **words: object
) -> Spec:
    """Return a request of catalogue parts."""
    box = servers()[server]
    return Spec("test", gpus, box, (family,), {"*": (switches()[switch],)}, box.nic_gbps, **words)  # type: ignore[arg-type]


def counts(sized: SizingResult) -> dict[str, int]:
    """Return switches by role."""
    return {role: sized.blueprint.devices(role) for role in sized.blueprint.topology.roles}


def small_request(random: Random) -> Request:
    """Return a random request that an exhaustive search answers in milliseconds."""
    unit = random.choice([None, None, 1, 2, 3])
    return Request(
        servers=random.randint(1, 24),
        nics=random.choice([1, 2, 4]),
        ports=random.choice([4, 6, 8, 12]),
        switch_price=random.choice([1, 50, 1000]),
        link_price=random.choice([1, 7, 100]),
        ratio=(ratio := random.choice([1, 1, 2, 3])),
        least_ratio=random.choice([0, 0, 1, ratio]),
        copies=random.choice([1, 2, 4]),
        unit=unit,
        reserve=random.choice([0, 0, 0, 1, 2]),
        grow=random.choice([0, 0, random.randint(1, 30)]),
    )


def split_request(random: Random) -> Request:
    """Return a small request whose ports are split, on switches and servers whose connectors have one link or several.

    Half of the switches have as many connectors as links, so that splitting their ports is all that counts.
    """
    request, split = small_request(random), random.choice([2, 2, 4])
    return replace(
        request,
        ports=request.ports - request.ports % split + split,
        split=split,
        connectors=random.choice([split, split // 2, 1]),
        copies=random.choice([1, 2, 4]),
        shared=random.choice([n for n in (1, 1, 2, 4) if request.nics % n == 0]),
    )


def as_spec(request: Request, family: str, tiers: tuple[int, ...]) -> Spec:
    """Return the same request in the project's own terms."""
    return Spec(
        "small",
        request.servers * request.nics,
        Server("box", request.nics, request.nics, 100, cages=request.nics // request.shared, connectors=1),
        (family,),
        {"*": (as_switch(request),)},
        100,
        tiers=tiers,
        oversubscription={"*": Fraction(request.ratio)},
        least_oversubscription={"*": Fraction(request.least_ratio)},
        unit_gpus=request.unit * request.nics if request.unit else None,
        uplink_spread="balanced" if request.balanced else "even",
        pod_gpus=PodSize(*(servers * request.nics for servers in request.pod)) if request.pod != ANY_POD else None,
        link_price_usd={"*": float(request.link_price)},
        limits=Limits(parallel_links=request.copies),
        reserve={"*": request.reserve},
        grow_to_gpus=request.grown * request.nics,
        appliances=tuple(
            Appliance(name, ports, name == "unit")
            for name, ports in (("unit", request.in_unit), ("fabric", request.in_fabric))
            if ports
        ),
    )


def as_switch(request: Request) -> Switch:
    """Return the request's switch, with 100G links."""
    split, rate = request.split, 100 * request.split
    breakouts = {100: request.ports} if split > 1 else {}
    words: dict[str, Any] = {"breakouts": breakouts, "connectors": request.connectors}
    return Switch("switch", request.ports // split, rate, price_usd=request.switch_price, **words)


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("draws", [20, *slow(100)])
@pytest.mark.parametrize("family", FAMILIES)
def test_split_ports_are_joined_as_exhaustive_search_joins_them(family: str, draws: int) -> None:
    """Where ports are split, pairs have whole connectors within the limit on native ports, and none fewer will do."""
    random, answers = Random(f"split {family}"), list[bool]()
    for _ in range(draws):
        request, tiers = split_request(random), random.choice([(1,), (2,), (3,), (1, 2, 3)])
        best = min((cost for cost, _ in everything(request, family, tiers)), default=None)
        answers.append(best is not None)
        try:
            found: float | None = size(as_spec(request, family, tiers)).proof.objective
        except Infeasible:
            found = None
        assert found == best, (request, family, tiers)
    assert sum(answers) > draws // 6


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("draws", [10, *slow(40)])
@pytest.mark.parametrize("order", [("cost",), ("cost", "hops"), ("hops", "cost")], ids=",".join)
@pytest.mark.parametrize("family", FAMILIES)
def test_sizing_finds_what_exhaustive_search_finds(family: str, order: tuple[str, ...], draws: int) -> None:
    """No small fabric beats the one that sizing proves best, and none exists where it refuses.

    In cost alone, in cost and then hops, and in hops and then cost; with reserved ports and growth.
    """
    random = Random(family)
    for _ in range(draws):
        request, tiers = small_request(random), random.choice([(1,), (2,), (3,), (1, 2, 3)])
        names = {"cost": 0, "hops": 1}
        best = min(
            (tuple(found[names[word]] for word in order) for found in everything(request, family, tiers)), default=None
        )
        try:
            sized = size(as_spec(request, family, tiers), parse_objectives(",".join(order)))
            found: tuple[float, ...] | None = tuple(sized.proof.objectives.values())
        except Infeasible:
            found = None
        assert found == best, (request, family, tiers)


def test_every_count_of_a_superpod_follows_from_its_size() -> None:
    """SuperPODs of 1 to 64 units come out as published: the smallest switch counts that spread evenly."""
    published = {
        1: {"leaf": 8, "spine": 4},
        2: {"leaf": 16, "spine": 8},
        4: {"leaf": 32, "spine": 16},
        8: {"leaf": 64, "spine": 32},
        16: {"leaf": 128, "spine": 128, "core": 64},
        32: {"leaf": 256, "spine": 256, "core": 128},
        64: {"leaf": 512, "spine": 512, "core": 256},
    }
    for units, roles in published.items():
        assert counts(size(spec(units * 256, "qm9700", unit_gpus=256))) == roles


def test_a_unit_short_of_a_server_is_still_sized_whole() -> None:
    """Leaving one server out of a SuperPOD (31, 63 or 127 nodes) frees ports and no switch."""
    for units, missing in ((1, 1), (2, 1), (4, 1)):
        full = size(spec(units * 256, "qm9700", unit_gpus=256))
        short = size(spec(units * 256 - 8 * missing, "qm9700", unit_gpus=256))
        assert counts(full) == counts(short)
        assert short.blueprint.links_total == full.blueprint.links_total - 8 * missing


def test_uplinks_spread_evenly() -> None:
    """A spine count that does not divide the uplinks is not buildable: 20 uplinks of 16 leaves need 10 spines."""
    assert counts(size(spec(320, "qm8700", "hgx-a100", unit_gpus=160))) == {"leaf": 16, "spine": 10}


def test_ports_split_at_both_ends_are_joined_whole() -> None:
    """13 leaves of 40 hosts at 100G have 20 uplinks of 200G, of which each of 10 spines takes 2."""
    box = Server("box", gpus=1, nics=1, nic_gbps=100)
    asked = dataclasses.replace(spec(520, "qm8700", family="fat-tree", tiers=(2,)), server=box, link_gbps=100)
    plan = size(dataclasses.replace(asked, link_price_usd={"*": 100.0})).blueprint
    assert {role: plan.devices(role) for role in plan.topology.roles} == {"leaf": 13, "spine": 10}
    assert (plan.sizes["leaf-spine"], plan.sizes["spine"] * plan.sizes["leaf-spine"]) == (4, 40)


def test_parallel_links_count_native_ports() -> None:
    """16 ports of 800G join a leaf and a spine by 64 links of 200G: 2 spines a rail, all of whose ports are in use."""
    plan = size(spec(512, "sn5600", "gaudi3", "rail-only", rails=(3,))).blueprint
    assert {role: plan.devices(role) for role in plan.topology.roles} == {"leaf": 12, "spine": 6}
    assert (plan.sizes["leaf-spine"], plan.ports_down("spine")) == (64, 256)
    few = size(spec(512, "sn5600", "gaudi3", "rail-only", rails=(3,), limits=Limits(parallel_links=8))).blueprint
    assert (few.sizes["leaf-spine"], few.devices("spine")) == (32, 12)


@pytest.mark.parametrize(
    ("radix", "tiers", "most"),
    [
        (64, 2, 2048),
        (16, 3, 1024),
        (16, 4, 8192),
        *(pytest.param(*row, marks=pytest.mark.slow) for row in ((64, 3, 65_536), (128, 3, 524_288))),
    ],
)
def test_a_full_fat_tree_is_the_most_a_radix_carries(radix: int, tiers: int, most: int) -> None:
    """k-port switches carry k^2/2 endpoints in two tiers, k^3/4 in three and k^4/8 in four, and not one server more."""
    asked = spec(most, family="fat-tree", tiers=(tiers,))
    asked = dataclasses.replace(asked, switches={"*": (Switch("box", radix, 400, price_usd=1000),)})
    full = size(asked).blueprint
    assert full.switches == {2: 3 * radix // 2, 3: 5 * radix**2 // 4, 4: 7 * radix**3 // 8}[tiers]
    with pytest.raises(Infeasible, match=f"carries at most {most:,} GPUs"):
        size(dataclasses.replace(asked, gpus=most + 8))


def test_what_three_tiers_cannot_carry_is_refused_with_the_limit() -> None:
    """64 ports in three tiers refuse 131,072 GPUs, and the ports that would do are named."""
    with pytest.raises(Infeasible, match=r"carries at most 65,536 GPUs.*the core needs 128 ports, qm9700 has 64"):
        size(spec(131_072, "qm9700", family="fat-tree", tiers=(3,)))


@pytest.mark.slow
def test_three_tiers_refuse_a_million_gpus_with_the_limit() -> None:
    """So are 128 and 144 ports for a million GPUs."""
    with pytest.raises(Infeasible, match="at most 524,288 GPUs"):
        size(spec(1_000_000, tiers=(3,), family="fat-tree"))
    with pytest.raises(Infeasible, match="at most 746,496 GPUs"):
        size(spec(1_000_000, "q3400-ra", "dgx-b300", tiers=(3,), family="fat-tree"))


def test_a_million_gpus_need_planes_radix_or_a_tier() -> None:
    """What three tiers of 128 ports refuse is solved by two planes, a fourth tier or a higher radix."""
    assert size(spec(1_000_000, planes=(1, 2, 4), tiers=(3,))).blueprint.planes == 2
    assert size(spec(1_000_000)).blueprint.tiers == 4
    assert size(spec(1_000_000, "tomahawk6-128x800g", tiers=(3,))).blueprint.tiers == 3


def test_colossus_needs_at_least_the_ports_of_its_gpus() -> None:
    """100,000 GPUs in units of 512 on 128 ports take 1,568 leaves, and never fewer than 5N/128 switches in all."""
    sized = size(spec(100_000, unit_gpus=512))
    assert sized.blueprint.tiers == 3
    assert counts(sized)["leaf"] == 1568
    assert sized.blueprint.switches >= -(-5 * 100_000 // 128)
    assert sized.proof.status == "OPTIMAL"
    assert sized.proof.bound == sized.proof.objective


def test_each_tier_may_have_its_own_model() -> None:
    """Of two models that differ in price and ports, each tier takes the one that makes the whole cheapest."""
    small, large = Switch("small", 16, 400, price_usd=1000), Switch("large", 64, 400, price_usd=50_000)
    asked = dataclasses.replace(spec(128, family="fat-tree"), switches={"*": (small, large)})
    assert {model.name for model in size(asked).blueprint.models.values()} == {"small"}
    apart = {"leaf": (small,), "spine": (large,)}
    mixed = size(dataclasses.replace(asked, gpus=256, switches=apart)).blueprint
    assert {role: model.name for role, model in mixed.models.items()} == {"leaf": "small", "spine": "large"}


def test_oversubscription_is_a_maximum_at_its_own_tier() -> None:
    """7:1 above the pods buys a seventh of the core links, rounded up to spread evenly."""
    asked = spec(24_576, family="fat-tree", tiers=(3,), oversubscription={"spine": Fraction(7)}, unit_gpus=16)
    blueprint = size(asked).blueprint
    assert blueprint.oversubscription("leaf") == 1
    ratio = blueprint.oversubscription("spine")
    assert ratio is not None
    assert 1 < ratio <= 7


def test_oversubscription_is_exact_where_its_range_is_one_number() -> None:
    """With the least and the most at 3 every leaf has three times the bandwidth down; the spine is below its most."""
    exact = {"leaf": Fraction(3)}
    most = {**exact, "spine": Fraction(2)}
    words = {"family": "fat-tree", "tiers": (3,), "oversubscription": most, "least_oversubscription": exact}
    blueprint = size(spec(8192, **words)).blueprint
    assert blueprint.oversubscription("leaf") == 3
    assert (blueprint.oversubscription("spine") or 3) <= 2


def test_a_least_oversubscription_that_nothing_reaches_is_named() -> None:
    """Four servers on two leaves of 8 ports have no more than 7 down for 1 up, so 100:1 at the least is refused."""
    bounds = {"oversubscription": {"*": Fraction(1000)}, "least_oversubscription": {"*": Fraction(100)}}
    asked = dataclasses.replace(spec(512, family="fat-tree", tiers=(2,)), **bounds)
    asked = dataclasses.replace(asked, switches={"*": (Switch("box", 64, 400, price_usd=1),)})
    with pytest.raises(Infeasible, match="oversubscription must be allowed to be lower"):
        size(asked)


def test_the_same_request_gives_the_same_fabric() -> None:
    """Sizing twice gives the same sizes on every axis, ties included."""
    asked = spec(4096, "qm9700", unit_gpus=256)
    assert size(asked).blueprint.sizes == size(asked).blueprint.sizes


def test_a_part_without_a_price_is_counted_instead() -> None:
    """With no price to add up, the switches are minimised, and the parts without a price are named."""
    proof = size(spec(4096, "sn4700", "hgx-a100")).proof
    assert (proof.objective_name, proof.unpriced) == ("switches", ("sn4700",))
    assert proof.status == "OPTIMAL"


def test_a_model_without_a_price_is_tried_when_the_priced_ones_will_not_do() -> None:
    """A choice of models is not narrowed to the priced ones where only counts are compared, or where they fail."""
    priced, unpriced = switches()["sn5600"], switches()["tomahawk6-128x800g"]
    asked = spec(1_000_000, family="fat-tree", tiers=(3,))
    found = size(dataclasses.replace(asked, switches={"*": (priced, unpriced)}))
    assert found.proof.objective_name == "switches"
    apart = {"leaf": (priced, unpriced), "spine": (unpriced,), "core": (priced,)}
    mixed = dataclasses.replace(spec(3000), families=("fat-tree", "rail-optimized"), switches=apart)
    assert size(mixed).blueprint.switches == 37


@pytest.mark.parametrize(
    ("switch", "server", "switches"),
    [
        ("qm8790", {"gpus": 1, "nics": 1, "nic_gbps": 100}, {"leaf": 1}),
        ("cx864e-n", {"gpus": 4, "nics": 4, "nic_gbps": 400}, {"leaf": 4, "spine": 2}),
    ],
)
def test_switches_split_their_ports_as_published(
    switch: str, server: dict[str, object], switches: dict[str, int]
) -> None:
    """64 servers of one HDR100 NIC are on one QM8790; 64 of four 400G NICs are on 4 + 2 CX864E-N, as published."""
    servers = {"gpus": 64 * int(str(server["gpus"])), "server": {"name": "box", **server}}
    words = {"name": "split", "family": "fat-tree", "switches": switch, **servers}
    assert counts(size(read(words))) == switches


@pytest.mark.parametrize(
    ("server", "switch", "rails", "nics"), [("gaudi3", "sn5600", 3, 8), ("aws-p5", "sn4700", 8, 4)]
)
def test_servers_of_several_nics_per_gpu_have_the_rails_of_their_vendor(
    server: str, switch: str, rails: int, nics: int
) -> None:
    """Port r of all 8 accelerators of a Gaudi 3 is on rail r; the 32 EFA ports of 8 GPUs are 8 rails of 4."""
    words = {"name": "rails", "gpus": 512, "server": server, "family": "rail-optimized", "switches": switch}
    blueprint = size(read(words)).blueprint
    assert (blueprint.sizes["rail"], blueprint.sizes["server-leaf"]) == (rails, nics)


def test_unknown_breakouts_are_asked_for() -> None:
    """A switch whose breakouts are not known is not refused as one without ports, but its breakouts are asked for.

    The same switch said to have none is infeasible, and beside a switch that is known to split it is left out.
    """
    box = {"name": "box", "ports": 64, "rate_gbps": 800}
    words = {"name": "open", "gpus": 256, "server": "hgx-h100", "family": "fat-tree"}
    with pytest.raises(
        fabric.InputError, match="switches: the breakouts of box to 400G are not known; describe the switch"
    ):
        fabric.design(words, switches=box)
    with pytest.raises(fabric.Infeasible, match="has no ports at 400G"):
        fabric.design(words, switches={**box, "breakouts": {}})
    study = fabric.design(words, switches=[box, "cx864e-n"])
    assert study.blueprint.models["leaf"].name == "cx864e-n"
    assert "Not considered (breakouts to 400G not known): box." in list_notes(study)


def test_infiniband_and_ethernet_never_share_a_fabric() -> None:
    """A choice of both is answered with one of them in every tier; one in each tier is refused."""
    both = {"*": (switches()["tomahawk5-64x800g"], switches()["qm9700"])}
    for gpus in (200, 1500, 2048):
        asked = dataclasses.replace(spec(gpus), families=("fat-tree", "rail-optimized", "rail-only"), switches=both)
        assert len({model.link_layer for model in size(asked).blueprint.models.values()}) == 1
    apart = {"leaf": (switches()["qm9700"],), "spine": (switches()["sn5600"],)}
    with pytest.raises(Infeasible, match="one fabric has one link layer"):
        size(dataclasses.replace(spec(1024), tiers=(2,), switches=apart))


def test_pins_are_obeyed_or_refused() -> None:
    """A pinned plane is the plane taken; a pin outside what the request or server allows is named."""
    assert size(spec(1024, planes=(1, 2), pinned={"plane": 2})).blueprint.planes == 2
    with pytest.raises(Infeasible, match=r"pinned\.stripe 2 is not 1"):
        size(spec(1024, family="fat-tree", pinned={"stripe": 2}))


def test_a_unit_that_must_change_is_named() -> None:
    """Units of one server waste 64-port leaves: freeing unit_gpus alone would do, and the answer says so."""
    with pytest.raises(Infeasible, match="unit_gpus 8 must change"):
        size(spec(40_000, "qm9700", tiers=(3,), unit_gpus=8))


def test_pinned_axes_hold() -> None:
    """A pinned axis or bundle has that size; one that must change is named, and one that none has is bad input."""
    blueprint = size(spec(4096, "qm9700", unit_gpus=256, pinned={"pod": 2, "spine-core": 2})).blueprint
    assert (blueprint.sizes["pod"], blueprint.sizes["spine-core"]) == (2, 2)
    with pytest.raises(Infeasible, match=r"pinned\.spine 3 must change"):
        size(spec(256, "qm9700", unit_gpus=256, tiers=(2,), pinned={"spine": 3}))
    with pytest.raises(InputError, match="did you mean 'spine'"):
        size(spec(256, "qm9700", pinned={"spin": 3}))


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("draws", [2, *slow(15)])
@pytest.mark.parametrize("name", sorted(families()))
def test_every_design_keeps_within_its_ports(name: str, draws: int) -> None:
    """Ports used never exceed the radix, and the ratio down over up never exceeds what was allowed."""
    random, sized, most = Random(name), 0, 4 if name == "bcube" else 1
    gpus = (40_000 if draws > 2 else 20_000) if name not in ("torus", "mesh") else 4_000 if draws > 2 else 500
    words = {"planes": (2,) if name in ("hpn", "bcube", "zcube") else (1,), "oversubscription": {"*": Fraction(most)}}
    for _ in range(draws):
        try:
            blueprint = size(
                spec(
                    random.randint(1, gpus),
                    random.choice(["qm9700", "sn5600"]),
                    family=name,
                    **words,
                )
            ).blueprint
        except FabricError:
            continue
        sized += 1
        for role in blueprint.topology.roles:
            assert blueprint.ports_down(role) + blueprint.ports_up(role) <= blueprint.radix(role)
            assert (blueprint.oversubscription(role) or 0) <= most
    assert sized > draws // 3


@pytest.mark.parametrize(
    "words",
    [
        {"switches": {"name": "a", "ports": 100_000, "rate_gbps": 400, "price_usd": 1}, "pinned": {"group": 1000}},
        {"switches": [{"name": "a", "ports": 144, "rate_gbps": 400, "price_usd": 0}, "sn5600"], "link_price_usd": 0},
        {"switches": "sn5600", "link_price_usd": 1e9, "gpus": 20_000},
        {"switches": "sn5600", "oversubscription": 1000},
        {"switches": "sn5600", "oversubscription": 0.001},
        {"switches": "any", "gpus": 1_000_000, "tiers": [2, 3], "limits": {"parallel_links": 1}},
    ],
)
def test_extreme_numbers_are_answered(words: dict[str, object]) -> None:
    """Absurd radices, prices of nothing or a billion, and wild ratios are sized or refused, never a crash."""
    try:
        gap: float = size(read({"gpus": 5000, "server": "hgx-h100", "family": "fat-tree", **words})).proof.gap
    except (Infeasible, InputError):
        gap = 0
    assert gap == 0


def test_no_place_is_for_servers_that_nobody_asked_for() -> None:
    """A least ratio is not met by ports for blocks that no pod has."""
    words = {
        "gpus": 16,
        "server": {"name": "one", "gpus": 1, "nics": 1, "nic_gbps": 400},
        "switches": {"name": "box", "ports": 64, "rate_gbps": 400, "price_usd": 100},
        "family": "fat-tree",
        "tiers": 3,
        "pinned": {"slot": 16},
        "oversubscription": {"leaf": 16, "spine": {"min": 8, "max": 8}},
        "limits": {"parallel_links": 1},
    }
    with pytest.raises(fabric.Infeasible):
        fabric.design(words)


def test_equal_in_the_first_objective_is_no_proof_of_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the budget ends in the second objective of a candidate as good in the first, the answer is not proven."""
    search = importlib.import_module("fabric.optimizer.side_by_side")
    solve = search.minimise

    def ended(model: Any, expressions: Any, *more: Any) -> Any:
        answer = solve(model, expressions, *more)
        return replace(answer, status="FEASIBLE") if model.candidate.topology.family == "fat-tree" else answer

    words = {"gpus": 1024, "server": "hgx-h100", "switches": "sn5600", "family": ["fat-tree", "rail-optimized"]}
    assert fabric.optimize(words, "models,cost").proof.status == "OPTIMAL"
    monkeypatch.setattr(search, "minimise", ended)
    assert fabric.optimize(words, "models,cost").proof.status == "FEASIBLE"
