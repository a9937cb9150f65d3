"""What collectives put on the network: where ranks stand, which NICs send to which, and how many bytes."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.blueprint import Blueprint
from fabric.catalog import Server
from fabric.errors import InputError, TooLarge
from fabric.flow import PLACEMENTS, Job, Phase, Routing, interference, phases, place, shares
from fabric.topology.families import families
from tests.flow.flow_fabrics import WITH_FLOWS, fat_tree, form_of, sized
from tests.flow.sequential_all_to_all import all_to_all_s
from tests.network.test_network import blueprint

BOX = Server("box", gpus=8, nics=8, nic_gbps=400)


def rails(servers: int = 32) -> Blueprint:
    """Return a 1:1 fabric of eight rails, four units of eight servers."""
    return sized(form_of("rail-optimized", 2), servers, gpus=8, block=4, slot=8, rail=8, spine=8)


def sent(phase: Phase, nics: int) -> np.ndarray:
    """Return the share of the bytes that each of so many NICs sends."""
    return np.bincount(phase.source, phase.share, nics)


@pytest.mark.parametrize("name", PLACEMENTS)
def test_every_placement_gives_each_rank_a_gpu_of_its_own(name: str) -> None:
    """A placement of all ranks has every GPU once, and one of fewer none twice; seeds decide what chance does."""
    plan = rails()
    assert sorted(place(plan, name).reshape(-1)) == list(range(256))
    fewer = place(plan, name, 64, seed=3)
    assert len(set(fewer.reshape(-1).tolist())) == 64
    assert (fewer == place(plan, name, 64, seed=3)).all()
    assert (fewer == place(plan, name, 64, seed=4)).all() == (name not in ("random", "fragmented"))


def test_placements_are_what_they_are_called() -> None:
    """By rail takes GPU 0 of all servers first, strided rings stand apart, and random keeps servers whole."""
    plan = rails()
    assert place(plan, "by-rail", 32).tolist() == [first + 8 * server for first in range(8) for server in range(4)]
    assert (np.diff(place(plan, "strided", stride=16), axis=1) == 16).all()
    assert (place(plan, "random", seed=1).reshape(-1, 8) % 8 == np.arange(8)).all()
    assert (np.diff(place(plan, "fragmented", 64, seed=1)) > 0).all()


@pytest.mark.parametrize(
    "words", [{"name": "contigous"}, {"ranks": 257}, {"ranks": 0}, {"name": "strided", "stride": 7}]
)
def test_placements_that_are_none_are_refused(words: dict[str, object]) -> None:
    """An unknown name, too many ranks, or a stride that leaves a remainder is bad input."""
    with pytest.raises(InputError):
        place(rails(), **words)  # type: ignore[arg-type]


def test_a_ring_sends_what_busbw_counts_by_every_nic() -> None:
    """On whole servers a ring's bytes, 2(n-1)/n, leave each server split evenly over its NICs, rail by rail."""
    (phase,) = phases(BOX, np.arange(64), "all-reduce", "ring")
    assert sent(phase, 64) == pytest.approx(2 * 63 / 64 / 8)
    assert (phase.source % 8 == phase.target % 8).all()
    assert ((phase.source // 8 + 1) % 8 == phase.target // 8).all()
    (rail,) = phases(BOX, np.arange(64), "reduce-scatter", "hierarchical-ring")
    assert sent(rail, 64) == pytest.approx(7 / 8 / 8)


def test_a_strided_layout_runs_all_its_rings_at_once() -> None:
    """Each ring of a strided layout has one GPU in a server: every NIC sends the whole ring's bytes of its own."""
    (phase,) = phases(BOX, np.arange(128).reshape(-1, 16).T, "all-reduce", "ring")
    assert sent(phase, 128) == pytest.approx(2 * 7 / 8)
    assert ((phase.target - phase.source) % 128 == 16).all()


@pytest.mark.parametrize("servers", [2, 3, 7, 8, 12])
def test_a_double_binary_tree_sends_everything_up_and_down(servers: int) -> None:
    """Both trees join all servers, K - 1 edges each, and no server sends more than twice the size, or takes more."""
    (phase,) = phases(BOX, np.arange(8 * servers), "all-reduce", "tree")
    assert phase.share.sum() == pytest.approx(2 * (servers - 1))
    for nics in (phase.source, phase.target):
        assert np.bincount(nics // 8, phase.share).max() <= 2
    edges = phase.source[::8] // 8 * servers + phase.target[::8] // 8
    assert set(edges) == {edge % servers * servers + edge // servers for edge in edges}


@pytest.mark.parametrize("servers", [2, 4, 5, 16])
def test_halving_and_doubling_send_as_much_as_a_ring(servers: int) -> None:
    """Among a power of two of servers each sends 2(K-1)/K of the bytes; others lend theirs first and take them last."""
    found = list(phases(BOX, np.arange(8 * servers), "all-reduce", "halving-doubling"))
    power = 1 << servers.bit_length() - 1
    total = sum(phase.share.sum() for phase in found)
    assert total == pytest.approx(2 * (power - 1) + 2 * (servers - power))


def test_rounds_of_an_all_to_all_are_the_same_flows_as_all_at_once() -> None:
    """Round by round or at one time every pair of GPUs in different servers has one flow of 1/n of the bytes."""
    placement = np.random.default_rng(1).permutation(64)[:40]
    rounds = list(phases(BOX, placement, "all-to-all", "pairwise"))
    (once,) = phases(BOX, placement, "all-to-all", "direct")
    pairs = sorted((s, t) for phase in rounds for s, t in zip(phase.source, phase.target, strict=True))
    assert pairs == sorted(zip(once.source, once.target, strict=True))
    assert pairs == sorted((a, b) for a in placement for b in placement if a // 8 != b // 8)
    assert set(once.share) == {1 / 40}
    sampled = phases(BOX, placement, "all-to-all", "pairwise", rounds=13)
    assert sum(phase.share.sum() for phase in sampled) == pytest.approx(once.share.sum(), rel=0.05)


def test_an_all_to_all_that_memory_cannot_hold_is_refused() -> None:
    """At 100,000 GPUs all pairs at one time are refused with their number, and a round alone is not."""
    with pytest.raises(TooLarge, match="9,999,900,000 flows"):
        next(phases(BOX, np.arange(100_000), "all-to-all", "direct"))
    assert next(phases(BOX, np.arange(100_000), "all-to-all", "pairwise", rounds=1)).flows


def test_servers_with_fewer_or_more_nics_than_gpus_use_them_all() -> None:
    """Two GPUs share a NIC where there are half as many, and a GPU splits its bytes where there are twice."""
    for nics in (4, 16):
        server = Server("odd", gpus=8, nics=nics, nic_gbps=400)
        (phase,) = phases(server, np.arange(64), "all-reduce", "ring")
        assert sent(phase, 8 * nics) == pytest.approx(2 * 63 / 64 / nics)


@pytest.mark.parametrize(("collective", "algorithm"), WITH_FLOWS)
def test_every_collective_runs_on_the_network(collective: str, algorithm: str) -> None:
    """All known flows are routed and solved, on a fabric with room for all at no less than a fourth of line rate."""
    plan = rails()
    found = shares(plan, phases(plan.server, place(plan), collective, algorithm))
    assert found.flows > 0
    assert 0.25 <= found.min <= 1
    assert found.min <= found.mean + 1e-9
    assert found.wire_s > 0


@pytest.mark.parametrize("words", [("all-reduce", "pairwise"), ("allreduce", "ring")])
def test_traffic_that_is_none_is_refused(words: tuple[str, str]) -> None:
    """An unknown collective, or an algorithm that it has not, is bad input."""
    with pytest.raises(InputError, match=r"halving-doubling|'all-reduce'"):
        list(phases(BOX, np.arange(64), *words))


def test_the_time_on_the_wire_is_bytes_over_bandwidth() -> None:
    """A ring at line rate takes 2(n-1)/n of the size over what a server's NICs carry together."""
    plan = blueprint(2048 * 2, 2)
    found = shares(plan, phases(plan.server, place(plan), "all-reduce", "ring"))
    assert found.wire_s == pytest.approx(2 * 4095 / 4096 / (8 * 50e9))


def test_jobs_apart_do_not_meet_and_jobs_mixed_do() -> None:
    """Rings in units of their own lose nothing to each other; spread over an oversubscribed fabric, they do."""
    plan = fat_tree(2, 8, 8, ratio=4)
    jobs = [Job("first", 32), Job("second", 32, placement="strided", stride=2)]
    apart = interference(plan, [Job("first", 8), Job("second", 16)])
    assert all(one.alone_min == one.min for one in apart)
    mixed = interference(plan, jobs, spread="random", seed=1)
    assert all(one.min <= one.alone_min + 1e-9 for one in mixed)
    assert any(one.mean < one.alone_mean - 0.05 for one in mixed)
    hashed = interference(plan, jobs, Routing("ecmp", 2), spread="random", seed=1)
    assert all(one.mean < other.alone_mean for one, other in zip(hashed, mixed, strict=True))
    with pytest.raises(InputError, match="65 GPUs of the 64"):
        interference(plan, [Job("first", 65)])


ATOP_MS = {"rail-optimized": 4.511, "hpn": 2.608, "dragonfly": 5.204}
"""NS-3's times of 64 MB all to all on 64 GPUs, with 5 us a link (ATOP, SIGCOMM 2025, doi 10.1145/3718958.3750503)."""


def of_atop(name: str) -> Blueprint:
    """Return the fabric that ATOP's packets ran on: 320, 192 and 876 switches."""
    if name == "dragonfly":
        return sized(form_of(name, 1), 73 * 12 * 6, group=73, router=12, slot=6, **{"global": 6})
    if name == "hpn":
        return sized(form_of(name, 2), 512, gpus=8, segment=8, slot=64, rail=8, spine=32, plane=2)
    form = next(form for form in families()[name].forms if "spine(pod, rail" in form.text)
    copies = {"leaf-spine": 2, "spine-core": 8}
    return sized(form, 512, gpus=8, pod=1, block=16, slot=32, rail=8, group=16, core=4, **copies)


@pytest.mark.parametrize(
    ("name", "seeds"), [("rail-optimized", 1), *(pytest.param(name, 3, marks=pytest.mark.slow) for name in ATOP_MS)]
)
def test_packets_all_to_all_of_atop(name: str, seeds: int) -> None:
    """GPUs that send to the others in turn, each at its own pace, under ECMP take as long as NS-3's within 10 %."""
    plan = of_atop(name)
    assert plan.switches == {"rail-optimized": 320, "hpn": 192, "dragonfly": 876}[name]
    qps = 2 if name == "hpn" else 1
    found = [all_to_all_s(plan, 64, 8, 1e6, Routing("ecmp", qps, seed), 5e-6) for seed in range(seeds)]
    assert sum(found) / seeds == pytest.approx(ATOP_MS[name] * 1e-3, rel=0.1)
