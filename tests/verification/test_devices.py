"""Devices that are renamed, unknown or absent, ports by other names, and faults of one kind each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fabric
from fabric.discovery import read_discovery
from fabric.errors import InputError
from fabric.export.plan import Plan
from fabric.verification.faults import Fault, FaultKind
from fabric.verification.verify import Verification, verify_cabling
from tests.verification.as_built import AsBuilt, End


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Return a plan of two units with rails."""
    return fabric.design("superpod-h100-2su").plan


def verify(plan: Plan, built: AsBuilt, file: Path) -> Verification:
    """Read the text of a fabric and verify it."""
    file.write_text(built.text())
    return verify_cabling(plan, read_discovery([file]))


def only(found: Verification, kind: FaultKind) -> Fault:
    """Return the one fault there is, which is of a kind."""
    assert [fault.kind for fault in found.faults] == [kind]
    return found.faults[0]


def switch(built: AsBuilt, name: str) -> str:
    """Return the GUID of a switch."""
    return next(own for own, record in built.records.items() if record.name == name)


def adapters(built: AsBuilt, host: str) -> list[str]:
    """Return the GUIDs of a host's adapters."""
    return [own for own, record in built.records.items() if record.name.startswith(f"{host} ")]


def exchange(built: AsBuilt, one: End, other: End) -> None:
    """Exchange the cables at two ports."""
    rates = built.rate(one), built.rate(other)
    far = built.unplug(one), built.unplug(other)
    built.plug(one, far[1], rates[1])
    built.plug(other, far[0], rates[0])


def test_hosts_with_each_others_names_are_renamed_not_recabled(plan: Plan, tmp_path: Path) -> None:
    """All cables of both prove it: no cable end moves."""
    built = AsBuilt.of(plan)
    names = {"server-b0-s3": "server-b1-s9", "server-b1-s9": "server-b0-s3"}
    for record in built.records.values():
        host, _, nic = record.name.partition(" ")
        record.name = f"{names.get(host, host)} {nic}".strip()
    found = verify(plan, built, tmp_path / "file")
    assert {fault.kind for fault in found.faults} == {FaultKind.NAME}
    assert {fault.devices for fault in found.faults} == {tuple(names), tuple(reversed(tuple(names)))}
    assert (found.moves, found.as_planned) == (0, found.links)


def test_switches_with_each_others_names_too(plan: Plan, tmp_path: Path) -> None:
    """A leaf and a spine: also what stands at a wrong tier."""
    built = AsBuilt.of(plan)
    one, other = switch(built, "leaf-b0-r2"), switch(built, "spine-s1")
    built.records[one].name, built.records[other].name = "spine-s1", "leaf-b0-r2"
    found = verify(plan, built, tmp_path / "file")
    assert {fault.kind for fault in found.faults} == {FaultKind.NAME}
    assert found.moves == 0


@pytest.mark.parametrize("names", [("leaf-b0-s0", "leaf-b1-s0"), ("leaf-b0-s0", "leaf-b1-s0", "leaf-b3-s0")])
def test_leaves_with_each_others_names_leave_the_names_of_their_hosts(names: tuple[str, ...], tmp_path: Path) -> None:
    """All cables of every host below are at such a leaf, and prove the host no more than the leaf misnamed."""
    plan = fabric.design(
        gpus=256, server="hgx-h100", family="fat-tree", switches="sn5600", link_gbps=400, tiers=2
    ).plan  # fmt: skip
    built = AsBuilt.of(plan)
    records = [built.records[switch(built, name)] for name in names]
    for record, name in zip(records, (*names[1:], names[0]), strict=True):
        record.name = name
    found = verify(plan, built, tmp_path / "file")
    assert {fault.devices for fault in found.faults} == set(zip((*names[1:], names[0]), names, strict=True))
    assert {fault.kind for fault in found.faults} == {FaultKind.NAME}
    assert (found.moves, found.as_planned) == (0, found.links)


