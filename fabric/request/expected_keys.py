"""The keys of `expected`: the numbers of a design that a request may expect, which are known before sizing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from fabric.errors import nearest
from fabric.request.known_names import KnownNames

__all__ = ["unknown_result"]

PLAIN = (
    "gpus", "servers", "rails", "planes", "tiers", "unit_gpus", "pod_gpus", "link_gbps", "injection_gbps",
    "bisection_gbps",
)  # fmt: skip
"""The numbers at the top of the design object."""
COUNTED = ("switches", "links", "modules", "fibres", "cables", "cages", "cost_usd", "power_w")
"""Its mappings with a total, which the first part of the key alone stands for too."""
PARTS = {
    "hops": ("max", "mean"),
    "cost_usd": ("total", "switches", "links", "nics", "per_gpu", "electricity", "total_with_electricity"),
    "power_w": ("total", "per_gpu"),
    **dict.fromkeys(("switches", "links", "modules", "fibres", "cables", "cages"), ("total",)),
}
SWITCH_FACTS = ("count", "ports_down", "ports_up", "ports_used", "ports_full", "ports_free", "radix", "rate_gbps")


def unknown_result(key: str, names: KnownNames) -> str | None:
    """Return what is wrong with a key of `expected`; None where a design has such a number."""
    known = _keys(names)
    if key in known:
        return None
    first = key.partition(".")[0]
    inner = [each for each in known if each.startswith(f"{first}.")]
    candidates = inner or [each.partition(".")[0] for each in known]
    return f"a design has no such number{nearest(key, set(candidates))}"


def _keys(names: KnownNames) -> Collection[str]:
    return {*names.roles, *names.bundles, *PLAIN, *COUNTED, *_paths(names.axes, names.bundles, names.roles)}


def _paths(axes: Iterable[str], bundles: Collection[str], roles: Collection[str]) -> Iterator[str]:
    """Yield the keys of more than one part."""
    yield from (f"{word}.{part}" for word, parts in PARTS.items() for part in parts)
    yield from (f"axes.{axis}" for axis in axes)
    yield from (f"oversubscription.{role}" for role in roles)
    yield from (f"survives.{loss}" for loss in (*roles, "plane"))
    yield from (f"switches.by_role.{role}.{fact}" for role in roles for fact in SWITCH_FACTS)
    yield from (f"{word}.by_role.{role}" for word in ("modules", "cages") for role in (*roles, "server"))
    yield from (f"copies.{bundle}" for bundle in bundles)
    yield from (f"{word}.by_bundle.{bundle}" for word in ("links", "fibres", "cables") for bundle in bundles)
