"""Names of planned nodes that discovered ones have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from fabric.verification.planned_ports import PlannedPorts
from fabric.verification.seen_ports import SeenPorts

__all__ = ["match_names"]

Ints = npt.NDArray[np.int64]

_SEPARATORS = re.compile(r"[\s._\-\[\],=/:]+")
_NUMBER = re.compile(r"\d+")


def match_names(planned: PlannedPorts, seen: SeenPorts) -> Ints:
    """Return the planned node whose name each discovered one has, -1 for none, shape (nodes,).

    Upper and lower case are one, a domain may follow the name, and where a name is found in no other way, separators
    and leading zeros do not count. Several nodes may have one name.
    """
    places = _list_names(planned)
    exact, loose = dict(places), _unique((_loosen(name), node) for name, node in places)
    found = np.full(seen.nodes, -1)
    for row, name in enumerate(seen.names):
        if name:
            key = name.lower()
            short = key.partition(".")[0]
            found[row] = exact.get(key, exact.get(short, loose.get(_loosen(key), loose.get(_loosen(short), -1))))
    return found


def _list_names(planned: PlannedPorts) -> list[tuple[str, int]]:
    """Return the names of every node in lower case: as files have them, the site's, and those of the network."""
    found = {name.lower(): node for node, name in enumerate(planned.names)}
    for name, node in planned.about.aliases():
        found.setdefault(name.lower(), node)
    return list(found.items())


def _loosen(name: str) -> str:
    """Return a name without separators and leading zeros: `leaf-p00_b01` and `leaf p0 b1` are one."""
    return _NUMBER.sub(lambda digits: f"{int(digits[0])}.", _SEPARATORS.sub(" ", name.lower()).strip())


def _unique(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return the node of each name that only one node has."""
    distinct = set(pairs)
    counts = Counter(name for name, _ in distinct)
    return {name: node for name, node in distinct if counts[name] == 1}
