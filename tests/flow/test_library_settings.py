"""What users set of the collective library: where it acts, and that more is never slower."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

import fabric
from fabric.catalog import LibrarySettings, Server, collectives, servers
from fabric.errors import InputError
from fabric.flow import FabricSummary, Routing, Workload, estimate, estimate_workload, summarize
from fabric.flow.machines import library_use
from fabric.report.notes import list_notes
from fabric.request.library_keys import parse_settings
from fabric.studies.measured_runs import one_switch
from tests.network.test_network import blueprint

if TYPE_CHECKING:
    from tests.conftest import Run

H100, B200, GAUDI = servers()["hgx-h100"], servers()["hgx-b200"], servers()["gaudi3"]


def _set(server: Server, gpus: int, **words: int | float | str) -> FabricSummary:
    return replace(one_switch(server, gpus, collectives()), library=LibrarySettings(**words))  # type: ignore[arg-type]


def test_four_servers_stop_at_the_channels_of_the_defaults_and_tuned_ones_at_the_nics() -> None:
    """16 channels of 21.9 GB/s over eight NICs of 400G; with 32 the ring gets 0.95 of line rate."""
    default, tuned = (
        estimate(summary, "all-reduce", 2**36, "ecmp", "ring")
        for summary in (_set(H100, 32), _set(H100, 32, channels=32))
    )
    assert (default.limited_by, tuned.limited_by) == ("channels", "NIC")
    assert default.busbw_GBps == pytest.approx(16 * 21.9, rel=0.01)
    assert tuned.busbw_GBps == pytest.approx(0.95 * 400, rel=0.01)


@pytest.mark.parametrize("servers_", [2, 3, 4, 16, 1024])
@pytest.mark.parametrize("channels", [1, 2, 4, 8])
def test_channels_bound_the_network_at_every_number_of_servers(servers_: int, channels: int) -> None:
    """No ring or tree sends more than its channels carry, however many servers there are."""
    for algorithm in ("ring", "tree", "nvls-tree"):
        found = estimate(_set(H100, 8 * servers_, channels=channels), "all-reduce", 2**38, "ecmp", algorithm)
        sent = min(servers_, 4) / 2 if algorithm == "nvls-tree" else 2.0
        each = collectives().generations["hopper"].channel_GBps
        assert each
        assert found.algbw_GBps * sent <= channels * each * servers_ / (servers_ - 1)


def test_more_channels_and_queue_pairs_are_never_slower() -> None:
    """Drawn fabrics, sizes and settings: each further channel or queue pair costs no time, by one algorithm."""
    draw = Random(18)
    for _ in range(60):
        plan = blueprint(8 * draw.choice([2, 4, 64, 1024]), 1)
        size, algorithm = 2 ** draw.randrange(10, 37), draw.choice(["ring", "tree", "nvls-tree"])
        for name, values in (("channels", (8, 16, 24, 32, 64)), ("qps", (1, 2, 4, 16))):
            times = [
                estimate(
                    replace(summarize(plan), library=LibrarySettings(**{name: value})),  # type: ignore[arg-type]
                    "all-reduce", size, "ecmp", algorithm,
                ).time_s
                for value in values
            ]  # fmt: skip
            assert all(after <= before * (1 + 1e-9) for before, after in pairwise(times)), (name, size, algorithm)


def test_each_tree_has_half_of_the_queue_pairs_of_the_channels() -> None:
    """32 channels over 8 NICs with 4 queue pairs a connection make 16 of a NIC, and by flows as in closed form."""
    plan = replace(blueprint(64, 1), library=LibrarySettings(channels=32, qps=4))
    for engine in ("closed", "flows"):
        work = Workload(algorithm="ring", routing=Routing("ecmp", 2), engine=engine)
        (answer,), _ = estimate_workload(plan, work, [2**30])
        assert answer.qps == 16
        assert answer.library
        assert (answer.library.channels, answer.library.qps) == (32, 4)


def test_a_protocol_and_an_algorithm_are_held_to_where_they_run() -> None:
    """NCCL_PROTO and NCCL_ALGO restrict the choice; where they can't run it is the library's again."""
    held = estimate(_set(H100, 64, protocol="ll128", algorithm="tree"), "all-reduce", 2**30)
    assert (held.algorithm, held.protocol) == ("tree", "ll128")
    assert held.chosen == held.fastest
    assert estimate(_set(H100, 8, algorithm="nvls-tree"), "all-reduce", 2**30).algorithm == "nvls"
    assert estimate(_set(H100, 64, protocol="ll", algorithm="nvls-tree"), "all-reduce", 2**30).protocol == "simple"


def test_latencies_of_steps_can_be_set() -> None:
    """A ring of two servers takes 28 steps inside and 2 between, whatever the protocol."""
    base = estimate(_set(H100, 16, protocol="ll", nvlink_us=0, network_us=0), "all-reduce", 8, algorithm="ring")
    slow = estimate(_set(H100, 16, protocol="ll", nvlink_us=3, network_us=50), "all-reduce", 8, algorithm="ring")
    assert slow.time_s - base.time_s == pytest.approx((28 * 3 + 2 * 50) * 1e-6)


def test_unknown_names_are_refused() -> None:
    """A version that the GPUs' library has no table of, and an algorithm that does not exist."""
    with pytest.raises(InputError, match=r"no table of RCCL 2\.30; known versions: 2\.26"):
        estimate(_set(servers()["mi300x"], 64, version="2.30"), "all-reduce", 2**20)
    with pytest.raises(InputError, match="algorithm 'trie'"):
        estimate(_set(H100, 64, algorithm="trie"), "all-reduce", 2**20)


