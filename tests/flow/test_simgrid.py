"""The flow model against SimGrid, an independent simulator of flows, on the same fabrics and the same paths."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import fabric
from fabric.blueprint import Blueprint
from fabric.catalog import collectives
from fabric.errors import TooLarge
from fabric.export import list_plan_files, to_simgrid
from fabric.flow import Routing, phases, place, shares
from fabric.network.expand import expand
from tests.flow.flow_fabrics import fat_tree, form_of, links_of, sized, small_fabrics

WITHIN = 0.02
BYTES = 4_000_000
"""Enough that each message is over 64 KiB: SMPI lets the sender of a smaller one go on before it has arrived."""

PLAIN = [
    "network/model:CM02",
    "network/crosstraffic:0",
    "network/TCP-gamma:0",
    "network/bandwidth-factor:1.0",
    "network/latency-factor:1.0",
    "smpi/simulate-computation:no",
]
"""SimGrid without its corrections for TCP on Ethernet, and without the time of computing."""

ALGORITHMS = {
    "ring": ("all-reduce", "smpi/allreduce:lr"),
    "direct": ("all-to-all", "smpi/alltoall:basic_linear"),
}
"""The collective of each algorithm, and the algorithm in SimGrid's words."""

FABRICS = {
    "two tiers 1:1": fat_tree(2, 8, 4),
    "two tiers 2:1": fat_tree(2, 8, 4, 2),
    "two tiers 4:1": fat_tree(2, 8, 4, 4),
    "three tiers 1:1": fat_tree(3, 4, 2),
    "three tiers 2:1": fat_tree(3, 4, 2, 2),
}
"""Fat trees of 32 hosts with one NIC each."""

RAILS = {"block": 4, "slot": 3, "rail": 4, "spine": 2, "server-leaf": 1, "leaf-spine": 1}


@dataclass(frozen=True)
class SimGrid:
    """The collective, compiled for SimGrid, in a folder of its own."""

    program: Path

    def seconds(self, plan: Blueprint, order: np.ndarray, algorithm: str, groups: int = 1) -> float:
        """Return how long a collective takes with rank i on NIC `order[i]` and in group i % `groups`."""
        text = to_simgrid(plan, latencies=False)
        platform, hosts = self.program.with_name("platform.xml"), self.program.with_name("hosts")
        platform.write_text(text)
        names = [host.attrib["id"] for host in ElementTree.fromstring(text).iter("host")]
        hosts.write_text("".join(f"{names[nic]}\n" for nic in order))
        collective, choice = ALGORITHMS[algorithm]
        flags = ["-no-privatize", "--log=root.thres:warning", *(f"--cfg={flag}" for flag in [*PLAIN, choice])]
        where = ["-np", str(len(order)), "-platform", platform, "-hostfile", hosts]
        command = ["smpirun", *flags, *where, self.program, collective, str(BYTES), str(groups)]
        done = subprocess.run(
            command, cwd=self.program.parent, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return float(done.stdout)


@pytest.fixture(scope="module")
def simgrid(tmp_path_factory: pytest.TempPathFactory) -> SimGrid:
    """Compile the collective. Without SimGrid skip, but not in CI nor as root, who gets it from `make test`."""
    if not all(map(shutil.which, ("smpicc", "smpirun", "cc"))):
        here = "CI" in os.environ or os.geteuid() == 0
        (pytest.fail if here else pytest.skip)("SimGrid is missing; as root, `make apt` installs it on Debian")
    program = tmp_path_factory.mktemp("simgrid") / "collective"
    source = Path(__file__).with_name("collective.c")
    subprocess.run(["smpicc", "-O1", source, "-o", program], check=True, cwd=program.parent)
    return SimGrid(program)


def predicted(plan: Blueprint, placement: np.ndarray, algorithm: str) -> float:
    """Return the model's seconds by destination-mod-k: phase after phase, each as long as its slowest flow."""
    flows = phases(plan.server, placement, ALGORITHMS[algorithm][0], algorithm)
    return shares(plan, flows, Routing("dmodk")).wire_s * BYTES


QUICK = {("two tiers 2:1", "random"), ("three tiers 1:1", "strided")}
"""The fabrics and rank orders that are tried each time; the others are slow witnesses of the same."""

CASES = [
    pytest.param(fabric, order, marks=() if (fabric, order) in QUICK else pytest.mark.slow)
    for fabric in FABRICS
    for order in ("contiguous", "strided", "random")
]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("fabric", "order"), CASES)
def test_a_collective_takes_the_time_that_simgrid_says(
    simgrid: SimGrid, fabric: str, order: str, algorithm: str
) -> None:
    """Ring all-reduce and all-to-all, in good and bad rank order at any ratio, go at the pace of their slowest flow."""
    plan = FABRICS[fabric]
    ranks = place(plan, order, seed=1).reshape(-1)
    assert simgrid.seconds(plan, ranks, algorithm) == pytest.approx(predicted(plan, ranks, algorithm), rel=WITHIN)


