"""Links that share a cable, against the counts of the bill; and the bill of a laid-out fabric, by length."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fabric
from fabric.blueprint.composition import Compositions, End
from fabric.blueprint.physical import count_joints
from fabric.blueprint.prices import prices_of
from fabric.catalog.link_parts import Media
from fabric.layout.cable_parts import USUAL_LENGTHS_M
from fabric.layout.cables import CableKind, group_longest, number_cables
from fabric.network.expand import expand
from fabric.topology.topology import Topology
from tests.blueprint.test_physical import ALL, twin

SITE = {"slack_m": 1.5}
COPPER = {"dac-split-2x400g": 100, "osfp-2xsr4": 900, "osfp-sr4-400g": 500, "mpo12-mmf": 40, "mpo12-mmf-split-2": 60}


def kinds_of(parts: Compositions) -> list[CableKind]:
    """Return one kind of cables for each bundle."""
    return [CableKind(name, name, found) for name, found in parts.items()]


@pytest.mark.parametrize("tails_below", [True, False])
@pytest.mark.parametrize("form", [form for _, form in ALL], ids=[name for name, _ in ALL])
def test_links_share_as_many_splitters_as_the_bill_counts(form: Topology, tails_below: bool) -> None:
    """Of every form: numbers without gaps, at most two links each, all of one connector at the splitter's one end."""
    ends = (End(100, 1, 1), End(100, 2, 1)) if tails_below else (End(100, 2, 1), End(100, 1, 1))
    for seed in range(3):
        blueprint, _ = twin(form, seed)
        network = expand(blueprint)
        parts, at = dict.fromkeys(network.bundles), {each.name: ends for each in form.bundles}
        cables = number_cables(blueprint, network, kinds_of(parts), network.bundle, at)
        assert set(cables.tolist()) == set(range(int(cables.max()) + 1))
        for place, (bundle, joint) in enumerate(zip(form.bundles, count_joints(blueprint, parts, at), strict=True)):
            if bundle.lower == bundle.upper:
                continue
            rows = network.bundle == place
            device = (network.upper if tails_below else network.lower)[rows]
            shared = Counter(cables[rows].tolist())
            assert len(shared) == joint.count
            assert max(shared.values()) <= joint.links == 2
            assert len({*zip(cables[rows].tolist(), device.tolist(), strict=True)}) == joint.count


@settings(max_examples=15, deadline=None)
@given(
    servers=st.integers(3, 70),
    gbps=st.sampled_from([200, 400]),
    media=st.sampled_from([None, "dac", "mmf", "smf"]),
    switch=st.sampled_from(["qm9700", "sn5600"]),
    family=st.sampled_from(["fat-tree", "rail-optimized", "rail-only"]),
)
def test_cables_are_those_of_the_bill(servers: int, gbps: int, media: Media | None, switch: str, family: str) -> None:
    """Two counts agree: of links by connector, and of the bill by ports; a straight cable joins one pair."""
    asked = {"gpus": 8 * servers, "server": "dgx-h100", "family": family, "switches": switch, "link_gbps": gbps}
    try:
        study = fabric.design(asked, media=media)
    except fabric.FabricError:
        return
    network, prices = study.network, prices_of(study.spec, study.blueprint)
    parts = {name: prices.parts(name) for name in network.bundles}
    cables = number_cables(study.blueprint, network, kinds_of(parts), network.bundle, prices.ends)
    for place, joint in enumerate(count_joints(study.blueprint, parts, prices.ends)):
        rows = np.flatnonzero(network.bundle == place)
        assert len(np.unique(cables[rows])) == joint.count
        if joint.tails == 1:
            pairs = {
                *zip(cables[rows].tolist(), network.lower[rows].tolist(), network.upper[rows].tolist(), strict=True)
            }
            assert len(pairs) == joint.count


def test_a_splitter_is_as_long_as_its_longest_link() -> None:
    """The longest of each cable, by a plain loop."""
    draw = np.random.default_rng(3)
    cables, way = np.sort(draw.integers(0, 40, 100)).astype(np.int32), draw.uniform(1, 9, 100)
    longest: dict[int, float] = defaultdict(float)
    for cable, metres in zip(cables.tolist(), way.tolist(), strict=True):
        longest[cable] = max(longest[cable], metres)
    assert group_longest(cables, way).tolist() == [longest[cable] for cable in range(int(cables.max()) + 1)]


