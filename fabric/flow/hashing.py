"""The hash by which ECMP takes paths: a flow's key decides each of its choices, whatever else is on the network."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Keys", "below", "flow_keys", "nth"]

Keys = npt.NDArray[np.uint64]

GOLDEN = 0x9E3779B97F4A7C15


def flow_keys(source: npt.NDArray[Any], target: npt.NDArray[Any], queue_pair: npt.NDArray[Any], seed: int) -> Keys:
    """Return a key of 64 bits for each sub-flow, from its two NICs, its queue pair and the seed."""
    # Two NIC numbers of 32 bits are one key of 64, so different pairs never collide before they are hashed.
    ends = (source.astype(np.uint64) << np.uint64(32)) | target.astype(np.uint64)
    return _mixed(
        _mixed(ends + _mixed(np.array([(seed + 1) * GOLDEN % 2**64], np.uint64))) + queue_pair.astype(np.uint64)
    )


def nth(keys: Keys, number: int) -> Keys:
    """Return the hash for the choice of this `number` of each key."""
    return _mixed(keys + np.uint64(number * GOLDEN % 2**64))


def below(hashes: Keys, size: Any) -> npt.NDArray[np.int64]:
    """Return each hash as a number from 0 to `size` - 1, by its upper half; `size` is one number or one a hash."""
    # Multiplying and shifting scales the upper half evenly, without the bias and the cost of a remainder.
    return ((hashes >> np.uint64(32)) * np.asarray(size, np.uint64) >> np.uint64(32)).astype(np.int64)


def _mixed(keys: Keys) -> Keys:
    """Return SplitMix64's finalizer of each key (G. Steele et al. 2014, doi 10.1145/2660193.2660195)."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
