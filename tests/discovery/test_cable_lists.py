"""Lists of cables with both ends: CSV of many heads, workbooks, models of CANU and NetQ, and links of InfiniBand."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from fabric.discovery import Discovery, read_discovery
from fabric.discovery.discovery import AGGREGATION, HOST, SWITCH
from fabric.errors import InputError
from tests.discovery.conftest import Read

DATA = Path(__file__).parent / "data"


def ends_of(found: Discovery) -> set[frozenset[tuple[str, str]]]:
    """Return the cables as sets of both ends, device and port."""
    columns = (found.a, found.a_port, found.b, found.b_port)
    return {
        frozenset([(found.label(a), found.port(p)), (found.label(b), found.port(q))])
        for a, p, b, q in zip(*(column.tolist() for column in columns), strict=True)
    }


HEADS = [
    "a_device,a_port,b_device,b_port",
    "label,bundle,part,length_m,a_device,a_port,a_rack,a_unit,b_device,b_port,b_rack,b_unit",
    "A-Rack,A-U,A-Node,A-Type,A-Port,Z-Rack,Z-U,Z-Node,Z-Type,Z-Port",
    "StartDevice,StartPort,EndDevice,EndPort,BandWidth,VlanID",
    "side_a_device,side_a_type,side_a_name,side_b_device,side_b_type,side_b_name,type,status",
    "Source Node;Source Port;Destination Node;Destination Port",
    "hostname\tifname\tpeerHostname\tpeerIfname",
    "From Device | From Interface | To Device | To Interface",
    "Source,Rack,Location,Slot,,Port,Destination,Rack,Location,,Port",
    "# a_device,a_port,b_device,b_port",
]


@pytest.mark.parametrize("heads", HEADS)
def test_lists_are_known_by_their_heads(heads: str, read: Read) -> None:
    """Whatever the columns and the delimiter, the device and the port at each end are found."""
    delimiter = next(each for each in ";\t|," if each in heads)
    cells = [re.sub("[^a-z]", "", head.lower()) for head in heads.split(delimiter)]
    devices = [
        place for place, head in enumerate(cells) if re.search("device|node|hostname|^source$|^destination$", head)
    ]
    ports = [
        place
        for place, head in enumerate(cells)
        if re.search("port|interface|ifname|sideaname|sidebname", head) and place not in devices
    ]
    row = ["x"] * len(cells)
    for place, value in zip((devices[0], ports[0], devices[1], ports[1]), ("leaf1", "33", "spine1", "7"), strict=True):
        row[place] = value
    row = ["" if head in {"slot", ""} else value for head, value in zip(cells, row, strict=True)]
    found = read(f"our cables\n\n{heads}\n" + delimiter.join(row) + "\n\n")
    assert ends_of(found) == {frozenset([("leaf1", "33"), ("spine1", "7")])}
    assert found.both_sides.all()
    assert found.place(0).endswith(":4")


def test_the_links_of_a_real_laboratory_are_read() -> None:
    """77 links with their rates, of which some lead to the same device."""
    found = read_discovery([DATA / "sonic_lab_links.csv"])
    rows = [line.split(",") for line in (DATA / "sonic_lab_links.csv").read_text().splitlines()[1:] if line]
    assert ends_of(found) == {frozenset([(row[0], row[1]), (row[2], row[3])]) for row in rows}
    assert found.rate_gbps.tolist() == [float(row[4]) / 1000 for row in rows]


def test_an_end_without_a_device_is_noted(read: Read) -> None:
    """Spare cables and open ends are left out, each with its line, and those of many counted."""
    found = read("a_device,a_port,b_device,b_port\nleaf1,1,node1,1\nleaf1,2,,\n,,,\n,7,leaf2,3\n,8,,9\n")
    assert found.cables == 1
    assert [(note.place.rsplit(":", 1)[1], note.text) for note in found.notes] == [
        ("3", "no device at the second end of the cable (leaf1 2); left out"),
        ("5", "no device at the first end of the cable (7 leaf2 3); left out"),
        ("6", "no device at either end of the cable (8 9); left out"),
    ]
    found = read("a_device,a_port,b_device,b_port\nleaf1,1,node1,1\n" + "leaf1,2,,\n" * 14)
    assert found.notes[-1].text == "4 more rows without a device at an end, from here on"


def test_a_last_cell_that_may_be_cut_is_noted(read: Read) -> None:
    """A list without an end of line after a row that has all its columns, the last of them read."""
    text = "a_device,a_port,b_device,b_port\nleaf1,1,node1,1\nleaf1,2,node2,11"
    assert [note.text.split(":")[0] for note in read(text).notes] == ["the last row has no end of line"]
    assert not read(text + "\n").notes
    assert not read(text.replace("b_port\n", "b_port,remark\n").replace(",1\n", ",1,new\n") + ",old").notes


def test_a_workbook_of_a_real_cray_is_what_its_model_says() -> None:
    """The cables between switches are those of the model that CANU makes of the workbook, at their ports."""
    sheet, model = read_discovery([DATA / "canu_shcd_full.xlsx"]), read_discovery([DATA / "canu_paddle_full.json"])
    between = [
        {cable for cable in ends_of(found) if all(re.fullmatch(r"sw-[a-z-]+-\d{3}", name) for name, _ in cable)}
        for found in (sheet, model)
    ]
    assert between[0] == between[1]
    assert len(between[0]) == 30
    site = {cable for cable in ends_of(sheet) if "SITE" in {name for name, _ in cable}}
    hosts = [
        {
            frozenset(
                [name for name, _ in cable if name.startswith("sw-")] + [port for name, port in cable if ":" in port]
            )
            for cable in ends_of(found)
            if {name[:5] for name, _ in cable} & {"ncn-m", "ncn-w", "ncn-s"} and cable not in site
        }
        for found in (sheet, model)
    ]
    assert hosts[0] == hosts[1]
    assert sum(model.kind == SWITCH) == 11


def test_a_model_has_rates_and_both_ends() -> None:
    """Every port of CANU's model leads to one that leads back, at a rate in Gb/s."""
    found = read_discovery([DATA / "canu_paddle_full.json"])
    assert found.both_sides.all()
    ports = [
        port for each in json.loads((DATA / "canu_paddle_full.json").read_text())["topology"] for port in each["ports"]
    ]
    assert found.cables * 2 == len(ports)
    assert set(found.rate_gbps.tolist()) == {float(port["speed"]) for port in ports}


