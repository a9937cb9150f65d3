"""Sizing: which form, on how many planes, with which number on every axis, is the best, and the proof of it."""

from fabric.optimizer.binding import Binding, Step, binding, fewer_hops
from fabric.optimizer.explain import told
from fabric.optimizer.front import Aim, Front, Point, front
from fabric.optimizer.measures import STEP, Measure
from fabric.optimizer.objectives import OBJECTIVES, Objective
from fabric.optimizer.search import Proof, Runner, Sized, size
from fabric.optimizer.sensitivity import Change, sensitivity
from fabric.optimizer.together import cheapest_together
from fabric.optimizer.words import WORDS, parse_objectives

__all__ = [
    "OBJECTIVES",
    "STEP",
    "WORDS",
    "Aim",
    "Binding",
    "Change",
    "Front",
    "Measure",
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
