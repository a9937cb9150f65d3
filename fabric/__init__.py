"""fabric designs the network of a GPU cluster: sized, proven cheapest, priced, drawn and estimated.

A first design::

    import fabric
    study = fabric.design("colossus-100k")
    study.blueprint.switches, study.bill.cost_usd(), study.allreduce(2**30).busbw_GBps
"""

from __future__ import annotations

from importlib import import_module

from fabric import presented

TYPE_CHECKING = False  # as in typing, which alone would take longer to import than all else here

if TYPE_CHECKING:
    from typing import Any

    from fabric import blueprint as blueprint
    from fabric import catalog as catalog
    from fabric import discovery as discovery
    from fabric import draw as draw
    from fabric import errors as errors
    from fabric import export as export
    from fabric import flow as flow
    from fabric import network as network
    from fabric import optimizer as optimizer
    from fabric import request as request
    from fabric import studies as studies
    from fabric import sweeps as sweeps
    from fabric import testing as testing
    from fabric import topology as topology
    from fabric import training as training
    from fabric import units as units
    from fabric import verification as verification
    from fabric import view as view
    from fabric.blueprint import Blueprint
    from fabric.errors import FabricError, Infeasible, InputError, MissingFile, MissingLibrary, TooLarge
    from fabric.export import nic_network, to_arrow, to_igraph, to_networkx, to_pandas, to_scipy, to_simgrid
    from fabric.network import Network
    from fabric.network.expand import expand
    from fabric.report.comparison import Comparison, compare
    from fabric.report.files import write, write_bill, write_view
    from fabric.report.load_design import load
    from fabric.report.plan_files import write_plan
    from fabric.request import Spec
    from fabric.studies.failures import simulate_failures
    from fabric.studies.multi_fabric import Cluster, cluster
    from fabric.studies.pareto import Pareto, optimize, pareto
    from fabric.studies.scaling import Scaling, scale
    from fabric.studies.study import Study, design, read
    from fabric.studies.training import train
    from fabric.studies.training_optimum import optimize_training
    from fabric.studies.verification import verify
    from fabric.sweeps.sweep import sweep
    from fabric.sweeps.table import SweepTable
    from fabric.topology.families import Family
    from fabric.view import View

__version__ = "0.1.0"

__distribution__ = "fabric-designer"
"""The name to install it by; fabric_designer.py knows the package by it."""

__all__ = [
    "Blueprint",
    "Cluster",
    "Comparison",
    "FabricError",
    "Family",
    "Infeasible",
    "InputError",
    "MissingFile",
    "MissingLibrary",
    "Network",
    "Pareto",
    "Scaling",
    "Spec",
    "Study",
    "SweepTable",
    "TooLarge",
    "View",
    "__version__",
    "cluster",
    "compare",
    "design",
    "expand",
    "load",
    "nic_network",
    "optimize",
    "optimize_training",
    "pareto",
    "read",
    "scale",
    "simulate_failures",
    "sweep",
    "to_arrow",
    "to_igraph",
    "to_networkx",
    "to_pandas",
    "to_scipy",
    "to_simgrid",
    "train",
    "verify",
    "write",
    "write_bill",
    "write_plan",
    "write_view",
]

_HOMES = {
    "Blueprint": "blueprint",
    "Cluster": "studies.multi_fabric",
    "Comparison": "report.comparison",
    "FabricError": "errors",
    "Family": "topology.families",
    "Infeasible": "errors",
    "InputError": "errors",
    "MissingFile": "errors",
    "MissingLibrary": "errors",
    "Network": "network",
    "Pareto": "studies.pareto",
    "Scaling": "studies.scaling",
    "Spec": "request",
    "Study": "studies.study",
    "SweepTable": "sweeps.table",
    "TooLarge": "errors",
    "View": "view",
    "compare": "report.comparison",
    "cluster": "studies.multi_fabric",
    "design": "studies.study",
    "expand": "network.expand",
    "load": "report.load_design",
    "nic_network": "export",
    "optimize": "studies.pareto",
    "optimize_training": "studies.training_optimum",
    "pareto": "studies.pareto",
    "read": "studies.study",
    "scale": "studies.scaling",
    "simulate_failures": "studies.failures",
    "sweep": "sweeps.sweep",
    "to_arrow": "export",
    "to_igraph": "export",
    "to_networkx": "export",
    "to_pandas": "export",
    "to_scipy": "export",
    "to_simgrid": "export",
    "train": "studies.training",
    "verify": "studies.verification",
    "write": "report.files",
    "write_bill": "report.files",
    "write_plan": "report.plan_files",
    "write_view": "report.files",
}


presented.Presented.presenter = staticmethod(lambda: import_module("fabric.report.present"))
"""What shows results is above them all: it is handed down here, and imported when the first is shown."""


_SUBMODULES = (
    "blueprint", "catalog", "discovery", "draw", "errors", "export", "flow", "network", "optimizer", "request",
    "studies", "sweeps", "testing", "topology", "training", "units", "verification", "view",
)  # fmt: skip
"""The packages and modules that `fabric.` completes and imports when they are first used."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import fabric` costs next to nothing."""
    if name in _SUBMODULES:
        return import_module(f"fabric.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'fabric' has no attribute '{name}'")
    return getattr(import_module(f"fabric.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *_SUBMODULES])
