"""The formats that are written from a plan, each a record of the module that writes it."""

from __future__ import annotations

from fabric.export.ethernet.cumulus import CUMULUS
from fabric.export.ethernet.frr import FRR
from fabric.export.ethernet.ipam import IPAM
from fabric.export.ethernet.lldp import LLDP, LLDP_JSON
from fabric.export.ethernet.lossless_table import LOSSLESS
from fabric.export.ethernet.sonic import SONIC
from fabric.export.infiniband.ibnetdiscover import IBNETDISCOVER, IBNETDISCOVER_HDR
from fabric.export.infiniband.topo import IB_TOPOLOGY
from fabric.export.operations.containerlab import CONTAINERLAB
from fabric.export.operations.hedgehog import HEDGEHOG
from fabric.export.operations.netbox import NETBOX
from fabric.export.operations.netlab import NETLAB
from fabric.export.operations.point_to_point import POINT_TO_POINT, POINT_TO_POINT_SHEET
from fabric.export.operations.ptm import PTM
from fabric.export.plan import PlanFormat
from fabric.export.simgrid import SIMGRID
from fabric.export.simulators.astra_sim import ASTRA_SIM
from fabric.export.simulators.booksim import BOOKSIM
from fabric.export.simulators.htsim import HTSIM
from fabric.export.simulators.infragraph import INFRAGRAPH
from fabric.export.simulators.nccl import NCCL
from fabric.export.simulators.simai import SIMAI
from fabric.export.slurm import SLURM_BLOCK, SLURM_TREE, SLURM_YAML

__all__ = ["PLAN_FORMATS"]

PLAN_FORMATS: tuple[PlanFormat, ...] = (
    IBNETDISCOVER,
    IBNETDISCOVER_HDR,
    IB_TOPOLOGY,
    SLURM_TREE,
    SLURM_BLOCK,
    SLURM_YAML,
    FRR,
    SONIC,
    CUMULUS,
    LLDP,
    LLDP_JSON,
    IPAM,
    LOSSLESS,
    NETBOX,
    POINT_TO_POINT,
    POINT_TO_POINT_SHEET,
    PTM,
    HEDGEHOG,
    CONTAINERLAB,
    NETLAB,
    SIMAI,
    ASTRA_SIM,
    HTSIM,
    BOOKSIM,
    NCCL,
    INFRAGRAPH,
    SIMGRID,
)
"""The formats of plans, in the order in which they are listed."""
