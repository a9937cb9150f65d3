"""The transports by name: what is left of fair rates once packets and their order are paid for."""

from __future__ import annotations

from fabric.catalog import Transport, transports
from fabric.registry import Registry

__all__ = ["TRANSPORTS", "USUAL"]

TRANSPORTS = Registry("transport", "transports", Transport, lambda: transports().values())
"""The transports by name; another package adds one under the entry-point group `fabric.transports`."""

USUAL = "rdma"
"""The transport that closed forms know, and that is taken where none is named."""
