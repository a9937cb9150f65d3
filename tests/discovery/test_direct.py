"""Direct networks are recognised by their switches' neighbours and distances, and designed again from that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fabric
from fabric.discovery.direct import DirectNetwork, find_direct, list_pairs
from fabric.discovery.graph import read_graph
from fabric.discovery.structure import find_structure
from fabric.studies.discovered_design import recover_design
from tests.discovery.as_planned import discover_plan

SWITCH = {"name": "small", "ports": 64, "rate_gbps": 400}


def design(family: str, gpus: int, **pinned: int) -> fabric.Study:
    """Return a direct network of given sizes, or those that sizing chooses."""
    words: dict[str, Any] = {"pinned": pinned, "oversubscription": 50} if pinned else {}
    return fabric.design(name=family, gpus=gpus, server="hgx-h100", family=family, switches=[SWITCH], **words)


NETWORKS = [
    ("torus", 512, {}),
    ("torus", 240, {"x": 3, "y": 3, "z": 5, "slot": 1, "leaf-x": 2, "leaf-y": 2, "leaf-z": 1}),
    ("mesh", 512, {"x": 3, "y": 5, "z": 5, "slot": 1}),
    ("hyperx", 2048, {}),
    ("hyperx", 512, {"x": 4, "y": 5, "slot": 4}),
    ("slim-fly", 400, {"q": 5, "slot": 1}),
    ("dragonfly", 576, {"group": 9, "router": 4, "global": 2, "slot": 2}),
    ("dragonfly-plus", 512, {}),
    ("jellyfish", 512, {"switch": 30, "degree": 10, "slot": 3}),
]


def links_by_distance(study_or_found: Any) -> tuple[list[float], list[int], list[int]]:
    """Return the shares of pairs at each distance, the links of pairs and the neighbours: no numbering changes them."""
    pairs = list_pairs(read_graph(study_or_found))
    return pairs.distances().round(9).tolist(), sorted(pairs.links.tolist()), sorted(pairs.degrees().tolist())


@pytest.mark.parametrize(("family", "gpus", "pinned"), NETWORKS)
def test_the_family_and_its_sizes_are_recovered(family: str, gpus: int, pinned: dict[str, int]) -> None:
    """Without a name of a switch; the design that is recovered has the same switches, links and distances."""
    study = design(family, gpus, **pinned)
    found = recover_design(discover_plan(study.plan))
    assert found.direct is not None, found.refusal
    assert found.direct.family == family
    assert {key: found.direct.sizes[key] for key in pinned if key != "slot"} == {
        key: value for key, value in pinned.items() if key != "slot"
    }
    assert found.agrees, found.counts or found.refusal
    assert found.study is not None
    own, again = (links_by_distance(discover_plan(each.plan)) for each in (study, found.study))
    assert own == again or family == "jellyfish"  # a random graph is drawn anew


def without(study: fabric.Study, lost: int) -> DirectNetwork | None:
    """Return what a network is recognised as that has lost some links between switches."""
    found = discover_plan(study.plan)
    structure = find_structure(found)
    graph = structure.graph
    between = np.flatnonzero(graph.is_switch[graph.lower])
    kept = np.delete(np.arange(len(graph.lower)), np.random.default_rng(3).choice(between, lost, replace=False))
    columns = {name: getattr(graph, name)[kept] for name in ("lower", "upper", "lower_device", "cable")}
    return find_direct(replace(structure, graph=replace(graph, **columns)))


@pytest.mark.parametrize(("family", "gpus", "pinned"), NETWORKS[2:7])
def test_lost_links_do_not_change_what_it_is(family: str, gpus: int, pinned: dict[str, int]) -> None:
    """Two links between switches are down."""
    whole, less = without(design(family, gpus, **pinned), 0), without(design(family, gpus, **pinned), 2)
    assert whole is not None
    assert less is not None
    assert (less.family, less.sizes) == (whole.family, whole.sizes)
