"""Read a sweep: the request that all its designs share, what is varied, what is measured, and what is shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fabric.errors import InputError, Mistake, nearest
from fabric.frozen import FrozenMapping
from fabric.registry import Registry
from fabric.request.calibration import inline_calibration
from fabric.request.document import Document, Keys, Tree, add_plain, dotted
from fabric.request.resolve import Source, read_document
from fabric.request.yaml_reader import read_file
from fabric.sweeps.front import read_front
from fabric.sweeps.measure import Measure, Setting, clean_value
from fabric.sweeps.measures import MEASURES
from fabric.sweeps.picture import read_pictures
from fabric.sweeps.spec import Axis, Row, Sweep

__all__ = ["KEYS", "MOST_VALUES", "SHOWN_KEYS", "WHAT", "is_sweep_file", "read_sweep", "read_sweep_values"]

SHOWN_KEYS = ("pareto", "pictures")
"""The keys that say what is shown of the results, and change none of them."""

KEYS = ("base", "grid", "list", "measures", *SHOWN_KEYS)
"""The keys of a sweep, beside a section for every measure that has settings."""

WHAT = "a sweep is a mapping of base, grid or list, and measures"
MOST_VALUES = 400_000
"""The most values of a sweep's file."""
USUAL = ("fabric", "cost", "switches", "hops")
"""What is measured where a sweep names no measures."""


def is_sweep_file(source: object) -> bool:
    """Say whether `source` is a file that holds a sweep, and not a request."""
    if not isinstance(source, str | os.PathLike) or not Path(source).is_file():
        return False
    return any(key in read_sweep_values(source).values for key in ("measures", "grid", "list"))


def read_sweep_values(source: str | os.PathLike[str]) -> Document:
    """Return the plain values of a sweep's file, with their places."""
    return read_file(source, WHAT, MOST_VALUES)


def read_sweep(source: str | os.PathLike[str] | Mapping[str, Any], registry: Registry[Measure] = MEASURES) -> Sweep:
    """Read a sweep from a file, or from the plain values of one; raises InputError with every mistake found.

    The name of the base is that of a shipped design or of a file, relative to that of the sweep.
    """
    reader = _Reader(_take_values(source) if isinstance(source, Mapping) else read_sweep_values(source), registry)
    sweep = reader.read()
    if reader.mistakes:
        raise InputError(reader.mistakes)
    return sweep


def _take_values(source: Mapping[str, Any]) -> Document:
    tree = Tree("", WHAT, MOST_VALUES)
    add_plain(source, tree)
    return tree.document()


