"""ibnetdiscover's text, with all that real files hold beside what its manual page says."""

from __future__ import annotations

import pickle
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fabric.discovery import Discovery, read_discovery
from fabric.discovery.discovery import AGGREGATION, HOST, SWITCH, UNKNOWN
from fabric.discovery.node_descriptions import describe
from fabric.errors import InputError
from tests.discovery.conftest import Read
from tests.discovery.ib_text import guid, two_tiers

DATA = Path(__file__).parent / "data"

CLEAN = two_tiers(4, 3, 2)


def cables_of(found: Discovery) -> Counter[tuple[tuple[str, str], ...]]:
    """Return each cable as its two ends, device and port, in any order."""
    ends = [
        [(found.hardware_ids[device] or found.label(device), found.port(port)) for device, port in pair]
        for pair in zip(
            zip(found.a.tolist(), found.a_port.tolist(), strict=True),
            zip(found.b.tolist(), found.b_port.tolist(), strict=True),
            strict=True,
        )
    ]
    return Counter(tuple(sorted(pair)) for pair in ends)


def read_line_by_line(text: str) -> Counter[tuple[tuple[str, str], ...]]:
    """Return the cables of a clean file, each seen from both ends, by a loop over its lines."""
    own, seen = "", Counter[tuple[tuple[str, str], ...]]()
    for line in text.splitlines():
        if device := re.match(r'(?:Switch|Ca)\s+\d+ "[SH]-(\w+)"', line):
            own = device[1]
        elif port := re.match(r'\[(\d+)\](?:\(\w+\))?\s+"[SH]-(\w+)"\[(\d+)\]', line):
            seen[tuple(sorted([(own, port[1]), (port[2], port[3])]))] += 1
    assert set(seen.values()) == {2}
    return Counter(dict.fromkeys(seen, 1))


def test_a_clean_file_is_read_whole(read: Read) -> None:
    """Every device has its name, kind, GUID, ports and line, and every cable its rate and both ends."""
    found = read(CLEAN)
    assert (found.devices, found.cables) == (4 + 2 + 12, 12 + 8)
    assert cables_of(found) == read_line_by_line(CLEAN)
    assert Counter(found.kind.tolist()) == {SWITCH: 6, HOST: 12}
    assert found.both_sides.all()
    assert found.own_record.all()
    assert (set(found.width.tolist()), set(found.rate_gbps.tolist())) == ({4}, {400.0})
    leaf = found.names.index("leaf001")
    assert (found.ports[leaf], found.models[leaf], found.hardware_ids[leaf]) == (6, "MQM9700", guid(2, 1))
    host = found.texts.index("node00004 mlx5_0")
    assert (found.names[host], found.parts[host], found.systems[host]) == ("node00004", "mlx5_0", guid(1, 4))
    lines = CLEAN.splitlines()
    assert all(f'"{text}"' in lines[line - 1] for text, line in zip(found.texts, found.device_line, strict=True))
    place = found.place(found.cables - 1)
    assert f"[{found.port(int(found.a_port[-1]))}]" in lines[int(place.rsplit(":", 1)[1]) - 1]
    assert not found.notes


def test_the_value_is_one_like_others(read: Read) -> None:
    """It is equal to what is read again, and pickled, and cannot change."""
    found, again = read(CLEAN), read(CLEAN)
    assert found == again == pickle.loads(pickle.dumps(found))
    assert found != read(CLEAN.replace("4xNDR", "4xHDR"))
    with pytest.raises(ValueError, match="read-only"):
        found.a[0] = 1


DIRT = {
    "byte-order mark": lambda text: "\ufeff" + text,
    "UTF-16, as PowerShell saves": lambda text: text.encode("utf-16"),
    "prompt": lambda text: "[root@mgmt01 ~]# ibnetdiscover\n" + text + "[root@mgmt01 ~]# \n",
    "job control": lambda text: "[1]+  Done                    sleep 9\n" + text,
    "comment block": lambda text: "# ours\n#\n# [1] not a port\n" + text,
    "no blank lines": lambda text: re.sub(r"\n+", "\n", text),
    "DOS ends of line": lambda text: text.replace("\n", "\r\n"),
    "runs of blanks": lambda text: text.replace("\t", "     "),
    "indented": lambda text: re.sub("^", "   ", text, flags=re.MULTILINE),
    "empty LIDs": lambda text: re.sub(r"lid \d+", "lid ", text),
    "no identities": lambda text: re.sub(r"(?m)^(vendid|devid|sysimgguid).*\n", "", text),
    "short GUIDs": lambda text: re.sub(r'"([SH])-0+', r'"\1-', text),
    "capital GUIDs": lambda text: re.sub(r'"([SH])-(\w+)"', lambda m: f'"{m[1]}-{m[2].upper()}"', text),
    "ibdiagnet's ports": lambda text: re.sub(r"^\[(\d+)\]\t", r"[\1](\1) ", text, flags=re.MULTILINE),
    "chassis ports": lambda text: re.sub(r"^\[(\d+)\]", r"[\1][ext 7]", text, flags=re.MULTILINE),
    "full information": lambda text: text.replace("4xNDR", "4xNDR s=7 w=2"),
    "no last end of line": lambda text: text.rstrip("\n"),
    "records in another order": lambda text: "\n\n".join(reversed(text.split("\n\n"))) + "\n",
    "the same twice": lambda text: text + text,
}


