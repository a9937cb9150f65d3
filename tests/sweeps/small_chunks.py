"""Run `fabric` with sweeps cut into chunks of two designs or so, so that a run of seconds has many."""

from __future__ import annotations

import fabric.sweeps.chunks
from fabric_designer import main

SMALL_S = 0.05
"""The work of a chunk, in estimated seconds."""

if __name__ == "__main__":
    fabric.sweeps.chunks.TARGET_S = SMALL_S
    main()
