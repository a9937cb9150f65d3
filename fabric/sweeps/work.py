"""The work of a sweep, estimated from its requests alone: the same number on every machine."""

from __future__ import annotations

import math

from fabric.request import Spec
from fabric.topology.families import family

__all__ = ["estimate_sizing"]

CLOS_S = 0.004
DIRECT_S = 0.02
"""The seconds that one topology of a layered, or of a direct, family takes to size on one core of 2020."""
GROWTH = 4.0
"""The factor where sizes are tied to later ones, to stock or to the loss of a switch."""


def estimate_sizing(spec: Spec) -> float:
    """Return the seconds that sizing a request takes on one core, roughly: candidates times what one takes.

    A hard request may take ten times as long, and an infeasible one as well, for its explanation. The number decides
    where a sweep is cut, never what it computes.
    """
    candidates = 0.0
    for name in spec.families:
        each = family(name)
        allowed = sum(1 for form in each.forms if not each.layered or form.tiers in spec.tiers)
        candidates += allowed * (CLOS_S if each.layered else DIRECT_S)
    models = max((len(each) for each in spec.switches.values()), default=1)
    hard = spec.grow_to_gpus is not None or bool(spec.available) or bool(spec.survive)
    return 0.01 + candidates * len(spec.planes) * math.sqrt(max(1, models)) * (GROWTH if hard else 1)
