"""Plans whose servers have all that simulators ask for."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import fabric
from fabric.errors import FabricError
from fabric.export import list_plan_files
from fabric.export.plan import Plan
from tests.export.plans import CLOS, GRAPHS, draw_request


def text_of(plan: Plan, name: str) -> str:
    """Return the text of the only file of a plan in a format."""
    ((_, pieces),) = list_plan_files(plan, name)
    return "".join(pieces)


def texts_of(plan: Plan, name: str) -> dict[str, str]:
    """Return the text of every file of a plan in a format by its name."""
    return {file: "".join(pieces) for file, pieces in list_plan_files(plan, name)}


def design(gpus: int = 128, **request: Any) -> Plan:
    """Return the plan of a design of HGX servers on switches of 64 ports at 800 Gb/s, unless a key says otherwise."""
    usual = {"name": "few", "server": "hgx-h100", "switches": "sn5600"}
    return fabric.design({**usual, "gpus": gpus, **request}).plan


def draw_gpu_plans(seed: int, number: int, **changes: Any) -> Iterator[Plan]:
    """Yield drawn plans of any family whose servers are alike and have GPUs on NVLink; `changes` are keys of theirs."""
    random = Random(seed)
    while number:
        request = draw_request(random, "ethernet", CLOS + GRAPHS) | changes
        if "server" not in request:
            continue
        request["server"] |= {"nvlink_GBps": 450, "generation": "hopper"}
        try:
            plan = fabric.design(request).plan
        except FabricError:
            continue
        number -= 1
        yield plan
