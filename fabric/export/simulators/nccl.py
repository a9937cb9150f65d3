"""The NCCL topology of each kind of server as XML, as `NCCL_TOPO_DUMP_FILE` writes it and simulators of NCCL read it.

`src/graph/xml.cc` of github.com/NVIDIA/nccl has the elements: system, cpu, pci, gpu with nvlink, nic with net. GPUs and
NICs that belong together are below one PCIe switch, whose links are the slowest of 16 lanes that carry the NICs at line
rate, as the design takes it. NCCL treats all NVLink switches of a server as one. A server of several trays is a system
for each tray. What the catalogue doesn't know is left out: a CPU is of no NUMA node (-1) and has no model. Addresses of
buses are numbered through and are those of no machine, so a file is for simulators, and not for `NCCL_TOPO_FILE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from xml.sax.saxutils import quoteattr

from fabric.catalog import Server
from fabric.errors import InputError
from fabric.export.file_format import Witness
from fabric.export.plan import Plan, PlanFormat
from fabric.layout.ports import list_nic_names

__all__ = ["NCCL"]

GPU_CLASS, BRIDGE_CLASS, NVSWITCH_CLASS = "0x030200", "0x060400", "0x068000"
"""The PCI classes of a GPU, a bridge and an NVLink switch (`src/graph/topo.cc`)."""

NVSWITCH_BUS = "0000:01:00.0"
"""The bus address of the NVLink switches of a file."""

NIC_CLASSES = {"infiniband": "0x020700", "ethernet": "0x020000"}
"""The PCI class of NICs by the link layer of their switches."""

PCIE_GBPS = {"8.0 GT/s PCIe": 126, "16.0 GT/s PCIe": 252, "32.0 GT/s PCIe": 504, "64.0 GT/s PCIe": 968}
"""What 16 lanes of each generation carry in Gb/s, one direction, without what their coding takes (PCI-SIG)."""


@dataclass(frozen=True)
class Gpu:
    """What NCCL asks of a generation of GPUs."""

    sm: int
    """Its compute capability, ten times (developer.nvidia.com/cuda-gpus)."""
    nvlink_GBps: int
    """The bandwidth of one NVLink in GB/s, one direction (nvidia.com/en-us/data-center/nvlink)."""


GPUS = {"ampere": Gpu(80, 25), "hopper": Gpu(90, 25), "blackwell": Gpu(100, 50)}
"""The generations of GPUs whose figures are published."""

ULTRA = ("b300", "gb300")
"""The words in the names of servers whose GPUs are Blackwell Ultra, of compute capability 10.3."""


def _check(plan: Plan) -> None:
    """Raise InputError for servers whose GPUs are not of NVIDIA, or whose NICs can't be shared out among the GPUs."""
    name = plan.blueprint.name
    servers = [server for server in plan.blueprint.servers_by_role.values() if server.gpus]
    if not servers:
        raise InputError(f"{name}: no server has GPUs, which an NCCL topology is of")
    for server in servers:
        if server.generation not in GPUS:
            known = ", ".join(GPUS)
            raise InputError(
                f"{name}: an NCCL topology is of NVIDIA's GPUs of the generations {known}, and those of {server.name} "
                f"are {server.generation or 'not known'}"
            )
        if server.gpus > 1 and server.nvlink_GBps is None:
            raise InputError(f"{name}: the NVLink bandwidth of {server.name} is not known; give it as nvlink_GBps")
        gpus, nics = server.gpus // server.trays, server.nics // server.trays
        if server.gpus % server.trays or server.nics % server.trays or max(gpus, nics) % min(gpus, nics):
            raise InputError(f"{name}: {server.name} has {nics} NICs for {gpus} GPUs, which can't be shared out evenly")
        if _lane_speed(server) is None:
            raise InputError(f"{name}: no PCIe link of 16 lanes carries what a GPU of {server.name} sends to its NICs")


