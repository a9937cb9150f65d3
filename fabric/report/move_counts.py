"""What happens to cables between two designs, as growth and change orders both count it."""

from __future__ import annotations

from typing import Any

from fabric.layout.moves import MovePlan

__all__ = ["count_moves"]


def count_moves(moves: MovePlan) -> dict[str, Any]:
    """Return what happens to cables, as one plain object: their counts, the ends unplugged, and a bound on these."""
    return {
        "cables": {"stay": moves.kept, "moved": moves.moved, "removed": moves.removed, "new": moves.added},
        "ends_unplugged": moves.unplugged,
        "bound": moves.bound,
        "proven": moves.unplugged == moves.bound,
    }
