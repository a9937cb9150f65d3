"""What a discovered fabric is follows from its cables alone, and the design that is recovered has the same counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

import fabric
from fabric.discovery import read_discovery
from fabric.discovery.structure import Structure, find_structure
from fabric.discovery.uneven import list_uneven
from fabric.request import topologies
from fabric.studies.discovered_design import recover_design
from tests.discovery.as_planned import discover_plan
from tests.discovery.conftest import Read
from tests.discovery.ib_text import guid, two_tiers
from tests.marks import slow
from tests.verification.as_built import AsBuilt
from tests.verification.test_devices import exchange

QUICK = [name for name in sorted(topologies()) if fabric.read(name).gpus <= 5_000]
LARGE = [name for name in sorted(topologies()) if 5_000 < fabric.read(name).gpus <= 140_000]


def family_of(study: fabric.Study) -> str:
    """Return the name of a design's family."""
    return study.blueprint.topology.family


@pytest.mark.parametrize("name", [*QUICK, *slow(*LARGE)])
def test_the_design_of_a_clean_fabric_is_recovered(name: str) -> None:
    """Of every shipped design, without a name of a switch: family, sizes, planes, and the same switches and links."""
    study = fabric.design(name)
    found = recover_design(discover_plan(study.plan))
    assert found.study is not None, found.refusal
    sizes, blueprint, structure = study.blueprint.sizes, study.blueprint, found.structure
    assert found.agrees
    assert family_of(found.study) == family_of(study)
    assert (structure.hosts, structure.planes) == (blueprint.servers, sizes["plane"])
    assert (structure.rails, structure.units) == (sizes.get("rail", sizes.get("stripe")), sizes["blocks"])
    assert (structure.pods, structure.groups) == (sizes.get("pods", 1), sizes.get("group", 1))
    assert (structure.spines, structure.cores) == (sizes["spine"], sizes.get("core", 0))
    assert {each.name: each.found for each in found.counts} == {
        **{group.role: blueprint.devices(group.role) for group in blueprint.topology.switch_groups},
        **{bundle.name: blueprint.links(bundle) for bundle in blueprint.topology.bundles},
    }
    assert not list(list_uneven(found.discovery, structure))


def numbers(structure: Structure) -> dict[str, object]:
    """Return the numbers of a structure that most devices show."""
    own = ("hosts", "adapters", "planes", "rails", "rails_meet", "units", "pods", "groups", "spines", "cores")
    return {key: getattr(structure, key) for key in own}


@pytest.mark.parametrize(
    "name", ["superpod-h100-4su", "superpod-b300-1su", "atop-rail-only-4096", "superpod-h100-16su"]
)
def test_exchanged_cables_do_not_change_what_a_fabric_is(name: str) -> None:
    """Cables in each other's ports, across units, rails, planes and tiers, are deviations of one structure."""
    plan = fabric.design(name).plan
    clean, wrong = find_structure(discover_plan(plan)), discover_plan(plan, exchanged=plan.network.links // 200)
    assert numbers(find_structure(wrong)) == numbers(clean)
    assert list(list_uneven(wrong, find_structure(wrong)))


def test_without_names_every_adapter_is_a_host(read: Read) -> None:
    """Leaves and spines are distinguished by what is at their ports; a bare model is no host's name."""
    text = two_tiers(4, 6, 3)
    for number in range(24):
        text = text.replace(f"node{number:05} mlx5_0", "MT4129 ConnectX7   Mellanox Technologies")
    found = recover_design(read(text))
    assert found.agrees
    assert found.request is not None
    assert (found.request["family"], found.structure.hosts, found.structure.units) == ("fat-tree", 24, 4)


def test_what_is_uneven_is_named_with_its_line(read: Read) -> None:
    """A slow cable, a lost uplink, a host on a spine and a cable between leaves, each with its place."""
    lines = two_tiers(6, 8, 4).replace("4xNDR", "4xHDR").splitlines()
    leaf = guid(2, 0)
    start = next(row for row, line in enumerate(lines) if f'"S-{leaf}"' in line and line.startswith("Switch"))
    lines[start + 2] = lines[start + 2].replace("4xHDR", "4xQDR")
    del lines[start + 9]
    text = "\n".join(lines) + "\n"
    spine = f'[1]({guid(3, 0)[1:]}) "S-{guid(3, 0)}"[40] # lid 1 lmc 0 "spine000" lid 2 4xHDR\n'
    text = text.replace(f'[1]\t"S-{leaf}"[9]', f'[40]\t"H-{guid(9, 1)}"[1](1) # "ufm01 mlx5_0" lid 1 4xHDR\n#')
    text += f'Ca 1 "H-{guid(9, 1)}" # "ufm01 mlx5_0"\n{spine}'
    text += (
        f'Switch 16 "S-{guid(2, 1)}" # "leaf001" base port 0 lid 1 lmc 0\n[15] "S-{guid(2, 2)}"[15] # "x" lid 1 4xHDR\n'
    )
    found = read(text)
    notes = {note.text.split(", such as")[0]: note.place for note in list_uneven(found, find_structure(found))}
    assert set(notes) == {
        "1 cable leads from a host to a switch above the leaves",
        "1 cable joins switches of one tier",
        "1 cable runs below the 200 Gb/s of most",
        "1 switch of tier 1 has other than the 4 links up of most",
    }
    assert notes["1 cable runs below the 200 Gb/s of most"].endswith(f":{start + 3}")


def of_edges(edges: list[tuple[int, int]]) -> str:
    """Return the records of switches that are joined so, each with two hosts."""
    rows: dict[int, list[str]] = {}
    ports = {edge: (3 + row, 3 + row) for row, edge in enumerate(edges)}
    for (one, two), (port, other) in ports.items():
        rows.setdefault(one, []).append(f'[{port}] "S-{guid(2, two)}"[{other}] # "s{two}" lid 1 4xHDR')
        rows.setdefault(two, []).append(f'[{other}] "S-{guid(2, one)}"[{port}] # "s{one}" lid 1 4xHDR')
    for number, own in rows.items():
        hosts = [(port, 8 * number + port) for port in (1, 2)]
        own += [f'[{port}] "H-{guid(1, host)}"[1](1) # "n{host} HCA-1" lid 1 4xHDR' for port, host in hosts]
    heads = {number: f'Switch 36 "S-{guid(2, number)}" # "s{number}" base port 0 lid 1 lmc 0' for number in rows}
    return "\n\n".join("\n".join([heads[number], *own]) for number, own in rows.items()) + "\n"


def test_a_direct_network_is_not_taken_for_a_clos(read: Read) -> None:
    """A ring of switches with hosts is a torus; of a ring with two chords no design is recovered, and it says why."""
    found = recover_design(read(of_edges([(number, (number + 1) % 8) for number in range(8)])))
    assert found.structure.same_tier == 8
    assert found.request is not None
    assert (found.request["family"], found.request["pinned"]) == ("torus", {"slot": 2, "x": 8, "leaf-x": 1})
    found = recover_design(read(of_edges([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0), (0, 3), (1, 4)])))
    assert found.request is None
    assert "no direct network that is known" in found.refusal


