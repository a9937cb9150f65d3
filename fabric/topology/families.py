"""The registry of families: the built-in ones, and those that other packages export."""

from __future__ import annotations

import copyreg
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from fabric.registry import Registry
from fabric.request import KnownNames, TopologyNames
from fabric.topology.bcube import BCUBE
from fabric.topology.clos_families import FAT_TREE, HPN, RAIL_ONLY, RAIL_OPTIMIZED
from fabric.topology.dragonfly import DRAGONFLY, DRAGONFLY_PLUS
from fabric.topology.family import Family
from fabric.topology.graph_form import GraphForm
from fabric.topology.jellyfish import JELLYFISH
from fabric.topology.lattices import HYPERX, MESH, TORUS
from fabric.topology.slim_fly import SLIM_FLY
from fabric.topology.topology import Topology
from fabric.topology.zcube import ZCUBE

__all__ = [
    "BUILTIN",
    "CLOS",
    "DIRECT",
    "FAMILIES",
    "Family",
    "families",
    "family",
    "family_sets",
    "form_of",
    "forms_by_value",
    "known_names",
    "with_family_names",
]

CLOS = (FAT_TREE, RAIL_OPTIMIZED, RAIL_ONLY, HPN)
DIRECT = (DRAGONFLY, DRAGONFLY_PLUS, SLIM_FLY, HYPERX, TORUS, MESH, JELLYFISH)
BUILTIN = (*CLOS, *DIRECT, BCUBE, ZCUBE)


FAMILIES = Registry("family", "families", Family, lambda: BUILTIN, reserved=("any", "clos", "direct"))
"""Every family by name; other packages export theirs under the entry-point group `fabric.families`."""


def families() -> Registry[Family]:
    """Return every known family by name."""
    return FAMILIES


def known_names() -> KnownNames:
    """Return the names that a request may use: those of the families, and of their roles, bundles and axes."""
    every = {name: (*item.forms, *filter(None, [item.rails_apart])) for name, item in FAMILIES.items()}
    topologies = {name: tuple(_names_of(FAMILIES[name], form) for form in forms) for name, forms in every.items()}
    return KnownNames(topologies, family_sets())


def _names_of(family: Family, topology: Topology) -> TopologyNames:
    uplinks = tuple(group.role for group in topology.switch_groups if topology.ports_up(group))
    bundles = tuple(bundle.name for bundle in topology.bundles)
    own = family.own_planes(topology), family.own_ratio(topology)
    more = tuple(name for name in topology.balanced().size_names if name not in topology.size_names)
    return TopologyNames(topology.tiers, topology.roles, uplinks, bundles, topology.axes, *own, more)


def family(name: str) -> Family:
    """Return the family called `name`; raises InputError with the nearest."""
    return FAMILIES.get_record(name)


def with_family_names(request: Any) -> Any:
    """Return a request's keys with the names of families given as values (see `Registry.name_value`).

    What is not a mapping of keys with a family is returned as it is.
    """
    if not isinstance(request, Mapping) or "family" not in request:
        return request
    asked = request["family"]
    several = isinstance(asked, list | tuple)
    return {**request, "family": [*map(FAMILIES.name_value, asked)] if several else FAMILIES.name_value(asked)}


def form_of(name: str, index: int) -> Topology:
    """Return a form of the family called `name`; raises InputError for an unknown one."""
    return family(name).forms[index]


_BY_VALUE = ContextVar("forms by value", default=False)


@contextmanager
def forms_by_value() -> Iterator[None]:
    """Pickle forms whole within the block, for a process that does not know their families."""
    token = _BY_VALUE.set(True)
    try:
        yield
    finally:
        _BY_VALUE.reset(token)


def _reduce_form(form: GraphForm) -> str | tuple[Any, ...]:
    """Return how a form is pickled: by its place in a known family, as functions lay its links, which have no name."""
    known = None if _BY_VALUE.get() else FAMILIES.get(form.family)
    if known and form in known.forms:
        return form_of, (form.family, known.forms.index(form))
    return form.__reduce_ex__(2)


copyreg.pickle(GraphForm, _reduce_form)


def family_sets() -> dict[str, tuple[str, ...]]:
    """Return the words that stand for several families, of those that join every GPU to every other by themselves.

    `clos` are chains of tiers, but for those that are another on planes; `direct` all others; and `any` is both.
    """
    able = [item for item in families().values() if item.any_to_any]
    clos = tuple(item.name for item in able if item.layered and item.least_planes == 1)
    direct = tuple(item.name for item in able if not item.layered)
    return {"clos": clos, "direct": direct, "any": tuple(item.name for item in able)}
