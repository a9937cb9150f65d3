"""The plan of a fabric, down to the port at both ends of every cable, from which configurations are written."""

from fabric.export.plan.ends import LinkEnds
from fabric.export.plan.hosts import HostTable
from fabric.export.plan.plan import Plan
from fabric.export.plan.plan_format import Pieces, PlanFormat, PlanText

__all__ = ["HostTable", "LinkEnds", "Pieces", "Plan", "PlanFormat", "PlanText"]
