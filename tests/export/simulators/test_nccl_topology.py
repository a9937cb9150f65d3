"""NCCL's topology of a server: by the grammar of NCCL's own reader, with the figures that NCCL makes of it."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

import pytest

from fabric.errors import InputError
from fabric.export.plan import Plan
from tests.export.plans import shipped_plan
from tests.export.simulators.drawn import design, texts_of

CHILDREN = {
    "system": {"cpu"},
    "cpu": {"pci", "nic"},
    "pci": {"pci", "gpu", "nic", "pcilink"},
    "gpu": {"nvlink", "c2c"},
    "nic": {"net"},
    "nvlink": set(),
    "net": set(),
}
"""The elements that `src/graph/xml.cc` looks for in each."""

NEEDED = {
    "system": {"version"},
    "cpu": {"numaid", "arch"},
    "pci": {"busid", "class", "link_speed", "link_width"},
    "gpu": {"dev", "sm", "rank", "gdr"},
    "nvlink": {"target", "count", "tclass"},
    "nic": set(),
    "net": {"name", "dev", "speed", "port", "gdr", "plane"},
}
"""The attributes without which `src/graph/topo.cc` makes no graph, or takes defaults that the plan has better."""

LANES = {"8.0 GT/s PCIe": 60, "16.0 GT/s PCIe": 120, "32.0 GT/s PCIe": 240, "64.0 GT/s PCIe": 480}
"""NCCL's figures for a lane, in 100 Mb/s (`kvDictPciGen`)."""


def read(text: str) -> ElementTree.Element:
    """Parse a topology, and refuse what NCCL's reader ignores or misses."""
    root = ElementTree.fromstring(text)
    assert root.tag == "system"
    assert root.get("version") == "1"
    for element in root.iter():
        assert {child.tag for child in element} <= CHILDREN[element.tag]
        assert set(element.keys()) >= NEEDED[element.tag]
        assert len(element.keys()) <= 16, "NCCL keeps 16 attributes"
        assert all(len(value) < 255 for value in element.attrib.values())
    buses = [pci.get("busid") for pci in root.iter("pci")]
    assert len(set(buses)) == len(buses)
    for kind in ("gpu", "net"):
        assert [each.get("dev") for each in root.iter(kind)] == [*map(str, range(len([*root.iter(kind)])))]
    return root


def only(plan: Plan) -> ElementTree.Element:
    """Return the topology of the only model of server."""
    ((_, text),) = texts_of(plan, "nccl-topology").items()
    return read(text)


@pytest.mark.parametrize(
    ("name", "gpus", "nets", "sm", "nvlinks", "mbps"),
    [
        ("superpod-h100-1su", 8, 8, 90, 18, 400_000),
        ("superpod-b300-1su", 8, 16, 103, 18, 400_000),
        ("examples/superpod-gb200.yaml", 4, 4, 100, 18, 400_000),
    ],
)
def test_a_server_has_the_figures_of_its_data_sheet(
    name: str, gpus: int, nets: int, sm: int, nvlinks: int, mbps: int
) -> None:
    """The GPUs and ports of a server, or of a tray, its NVLinks, and PCIe that carries a NIC at line rate."""
    root = only(shipped_plan(name))
    assert len([*root.iter("gpu")]) == gpus
    assert {gpu.get("sm") for gpu in root.iter("gpu")} == {str(sm)}
    assert Counter(link.get("count") for link in root.iter("nvlink")) == {str(nvlinks): gpus}
    assert Counter(net.get("speed") for net in root.iter("net")) == {str(mbps): nets}
    bridges = root.findall("./cpu/pci")
    assert len(bridges) == gpus
    for bridge in bridges:
        below = sum(int(net.get("speed", 0)) for net in bridge.iter("net"))
        assert LANES[bridge.get("link_speed", "")] * int(bridge.get("link_width", 0)) * 100 >= 0.94 * below
        assert len([*bridge.iter("gpu")]) == 1


def test_rails_and_planes_are_those_of_the_fabric() -> None:
    """Every NIC has its rail, and its ports the planes; a fat tree has no rails."""
    nets = [*only(shipped_plan("superpod-b300-1su")).iter("net")]
    assert [(net.get("rail"), net.get("plane")) for net in nets] == [(str(n // 2), str(n % 2)) for n in range(16)]
    assert {net.get("rail") for net in only(design(family="fat-tree")).iter("net")} == {None}
    tray = [*only(shipped_plan("examples/superpod-gb200.yaml")).iter("net")]
    assert [net.get("rail") for net in tray] == ["0", "1", "2", "3"]


def test_gpus_and_nics_are_shared_out_evenly() -> None:
    """Two GPUs share a NIC below one switch, or a GPU has several of its own."""
    box = {"name": "box", "gpus": 8, "nics": 4, "nic_gbps": 400, "nvlink_GBps": 450, "generation": "hopper"}
    bridges = only(design(64, server=box, family="fat-tree")).findall("./cpu/pci")
    assert [(len([*each.iter("gpu")]), len([*each.iter("net")])) for each in bridges] == [(2, 1)] * 4
    box = box | {"gpus": 4, "nics": 8}
    bridges = only(design(64, server=box, family="fat-tree")).findall("./cpu/pci")
    assert [(len([*each.iter("gpu")]), len([*each.iter("net")])) for each in bridges] == [(1, 2)] * 4


@pytest.mark.parametrize(
    ("server", "word"),
    [
        ("mi300x", "NVIDIA"),
        ({"name": "box", "gpus": 8, "nics": 8, "nic_gbps": 400, "generation": "hopper"}, "nvlink_GBps"),
        (
            {"name": "box", "gpus": 8, "nics": 6, "nic_gbps": 400, "generation": "hopper", "nvlink_GBps": 450},
            "shared out",
        ),
    ],
    ids=["AMD", "NVLink not known", "uneven"],
)
def test_servers_that_it_cannot_describe_are_refused(server: object, word: str) -> None:
    """One line says what is missing."""
    plan = design(64, server=server, family="fat-tree")
    with pytest.raises(InputError, match=word):
        texts_of(plan, "nccl-topology")
