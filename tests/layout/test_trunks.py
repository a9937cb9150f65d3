"""Trunks, against the racks at both ends of every cable."""

from __future__ import annotations

from collections import Counter

import numpy as np

import fabric
from fabric.layout.trunks import find_trunks


def test_trunks_are_the_cables_between_two_racks() -> None:
    """Every cable is in one; 4 servers of 8 NICs have a trunk of 32 cables to their leaf rack."""
    study = fabric.design("superpod-h100-4su")
    trunks, network, racks = find_trunks(study.wiring), study.network, study.layout.device_rack
    assert trunks.cables.sum() == len(trunks.of_cable) == 2048
    pairs = zip(racks[network.lower].tolist(), racks[network.upper].tolist(), strict=True)
    counts = Counter((min(pair), max(pair)) for pair in pairs)
    assert (
        dict(zip(zip(trunks.one.tolist(), trunks.other.tolist(), strict=True), trunks.cables.tolist(), strict=True))
        == counts
    )
    assert Counter(trunks.cables.tolist()) == {32: 32, 256: 4}
    assert np.bincount(trunks.of_cable).tolist() == trunks.cables.tolist()
