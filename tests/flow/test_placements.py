"""Which GPU each rank has."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.errors import InputError
from fabric.flow import PLACEMENTS, place
from tests.flow.flow_fabrics import rails


@pytest.mark.parametrize("name", PLACEMENTS)
def test_every_placement_gives_each_rank_a_gpu_of_its_own(name: str) -> None:
    """A placement of all ranks uses every GPU once, one of fewer ranks none twice; seeds decide drawn placements."""
    plan = rails()
    assert sorted(place(plan, name).reshape(-1)) == list(range(256))
    fewer = place(plan, name, 64, seed=3)
    assert len(set(fewer.reshape(-1).tolist())) == 64
    assert (fewer == place(plan, name, 64, seed=3)).all()
    assert (fewer == place(plan, name, 64, seed=4)).all() == (name not in ("random", "fragmented"))


def test_placements_are_what_they_are_called() -> None:
    """By rail takes GPU 0 of all servers first, strided groups have equal distances, and random keeps servers whole."""
    plan = rails()
    assert place(plan, "by-rail", 32).tolist() == [first + 8 * server for first in range(8) for server in range(4)]
    assert (np.diff(place(plan, "strided", stride=16), axis=1) == 16).all()
    assert (place(plan, "random", seed=1).reshape(-1, 8) % 8 == np.arange(8)).all()
    assert (np.diff(place(plan, "fragmented", 64, seed=1)) > 0).all()


@pytest.mark.parametrize(
    "words", [{"name": "contigous"}, {"ranks": 257}, {"ranks": 0}, {"name": "strided", "stride": 7}]
)
def test_unsuitable_placements_are_refused(words: dict[str, object]) -> None:
    """An unknown name, too many ranks, or a stride that leaves a remainder is bad input."""
    with pytest.raises(InputError):
        place(rails(), **words)  # type: ignore[arg-type]