def test_a_graph_of_netq_is_read_with_its_names() -> None:
    """Devices go by their names, not the graph's numbers, and each of several links between two is a cable."""
    data = json.loads((DATA / "netq_topologyGraph.json").read_text())[0]
    names = {node["id"]: node["name"] for tier in data["nodes"] for node in tier["compounded_nodes"]}
    expected = {
        frozenset((names[end["node"]], end["interface"]) for end in cable["interfaces"])
        for link in data["links"]
        for cable in link["compounded_links"]
    }
    found = read_discovery([DATA / "netq_topologyGraph.json"])
    assert ends_of(found) == expected
    assert {found.names[row] for row in np.flatnonzero(found.kind == SWITCH)} == {
        name for name in names.values() if name.startswith("net-unit")
    }


LINK = (
    "{{ CA-SM Ports:01 SystemGUID:02c9010000000000 NodeGUID:02c9010000000000 PortGUID:02c9010000000001 VenID:0002C9"
    " DevID:1021 Rev:000000A1 {{node0 mlx5_0}} LID:0001 PN:01 }} {{ SW Ports:{ports} SystemGUID:2c9020000000000"
    " NodeGUID:2c9020000000000 PortGUID:02c9020000000000 VenID:000002C9 DevID:D2F20000 Rev:000000A1"
    " {{MF0;leaf0:MQM9700/U1}} LID:0007 PN:{port} }} PHY=4x LOG=ACT SPD={speed}\n"
)


@pytest.mark.parametrize(
    ("speed", "gbps"), [("50", 200), ("25.78125", 100), ("14.0625", 56), ("2.5", 10), ("NDR", 400)]
)
def test_lists_of_links_count_ports_in_hexadecimal(speed: str, gbps: float, read: Read) -> None:
    """Port 0x14 is port 20, a switch of 0x41 ports has 64 for cables, and GUIDs are padded."""
    found = read(
        "# This database file was automatically generated by IBDIAG\n\n"
        + LINK.format(ports="41", port="14", speed=speed)
    )
    assert ends_of(found) == {frozenset([("node0 mlx5_0", "1"), ("MF0;leaf0:MQM9700/U1", "20")])}
    assert (found.ports.tolist(), found.kind.tolist(), found.rate_gbps.tolist()) == (
        [1, 64],
        [HOST, SWITCH],
        [float(gbps)],
    )
    assert found.hardware_ids == ("02c9010000000000", "02c9020000000000")
    assert found.models == ("ConnectX-7", "MQM9700")


