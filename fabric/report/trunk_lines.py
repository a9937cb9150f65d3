"""Trunks of cables, and how far cables may be bent, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from fabric import units
from fabric.catalog import MEDIA
from fabric.catalog.cable_diameters import BEND_DIAMETERS, DIAMETERS_MM
from fabric.layout.trunks import find_trunks
from fabric.layout.wiring import Wiring
from fabric.report.text import join_words

__all__ = ["describe_shorter_parts", "describe_trunks"]


def describe_shorter_parts(wiring: Wiring) -> Iterator[str]:
    """Yield how many links a cheaper part would reach that does not reach the longest of their bundle."""
    network = wiring.network
    for number, name in enumerate(network.bundles):
        if name in wiring.prices.ends and (found := wiring.prices.shorter_parts(name)):
            ways = wiring.way_m[network.bundle == number]
            within, links = int((ways <= (found.reach_m or 0)).sum()), units.count(len(ways))
            if within:
                yield (
                    f"{units.count(within)} of {links} {name} links are within the {found.reach_m:g} m "
                    f"of {found.joint.name}, which costs less; one part is taken for all links of a bundle."
                )


def describe_trunks(wiring: Wiring) -> Iterator[str]:
    """Yield how many trunks there are between racks, and the least bend radius of the cables, where it is known."""
    trunks = find_trunks(wiring)
    between = trunks.cables[trunks.one != trunks.other]
    if between.size:
        size = f"{between.mean():.1f} cables each on average, {units.count(int(between.max()))} at most"
        yield f"{units.count_noun(between.size, 'trunk')} between racks, {size}."
    own, radii = wiring.layout.site.diameters_mm, dict[str, None]()
    for found in wiring.compositions.values():
        diameter = own.get(found.joint.name, DIAMETERS_MM.get(found.media)) if found else None
        if found and diameter and found.media in BEND_DIAMETERS:
            radii[f"{BEND_DIAMETERS[found.media] * diameter:.0f} mm for {MEDIA[found.media]}"] = None
    if radii:
        yield f"Bend radius at least {join_words([*radii])}; not checked, since corners of trays are not described."
