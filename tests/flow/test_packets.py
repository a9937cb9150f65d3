"""An all-to-all at the pace of every GPU, compared with published packet simulations."""

from __future__ import annotations

import pytest

from fabric.blueprint import Blueprint
from fabric.flow import Routing
from fabric.topology.families import families
from tests.flow.flow_fabrics import form_of, sized
from tests.flow.sequential_all_to_all import all_to_all_s

ATOP_MS = {"rail-optimized": 4.511, "hpn": 2.608, "dragonfly": 5.204}
"""NS-3's times of 64 MB all to all on 64 GPUs, with 5 us a link (ATOP, SIGCOMM 2025, doi 10.1145/3718958.3750503)."""


def of_atop(name: str) -> Blueprint:
    """Return the fabric that ATOP's packets ran on: 320, 192 and 876 switches."""
    if name == "dragonfly":
        return sized(form_of(name, 1), 73 * 12 * 6, group=73, router=12, slot=6, **{"global": 6})
    if name == "hpn":
        return sized(form_of(name, 2), 512, gpus=8, segment=8, slot=64, rail=8, spine=32, plane=2)
    form = next(form for form in families()[name].forms if "spine(pod, rail" in form.text)
    copies = {"leaf-spine": 2, "spine-core": 8}
    return sized(form, 512, gpus=8, pod=1, block=16, slot=32, rail=8, group=16, core=4, **copies)


@pytest.mark.parametrize(
    ("name", "seeds"), [("rail-optimized", 1), *(pytest.param(name, 3, marks=pytest.mark.slow) for name in ATOP_MS)]
)
def test_packets_all_to_all_of_atop(name: str, seeds: int) -> None:
    """GPUs that send to the others in turn, each at its own pace, under ECMP take as long as NS-3's within 10 %."""
    plan = of_atop(name)
    assert plan.switches == {"rail-optimized": 320, "hpn": 192, "dragonfly": 876}[name]
    qps = 2 if name == "hpn" else 1
    found = [all_to_all_s(plan, 64, 8, 1e6, Routing("ecmp", qps, seed), 5e-6) for seed in range(seeds)]
    assert sum(found) / seeds == pytest.approx(ATOP_MS[name] * 1e-3, rel=0.1)
