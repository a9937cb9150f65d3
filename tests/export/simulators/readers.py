"""Readers of the files of simulators, by the rules of the simulators' own source, which refuse what these refuse."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

Pair = tuple[int, int]


@dataclass
class SimAI:
    """What SimAI's `SetupNetwork` (`network_frontend/ns3/common.h`) reads."""

    gpus: int
    per_server: int
    boxes: list[int]
    switches: list[int]
    gpu: str
    links: dict[Pair, tuple[int, float]] = field(default_factory=dict)
    """The rate in Gb/s and the delay in ns by the ends, the lower number first."""


def read_simai(text: str) -> SimAI:
    """Read a topology word by word, as streams of C++ do; every link is between two known nodes, once."""
    words = iter(text.split())
    nodes, per_server, boxes, switches, count = (int(next(words)) for _ in range(5))
    gpu = next(words)
    found = [int(next(words)) for _ in range(boxes + switches)]
    assert len(set(found)) == len(found)
    gpus = nodes - boxes - switches
    # The nodes that are no switches are GPUs, and SimAI takes the first ones to be these.
    assert sorted(found) == list(range(gpus, nodes))
    read = SimAI(gpus, per_server, found[:boxes], found[boxes:], gpu)
    for _ in range(count):
        one, other = int(next(words)), int(next(words))
        rate, delay, errors = next(words), next(words), float(next(words))
        assert rate.endswith("Gbps")
        assert delay.endswith("ns")
        assert 0 <= errors <= 1
        pair = min(one, other), max(one, other)
        assert 0 <= pair[0] < pair[1] < nodes
        assert pair not in read.links, "ns-3 has one link between two nodes"
        read.links[pair] = int(rate.removesuffix("Gbps")), float(delay.removesuffix("ns"))
    assert next(words, None) is None
    return read


@dataclass
class AnyNet:
    """What BookSim's `AnyNet::readFile` reads."""

    router_of: dict[int, int]
    """The router of each node."""
    routers: dict[int, set[int]]
    """The routers that each is joined to."""


def read_anynet(text: str) -> AnyNet:
    """Read a network; nodes and routers are numbered from 0 on, nodes have one router, and all routers are joined."""
    read = AnyNet({}, defaultdict(set))
    for line in filter(None, text.split("\n")):
        words = [word for word in line.split(" ") if word]
        assert words[0] in ("router", "node")
        kinds, numbers = words[::2], [int(word) for word in words[1::2]]
        assert len(kinds) == len(numbers) >= 2, "a head, and what it is joined to"
        assert kinds[0] == "router"
        head = numbers[0]
        read.routers[head] |= set()
        for kind, number in zip(kinds[1:], numbers[1:], strict=True):
            if kind == "node":
                assert read.router_of.setdefault(number, head) == head, "connected to multiple routers"
                continue
            assert kind == "router"
            assert number != head
            assert number not in read.routers[head], "one channel between two routers"
            read.routers[head].add(number)
            read.routers[number].add(head)
    assert sorted(read.router_of) == list(range(len(read.router_of)))
    assert sorted(read.routers) == list(range(len(read.routers)))
    reached, open_ = {0}, [0]
    while open_:
        new = read.routers[open_.pop()] - reached
        reached |= new
        open_ += new
    assert reached == set(read.routers), "no path between two routers"
    return read


@dataclass
class FatTree:
    """What htsim's `FatTreeTopology::load` makes of a file."""

    nodes: int
    pods: int
    switches: list[int]
    """The switches of each tier."""
    links: list[int]
    """The links below each tier."""
    tiers: list[dict[str, int]]
    """The settings of each tier."""


SETTINGS = {
    "downlink_speed_gbps", "radix_up", "radix_down", "oversubscribed", "bundle", "switch_latency_ns",
    "downlink_latency_ns",
}  # fmt: skip


def read_htsim(text: str) -> FatTree:
    """Read a topology and compute the switches as `set_custom_params` does, with all of its checks."""
    head: dict[str, int] = {}
    tiers: list[dict[str, int]] = []
    for words in _lines(text):
        key, value = words[0].lower(), int(words[1])
        assert len(words) == 2
        if key == "tier":
            assert value == len(tiers)
            tiers.append({})
        elif tiers:
            assert key in SETTINGS
            assert key not in tiers[-1]
            tiers[-1][key] = value
        else:
            assert key in ("nodes", "tiers", "podsize")
            head[key] = value
    nodes, pod = head["nodes"], head["podsize"]
    assert len(tiers) == head["tiers"]
    assert len(tiers) in (2, 3)
    for number, tier in enumerate(tiers):
        assert tier["downlink_speed_gbps"] > 0
        assert tier["downlink_latency_ns"] > 0, "0 is missing"
        assert tier["radix_down"] % tier.get("bundle", 1) == 0
        assert ("radix_up" in tier) == (number < len(tiers) - 1)
        if number < len(tiers) - 1:
            assert tier["radix_up"] % tiers[number + 1].get("bundle", 1) == 0
    assert tiers[0].get("bundle", 1) == 1
    assert nodes % pod == 0
    assert pod % tiers[0]["radix_down"] == 0
    return FatTree(nodes, nodes // pod, *_count(nodes, pod, tiers), tiers)


def _count(nodes: int, pod: int, tiers: list[dict[str, int]]) -> tuple[list[int], list[int]]:
    """Return the switches and the links of each tier."""
    pods, leaf, above = nodes // pod, tiers[0], tiers[1]
    uplinks = _divide(nodes * leaf["downlink_speed_gbps"], above["downlink_speed_gbps"] * leaf.get("oversubscribed", 1))
    assert leaf["radix_down"] // leaf["radix_up"] == leaf.get("oversubscribed", 1)
    in_pod = _divide(uplinks, pods * above["radix_down"])
    assert in_pod * above.get("bundle", 1) == leaf["radix_up"]
    switches, links = [pods * (pod // leaf["radix_down"]), in_pod * pods], [nodes, uplinks]
    if len(tiers) == 2:
        assert pods == 1, "pods would not be joined"
        return switches, links
    core = tiers[2]
    more = _divide(uplinks * above["downlink_speed_gbps"], core["downlink_speed_gbps"] * above.get("oversubscribed", 1))
    cores = _divide(more, core["radix_down"])
    assert cores % in_pod == 0
    assert cores * core.get("bundle", 1) // in_pod == above["radix_up"]
    return [*switches, cores], [*links, more]


def _divide(number: int, by: int) -> int:
    whole, rest = divmod(number, by)
    assert rest == 0
    return whole


def _lines(text: str) -> Iterator[list[str]]:
    """Yield the words of each line that is not empty, nor a comment."""
    for line in text.split("\n"):
        words = [word for word in line.split(" ") if word]
        if words and not words[0].startswith("#"):
            yield words
