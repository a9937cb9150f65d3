"""Sizing: which form, on how many planes, with which number on every axis, is the cheapest, and the proof of it."""

from fabric.optimizer.search import Proof, Runner, Sized, size

__all__ = ["Proof", "Runner", "Sized", "size"]
