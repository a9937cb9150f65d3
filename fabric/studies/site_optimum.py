"""The fabric that costs least on its site, with its cables counted by length and their parts by reach."""

from __future__ import annotations

from collections.abc import Callable

from fabric.blueprint import Blueprint
from fabric.errors import InputError
from fabric.optimizer import OBJECTIVES, LinearObjective, find_cheapest_on_site, size
from fabric.request import Spec
from fabric.studies.study import Study

__all__ = ["optimize_on_site"]


def optimize_on_site(spec: Spec, progress: Callable[[str], None]) -> Study:
    """Return the fabric whose bill on the site is the least under the rule of its layout (docs/site.md).

    Raises as `design` does, and InputError where no fabric can be laid out on the site, or a part has no price.
    """
    cost = OBJECTIVES["cost"]
    assert isinstance(cost, LinearObjective), "it is a built-in one"
    first = size(spec, (cost,), progress)

    def price(blueprint: Blueprint) -> float | None:
        bill = Study(spec, blueprint, first.proof).bill
        if bill.unpriced:
            raise InputError(
                f"{spec.name}: no known price of {', '.join(bill.unpriced)}, which lengths on the site need; give it in"
                " the request, or leave the site out"
            )
        return bill.cost_usd()

    best, proof, others = find_cheapest_on_site(spec, first, price, progress)
    return Study(spec, best, proof, others)
