"""Sizing: which form, on how many planes, with which number on every axis, is the best, and the proof of it."""

from fabric.optimizer.binding_limits import Binding, Step, binding, fewer_hops
from fabric.optimizer.explain import told
from fabric.optimizer.flow_objectives import STEP, FlowObjective
from fabric.optimizer.joint_choice import cheapest_together
from fabric.optimizer.objectives import OBJECTIVES, Objective
from fabric.optimizer.pareto_search import Aim, Front, Point, front
from fabric.optimizer.parse_objectives import WORDS, parse_objectives
from fabric.optimizer.search import Proof, Runner, Sized, size
from fabric.optimizer.sensitivity import Change, sensitivity

__all__ = [
    "OBJECTIVES",
    "STEP",
    "WORDS",
    "Aim",
    "Binding",
    "Change",
    "FlowObjective",
    "Front",
    "Objective",
    "Point",
    "Proof",
    "Runner",
    "Sized",
    "Step",
    "binding",
    "cheapest_together",
    "fewer_hops",
    "front",
    "parse_objectives",
    "sensitivity",
    "size",
    "told",
]