def _list_files(plan: Plan) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield the name and the text of a file for each model of server with GPUs."""
    blueprint = plan.blueprint
    rails = 0 if blueprint.kinds else len(blueprint.topology.rail_axes) and blueprint.rails
    for server in {each.name: each for each in blueprint.servers_by_role.values() if each.gpus}.values():
        layer = blueprint.link_layer or "ethernet"
        yield f"{server.name}.xml", _describe(server, blueprint.planes, rails, NIC_CLASSES[layer])


def _describe(server: Server, planes: int, rails: int, nic_class: str) -> Iterator[str]:
    """Yield the lines of a server, or of one of its trays."""
    gpus, nics = server.gpus // server.trays, server.nics // server.trays
    groups, buses = min(gpus, nics), count(2)
    names = [name.rpartition(" ")[2] for name in list_nic_names(server, planes, rails)]
    # Where NICs are numbered rail by rail, the next one of the same tray comes after those of all others.
    step, per_card = server.trays if rails > 1 else 1, planes // server.cards
    speed = _lane_speed(server)
    yield f'<system version="1" name={quoteattr(server.name)}>\n  <cpu numaid="-1" arch="unknown">\n'
    for group in range(groups):
        yield f"    <pci{_pci(next(buses), BRIDGE_CLASS, speed)}>\n"
        for gpu in range(group * gpus // groups, (group + 1) * gpus // groups):
            yield from _gpu(server, gpu, next(buses), speed)
        for nic in range(group * nics // groups, (group + 1) * nics // groups):
            rail = f' rail="{nic * rails // nics}"' if rails > 1 else ""
            for plane in range(planes):
                name, dev = quoteattr(names[nic * step * planes + plane]), nic * planes + plane
                mbps, port = server.nic_gbps * 1000 // planes, plane % per_card
                if not port:
                    yield f"      <pci{_pci(next(buses), nic_class, speed)}>\n        <nic>\n"
                yield f'          <net name={name} dev="{dev}" speed="{mbps}" port="{port + 1}" gdr="1"'
                yield f'{rail} plane="{plane}"/>\n'
                if port == per_card - 1:
                    yield "        </nic>\n      </pci>\n"
        yield "    </pci>\n"
    yield "  </cpu>\n</system>\n"


def _gpu(server: Server, number: int, bus: int, speed: str | None) -> Iterator[str]:
    """Yield the lines of a GPU with its NVLinks, all to the NVLink switches."""
    figures = GPUS[server.generation]
    sm = 103 if set(server.name.split("-")) & set(ULTRA) else figures.sm
    yield f"      <pci{_pci(bus, GPU_CLASS, speed)}>\n"
    head = f'        <gpu dev="{number}" sm="{sm}" rank="{number}" gdr="1"'
    if server.gpus == 1:
        yield f"{head}/>\n"
    else:
        links = round((server.nvlink_GBps or 0) / figures.nvlink_GBps)
        yield f'{head}>\n          <nvlink target="{NVSWITCH_BUS}" count="{links}" tclass="{NVSWITCH_CLASS}"/>\n'
        yield "        </gpu>\n"
    yield "      </pci>\n"


def _pci(bus: int, pci_class: str, speed: str | None) -> str:
    """Return the attributes of a PCI device, with a bus address that is its own in the file."""
    return f' busid="{bus >> 8:04x}:{bus & 255:02x}:00.0" class="{pci_class}" link_speed="{speed}" link_width="16"'


def _lane_speed(server: Server) -> str | None:
    """Return the slowest generation of which 16 lanes carry a NIC, and all that a GPU sends, at line rate."""
    needed = server.nic_gbps * max(1, server.nics // max(1, server.gpus))
    return next((speed for speed, gbps in PCIE_GBPS.items() if gbps >= needed), None)


NCCL = PlanFormat(
    "nccl-topology",
    (),
    "simulators of NCCL, InfraGraph",
    "GPUs, NVLink, NICs, rails and planes of a server",
    _list_files,
    _check,
    witness=Witness("run", "InfraGraph 3.1's reader of NCCL topologies"),
)
"""The format of NCCL's topologies."""
