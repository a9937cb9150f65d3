"""Join what the two ends of a cable say into one row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabric.discovery.findings import PortEnds

__all__ = ["CableRows", "join_ends"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CableRows:
    """Cables, each once, in the order in which their first end was read."""

    ends: PortEnds
    """The cables: `device` and `port` are of the end that was read first."""
    both_sides: npt.NDArray[np.bool_]
    """Whether both ends say it, or a list of cables does."""
    first: Ints
    """The row of the ends that each cable was read from first."""


def join_ends(ends: PortEnds, *, listed: npt.NDArray[np.bool_], loose: npt.NDArray[np.bool_], ports: int) -> CableRows:
    """Return the cables of what devices say about their ports; `listed` are rows that hold for both ends.

    Two rows are one cable when they name the same two ports. Where a row does not name the far port, or is `loose` and
    names it otherwise than its own device does, the far end's word counts. Rows that leave a port open are cables of
    their own.
    """
    ends = _name_far_ports(ends, loose, ports) if len(ends.device) else ends
    near = _pack(ends.device, ends.port, ports)
    far = _pack(ends.peer, ends.peer_port, ports)
    whole = (ends.port >= 0) & (ends.peer_port >= 0)
    low, high = np.minimum(near, far), np.maximum(near, far)
    rows = np.arange(len(near))
    # A row with an open port is compared with no other, for which its own number stands.
    order = np.lexsort((rows, np.where(whole, -1, rows), high, low))
    starts = np.ones(len(order), np.bool_)
    one, two = order[:-1], order[1:]
    starts[1:] = (low[one] != low[two]) | (high[one] != high[two]) | ~whole[one] | ~whole[two]
    first = order[starts]
    if not len(first):
        return CableRows(ends, np.zeros(0, np.bool_), first)
    cuts = np.flatnonzero(starts)
    by_low = np.logical_or.reduceat((near == low)[order], cuts)
    by_high = np.logical_or.reduceat((near == high)[order], cuts)
    in_list = np.logical_or.reduceat(listed[order], cuts)
    rate = np.fmin.reduceat(ends.rate_gbps[order], cuts)
    width = np.where(ends.width < 0, np.int8(127), ends.width)[order]
    least = np.minimum.reduceat(width, cuts)
    reading = np.argsort(first, kind="stable")
    first = first[reading]
    cables = PortEnds(**{name: getattr(ends, name)[first] for name in PortEnds.__dataclass_fields__})
    cables.rate_gbps = rate[reading]
    cables.width = np.where(least == 127, np.int8(-1), least).astype(np.int8)[reading]
    return CableRows(cables, ((by_low & by_high) | in_list)[reading], first)


def _pack(device: npt.NDArray[np.int32], port: npt.NDArray[np.int32], ports: int) -> Ints:
    """Return one number for each port of each device; an open port has one too."""
    return device.astype(np.int64) * (ports + 1) + port + 1


def _name_far_ports(ends: PortEnds, loose: npt.NDArray[np.bool_], ports: int) -> PortEnds:
    """Name the far ports as the far ends do: by another name that these know, else by what leads back from there."""
    unlisted = _unlisted(ends, loose, ports)
    if not len(unlisted):
        return ends
    near = np.unique(_pack(ends.device, ends.port, ports))
    other = _pack(ends.peer[unlisted], ends.peer_alias[unlisted], ports)
    known = (ends.peer_alias[unlisted] >= 0) & _contains(near, other)
    peer_port = ends.peer_port.copy()
    peer_port[unlisted[known]] = ends.peer_alias[unlisted[known]]
    ends, unlisted = replace(ends, peer_port=peer_port), unlisted[~known]
    # What the far end says: from the device there to this device's port.
    devices = int(max(ends.device.max(), ends.peer.max())) + 1
    back = _pack(ends.peer, ends.peer_port, ports) * devices + ends.device
    wanted = _pack(ends.device, ends.port, ports)[unlisted] * devices + ends.peer[unlisted]
    values, at, counts = np.unique(back, return_index=True, return_counts=True)
    place = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    sure = (values[place] == wanted) & (counts[place] == 1) & (ends.port[at[place]] >= 0)
    peer_port = peer_port.copy()
    peer_port[unlisted[sure]] = ends.port[at[place[sure]]]
    return replace(ends, peer_port=peer_port)


def _unlisted(ends: PortEnds, loose: npt.NDArray[np.bool_], ports: int) -> Ints:
    """Return the rows that name no far port, or if `loose` one that its device, which lists others, does not list."""
    listing = np.unique(ends.device)
    near = np.unique(_pack(ends.device, ends.port, ports))
    far = _pack(ends.peer, ends.peer_port, ports)
    open_ = (ends.peer_port < 0) | (loose & ~_contains(near, far))
    return np.flatnonzero(open_ & (ends.port >= 0) & _contains(listing, ends.peer))


def _contains(values: npt.NDArray[np.integer], wanted: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Say which of `wanted` are among `values`, which are sorted and not empty."""
    at = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    found: npt.NDArray[np.bool_] = values[at] == wanted
    return found
