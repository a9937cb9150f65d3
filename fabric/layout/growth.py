"""A fabric that grows on its site: the whole grown floor is laid out once, and what stands today keeps its place.

The devices of a stage are the first ones of each role in the next, and a new cable has an end at a new device, so that
the stage of a cable is the later one of its two ends'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import attach_appliances
from fabric.frozen_columns import FrozenColumns
from fabric.layout.lay_out import lay_out, take_devices
from fabric.layout.wiring import Wiring, wire
from fabric.network import Network
from fabric.network.expand import expand
from fabric.request import Spec

__all__ = ["GrownFloor", "StageWork", "lay_out_stages"]

Stages = npt.NDArray[np.int8]


@dataclass(frozen=True)
class StageWork:
    """What a stage touches on the floor."""

    stage: int
    """The stage, from 0 for today."""
    gpus: int
    """The GPUs when it is complete."""
    racks: int
    """The racks in which something stands for the first time."""
    racks_touched: int
    """The racks of earlier stages that get devices, or cables at devices that stand there."""
    devices: int
    """The new devices."""
    devices_touched: int
    """The devices of earlier stages that get cables in free ports."""
    cables: int
    """The new links."""
    cables_to_old: int
    """How many of them end at a device of an earlier stage."""


@dataclass(frozen=True, eq=False)
class GrownFloor(FrozenColumns):
    """All stages of a fabric on its site."""

    wiring: Wiring
    """The cables of the last stage, with the stage of each; its layout has the racks of all stages."""
    gpus: tuple[int, ...]
    """The GPUs of each stage when it is complete."""
    device_stage: Stages
    """The stage, from 0 for today, that brings each device of the last stage, shape (devices,)."""

    @property
    def rack_stage(self) -> Stages:
        """The stage at which something stands in each rack for the first time, shape (racks,)."""
        layout = self.wiring.layout
        found = np.full(layout.racks, len(self.gpus), np.int8)
        np.minimum.at(found, layout.device_rack, self.device_stage)
        return found

    def wiring_at(self, stage: int, blueprint: Blueprint, network: Network) -> Wiring:
        """Return the cables of the fabric as it stands after a stage, of which `blueprint` and `network` are."""
        whole = self.wiring
        layout = take_devices(blueprint, network, whole.layout, np.flatnonzero(self.device_stage <= stage))
        rows = np.flatnonzero(whole.stage <= stage)
        _, cable = np.unique(whole.cable[rows], return_inverse=True)
        names = ("a_port", "b_port", "a_cage", "b_cage", "way_m", "kind", "length_m", "stage")
        columns = {name: getattr(whole, name)[rows] for name in names}
        return replace(whole, network=layout.network, layout=layout, cable=cable.astype(np.int32), **columns)

    def list_work(self) -> tuple[StageWork, ...]:
        """Return what each stage touches."""
        return tuple(self._count_work(stage) for stage in range(len(self.gpus)))

    def _count_work(self, stage: int) -> StageWork:
        layout, network = self.wiring.layout, self.wiring.network
        racks, new = self.rack_stage, self.device_stage == stage
        links = np.flatnonzero(self.wiring.stage == stage)
        ends = np.unique(np.concatenate([network.lower[links], network.upper[links]]))
        old = ends[self.device_stage[ends] < stage]
        cabled = (self.device_stage[network.lower[links]] < stage) | (self.device_stage[network.upper[links]] < stage)
        touched = np.zeros(layout.racks, np.bool_)
        touched[layout.device_rack[new]] = touched[layout.device_rack[old]] = True
        return StageWork(
            stage,
            self.gpus[stage],
            int((racks == stage).sum()),
            int((touched & (racks < stage)).sum()),
            int(new.sum()),
            len(old),
            len(links),
            int(cabled.sum()),
        )


def lay_out_stages(spec: Spec, blueprints: Sequence[Blueprint]) -> GrownFloor:
    """Return all stages of a fabric on its site, given the blueprint of each, today's first.

    The parts and lengths of cables are chosen for the whole, so that a cable that is laid has its part at every stage.
    Raises InputError as `lay_out` and `wire` do, of the grown fabric.
    """
    last = blueprints[-1]
    layout = lay_out(last, spec.site, expand(last))
    network, counts = layout.network, [_count_devices(each) for each in blueprints]
    stages = np.concatenate(
        [
            np.searchsorted([each[group.role] for each in counts], np.arange(group.count), side="right")
            for group in network.groups
        ]
    ).astype(np.int8)
    wiring = wire(spec, last, layout)
    wiring = replace(wiring, stage=np.maximum(stages[network.lower], stages[network.upper]))
    return GrownFloor(wiring, tuple(each.gpus for each in blueprints), stages)


def _count_devices(blueprint: Blueprint) -> dict[str, int]:
    """Return the number of devices of each role, and of copies of each appliance."""
    counts = {group.role: blueprint.devices(group.role) for group in blueprint.topology.groups}
    return counts | {each.appliance.name: each.copies for each in attach_appliances(blueprint)}