GROWING: dict[str, Any] = {"gpus": 136, "grow_to_gpus": 512, "server": "dgx-h100", "switches": "qm9700"}
SITED = [
    "superpod-h100-1su", "superpod-h100-4su", "superpod-b300-1su", "alibaba-hpn-pod", "examples/superpod-ufm.yaml",
    GROWING | {"family": "fat-tree"}, GROWING | {"family": "fat-tree", "link_gbps": 200, "media": "mmf"},
]  # fmt: skip
"""Designs of one fabric, with appliances, and that grow."""


def rows_of(study: fabric.Study, *kinds: str) -> dict[tuple[str, str, float | None], int]:
    """Return the quantity of each row of some kinds, by part, use and length."""
    return {(row.part, row.used_for, row.length_m): row.quantity for row in study.bill.of(*kinds)}


@pytest.mark.parametrize("source", SITED, ids=lambda source: str(source)[:40])
def test_a_bill_on_a_site_has_the_same_parts_by_length(source: Any) -> None:
    """Quantities by part and use, power and total equal those without a site; lengths are those of the wiring."""
    plain, laid = fabric.design(source), fabric.design(source, site=SITE)
    assert laid.bill.order_usd == plain.bill.order_usd
    assert (laid.bill.power_w, laid.bill.max_power_w) == (plain.bill.power_w, plain.bill.max_power_w)
    counts = [Counter[tuple[str, str, str]]() for _ in range(2)]
    for count, study in zip(counts, (plain, laid), strict=True):
        for row in study.bill.rows:
            count[row.kind, row.part, row.used_for] += row.quantity
    racks = {key: each for key, each in counts[1].items() if key[0] == "rack"}
    assert counts[1] - Counter(racks) == counts[0]
    assert sum(racks.values()) == laid.layout.racks
    lengths = Counter(laid.wiring.length_m[np.unique(laid.wiring.cable, return_index=True)[1]].tolist())
    billed = Counter[float | None]()
    for (_, _, metres), number in rows_of(laid, "fibre", "cable").items():
        billed[metres] += number
    assert billed == lengths


@settings(max_examples=12, deadline=None)
@given(
    servers=st.integers(5, 40),
    ports=st.integers(1, 20),
    media=st.sampled_from([None, "mmf", "dac"]),
    gbps=st.sampled_from([200, 400]),
)
def test_cables_of_appliances_are_those_of_the_bill(servers: int, ports: int, media: Media | None, gbps: int) -> None:
    """With and without a site the bill has as many of each part for an appliance; on the site by length."""
    asked: dict[str, Any] = {"gpus": 8 * servers, "server": "dgx-h100", "family": "fat-tree", "switches": "qm9700"}
    asked |= {"appliances": [{"name": "ufm", "ports": ports}], "link_gbps": gbps}
    try:
        plain, laid = (fabric.design(asked, media=media, **site) for site in ({}, {"site": SITE}))
        rows = laid.bill.rows
    except fabric.FabricError:
        return
    counts = [Counter[tuple[str, str, str]]() for _ in range(2)]
    for count, each in zip(counts, (plain.bill.rows, rows), strict=True):
        for row in each:
            count[row.kind, row.part, row.used_for] += row.quantity if row.kind != "rack" else 0
    assert +counts[0] == +counts[1]


def test_parts_are_those_that_reach_on_the_site() -> None:
    """Copper of 3 m is the cheapest where nobody asks how far; on the floor only fibre reaches the leaves."""
    asked: dict[str, Any] = {"gpus": 256, "server": "dgx-h100", "family": "rail-optimized", "switches": "qm9700"}
    asked |= {"unit_gpus": 256, "exclude_optics": ["optical-400g"], "prices_usd": COPPER}
    far = fabric.design(asked, site=SITE)
    assert {row.kind for row in far.bill.of("fibre", "cable")} == {"fibre"}
    assert all(metres in USUAL_LENGTHS_M for _, _, metres in rows_of(far, "fibre"))


def test_spares_are_of_each_length() -> None:
    """A tenth of each row, rounded up: a spare of one length is none of another."""
    laid = fabric.design("superpod-h100-1su", site=SITE, spares={"fibre": 0.1})
    rows = laid.bill.of("fibre")
    assert len(rows) > 2
    assert all(row.spares == -(-row.quantity // 10) for row in rows)
