"""The topology file of SimAI and of its ns-3 (github.com/aliyun/SimAI): GPUs, NVLink switches, switches and links.

The first line has the nodes, the GPUs of a server, the NVLink switches, the other switches, the links and the GPU; the
second the numbers of all switches, NVLink switches first; then a line for each link: its ends, rate, delay and error
rate. The reader (`SetupNetwork` in `network_frontend/ns3/common.h`) knows one link between two nodes, so parallel links
are one of their total rate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from fabric.errors import InputError
from fabric.export.file_format import Witness
from fabric.export.link_layer import refuse_relays
from fabric.export.plan import Plan, PlanFormat
from fabric.export.simulators.link_columns import link_columns
from fabric.export.text_lines import format_lines

__all__ = ["SIMAI"]

NVSWITCH_NS = 25
"""The delay of a link to an NVLink switch in ns: `nv_latency` as SimAI's `gen_Topo_Template.py` has it by default."""

LINE = "{} {} {}Gbps {:.10g}ns 0"
"""A link: its ends, its rate, its delay, and no errors."""

UNKNOWN_GPU = "NONE"
"""The GPU of a server whose name has none, for which SimAI takes no figures of its own."""

_GPU = re.compile(r"[a-z]+\d+[a-z]*")


def _check(plan: Plan) -> None:
    """Raise InputError for a fabric that the format can't express."""
    blueprint = plan.blueprint
    servers = list(blueprint.servers_by_role.values())
    if any(not server.gpus for server in servers) or len({server.gpus for server in servers}) > 1:
        raise InputError(f"{blueprint.name}: a SimAI topology has GPUs in every server, and in each as many")
    refuse_relays(blueprint, "SimAI has not")
    for server in servers:
        if server.cards > 1:
            raise InputError(
                f"{blueprint.name}: in SimAI every GPU reaches all others over its own NICs, and each NIC of "
                f"{server.name} is on one plane or level"
            )
        if server.nics % server.gpus:
            raise InputError(
                f"{blueprint.name}: in SimAI every GPU has links of its own, and {server.name} has "
                f"{server.nics} NICs for {server.gpus} GPUs"
            )
        if server.gpus > 1 and server.nvlink_GBps is None:
            raise InputError(
                f"{blueprint.name}: the NVLink bandwidth of {server.name} is not known; give it as nvlink_GBps"
            )


def _write(plan: Plan) -> Iterator[str]:
    """Yield the text: GPUs are numbered server by server, then an NVLink switch for each server, then the switches."""
    blueprint, network = plan.blueprint, plan.network
    servers = list(blueprint.servers_by_role.values())
    each, count = servers[0].gpus, network.server_count
    boxes = count if each > 1 else 0
    gpus, switches = count * each, blueprint.switches
    links = link_columns(plan)
    # A link begins at the GPU that has the NIC.
    per_gpu = np.repeat(
        [server.nics // each for server in servers], [network.groups[k].count for k in range(len(servers))]
    )
    below = links.lower < count
    server = np.where(below, links.lower, 0)
    gpu = server * each + links.lower_port // blueprint.planes // per_gpu[server]
    shift = gpus + boxes - count
    joined = links.between(np.where(below, gpu, links.lower + shift), links.upper + shift).merged()
    total = len(joined.lower) + (gpus if boxes else 0)
    yield f"{gpus + boxes + switches} {each} {boxes} {switches} {total} {name_gpu(servers[0].name)}\n"
    yield " ".join(map(str, range(gpus, gpus + boxes + switches))) + "\n"
    if boxes:
        rates = np.repeat(
            [round(8 * (server.nvlink_GBps or 0)) for server in servers],
            [network.groups[k].count * each for k in range(len(servers))],
        )
        ends = np.arange(gpus)
        yield from format_lines(LINE, ends, gpus + ends // each, rates, np.full(gpus, float(NVSWITCH_NS)))
    yield from format_lines(LINE, joined.lower, joined.upper, joined.gbps, joined.delay_ns)


def name_gpu(server: str) -> str:
    """Return the GPU in the name of a server as SimAI writes it, such as H100 of `hgx-h100`."""
    found = [word for word in server.split("-") if _GPU.fullmatch(word)]
    return found[0].upper() if found else UNKNOWN_GPU


SIMAI = PlanFormat(
    "simai",
    (),
    "SimAI and its ns-3",
    "GPUs, NVLink, switches, links with rates and delays",
    lambda plan: iter([("fabric.topo", _write(plan))]),
    _check,
    witness=Witness("grammar", "SetupNetwork of SimAI's ns-3 front end"),
)
"""The format of SimAI."""