def test_a_link_without_names_is_read(read: Read) -> None:
    """Older lists have no descriptions; an aggregation node is known by its device number."""
    text = re.sub(r"\{(?:node0|MF0)[^}]*\} ", " ", LINK.format(ports="29", port="29", speed="50"))
    found = read(text.replace("DevID:1021", "DevID:CF09"))
    assert (found.kind.tolist(), found.ports.tolist()) == ([AGGREGATION, SWITCH], [1, 40])
    assert found.names == ("", "")


def workbook(*rows: list[Any]) -> bytes:
    """Return a workbook with rows in its second sheet, from D5 on."""
    book = openpyxl.Workbook()
    book.create_sheet("cables")
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            book["cables"].cell(number + 5, column + 4, value)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def replaced(data: bytes, name: str, change: Any) -> bytes:
    """Return an archive with one file changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            new.writestr(each, change(old.read(each)) if each == name else old.read(each))
    return file.getvalue()


BOOK = workbook(["A-Node", "A-Port", "Z-Node", "Z-Port"], ["leaf 1", 33, "spine & core", "sw1p1"], ["", None, "", ""])


def test_a_workbook_is_read_wherever_its_table_stands(read: Read) -> None:
    """Numbers, texts and blanks of any sheet are read as they are seen."""
    found = read(BOOK)
    assert ends_of(found) == {frozenset([("leaf 1", "33"), ("spine & core", "sw1p1")])}
    assert found.place(0).endswith(":6")


BOMB = b'<!DOCTYPE a [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><sst><si><t>&lol2;</t></si></sst>'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (BOOK[: len(BOOK) // 2], "cannot be unpacked"),
        (replaced(BOOK, "xl/worksheets/sheet2.xml", lambda _: BOMB), "document type or entities"),
        (replaced(BOOK, "xl/worksheets/sheet2.xml", lambda text: text[:-30]), "is no XML"),
        (replaced(BOOK, "xl/worksheets/sheet2.xml", lambda _: b" " * (2**28 + 1)), "unpacks to 268,435,457 bytes"),
        (workbook(["a", "b"]), "no sheet has cables"),
        ("a_device,a_port,b_device,b_port\nleaf1,1,node1,1\nleaf1,2,no", r":3: the row breaks off after 3 of 4"),
        ('a_device,a_port,b_device,b_port\nleaf1,"' + "x" * 200_000, "not readable as CSV"),
        (
            '{"topology": [{"common_name": "a", "id": 0, "ports": [{"port": 1, "destination_node_id": 9}]}]}',
            "leads to device 9",
        ),
        (LINK.format(ports="41", port="14", speed="50")[:-20], r":1: .*breaks off"),
        (LINK.format(ports="41", port="14", speed="50").replace("PN:01 }", "}"), r":1: .*"),
    ],
)
def test_cut_and_hostile_files_are_refused(data: str | bytes, message: str, read: Read) -> None:
    """Each gives one message, and takes neither memory nor time."""
    with pytest.raises(InputError, match=message):
        read(data)


def test_a_graph_of_ptm_is_a_list_of_cables(read: Read) -> None:
    """With or without quotes, attributes and comments."""
    found = read(
        'graph G {\n  // ours\n  hostidtype="hostname"\n  "leaf1":"swp33" -- "spine1":"swp7" [LLDP="match"];\n'
        "leaf2:swp33 -- spine1:swp8\n}\n"
    )
    assert ends_of(found) == {
        frozenset([("leaf1", "swp33"), ("spine1", "swp7")]), frozenset([("leaf2", "swp33"), ("spine1", "swp8")])
    }  # fmt: skip
    assert [found.place(row).rsplit(":", 1)[1] for row in (0, 1)] == ["4", "5"]
    for text, line in (('"leaf2":"swp3" -- "sp', 3), ("", 3), ("leaf2:swp1 -- leaf3\n}", 3)):
        with pytest.raises(InputError, match=f":{line}: "):
            read(f'graph G {{\n"leaf1":"swp3" -- "spine1":"swp1"\n{text}')


def test_a_list_given_twice_is_read_once(read: Read) -> None:
    """Rows without ports would otherwise be further cables."""
    once = read("a_device,a_port,b_device,b_port\nleaf1,,spine1,\nleaf1,,spine2,\n")
    twice = read_discovery([once.files[0]] * 2)
    assert (once.cables, twice.cables) == (2, 2)
    assert twice.notes[0].text.endswith("; read once")
