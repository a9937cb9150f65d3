"""Which direct network a discovered fabric is: torus, mesh, HyperX, Slim Fly, dragonfly, dragonfly+ or a random graph.

What is compared are counts that no numbering of switches changes: neighbours, links of a pair, and how many pairs of
switches are how far apart. Of lattices and Slim Fly these follow from the sizes in closed form; a dragonfly shows its
groups as cliques, and a dragonfly+ as complete bipartite parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt

from fabric.discovery.graph import Graph, components, modal
from fabric.discovery.structure import Structure
from fabric.topology.switch_graph import Graph as SwitchGraph

__all__ = ["DirectNetwork", "SwitchPairs", "find_direct", "list_pairs"]

Ints = npt.NDArray[np.int64]

MOST_SWITCHES = 4096
"""The switches up to which distances are computed: of all pairs."""

CLOSE = 0.05
"""The share of pairs that may be at another distance: a lost or wrong cable lengthens paths of some."""

NEAR = 0.01
"""The share up to which a lattice is sure, before groups are looked for."""

LATTICE_AXES = ("x", "y", "z", "w", "v", "u")


@dataclass(frozen=True)
class DirectNetwork:
    """A direct network that has the counts of the discovered one."""

    family: str
    """The family."""
    sizes: dict[str, int]
    """The sizes of its axes and the parallel links of its bundles, as a request pins them."""
    text: str
    """What it is, for people: `a torus of 4 x 4 x 8 switches`."""


@dataclass(frozen=True)
class SwitchPairs:
    """The switches that have links to other switches, and the pairs that are joined."""

    nodes: Ints
    """The node of each switch in the graph, shape (switches,)."""
    pairs: Ints
    """The joined pairs, each once, shape (pairs, 2)."""
    links: Ints
    """The links of each pair, shape (pairs,)."""

    @property
    def switches(self) -> int:
        """The number of switches."""
        return len(self.nodes)

    def degrees(self) -> Ints:
        """Return the neighbours of each switch, shape (switches,)."""
        return np.bincount(self.pairs.reshape(-1), minlength=self.switches)

    def distances(self) -> npt.NDArray[np.float64]:
        """Return the share of ordered pairs of switches at each distance from 0; unconnected ones are left out."""
        size, every = self.switches, np.arange(self.switches)
        arcs = np.concatenate([self.pairs, self.pairs[:, ::-1]])
        tails, heads = arcs[np.argsort(arcs[:, 0], kind="stable")].T
        ones, none = np.ones(len(arcs), np.int64), np.zeros(0, np.int64)
        graph = SwitchGraph(size, every[:, None], tails, heads, ones, ones, ones, ones > 1, none, none)
        return np.array(graph.distances(every)) / size**2

    def common_neighbours(self) -> Ints:
        """Return how many neighbours both switches of each joined pair have, shape (pairs,)."""
        size = self.switches
        near = np.zeros((size, -(-size // 64) * 64), np.bool_)
        one, two = self.pairs.T
        near[one, two] = near[two, one] = True
        words = np.packbits(near, axis=1).view(np.uint64)
        both: Ints = np.bitwise_count(words[one] & words[two]).sum(axis=1).astype(np.int64)
        return both


def list_pairs(graph: Graph) -> SwitchPairs:
    """Return the pairs of switches of a graph that have links."""
    between = graph.is_switch[graph.lower] & graph.is_switch[graph.upper] & (graph.lower != graph.upper)
    ends = np.sort(np.column_stack((graph.lower[between], graph.upper[between])), axis=1)
    pairs, links = np.unique(ends, axis=0, return_counts=True)
    nodes, place = np.unique(pairs, return_inverse=True)
    return SwitchPairs(nodes, place.reshape(-1, 2), links)


def find_direct(structure: Structure) -> DirectNetwork | None:
    """Return the direct network that a structure is; None of a Clos fabric, and where it is none that is known."""
    if not structure.tiers or structure.is_clos:
        return None
    graph = structure.graph
    found = list_pairs(graph)
    if not 2 < found.switches <= MOST_SWITCHES:
        return None
    if network := _dragonfly_plus(graph, found):
        return network
    seen = found.distances()
    known = [(_differ(seen, expected), each) for each, expected in (*_lattices(found), *_slim_fly(found))]
    least, nearest = min(known, key=lambda pair: pair[0], default=(1.0, None))
    if least < NEAR:
        return nearest
    return _dragonfly(found) or (nearest if least <= CLOSE else _random(found))


def _differ(one: npt.NDArray[np.float64], two: npt.NDArray[np.float64]) -> float:
    """Return the share of pairs at another distance."""
    size = max(len(one), len(two))
    return float(np.abs(np.pad(one, (0, size - len(one))) - np.pad(two, (0, size - len(two)))).sum() / 2)


def _factorings(number: int, least: int = 2, most: int = len(LATTICE_AXES)) -> Iterator[tuple[int, ...]]:
    """Yield the ways to write a number as a product of `most` numbers at most, ascending, from `least` on."""
    if number >= least:
        yield (number,)
    if most > 1:
        for first in range(least, int(number**0.5) + 1):
            if number % first == 0:
                yield from ((first, *rest) for rest in _factorings(number // first, first, most - 1))


def _ring(size: int) -> Ints:
    """Return how many ordered pairs of a ring are at each distance."""
    far = np.minimum(np.arange(size), size - np.arange(size))
    return size * np.bincount(far)


def _line(size: int) -> Ints:
    return np.array([size, *(2 * (size - far) for far in range(1, size))])


def _clique(size: int) -> Ints:
    return np.array([size, size * (size - 1)])


LATTICES: tuple[tuple[str, int, Callable[[int], Ints]], ...] = (
    ("torus", 6, _ring),
    ("mesh", 6, _line),
    ("hyperx", 4, _clique),
)
"""The families of lattices, their most axes, and how many ordered pairs along an axis are at each distance."""


def _lattices(found: SwitchPairs) -> Iterator[tuple[DirectNetwork, npt.NDArray[np.float64]]]:
    """Yield the lattices of as many switches and joined pairs, with the distances of their pairs."""
    switches = found.switches
    for family, most, along in LATTICES:
        # A ring of four is a square: the fewest axes come first, so that they are taken of networks that are one.
        for sizes in sorted(_factorings(switches, most=most), key=len):
            shape = [along(size) for size in sizes]
            joined = [int(each[1]) // 2 * (switches // size) for each, size in zip(shape, sizes, strict=True)]
            if max(sizes) > 256 or abs(sum(joined) - len(found.pairs)) > CLOSE * len(found.pairs):
                continue
            parallel = _assign_parallel(found, sizes, joined)
            axes = LATTICE_AXES[: len(sizes)]
            pins = dict(zip(axes, sizes, strict=True))
            pins |= {f"leaf-{axis}": links for axis, links in zip(axes, parallel, strict=True)}
            text = f"a {'HyperX' if family == 'hyperx' else family} of {' x '.join(map(str, sizes))} switches"
            yield DirectNetwork(family, pins, text), reduce(np.convolve, shape) / switches**2


def _assign_parallel(found: SwitchPairs, sizes: tuple[int, ...], joined: list[int]) -> tuple[int, ...]:
    """Return the links of a pair along each axis, so that as many pairs as there are have each number.

    Pairs of one number of links form lattices of the axes that have it, which says which axes these are.
    """
    values = Counter(found.links.tolist())
    common = [value for value, _ in values.most_common(len(joined))]
    if len(common) == 1:
        return tuple(common * len(joined))
    parts = {value: _part_size(found, found.links == value) for value in common}

    def miss(choice: tuple[int, ...]) -> tuple[int, int]:
        expected = Counter[int]()
        for value, number in zip(choice, joined, strict=True):
            expected[value] += number
        products = {
            value: prod(size for size, own in zip(sizes, choice, strict=True) if own == value) for value in choice
        }
        off = sum(products[value] != parts[value] for value in products)
        return sum(abs(expected[value] - values[value]) for value in expected | values), off

    return min(product(sorted(common), repeat=len(joined)), key=miss)


def _part_size(found: SwitchPairs, rows: npt.NDArray[np.bool_]) -> int:
    """Return the switches of most connected parts when some pairs are joined alone."""
    label = components(found.switches, *found.pairs[rows].T)
    return modal(np.bincount(label)[np.unique(label[found.pairs[rows].reshape(-1)])])


def _slim_fly(found: SwitchPairs) -> Iterator[tuple[DirectNetwork, npt.NDArray[np.float64]]]:
    """Yield the Slim Fly of as many switches: 2 q^2 of degree (3 q - d) / 2, no two of which are more than 2 apart."""
    q = round((found.switches / 2) ** 0.5)
    delta = {1: 1, 3: -1, 0: 0}.get(q % 4)
    if 2 * q * q != found.switches or delta is None:
        return
    degree = (3 * q - delta) // 2
    switches = found.switches
    pins = {"q": q, "leaf-local": modal(found.links), "leaf-global": modal(found.links)}
    yield (
        DirectNetwork("slim-fly", pins, f"a Slim Fly of q = {q}, {switches} switches of degree {degree}"),
        np.array([1, degree, switches - 1 - degree]) / switches,
    )


def _dragonfly_plus(graph: Graph, found: SwitchPairs) -> DirectNetwork | None:
    """Return the dragonfly+ whose leaves have the hosts and whose spines join the groups."""
    leaf = graph.tier[found.nodes] == 1
    one, two = found.pairs.T
    inner, outer = leaf[one] != leaf[two], ~leaf[one] & ~leaf[two]
    if leaf.all() or not outer.any() or inner.sum() + outer.sum() < (1 - CLOSE) * len(one):
        return None
    label = components(found.switches, one[inner], two[inner])
    groups, place = np.unique(label, return_inverse=True)
    leaves, spines = (modal(np.bincount(place[kind], minlength=len(groups))) for kind in (leaf, ~leaf))
    if abs(len(groups) * leaves * spines - inner.sum()) > CLOSE * inner.sum() or len(groups) < 2:
        return None
    ends = np.bincount(np.repeat(found.pairs[outer], found.links[outer], axis=0).reshape(-1), minlength=len(leaf))
    pins = {
        "group": len(groups), "leaf": leaves, "spine": spines, "global": modal(ends[~leaf]),
        "leaf-spine": modal(found.links[inner]), "spine-global": 1,
    }  # fmt: skip
    return DirectNetwork(
        "dragonfly-plus", pins, f"a dragonfly+ of {len(groups)} groups of {leaves} leaves and {spines} spines"
    )


def _dragonfly(found: SwitchPairs) -> DirectNetwork | None:
    """Return the dragonfly whose groups are cliques."""
    one, two = found.pairs.T
    size = found.switches
    # Two routers of a group have all others of it as common neighbours; those of two groups have few.
    common = found.common_neighbours()
    local = common >= max(1.0, float(np.percentile(common, 75)) / 2)
    label = components(size, one[local], two[local])
    _, members = np.unique(label, return_counts=True)
    router = modal(members)
    groups = size // router
    inside = label[one] == label[two]
    if router < 3 or groups < 2 or groups * router != size or len(members) != groups:
        return None
    if abs(inside.sum() - groups * router * (router - 1) / 2) > CLOSE * inside.sum() or inside.all():
        return None
    ends = np.bincount(np.repeat(found.pairs[~inside], found.links[~inside], axis=0).reshape(-1), minlength=size)
    pins = {"group": groups, "router": router, "global": modal(ends), "leaf-local": modal(found.links[inside])}
    pins["leaf-global"] = 1
    return DirectNetwork("dragonfly", pins, f"a dragonfly of {groups} groups of {router} routers")


def _random(found: SwitchPairs) -> DirectNetwork | None:
    """Return a random graph where almost all switches have as many neighbours."""
    degrees = found.degrees()
    degree = modal(degrees)
    if (degrees == degree).mean() < 1 - CLOSE or degree < 3:
        return None
    pins = {"switch": found.switches, "degree": degree, "leaf-leaf": modal(found.links)}
    text = f"{found.switches} switches of {degree} neighbours each, as in a random graph (Jellyfish)"
    return DirectNetwork("jellyfish", pins, text)
