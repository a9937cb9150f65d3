"""The blueprint: a topology with all sizes and parts chosen, and what follows from it in closed form."""

from fabric.blueprint.blueprint import Blueprint

__all__ = ["Blueprint"]
