"""The algorithms of collectives: which time each takes in closed form, and which flows it puts on the network."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.errors import InputError
from fabric.flow.collectives import COLLECTIVES, Collective
from fabric.flow.rank_runs import (
    FlowLayout,
    direct_flows,
    halving_doubling_flows,
    hierarchical_ring_flows,
    ring_flows,
    tree_flows,
)
from fabric.flow.subflows import Subflows
from fabric.flow.time_models import (
    TimeModel,
    direct_time,
    halving_doubling_time,
    hierarchical_ring_time,
    hierarchical_tree_time,
    nvls_time,
    nvls_tree_time,
    pairwise_time,
    ring_time,
    sharp_time,
    tree_time,
)
from fabric.registry import Registry

__all__ = ["ALGORITHMS", "Algorithm", "Traffic", "algorithm_of", "algorithms_of"]


@dataclass(frozen=True)
class Traffic:
    """An algorithm's traffic, as closed forms use it."""

    ring: bool = False
    """Whether servers send to the next in order of placement alone."""
    uniform: bool = False
    """Whether NICs send to all others alike."""
    next_rank: bool = False
    """Whether each GPU sends to the next alone, so that only the last of a server's uses the network."""
    partners: int = 1
    """The NICs that a NIC sends to at the same time."""
    trees: int = 1
    """The trees or rings among which channels are divided, so that a NIC meets each partner on a part of them."""

    def subflows(self, qps: int) -> Subflows:
        """Return what a NIC sends at the same time where all of its channels together have `qps` queue pairs."""
        return Subflows(self.queue_pairs(qps), self.partners)

    def queue_pairs(self, qps: int) -> int:
        """Return the queue pairs to one partner where all channels of a NIC together have `qps`, at least one."""
        return -(-qps // self.trees)


TREE = Traffic(partners=4, trees=2)
"""In a double binary tree a NIC has one parent in each of the two trees, and two children in one of them."""

UNIFORM = Traffic(uniform=True)


@dataclass(frozen=True)
class Algorithm:
    """A way to carry out collectives."""

    name: str
    """The word by which it is asked for."""
    description: str
    """How it works, in a few words."""
    time: TimeModel | None = None
    """Returns its time in closed form; None: only explicit flows."""
    flows: FlowLayout | None = None
    """Yields its explicit flows; None: only the closed form."""
    traffic: Traffic = Traffic()
    """Its traffic, for closed forms."""
    needs: str = ""
    """What it needs, in words for messages; empty where it always runs."""
    automatic: bool = True
    """Whether it is among those that the fastest is chosen from when no algorithm is asked for, as NCCL does."""
    in_network: bool = False
    """Whether the network's switches reduce: reports show it where they can, beside what the library chooses."""
    collectives: tuple[str, ...] = ()
    """The names of collectives that it implements, beyond those that name it themselves."""


_SEVERAL = "several servers"
_NVLS = "servers of three or more GPUs with NVLink switches that reduce"

ALGORITHMS = Registry(
    "algorithm",
    "algorithms",
    Algorithm,
    lambda: (
        Algorithm("ring", "a ring of all GPUs", ring_time, ring_flows, Traffic(ring=True)),
        Algorithm("tree", "a double binary tree over servers", tree_time, tree_flows, TREE),
        Algorithm("nvls", "reduction in the NVLink switches", nvls_time, needs=f"one server, and {_NVLS}"),
        Algorithm(
            "nvls-tree", "reduction in NVLink switches, a tree over servers", nvls_tree_time, tree_flows, TREE,
            needs=f"{_SEVERAL}, and {_NVLS}",
        ),
        Algorithm(
            "sharp", "reduction in the network's switches", sharp_time,
            needs=f"{_SEVERAL}, InfiniBand switches, and {_NVLS}", automatic=False, in_network=True,
        ),
        Algorithm(
            "hierarchical-ring", "in servers by NVLink, between them a ring for each rail", hierarchical_ring_time,
            hierarchical_ring_flows, Traffic(ring=True), _SEVERAL, automatic=False,
        ),
        Algorithm(
            "hierarchical-tree", "in servers by NVLink, between them a tree for each rail", hierarchical_tree_time,
            tree_flows, TREE, _SEVERAL, automatic=False,
        ),
        Algorithm(
            "halving-doubling", "in servers by NVLink, between them recursive halving and doubling",
            halving_doubling_time, halving_doubling_flows, needs=_SEVERAL, automatic=False,
        ),
        Algorithm("pairwise", "every GPU to all others, many at a time", pairwise_time, direct_flows, UNIFORM),
        Algorithm("direct", "every GPU to its peers at once", direct_time, direct_flows, Traffic(next_rank=True)),
    ),
)  # fmt: skip
"""The algorithms by name; another package adds one under the entry-point group `fabric.algorithms`."""


def algorithms_of(collective: Collective) -> tuple[Algorithm, ...]:
    """Return the algorithms that implement a collective, the usual first; raises InputError for an unknown name."""
    named = [ALGORITHMS.get_record(name) for name in collective.algorithms]
    others = [each for each in ALGORITHMS.values() if collective.name in each.collectives and each not in named]
    return (*named, *others)


def algorithm_of(collective: str, name: str) -> Algorithm:
    """Return the algorithm `name` of a collective; raises InputError when it does not implement it."""
    algorithm, known = ALGORITHMS.get_record(name), algorithms_of(COLLECTIVES.get_record(collective))
    if algorithm not in known:
        names = ", ".join(each.name for each in known) or "none"
        raise InputError(f"algorithm '{name}' does not implement {collective}; algorithms of {collective}: {names}")
    return algorithm
