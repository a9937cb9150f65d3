"""The fabrics that pictures are tested on, each built when it is first asked for."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from random import Random

import fabric
from fabric.blueprint import Blueprint
from fabric.catalog import Switch, servers, switches
from fabric.draw.canvas import Canvas
from fabric.draw.diagram import Diagram, lay_out_diagram
from fabric.testing import random_blueprint
from fabric.topology.clos import ClosForm
from fabric.topology.families import CLOS, FAT_TREE, RAIL_OPTIMIZED, families
from fabric.topology.graph_form import GraphForm
from fabric.topology.topology import PLANE, Topology

SMALL = {"slot": 3, "rail": 4}
"""Every other axis has two values."""
MIDDLE = {"pod": 6, "block": 4, "slot": 16, "rail": 8, "stripe": 3, "group": 4, "spine": 4, "core": 8}
LARGE = {
    "zone": 31, "pod": 49, "block": 16, "slot": 128, "rail": 16, "stripe": 9, "group": 64, "spine": 32, "bank": 16,
    "core": 64, "super": 64, "hall": 12, "rack": 1024, "side": 2, "deck": 5,
}  # fmt: skip
SMALL_GRAPHS: dict[str, dict[str, int]] = {
    "dragonfly": {"group": 4, "router": 4, "global": 3, "slot": 1},
    "dragonfly-plus": {"group": 4, "leaf": 2, "spine": 2, "global": 3, "slot": 1},
    "slim-fly": {"q": 5, "slot": 1},
    "hyperx": {"x": 4, "y": 4, "z": 2, "w": 2, "slot": 1},
    "torus": {"x": 4, "y": 3, "z": 2, "w": 2, "v": 1, "u": 1, "slot": 1},
    "mesh": {"x": 4, "y": 3, "z": 2, "w": 2, "v": 1, "u": 1, "slot": 1},
    "jellyfish": {"switch": 16, "degree": 7, "slot": 1},
    "bcube": {"slot": 1, "y": 2, "z": 2, "w": 2, "part": 2},
    "zcube": {"slot": 1, "y": 4, "z": 2, "part": 2},
}
LARGE_GRAPHS: dict[str, dict[str, int]] = {
    "dragonfly": {"group": 196, "router": 16, "global": 16, "slot": 4},
    "dragonfly-plus": {"group": 98, "leaf": 16, "spine": 16, "global": 16, "slot": 8},
    "slim-fly": {"q": 43, "slot": 4},
    "hyperx": {"x": 15, "y": 15, "z": 14, "w": 2, "slot": 4},
    "torus": {"x": 15, "y": 15, "z": 14, "w": 2, "v": 3, "u": 2, "slot": 4},
    "mesh": {"x": 15, "y": 15, "z": 14, "w": 2, "v": 3, "u": 2, "slot": 4},
    "jellyfish": {"switch": 3125, "degree": 64, "slot": 4},
    "bcube": {"slot": 16, "y": 30, "z": 27, "w": 9, "part": 9},
    "zcube": {"slot": 4, "y": 32, "z": 98, "part": 9},
}

THIRD_PARTY = ClosForm.parse("halls", "server(hall, rack, slot) - tor(hall, side) - hub(hall, deck) - backbone(deck)")
FORMS = [form for family in families().values() for form in family.forms]
CLOS_FORMS = [*(form for family in CLOS for form in family.forms), THIRD_PARTY]
BALANCED_FORMS = [form.balanced() for form in CLOS_FORMS if form.tiers > 1]
GRAPH_FORMS = [form for form in FORMS if isinstance(form, GraphForm)]


def sized(
    form: Topology, sizes: Mapping[str, int], planes: int = 1, parallel: int = 1, model: Switch | None = None
) -> Blueprint:
    """Give every axis of a Clos form its size (2 by default), the last server missing."""
    full = {axis: sizes.get(axis, 2) for axis in form.axes} | {"plane": planes}
    full |= {bundle.name: parallel for bundle in form.bundles}
    number = math.prod(full[axis] for axis in form.server.axes) - 1
    models = dict.fromkeys(form.roles, model or switches()["sn5600"])
    name = f"{form.family} in {form.tiers} tiers"
    return Blueprint(
        name, form, form.complete_sizes(full, 8, number), models, servers()["hgx-h100"], 8 * number, 400
    )  # fmt: skip


def graph(
    form: GraphForm, chosen: Mapping[str, int], planes: int = 1, parallel: int = 1, missing: int = 0
) -> Blueprint:
    """Return a blueprint of a graph form with HGX servers, some of them missing."""
    sizes = {axis: max(least, chosen.get(axis, least)) for axis, least in form.sizing.free.items()}
    for table in form.sizing.tables:
        names = table.names
        sizes |= dict(zip(names, min(table.rows(128), key=lambda row: abs(row[0] - chosen[names[0]])), strict=True))
    sizes |= {bundle.name: parallel for bundle in form.fabric_bundles if bundle.name not in form.sizing.fixed}
    full = form.complete_sizes({**sizes, PLANE: form.routing.nic_levels or planes}, 8, 0)
    number = full["server"] - missing
    models = dict.fromkeys(form.roles, switches()["sn5600"])
    name = f"{form.family}: {form.text}"
    return Blueprint(name, form, full | {"servers": number}, models, servers()["hgx-h100"], 8 * number, 400)


def colossus() -> Blueprint:
    """Return the 100,000-GPU example in three tiers, its last unit partly filled."""
    form = RAIL_OPTIMIZED.forms[2]
    sizes = {"pod": 49, "block": 4, "slot": 64, "rail": 8, "group": 16, "spine": 2, "core": 64, "plane": 1}
    sizes |= {"server-leaf": 1, "leaf-spine": 2, "spine-core": 1}
    models = dict.fromkeys(form.roles, switches()["sn5600"])
    full = form.complete_sizes(sizes, 8, 12500)
    return Blueprint("colossus-100k", form, full, models, servers()["hgx-h100"], 100000, 400)


def wordy() -> Blueprint:
    """Return a fabric whose names and numbers are as long as they come, and no font has all their letters."""
    switch = Switch("switch", 128, 400, title="one-switch-of-a-very-long-name that a user wrote inline " * 3)
    blueprint = sized(FAT_TREE.forms[3], LARGE, planes=1024, parallel=128, model=switch)
    return dataclasses.replace(blueprint, name="$a^b$ 数据 <i>" + "very long name " * 20, gpus=12_345_678_901)


def designed(gpus: int, family: str) -> Blueprint:
    """Return the cheapest fabric of a size."""
    return fabric.design(name="few", gpus=gpus, server="hgx-h100", family=family).blueprint


def _builders() -> Iterator[tuple[str, Callable[[], Blueprint]]]:
    for number, form in enumerate(CLOS_FORMS):
        yield f"small clos {form.family} {number}", partial(sized, form, SMALL)
        yield f"large clos {form.family} {number}", partial(sized, form, LARGE, 4, 2)
        if form is not THIRD_PARTY:
            yield f"middle clos {form.family} {number}", partial(sized, form, MIDDLE, 2)
    for number, form in enumerate(GRAPH_FORMS):
        yield f"small graph {form.family} {number}", partial(graph, form, SMALL_GRAPHS[form.family])
        yield f"large graph {form.family} {number}", partial(graph, form, LARGE_GRAPHS[form.family], 2, 2, 3)
    for number, form in enumerate(FORMS):
        yield f"random {form.family} {number}", partial(random_blueprint, form, Random(form.text))
    for gpus in (8, 16, 64, 1024):
        for family in ("fat-tree", "rail-optimized"):
            yield f"designed {family} {gpus}", partial(designed, gpus, family)
    yield "colossus", colossus
    yield "one switch", partial(sized, FAT_TREE.forms[0], {"slot": 2}, parallel=8)
    yield "wordy", wordy
    yield "million", lambda: fabric.design("colossus-1m").blueprint
    yield "superpod", lambda: fabric.design("superpod-h100-1su").blueprint


BUILDERS = dict(_builders())


@cache
def build(name: str) -> Blueprint:
    """Return the fabric of this name, built once."""
    return BUILDERS[name]()


@cache
def page(name: str) -> Canvas:
    """Return the picture of the whole fabric of this name, laid out once."""
    return lay_out_diagram(build(name), Diagram())


def names(start: str) -> list[str]:
    """Return the names of the fabrics of a kind, such as `small clos`."""
    return [name for name in BUILDERS if name.startswith(start)]


def one_of_each(start: str) -> list[str]:
    """Return the names of the fabrics of a kind, the largest form of each family."""
    return [*{name.rpartition(" ")[0]: name for name in names(start)}.values()]
