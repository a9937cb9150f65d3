"""What a result depends on beside its request: this version of the tool, its libraries and the packages that add to it.

Chunks that were computed by another version are not used again, and workers of another version are refused.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import fabric
from fabric.registry import list_plugins

__all__ = ["describe_tool", "identify_tool"]

LIBRARIES = ("galois", "numpy", "ortools", "pyarrow")
"""The libraries whose versions may change a number, or the bytes in which it is written."""
SOURCES = (".json", ".py", ".yaml")
SHIPPED = "topologies"
"""The folder of shipped designs, which only an installed package has inside it; a chunk has its request in full."""


@cache
def identify_tool() -> str:
    """Return a short digest of the tool's source, its libraries' versions and the packages that add to it."""
    root = Path(fabric.__file__).parent
    digest = sha256(repr((describe_tool(), list_plugins())).encode())
    sources = sorted(path.relative_to(root) for path in root.rglob("*") if path.suffix in SOURCES)
    for path in sources:
        if path.parts[0] != SHIPPED:
            digest.update(path.as_posix().encode() + b"\0" + (root / path).read_bytes())
    return digest.hexdigest()[:16]


@cache
def describe_tool() -> str:
    """Return the versions in words, for a message."""
    return ", ".join([f"fabric {fabric.__version__}", *(f"{name} {_version(name)}" for name in LIBRARIES)])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
