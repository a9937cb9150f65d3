"""Reports with a line for each port, as the tools print them of a real cluster's records that ibsim simulates."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from fabric.discovery import Discovery, read_discovery
from fabric.discovery.discovery import HOST, SWITCH
from fabric.errors import InputError
from tests.discovery.conftest import Read
from tests.export.infiniband.open_sm import needs_opensm, simulate

RECORDS = Path(__file__).parent / "data" / "psmn_X5.topofile"

TOOLS = {
    "ports": ["ibnetdiscover", "-p"],
    "links": ["iblinkinfo"],
    "lines": ["iblinkinfo", "-l"],
    "switches": ["iblinkinfo", "--switches-only"],
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return what each tool prints of the cluster."""
    folder = tmp_path_factory.mktemp("simulated")
    files = {}
    with simulate(RECORDS, folder) as environment:
        for name, words in TOOLS.items():
            files[name] = folder / name
            done = subprocess.run(words, env=environment, capture_output=True, timeout=60, check=True)
            files[name].write_bytes(done.stdout)
    return files


def cables_of(found: Discovery, *, ports: bool) -> Counter[tuple[object, ...]]:
    """Return each cable with its rate; an adapter by its own GUID, where `ports` have that of their adapter plus 1."""
    ends = []
    for columns in ((found.a, found.a_port), (found.b, found.b_port)):
        own = []
        for device, port in zip(columns[0].tolist(), columns[1].tolist(), strict=True):
            number = int(found.hardware_ids[device], 16) - int(ports and found.kind[device] == HOST)
            own.append((number, found.port(port)))
        ends.append(own)
    rates = found.rate_gbps.tolist()
    return Counter((*sorted(pair), rate) for *pair, rate in zip(*ends, rates, strict=True))


@needs_opensm
@pytest.mark.parametrize("name", ["ports", "links", "lines"])
def test_reports_have_the_cables_of_the_records(name: str, printed: dict[str, Path]) -> None:
    """All 159 cables with their rates, both ends, and every device with its kind, ports and description."""
    found, records = read_discovery([printed[name]]), read_discovery([RECORDS])
    assert cables_of(found, ports=True) == cables_of(records, ports=False)
    assert found.both_sides.all()
    assert found.own_record.all()
    for column in ("texts", "names"):
        assert sorted(getattr(found, column)) == sorted(getattr(records, column))
    assert Counter(zip(found.kind.tolist(), found.ports.tolist(), strict=True)) == {(SWITCH, 36): 11, (HOST, 1): 89}
    assert not found.notes
    line = printed[name].read_text().splitlines()[found.cable_line[5] - 1]
    assert re.search(rf"\b{found.port(int(found.a_port[5]))}\b", line)


@needs_opensm
def test_hosts_that_only_switches_name_are_told_by_their_lids(printed: dict[str, Path]) -> None:
    """Most have the same description, a bare model."""
    found = read_discovery([printed["switches"]])
    assert (found.devices, found.cables, Counter(found.ports.tolist())) == (100, 159, {36: 11, -1: 89})
    assert not found.notes


LINK = '           1    1[  ] ==( 4X        106.25 Gbps Active/  LinkUp)==>       2   13[  ] "node1 mlx5_0" ( )\n'
DOWN = '           1    2[  ] ==(                Down/ Polling)==>             [  ] "" ( )\n'
PORT = "CA    17  1 0x0002c9030002faf1 4x NDR - SW     1  1 0x000b8cffff0042c4 ( 'saw034 HCA-1' - 'leaf1' )\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LINK, r":1: a port with no device before it"),
        (f"Switch: 0x1 leaf1:\n{LINK}{LINK[:60]}", r":3: .*breaks off"),
        (f"Switch: 0x1 leaf1:\n{LINK}{LINK[:-20]}\n{DOWN}", r":3: .*is not a line of iblinkinfo"),
        (PORT + PORT[:50], r":2: .*breaks off"),
    ],
)
def test_cut_reports_are_refused_with_their_line(text: str, message: str, read: Read) -> None:
    """The whole output is asked for."""
    with pytest.raises(InputError, match=message):
        read(text)


def test_short_reports_are_read(read: Read) -> None:
    """Each of a cable, with a prompt, its rate by the lanes' nominal one, and ports that are down left out."""
    found = read(f"[root@mgmt ~]# iblinkinfo\nSwitch: 0x1 MF0;leaf1:MQM9700/U1:\n{LINK}{DOWN}")
    assert (found.names, found.cables, found.rate_gbps.tolist()) == (("leaf1", "node1"), 1, [400.0])
    found = read(PORT)
    assert (found.names, found.parts, found.kind.tolist()) == (("saw034", "leaf1"), ("HCA-1", ""), [HOST, SWITCH])
