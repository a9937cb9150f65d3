"""Layouts: the published ones from racks, power and units alone, and every layout's own rules."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fabric
from fabric.errors import InputError
from fabric.layout.device_names import list_device_names
from fabric.layout.floor import place_blocks
from fabric.layout.lay_out import lay_out
from fabric.layout.layout import Layout
from fabric.layout.racks import fill_racks
from fabric.network import Network
from fabric.request.site import LAYOUTS


def design(source: Any, **site: Any) -> tuple[fabric.Study, Layout]:
    """Return a design and its layout on a site of these keys."""
    study = fabric.design(source, site=site)
    return study, study.layout


def contents(network: Network, layout: Layout) -> list[dict[str, int]]:
    """Return what each rack holds: the number of devices by role."""
    roles = np.array([group.role for group in network.groups])[network.role]
    return [dict(Counter(roles[layout.device_rack == rack].tolist())) for rack in range(layout.racks)]


def test_a_unit_of_32_h100_nodes_is_8_racks_with_the_leaf_rack_in_the_middle() -> None:
    """4 nodes of 8 rack units take 40.8 of 45 kW; the leaves, and the spines of one unit, stand between them."""
    study, layout = design("superpod-h100-1su")
    four = {"server": 4}
    assert contents(study.network, layout) == [four] * 4 + [{"leaf": 8, "spine": 4}] + [four] * 4
    assert set(layout.row.tolist()) == {0}


def test_four_units_keep_their_leaf_racks_in_the_middle() -> None:
    """Four units have a leaf rack each, and their spines one more."""
    study, layout = design("superpod-h100-4su")
    found = contents(study.network, layout)
    assert Counter(map(str, found)) == {"{'server': 4}": 32, "{'leaf': 8}": 4, "{'spine': 16}": 1}
    for rack in np.flatnonzero([each == {"leaf": 8} for each in found]):
        assert found[rack - 4 : rack] == found[rack + 1 : rack + 5] == [{"server": 4}] * 4
        assert len(set(layout.row[rack - 4 : rack + 5].tolist())) == 1


def test_colossus_has_64_gpus_in_a_rack_and_512_in_an_array_of_8() -> None:
    """8 servers of 4 rack units and a leaf of 2 fit into a rack; a unit of 64 servers fills 8."""
    study, layout = design("colossus-100k", layout="in-rack", heights={"hgx-h100": 4}, rack={"power_kw": 100})
    servers = layout.device_rack[: study.blueprint.servers]
    full = servers[: 195 * 64].reshape(195, 64)
    assert {len(np.unique(unit)) for unit in full} == {8}
    assert set(np.bincount(servers)[np.unique(full)]) == {8}
    leaf = study.network.group("leaf")
    assert set(np.bincount(layout.device_rack[leaf.first : leaf.first + leaf.count])[np.unique(full)]) == {1}


def test_racks_of_72_gpus_stand_by_8_around_their_leaves() -> None:
    """A rack of 72 GPUs is a unit; 8 of them share network racks, 16 leaves in each of two."""
    request = {"gpus": 576, "server": "gb200-nvl72", "family": "rail-optimized", "switches": "qm9700", "unit_gpus": 72}
    study, layout = design(request, rack={"network": {"units": 42, "power_kw": 15}})
    found = contents(study.network, layout)
    assert found[:4] == [{"server": 1}] * 4
    assert found[-4:] == [{"server": 1}] * 4
    assert sum(each.get("leaf", 0) for each in found[4:-4]) == 32


SITES = st.fixed_dictionaries(
    {
        "layout": st.sampled_from(list(LAYOUTS)),
        "rack": st.fixed_dictionaries(
            {"units": st.integers(12, 60), "power_kw": st.sampled_from([12, 25, 45, 90, None])}
        ),
        "group_racks": st.integers(1, 20),
    }
)
REQUESTS = st.sampled_from(
    [
        {"gpus": 512, "server": "dgx-h100", "family": "rail-optimized", "switches": "qm9700"},
        {"gpus": 1000, "server": "dgx-h100", "family": "fat-tree", "switches": "sn5600", "tiers": 2},
        {"gpus": 1024, "server": "dgx-h100", "family": "fat-tree", "switches": "qm8700", "tiers": 3, "link_gbps": 200},
        {
            "gpus": 480,
            "server": "dgx-h100",
            "family": "fat-tree",
            "switches": "qm8700",
            "tiers": 3,
            "unit_gpus": 16,
            "link_gbps": 200,
        },
        {"gpus": 288, "server": "gb200-nvl72", "family": "fat-tree", "switches": "qm9700"},
        {"gpus": 512, "server": "dgx-h100", "family": "torus", "switches": "sn5600"},
        {"gpus": 512, "server": "dgx-h100", "family": "dragonfly", "switches": "sn5600"},
        {"gpus": 384, "server": "hgx-b300", "family": "rail-only", "switches": "sn5600", "planes": 2, "link_gbps": 400},
    ]
)


@cache
def design_once(request: str) -> fabric.Study:
    """Return the design of a request, given as JSON."""
    return fabric.design(json.loads(request))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(REQUESTS, SITES)
def test_every_layout_keeps_its_rules(request: dict[str, Any], site: dict[str, Any]) -> None:
    """Racks are apart, what stands in them fits, on drawn sites; what does not fit is refused by its key."""
    study = design_once(json.dumps(request))
    spec = fabric.read(request, site=site)
    try:
        layout = lay_out(study.blueprint, spec.site, study.network)
    except InputError as error:
        refused = str(error)
        layout = None
    assert check_rules(study, layout) if layout else "site." in refused


def check_rules(study: fabric.Study, layout: Layout) -> bool:
    """Check that racks are apart, that devices fit in them and are apart, and that units stand together."""
    assert layout.position.min() >= 0
    spots = set(zip(layout.hall.tolist(), layout.row.tolist(), layout.position.tolist(), strict=True))
    assert len(spots) == layout.racks
    assert all(row < layout.halls[hall].rows and at < layout.halls[hall].racks_per_row for hall, row, at in spots)
    kinds = layout.site.racks
    server_rack = study.blueprint.server.trays > 1
    for rack in range(layout.racks):
        inside = np.flatnonzero(layout.device_rack == rack)
        kind = kinds["server" if layout.holds_servers[rack] else "network"]
        taken = [
            unit
            for device in inside
            for unit in range(
                int(layout.device_unit[device]), int(layout.device_unit[device] + layout.device_height[device])
            )
        ]
        assert taken
        assert len(set(taken)) == len(taken)
        assert min(taken) >= 1
        if not (server_rack and layout.holds_servers[rack]):
            assert max(taken) <= kind.units
            assert kind.most_kw is None or layout.rack_w[rack] <= kind.most_kw * 1000 * (1 + 1e-9)
    assert set(np.unique(layout.device_rack)) == set(range(layout.racks))
    return True


def test_too_small_halls_say_how_many_racks_are_missing() -> None:
    """The message has the racks needed, the free positions and the difference."""
    with pytest.raises(InputError, match=r"site\.halls: 37 racks needed, but the halls have 30 .*: 7 missing"):
        design("superpod-h100-4su", halls=[{"name": "A", "rows": 3, "racks_per_row": 10}])


def test_a_server_with_too_much_power_is_refused() -> None:
    """A server that no rack can feed is named with both numbers."""
    with pytest.raises(
        InputError, match=r"site\.rack\.power_kw: dgx-h100 draws up to 10\.2 kW, but a server rack has 10 kW"
    ):
        design("superpod-h100-1su", rack={"power_kw": 10})


def test_pinned_switches_stand_where_they_are_asked() -> None:
    """Spines pinned to positions of a row stand at the first of them."""
    halls = [{"name": "A", "rows": 4, "racks_per_row": 18}, {"name": "B", "rows": 2, "racks_per_row": 18}]
    study, layout = design("superpod-h100-4su", halls=halls, places={"spine": "hall B row 2 racks 5-8"})
    spine = study.network.group("spine")
    rack = int(layout.device_rack[spine.first])
    assert layout.rack_names()[rack] == "B02-05"
    check_rules(study, layout)


def test_a_place_without_room_is_refused() -> None:
    """A pinned place with too few positions, and one in no hall."""
    halls = [{"name": "A", "rows": 6, "racks_per_row": 18}]
    with pytest.raises(InputError, match=r"site\.places\.leaf: 4 network racks needed, but only 2 positions are free"):
        design("superpod-h100-4su", halls=halls, places={"leaf": "hall A row 1 racks 1-2"})
    with pytest.raises(InputError, match=r"there is no hall C; known: A"):
        design("superpod-h100-4su", halls=halls, places={"leaf": "hall C"})


def test_devices_have_the_names_of_the_site() -> None:
    """A pattern for each role, with fields of the place and coordinates, which count from 1."""
    names = {"server": "node{number:05}", "leaf": "{rack}-leaf-{rail}", "spine": "{hall}-spine{spine}"}
    study, layout = design("superpod-h100-4su", names=names)
    found = list_device_names(layout, study.network)
    assert found[0] == "node00001"
    assert found[127] == "node00128"
    assert found[128] == f"{layout.rack_names()[layout.device_rack[128]]}-leaf-1"
    assert found[-1] == "A-spine16"
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ("{role}-{rack}", r"server\[block=0,slot=0\] and server\[block=0,slot=1\] are both 'server-A01-01'"),
        ("{colour}", r"'\{colour\}' has \{colour\}, which no server has; known: .*slot"),
        ("{role", "is no pattern"),
        ("{role:>100000000}", "is no pattern"),
        ("{number:0999999}", "is no pattern"),
        ("{role.upper}", "which no server has"),
    ],
)
def test_patterns_that_name_no_device_are_refused(names: str, text: str) -> None:
    """Two devices of one name, unknown fields, and what is no pattern."""
    with pytest.raises(InputError, match=text):
        design("superpod-h100-4su", names=names)


def test_a_star_names_all_others() -> None:
    """A pattern under `*` is for every tier that has none of its own, and so is an operating system's port names."""
    study, layout = design(
        "superpod-h100-1su",
        names={"*": "{role}-{number:03}", "leaf": "L{rail}"},
        port_names={"*": "sonic", "qm9700": "cumulus"},
    )
    names = list_device_names(layout, study.network)
    assert [names[0], names[32], names[-1]] == ["server-001", "L1", "spine-004"]
    assert "swp1" in study.wiring.port_names
    assert not any(name.startswith("Ethernet") for name in study.wiring.port_names)
    with pytest.raises(InputError, match=r"site\.names\.\*\*: '\*\*' is not valid; write a tier"):
        design("superpod-h100-1su", names={"**": "{role}"})


