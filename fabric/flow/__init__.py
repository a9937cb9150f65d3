"""What traffic gets out of a fabric: closed-form estimates of collectives and of what routing leaves of the links."""

from fabric.flow.allreduce import ALGORITHMS, Estimate, allreduce, curve
from fabric.flow.routing import ROUTINGS, ecmp_bottleneck

__all__ = ["ALGORITHMS", "ROUTINGS", "Estimate", "allreduce", "curve", "ecmp_bottleneck"]
