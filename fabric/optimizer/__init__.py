"""Sizing: which form, on how many planes, with which number on every axis, is the best, and the proof of it."""

from fabric.optimizer.front import Aim, Front, Point, front
from fabric.optimizer.measures import Measure
from fabric.optimizer.objectives import OBJECTIVES, Objective
from fabric.optimizer.search import Proof, Runner, Sized, size
from fabric.optimizer.words import WORDS, parse_objectives

__all__ = [
    "OBJECTIVES",
    "WORDS",
    "Aim",
    "Front",
    "Measure",
    "Objective",
    "Point",
    "Proof",
    "Runner",
    "Sized",
    "front",
    "parse_objectives",
    "size",
]
