"""The price of a GPU-hour on a designed fabric."""

from __future__ import annotations

from fabric.blueprint.bill_rows import add_known
from fabric.studies.study import Study
from fabric.training.gpu_hour import GpuHour

__all__ = ["price_gpu_hour"]


def price_gpu_hour(study: Study, given_usd: float | None = None) -> GpuHour:
    """Return the price of a GPU for an hour: the one that is given, or what the design's servers and fabric cost.

    The second needs the price of every server and the `years` of the request, and only where it has both is the bill
    made, which on a site lays the fabric out.
    """
    spec, plan = study.spec, study.blueprint
    if given_usd is not None:
        return GpuHour(given_usd, currency=spec.currency)
    bought = [(server, plan.devices(role)) for role, server in plan.servers_by_role.items()]
    servers_usd = add_known(None if each.price_usd is None else count * each.price_usd for each, count in bought)
    needs = [f"the price of {each.name} (`prices_usd`)" for each, _ in bought if each.price_usd is None]
    needs += ["`years`"] * (spec.years is None)
    bill = None if needs else study.bill
    return GpuHour(
        servers_usd=servers_usd,
        fabric_usd=None if bill is None else bill.order_usd,
        gpus=plan.gpus,
        years=spec.years,
        missing=tuple(needs if bill is None else (f"the price of {part}" for part in bill.unpriced)),
        currency=spec.currency,
    )
