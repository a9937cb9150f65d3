"""The Clos families, each a few formulas: fat tree, rail-optimized, rail-only and HPN."""

from __future__ import annotations

from fabric.topology.family import Family

__all__ = ["FAT_TREE", "HPN", "RAIL_ONLY", "RAIL_OPTIMIZED"]

FAT_TREE = Family.of(
    "fat-tree",
    "folded Clos; all NICs of a server (or of a tray of it) share a leaf",
    "server(slot) - leaf()",
    "server(block, slot) - leaf(block, stripe) - spine(spine)",
    "server(pod, block, slot) - leaf(pod, block, stripe) - spine(pod, group, spine) - core(group, core)",
    "server(zone, pod, block, slot) - leaf(zone, pod, block, stripe) - spine(zone, pod, group, spine)"
    " - core(zone, group, bank, core) - super(group, bank, super)",
    reference="M. Al-Fares et al., SIGCOMM 2008, doi 10.1145/1402958.1402967",
)

RAIL_OPTIMIZED = Family.of(
    "rail-optimized",
    "each rail of a unit's NICs has its own leaf; the rails meet at the spine, the core or above",
    "server(slot) - leaf()",
    "server(block, slot) - leaf(block, rail) - spine(spine)",
    "server(pod, block, slot) - leaf(pod, block, rail) - spine(pod, group, spine) - core(group, core)",
    "server(pod, block, slot) - leaf(pod, block, rail) - spine(pod, rail, group, spine) - core(group, core)",
    "server(zone, pod, block, slot) - leaf(zone, pod, block, rail) - spine(zone, pod, group, spine)"
    " - core(zone, group, bank, core) - super(group, bank, super)",
    "server(zone, pod, block, slot) - leaf(zone, pod, block, rail) - spine(zone, pod, rail, group, spine)"
    " - core(zone, group, bank, core) - super(group, bank, super)",
    "server(zone, pod, block, slot) - leaf(zone, pod, block, rail) - spine(zone, pod, rail, group, spine)"
    " - core(zone, rail, group, bank, core) - super(group, bank, super)",
    rails_apart="server(slot) - leaf(rail)",
    reference="NVIDIA DGX SuperPOD reference architecture, RA-11333-001",
)

RAIL_ONLY = Family.of(
    "rail-only",
    "each rail is a fabric of its own; the rails never meet",
    "server(slot) - leaf(rail)",
    "server(block, slot) - leaf(block, rail) - spine(rail, spine)",
    "server(pod, block, slot) - leaf(pod, block, rail) - spine(pod, rail, group, spine) - core(rail, group, core)",
    "server(zone, pod, block, slot) - leaf(zone, pod, block, rail) - spine(zone, pod, rail, group, spine)"
    " - core(zone, rail, group, bank, core) - super(rail, group, bank, super)",
    reference="W. Wang et al., 2023, arXiv:2307.12169",
    note="GPUs of different rails reach each other only through NVLink: this is not a cheaper fat tree.",
)

HPN = Family.of(
    "hpn",
    "dual top-of-rack, dual plane: each port of a NIC has a leaf of its own, and no two planes meet",
    "server(segment, slot) - leaf(segment, rail) - spine(spine)",
    "server(pod, segment, slot) - leaf(pod, segment, rail) - spine(pod, group, spine) - core(group, core)",
    reference="K. Qian et al., SIGCOMM 2024, doi 10.1145/3651890.3672265",
    least_planes=2,
)
