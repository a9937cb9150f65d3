"""LLDP as lldpd, Cumulus Linux, SONiC and Arista print it, in the shapes that real ones have."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fabric.discovery import Discovery, read_discovery
from fabric.discovery.discovery import HOST, SWITCH
from fabric.errors import InputError
from tests.discovery.conftest import Read

DATA = Path(__file__).parent / "data"

Row = tuple[str, str, str, str]


def rows_of(found: Discovery) -> set[Row]:
    """Return what each device that lists its neighbours says: its name, its port, and the other end."""
    rows = set()
    for cable in range(found.cables):
        one = found.label(int(found.a[cable])), found.port(int(found.a_port[cable]))
        two = found.label(int(found.b[cable])), found.port(int(found.b_port[cable]))
        rows |= {(*one, *two)} | ({(*two, *one)} if found.both_sides[cable] else set())
    return rows


def test_a_real_fabric_is_read_as_its_collector_reads_it(tmp_path: Path) -> None:
    """The 44 neighbours of 14 hosts, half of them in lldpctl's text and half in JSON, are those of SuzieQ's table."""
    file = tmp_path / "lldp.output"
    file.write_bytes(gzip.decompress((DATA / "suzieq_cumulus_lldp.output.gz").read_bytes()))
    table = yaml.safe_load((DATA / "suzieq_cumulus_lldp_expected.yml").read_text())["tests"][0]["output"]
    expected = {(row["hostname"], row["ifname"], row["peerHostname"], row["peerIfname"]) for row in json.loads(table)}
    found = read_discovery([file])
    assert (rows_of(found), len(expected)) == (expected, 44)
    kinds = dict(zip(found.names, found.kind, strict=True))
    assert {kinds[name] for name in ("leaf01", "spine01", "exit01", "internet")} == {SWITCH}


@pytest.mark.parametrize("neighbours", ["one_neighbour", "two_neighbours"])
@pytest.mark.parametrize("shape", ["json", "json0"])
def test_lldpcli_is_read_in_its_shapes(neighbours: str, shape: str) -> None:
    """Both shapes of JSON hold the same, whether a host has one neighbour or several."""
    file = DATA / f"lldpcli_{neighbours}.{shape}"
    expected = {("swp1", "lb", "swp33")} | ({("swp2", "lb", "swp34")} if neighbours == "two_neighbours" else set())
    found = read_discovery([file])
    assert {row[1:] for row in rows_of(found)} == expected
    assert found.hardware_ids[found.names.index("lb")] in ("4afb3fcfda06", "6a44dcb0341f")


def lldpcli(**ports: Any) -> str:
    """Return lldpcli's JSON of ports: for each its neighbour's chassis and port."""
    return json.dumps({"lldp": {"interface": [{port: value} for port, value in ports.items()]}})


def chassis(name: str, far: str, **port: Any) -> dict[str, Any]:
    """Return a neighbour that sends a name and the name of its port."""
    return {
        "chassis": {name: {"id": {"type": "mac", "value": "00:00:00:00:00:01"}}},
        "port": {"id": {"type": "ifname", "value": far}, **port},
    }


def test_files_of_all_switches_are_one_fabric(read: Read) -> None:
    """Hosts are named by the files or by a prompt, names with a domain are the same hosts, and ends are joined."""
    leaf = lldpcli(swp1=chassis("node1", "eth1"), swp33=chassis("spine01.dc.example.com", "swp7"))
    spine = "admin@spine01:~$ lldpcli -f json show neighbors\n" + lldpcli(swp7=chassis("leaf01", "swp33"))
    found = read(**{"leaf01-lldp-neighbors.json": leaf, "whatever": spine})
    assert rows_of(found) == {
        ("leaf01", "swp1", "node1", "eth1"),
        ("leaf01", "swp33", "spine01.dc.example.com", "swp7"),
        ("spine01.dc.example.com", "swp7", "leaf01", "swp33"),
    }
    assert (found.devices, found.cables, found.both_sides.tolist()) == (3, 2, [False, True])


def test_a_chassis_without_a_name_is_known_by_its_address(read: Read) -> None:
    """Its identity stands directly under `chassis`; where another file names the address, it is that device."""
    bare = {
        "chassis": {"id": {"type": "mac", "value": "0C:42:A1:00:00:07"}},
        "port": {"id": {"type": "mac", "value": "x"}},
    }
    found = read(leaf01=lldpcli(swp1=bare))
    assert found.hardware_ids[1] == "0c42a1000007"
    assert found.label(1) == "0C:42:A1:00:00:07"
    named = chassis("node7", "eth2")
    named["chassis"]["node7"]["id"]["value"] = "0c:42:a1:00:00:07"
    both = read(leaf01=lldpcli(swp1=bare), leaf02=lldpcli(swp1=named))
    assert sorted(both.names) == ["leaf01", "leaf02", "node7"]


def test_a_port_with_an_address_is_known_by_its_description(read: Read) -> None:
    """Network cards send an address as the port's identity, and the name in the description only."""
    far = {"id": {"type": "mac", "value": "0c:42:a1:00:00:09"}, "descr": "enp1s0np0"}
    found = read(leaf01=lldpcli(swp1={**chassis("node1", ""), "port": far}))
    assert rows_of(found) == {("leaf01", "swp1", "node1", "enp1s0np0")}


