"""The families of fabrics, each a value in the axis algebra, and those that other packages export."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from fabric.errors import InputError, nearest
from fabric.topology.clos import ClosForm
from fabric.topology.cubes import bcube, zcube, zcube_partial
from fabric.topology.direct import dragonfly, dragonfly_plus, jellyfish, slim_fly
from fabric.topology.graph_form import GraphForm
from fabric.topology.lattices import hyperx, mesh, torus

__all__ = ["BUILTIN", "CLOS", "DIRECT", "ENTRY_POINTS", "Family", "families", "family", "family_sets", "words"]

ENTRY_POINTS = "fabric.families"
"""The entry-point group under which a package exports a Family."""


@dataclass(frozen=True)
class Family:
    """A named way to build fabrics: its forms, smallest first, with what to say of it and where it is published."""

    name: str
    title: str
    forms: tuple[ClosForm, ...]
    reference: str
    note: str = ""
    least_planes: int = 1

    @property
    def wired(self) -> bool:
        """Whether its switches are joined by rules of their own, instead of tier by tier."""
        return any(isinstance(form, GraphForm) for form in self.forms)

    @property
    def any_to_any(self) -> bool:
        """Whether every GPU reaches every other through the fabric itself, so that `family: any` may choose it."""
        return all(form.meets for form in self.forms)

    @classmethod
    def of(cls, name: str, title: str, *forms: str, reference: str, note: str = "", least_planes: int = 1) -> Family:
        """Build a family from the texts of its forms (see `Form.parse`)."""
        return cls(name, title, tuple(ClosForm.parse(name, text) for text in forms), reference, note, least_planes)


FAT_TREE = Family.of(
    "fat-tree",
    "folded Clos; all NICs of a server (or of a tray of it) share a leaf",
    "server(slot) - leaf()",
    "server(block, slot) - leaf(block, stripe) - spine(spine)",
    "server(pod, block, slot) - leaf(pod, block, stripe) - spine(pod, group, spine) - core(group, core)",
    "server(zone, pod, block, slot) - leaf(zone, pod, block, stripe) - spine(zone, pod, group, spine)"
    " - core(zone, group, bank, core) - super(group, bank, super)",
    reference="M. Al-Fares et al., SIGCOMM 2008, doi 10.1145/1402958.1402967",
)

RAIL_OPTIMIZED = Family.of(
    "rail-optimized",
    "each rail of a unit's NICs has its own leaf; the rails meet at the spine, the core or above",
    "server(slot) - leaf()",
    "server(block, slot) - leaf(block, rail) - spine(spine)",
    "server(pod, block, slot) - leaf(pod, block, rail) - spine(pod, group, spine) - core(group, core)",
    "server(pod, block, slot) - leaf(pod, block, rail) - spine(pod, rail, group, spine) - core(group, core)",
    "server(zone, pod, block, slot) - leaf(zone, pod, block, rail) - spine(zone, pod, group, spine)"
    " - core(zone, group, bank, core) - super(group, bank, super)",
    "server(zone, pod, block, slot) - leaf(zone, pod, block, rail) - spine(zone, pod, rail, group, spine)"
    " - core(zone, group, bank, core) - super(group, bank, super)",
    "server(zone, pod, block, slot) - leaf(zone, pod, block, rail) - spine(zone, pod, rail, group, spine)"
    " - core(zone, rail, group, bank, core) - super(group, bank, super)",
    reference="NVIDIA DGX SuperPOD reference architecture, RA-11333-001",
)

RAIL_ONLY = Family.of(
    "rail-only",
    "each rail is a fabric of its own; the rails never meet",
    "server(slot) - leaf(rail)",
    "server(block, slot) - leaf(block, rail) - spine(rail, spine)",
    "server(pod, block, slot) - leaf(pod, block, rail) - spine(pod, rail, group, spine) - core(rail, group, core)",
    "server(zone, pod, block, slot) - leaf(zone, pod, block, rail) - spine(zone, pod, rail, group, spine)"
    " - core(zone, rail, group, bank, core) - super(rail, group, bank, super)",
    reference="W. Wang et al., 2023, arXiv:2307.12169",
    note="GPUs of different rails reach each other only through NVLink: this is no cheaper fat tree.",
)

DRAGONFLY = Family(
    "dragonfly",
    "groups of routers, all joined to each other within a group, and every two groups by links of their own",
    (dragonfly(),),
    reference="J. Kim et al., ISCA 2008, doi 10.1109/ISCA.2008.19",
)

DRAGONFLY_PLUS = Family(
    "dragonfly-plus",
    "groups of leaves and spines, every two groups joined by their spines",
    (dragonfly_plus(),),
    reference="A. Shpiner et al., HiPINEB 2017, doi 10.1109/HiPINEB.2017.11",
)

SLIM_FLY = Family(
    "slim-fly",
    "routers joined by McKay-Miller-Siran graphs, no two of which are more than two links apart",
    (slim_fly(),),
    reference="M. Besta and T. Hoefler, SC 2014, doi 10.1109/SC.2014.34",
)

HYPERX = Family(
    "hyperx",
    "a lattice of switches, each joined to all others of its lines; of equal sizes it is a flattened butterfly",
    tuple(hyperx(dimensions) for dimensions in (1, 2, 3, 4)),
    reference="J. Ahn et al., SC 2009, doi 10.1145/1654059.1654101",
)

TORUS = Family(
    "torus",
    "a lattice of switches, each joined to its two neighbours on every line, around; x far is x / 2",
    tuple(torus(dimensions) for dimensions in (1, 2, 3, 4, 5, 6)),
    reference="W. Dally, IEEE Transactions on Computers 39(6), 1990, doi 10.1109/12.53599",
)

MESH = Family(
    "mesh",
    "a torus whose lines are not closed; x far is x - 1",
    tuple(mesh(dimensions) for dimensions in (1, 2, 3, 4, 5, 6)),
    reference="W. Dally, IEEE Transactions on Computers 39(6), 1990, doi 10.1109/12.53599",
)

BCUBE = Family(
    "bcube",
    "servers with a port for each level of switches, which alone join them; servers pass on what goes further",
    tuple(bcube(digits) for digits in (2, 3, 4)),
    reference="C. Guo et al., SIGCOMM 2009, doi 10.1145/1592568.1592577",
)

ZCUBE = Family(
    "zcube",
    "a BCube of two or three levels whose switches are joined as well",
    (zcube(2), zcube(3), zcube_partial()),
    reference="Z. Yan et al., SIGCOMM 2025, doi 10.1145/3718958.3750503",
)

HPN = Family.of(
    "hpn",
    "dual top-of-rack, dual plane: each port of a NIC has a leaf of its own, and no two planes meet",
    "server(segment, slot) - leaf(segment, rail) - spine(spine)",
    "server(pod, segment, slot) - leaf(pod, segment, rail) - spine(pod, group, spine) - core(group, core)",
    reference="K. Qian et al., SIGCOMM 2024, doi 10.1145/3651890.3672265",
    least_planes=2,
)

JELLYFISH = Family(
    "jellyfish",
    "switches joined at random",
    (jellyfish(2), jellyfish(3)),
    reference="A. Singla et al., NSDI 2012, https://www.usenix.org/conference/nsdi12",
)

CLOS = (FAT_TREE, RAIL_OPTIMIZED, RAIL_ONLY, HPN)
DIRECT = (DRAGONFLY, DRAGONFLY_PLUS, SLIM_FLY, HYPERX, TORUS, MESH, JELLYFISH)
BUILTIN = (*CLOS, *DIRECT, BCUBE, ZCUBE)


@cache
def families() -> dict[str, Family]:
    """Return every known family by name: the built-in ones, then those exported under `fabric.families`.

    Raises InputError when an entry point does not hold a Family or takes a name that is taken.
    """
    known = {item.name: item for item in BUILTIN}
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        found = _load(point)
        if not isinstance(found, Family):
            raise InputError(f"entry point {point.name} of {ENTRY_POINTS}: {point.value} is no fabric.families.Family")
        if found.name in known:
            raise InputError(f"entry point {point.name} of {ENTRY_POINTS}: the family name '{found.name}' is taken")
        known[found.name] = found
    return known


def _load(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:
        raise InputError(f"entry point {point.name} of {ENTRY_POINTS}: {point.value} fails: {error!r}") from error


@cache
def words() -> dict[str, dict[int, frozenset[str]]]:
    """Return the axes and bundles of every family's forms, by the family's name and the tiers of the form."""
    return {name: _words(item) for name, item in families().items()}


def _words(item: Family) -> dict[int, frozenset[str]]:
    found: dict[int, frozenset[str]] = {}
    for form in item.forms:
        found[form.tiers] = found.get(form.tiers, frozenset()) | {*form.axes, *(one.name for one in form.bundles)}
    return found


def family(name: str) -> Family:
    """Return the family called `name`; raises InputError naming the nearest."""
    if name not in families():
        raise InputError(f"no family '{name}'{nearest(name, families())}")
    return families()[name]


def family_sets() -> dict[str, tuple[str, ...]]:
    """Return the words that stand for several families, of those that join every GPU to every other by themselves.

    `clos` are chains of tiers, but for those that are another on planes; `direct` all others; and `any` is both.
    """
    able = [item for item in families().values() if item.any_to_any]
    clos = tuple(item.name for item in able if not item.wired and item.least_planes == 1)
    direct = tuple(item.name for item in able if item.wired)
    return {"clos": clos, "direct": direct, "any": tuple(item.name for item in able)}
