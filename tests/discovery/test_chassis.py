"""Directors: chips of one chassis are one switch, whose ports on the panel are those of its leaf modules."""

from __future__ import annotations

import re
from pathlib import Path

import fabric
from fabric.discovery import read_discovery
from fabric.discovery.chassis import find_chassis
from fabric.discovery.structure import find_structure
from fabric.verification.verify import verify_cabling
from tests.discovery.conftest import Read
from tests.discovery.ib_text import guid

MODULES, SPINES, CHIP = 4, 2, 8
"""The leaf and the spine modules of the director, and the ports of a chip: half of a leaf module's lead out."""


def director(named: bool = True) -> str:
    """Return the records of a director with a host at each port of its panel."""
    system = guid(8, 1)

    def head(kind: str, module: int, own: str) -> list[str]:
        name = f"MF0;core:CS7500/{kind}{module:02}/U1" if named else "SwitchIB Mellanox Technologies"
        return [
            f"sysimgguid=0x{system}", f"switchguid=0x{own}({own})",
            f'Switch {CHIP} "S-{own}" # "{name}" enhanced port 0 lid 1 lmc 0',
        ]  # fmt: skip

    records = []
    for module in range(1, MODULES + 1):
        own, lines = guid(2, module), []
        for port in range(1, CHIP // 2 + 1):
            number = (module - 1) * (CHIP // 2) + port - 1
            lines.append(f'[{port}] "H-{guid(1, number)}"[1](1) # "server-s{number} nic0" lid 1 4xEDR')
            records.append([
                f'Ca 1 "H-{guid(1, number)}" # "server-s{number} nic0"',
                f'[1]({guid(1, number)}) "S-{own}"[{port}] # lid 1 lmc 0 "core" lid 1 4xEDR',
            ])  # fmt: skip
        for port in range(CHIP // 2 + 1, CHIP + 1):
            spine, far = divmod(port - CHIP // 2 - 1, CHIP // 2 // SPINES)
            lines.append(f'[{port}] "S-{guid(3, spine)}"[{2 * module - 1 + far}] # "chip" lid 1 4xEDR')
        records.append(head("L", module, own) + lines)
    for spine in range(SPINES):
        rows = [
            f'[{2 * module - 1 + far}] "S-{guid(2, module)}"[{CHIP // 2 + 1 + 2 * spine + far}] # "chip" lid 1 4xEDR'
            for module in range(1, MODULES + 1)
            for far in range(2)
        ]
        records.append(head("S", spine + 1, guid(3, spine)) + rows)
    return "\n\n".join("\n".join(lines) for lines in records) + "\n"


def test_a_director_is_one_switch(read: Read) -> None:
    """Named or not, and two switches of one system that no cable joins are two."""
    for text in (director(), director(named=False)):
        structure = find_structure(read(text))
        (tier,) = structure.tiers
        assert (tier.switches, tier.ports, tier.links, structure.hosts) == (1, 16, 16, 16)
    apart = read(re.sub(r'(?m)^\[[5-8]\] "S-.*\n?', "", director(named=False).replace('[1] "S-', '[9] "S-')))
    assert (find_chassis(apart) == -1).all()


def test_a_director_is_verified_by_the_ports_of_its_panel(tmp_path: Path) -> None:
    """Port p of leaf module m is the panel's port 4 (m - 1) + p; hosts in each other's ports are a swapped pair."""
    server = {"name": "one", "gpus": 1, "nics": 1, "nic_gbps": 100}
    switch = {"name": "director", "ports": 16, "rate_gbps": 100, "inner_hops": 3}
    words = {"family": "fat-tree", "switches": switch, "tiers": 1, "site": {"names": {"leaf": "core"}}}
    plan = fabric.design(name="one", gpus=16, server=server, **words).plan
    file = tmp_path / "file"
    file.write_text(director())
    found = verify_cabling(plan, read_discovery([file]))
    assert found.is_as_planned
    assert found.as_planned == found.links == 16
    swapped = director()
    one, two = guid(1, 1), guid(1, 14)
    swapped = swapped.replace(one, "X").replace(two, one).replace("X", two)
    file.write_text(swapped.replace("-s1 ", "-sX ").replace("-s14 ", "-s1 ").replace("-sX ", "-s14 "))
    found = verify_cabling(plan, read_discovery([file]))
    assert (len(found.faults), found.moves) == (1, 2)
    assert {move.from_port for move in found.faults[0].moves} == {"2", "15"}