def test_a_vlan_beside_its_port_is_one_neighbour(read: Read) -> None:
    """A port that hears a port and a VLAN on it has one cable; two real neighbours are both kept, and noted."""
    table = {"lldp": {"interface": [{"swp1": chassis("n1", "eth1")}, {"swp1": chassis("n1", "eth1.100")}]}}
    found = read(leaf01=json.dumps(table))
    assert rows_of(found) == {("leaf01", "swp1", "n1", "eth1")}
    assert "a VLAN" in found.notes[0].text
    table["lldp"]["interface"][1] = {"swp1": chassis("n2", "eth1")}
    found = read(leaf01=json.dumps(table))
    assert len(rows_of(found)) == 2
    assert any("several neighbours" in note.text for note in found.notes)


def test_ports_of_two_names_are_one(read: Read) -> None:
    """SONiC sends the alias of a port: the far end's own name counts, found by description or by what leads back."""
    described = read(
        a=lldpcli(Ethernet0=chassis("b", "etp5", descr="Ethernet32")),
        b=lldpcli(Ethernet32=chassis("a", "etp1", descr="Ethernet0"), Ethernet40=chassis("c", "eth0")),
    )
    assert described.cables == 2
    assert ("a", "Ethernet0", "b", "Ethernet32") in rows_of(described)
    led = read(a=lldpcli(Ethernet0=chassis("b", "etp5")), b=lldpcli(Ethernet32=chassis("a", "Ethernet0")))
    assert rows_of(led) == {("a", "Ethernet0", "b", "Ethernet32"), ("b", "Ethernet32", "a", "Ethernet0")}


SONIC = """admin@leaf-7:~$ show lldp table
Capability codes: (R) Router, (B) Bridge, (O) Other
LocalPort    RemoteDevice       RemotePortID         Capability    RemotePortDescr
-----------  -----------------  -------------------  ------------  --------------------
Ethernet112  spine-1            Ethernet8            BR            leaf-7:Ethernet112
Ethernet116  spine-2            hundredGigE 1/2      BR            T0-2:hundredGigE1/30
Ethernet120  node-3             0c:42:a1:00:00:09    S             enp1s0np0
Ethernet124                     0c:42:a1:00:00:0a
eth0         oob-1              GigabitEthernet 0/2  OBR
--------------------------------------------------
Total entries displayed:  5
"""


def test_sonic_tables_are_read_by_their_columns(read: Read) -> None:
    """Values may have blanks, a port may hear an address only, and the management port is left out."""
    found = read(SONIC)
    assert rows_of(found) == {
        ("leaf-7", "Ethernet112", "spine-1", "Ethernet8"),
        ("leaf-7", "Ethernet116", "spine-2", "hundredGigE 1/2"),
        ("leaf-7", "Ethernet120", "node-3", "enp1s0np0"),
        ("leaf-7", "Ethernet124", "a device without a name", "0c:42:a1:00:00:0a"),
    }
    assert "1 management port of switches left out" in found.notes[0].text
    assert found.place(0).endswith(":5")


NVUE = """cumulus@leaf01:mgmt:~$ nv show interface lldp
Interface  Speed  Type  Remote Host      Remote Port
---------  -----  ----  ---------------  -----------------
eth0       1G     eth   oob-mgmt-switch  swp10
swp1       400G   swp   server01         48:b0:2d:76:ee:8e
swp51      800G   swp   spine01          swp1
"""


def test_tables_of_cumulus_linux_have_rates(read: Read) -> None:
    """The speed of each interface is the rate of its cable."""
    found = read(NVUE)
    rates = {found.port(int(port)): rate for port, rate in zip(found.a_port, found.rate_gbps, strict=True)}
    assert rates == {"swp1": 400.0, "swp51": 800.0}
    assert found.names[found.a[0]] == "leaf01"