@pytest.mark.parametrize("family", ["rail-optimized", "rail-only"])
def test_rails_take_the_time_that_simgrid_says(simgrid: SimGrid, family: str) -> None:
    """A ring on every rail at the same time, and an all-to-all over all rails, by NVLink where these never meet."""
    plan = sized(form_of(family, 2), 10, gpus=4, **RAILS)
    every, rings = place(plan), place(plan, "strided", stride=4)
    assert simgrid.seconds(plan, every, "ring", groups=4) == pytest.approx(predicted(plan, rings, "ring"), rel=WITHIN)
    assert simgrid.seconds(plan, every, "direct") == pytest.approx(predicted(plan, every, "direct"), rel=WITHIN)


def test_an_exported_path_has_the_latency_of_its_switches_and_cables() -> None:
    """Between pods there are five switches and six cables, below a leaf one and two; without latencies, all are 0."""
    plan, constants = FABRICS["three tiers 1:1"], collectives()
    cable, switch = constants.cable_m * constants.fibre_ns_per_m, constants.switch_latency_ns
    platform = ElementTree.fromstring(to_simgrid(plan))
    latency = {link.attrib["id"]: float(link.attrib["latency"].removesuffix("ns")) for link in platform.iter("link")}
    paths = [sum(latency[hop.attrib["id"]] for hop in route) for route in platform.iter("route")]
    # From a server: 3 others at its leaf, 12 in its pod, 16 in the other.
    spread = [(3, 2 * cable + switch), (12, 4 * cable + 3 * switch), (16, 6 * cable + 5 * switch)]
    assert sorted(paths) == [ns for count, ns in spread for _ in range(32 * count)]
    assert {
        link.attrib["latency"] for link in ElementTree.fromstring(to_simgrid(plan, latencies=False)).iter("link")
    } == {"0ns"}


def test_the_format_of_plans_is_this_platform() -> None:
    """`fabric export --format simgrid` writes the platform on which SimGrid runs here, and refuses what has none."""
    plan = fabric.design(name="few", gpus=64, server="hgx-h100", switches="sn5600", family="fat-tree").plan
    ((name, pieces),) = list_plan_files(plan, "simgrid")
    assert (name, "".join(pieces)) == ("platform.xml", to_simgrid(plan.blueprint))
    with pytest.raises(TooLarge, match="SimGrid"):
        list_plan_files(fabric.design("superpod-h100-8su").plan, "simgrid")


@pytest.mark.parametrize("trials", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_every_exported_route_is_a_path_of_cables(trials: int) -> None:
    """On every form each route is unbroken, from the sending NIC (or by NVLink from its neighbour) to the receiving."""
    for plan, seed in small_fabrics(trials):
        if plan.servers * links_of(plan).nics > 60:
            continue
        zone = ElementTree.fromstring(to_simgrid(plan)).find("zone")
        assert zone is not None
        hosts, ends = [host.attrib["id"] for host in zone.iter("host")], cable_ends(plan)
        assert len(zone.findall("route")) == len(hosts) * (len(hosts) - 1), (plan.topology.text, seed)
        assert len(zone.findall("link")) == plan.links_total + (len(hosts) if links_of(plan).nics > 1 else 0)
        for route in zone.iter("route"):
            assert walked(route, ends) == route.attrib["dst"].rsplit(".", 1)[0], (plan.topology.text, seed)


def cable_ends(plan: Blueprint) -> dict[str, tuple[str, str]]:
    """Return the lower and the upper device of every cable, by its name in a platform."""
    network = expand(plan)
    rows = zip(network.lower.tolist(), network.lower_port.tolist(), network.upper.tolist(), strict=True)
    return {f"{network.name(lower)}:{port}": (network.name(lower), network.name(upper)) for lower, port, upper in rows}


def walked(route: ElementTree.Element, ends: dict[str, tuple[str, str]]) -> str:
    """Return the device where a route ends that starts at its source and goes by these links."""
    at = route.attrib["src"].rsplit(".", 1)[0]
    for hop in route:
        name, direction = hop.attrib["id"], hop.attrib["direction"]
        if name.endswith(".nvlink"):
            assert name.startswith(f"{at}.nic")
            continue
        start, end = ends[name] if direction == "UP" else reversed(ends[name])
        assert start == at
        at = end
    return at


def test_a_platform_with_too_many_routes_is_refused_with_the_estimate() -> None:
    """Routes grow with the square of the NICs, so a large fabric is refused before it is tried, and says its size."""
    with pytest.raises(TooLarge, match=r"1,024 NICs, 1,047,552 or some 349\.7 MiB"):
        to_simgrid(fat_tree(2, 32, 32))
