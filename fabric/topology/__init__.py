"""Topologies: groups of equal devices, the links between them, and the families that they belong to."""