def test_of_switches_with_one_name_those_elsewhere_are_misnamed(plan: Plan, tmp_path: Path) -> None:
    """The one that has its own name is right, and the others need no exchange."""
    built = AsBuilt.of(plan)
    for name in ("leaf-b1-r3", "spine-s1"):
        built.records[switch(built, name)].name = "leaf-b0-r2"
    found = verify(plan, built, tmp_path / "file")
    assert {fault.devices for fault in found.faults} == {("leaf-b0-r2", "leaf-b1-r3"), ("leaf-b0-r2", "spine-s1")}
    assert all(fault.kind == FaultKind.NAME and fault.text.endswith("give it that name") for fault in found.faults)
    assert (found.moves, found.as_planned) == (0, found.links)


def test_hosts_of_one_name_are_known_by_their_cables(plan: Plan, tmp_path: Path) -> None:
    """Hosts that start from one disk image have one name, down to their adapters."""
    built = AsBuilt.of(plan)
    for record in built.records.values():
        record.name = re.sub("^(server-b0-s4|server-b1-s7) ", "server-b0-s3 ", record.name)
    found = verify(plan, built, tmp_path / "file")
    assert only(found, FaultKind.NAME).devices == ("server-b0-s3", "server-b0-s4", "server-b1-s7")
    assert (found.moves, found.as_planned) == (0, found.links)


def test_an_adapter_that_has_the_number_of_another_of_its_host_is_no_fault(plan: Plan, tmp_path: Path) -> None:
    """Its switch port says which it is."""
    built = AsBuilt.of(plan)
    names = sorted(built.records[own].name for own in adapters(built, "server-b0-s3"))
    next(record for record in built.records.values() if record.name == names[0]).name = names[1]
    found = verify(plan, built, tmp_path / "file")
    assert found.is_as_planned
    assert found.cabling.seen.unnamed.sum() == 2


def test_a_foreign_list_of_cables_is_refused(plan: Plan, tmp_path: Path) -> None:
    """Nothing says which of its devices are switches."""
    file = tmp_path / "file.csv"
    file.write_text("A-Node,A-Port,Z-Node,Z-Port\na,eth,b,eth\n")
    with pytest.raises(InputError, match=r"file.csv: not the fabric of .*: no device there is in the plan.*files' 'a'"):
        verify_cabling(plan, read_discovery([file]))


def test_a_name_that_the_plan_lacks_is_said_with_its_place(plan: Plan, tmp_path: Path) -> None:
    """The cables say whose place it has."""
    built = AsBuilt.of(plan)
    for own in adapters(built, "server-b1-s4"):
        built.records[own].name = built.records[own].name.replace("server-b1-s4", "localhost7")
    fault = only(verify(plan, built, tmp_path / "file"), FaultKind.NAME)
    assert fault.devices == ("localhost7", "server-b1-s4")


def test_a_long_name_is_shortened(plan: Plan, tmp_path: Path) -> None:
    """A name of 100,000 letters filled the terminal."""
    built = AsBuilt.of(plan)
    built.records[switch(built, "leaf-b0-r2")].name = "x" * 100_000
    assert len(only(verify(plan, built, tmp_path / "file"), FaultKind.NAME).text) < 200


def test_an_absent_switch_is_one_fault(plan: Plan, tmp_path: Path) -> None:
    """Its cables are not listed one by one."""
    built = AsBuilt.of(plan)
    built.remove(switch(built, "spine-s5"))
    fault = only(verify(plan, built, tmp_path / "file"), FaultKind.ABSENT)
    assert fault.devices == ("spine-s5",)
    assert len(fault.links) == 64


def test_an_unknown_device_at_a_free_port_is_one_fault(plan: Plan, tmp_path: Path) -> None:
    """What was planned is there all the same."""
    built = AsBuilt.of(plan)
    own = "H-00000000deadbeef"
    built.records[own] = type(next(iter(built.records.values())))(
        "monitor mlx5_0", ["vendid=0x2c9", "caguid=0xdeadbeef"]
    )
    leaf = switch(built, "leaf-b0-r0")
    built.plug((own, 1), (leaf, 70), "4xHDR")
    found = verify(plan, built, tmp_path / "file")
    fault = only(found, FaultKind.UNKNOWN)
    assert fault.devices == ("monitor",)
    assert found.as_planned == found.links


