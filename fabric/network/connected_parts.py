"""The sets of switches that are joined to each other: one for the whole fabric, or for each plane and separate rail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from fabric.network import Network

__all__ = ["label_joined", "label_parts"]

Rows = npt.NDArray[np.int64]


def label_parts(network: Network, first: int, switches: int) -> Rows:
    """Return for each switch the number of its set, from 0 in the order of their first switches, shape (switches,).

    The switches are `switches` devices from the row `first` on; links to other devices join nothing.
    """
    one, other = network.lower.astype(np.int64) - first, network.upper.astype(np.int64) - first
    between = (one >= 0) & (one < switches) & (other >= 0) & (other < switches)
    return label_joined(one[between], other[between], switches)


def label_joined(one: Rows, other: Rows, nodes: int) -> Rows:
    """Return for each node the number of the set that links from `one` to `other` join it to, shape (nodes,).

    Sets are numbered from 0 in the order of their first nodes.
    """
    labels = np.arange(nodes)
    while True:
        least = np.minimum(labels[one], labels[other])
        found = labels.copy()
        np.minimum.at(found, one, least)
        np.minimum.at(found, other, least)
        found = found[found]
        if (found == labels).all():
            return np.unique(labels, return_inverse=True)[1].reshape(-1)
        labels = found