def test_hosts_are_one_node_with_all_their_adapters() -> None:
    """A host of eight adapters, named alike, is one host of eight links."""
    structure = find_structure(discover_plan(fabric.design("superpod-h100-1su").plan))
    assert (structure.hosts, structure.adapters, structure.unit_hosts) == (32, 8, (32, 32))
    assert np.count_nonzero(structure.graph.is_switch) == 12


def test_a_manager_at_a_leaf_is_no_server() -> None:
    """A host of one link among servers of eight is a deviation, and the design is that of the servers."""
    plan = fabric.design("superpod-h100-2su").plan
    found = discover_plan(plan)
    lost = np.flatnonzero(np.array(found.names)[found.a] == "h7")[1:]
    kept = np.setdiff1d(np.arange(found.cables), lost)
    columns = ("a", "b", "a_port", "b_port", "width", "rate_gbps", "both_sides", "cable_file", "cable_line")
    fewer = replace(found, **{name: getattr(found, name)[kept].copy() for name in columns})
    structure = find_structure(fewer)
    assert (structure.hosts, structure.adapters, structure.unit_hosts) == (63, 8, (31, 32))
    assert "1 host has fewer links than the 8 of most" in next(note.text for note in list_uneven(fewer, structure))


@pytest.mark.parametrize("seed", range(4))
def test_wrong_cables_show_without_a_plan(seed: int, tmp_path: Path) -> None:
    """Of cables exchanged between units and rails, slow or lost, the counts of what deviates are those made."""
    plan = fabric.design("superpod-h100-2su").plan
    built = AsBuilt.of(plan)
    random = Random(seed)
    hosts = {f"server-b{unit}-s{slot}": [] for unit in (0, 1) for slot in range(32)}
    for own, record in built.records.items():
        if own[0] == "H":
            hosts[record.name.split()[0]].append(own)
    one, two, three = random.sample([name for name in hosts if name.startswith("server-b0")], 3)
    other = random.choice([name for name in hosts if name.startswith("server-b1")])
    exchange(built, (hosts[one][0], 1), (hosts[one][1], 1))  # two rails of a host
    exchange(built, (hosts[two][2], 1), (hosts[three][3], 1))  # two rails of two hosts
    exchange(built, (hosts[two][4], 1), (hosts[other][4], 1))  # two units
    spines = [own for own, record in built.records.items() if record.name.startswith("spine")]
    ups = [(own, min(built.records[own].ports)) for own in random.sample(spines, 3)]
    leaf = built.at(ups[0])[0]
    second = next(
        (own, port) for own in spines for port in built.records[own].ports if built.at((own, port))[0] != leaf
    )
    exchange(built, ups[0], second)
    built.unplug((hosts[three][7], 1))
    built.plug((hosts[one][6], 1), built.at((hosts[one][6], 1)), "4xHDR")
    file = tmp_path / "file"
    file.write_text(built.text())
    found = read_discovery([file])
    notes = [note.text.split(", such as")[0] for note in list_uneven(found, find_structure(found))]
    assert notes[:4] == [
        "1 host has fewer links than the 8 of most",
        "2 cables lead from a host to a leaf of another unit than its others",
        "2 hosts have more links to one leaf than the 1 of most",
        "4 cables lead to another leaf than that adapter of most hosts of the unit",
    ]
    assert "1 cable runs below the 400 Gb/s of most" in notes
    assert second[0] == ups[0][0] or any("of switches of tiers 1 and 2 have other than the 4 links" in n for n in notes)
