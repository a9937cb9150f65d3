"""The formats that are written from a plan, each a record of the module that writes it."""

from __future__ import annotations

from fabric.export.plan import PlanFormat

__all__ = ["PLAN_FORMATS"]

PLAN_FORMATS: tuple[PlanFormat, ...] = ()
"""The formats of plans, in the order in which they are listed."""
