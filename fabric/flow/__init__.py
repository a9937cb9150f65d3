"""The flow model: how fast collectives run, in closed form and flow by flow."""

from fabric.flow.algorithms import ALGORITHMS
from fabric.flow.bounds import cut_bound, lp_bound
from fabric.flow.collective import COLLECTIVES, Collective
from fabric.flow.ecmp_model import ecmp_bottleneck, ecmp_mean
from fabric.flow.estimate import Estimate, allreduce, curve, estimate, usable
from fabric.flow.fabric_summary import FabricSummary, slowest_ns
from fabric.flow.failures import fail, failover, nics_left
from fabric.flow.fairness import max_min
from fabric.flow.jobs import Interference, Job, interference
from fabric.flow.link_utilization import link_loads
from fabric.flow.phase import Phase, cross_rails, permutation, shift
from fabric.flow.placements import PLACEMENTS, place
from fabric.flow.router import route, router_of, summarize
from fabric.flow.routes import Routes
from fabric.flow.routings import ROUTINGS, Routing, RoutingPolicy
from fabric.flow.throughput import Shares, shares
from fabric.flow.traffic import TRAFFIC, phases
from fabric.flow.workload import ENGINES, Answer, Bounds, Workload, answer
from fabric.flow.worst_permutation import worst_permutation

__all__ = [
    "ALGORITHMS",
    "COLLECTIVES",
    "ENGINES",
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
    "RoutingPolicy",
    "Shares",
    "Workload",
    "allreduce",
    "answer",
    "cross_rails",
    "curve",
    "cut_bound",
    "ecmp_bottleneck",
    "ecmp_mean",
    "estimate",
    "fail",
    "failover",
    "interference",
    "link_loads",
    "lp_bound",
    "max_min",
    "nics_left",
    "permutation",
    "phases",
    "place",
    "route",
    "router_of",
    "shares",
    "shift",
    "slowest_ns",
    "summarize",
    "usable",
    "worst_permutation",
]