def test_exchanged_rails_of_a_host_are_named_so(plan: Plan, tmp_path: Path) -> None:
    """Two moves fix them."""
    built = AsBuilt.of(plan)
    one, other = adapters(built, "server-b0-s7")[2:4]
    exchange(built, (one, 1), (other, 1))
    fault = only(verify(plan, built, tmp_path / "file"), FaultKind.RAILS)
    assert len(fault.moves) == 2
    assert {move.from_device for move in fault.moves} <= {"server-b0-s7", "leaf-b0-r2", "leaf-b0-r3"}


@pytest.mark.parametrize(
    ("cable", "to", "kind"),
    [
        (("leaf-b0-r0", 5), ("leaf-b0-r0", 70), FaultKind.PORT),
        (("leaf-b0-r0", 5), ("leaf-b0-r3", 70), FaultKind.RAIL),
        (("leaf-b0-r0", 5), ("leaf-b1-r0", 70), FaultKind.UNIT),
        (("leaf-b0-r0", 40), ("spine-s7", 70), FaultKind.DEVICE),
    ],
)
def test_one_end_in_a_free_port_is_one_move(
    plan: Plan, tmp_path: Path, cable: tuple[str, int], to: tuple[str, int], kind: FaultKind
) -> None:
    """The kind says how far from its place it is."""
    built = AsBuilt.of(plan)
    here = (switch(built, cable[0]), cable[1])
    rate = built.rate(here)
    far = built.unplug(here)
    built.plug(far, (switch(built, to[0]), to[1]), rate)
    fault = only(verify(plan, built, tmp_path / "file"), kind)
    (move,) = fault.moves
    assert (move.from_device, move.from_port) == (to[0], str(to[1]))
    assert (move.to_device, move.to_port) == (cable[0], str(cable[1]))
    assert (move.to_rack, move.to_unit) != ("", None)


def test_crossed_lanes_of_a_twin_port_cable_are_harmless(plan: Plan, tmp_path: Path) -> None:
    """Ports 2c-1 and 2c of both ends are exchanged: nothing moves, and the fabric is as planned."""
    built = AsBuilt.of(plan)
    leaf = switch(built, "leaf-b1-r5")
    exchange(built, (leaf, 37), (leaf, 38))
    found = verify(plan, built, tmp_path / "file")
    only(found, FaultKind.CROSSED)
    assert (found.is_as_planned, found.moves, found.as_planned) == (True, 0, found.links)


def test_hosts_that_number_their_adapters_otherwise_are_as_planned(plan: Plan, tmp_path: Path) -> None:
    """`HCA-n` means the rail at which most cables of that name are; one host that deviates is seen."""
    built = AsBuilt.of(plan)
    numbers = [1, 2, 5, 6, 7, 8, 11, 12]
    for record in built.records.values():
        record.name = re.sub(r"mlx5_(\d)$", lambda nic: f"HCA-{numbers[int(nic[1])]}", record.name)
    found = verify(plan, built, tmp_path / "file")
    assert found.is_as_planned
    assert found.cabling.labels.learned["HCA-5"] == "mlx5_2"
    one, other = adapters(built, "server-b1-s30")[:2]
    exchange(built, (one, 1), (other, 1))
    only(verify(plan, built, tmp_path / "other"), FaultKind.RAILS)


def test_a_cable_of_lower_rate_or_fewer_lanes_is_named(plan: Plan, tmp_path: Path) -> None:
    """And a bundle that runs at another rate altogether is one fault."""
    built = AsBuilt.of(plan)
    cable = built.cables()[3]
    built.plug(*cable, "4xHDR")
    assert "200 Gb/s" in only(verify(plan, built, tmp_path / "file"), FaultKind.SLOW).text
    built.plug(*cable, "1xNDR")
    assert "1 of 4 lanes" in only(verify(plan, built, tmp_path / "file"), FaultKind.NARROW).text
    built = AsBuilt.of(plan)
    for cable in built.cables():
        if cable[0][0][0] == "H":
            built.plug(*cable, "4xHDR")
    assert "all 512 cables" in only(verify(plan, built, tmp_path / "file"), FaultKind.SLOW).text
