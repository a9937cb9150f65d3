"""The family `halves`: two or more halls of servers, each with aggregation switches of its own, joined by the cores.

A topology is written as a chain of groups of equal devices on named axes. Two devices of neighbouring groups are joined
when they agree on every axis that both have. The names of the roles and the axes are the package's own choice.
"""

from fabric.topology.families import Family

__all__ = ["HALVES"]

HALVES = Family.of(
    "halves",
    "halls of servers, each with aggregation switches of its own, joined by core switches",
    "server(half, block, slot) - leaf(half, block) - agg(half, agg) - core(core)",
    reference="an example of the project",
    note="All NICs of a server share one leaf: a leaf that fails cuts off the servers below it.",
)