def test_one_product_does_not_slow_all_of_its_generation() -> None:
    """At 1 MiB on 2,048 GPUs B200 take about as long as H100; a latency of Grace hosts is theirs."""
    times = [estimate(_set(server, 2048), "all-reduce", 2**20, "ecmp").time_s for server in (H100, B200)]
    assert times[1] == pytest.approx(times[0], rel=0.1)


@pytest.mark.parametrize(
    ("gpus", "algorithm", "measured"), [(4, "ring", 107.4), (4, "tree", 128.0), (8, "ring", 205.4), (8, "tree", 252.8)]
)
def test_three_racks_of_blackwell_are_as_fast_as_measured(gpus: int, algorithm: str, measured: float) -> None:
    """NCCL issue 1801, 16 GiB over three partitions of 4 and of 8 GB200, by algbw in GB/s: within 10 %."""
    rack = Server("rack", gpus, gpus, 400, 900.0, generation="blackwell")
    found = estimate(_set(rack, 3 * gpus), "all-reduce", 2**34, "ecmp", algorithm)
    assert found.algbw_GBps == pytest.approx(measured, rel=0.1)


def test_gpus_that_nothing_was_measured_on_say_so() -> None:
    """Gaudi has Hopper's constants, no version and no choice; MI355X has RCCL's table."""
    used = library_use(_set(GAUDI, 64))
    assert (used.version, used.stands_in) == (None, "hopper")
    assert estimate(_set(GAUDI, 64), "all-reduce", 2**30).chosen is None
    used = library_use(_set(servers()["mi355x"], 64))
    assert (used.name, used.version, used.stands_in) == ("rccl", "2.26", None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("chan=3", "unknown key 'chan'; did you mean 'channels'"),
        ("qps", "'qps' is not KEY=VALUE"),
        ("channels=many", "nccl.channels 'many' is not a number"),
        ("channels=3,channels=4", "nccl.channels is there twice"),
        ("version=2.1", r"no table of version 2\.1; known: 2\.30 of NCCL, 2\.28 of NCCL, 2\.27 of NCCL, 2\.26 of RCCL"),
        ("algorithm=trie", "unknown algorithm 'trie'"),
        ("network_us=-1", "not a number of microseconds"),
    ],
)
def test_settings_that_cannot_be_read_are_refused(text: str, problem: str) -> None:
    """One message with the key, the value and what is known."""
    with pytest.raises(InputError, match=problem):
        parse_settings(text)


