"""Trunks of cables, and how far cables may be bent, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from fabric import units
from fabric.catalog import MEDIA
from fabric.layout.bends import list_bends
from fabric.layout.trunks import find_trunks
from fabric.layout.wiring import Wiring
from fabric.report.text import join_words

__all__ = ["describe_bends", "describe_trunks"]


def describe_trunks(wiring: Wiring) -> Iterator[str]:
    """Yield how many trunks there are between racks, and how large they are."""
    trunks = find_trunks(wiring)
    between = trunks.cables[trunks.one != trunks.other]
    if between.size:
        size = f"{between.mean():.1f} cables each on average, {units.count(int(between.max()))} at most"
        yield f"{units.count_noun(between.size, 'trunk')} between racks, {size}."


def describe_bends(wiring: Wiring) -> Iterator[str]:
    """Yield the least bend radius of the cables, how many are bent more, and what was not checked."""
    bends = list(list_bends(wiring))
    radii = dict.fromkeys((b.least_mm, b.media) for b in bends if b.where == "tray" and b.least_mm)
    if radii:
        each = [f"{least:.0f} mm for {MEDIA[media]}" for least, media in radii]
        yield f"Bend radius in trays at least {join_words(each)}."
    for bend in bends:
        if bend.too_tight:
            place = "trays turn" if bend.where == "tray" else f"{bend.where} racks turn them"
            yield (
                f"Too tight: {units.count_noun(bend.cables, 'cable')} {bend.bundle} ({bend.part}) may not be bent "
                f"below {bend.least_mm:.0f} mm, but {place} at {bend.turn_mm:g} mm."
            )
    places = {"tray": "trays", "server": "server racks", "network": "network racks"}
    silent = [places[where] for where in places if any(b.where == where and b.turn_mm is None for b in bends)]
    if silent:
        where = join_words(silent)
        yield f"Bends not checked in {where}: the site states no bend_radius_mm (keys site.trays, site.rack)."
    if unknown := dict.fromkeys(b.part or b.bundle for b in bends if b.least_mm is None):
        yield f"Bends not checked, diameters not known: {', '.join(unknown)} (key site.diameters_mm)."