@pytest.mark.parametrize("dirt", DIRT)
def test_dirt_changes_nothing(dirt: str, read: Read) -> None:
    """Each kind of dirt that real files have leaves the same cables at the same rates."""
    found = read(DIRT[dirt](CLEAN))
    assert cables_of(found) == read_line_by_line(CLEAN)
    assert (set(found.rate_gbps.tolist()), found.both_sides.all()) == ({400.0}, True)
    assert sorted(found.names) == sorted(read(CLEAN).names)
    assert not found.notes


def test_a_real_cluster_is_read_whole() -> None:
    """89 hosts and 11 switches, three of them with the same text, and links of two rates."""
    file = DATA / "psmn_X5.topofile"
    found = read_discovery([file])
    assert cables_of(found) == read_line_by_line(file.read_text())
    assert Counter(found.kind.tolist()) == {SWITCH: 11, HOST: 89}
    rates = Counter(re.findall(r"(4x[QD]DR)$", file.read_text(), re.MULTILINE))
    assert {rate: 2 * n for rate, n in Counter(found.rate_gbps.tolist()).items()} == {
        40.0: rates["4xQDR"],
        20.0: rates["4xDDR"],
    }
    assert "hoibp0013" in found.names
    assert not found.notes


def test_the_port_past_the_last_is_an_aggregation_node(read: Read) -> None:
    """`Switch 5` with a node of SHARP on port 5 has 4 ports for cables, and the node is known as what it is."""
    node = guid(9, 1)
    text = CLEAN.replace('Switch\t5 "S-', 'Switch\t41 "S-', 1) + (
        f'\nvendid=0x2c9\ndevid=0xcf09\nsysimgguid=0x1\ncaguid=0x{node}\nCa\t1 "H-{node}"\t\t# "anything"\n'
        f'[1]({node}) \t"S-{guid(3, 0)}"[5]\t\t# lid 9 lmc 0 "spine000" lid 5 4xHDR\n'
    )
    text += (
        f'Ca 1 "H-{guid(9, 2)}" # "Mellanox Technologies Aggregation Node"\n'
        f'[1](a) "S-{guid(3, 1)}"[5] # lid 9 lmc 0 "spine001" lid 5 4xHDR\n'
    )
    found = read(text)
    assert [found.kind[found.hardware_ids.index(guid(9, each))] for each in (1, 2)] == [AGGREGATION, AGGREGATION]
    assert sorted(found.ports[found.kind == SWITCH].tolist()) == [4, 6, 6, 6, 6, 40]


@pytest.mark.parametrize(
    ("text", "name", "part", "model"),
    [
        ("node00001 mlx5_0", "node00001", "mlx5_0", "ConnectX-7"),
        ("gb200-07 HCA-5", "gb200-07", "HCA-5", "ConnectX-7"),
        ("localhost HCA-1", "", "HCA-1", "ConnectX-7"),
        ("MT4129 ConnectX7   Mellanox Technologies", "", "", "MT4129 ConnectX7   Mellanox Technologies"),
        ("localhost", "", "", "ConnectX-7"),
        ("lonely", "lonely", "", "ConnectX-7"),
        ('odd "quoted" mlx5_1', 'odd "quoted" mlx5_1', "", "ConnectX-7"),
        ("", "", "", "ConnectX-7"),
    ],
)
def test_hosts_are_named_where_a_driver_named_them(text: str, name: str, part: str, model: str, read: Read) -> None:
    """A host has a name and its adapter a part; a bare model or `localhost` is no name."""
    found = read(CLEAN.replace("node00004 mlx5_0", text))
    device = found.hardware_ids.index(guid(1, 4))
    assert (found.names[device], found.parts[device], found.models[device]) == (name, part, model)
    assert found.kind[device] == HOST


