"""What traffic gets out of a fabric: closed-form estimates of collectives and of what routing leaves of the links."""

from fabric.flow.allreduce import ALGORITHMS, Estimate, allreduce, curve
from fabric.flow.routing import ROUTINGS, ecmp_bottleneck
from fabric.flow.shape import Shape, slowest_ns

__all__ = ["ALGORITHMS", "ROUTINGS", "Estimate", "Shape", "allreduce", "curve", "ecmp_bottleneck", "slowest_ns"]
