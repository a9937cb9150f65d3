"""Jobs that share a fabric."""

from __future__ import annotations

import pytest

from fabric.errors import InputError
from fabric.flow import Job, Routing, interference
from tests.flow.flow_fabrics import fat_tree


def test_jobs_in_units_of_their_own_do_not_interfere() -> None:
    """Rings in units of their own lose nothing to each other; spread over an oversubscribed fabric, they do."""
    plan = fat_tree(2, 8, 8, ratio=4)
    jobs = [Job("first", 32), Job("second", 32, placement="strided", stride=2)]
    apart = interference(plan, [Job("first", 8), Job("second", 16)])
    assert all(one.alone_min == one.min for one in apart)
    mixed = interference(plan, jobs, spread="random", seed=1)
    assert all(one.min <= one.alone_min + 1e-9 for one in mixed)
    assert any(one.mean < one.alone_mean - 0.05 for one in mixed)
    hashed = interference(plan, jobs, Routing("ecmp", 2), spread="random", seed=1)
    assert all(one.mean < other.alone_mean for one, other in zip(hashed, mixed, strict=True))
    with pytest.raises(InputError, match="65 GPUs of the 64"):
        interference(plan, [Job("first", 65)])
