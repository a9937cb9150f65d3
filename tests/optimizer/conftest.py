"""Fixtures of the optimizer's tests."""

from __future__ import annotations

import importlib

import pytest

from fabric.errors import Infeasible


@pytest.fixture
def unexplained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse infeasible requests without the search for the reason, which has tests of its own."""
    for name in ("search", "pareto_search"):
        module = importlib.import_module(f"fabric.optimizer.{name}")
        monkeypatch.setattr(module, "explain", lambda *_: Infeasible("infeasible"))
