"""Whatever a text went through, its cables are read as they are; what breaks off or is foreign gives one message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from time import process_time

import pytest

from fabric.discovery import read_discovery
from fabric.discovery.discovery import AGGREGATION
from fabric.discovery.structure import find_structure
from fabric.discovery.uneven import list_uneven
from fabric.errors import FabricError
from tests.discovery.conftest import Read
from tests.discovery.ib_text import two_tiers
from tests.discovery.mutate import End, mutate
from tests.discovery.test_cable_lists import BOOK, LINK
from tests.discovery.test_lldp import NVUE, SONIC, chassis, lldpcli

DATA = Path(__file__).parent / "data"

CLEAN = two_tiers(4, 6, 3)


def cables_of(text: str, read: Read) -> set[frozenset[End]]:
    """Return the cables of devices that are not added ones, as ends by GUID and port."""
    found = read(text)
    result = set()
    for cable in range(found.cables):
        a, b = int(found.a[cable]), int(found.b[cable])
        guids = found.hardware_ids[a], found.hardware_ids[b]
        if AGGREGATION in (found.kind[a], found.kind[b]) or {guid[0] for guid in guids} & set("bc"):
            continue
        result.add(
            frozenset({(guids[0], found.port(found.a_port[cable])), (guids[1], found.port(found.b_port[cable]))})
        )
    return result


def plain(cables: set[frozenset[End]]) -> set[frozenset[End]]:
    """Return cables without the letters before GUIDs."""
    return {frozenset((device[2:], port) for device, port in cable) for cable in cables}


@pytest.mark.parametrize("seed", range(40))
def test_exchanged_cables_are_read_through_all_dirt(seed: int, read: Read) -> None:
    """What is read differs from the clean text by the cables that were exchanged, and by nothing else."""
    clean, spoiled = cables_of(CLEAN, read), mutate(CLEAN, seed)
    found = cables_of(spoiled.text, read)
    assert len(spoiled.gone) == 6
    assert clean - found == plain(spoiled.gone - spoiled.new), spoiled.done
    assert found - clean == plain(spoiled.new - spoiled.gone), spoiled.done


TEXTS = [
    CLEAN.encode(),
    SONIC.encode(),
    NVUE.encode(),
    lldpcli(swp1=chassis("a", "b"), swp2=chassis("c", "d")).encode(),
    LINK.format(ports="41", port="14", speed="50").encode() * 3,
    BOOK,
    (DATA / "sonic_lab_links.csv").read_bytes(),
    (DATA / "canu_shcd_full.xlsx").read_bytes(),
]

LONG: dict[str, Callable[[int], bytes]] = {
    "blank lines": lambda length: b"\n" * length + b"x",
    "digits": lambda length: b"0x1 " + b"1" * length,
    "dashes": lambda length: b"x\n" + b"-" * length + b"x",
    "ports": lambda length: b"0x1 " + b"1 1[ " * length,
}


@pytest.mark.parametrize("name", LONG)
def test_no_pattern_takes_long_for_what_it_does_not_match(name: str, tmp_path: Path) -> None:
    """Four times as long a file that no reader knows takes nowhere near 16 times as long, as a square would."""

    def time_of(length: int) -> float:
        file = tmp_path / str(length)
        file.write_bytes(LONG[name](length))
        began = process_time()
        with pytest.raises(FabricError, match="is of no format"):
            read_discovery([file])
        return process_time() - began

    assert time_of(8000) < 9 * max(time_of(2000), 0.02)


WORDS = [b"null", b"[]", b"{}", b'"', b"9" * 30, b"\n", b"-1", b'"\\ud800"', b"[", b"\0"]


@pytest.mark.parametrize("seed", range(6))
def test_no_damage_ends_in_anything_but_a_message(seed: int, tmp_path: Path) -> None:
    """Files of every format that are cut, overwritten and doubled in places are read, or refused with one message."""
    random = Random(seed)
    file = tmp_path / "damaged"
    for _ in range(60):
        data = bytearray(random.choice(TEXTS))
        for _ in range(random.choice([1, 1, 2, 5, 20])):
            at = random.randrange(len(data) + 1)
            what = random.randrange(5)
            if what == 0:
                del data[at:]
            elif what == 1:
                del data[at : at + random.randrange(80)]
            elif what == 2:
                data[at : at + 1] = bytes([random.randrange(256)])
            elif what == 3:
                data[at:at] = random.choice(WORDS)
            else:
                data[at:at] = data[at // 2 : at // 2 + random.randrange(200)]
        file.write_bytes(bytes(data))
        found, refusal = None, ""
        try:
            found = read_discovery([file])
        except FabricError as error:
            refusal = str(error)
        if found is None:
            assert file.name in refusal
        else:
            assert max(found.a.max(), found.b.max()) < found.devices
            list(list_uneven(found, find_structure(found)))