@pytest.mark.parametrize(
    ("text", "name", "part", "model"),
    [
        ("MF0;leaf:MQM9701/U1", "leaf", "", "MQM9701"),
        ("MF0;core2:CS7500/L11/U1", "core2", "L11/U1", "CS7500"),
        ("MF0;core2:CS7500/S03/U1", "core2", "S03/U1", "CS7500"),
        ("SwitchIB Mellanox Technologies", "", "", "SwitchIB Mellanox Technologies"),
        ("Quantum Mellanox Technologies", "", "", "Quantum Mellanox Technologies"),
        ("Voltaire 4036 # hoibp0013", "hoibp0013", "", "Voltaire 4036"),
        ("leaf-07", "leaf-07", "", "Quantum-2"),
    ],
)
def test_switches_are_named_where_they_are_managed(text: str, name: str, part: str, model: str, read: Read) -> None:
    """A managed switch gives its name, its model and, in a director, the chip."""
    found = read(CLEAN.replace("MF0;leaf001:MQM9700/U1", text))
    device = found.hardware_ids.index(guid(2, 1))
    assert (found.names[device], found.parts[device], found.models[device]) == (name, part, model)
    assert found.kind[device] == SWITCH


@pytest.mark.parametrize(
    ("word", "width", "gbps"),
    [("4xDDR", 4, 20), ("4xFDR", 4, 56), ("1xHDR", 1, 50), ("2xNDR", 2, 200), ("4xXDR", 4, 800), ("12xQDR", 12, 120)],
)
def test_rates_are_lanes_times_the_rate_of_one(word: str, width: int, gbps: float, read: Read) -> None:
    """Each word of a rate is its Gb/s."""
    found = read(CLEAN.replace("4xNDR", word))
    assert (set(found.width.tolist()), set(found.rate_gbps.tolist())) == ({width}, {float(gbps)})


def test_an_unknown_rate_is_not_zero(read: Read) -> None:
    """A rate that a simulator cannot spell, or none, is not known; so are its lanes where it has none."""
    assert np.isnan(read(CLEAN.replace("4xNDR", "4x???")).rate_gbps).all()
    found = read(re.sub(r" 4xNDR\n", "\n", CLEAN))
    assert np.isnan(found.rate_gbps).all()
    assert set(found.width.tolist()) == {-1}


def test_loops_are_cables_too(read: Read) -> None:
    """A cable between two ports of one switch is one cable."""
    own = guid(2, 7)
    found = read(
        f'Switch 4 "S-{own}" # "loop" base port 0 lid 1 lmc 0\n[3] "S-{own}"[4] # "loop" lid 1 4xHDR\n'
        f'[4] "S-{own}"[3] # "loop" lid 1 4xHDR\n'
    )
    assert (found.cables, found.both_sides.tolist()) == (1, [True])
    assert {found.port(int(found.a_port[0])), found.port(int(found.b_port[0]))} == {"3", "4"}


def test_a_simulators_devices_have_names_for_guids(read: Read) -> None:
    """A simulator's own networks name devices in the place of GUIDs."""
    found = read('Switch 8 "S1"\n[1] "H1"[1]\n[2] "S2"[2]\nHca 1 "H1"\n[1] "S1"[1]\nSwitch 8 "S2"\n[2] "S1"[2]\n')
    assert (found.devices, found.cables, found.hardware_ids) == (3, 2, ("", "", ""))
    assert sorted(found.names) == ["H1", "S1", "S2"]