def test_json_of_cumulus_linux_is_read(read: Read) -> None:
    """NVUE has the neighbours of an interface by name, and the speed of its link."""
    far = {"chassis": {"system-name": "spine01", "chassis-id": "44:38:39:00:00:01"}, "port": {"name": "swp1"}}
    text = json.dumps(
        {
            "eth0": {"lldp": {"neighbor": {"oob": {"chassis": {"system-name": "oob"}, "port": {"name": "swp3"}}}}},
            "lo": {"type": "loopback"},
            "swp51": {"link": {"speed": "400G"}, "lldp": {"neighbor": {"spine01": far}}},
        }
    )
    found = read(leaf01=text)
    assert rows_of(found) == {("leaf01", "swp51", "spine01", "swp1")}
    assert (found.rate_gbps.tolist(), found.hardware_ids[1]) == ([400.0], "443839000001")


def test_json_of_arista_is_read_in_both_forms(read: Read) -> None:
    """`detail` has the chassis of each neighbour; the short form only its name and port."""
    info = {
        "chassisIdType": "macAddress",
        "chassisId": "001c.73a0.fc18",
        "systemName": "DC1-SPINE1",
        "neighborInterfaceInfo": {"interfaceId": '"Ethernet1/1"', "interfaceDescription": "to a leaf"},
    }
    detail = {"lldpNeighbors": {"Ethernet3/1": {"lldpNeighborInfo": [info]}, "Ethernet4/1": {"lldpNeighborInfo": []}}}
    found = read(leaf9=json.dumps(detail))
    assert rows_of(found) == {("leaf9", "Ethernet3/1", "DC1-SPINE1", "Ethernet1/1")}
    assert found.hardware_ids[1] == "001c73a0fc18"
    short = {"lldpNeighbors": [{"port": "Ethernet3/1", "neighborDevice": "DC1-SPINE1", "neighborPort": "Ethernet1/1"}]}
    assert rows_of(read(leaf9=json.dumps(short))) == rows_of(found)


def test_a_host_is_told_from_a_switch(read: Read) -> None:
    """By its operating system or its ports; a server that routes is a host all the same."""
    server = chassis("node1", "eth1")
    server["chassis"]["node1"] |= {
        "descr": "Ubuntu 22.04.4 LTS Linux 5.15",
        "capability": [{"type": "Router", "enabled": True}],
    }
    found = read(leaf01=lldpcli(swp1=server, swp2=chassis("spine", "swp9")))
    assert dict(zip(found.names, found.kind, strict=True)) == {"leaf01": SWITCH, "node1": HOST, "spine": SWITCH}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lldpcli(swp1=chassis("a", "b"))[:-5], r":1: breaks off here"),
        ('{"lldp": {"interface": [{"swp1": 7}]}}', "swp1: 7 is not a neighbour"),
        ('{"lldp": {"interface": [7]}}', "interface 7: not an object"),
        ('{"lldp": ' + "[" * 100_000, "nested too deeply"),
        ('{"lldp": {"interface": ' + "9" * 5000 + "}}", "too large"),
        ('{"lldp": {"interface": NaN}}', "not a number"),
        ('{"lldpNeighbors": 5}', "lldpNeighbors 5: neither"),
        ("Interface:    swp1, via: LLDP\n  Chassis:\n    ChassisID:    mac 1\n", r":1: interface swp1 breaks off"),
        (SONIC[: SONIC.index("spine-2") - 3], r":6: the row breaks off"),
        ('{"lldp": {}}', "no cable is named"),
    ],
)
def test_cut_and_hostile_files_are_refused(text: str, message: str, read: Read) -> None:
    """Each gives one message, with the line where the format has lines."""
    with pytest.raises(InputError, match=message):
        read(text)


@pytest.mark.parametrize("empty", ['{"lldp": [{}]}', '{"lldp": {}}'])
def test_a_file_without_neighbours_says_that_all_cables_are_down(empty: str, tmp_path: Path) -> None:
    """The device reports, though it hears no one."""
    heard = {"swp1": {"chassis": {"leaf1": {}}, "port": {"id": {"type": "ifname", "value": "swp9"}}}}
    (tmp_path / "leaf1.json").write_text(empty)
    (tmp_path / "leaf2.json").write_text(json.dumps({"lldp": {"interface": [heard]}}))
    found = read_discovery([tmp_path / "leaf1.json", tmp_path / "leaf2.json"])
    assert (found.cables, found.devices) == (1, 2)
    assert found.own_record.all()


def test_one_file_under_two_names_is_read_once(read: Read) -> None:
    """Two switches cannot hear the same neighbours at the same ports; two without any are two."""
    text = (DATA / "lldpcli_two_neighbours.json").read_text()
    found, once = read(leaf1=text, copy=text), read(leaf1=text)
    assert (found.cables, found.devices) == (once.cables, once.devices)
    assert [note.text.rsplit("/", 1)[1] for note in found.notes] == ["leaf1.txt; read once"]
    assert read(leaf1=text, leaf2='{"lldp": {}}', leaf3='{"lldp": {}}').devices == once.devices + 2
