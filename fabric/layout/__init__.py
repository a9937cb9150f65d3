"""Where devices stand and where cables run: racks, rack units, ports by name, and the length of every cable."""

from __future__ import annotations