def test_names_of_two_tiers_may_not_meet() -> None:
    """Both devices are named, whatever their tiers, before anything is written."""
    with pytest.raises(InputError, match=r"leaf\[block=0,rail=0,plane=0\] and spine\[spine=0,plane=0\] are both 'sw1'"):
        design("superpod-h100-1su", names={"leaf": "sw{number}", "spine": "sw{number}"})


def test_one_unknown_power_leaves_the_other_racks_known() -> None:
    """An appliance whose power nobody stated makes that of its own rack unknown; what stands beside it is counted."""
    layout = fabric.design("superpod-h100-1su", gpus=248, appliances=[{"name": "ufm", "ports": 2}]).layout
    unknown = np.flatnonzero(~layout.power_known)
    assert unknown.tolist() == np.unique(layout.device_rack[layout.network.role >= 3]).tolist()
    assert layout.rack_w[unknown].tolist() == [12 * 747]
    assert layout.rack_w.sum() == 31 * 10_200 + 12 * 747
    assert layout.unknown_power == ("ufm",)


@pytest.mark.parametrize(
    ("rack", "limit"),
    [
        ({"power_kw": 35}, "a server rack takes 3 dgx-h100 by power, a network rack takes 42 qm9700 by rack units"),
        ({"power_kw": None}, "takes 5 dgx-h100 by rack units"),
        ({"cooling_kw": 21}, "takes 2 dgx-h100 by cooling, a network rack takes"),
    ],
)
def test_too_small_halls_say_which_limit_binds(rack: dict[str, Any], limit: str) -> None:
    """8 rack units of 42 and 10.2 kW of each limit, counted by hand."""
    with pytest.raises(InputError) as caught:
        design("superpod-h100-4su", halls=[{"name": "A", "rows": 1, "racks_per_row": 10}], rack=rack)
    assert limit in str(caught.value)


