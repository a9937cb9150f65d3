"""Port names: each as its vendor writes it, and every port of every switch used once."""

from __future__ import annotations

import numpy as np
import pytest

import fabric
from fabric.blueprint.prices import prices_of
from fabric.catalog import PortPart, port_name_systems, servers, switches
from fabric.errors import InputError
from fabric.layout.ports import list_nic_names, list_port_tables
from fabric.request.shipped_designs import topologies

SMALL = [name for name in topologies() if name not in ("colossus-1m", "colossus-200k", "oci-zettascale-131k")]


@pytest.mark.parametrize(
    ("model", "system", "part", "name"),
    [
        ("sn5600", "cumulus", PortPart(0, 0, 1), "swp1"),
        ("sn5600", "cumulus", PortPart(63, 1, 2), "swp64s1"),
        ("sn5600", "sonic", PortPart(2, 0, 1), "Ethernet16"),
        ("sn5600", "sonic", PortPart(2, 1, 2), "Ethernet20"),
        ("sn5600", "sonic", PortPart(1, 3, 4), "Ethernet14"),
        ("sn4700", "sonic", PortPart(1, 0, 1), "Ethernet8"),
        ("7060xe7-64ps", "eos", PortPart(4, 1, 2), "Ethernet5/5"),
        ("qfx5241-64od", "junos", PortPart(0, 0, 1), "et-0/0/0"),
        ("qfx5241-64od", "junos", PortPart(63, 1, 2), "et-0/0/63:1"),
        ("qm9700", "ibnetdiscover", PortPart(63, 0, 1), "64"),
        ("qm9700", "mlnx-os-cages", PortPart(2, 0, 1), "ib 1/2/1"),
        ("qm8700", "mlnx-os", PortPart(35, 0, 1), "ib 1/36"),
        ("q3400-ra", "nvos", PortPart(0, 0, 1), "sw1p1"),
        ("q3400-ra", "nvos", PortPart(143, 0, 1), "sw72p2"),
        ("sn2201", "cumulus", PortPart(48, 0, 1), "swp49"),
    ],
)
def test_names_are_the_vendors(model: str, system: str, part: PortPart, name: str) -> None:
    """Port names seen in vendors' own files and panels."""
    assert port_name_systems()[system].spell(switches()[model], [part]) == [name]


def test_numbers_of_split_infiniband_ports_count_all_parts() -> None:
    """A switch of 64 ports split in two has ports 1 to 128."""
    names = port_name_systems()["ibnetdiscover"]
    parts = [PortPart(63, 0, 2), PortPart(63, 1, 2)]
    assert names.spell(switches()["qm9700"], parts, 2) == ["127", "128"]


def test_every_usual_system_is_known() -> None:
    """The catalogue names no operating system without a rule."""
    assert {model.port_names for model in switches().values()} - {""} <= set(port_name_systems())


@pytest.mark.parametrize("name", SMALL)
def test_every_port_is_used_once(name: str) -> None:
    """No two links of a shipped design have one port, or overlapping parts of one."""
    study = fabric.design(name)
    blueprint, network = study.blueprint, study.network
    prices = prices_of(study.spec, blueprint)
    parts = {bundle.name: prices.parts(bundle.name) for bundle in blueprint.topology.bundles}
    tables = list_port_tables(blueprint, parts, study.spec.site)
    for group in blueprint.topology.switch_groups:
        used = []
        for number, bundle in enumerate(blueprint.topology.bundles):
            for end, devices, ports in (
                (bundle.lower, network.lower, network.lower_port),
                (bundle.upper, network.upper, network.upper_port),
            ):
                if end != group:
                    continue
                rows = network.bundle == number
                table = tables[group.role, bundle.name][0]
                native = np.array([part.port * 64 + part.part * 64 // part.parts for part in table.parts])
                used.append(devices[rows].astype(np.int64) * 2**32 + native[ports[rows].astype(np.int64) - table.first])
        every = np.concatenate(used)
        assert len(np.unique(every)) == len(every), group.role


def test_a_nic_is_named_with_its_tray() -> None:
    """The NICs of an NVL72 rack: rail by rail, tray by tray."""
    names = list_nic_names(servers()["gb200-nvl72"], 1, 4)
    assert names[:2] == ("tray01 mlx5_0", "tray02 mlx5_0")
    assert names[18] == "tray01 mlx5_1"
    assert len(set(names)) == 72


def test_first_uplinks_are_where_the_site_says() -> None:
    """Links up begin at the port that is asked for."""
    study = fabric.design("superpod-h100-1su", site={"first_uplinks": {"leaf": 33}})
    prices = prices_of(study.spec, study.blueprint)
    parts = {bundle.name: prices.parts(bundle.name) for bundle in study.blueprint.topology.bundles}
    tables = list_port_tables(study.blueprint, parts, study.spec.site)
    assert tables["leaf", "leaf-spine"][0].names[0] == "33"


@pytest.mark.parametrize(
    ("port", "text"), [(10, "belongs to links down, which end at port 32"), (60, "write 33 or less")]
)
def test_first_uplinks_without_room_are_refused(port: int, text: str) -> None:
    """A first port among those of links down, or too near the last."""
    study = fabric.design("superpod-h100-1su", site={"first_uplinks": {"leaf": port}})
    prices = prices_of(study.spec, study.blueprint)
    parts = {bundle.name: prices.parts(bundle.name) for bundle in study.blueprint.topology.bundles}
    with pytest.raises(InputError, match=text):
        list_port_tables(study.blueprint, parts, study.spec.site)
