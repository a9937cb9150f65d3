"""Sizing: the best topology with its number of planes and all its sizes, with the proof of it.

What it exports is imported when it is first used, so that `fabric.optimizer.objectives`, which the command line lists,
loads without the solver.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fabric.optimizer.binding_limits import BindingLimit, FewerHops, find_binding_limits, find_fewer_hops
    from fabric.optimizer.candidates import Candidate
    from fabric.optimizer.cheapest_passing import Passing, Requirement, find_cheapest_passing
    from fabric.optimizer.chosen_fabric import ChosenFabric
    from fabric.optimizer.explain import describe_conflict
    from fabric.optimizer.joint_choice import cheapest_combination
    from fabric.optimizer.near_optima import NearOptimum, find_near_optima
    from fabric.optimizer.objective import FlowEstimate, FlowObjective, LinearObjective, Objective
    from fabric.optimizer.objectives import OBJECTIVES
    from fabric.optimizer.pareto import Front, Point
    from fabric.optimizer.pareto_search import find_front
    from fabric.optimizer.parsing import parse_objectives
    from fabric.optimizer.reported_front import report_front
    from fabric.optimizer.search import Alternative, Proof, SizingResult, size
    from fabric.optimizer.sensitivity import BreakEven, find_break_evens
    from fabric.optimizer.side_by_side import on_one_core
    from fabric.optimizer.site_search import find_cheapest_on_site

_MODULES = {
    "binding_limits": ("BindingLimit", "FewerHops", "find_binding_limits", "find_fewer_hops"),
    "candidates": ("Candidate",),
    "cheapest_passing": ("Passing", "Requirement", "find_cheapest_passing"),
    "chosen_fabric": ("ChosenFabric",),
    "explain": ("describe_conflict",),
    "joint_choice": ("cheapest_combination",),
    "near_optima": ("NearOptimum", "find_near_optima"),
    "objective": ("FlowEstimate", "FlowObjective", "LinearObjective", "Objective"),
    "objectives": ("OBJECTIVES",),
    "pareto": ("Front", "Point"),
    "pareto_search": ("find_front",),
    "parsing": ("parse_objectives",),
    "reported_front": ("report_front",),
    "search": ("Alternative", "Proof", "SizingResult", "size"),
    "sensitivity": ("BreakEven", "find_break_evens"),
    "side_by_side": ("on_one_core",),
    "site_search": ("find_cheapest_on_site",),
}

__all__ = [
    "OBJECTIVES",
    "Alternative",
    "BindingLimit",
    "BreakEven",
    "Candidate",
    "ChosenFabric",
    "FewerHops",
    "FlowEstimate",
    "FlowObjective",
    "Front",
    "LinearObjective",
    "NearOptimum",
    "Objective",
    "Passing",
    "Point",
    "Proof",
    "Requirement",
    "SizingResult",
    "cheapest_combination",
    "describe_conflict",
    "find_binding_limits",
    "find_break_evens",
    "find_cheapest_on_site",
    "find_cheapest_passing",
    "find_fewer_hops",
    "find_front",
    "find_near_optima",
    "on_one_core",
    "parse_objectives",
    "report_front",
    "size",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"fabric.optimizer.{module}"), name)
    raise AttributeError(f"module 'fabric.optimizer' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
