"""The flows of collectives: which NICs send to which, and how many bytes."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.catalog import Server
from fabric.errors import InputError, TooLarge
from fabric.flow import Phase, phases, place, shares
from tests.flow.flow_fabrics import WITH_FLOWS, rails
from tests.network.test_network import blueprint

BOX = Server("box", gpus=8, nics=8, nic_gbps=400)


def sent(phase: Phase, nics: int) -> np.ndarray:
    """Return the share of the bytes that each of `nics` NICs sends."""
    return np.bincount(phase.source, phase.share, nics)


def test_a_ring_sends_what_busbw_counts_by_every_nic() -> None:
    """With full servers a ring's bytes, 2(n-1)/n, leave each server split evenly over its NICs, rail by rail."""
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


def test_an_all_to_all_has_a_flow_between_any_two_gpus() -> None:
    """Every pair of GPUs in different servers has one flow of 1/n of the bytes, and a sample weighs for all."""
    placement = np.random.default_rng(1).permutation(64)[:40]
    (every,) = phases(BOX, placement, "all-to-all", "pairwise")
    pairs = sorted(zip(every.source, every.target, strict=True))
    assert pairs == sorted((a, b) for a in placement for b in placement if a // 8 != b // 8)
    assert set(every.share) == {1 / 40}
    (sampled,) = phases(BOX, placement, "all-to-all", "pairwise", peers=13)
    assert sampled.share.sum() == pytest.approx(every.share.sum(), rel=0.05)


def test_an_all_to_all_that_memory_cannot_hold_is_refused() -> None:
    """At 100,000 GPUs all pairs at once are refused with their number, and one peer of each is not."""
    with pytest.raises(TooLarge, match="9,999,900,000 flows"):
        next(phases(BOX, np.arange(100_000), "all-to-all", "direct"))
    assert next(phases(BOX, np.arange(100_000), "all-to-all", "pairwise", peers=1)).flows


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
def test_unknown_traffic_is_refused(words: tuple[str, str]) -> None:
    """An unknown collective, or an algorithm that it has not, is bad input."""
    with pytest.raises(InputError, match=r"halving-doubling|'all-reduce'"):
        list(phases(BOX, np.arange(64), *words))


def test_the_time_on_the_wire_is_bytes_over_bandwidth() -> None:
    """A ring at line rate takes 2(n-1)/n of the size over the bandwidth of a server's NICs."""
    plan = blueprint(2048 * 2, 2)
    found = shares(plan, phases(plan.server, place(plan), "all-reduce", "ring"))
    assert found.wire_s == pytest.approx(2 * 4095 / 4096 / (8 * 50e9))


def test_send_recv_sends_all_to_the_next_rank_alone() -> None:
    """Each GPU sends the whole message once, from its own NIC to that of the next."""
    (phase,) = phases(BOX, np.arange(64), "send-recv", "direct")
    assert phase.share.sum() == pytest.approx(64 - 56)
    assert (sent(phase, 64) <= 1).all()
