"""The flow model: how fast collectives run, in closed form and flow by flow."""

from fabric.flow.algorithms import ALGORITHMS
from fabric.flow.bounds import cut_bound, lp_bound
from fabric.flow.collective import COLLECTIVES, Collective
from fabric.flow.ecmp_model import ROUTINGS, ecmp_bottleneck, ecmp_mean
from fabric.flow.estimate import Estimate, allreduce, curve, estimate, usable
from fabric.flow.fabric_summary import FabricSummary, slowest_ns
from fabric.flow.failures import fail, failover, nics_left
from fabric.flow.fairness import max_min
from fabric.flow.jobs import Interference, Job, interference
from fabric.flow.link_utilization import link_loads
from fabric.flow.placement import PLACEMENTS, place
from fabric.flow.throughput import Shares, shares
from fabric.flow.tiered_routes import EXPLICIT, Routes, Routing, leaving, route
from fabric.flow.traffic import TRAFFIC, Phase, permutation, phases, shift
from fabric.flow.workload import ENGINES, Answer, Bounds, Workload, answer
from fabric.flow.worst_permutation import worst_permutation

__all__ = [
    "ALGORITHMS",
    "COLLECTIVES",
    "ENGINES",
    "EXPLICIT",
    "PLACEMENTS",
    "ROUTINGS",
    "TRAFFIC",
    "Answer",
    "Bounds",
    "Collective",
    "Estimate",
    "FabricSummary",
    "Interference",
    "Job",
    "Phase",
    "Routes",
    "Routing",
    "Shares",
    "Workload",
    "allreduce",
    "answer",
    "curve",
    "cut_bound",
    "ecmp_bottleneck",
    "ecmp_mean",
    "estimate",
    "fail",
    "failover",
    "interference",
    "leaving",
    "link_loads",
    "lp_bound",
    "max_min",
    "nics_left",
    "permutation",
    "phases",
    "place",
    "route",
    "shares",
    "shift",
    "slowest_ns",
    "usable",
    "worst_permutation",
]
