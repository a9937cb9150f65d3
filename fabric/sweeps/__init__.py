"""Sweeps: many designs at once, each with the measures asked for, as one table; from one core to a cluster of machines.

A sweep is a base request, what is varied (`grid`, `list`, and settings of measures), and what is measured:

    table = fabric.sweep("superpod-h100-4su", grid={"gpus": [1024, 2048]}, measures=["cost", "hops"])
    table.to_pandas()

Its parts, from the bottom up: `measure.Measure` says what is computed of every design and in which columns, and
`measures.MEASURES` is the registry of them, to which other packages add by the entry-point group `fabric.measures`;
`sweep_file` reads a sweep, `points` lists its points, and `chunks` validates them all and cuts them into chunks of some
seconds of work, named by their content; `compute` computes one chunk, `engines` says where, and `store` keeps each in a
file of its own; `table` merges them, in order of points, and `sweep` runs it all.

The table has the columns `point`, the keys that are varied by their paths, the settings of the measures
(`allreduce_size_bytes`), `status` (`columns.STATUSES`), `message`, and those of the measures with the unit last
(`cost_usd`, `allreduce_s`). A value that is not known, or of which there is no design, is missing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fabric.sweeps.chunks import Plan, make_plan
    from fabric.sweeps.measure import Measure, MeasureColumn, Setting
    from fabric.sweeps.measures import MEASURES
    from fabric.sweeps.spec import Sweep
    from fabric.sweeps.sweep import run_plan
    from fabric.sweeps.sweep_file import read_sweep
    from fabric.sweeps.table import SweepTable, load_sweep_table

_MODULES = {
    "chunks": ("Plan", "make_plan"),
    "measure": ("Measure", "MeasureColumn", "Setting"),
    "measures": ("MEASURES",),
    "sweep": ("run_plan",),
    "spec": ("Sweep",),
    "sweep_file": ("read_sweep",),
    "table": ("SweepTable", "load_sweep_table"),
}

__all__ = [
    "MEASURES",
    "Measure",
    "MeasureColumn",
    "Plan",
    "Setting",
    "Sweep",
    "SweepTable",
    "load_sweep_table",
    "make_plan",
    "read_sweep",
    "run_plan",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"fabric.sweeps.{module}"), name)
    raise AttributeError(f"module 'fabric.sweeps' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
