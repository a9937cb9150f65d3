"""Prices from a file and from the command line, to be set in the `prices_usd` of a request."""

from __future__ import annotations

import os
from collections.abc import Mapping

from fabric.request.document import Overlay, dotted
from fabric.request.yaml_reader import read_file

__all__ = ["read_price_list"]

WHAT = "a list of prices is a mapping of names to USD such as `sn5600: 52000`"


def read_price_list(path: str | os.PathLike[str] | None, given: Mapping[str, float | str]) -> Overlay:
    """Return the prices of the file at `path`, if any, overridden by those `given` by `--price`.

    Raises InputError when the file cannot be read. The prices are checked with the request that they are set in.
    """
    places = {name: f"--price {name}" for name in given}
    if path is None:
        return Overlay(given, places)
    document = read_file(path, WHAT)
    lines = {name: f"{document.file}:{document.lines[(name,)]}: {dotted((name,))}" for name in document.values}
    return Overlay({**document.values, **given}, {**lines, **places}, document.mistakes)
