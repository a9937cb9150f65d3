"""The links of a Clos with unlike servers as arithmetic: the servers' links NIC by NIC, and the rest as ever."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint.hosts import Hosts
from fabric.flow.layer import Digits, Ends, Layer
from fabric.flow.tiered_links import TieredLinks, lay_layer
from fabric.network.expand import lay_devices
from fabric.topology.topology import PLANE
from fabric.topology.unlike_servers import UnlikeForm

__all__ = ["UnlikeLinks"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DealtLayer(Layer):
    """The links of unlike servers: those of all NICs in order, plane by plane; `copy` is the NIC's row."""

    def link(self, _server: Any, digits: Digits, copy: Any) -> Any:
        return copy * self.up[PLANE] + digits[PLANE]

    def group(self, _server: Any, _digits: Digits, copy: Any) -> Any:
        return copy

    def group_of(self, rows: Rows) -> Rows:
        return np.asarray(rows // self.up[PLANE])


@dataclass(frozen=True)
class UnlikeLinks(TieredLinks):
    """The links of a Clos with unlike servers; their places are counted in units, and NICs are numbered through."""

    form: UnlikeForm
    """Its topology."""

    @cached_property
    def hosts(self) -> Hosts:
        """The servers as columns."""
        return Hosts.of(self.blueprint)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        devices, layers = lay_devices(self.blueprint), [self._host_layer()]
        for bundle in self.form.chain[1:]:
            layers.append(lay_layer(self.blueprint, self.form, bundle, devices[bundle.lower.role], layers[-1]))
        return tuple(layers)

    def _host_layer(self) -> Layer:
        planes, nics = self.planes, self.blueprint.nics
        return DealtLayer(
            name=self.form.chain[0].name, first=0, links=nics * planes, copies=1, servers=1, locality_step=0,
            steps={PLANE: 1}, up={PLANE: planes}, down={}, rails={}, lower_free={}, first_group=0, groups=nics,
            chooses_copy=False,
        )  # fmt: skip

    @cached_property
    def group_gbps(self) -> npt.NDArray[np.float64]:
        hosts = np.repeat(self.hosts.gbps / self.planes, np.diff(self.hosts.first_nic))
        pairs = zip(self.layers[1:], self.form.chain[1:], strict=True)
        return np.concatenate([hosts, *(np.full(a.groups, float(self.blueprint.rate(b))) for a, b in pairs)])

    @property
    def all_nics(self) -> int:
        return self.blueprint.nics

    @cached_property
    def _columns(self) -> tuple[Rows, ...]:
        """The slots of a unit, the NICs in a row on one rail, the first unit and the first port, kind by kind."""
        form, sizes, leaf = self.form, self.blueprint.sizes, self.form.switch_groups[0]
        rows = [
            (sizes[each.slot], each.in_row(sizes), form.first_unit(each, sizes), form.first_port(leaf, each, sizes))
            for each in form.dealt
        ]
        return tuple(np.array(rows, np.int64).T)

    def ends(self, nics: npt.NDArray[Any]) -> Ends:
        """Return the unit, rails and row of NICs, in arrays of their shape (see `fabric.topology.unlike_servers`)."""
        kind, own, dealt, row = self._dealt(nics)
        slots, _, first_unit, _ = self._columns
        rail, rails = dealt // row % math.prod(self.rails.values()), {}
        for axis in reversed(self.rails):
            rails[axis], rail = rail % self.rails[axis], rail // self.rails[axis]
        unit = first_unit[kind] + (own - self.hosts.first_server[kind]) // slots[kind]
        return Ends(unit, rails, nics, own)

    def number(self, end: Ends) -> Any:
        """Return the number of each NIC on its rail: by unit, and in the unit by the leaf's port."""
        kind, _, dealt, row = self._dealt(end.copy)
        place = dealt // (row * math.prod(self.rails.values())) * row + dealt % row
        ports = self.blueprint.ports_down(self.form.roles[0])
        return end.server * ports + self._columns[3][kind] + place

    def _dealt(self, nics: npt.NDArray[Any]) -> tuple[Any, Any, Any, Any]:
        """Return the kind and server of NICs, their numbers in the order in which a unit's are dealt, and their row."""
        own = self.hosts.server_of_nic(nics)
        kind = np.searchsorted(self.hosts.first_server, own, side="right") - 1
        slots, in_row, _, _ = self._columns
        slot = (own - self.hosts.first_server[kind]) % slots[kind]
        number = nics - self.hosts.first_nic_of(own)
        return kind, own, slot * self.hosts.nics[kind] + number, in_row[kind]
