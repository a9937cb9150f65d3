"""Switches with unlike ports, and links at unlike rates, against an exhaustive search written from the rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

import fabric
from fabric.catalog import PortGroup, Switch
from fabric.catalog.parts import Server
from fabric.errors import Infeasible, InputError
from fabric.optimizer import size
from fabric.report.describe import describe_json
from fabric.request import Limits, Spec
from tests.marks import slow
from tests.request_fixtures import Run, run_every_command

NIC = 100
PRICES = {"leaf": 900, "spine": 2000, "core": 3000}


@dataclass(frozen=True)
class Drawn:
    """A small fat tree of unlike ports: `faster` times the NIC's rate at each bundle between switches."""

    servers: int
    nics: int
    tiers: int
    ratio: Fraction
    copies: int
    faster: tuple[int, ...]
    leaf: Switch
    spine: Switch
    core: Switch

    def fits(self, switch: Switch, down: int, up: int, tier: int) -> bool:
        """Say whether a switch of a tier (from 0) has the ports, each split port in use at one rate."""
        below, above = (1, *self.faster)[tier], (*self.faster, 0)[tier]
        if switch.uplinks is not None:
            return down <= ports(switch, below) and up <= ports(switch.uplinks, above)
        if not up or below == above:
            return down + up <= ports(switch, below)
        split_down, split_up = ports(switch, below) // switch.ports, ports(switch, above) // switch.ports
        if not split_down or not split_up:
            return False
        return -(-down // split_down) + -(-up // split_up) <= switch.ports

    def most_links(self, lower: Switch, upper: Switch, tier: int) -> int:
        """Return the most links of a pair: `copies` native ports of the end that splits its ports less."""
        faster = self.faster[tier]
        return self.copies * min(ports(each, faster) // each.ports for each in (lower.upward, upper))

    def allows(self, down: int, up: int, tier: int) -> bool:
        """Say whether the bandwidth down is within the ratio of that up."""
        return down * (1, *self.faster)[tier] <= self.ratio * up * self.faster[tier]


def ports(group: PortGroup, faster: int) -> int:
    """Return the ports at a multiple of the NIC's rate."""
    return group.ports if group.rate_gbps == faster * NIC else (group.breakouts or {}).get(faster * NIC, 0)


def everything(drawn: Drawn) -> Iterator[int]:
    """Yield the cost of every fat tree that meets the request, a link costing 7."""
    n, nics = drawn.servers, drawn.nics
    widest = 1 + max(ports(drawn.leaf, 1), ports(drawn.leaf.upward, 1))
    for slot in range(1, min(n, widest) + 1):
        blocks, down = -(-n // slot), slot * nics
        if drawn.tiers == 1:
            if blocks == 1 and drawn.fits(drawn.leaf, down, 0, 0):
                yield PRICES["leaf"] + 7 * n * nics
            continue
        for spines in range(1, 33):
            for copies in range(1, drawn.most_links(drawn.leaf, drawn.spine, 0) + 1):
                up = spines * copies
                if not (drawn.fits(drawn.leaf, down, up, 0) and drawn.allows(down, up, 0)):
                    continue
                if drawn.tiers == 2:
                    if drawn.fits(drawn.spine, blocks * copies, 0, 1):
                        switches = blocks * PRICES["leaf"] + spines * PRICES["spine"]
                        yield switches + 7 * (n * nics + blocks * up)
                else:
                    yield from three_tiers(drawn, blocks, spines, copies, n * nics + blocks * up)


def three_tiers(drawn: Drawn, blocks: int, spines: int, copies: int, links: int) -> Iterator[int]:
    """Yield the costs with pods of each size, and the spines of a pod in groups of each size."""
    for block in range(1, blocks + 1):
        pods = -(-blocks // block)
        for group in (number for number in range(1, spines + 1) if spines % number == 0):
            for cores in range(1, 33):
                for parallel in range(1, drawn.most_links(drawn.spine, drawn.core, 1) + 1):
                    down, up = block * copies, cores * parallel
                    fits = drawn.fits(drawn.spine, down, up, 1) and drawn.allows(down, up, 1)
                    if fits and drawn.fits(drawn.core, pods * spines // group * parallel, 0, 2):
                        switches = (
                            blocks * PRICES["leaf"] + pods * spines * PRICES["spine"] + group * cores * PRICES["core"]
                        )
                        yield switches + 7 * (links + pods * spines * up)


def draw(random: Random) -> Drawn:
    """Return a request drawn at random: leaves with uplinks of their own or with split ports, then faster spines."""
    tiers, first = random.choice([1, 2, 2, 3]), random.choice([1, 2, 4])
    second = first * random.choice([1, 1, 2])
    leaf = shape(random, "leaf", 1, first)
    spine = shape(random, "spine", first, second if tiers == 3 else first)
    core = Switch("core", random.randint(2, 12), second * NIC, price_usd=PRICES["core"], breakouts={}, connectors=9)
    ratio = random.choice([Fraction(1), Fraction(3, 2), Fraction(2), Fraction(3)])
    faster = (first, second)[: tiers - 1]
    return Drawn(
        random.randint(1, 14), random.randint(1, 2), tiers, ratio, random.randint(1, 3), faster, leaf, spine, core
    )


def shape(random: Random, name: str, down: int, up: int) -> Switch:
    """Return a switch for links down and up at multiples of the NIC's rate, with a connector for every link."""
    words: dict[str, Any] = {"price_usd": PRICES[name], "connectors": 8}
    if random.random() < 0.5:
        uplinks = PortGroup(f"{name} uplinks", random.randint(1, 8), up * NIC, breakouts={}, connectors=8)
        return Switch(name, random.randint(2, 12), down * NIC, breakouts={}, uplinks=uplinks, **words)
    full = up * random.choice([1, 2]) if up > down else up
    number = random.randint(2, 8)
    breakouts = {rate * NIC: number * full // rate for rate in (down, up) if rate < full}
    return Switch(name, number, full * NIC, breakouts=breakouts, **words)


def as_spec(drawn: Drawn) -> Spec:
    """Return the same request in the project's own terms."""
    names = ("leaf-spine", "spine-core")[: drawn.tiers - 1]
    return Spec(
        "drawn",
        drawn.servers,
        Server("box", 1, drawn.nics, NIC),
        ("fat-tree",),
        {"leaf": (drawn.leaf,), "spine": (drawn.spine,), "core": (drawn.core,)},
        NIC,
        link_rates={name: faster * NIC for name, faster in zip(names, drawn.faster, strict=True)},
        tiers=(drawn.tiers,),
        oversubscription={"*": drawn.ratio},
        link_price_usd={"*": 7.0},
        limits=Limits(parallel_links=drawn.copies),
    )


@pytest.mark.usefixtures("unexplained")
@pytest.mark.parametrize("draws", [80, *slow(1000)])
def test_unlike_ports_are_sized_as_exhaustive_search_sizes_them(draws: int) -> None:
    """The least cost is that of all fabrics that keep to the ports of every switch, and none exists where refused."""
    random, answers = Random("unlike ports"), list[bool]()
    for _ in range(draws):
        drawn = draw(random)
        best = min(everything(drawn), default=None)
        try:
            found: float | None = size(as_spec(drawn)).proof.objective
        except (Infeasible, InputError):
            found = None
        assert found == best, drawn
        answers.append(best is not None)
    assert sum(answers) > draws // 6


LEAF = {"name": "tor", "ports": 48, "rate_gbps": 100, "uplinks": 8, "uplink_gbps": 400, "price_usd": 9000}
SPINE = {"name": "s32", "ports": 32, "rate_gbps": 400, "price_usd": 20000}
REQUEST: dict[str, Any] = {
    "gpus": 192, "server": {"name": "box", "gpus": 4, "nics": 4, "nic_gbps": 100}, "family": "fat-tree", "tiers": 2,
    "oversubscription": 1.5, "link_price_usd": 100, "switches": {"leaf": LEAF, "spine": SPINE},
}  # fmt: skip
"""Leaves of 48 x 100G and 8 x 400G."""


def test_uplinks_of_their_own_carry_links_up_and_nothing_else() -> None:
    """192 NICs take four leaves with eight uplinks each; one more server would need a port for servers that is free."""
    study = fabric.design(REQUEST)
    counts = {bundle.name: study.blueprint.links(bundle) for bundle in study.blueprint.topology.bundles}
    assert study.blueprint.devices("leaf") == 4
    assert counts == {"server-leaf": 192, "leaf-spine": 32}
    assert study.blueprint.bundle_rates == {"server-leaf": 100, "leaf-spine": 400}
    assert study.blueprint.oversubscription("leaf") == Fraction(3, 2)
    with pytest.raises(Infeasible):
        fabric.design(REQUEST, gpus=196, unit_gpus=52)


def test_a_management_network_of_gigabit_ports_has_faster_uplinks() -> None:
    """Leaves of 48 x 1G and 4 x 100G below spines of 32 x 100G: 480 ports of 1G on ten leaves."""
    leaf = {"name": "mgmt", "ports": 48, "rate_gbps": 1, "uplinks": 4, "uplink_gbps": 100, "price_usd": 2000}
    spine = {"name": "agg", "ports": 32, "rate_gbps": 100, "price_usd": 8000}
    study = fabric.design(
        REQUEST, gpus=480, server={"name": "port", "gpus": 1, "nics": 1, "nic_gbps": 1}, oversubscription=1,
        switches={"leaf": leaf, "spine": spine},
    )  # fmt: skip
    assert (study.blueprint.devices("leaf"), study.blueprint.devices("spine")) == (10, 1)
    assert study.blueprint.bundle_rates == {"server-leaf": 1, "leaf-spine": 100}


def test_ports_that_are_alike_may_carry_links_of_two_rates() -> None:
    """Alibaba's leaf: 128 x 200G to servers and 60 x 400G up, of 64 ports of 800G."""
    study = fabric.design("alibaba-hpn-pod")
    assert study.blueprint.bundle_rates == {"server-leaf": 200, "leaf-spine": 400}
    assert (study.blueprint.ports_down("leaf"), study.blueprint.ports_up("leaf")) == (128, 60)
    assert study.blueprint.oversubscription("leaf") == Fraction(16, 15)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"uplink_gbps": None}, "8 uplinks of which rate? add uplink_gbps"),
        ({"uplinks": None}, "uplink_gbps is 400, but the number of uplinks is missing"),
        ({"uplinks": {"ports": 8}}, "missing"),
        ({"uplinks": {"ports": 8, "rate_gbps": 400}}, "uplinks have their own rate_gbps, 400; leave uplink_gbps out"),
        ({"uplinks": "8"}, "uplinks"),
        ({"uplinks": 0}, "0 is too small"),
    ],
)
def test_half_of_what_uplinks_need_is_refused(words: dict[str, Any], text: str) -> None:
    """A number of uplinks needs its rate, and a rate the number."""
    leaf = {key: value for key, value in (LEAF | words).items() if value is not None}
    with pytest.raises(InputError, match="uplinks") as error:
        fabric.design(REQUEST, switches={"leaf": leaf, "spine": SPINE})
    assert text in str(error.value)


def test_a_rate_that_no_port_above_has_is_named_with_the_tier() -> None:
    """Uplinks of 400G below spines of 100G ports: the spine has no ports at that rate."""
    with pytest.raises((Infeasible, InputError), match="spine has no ports at 400G"):
        fabric.design(REQUEST, switches={"leaf": LEAF, "spine": SPINE | {"rate_gbps": 100}})


def draw_request(seed: int) -> dict[str, Any]:
    """Return a request with leaves of drawn port groups, some hundred servers at most, for every command."""
    random = Random(f"line {seed}")
    rate, faster = random.choice([1, 25, 100]), random.choice([2, 4])
    leaf = {
        "name": "tor", "ports": random.choice([24, 48]), "rate_gbps": rate, "price_usd": 9000, "power_w": 300,
        "rack_units": 1, "uplinks": {"ports": random.choice([6, 8]), "rate_gbps": rate * faster, "cage": "qsfp-dd"},
    }  # fmt: skip
    spine = {
        "name": "agg", "ports": 32, "rate_gbps": rate * faster, "price_usd": 20000, "power_w": 600, "rack_units": 1,
    }  # fmt: skip
    return {
        "name": "line", "gpus": random.randint(40, 120),
        "server": {"name": "box", "gpus": 1, "nics": random.choice([1, 2]), "nic_gbps": rate, "nvlink_GBps": 100},
        "family": "fat-tree", "tiers": 2, "oversubscription": 4, "link_price_usd": 100,
        "switches": {"leaf": leaf, "spine": spine},
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_unlike_ports_go_the_whole_line(seed: int, run: Run, tmp_path: Path) -> None:
    """Their bill, flows, drawing, page, optimization and export run, and agree on devices, links, rates and cost."""
    path, request = tmp_path / "line.yaml", draw_request(seed)
    path.write_text(yaml.safe_dump(request))
    study = fabric.design(path)
    leaf, design = request["switches"]["leaf"], describe_json(study)
    assert study.network.links == study.blueprint.links_total
    assert design["links"]["gbps"]["leaf-spine"] == leaf["uplinks"]["rate_gbps"]
    assert study.bill.cost_usd() == study.proof.objective
    ups = study.network.degrees()[study.network.group("leaf").first :][: study.blueprint.devices("leaf")]
    assert ups.max() <= leaf["ports"] + leaf["uplinks"]["ports"]
    assert {edge.rate_gbps for edge in study.view("fabric").edges()} == set(design["links"]["gbps"].values())
    run_every_command(run, path, tmp_path)
    for words in (("--engine", "lp", "--gpus", "32"), ("--fail", "link:5%")):
        code, _, err = run("-q", "allreduce", path, *words)
        assert code == 0, (words, err)
    path.write_text(yaml.safe_dump(request | {"oversubscription": 0.01}))
    code, _, err = run("-q", "design", path)
    assert code == 1
    assert "uplinks of the leaf" in err


def test_uplinks_that_are_too_few_are_named_with_what_they_would_have_to_be() -> None:
    """A leaf of 56 x 100G down needs ten uplinks of 400G for 1.5:1, and has eight."""
    wide = LEAF | {"ports": 56}
    with pytest.raises(Infeasible) as caught:
        fabric.design(REQUEST, unit_gpus=56, gpus=168, switches={"leaf": wide, "spine": SPINE})
    values = {item.limit: (item.value, item.nearest) for item in caught.value.conflict}
    assert values["uplinks of the leaf"] == (8, 10)
    assert (
        fabric.design(
            REQUEST, unit_gpus=56, gpus=168, switches={"leaf": wide | {"uplinks": 10}, "spine": SPINE}
        ).blueprint.ports_up("leaf")
        == 10
    )


def widen(group: PortGroup, number: int, gbps: int) -> Any:
    """Return a group with at least this number of ports at a rate, each split as before."""
    whole = -(-number // group.links_per_port(gbps))
    return replace(group, ports=whole, breakouts={rate: whole * group.links_per_port(rate) for rate in group.rates})


def with_ports(drawn: Drawn, limit: str, number: int) -> Drawn:
    """Return a request whose switches of one tier have another number of the ports, or uplinks, that a limit names."""
    kind, _, name = limit.partition(" of the ")
    role, _, at = name.partition(" at ")
    switch, tier = getattr(drawn, role), ("leaf", "spine", "core").index(role)
    if kind == "uplinks":
        uplinks = widen(switch.uplinks, number, NIC * drawn.faster[tier])
        return replace(drawn, **{role: replace(switch, uplinks=uplinks)})
    gbps = int(at.removesuffix("G")) if at else NIC * (1, *drawn.faster)[tier]
    return replace(drawn, **{role: widen(switch, number, gbps)})


@pytest.mark.parametrize("draws", [70, *slow(600)])
def test_ports_that_are_too_few_are_named_with_the_fewest_that_do(draws: int) -> None:
    """With the ports that an explanation asks for some fabric exists, and with a port less none does."""
    random, checked = Random("short of ports"), set[str]()
    for _ in range(draws):
        drawn = draw(random)
        try:
            size(as_spec(drawn))
        except InputError:
            continue
        except Infeasible as error:
            found = [item for item in error.conflict if " of the " in item.limit and item.nearest is not None]
        else:
            continue
        for item in found:
            needed = int(item.nearest or 0)
            enough, fewer = (with_ports(drawn, item.limit, number) for number in (needed, needed - 1))
            assert any(True for _ in everything(enough)), (item, drawn)
            # Where links split a port, a port less may be the same number of whole ones.
            assert fewer == enough or not any(True for _ in everything(fewer)), (item, drawn)
            checked.add(item.limit)
    assert {"ports of the leaf at 200G", "ports of the spine"} <= checked


def test_ports_that_links_of_two_rates_split_count_whole() -> None:
    """40 links of 200G below 20 of 400G take 20 ports of 800G, of which the switch has 8."""
    switch = {"name": "s8", "ports": 8, "rate_gbps": 800, "breakouts": [2, 4], "price_usd": 1000}
    server = {"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 200}
    with pytest.raises(Infeasible) as caught:
        fabric.design(
            REQUEST, gpus=80, unit_gpus=40, server=server, switches=switch, oversubscription=1,
            link_gbps={"leaf-spine": 400},
        )  # fmt: skip
    assert {item.limit: (item.value, item.nearest) for item in caught.value.conflict}["ports at 800G"] == (8, 20)
    assert "the leaf needs 20 ports, s8 has 8 at 800G" in str(caught.value)
