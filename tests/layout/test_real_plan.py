"""The port plan of a GB200 unit as it was built, port by port, out of a request that states its rule."""

from __future__ import annotations

import re
from functools import cache

import fabric
from fabric.export.cables import cable_batches
from tests.test_architecture import ROOT


@cache
def cables() -> list[dict[str, object]]:
    """Return the cables of the unit."""
    study = fabric.design(ROOT / "examples" / "superpod-gb200.yaml")
    return [row for batch in cable_batches(study.wiring) for row in batch.to_pylist()]


def numbers(name: object) -> list[int]:
    """Return the numbers in a name."""
    return [int(each) for each in re.findall(r"[0-9]+", str(name))]


def test_port_t_of_a_leaf_is_tray_t_of_its_rack() -> None:
    """Each of 32 leaves has the 18 trays of one rack, by the NIC of its rail: mlx5_0, 1, 4 and 5."""
    rows = [row for row in cables() if row["bundle"] == "server-leaf"]
    assert len(rows) == 576
    for row in rows:
        (rack, _), (block, rail, _) = numbers(row["a_device"]), numbers(row["b_device"])
        tray, nic = str(row["a_port"]).split()
        assert rack == block
        assert int(tray.removeprefix("tray")) == int(str(row["b_port"]))
        assert nic == f"mlx5_{(0, 1, 4, 5)[rail]}"


def test_links_up_go_two_by_two_to_the_spines_in_order() -> None:
    """Ports 33 + 2 (s - 1) and the next lead to spine s, and on every spine to cage 4 (rack - 1) + rail."""
    rows = [row for row in cables() if row["bundle"] == "leaf-spine"]
    assert len(rows) == 576
    for row in rows:
        (block, rail, _), (spine, _) = numbers(row["a_device"]), numbers(row["b_device"])
        up, down = int(str(row["a_port"])), int(str(row["b_port"]))
        assert (up - 33) // 2 == spine
        assert (down + 1) // 2 == 4 * block + rail + 1
        assert (up - 33) % 2 == (down - 1) % 2


def test_the_unit_stands_in_one_row_around_its_switches() -> None:
    """Four racks, the network rack, four racks."""
    study = fabric.design(ROOT / "examples" / "superpod-gb200.yaml")
    assert study.layout.holds_servers.tolist() == [True] * 4 + [False] + [True] * 4
    assert set(study.layout.row.tolist()) == {0}
