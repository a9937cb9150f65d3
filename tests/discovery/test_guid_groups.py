"""Hosts of adapters that nobody named, by their GUIDs and leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fabric
from fabric.discovery import read_discovery
from fabric.discovery.guid_groups import group_adapters
from fabric.discovery.structure import find_structure
from tests.verification.as_built import AsBuilt, spoil


@pytest.mark.parametrize("mistakes", [0, 20])
@pytest.mark.parametrize("name", ["superpod-h100-1su", "superpod-h100-2su", "superpod-b300-1su"])
def test_hosts_without_names_are_recovered(name: str, mistakes: int, tmp_path: Path) -> None:
    """All of them with their NICs and rails, also where cables are exchanged and lost."""
    study = fabric.design(name)
    built = AsBuilt.of(study.plan)
    spoil(built, 5, mistakes)
    built.no_names = True
    file = tmp_path / "file"
    file.write_text(built.text())
    structure = find_structure(read_discovery([file]))
    server = study.plan.blueprint.server
    assert (structure.hosts, structure.adapters) == (study.blueprint.servers, server.nics)
    assert (structure.rails, structure.planes) == (server.nics, study.blueprint.planes)
    assert structure.units == study.blueprint.sizes["blocks"]
    assert structure.graph.grouped >= study.blueprint.nics - mistakes


@pytest.mark.parametrize("seed", range(5))
def test_single_adapters_at_any_leaf_are_no_groups(seed: int) -> None:
    """Servers of one NIC, racked in any order, and servers all of whose NICs are at one leaf."""
    random = np.random.default_rng(seed)
    guids = random.permutation(256).astype(np.uint64)
    assert (group_adapters(guids, random.integers(0, 8, 256), random.integers(0, 32, 256)) == -1).all()
    assert (group_adapters(guids, guids.astype(np.int64) // 8, guids.astype(np.int64) % 8) == -1).all()


@pytest.mark.parametrize("size", [2, 4, 8])
def test_groups_are_those_of_servers_whatever_is_missing(size: int) -> None:
    """Servers in two units whose GUIDs are mixed; one has an adapter less, another a cable in a wrong port."""
    random = np.random.default_rng(size)
    servers = 40
    unit = random.integers(0, 2, servers).repeat(size)
    rail = np.tile(np.arange(size), servers)
    leaf, port = unit * size + rail, np.arange(servers).repeat(size)
    leaf[3 * size + 1], port[3 * size + 1] = 2 * size, 77
    kept = np.delete(np.arange(servers * size), 9 * size)
    found = group_adapters(1000 + 16 * kept.astype(np.uint64), leaf[kept], port[kept])
    host = kept // size
    assert len(np.unique(found)) == servers
    assert len(np.unique(np.column_stack((found, host)), axis=0)) == servers