def test_the_command_shows_the_choice_and_the_request_sets_the_library(run: Run, tmp_path: Path) -> None:
    """`nccl` of a request and `--nccl` set the same; the result names choice, fastest and library."""
    file = tmp_path / "cluster.yaml"
    file.write_text("gpus: 256\nserver: hgx-h100\nswitches: sn5600\nnccl: {channels: 32, qps: 2}\n")
    code, printed, _ = run("allreduce", file, "--size", "8GiB", "--routing", "ecmp", "--nccl", "qps=4", "--json")
    (found,) = json.loads(printed)["results"]
    assert code == 0
    assert found["qps"] == 16
    assert found["library"] == {"name": "nccl", "version": "2.30", "channels": 32, "qps": 4, "stands_in": None}
    assert found["chosen"]["algorithm"] == found["algorithm"]
    assert found["fastest"]["time_s"] <= found["chosen"]["time_s"] == found["time_s"]
    code, printed, _ = run("allreduce", file, "--size", "8GiB", "--routing", "adaptive")
    assert "Assumes NCCL 2.30 with channels 32, qps 2 as set" in " ".join(printed.split())
    file.write_text("gpus: 256\nserver: hgx-h100\nswitches: sn5600\nnccl: {version: '2.19'}\n")
    code, _, problem = run("allreduce", file)
    assert code == 2
    assert "cluster.yaml:4: nccl.version: no table of version 2.19; known: 2.30 of NCCL" in " ".join(problem.split())


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("algorithm=ring,protocol=ll", "algorithm ring as set (16 channels, 1 queue pair per connection)."),
        ("algorithm=ring", "connection), which chooses protocol by its own cost model."),
    ],
)
def test_what_is_set_is_not_said_to_be_chosen(run: Run, tmp_path: Path, words: str, end: str) -> None:
    """The sentence on the library names what is left to its cost model."""
    (tmp_path / "cluster.yaml").write_text("gpus: 256\nserver: hgx-h100\nswitches: sn5600\n")
    _, printed, _ = run("allreduce", tmp_path / "cluster.yaml", "--size", "1GiB", "--nccl", words)
    assert end in " ".join(printed.split())


def test_routings_are_named_where_different_times_are_faster(run: Run) -> None:
    """Two lines on one size each say of which routing they are."""
    _, printed, _ = run("allreduce", "colossus-100k", "--size", "1MiB", "--engine", "closed")
    text = " ".join(printed.split())
    assert "1 MiB with adaptive routing by tree/ll (" in text
    assert "1 MiB with ECMP routing by tree/ll (" in text


def test_a_design_says_which_library_its_times_assume() -> None:
    """A note names the library and its settings."""
    study = fabric.design(gpus=64, server="hgx-h100", switches="sn5600", nccl={"channels": 32})
    assert any("Times assume NCCL 2.30 with channels 32 as set" in note for note in list_notes(study))


def test_filling_grows_with_the_gpus_that_reduce() -> None:
    """Beyond their bytes two NVL72 racks take a millisecond, as measured, five times as long as two servers."""
    racks = servers()["gb200-nvl72"]
    extra = []
    for server, gpus in ((racks, 144), (H100, 16)):
        one, two = (estimate(_set(server, gpus), "all-reduce", 2**power, "ecmp", "nvls-tree") for power in (34, 35))
        extra.append(2 * one.time_s - two.time_s)
    assert 0.8e-3 < extra[0] < 1.6e-3
    assert extra[0] > 5 * extra[1] > 0


def test_fewer_channels_slow_one_server_only_where_they_carry_less() -> None:
    """In one server 16 channels still carry a ring of Simple near its plateau, and four do not."""
    times = [estimate(_set(H100, 8, channels=count), "all-reduce", 2**34, algorithm="ring") for count in (24, 18, 4)]
    assert times[0].busbw_GBps == pytest.approx(times[1].busbw_GBps, rel=0.01)
    assert times[2].limited_by == "channels"
