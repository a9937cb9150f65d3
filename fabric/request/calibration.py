"""Read calibrations, and put their constants in the place of the catalogue's."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fabric.catalog import Collectives, OwnRuns, collectives, constant_at, servers, with_constants
from fabric.errors import InputError, Mistake, nearest
from fabric.frozen import FrozenMapping
from fabric.request.calibration_keys import CalibrationKeys
from fabric.request.document import Document, Keys
from fabric.request.error_messages import explain_errors
from fabric.request.yaml_reader import read_file

__all__ = ["calibrated_constants", "inline_calibration", "read_calibration"]

KEY = "calibration"
WHAT = "a calibration is what `fabric calibrate` writes"
FARTHEST = 1000
"""The factor up to which a constant may differ from the catalogue's: shares and rates of 0 have no time."""


def read_calibration(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the plain values of a calibration's file; raises InputError with every mistake."""
    document = read_file(path, WHAT)
    if document.mistakes:
        raise InputError(document.mistakes)
    try:
        keys = CalibrationKeys.model_validate(document.values)
    except ValidationError as error:
        raise InputError([mistake for _, mistake in explain_errors(error, document, CalibrationKeys)]) from None
    calibrated_constants(keys, document)
    return dict(document.values)


def inline_calibration(document: Document) -> Document:
    """Return a request with its calibration's contents instead of the name of a file.

    A name in a file is relative to that file, one from Python or the command line to the current folder. Raises
    InputError as `read_calibration` does.
    """
    name = document.values.get(KEY)
    if not isinstance(name, str):
        return document
    if not name:
        raise InputError([document.mistake((KEY,), "is empty; write the name of a file, or leave the key out")])
    folder = Path(document.file).parent if document.file and KEY not in document.overridden else Path()
    return document.override({KEY: read_calibration(folder / name)})


def calibrated_constants(keys: CalibrationKeys | None, document: Document, prefix: Keys = ()) -> Collectives:
    """Return the catalogue's constants with those of a calibration.

    Raises InputError for a server, a generation or constants that the catalogue does not have.

    `prefix` is the path to the calibration in the document.
    """
    usual = collectives()
    if keys is None:
        return usual
    if mistake := _find_unknown_machine(keys, document, prefix):
        raise InputError([mistake])
    start = usual.with_generation(keys.generation)
    values = dict[str, float]()
    for index, each in enumerate(keys.constants):
        place = (*prefix, "constants", index)
        try:
            before = constant_at(start, each.name)
        except KeyError:
            raise InputError([_unknown(document, (*place, "name"), each.name, keys.generation)]) from None
        if each.name in values:
            raise InputError([document.mistake((*place, "name"), f"a second '{each.name}'; leave one out")])
        if not _is_possible(each.name, before, each.value):
            text = f"{each.value:g} is over {FARTHEST:,} times off the catalogue's {before:g}; calibrate again"
            raise InputError([document.mistake((*place, "value"), text)])
        values[each.name] = each.value
    found = with_constants(start, values)
    errors = sorted(((each.from_bytes, each.error) for each in keys.errors), reverse=True)
    ran = {
        run.collective: tuple(each.servers for each in keys.runs if each.collective == run.collective)
        for run in keys.runs
    }
    own = OwnRuns(keys.generation, FrozenMapping(ran), FrozenMapping(errors), len(keys.constants))
    return replace(found, own_runs=own)


def _find_unknown_machine(keys: CalibrationKeys, document: Document, prefix: Keys) -> Mistake | None:
    """Return what is wrong with the server and its generation; None where the catalogue has both."""
    known = servers()
    server = known.get(keys.server)
    if server is None:
        text = f"unknown server '{keys.server:.80}'{nearest(keys.server, known)}"
        return document.mistake((*prefix, "server"), text)
    if server.generation != keys.generation:
        text = f"'{keys.generation:.80}' is not that of {server.name}, which is {server.generation}"
        return document.mistake((*prefix, "generation"), text)
    return None


def _is_possible(name: str, before: float, value: float) -> bool:
    """Return whether a constant can have this value; a latency can be 0, and so can what is 0 in the catalogue."""
    return name.endswith("_us") or not before or before / FARTHEST <= value <= before * FARTHEST


def _unknown(document: Document, place: Keys, name: str, generation: str) -> Mistake:
    known = [f"generations.{generation}.network_us", "network_scale", "delay", "nvls.base_us", "nvls.received"]
    return document.mistake(place, f"unknown constant '{name:.80}'{nearest(name, known)}")
