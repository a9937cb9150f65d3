"""The diameters of cables, for the fill of trays. A medium without a published diameter is absent."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["DIAMETERS_MM"]

DIAMETERS_MM: Mapping[str, float] = MappingProxyType({"dac": 9.43, "acc": 9.43, "aoc": 3.0})
"""The diameter of a cable by its medium, in mm: copper and active optical cables of NVIDIA's DGX H100 design guide,
table 18."""
