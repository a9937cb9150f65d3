"""The flow model: how fast collectives run, in closed form and by explicit flows."""

from fabric.flow.algorithms import ALGORITHMS, Algorithm, Traffic
from fabric.flow.bounds import cut_bound, lp_bound
from fabric.flow.collective_bound import CollectiveBound, bound_collective
from fabric.flow.collectives import COLLECTIVES, Collective
from fabric.flow.ecmp_model import ecmp_bottleneck, ecmp_mean
from fabric.flow.engine_choice import choose_engine
from fabric.flow.engines import ENGINES
from fabric.flow.estimate import Estimate, allreduce, estimate, usable
from fabric.flow.explicit_flows import Bounds
from fabric.flow.fabric_summary import FabricSummary, slowest_ns
from fabric.flow.failover import failover
from fabric.flow.failure_impact import FailureImpact, Kept, estimate_impact
from fabric.flow.failures import draw_failures, fail
from fabric.flow.fairness import max_min
from fabric.flow.jobs import Interference, Job, interference
from fabric.flow.link_utilization import link_loads
from fabric.flow.machine import Machine
from fabric.flow.machines import LibraryUse
from fabric.flow.maximum_flow import CutPart, MaxFlow, max_flow, select_devices
from fabric.flow.patterns import PATTERNS, Pattern
from fabric.flow.phase import Phase, cross_rails, permutation, shift
from fabric.flow.phase_flows import PhaseFlows, solve_phase
from fabric.flow.placements import PLACEMENTS, Placement, Ranks, place
from fabric.flow.rank_runs import RankRuns
from fabric.flow.router import route, route_by_paths, router_of, summarize
from fabric.flow.routes import Routes
from fabric.flow.routings import ROUTINGS, Routing, RoutingPolicy
from fabric.flow.sends import Draw, Sends, SendsAnswer, draw_sends, solve_sends
from fabric.flow.throughput import Shares, shares
from fabric.flow.time_models import Parts, sum_parts
from fabric.flow.traffic import phases
from fabric.flow.transports import TRANSPORTS
from fabric.flow.usual_estimates import curve, curve_in_network, usual_routings
from fabric.flow.workload import Answer, Workload, estimate_all, estimate_workload
from fabric.flow.worst_permutation import worst_permutation

__all__ = [
    "ALGORITHMS",
    "COLLECTIVES",
    "ENGINES",
    "PATTERNS",
    "PLACEMENTS",
    "ROUTINGS",
    "TRANSPORTS",
    "Algorithm",
    "Answer",
    "Bounds",
    "Collective",
    "CollectiveBound",
    "CutPart",
    "Draw",
    "Estimate",
    "FabricSummary",
    "FailureImpact",
    "Interference",
    "Job",
    "Kept",
    "LibraryUse",
    "Machine",
    "MaxFlow",
    "Parts",
    "Pattern",
    "Phase",
    "PhaseFlows",
    "Placement",
    "RankRuns",
    "Ranks",
    "Routes",
    "Routing",
    "RoutingPolicy",
    "Sends",
    "SendsAnswer",
    "Shares",
    "Traffic",
    "Workload",
    "allreduce",
    "bound_collective",
    "choose_engine",
    "cross_rails",
    "curve",
    "curve_in_network",
    "cut_bound",
    "draw_failures",
    "draw_sends",
    "ecmp_bottleneck",
    "ecmp_mean",
    "estimate",
    "estimate_all",
    "estimate_impact",
    "estimate_workload",
    "fail",
    "failover",
    "interference",
    "link_loads",
    "lp_bound",
    "max_flow",
    "max_min",
    "permutation",
    "phases",
    "place",
    "route",
    "route_by_paths",
    "router_of",
    "select_devices",
    "shares",
    "shift",
    "slowest_ns",
    "solve_phase",
    "solve_sends",
    "sum_parts",
    "summarize",
    "usable",
    "usual_routings",
    "worst_permutation",
]
