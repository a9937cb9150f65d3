"""Parameters of tests that run in `make test-all` only."""

from __future__ import annotations

import pytest
from _pytest.mark.structures import ParameterSet


def slow(*values: object) -> list[ParameterSet]:
    """Return the values of one parameter, each marked as slow."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]