def test_devices_without_a_record_are_noted(read: Read) -> None:
    """A file cut between records still names the devices of the others, and says so with the line."""
    whole = CLEAN.split("\n\n")
    found = read("\n\n".join(whole[:-2]) + "\n")
    assert found.cables == 20
    assert Counter(found.own_record.tolist()) == {True: 17, False: 1}
    assert Counter(found.both_sides.tolist()) == {True: 19, False: 1}
    assert len(found.notes) == 1
    assert re.search(r":\d+$", found.notes[0].place)
    assert "1 device has no record of its own, such as 'node00011 mlx5_0'" in found.notes[0].text


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.77, 0.9, 0.97])
def test_a_line_cut_in_the_middle_is_refused(cut: float, read: Read) -> None:
    """Wherever a port's line breaks off, the message has the line."""
    at = CLEAN.index("\n", int(len(CLEAN) * cut))
    start = CLEAN.rindex("\n", 0, at) + 1
    if CLEAN[start] != "[":
        start = CLEAN.index("\n[", at) + 1
    line = CLEAN.count("\n", 0, start) + 1
    for length in range(3, CLEAN.index("\n", start) - start):
        with pytest.raises(InputError, match=rf"file0.txt:{line}: .*breaks off"):
            read(CLEAN[: start + length])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[1] "S-1"[1] # "x" lid 1 4xHDR\n' + CLEAN, r":1: a port with no device before it"),
        (re.sub("Switch\t(?=.*leaf002)", "Swi\t", CLEAN), r":\d+: a port after switchguid=\S+ without the line of"),
        (CLEAN.replace("[3]\t", "[1000000000]\t", 1), r":\d+: \[1000000000\].*is not a line of ibnetdiscover"),
        (CLEAN.replace("[3]\t", "[99999]\t", 1), r":\d+: port 99999: a device has at most 9,999"),
        (CLEAN.replace('"[4]', '"[four]', 1), r":\d+: .*is not a line"),
        ("hello\n", "is of no format"),
        (b"\x7fELF\0\0\0\1" * 100, "is a binary file"),
        (b"  \n", "is empty"),
    ],
)
def test_what_is_no_discovery_is_refused_with_its_line(text: str | bytes, message: str, read: Read) -> None:
    """Hostile and foreign files give one message."""
    with pytest.raises(InputError, match=message):
        read(text)


def test_two_files_are_one_fabric(read: Read) -> None:
    """Discoveries of two halves of a fabric, each with half of the records, are the whole together."""
    head, *records = CLEAN.split("\n\n")
    found = read("\n\n".join([head, *records[::2]]) + "\n", "\n\n".join(records[1::2]) + "\n")
    assert cables_of(found) == read_line_by_line(CLEAN)
    assert found.both_sides.all()
    assert found.own_record.all()
    assert {found.files[each][-9:] for each in found.device_file} == {"file0.txt", "file1.txt"}


def test_ends_that_disagree_are_both_kept(read: Read) -> None:
    """Where the two ends of a cable say different things, both are kept, and the ports are noted."""
    lines = CLEAN.splitlines()
    row = next(row for row, line in enumerate(lines) if line.startswith("[4]"))
    found = read("\n".join([*lines[:row], *lines[row + 1 :]]).replace("[5]\t", "[4]\t", 1) + "\n")
    assert "is also at the end of the cable of" in found.notes[0].text
    assert found.cables == 21


def test_unknown_kinds_stay_unknown(read: Read) -> None:
    """A router is neither a switch nor a host."""
    found = read('Rt 2 "R-7" # "gateway"\n[1](7) "S-8"[1] # lid 1 lmc 0 "leaf" lid 1 4xHDR\n')
    assert found.kind[found.names.index("gateway")] == UNKNOWN


def test_an_adapter_may_have_any_name_after_that_of_its_host() -> None:
    """Such as a network interface's; a model of two words is no host."""
    assert describe("node7 enp28s0np0", HOST)[:2] == ("node7", "enp28s0np0")
    assert describe("node7 nic0", HOST)[:2] == ("node7", "nic0")
    assert describe("MT4129 ConnectX7", HOST)[:3] == ("", "", "MT4129 ConnectX7")
    assert describe("top of rack", HOST)[:2] == ("top of rack", "")


def test_two_switches_of_one_guid_are_two(read: Read) -> None:
    """Their descriptions differ and their ports lead elsewhere: both keep their cables, and a note names both."""
    text = CLEAN.replace(guid(2, 1), guid(2, 0)).replace(guid(2, 1).lstrip("0"), guid(2, 0).lstrip("0"))
    found, right = read(text), read(CLEAN)

    def by_name(seen: Discovery) -> set[frozenset[tuple[str, str]]]:
        return {
            frozenset([(seen.texts[a], seen.port(p)), (seen.texts[b], seen.port(q))])
            for a, p, b, q in zip(seen.a, seen.a_port, seen.b, seen.b_port, strict=True)
        }

    assert by_name(found) == by_name(right)
    assert found.both_sides.all()
    (note,) = found.notes
    assert "leaf001:MQM9700/U1 has the GUID" in note.text
    assert "of MF0;leaf000:MQM9700/U1 (line 10), and its ports lead elsewhere" in note.text
    assert found.devices == right.devices
