"""Prices from a file and from the command line, to be set in a request's `prices_usd`."""

from __future__ import annotations

import os
from collections.abc import Mapping

from fabric.request.document import Overlay, dotted
from fabric.request.yaml_reader import read_file

__all__ = ["price_list"]

WHAT = "a list of prices is a mapping of names to USD such as `sn5600: 52000`"


def price_list(path: str | os.PathLike[str] | None, given: Mapping[str, float | str]) -> Overlay:
    """Return the prices of the file at `path`, if any, with those `given` by `--price` over them.

    Raises InputError when the file can't be read; its prices are checked with the request that takes them.
    """
    places = {name: f"--price {name}" for name in given}
    if path is None:
        return Overlay(given, places)
    document = read_file(path, WHAT)
    lines = {name: f"{document.file}:{document.lines[(name,)]}: {dotted((name,))}" for name in document.values}
    return Overlay({**document.values, **given}, {**lines, **places}, document.mistakes)
