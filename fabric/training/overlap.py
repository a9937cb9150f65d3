"""How much of a message a rank waits for, where it is sent beside computation; all times are in seconds."""

from __future__ import annotations

__all__ = ["beside_computation", "contend", "expose_pieces", "expose_ring", "stretch"]


def expose_pieces(sent: float, computed: float, pieces: int) -> float:
    """Return what is left of messages that go in equal `pieces` while the computation of the piece before runs.

    The first piece has nothing to run beside, as has the last one's computation. Pieces are layers, of which weights
    are gathered and gradients reduced (arXiv:2304.11277, section 3.3), or parts of a matrix product, of which tensor-
    parallel ranks send each other inputs or outputs (arXiv:2402.15627, section 3.2).
    """
    first = sent / pieces
    return first + max(0.0, sent - first - computed * (1 - 1 / pieces))


def expose_ring(sent: float, attention: float, ranks: int) -> float:
    """Return what is left of keys and values that go around `ranks` ranks while attention runs on the ones before.

    Attention runs in as many pieces as there are ranks, and nothing is passed during the last (arXiv:2310.01889).
    """
    return max(0.0, sent - attention * (1 - 1 / ranks))


def beside_computation(sent: float, exposed: float, occupied: float) -> float:
    """Return by how much messages prolong a pass of which `exposed` are waited for.

    While the others run they occupy a share of the GPU's multiprocessors, which computation lacks.
    """
    return exposed + occupied * (sent - exposed)


def contend(alone: float, slowed: float, duty: float) -> float:
    """Return how long a message takes that is `slowed` times as slow while others are sent, a share `duty` of the time.

    In every second the share (1 - duty) / alone + duty / (slowed alone) of it is done.
    """
    return alone / (1 - duty + duty / slowed)


def stretch(duty: float, slowed: float) -> float:
    """Return the share of the time in which messages are sent that alone are for a share `duty`, and are `slowed`."""
    return duty * slowed / (1 - duty + duty * slowed)
