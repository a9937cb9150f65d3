"""The family `halves`: two or more halls of servers, each with spines of its own, that meet at the cores.

It says for another package what `fabric.families` says for its own: a form is a chain of groups of equal devices on
named axes, and two devices are joined when they agree on every axis that both have.
"""

from fabric.topology.families import Family

__all__ = ["HALVES"]

HALVES = Family.of(
    "halves",
    "halls of servers, each with spines of its own, that meet at the cores",
    "server(half, block, slot) - leaf(half, block) - spine(half, spine) - core(core)",
    reference="an example of the project",
    note="A NIC of a server shares its leaf with all others: losing a leaf loses the servers below it.",
)
