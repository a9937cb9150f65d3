"""Unlike servers in a request: their kinds and numbers, how one grows, and what contradicts a list of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fabric.catalog import servers
from tests.request_fixtures import mistakes_of, read

STORAGE = {"name": "storage", "gpus": 0, "nics": 2, "nic_gbps": 200}
LIST = [
    {"server": "hgx-h100", "count": 32},
    {"server": "hgx-a100", "count": 16, "per_unit": 8},
    {"server": STORAGE, "count": 6},
]


def test_the_kinds_of_a_list_are_counted() -> None:
    """GPUs, servers and NICs are those of all kinds; a storage node has no GPUs, but it has links."""
    spec = read(servers=LIST)
    assert [(kind.name, kind.count, kind.grown, kind.per_unit) for kind in spec.kinds] == [
        ("hgx-h100", 32, 32, None), ("hgx-a100", 16, 16, 8), ("storage", 6, 6, None),
    ]  # fmt: skip
    assert (spec.gpus, spec.servers, spec.nics) == (48 * 8, 54, 48 * 8 + 12)
    assert (spec.server, spec.rails, spec.mix) == (servers()["hgx-h100"], (8,), "apart")


def test_each_kind_has_the_rate_of_its_nics() -> None:
    """The links of a kind run at the rate of its NICs, split over the planes, or at `link_gbps` if that is less."""
    spec, slower = read(servers=LIST), read(servers=LIST, link_gbps=100)
    assert [spec.host_gbps(kind.server, 2) for kind in spec.kinds] == [200, 100, 100]
    assert (spec.plane_gbps(1), spec.plane_gbps(2), slower.plane_gbps(1), spec.plane_gbps(3)) == (400, 200, 100, 0)


def test_the_kind_that_grows_comes_last() -> None:
    """One kind takes the last places, so that no cable of the others is moved; stages count all GPUs."""
    spec = read(servers=LIST, grow_to_gpus={"hgx-h100": [300, 512]})
    assert [(kind.name, kind.grown) for kind in spec.kinds] == [("hgx-a100", 16), ("storage", 6), ("hgx-h100", 64)]
    assert (spec.stages, spec.grow_to_gpus, spec.grown_servers) == ((428, 640), 640, 86)
    assert (spec.nics, spec.grown_nics) == (396, 64 * 8 + 128 + 12)


def test_a_bundle_of_all_servers_stands_for_that_of_each_kind() -> None:
    """What is said of `server-leaf` holds for the links of every kind that has no value of its own."""
    spec = read(servers=LIST, lengths_m={"server-leaf": 3, "storage-leaf": 30, "leaf-spine": 40})
    assert [spec.length_m(f"{name}-leaf") for name in ("hgx-h100", "hgx-a100", "storage")] == [3, 3, 30]


def test_a_complete_request_reads_as_the_same() -> None:
    """The request in a result, with its defaults, says the same as the one that was written."""
    spec = read(servers=LIST, mix="together")
    assert replace(read(dict(spec.request)), left_to_family=()) == replace(spec, left_to_family=())


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"servers": LIST, "server": "hgx-h100"}, "server: is for equal servers, and `servers` lists unlike ones; keep"),
    ({"servers": LIST, "unit_gpus": 64}, "unit_gpus: is for equal servers, and `servers` lists unlike ones; write"),
    ({"servers": LIST, "pod_gpus": 640}, "pod_gpus: is for equal servers, and `servers` lists unlike ones; leave"),
    ({"servers": LIST, "rails": [4, 8]}, "rails: is a choice; for unlike servers write one number"),
    ({"servers": LIST, "pinned": {"slot": 4}}, "pinned.slot: is for equal servers; write `per_unit`"),
    ({"servers": LIST, "gpus": 385}, "gpus: 385, but the servers listed have 384; leave it out, or make them agree"),
    ({"servers": [*LIST, LIST[0]]}, "servers[3].server: 'hgx-h100' is already the name of something else"),
    ({"servers": [{"server": {**STORAGE, "name": "leaf"}, "count": 1}, LIST[0]]}, "'leaf' is already the name"),
    ({"servers": []}, "servers: is empty; give at least one"),
    ({"servers": [{"server": "hgx-h100"}]}, "servers[0].count: missing; write for example `count: 32`"),
    ({"servers": [{"server": "hgx-h10", "count": 1}]}, "unknown server 'hgx-h10'; did you mean 'hgx-h100'?"),
    ({"servers": LIST, "mix": "mixed"}, "mix: unknown value 'mixed'; known: apart, together"),
    ({"servers": LIST, "rails": 3}, "rails: 3 does not divide the most NICs of a server, 8"),
    ({"servers": LIST, "planes": 3}, "planes: a NIC of 400G does not split evenly over 3"),
    ({"servers": LIST, "link_gbps": 800}, "link_gbps: 800 is faster than the server's NICs; at most 400"),
    ({"servers": LIST, "lengths_m": {"hgx-leaf": 3}}, "unknown bundle 'hgx-leaf'"),
    ({"servers": LIST, "grow_to_gpus": 512}, "say which kind of server grows; write for example {hgx-h100: 512}"),
    ({"servers": LIST, "grow_to_gpus": {"hgx-h100": 200}}, "200 is less than the GPUs of all hgx-h100, 256"),
    ({"servers": LIST, "grow_to_gpus": {"storage": 8}}, "grow_to_gpus.storage: has no GPUs to count"),
    ({"servers": LIST, "grow_to_gpus": {"dgx-h100": 8}}, "is not listed under `servers`; known: hgx-h100, hgx-a100"),
    ({"servers": LIST, "grow_to_gpus": {"hgx-h100": 300, "hgx-a100": 300}}, "names several kinds of servers; one can"),
    ({"gpus": 8, "server": "hgx-h100", "grow_to_gpus": {"hgx-h100": 16}}, "all servers are equal; write a number"),
    ({"gpus": 8, "server": "hgx-h100", "mix": "together"}, "mix: is for unlike servers; list them under `servers`"),
    ({"gpus": 8, "server": STORAGE}, "server: has no GPUs that would count it; list it under `servers` with its"),
    ({"gpus": 8, "server": ["hgx-h100", "hgx-a100"]}, "server: is a list; write unlike servers under `servers`"),
]  # fmt: skip
"""Requests with one mistake each, and what the message says."""


@pytest.mark.parametrize(("words", "text"), WRONG, ids=[text[:30] for _, text in WRONG])
def test_a_contradiction_is_named_with_its_remedy(words: dict[str, Any], text: str) -> None:
    """A list of servers that says two things at once is refused in one message."""
    (mistake,) = mistakes_of(words)
    assert text in mistake