class _Reader:
    """Reads the parts of one sweep, and gathers the mistakes in all of them."""

    def __init__(self, document: Document, registry: Registry[Measure]) -> None:
        self.document = document
        self.registry = registry
        self.mistakes = list(document.mistakes)

    def read(self) -> Sweep:
        """Return the sweep; where `mistakes` is not empty afterwards, it is not complete."""
        measures = self._measures()
        sections = {each.name: each for each in self.registry.values() if each.settings}
        for key in self.document.values:
            if key not in KEYS and key not in sections:
                self._add((key,), f"unknown key{nearest(key, (*KEYS, *sections))}")
        base, rows = self._base(), self._rows(sections)
        grid = [axis for key in self._mapping("grid") for axis in self._axis(key, ("grid", key), sections)]
        settings, swept = self._sections(measures)
        axes = (*(axis for axis in grid if not axis.measure), *(axis for axis in grid if axis.measure), *swept)
        self._refuse_doubles(axes, rows)
        for axis in axes:
            self._require(axis.measure, measures, axis.place)
        front, pictures = self._shown("pareto", read_front, None), self._shown("pictures", read_pictures, ())
        return Sweep(base, rows, axes, measures, settings, self.document, front, pictures)

    def _shown(self, key: str, read: Callable[[Any], Any], default: Any) -> Any:
        """Return what a key says of the results that are shown."""
        value = self.document.values.get(key)
        try:
            return default if value is None else read(value)
        except InputError as error:
            self._add((key,), str(error))
            return default

    def _add(self, keys: Keys, text: str) -> None:
        self.mistakes.append(self.document.mistake(keys, text))

    def _mapping(self, key: str) -> Mapping[str, Any]:
        found = self.document.values.get(key)
        if found is None:
            return {}
        if not isinstance(found, dict):
            self._add((key,), f"is not a mapping; write for example `{key}: {{gpus: [1024, 2048]}}`")
            return {}
        return found

    def _measures(self) -> tuple[Measure, ...]:
        names = self.document.values.get("measures", list(USUAL))
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, list) or not names:
            self._add(("measures",), f"is not a list of measures; known: {', '.join(self.registry)}")
            return ()
        found = dict[str, Measure]()
        for index, name in enumerate(names):
            place: Keys = ("measures", index) if "measures" in self.document.values else ("measures",)
            if not isinstance(name, str) or name not in self.registry:
                self._add(place, f"unknown measure '{name!s:.60}'{nearest(str(name), self.registry)}")
            elif name in found:
                self._add(place, f"'{name}' is listed twice; keep one")
            else:
                found[name] = self.registry[name]
        return tuple(found.values())

    def _base(self) -> Document:
        source = self.document.values.get("base")
        if isinstance(source, dict):
            part = self.document.part(("base",), ("base",))
            lines = {keys: line for keys, line in part.lines.items() if keys}
            return self._inline(Document(part.values, FrozenMapping(lines), part.file))
        if source is None or isinstance(source, str):
            try:
                return self._inline(read_document(self._near(source)))
            except InputError as error:
                self.mistakes += [self._at_base(mistake) for mistake in error.mistakes]
                return Document({})
        self._add(("base",), "is neither the name of a request, nor a mapping of its keys")
        return Document({})

    def _at_base(self, mistake: Mistake) -> Mistake:
        """Return a mistake in reading the base, with the place in the sweep where the base itself can't be opened."""
        return mistake if ":" in mistake.place else self.document.mistake(("base",), str(mistake))

    def _near(self, source: str | None) -> Source:
        """Return the name of a base, of a file as seen from the sweep's own."""
        beside = Path(self.document.file).parent / source if source and self.document.file else None
        return beside if beside and beside.is_file() else source

    def _inline(self, base: Document) -> Document:
        try:
            return inline_calibration(base)
        except InputError as error:
            self.mistakes += error.mistakes
            return base

    def _rows(self, sections: Mapping[str, Measure]) -> tuple[Row, ...]:
        listed = self.document.values.get("list")
        if listed is None:
            return (Row({}, {}, ()),)
        if not isinstance(listed, list) or not listed:
            self._add(("list",), "is not a list of rows; write for example `list: [{family: torus, gpus: 512}]`")
            return ()
        return tuple(
            self._row(("list", index), each, sections) for index, each in enumerate(listed) if self._is_row(index, each)
        )

    def _is_row(self, index: int, each: Any) -> bool:
        if isinstance(each, dict) and each:
            return True
        self._add(("list", index), "is not a mapping of keys; write for example {family: torus, gpus: 512}")
        return False

    def _row(self, place: Keys, each: Mapping[str, Any], sections: Mapping[str, Measure]) -> Row:
        values, settings = dict[str, Any](), dict[tuple[str, str], Any]()
        for key, value in each.items():
            if setting := self._setting_of(key, (*place, key), sections):
                settings[setting[0], setting[1].name] = self._read(setting[1], value, (*place, key))
            else:
                values[key] = value
        return Row(values, settings, place)

    def _axis(self, key: str, place: Keys, sections: Mapping[str, Measure]) -> Iterator[Axis]:
        values = self.document.values["grid"][key]
        listed = values if isinstance(values, list) else [values]
        if not listed:
            self._add(place, "is empty; give one value or more")
        elif "" in key.split("."):
            self._add(place, "is no key of a request; write one name before and after each dot: limits.hops")
        elif setting := self._setting_of(key, place, sections):
            yield self._setting_axis(setting[0], setting[1], listed, place)
        else:
            yield Axis(key, tuple(listed), place)

    def _setting_of(self, key: str, place: Keys, sections: Mapping[str, Measure]) -> tuple[str, Setting] | None:
        """Return the measure and the setting that a key names; None for a key of the request."""
        section, dot, name = key.partition(".")
        if not dot or section not in sections:
            return None
        if (setting := sections[section].setting(name)) is None:
            self._add(place, f"unknown setting of {section}{nearest(name, _names(sections[section]))}")
            return section, sections[section].settings[0]
        return section, setting

    def _setting_axis(self, measure: str, setting: Setting, values: Sequence[Any], place: Keys) -> Axis:
        read = [self._read(setting, each, (*place, index)) for index, each in enumerate(values)]
        return Axis(f"{measure}.{setting.name}", tuple(read), place, measure)

    def _read(self, setting: Setting, value: Any, place: Keys) -> Any:
        try:
            read = setting.read(value)
            clean_value(read, setting.column.kind)
            return read
        except InputError as error:
            self._add(place, str(error))
            return setting.default

    def _sections(self, measures: Sequence[Measure]) -> tuple[Mapping[tuple[str, str], Any], tuple[Axis, ...]]:
        """Return the settings with one value, those with defaults too, and an axis for each that has several."""
        fixed, axes = dict[tuple[str, str], Any](), list[Axis]()
        for measure in measures:
            for each in measure.settings:
                fixed[measure.name, each.name] = each.default
        for name, measure in self.registry.items():
            section = self._mapping(name) if measure.settings else {}
            self._require(name if section else "", measures, (name,))
            for key, value in section.items():
                setting, place = measure.setting(key), (name, key)
                if setting is None:
                    self._add(place, f"unknown setting{nearest(key, _names(measure))}")
                elif isinstance(value, list) and len(value) != 1:
                    axes += [self._setting_axis(name, setting, value, place)] if value else []
                else:
                    fixed[name, key] = self._read(setting, value[0] if isinstance(value, list) else value, place)
        return FrozenMapping(fixed), tuple(axes)

    def _require(self, name: str, measures: Sequence[Measure], place: Keys) -> None:
        """Add a mistake for settings of a measure that is not asked for."""
        if name and measures and name not in {each.name for each in measures}:
            self._add(place, f"sets the measure '{name}', which is not among the measures; add it there")

    def _refuse_doubles(self, axes: Sequence[Axis], rows: Sequence[Row]) -> None:
        """Add a mistake for a key that is varied twice, or within another."""
        listed = {key for row in rows for key in (*row.values, *(".".join(each) for each in row.settings))}
        seen = dict.fromkeys(listed, "list")
        for axis in axes:
            clash = next((key for key in seen if _overlap(key, axis.key)), None)
            if clash is not None:
                self._add(axis.place, f"{axis.key} is varied in `{seen[clash]}` too, as {clash}; keep one")
            seen[axis.key] = dotted(axis.place[:1])


def _names(measure: Measure) -> list[str]:
    return [each.name for each in measure.settings]


def _overlap(one: str, other: str) -> bool:
    """Say whether two paths are the same, or one is within the other."""
    first, second = f"{one}.", f"{other}."
    return first.startswith(second) or second.startswith(first)