def test_too_small_halls_say_that_weight_binds() -> None:
    """400 kg carry three servers of 130 kg."""
    with pytest.raises(InputError, match="takes 3 dgx-h100 by weight"):
        design(
            "superpod-h100-4su",
            halls=[{"name": "A", "rows": 1, "racks_per_row": 10}],
            rack={"weight_kg": 400},
            weights_kg={"dgx-h100": 130},
        )


def test_halls_in_one_place_are_refused() -> None:
    """Two storeys at the same coordinates would have cables of no length between them."""
    halls = [{"name": name, "rows": 2, "racks_per_row": 20, "x_m": 0, "y_m": 0} for name in "AB"]
    with pytest.raises(InputError, match=r"site\.halls: the rows of A \(x_m 0, y_m 0\) and B \(x_m 0, y_m 0\) overlap"):
        design("superpod-h100-4su", halls=halls)
    halls[1]["x_m"] = 12  # 20 racks of 0.6 m end there
    design("superpod-h100-4su", halls=halls)


def test_a_group_that_fits_no_row_stays_in_one_hall() -> None:
    """Four groups of 9 racks in rows of 8: none leads from hall to hall where both halls have room for two."""
    halls = [{"name": name, "rows": 3, "racks_per_row": 8} for name in "AB"]
    study, layout = design("superpod-h100-4su", halls=halls)
    network = study.network
    down = network.role[network.lower] == 0
    hall = layout.hall[layout.device_rack]
    assert (hall[network.lower[down]] == hall[network.upper[down]]).all()
    check_rules(study, layout)


