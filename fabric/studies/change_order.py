"""The change order between two revisions of a design: parts, devices and cables that differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.blueprint import Blueprint
from fabric.blueprint.bill_changes import PartChange, compare_bills, sum_amounts
from fabric.blueprint.bill_rows import Bill
from fabric.errors import InputError
from fabric.layout.changes import Changes, match_cables, match_devices
from fabric.layout.moves import MovePlan, plan_moves
from fabric.layout.rack_fillings import list_models
from fabric.layout.site_bill import bill_on_site
from fabric.studies.study import Study

__all__ = ["ChangeOrder", "make_change_order"]


@dataclass(frozen=True)
class ChangeOrder:
    """Two revisions of a design and what leads from the first to the second."""

    before: Study
    """The first revision."""
    after: Study
    """The second revision."""
    bills: tuple[Bill, Bill]
    """The bills of both, laid out: fibres and cables by length as sold."""
    parts: tuple[PartChange, ...]
    """The parts whose number or unit price differs."""
    devices: Changes
    """The devices that are added, removed, replaced or moved, rows of either network."""
    cables: Changes
    """The cables that are added, removed, moved or relabelled, rows of either network."""

    @cached_property
    def models(self) -> tuple[list[str], list[str]]:
        """The models of the devices of both revisions, in the order of their networks."""
        return _model_names(self.before.blueprint), _model_names(self.after.blueprint)

    @property
    def differs(self) -> bool:
        """Whether anything is to be done or paid."""
        return bool(self.parts or len(self.devices.action) or len(self.cables.action))

    @cached_property
    def fewest(self) -> MovePlan | None:
        """What happens to cables where devices may take other names, as `fabric grow` plans it; None where it cannot.

        It cannot for switches of one tier that are joined with each other, and where a tier is gone.
        """
        try:
            return plan_moves(self.before.blueprint, self.after.blueprint)
        except InputError:
            return None

    @property
    def ends_moved(self) -> int:
        """The cable ends that are unplugged and put elsewhere."""
        return self.cables.counts()["move"]

    @property
    def bought_usd(self) -> float | None:
        """The price of all parts to buy; None where one has no price."""
        return sum_amounts(part for part in self.parts if part.quantity > 0)

    @property
    def returned_usd(self) -> float | None:
        """The price, as it was, of all parts to return; None where one has no price."""
        total = sum_amounts(part for part in self.parts if part.quantity < 0)
        return None if total is None else 0.0 - total


def make_change_order(before: Study, after: Study, progress: Callable[[str], None] = lambda text: None) -> ChangeOrder:
    """Return what leads from one revision of a design to another.

    Devices are matched by their names, cables by the devices and ports at their ends (`match_cables`). Raises
    InputError where a revision has no layout or wiring, and for bills in two currencies.
    """
    progress("cables of both revisions")
    wirings = before.wiring, after.wiring
    progress("matching devices and cables")
    bills = bill_on_site(before.blueprint, wirings[0]), bill_on_site(after.blueprint, wirings[1])
    parts = compare_bills(*bills)
    devices, same = match_devices(*wirings, (_model_names(before.blueprint), _model_names(after.blueprint)))
    return ChangeOrder(before, after, bills, parts, devices, match_cables(*wirings, same))


def _model_names(blueprint: Blueprint) -> list[str]:
    """Return the model of every device, in the order of the network with its appliances."""
    _, names, counts = zip(*list_models(blueprint), strict=True)
    found: list[str] = np.repeat(np.array(names, object), counts).tolist()
    return found
