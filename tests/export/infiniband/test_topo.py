"""Truths about InfiniBand topology files: ibdmtr finds every system, and follows routes to the devices planned."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from random import Random

import numpy as np
import pytest

import fabric
from fabric.export.infiniband.nodes import Nodes, list_nodes
from fabric.export.infiniband.subnets import split_subnets
from tests.export.plans import draw_plans, shipped_plan

HOP = re.compile(r"FROM Host:(\S+) Plug:P(\d+)\s+Node:\S+ Port:\d+\s+TO   Host:(\S+) Plug:P(\d+)")

pytestmark = pytest.mark.skipif(not shutil.which("ibdmtr"), reason="ibdmtr is not installed (Debian: ibutils)")


def walk(nodes: Nodes, random: Random, hops: int) -> list[tuple[str, str, str, str]]:
    """Return a random way from the first HCA: the system and port at both ends of each link."""
    names = [name.replace(" ", "-") for name in nodes.names]
    one, one_port = np.append(nodes.lower, nodes.upper), np.append(nodes.lower_port, nodes.upper_port)
    other, other_port = np.append(nodes.upper, nodes.lower), np.append(nodes.upper_port, nodes.lower_port)
    here, way = 0, []
    for _ in range(hops):
        link = random.choice(np.flatnonzero(one == here).tolist())
        way.append((names[here], str(one_port[link]), names[other[link]], str(other_port[link])))
        here = int(other[link])
        if here < nodes.hcas:
            break
    return way


def test_ibdmtr_follows_routes_to_the_devices_planned(tmp_path: Path) -> None:
    """Every system of a subnet is defined, and each port of a direct route leads to the planned port of the other."""
    random = Random(4)
    for number, plan in enumerate([shipped_plan("superpod-h100-2su"), *draw_plans(9, 4, "infiniband")]):
        folder = tmp_path / str(number)
        fabric.write_plan(plan, folder, "ib-topology")
        subnets = split_subnets(plan)
        nodes = list_nodes(plan, subnets)
        home = int(nodes.subnet[0])
        systems = int((nodes.subnet == home).sum())
        for _ in range(6):
            way = walk(nodes, random, 5)
            ports = ",".join(["0", *(port for _, port, _, _ in way)])
            words = ["-t", f"{subnets.names[home]}.topo", "-s", f"{way[0][0]}/U1", "-p", "1", "-d", ports]
            done = subprocess.run(
                ["ibdmtr", *words], cwd=folder, env={**os.environ, "IBDM_IBNL_PATH": str(folder / "ibnl")},
                capture_output=True, text=True, timeout=60, check=True,
            )  # fmt: skip
            assert f"Defined {systems}/{systems} systems/nodes" in done.stdout
            assert "-E-" not in done.stdout
            assert HOP.findall(done.stdout) == way