@pytest.mark.parametrize(
    ("rack", "lacking"),
    [
        ({"power_kw": 10.3}, "together 11.14 kW, of which a rack has 10.3"),
        ({"units": 9, "power_kw": None}, "together 10 rack units, of which a rack has 9;"),
    ],
)
def test_leaves_beside_no_server_say_which_limit_binds(rack: dict[str, Any], lacking: str) -> None:
    """A server of 8 rack units and 10.2 kW with a leaf of 2 rack units and 0.94 kW."""
    request = {"gpus": 1024, "server": "hgx-h200", "switches": "sn5600"}
    with pytest.raises(InputError) as caught:
        design(request, rack=rack, layout="in-rack")
    assert lacking in str(caught.value)


def test_rows_beyond_the_middle_are_filled_from_their_far_end() -> None:
    """Of two halls side by side both keep their free positions on the sides that face each other."""
    halls = [{"name": name, "rows": 4, "racks_per_row": 10} for name in "AB"]
    study = fabric.design("superpod-h100-8su", site={"halls": halls})
    contents = fill_racks(study.blueprint, study.spec.site)
    racks, server = contents.server_racks + contents.network_racks, slice(0, contents.server_racks)
    taken = []
    for near in (False, True):
        places = place_blocks(study.spec.site, contents.blocks, racks, near=near)
        hall, position = places.hall[server], places.position[server]
        taken += [set(position[hall == number].tolist()) for number in (0, 1)]
    left, right = {0, 1, 2, 3, 5, 6, 7, 8}, {1, 2, 3, 4, 6, 7, 8, 9}
    assert taken == [left, left, left, right]
