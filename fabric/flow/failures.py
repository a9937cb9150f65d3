"""Failures of links, switches, servers, NICs and planes: what fails, and which links are left."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.errors import InputError, Mistake, is_whole
from fabric.flow.failure_words import FailableParts, Failed
from fabric.request.failure_lists import list_failures

__all__ = ["draw_failures", "fail"]


def fail(blueprint: Blueprint, failures: Iterable[str], seed: int = 0) -> npt.NDArray[np.bool_]:
    """Return which links are up after `failures`, a bool array of shape (links,), in the network's order of links.

    A failure is a kind with a number: `leaf:3` (three of them, drawn by `seed`), a share: `link:1%` (rounded to the
    nearest whole number), or axes: `leaf[pod=3,rail=5]` or `plane[plane=0]` (all devices with these values). Kinds are
    `link`, the bundles (`leaf-spine`), the switch roles, `server`, `nic`, `gpu` and `plane`. A failed device takes all
    its links down, and a failed GPU its server. A link is named by a port, `leaf[pod=3,rail=5]:32`, or by both ends,
    `leaf[rail=5]--spine[spine=2]`, with `#2` the second of the links that join them. `@FILE` stands for the lines of a
    file. With one seed a larger number fails all that a smaller one does. Raises InputError, with every word that is
    not a failure.
    """
    up = np.ones(blueprint.links_total, bool)
    for failed in draw_failures(blueprint, failures, seed):
        up &= failed.up
    return up


def draw_failures(blueprint: Blueprint, failures: Iterable[str], seed: int = 0) -> tuple[Failed, ...]:
    """Return what each of `failures` takes down (see `fail`), with the names of the devices or links that fail.

    Raises InputError with every failure that cannot be read, or that names what the fabric does not have, and for a
    seed that is not a whole number from 0.
    """
    if not is_whole(seed, 0):
        raise InputError(f"seed {seed!r:.40}: not a whole number from 0")
    parts, found, mistakes = FailableParts(blueprint), list[Failed](), list[Mistake]()
    for number, (place, word) in enumerate(list_failures(failures)):
        try:
            found.append(parts.fail(word, np.random.default_rng([seed, number])))
        except InputError as error:
            mistakes.append(Mistake(place, str(error)))
    if mistakes:
        raise InputError(mistakes)
    return tuple(found)
