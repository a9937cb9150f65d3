"""What libraries choose by their own cost model, against what their logs and their source say."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from fabric.catalog import PROTOCOLS, LibrarySettings, Server, library_tunings, servers
from fabric.errors import InputError
from fabric.flow import COLLECTIVES
from fabric.flow.library_choice import choose, library_us, search_channels, tuning_of

H100, A100, B200 = servers()["hgx-h100"], servers()["hgx-a100"], servers()["hgx-b200"]
MIB = 2**20
EVERY = list(product(("ring", "tree", "nvls-tree"), PROTOCOLS))


def _chosen(
    server: Server,
    gpus: int,
    mib: float,
    algorithms: tuple[str, ...] = ("ring", "tree", "nvls-tree"),
    version: str | None = None,
) -> str:
    pairs = [pair for pair in EVERY if pair[0] in algorithms]
    found = choose([server], gpus, COLLECTIVES["all-reduce"], round(mib * MIB), pairs, version=version)
    assert found
    return "/".join(found)


@pytest.mark.parametrize(
    ("server", "gpus", "channels", "speed"),
    [(H100, 16, 8, 45), (A100, 16, 8, 24), (H100, 8, 6, 60), (A100, 8, 6, 40), (B200, 8, 8, 90)],
)
def test_the_search_finds_the_channels_of_nccl(server: Server, gpus: int, channels: int, speed: float) -> None:
    """Eight NICs of 400G get 8 channels of 45 GB/s, of 200G 8 of 24, and one server fills its NVLink."""
    found = search_channels(server, gpus, library_tunings()[0])
    assert (found.channels, found.speed) == (channels, speed)


def test_64_servers_of_h200_choose_as_their_log_says() -> None:
    """NCCL issue 1752: up to 16 MiB by a tree with LL128, from 32 MiB on by a tree over NVLink switches."""
    h200 = servers()["hgx-h200"]
    assert [_chosen(h200, 512, mib, version="2.27") for mib in (16, 32)] == ["tree/ll128", "nvls-tree/simple"]


def test_four_servers_of_h100_leave_ll128_where_their_times_double() -> None:
    """NCCL-tests issue 309, 2.26: from 1 to 2 MiB 82 to 191 us and 93 to 227 us; a large message takes a ring."""
    found = [_chosen(H100, 32, mib, version="2.27") for mib in (1, 2, 8192)]
    assert found == ["tree/ll128", "nvls-tree/simple", "ring/simple"]
    assert _chosen(H100, 32, 8192, version="2.28") == _chosen(H100, 32, 8192) == "nvls-tree/simple"


def test_racks_without_reduction_choose_the_ring() -> None:
    """NCCL issue 1801: over three racks of 4 and of 8 GB200 it takes a ring for 16 GiB, though a tree is faster."""
    for gpus in (4, 8):
        rack = Server("rack", gpus, gpus, 400, 900.0, generation="blackwell")
        assert _chosen(rack, 3 * gpus, 16 * 1024, ("ring", "tree")) == "ring/simple"


def test_the_cost_of_a_reduction_in_one_server_is_that_of_the_source() -> None:
    """Eight H100 get 8 x 40 x 0.85 x 7/8 x 2 = 476 GB/s of bus bandwidth after 25 us."""
    search = search_channels(H100, 8, library_tunings()[0])
    found = library_us(search, COLLECTIVES["all-reduce"], 2**30, "nvls", "simple")
    assert found == pytest.approx(25 + 2**30 / 1e3 / (476 * 8 / 14))


def test_a_ring_costs_its_steps_and_bytes() -> None:
    """Two servers of eight H100: 28 steps inside and 2 between, 1.4 times that, and bytes at 360 GB/s."""
    search = search_channels(H100, 16, library_tunings()[0])
    found = library_us(search, COLLECTIVES["all-reduce"], 2**30, "ring", "simple")
    assert found == pytest.approx(1.4 * (8.4 + 28 * 3.4 + 2 * 14) + 2**30 / 1e3 / (360 * 16 / 30))


def test_mi300x_has_the_table_of_rccl_and_gaudi_has_none() -> None:
    """AMD's GPUs choose by RCCL; of other vendors, and of algorithms that are not the library's, no choice is known."""
    tuning = tuning_of(servers()["mi300x"])
    assert tuning
    assert tuning.library == "rccl"
    assert choose([servers()["gaudi3"]], 16, COLLECTIVES["all-reduce"], MIB, EVERY) is None
    assert choose([H100], 16, COLLECTIVES["all-to-all"], MIB, [("pairwise", "simple")]) is None


def test_the_slowest_of_unlike_servers_counts() -> None:
    """Two kinds of servers choose by the greater cost of each, which a kind alone may not."""
    slow = replace(H100, nic_gbps=10)
    assert choose([H100, slow], 16, COLLECTIVES["all-reduce"], MIB, EVERY) == choose(
        [slow, H100], 16, COLLECTIVES["all-reduce"], MIB, EVERY
    )


def test_a_version_without_a_table_is_refused() -> None:
    """The message names the versions that are known."""
    with pytest.raises(InputError, match=r"no table of NCCL 2\.19; known versions: 2\.30, 2\.28, 2\.27"):
        tuning_of(H100, "2.19")


@pytest.mark.parametrize(
    ("words", "text"),
    [({"channels": 0}, "1 to 64"), ({"qps": 1000}, "1 to 128"), ({"protocol": "lll"}, "did you mean 'll'")],
)
def test_settings_out_of_range_are_refused(words: dict[str, int], text: str) -> None:
    """One clear message with the range, or the nearest name."""
    with pytest.raises(InputError, match=text):
        LibrarySettings(**words)  # type: ignore[arg-type]
