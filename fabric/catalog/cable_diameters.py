"""The diameters and bend radii of cables, for the fill of trays. A medium without a published diameter is absent."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["DIAMETERS_MM", "RACK_BEND_DIAMETERS", "TRAY_BEND_DIAMETERS"]

DIAMETERS_MM: Mapping[str, float] = MappingProxyType({"dac": 9.43, "acc": 9.43, "aoc": 3.0, "mmf": 3.0, "smf": 3.0})
"""The diameter of a cable by its medium, in mm: copper and active optical cables of NVIDIA's DGX H100 design guide,
table 18; the fibre of a connector by its structured cabling requirements (docs.nvidia.com, intrcnctcabreqndr400eth),
which allow 2 to 3 mm."""

TRAY_BEND_DIAMETERS: Mapping[str, float] = MappingProxyType({"dac": 10, "acc": 10, "aoc": 25, "mmf": 25, "smf": 25})
"""The least bend radius in a tray in diameters, by Ruijie's cabling manual: 25 of fibre (others have 10 to 20), and 10
as copper is often bent (5 at least)."""

RACK_BEND_DIAMETERS: Mapping[str, float] = MappingProxyType({"dac": 10, "acc": 10, "aoc": 20, "mmf": 20, "smf": 20})
"""The same in a rack, where cables are moved: 20 of fibre, the larger of what Ruijie and Leviathan Systems have."""
