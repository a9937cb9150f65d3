"""Sites that chose the ports themselves: cables are compared by the devices that they join."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest

import fabric
from fabric.discovery import read_discovery
from fabric.errors import InputError
from fabric.export.plan import Plan
from fabric.verification.any_port import place_cables
from fabric.verification.faults import FaultKind
from fabric.verification.planned_ports import list_planned_ports
from fabric.verification.verify import Verification, verify_cabling
from tests.verification.as_built import AsBuilt
from tests.verification.test_devices import exchange


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Return a plan of two units."""
    return fabric.design("superpod-h100-2su").plan


def mix_ports(built: AsBuilt, random: Random) -> None:
    """Put the cables of every switch into other ports of it."""
    new = {
        own: dict(zip(record.ports, random.sample(range(1, 65), len(record.ports)), strict=True))
        for own, record in built.records.items()
        if own[0] == "S"
    }
    for own, record in built.records.items():
        record.ports = {
            new.get(own, {}).get(port, port): (peer, new.get(peer, {}).get(far, far), rate)
            for port, (peer, far, rate) in record.ports.items()
        }


def check(plan: Plan, built: AsBuilt, file: Path) -> Verification:
    """Verify the text of a fabric by its devices."""
    file.write_text(built.text())
    return verify_cabling(plan, read_discovery([file]), any_port=True)


@pytest.mark.parametrize("seed", range(3))
def test_exchanged_and_lost_cables_are_found_at_any_ports(seed: int, plan: Plan, tmp_path: Path) -> None:
    """As many moves as were made, between the devices where they were made, with spines that nobody named."""
    built, random = AsBuilt.of(plan), Random(seed)
    mix_ports(built, random)
    for record in built.records.values():
        if record.name.startswith("spine"):
            record.name = "Quantum Mellanox Technologies"
    found = check(plan, built, tmp_path / "clean")
    assert (found.is_as_planned, found.as_planned) == (True, found.links)
    with pytest.raises(InputError, match="--any-port"):
        verify_cabling(plan, found.discovery)
    cables = [cable for cable in built.cables() if cable[0][0][0] == "H"]
    random.shuffle(cables)
    switches = {}
    while len(switches) < 5:  # pairs of hosts at different leaves
        one, two = cables.pop(), cables.pop()
        if one[1][0] != two[1][0]:
            switches[one[0], two[0]] = frozenset((one[1][0], two[1][0]))
    for one, two in switches:
        exchange(built, one, two)
    lost = cables.pop()
    built.unplug(lost[0])
    found = check(plan, built, tmp_path / "file")
    assert found.moves == 10
    assert Counter(fault.kind for fault in found.faults if not fault.moves) == {FaultKind.MISSING: 1}
    names = {own: record.name.split()[0] for own, record in built.records.items()}
    moved = {device for fault in found.faults for move in fault.moves for device in (move.from_device, move.to_device)}
    assert moved <= {names[own] for leaves in switches.values() for own in leaves} | {
        names[end[0]] for pair in switches for end in pair
    }
    ports = {move.to_port for fault in found.faults for move in fault.moves}
    assert "any free port" not in ports


@pytest.mark.parametrize("seed", range(20))
def test_slots_are_each_given_once_and_to_cables_between_their_devices(seed: int, plan: Plan) -> None:
    """Whatever cables there are, no two ends have one slot, and as many cables as can be are as planned."""
    planned, random = list_planned_ports(plan), np.random.default_rng(seed)
    at = planned.node[random.permutation(planned.links)[:300]].copy()
    wrong = random.random(300) < 0.3
    at[wrong, 1] = random.permutation(at[wrong, 1])
    at = np.where(random.random(at.shape) < 0.05, -1, at)
    at = np.where((random.random(300) < 0.5)[:, None], at[:, ::-1], at)
    slot = place_cables(planned, at)
    ends = planned.find_ends(at, slot)
    taken = ends[ends >= 0]
    assert len(np.unique(taken)) == len(taken)
    whole = int(((ends[:, 0] >= 0) & (ends[:, 0] ^ 1 == ends[:, 1])).sum())
    there = Counter(map(tuple, np.sort(planned.node, axis=1).tolist()))
    here = Counter(map(tuple, np.sort(at[(at >= 0).all(axis=1)], axis=1).tolist()))
    assert whole == sum((there & here).values())
