"""Sizing: which form, on how many planes, with which number on every axis, is the best, and the proof of it."""

from fabric.optimizer.objectives import OBJECTIVES, Objective
from fabric.optimizer.search import Proof, Runner, Sized, size
from fabric.optimizer.words import parse_objectives

__all__ = ["OBJECTIVES", "Objective", "Proof", "Runner", "Sized", "parse_objectives", "size"]
