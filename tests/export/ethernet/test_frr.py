"""The configuration of FRR of drawn designs: its own shell reads every line, and what was lost once stays found."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import pytest

import fabric
from fabric.errors import InputError
from fabric.export.ethernet.ethernet_plan import EthernetPlan, with_port_names
from fabric.export.ethernet.frr import FRR, write_frr
from tests.export.ethernet.fabrics import DRAWN, draw_request
from tests.netns import missing_program


@pytest.mark.skipif(bool(missing_program("vtysh")), reason="vtysh is not installed")
@pytest.mark.parametrize("seed", DRAWN)
def test_the_shell_of_frr_reads_every_line(seed: int, tmp_path: Path) -> None:
    """`vtysh --dryrun` knows each command, on direct networks and Clos, with split ports and ports without names."""
    systems = ("cumulus", "sonic", "eos", "nos")
    plan = EthernetPlan(fabric.design(draw_request(Random(seed), systems[seed % 4], seed)).plan)
    file = tmp_path / "frr.conf"
    texts = [("".join(text)) for name, text in write_frr(plan) if name.endswith("frr.conf")]
    file.write_text("".join(texts))
    done = subprocess.run(["vtysh", "--dryrun", "--inputfile", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stdout + done.stderr


@pytest.mark.parametrize("seed", DRAWN)
def test_names_of_interfaces_are_those_of_linux(seed: int) -> None:
    """No slash, no blank, at most 15 characters, and no two of a switch alike, whatever its vendor calls its ports."""
    systems = ("cumulus", "sonic", "eos", "junos", "nos")
    plan = EthernetPlan(fabric.design(draw_request(Random(seed), systems[seed % 5], seed)).plan)
    names = plan.list_ends(with_port_names(plan.plan)).name.to_pylist()
    assert all(len(name) <= 15 and not set(name) & set("/ :") for name in names)
    for row in range(len(plan.switch_names)):
        own = names[plan.ports.start[row] : plan.ports.start[row + 1]]
        assert len(set(own)) == len(own)


def test_a_lone_port_has_no_route_besides_its_own() -> None:
    """Where a switch has one port to hosts, its prefix is that port's: FRR would aggregate it with nothing."""
    server = {"name": "one", "gpus": 1, "nics": 1, "nic_gbps": 100}
    request = {"gpus": 3, "server": server, "switches": {"name": "box", "ports": 4, "rate_gbps": 100}}
    plan = EthernetPlan(fabric.design(request, family="fat-tree", tiers=2, pinned={"slot": 1}).plan)
    assert plan.addresses.prefix_length == 31
    assert not any("aggregate-address" in "".join(text) for _, text in write_frr(plan))


def test_others_than_ethernet_are_refused() -> None:
    """InfiniBand has no routing daemons, and servers that forward are no switches."""
    with pytest.raises(InputError, match="qm9700 is an InfiniBand switch"):
        FRR.fits(fabric.design("superpod-h100-1su").plan)
    with pytest.raises(InputError, match="forward traffic of others"):
        FRR.fits(fabric.design(gpus=64, server="hgx-h100", switches="sn5600", family="bcube").plan)
