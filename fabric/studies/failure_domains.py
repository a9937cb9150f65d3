"""What is left of a fabric without one power feed, one row of racks or one cable tray: GPUs and bandwidth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fabric.errors import TooLarge
from fabric.flow.masked_estimates import MaskedEstimates
from fabric.flow.workload import Workload
from fabric.layout.failure_domains import DomainKind, list_domain_kinds
from fabric.studies.study import Study

__all__ = ["DomainLoss", "list_domain_losses"]

SIZE_BYTES = 2**30
"""The size of the all-reduce."""

MOST_GPUS = 1 << 17
"""The GPUs above which the all-reduce is not estimated.

Without a cross tray most flows have rates of their own: for 100,000 GPUs that takes a minute for each, where a row
takes two seconds.
"""

LISTED = 2
"""The domains of a kind that are listed by either measure."""


@dataclass(frozen=True)
class DomainLoss:
    """What one failure domain takes down."""

    kind: str
    """What fails: `power feed`, `row`, `tray of a row` or `cross tray`."""
    name: str
    """Its name."""
    of_kind: int
    """How many of its kind there are."""
    gpus: int
    """The GPUs in servers that are cut off."""
    links: int
    """The links that are down."""
    share: float | None
    """The share of its all-reduce bandwidth that the other GPUs keep; None where it is not estimated."""
    engine: str = ""
    """How the share was found, by the label of the engine (`fabric.flow.engines`); empty where it is not estimated."""
    refusal: str = ""
    """Why it is not estimated, where it would take more memory or time than a run may."""


def list_domain_losses(study: Study, progress: Callable[[str], object] = lambda text: None) -> tuple[DomainLoss, ...]:
    """Return the worst failure domains of each kind on the site of a study: by GPUs lost, and by links of switches.

    Of each kind two of either are listed. The all-reduce is of 1 GiB over all GPUs that are left, against the same GPUs
    with all links up. Raises what `study.layout` raises.
    """
    kinds = list(list_domain_kinds(study.layout, study.network))
    chosen = [(kind, number) for kind in kinds for number in _choose_worst(study, kind)]
    estimates, refusal = None, ""
    if study.blueprint.gpus > MOST_GPUS:
        refusal = (
            f"{study.blueprint.name}: the flows of {study.blueprint.gpus:,} GPUs without a cross tray would take long; "
            f"it is estimated up to {MOST_GPUS:,} GPUs"
        )
    elif study.blueprint.gpus > 1:
        try:
            estimates = MaskedEstimates.of(study.blueprint, Workload(), SIZE_BYTES)
            estimates.refuse_long_runs(len(chosen), fewer="GPUs")
        except TooLarge as error:
            estimates, refusal = None, str(error)
    engine = estimates.engine.label if estimates else ""
    found = []
    for kind, number in chosen:
        progress(f"{kind.kind} {kind.names[number]} down")
        down = kind.links_down(number)
        share = estimates.keep(~down).share if estimates else None
        gpus = int(kind.count_gpus(study.blueprint, study.network)[number])
        links = int(down.sum())
        found.append(DomainLoss(kind.kind, kind.names[number], len(kind.names), gpus, links, share, engine, refusal))
    return tuple(found)


def _choose_worst(study: Study, kind: DomainKind) -> list[int]:
    """Return the domains that cut off most GPUs, and those that take down most links between switches."""
    between = study.network.lower >= study.network.server_count
    ranks = (kind.count_gpus(study.blueprint, study.network), kind.count_links(between))
    order = [int(number) for counts in ranks for number in np.argsort(-counts, kind="stable")[:LISTED]]
    return list(dict.fromkeys(order))
