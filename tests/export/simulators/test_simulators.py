"""The files of simulators of networks: what their readers make of them is the fabric, link by link."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import pytest
import yaml

from fabric.errors import InputError
from fabric.export.plan import Plan
from tests.export.plans import shipped_plan
from tests.export.simulators.drawn import design, draw_gpu_plans, text_of, texts_of
from tests.export.simulators.readers import read_anynet, read_htsim, read_simai

Pair = tuple[int, int]


def links_by_pair(plan: Plan, lower: dict[int, int]) -> dict[Pair, int]:
    """Return the total rate of the links between each two devices, with other numbers for lower ends, link by link."""
    found: dict[Pair, int] = Counter()
    network, topology = plan.network, plan.blueprint.topology
    for row, (one, other, bundle) in enumerate(
        zip(network.lower.tolist(), network.upper.tolist(), network.bundle.tolist(), strict=True)
    ):
        if bundle < len(topology.bundles):
            found[lower.get(row, one), other] += network.bundle_gbps[bundle]
    return dict(found)


def gpu_of_links(plan: Plan) -> dict[int, int]:
    """Return the GPU that the link of each NIC belongs to, less the number of all, so that it is no device's."""
    network, server = plan.network, plan.blueprint.server
    ports = server.nics * plan.blueprint.planes // server.gpus
    below = [(row, end) for row, end in enumerate(network.lower.tolist()) if end < network.server_count]
    total = network.server_count * server.gpus
    return {row: end * server.gpus + int(network.lower_port[row]) // ports - total for row, end in below}


def test_simai_reads_every_gpu_and_every_link() -> None:
    """GPUs have NVLink and the rates of their NICs, and every two switches the rate of all links between them."""
    families, planes, trays = set(), set(), set()
    plans = [design(family="rail-optimized"), shipped_plan("superpod-b300-1su"), *draw_gpu_plans(1, 8)]
    for plan in plans:
        blueprint, network = plan.blueprint, plan.network
        families.add(blueprint.topology.family)
        planes.add(blueprint.planes)
        trays.add(blueprint.server.trays)
        read = read_simai(text_of(plan, "simai"))
        gpus = blueprint.servers * blueprint.server.gpus
        assert (read.gpus, read.per_server) == (gpus, blueprint.server.gpus)
        assert (len(read.boxes), len(read.switches)) == (blueprint.servers, blueprint.switches)
        rates = {pair: rate for pair, (rate, _) in read.links.items()}
        for gpu in range(gpus):
            rate, delay = read.links[gpu, gpus + gpu // blueprint.server.gpus]
            assert rate == 8 * blueprint.server.nvlink_GBps
            assert delay == 25
            del rates[gpu, gpus + gpu // blueprint.server.gpus]
        first = gpus + blueprint.servers - network.server_count
        wanted = links_by_pair(plan, gpu_of_links(plan))
        expected = {
            tuple(sorted((gpus + one if one < 0 else first + one, first + other))): rate
            for (one, other), rate in wanted.items()
        }
        assert rates == expected
    assert len(families) > 4
    assert planes == {1, 2}
    assert len(trays) > 1


def test_a_link_of_simai_has_the_delay_of_its_cable_and_half_of_its_switches() -> None:
    """A cable of 10 m takes 50 ns; a leaf and a spine of 230 ns add half of each, and a path all of both."""
    plan = shipped_plan("superpod-h100-1su")
    read, network = read_simai(text_of(plan, "simai")), plan.network
    gpus = plan.blueprint.gpus
    shift = gpus + plan.blueprint.servers - network.server_count
    longest: dict[Pair, float] = defaultdict(float)
    for row, (one, other) in enumerate(zip(network.lower.tolist(), network.upper.tolist(), strict=True)):
        if one >= network.server_count:
            metres = float(plan.wiring.length_m[row])
            longest[shift + one, shift + other] = max(longest[shift + one, shift + other], 5 * metres + 230)
    assert longest
    assert {pair: read.links[pair][1] for pair in longest} == pytest.approx(longest)


def test_simai_names_gpus_as_it_knows_them() -> None:
    """SimAI knows H100, and takes other words for a GPU without figures of its own."""
    assert read_simai(text_of(design(family="rail-optimized"), "simai")).gpu == "H100"
    assert read_simai(text_of(shipped_plan("superpod-b300-1su"), "simai")).gpu == "B300"
    box = {"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 400, "nvlink_GBps": 450}
    assert read_simai(text_of(design(server=box), "simai")).gpu == "NONE"


def test_booksim_reads_every_switch_and_link_of_every_plane() -> None:
    """A file is of one plane or separate rail, with the ports of NICs at its switches, and the links between these."""
    families, files = set(), set()
    plans = [design(64, family="rail-only", limits={"parallel_links": 1}), design(256, family="slim-fly")]
    for plan in [*plans, *draw_gpu_plans(2, 6, limits={"parallel_links": 1})]:
        if len(set(plan.blueprint.bundle_rates.values())) > 1 or plan.blueprint.parallel_links > 1:
            continue
        families.add(plan.blueprint.topology.family)
        texts = texts_of(plan, "booksim")
        files.add(len(texts) > 1)
        read = [read_anynet(text) for text in texts.values()]
        first = plan.network.server_count
        pairs = {pair for pair in links_by_pair(plan, {}) if pair[0] >= first}
        hosts = Counter(
            upper for lower, upper in zip(plan.network.lower, plan.network.upper, strict=True) if lower < first
        )
        assert sum(len(each.routers) for each in read) == plan.blueprint.switches
        assert sum(len(each.router_of) for each in read) == sum(hosts.values())
        assert sum(len(others) for each in read for others in each.routers.values()) == 2 * len(pairs)
        at_routers = [Counter(each.router_of.values())[router] for each in read for router in each.routers]
        assert sorted(at_routers) == sorted(hosts[row] for row in range(first, first + plan.blueprint.switches))
    assert len(families) > 2
    assert files == {True, False}


@pytest.mark.parametrize(
    ("request_", "pods"),
    [
        ({"gpus": 1024, "family": "fat-tree"}, 1),
        ({"gpus": 1024, "family": "rail-optimized", "planes": 2, "server": "dgx-b300"}, 1),
        ({"gpus": 256, "family": "fat-tree", "tiers": 3, "switches": "small", "pinned": {"spine": 1}}, 8),
        ({"gpus": 512, "family": "rail-optimized", "oversubscription": 2}, 1),
    ],
    ids=["two tiers", "two planes", "three tiers", "oversubscribed"],
)
def test_htsim_makes_the_same_switches_and_links(request_: dict[str, object], pods: int) -> None:
    """What htsim computes of the tiers is what the fabric has, plane by plane."""
    small = {"name": "small", "ports": 16, "rate_gbps": 400, "breakouts": {}, "link_layer": "ethernet"}
    if request_.get("switches") == "small":
        request_ = request_ | {"switches": [small]}
    plan = design(**request_)
    read, blueprint = read_htsim(text_of(plan, "htsim")), plan.blueprint
    roles, planes = blueprint.topology.roles, blueprint.planes
    assert read.pods == pods
    assert read.nodes == blueprint.nics
    assert [count * planes for count in read.switches] == [blueprint.devices(role) for role in roles]
    assert [count * planes for count in read.links] == [blueprint.links(each) for each in blueprint.topology.bundles]
    rates = [blueprint.rate(each) for each in blueprint.topology.bundles]
    assert [tier["downlink_speed_gbps"] for tier in read.tiers] == rates


def test_astra_sim_reads_the_bandwidth_that_every_cut_leaves() -> None:
    """The dimensions hold all GPUs, and a GPU's bandwidth in one is what the links above its place carry, at most."""
    cases = {
        "rails": design(1024, family="rail-optimized"),
        "ratio": design(1024, family="rail-optimized", oversubscription=2),
        "tree": design(1024, family="fat-tree"),
        "torus": design(256, family="torus"),
        "hyperx": design(256, family="hyperx"),
    }
    blocks = set()
    for plan in cases.values():
        blueprint, read = plan.blueprint, yaml.safe_load(text_of(plan, "astra-sim"))
        assert set(read) == {"topology", "npus_count", "bandwidth", "latency"}
        assert len({len(values) for values in read.values()}) == 1
        assert math.prod(read["npus_count"]) == blueprint.gpus
        assert min(read["npus_count"]) > 1
        assert min(read["latency"]) >= 0
        assert set(read["topology"]) <= {"Ring", "FullyConnected", "Switch"}
        blocks |= set(read["topology"])
        assert read["bandwidth"][0] == blueprint.server.nvlink_GBps
        assert read["bandwidth"][1] == blueprint.server.nics * 50 / blueprint.server.gpus
    assert blocks == {"Ring", "FullyConnected", "Switch"}
    assert yaml.safe_load(text_of(cases["ratio"], "astra-sim"))["bandwidth"][2] == 25
    for name in ("rails", "ratio", "tree"):
        plan = cases[name]
        read = yaml.safe_load(text_of(plan, "astra-sim"))
        up = sum(rate for (lower, _), rate in links_by_pair(plan, {}).items() if lower >= plan.network.server_count)
        assert read["bandwidth"][-1] * 8 * plan.blueprint.gpus == up


REFUSED = {
    "simai": [
        ({"server": {"name": "box", "gpus": 8, "nics": 4, "nic_gbps": 400, "nvlink_GBps": 450}}, "links of its own"),
        ({"server": {"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 400}}, "nvlink_GBps"),
        ({"family": "bcube", "gpus": 64}, "forward traffic of others"),
    ],
    "booksim": [
        ({"family": "rail-optimized", "gpus": 1024}, "parallel_links: 1"),
        ({"family": "bcube", "gpus": 64}, "forward traffic of others"),
    ],
    "htsim": [
        ({"family": "dragonfly"}, "dragonfly"),
        ({"family": "rail-optimized", "gpus": 1000, "switches": "sn3700", "server": "hgx-a100"}, "whole ones"),
        ({"family": "rail-only", "gpus": 2048}, "pods or cores"),
    ],
    "astra-sim": [
        ({"family": "dragonfly"}, "no product"),
        ({"family": "rail-optimized", "gpus": 1000, "switches": "sn3700", "server": "hgx-a100"}, "whole ones"),
        ({"server": {"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 400}}, "nvlink_GBps"),
    ],
}


@pytest.mark.parametrize(
    ("format_", "request_", "word"),
    [
        pytest.param(name, request, word, id=f"{name} {word}")
        for name, cases in REFUSED.items()
        for request, word in cases
    ],
)
def test_what_a_simulator_cannot_express_is_refused(format_: str, request_: dict[str, object], word: str) -> None:
    """One line says why, and names the fabric."""
    plan = design(**request_)
    with pytest.raises(InputError, match=word) as caught:
        texts_of(plan, format_)
    assert str(caught.value).startswith(f"{plan.name}: ")
    assert "\n" not in str(caught.value)
