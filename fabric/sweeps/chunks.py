"""A sweep cut into chunks: designs with all their points, some seconds of work each, named by their content.

The cut depends on the sweep, the version of the tool, what this process has added to it and the minutes that work may
take: not on the machine, the number of workers, or how often a run was stopped. So a chunk's file, found by name, is
its result wherever and whenever it was computed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fabric.errors import InputError, Mistake, TooLarge
from fabric.request import Spec
from fabric.request.calibration import inline_calibration
from fabric.request.document import Document
from fabric.request.known_names import KnownNames
from fabric.request.resolve import find_malformed, read_spec
from fabric.resources import minutes_allowed
from fabric.sweeps.added_records import AddedRecord, list_added
from fabric.sweeps.columns import list_columns
from fabric.sweeps.measure import MeasureColumn
from fabric.sweeps.points import Point, count_points, list_points, make_request
from fabric.sweeps.spec import Sweep
from fabric.sweeps.tool import identify_tool
from fabric.sweeps.work import estimate_sizing
from fabric.topology.families import known_names
from fabric.units import count

__all__ = ["Chunk", "Plan", "make_plan"]

TARGET_S = 6.0
"""The work from which a chunk is full, in estimated seconds on one core."""

MOST_DESIGNS = 1000
"""The most designs of a chunk."""

MOST_POINTS = 200_000
"""The most points of a sweep: more take minutes to validate."""

MOST_MISTAKES = 100

MOST_SPECS = 1000
"""The requests that are kept as they were read; one that is needed again later is read again."""


@dataclass(frozen=True)
class Chunk:
    """Some designs of a sweep, with their points."""

    key: str
    """A digest of all that its result depends on, by which its file is named."""
    content: str
    """What is to be computed, as JSON."""
    points: tuple[int, ...]
    """The numbers of its points, ascending."""
    work_s: float
    """Its work in estimated seconds on one core."""


@dataclass(frozen=True)
class Plan:
    """A validated sweep, ready to run."""

    sweep: Sweep
    """The sweep."""
    columns: tuple[MeasureColumn, ...]
    """The columns of its table."""
    chunks: tuple[Chunk, ...]
    """Its chunks, in the order of their first points."""
    points: int
    """The number of points."""
    designs: int
    """The number of different requests among them."""
    records: tuple[AddedRecord, ...] = ()
    """What this process has added to the tool, such as a family: workers need it, and it travels with every chunk."""

    @property
    def work_s(self) -> float:
        """The work in estimated seconds on one core."""
        return sum(chunk.work_s for chunk in self.chunks)


@dataclass
class _Design:
    """A request, and the points that ask for it."""

    request: str
    sizing_s: float
    points: list[tuple[list[Any], float]]


def make_plan(sweep: Sweep, progress: Callable[[str], None] = lambda text: None) -> Plan:
    """Validate every point of a sweep, and cut it into chunks.

    Raises InputError with the keys and values that no request can have, each at its place in the sweep, and TooLarge
    for too many points. A request whose keys contradict each other is a point like any other: its row says why.
    """
    total = count_points(sweep)
    if total > MOST_POINTS:
        raise TooLarge(f"a sweep of {count(total)} points; at most {count(MOST_POINTS)}: split it into several sweeps")
    columns, records = list_columns(sweep), list_added()
    designs = _group_points(sweep, total, progress)
    head = {
        "schema": "fabric.sweep-chunk/1",
        "tool": identify_tool(),
        "records": [[each.plural, each.record.name, each.digest] for each in records],
        "minutes": minutes_allowed(),
        "measures": [[each.name, each.version] for each in sweep.measures],
        "columns": [[each.name, each.kind, each.description] for each in columns],
    }
    return Plan(sweep, columns, tuple(_cut(list(designs.values()), head)), total, len(designs), records)


def _group_points(sweep: Sweep, total: int, progress: Callable[[str], None]) -> dict[str, _Design]:
    """Return the different requests of a sweep, each with its points, in the order of their first points."""
    reader, texts = _Reader(known_names()), dict[str, str]()
    for point in list_points(sweep):
        if point.index % 100 == 0:
            progress(f"validating point {count(point.index + 1)} of {count(total)}")
        values = json.dumps(dict(point.values))
        if values not in texts:
            try:
                document = inline_calibration(make_request(sweep, point))
            except InputError as error:
                reader.mistakes |= dict.fromkeys(error.mistakes)
                continue
            texts[values] = reader.add(document)
        if len(reader.mistakes) >= MOST_MISTAKES:
            break
        request = texts[values]
        reader.designs[request].points.append(_describe_point(sweep, point, reader.spec(request)))
    if reader.mistakes:
        raise InputError(reader.mistakes)
    return reader.designs


class _Reader:
    """Reads requests, each different one once, and gathers the keys and values that no request can have."""

    def __init__(self, names: KnownNames) -> None:
        self.names = names
        self.designs: dict[str, _Design] = {}
        self.mistakes: dict[Mistake, None] = {}
        self._specs: dict[str, Spec | None] = {}

    def add(self, document: Document) -> str:
        """Read a request unless it is known, and return it as JSON."""
        request = _write(dict(document.values))
        if request not in self.designs:
            spec = self._keep(request, document)
            self.designs[request] = _Design(request, 0.01 if spec is None else estimate_sizing(spec), [])
        return request

    def spec(self, request: str) -> Spec | None:
        """Return a request as it is read; None where it is invalid."""
        if request not in self._specs:
            return self._keep(request, Document(json.loads(request)))
        return self._specs[request]

    def _keep(self, request: str, document: Document) -> Spec | None:
        try:
            spec = read_spec(document, {}, names=self.names)
        except InputError:
            self.mistakes |= dict.fromkeys(find_malformed(document, self.names))
            spec = None
        if len(self._specs) == MOST_SPECS:
            self._specs.pop(next(iter(self._specs)))
        self._specs[request] = spec
        return spec


def _describe_point(sweep: Sweep, point: Point, spec: Spec | None) -> tuple[list[Any], float]:
    """Return what a chunk says of a point, and the work of its measures."""
    settings: dict[str, dict[str, Any]] = {measure.name: {} for measure in sweep.measures}
    for (measure, name), value in point.settings.items():
        settings[measure][name] = value
    keys = [point.values.get(key) for key in sweep.swept_keys]
    work = sum(measure.work_s(spec, settings[measure.name]) for measure in sweep.measures) if spec else 0.0
    return [point.index, keys, settings], work


def _write(values: Any) -> str:
    """Return plain values as JSON, in their order, which a request may mean."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _cut(designs: Sequence[_Design], head: Mapping[str, Any]) -> Iterator[Chunk]:
    """Yield the chunks of a sweep: whole designs, but for one whose points alone are the work of several chunks.

    `head` is what all chunks depend on.
    """
    parts, work = list[tuple[str, list[list[Any]]]](), 0.0
    for design in designs:
        for points, took in _split(design):
            parts.append((design.request, points))
            work += took
            if work >= TARGET_S or len(parts) == MOST_DESIGNS:
                yield _make_chunk(head, parts, work)
                parts, work = [], 0.0
    if parts:
        yield _make_chunk(head, parts, work)


def _split(design: _Design) -> Iterator[tuple[list[list[Any]], float]]:
    """Yield the points of a design with the work of sizing it and of them, in parts of a full chunk at most."""
    points, work = list[list[Any]](), design.sizing_s
    for described, took in design.points:
        if points and work + took > 2 * TARGET_S:
            yield points, work
            points, work = [], design.sizing_s
        points.append(described)
        work += took
    yield points, work


def _make_chunk(head: Mapping[str, Any], parts: Sequence[tuple[str, list[list[Any]]]], work_s: float) -> Chunk:
    designs = [{"request": json.loads(request), "points": points} for request, points in parts]
    content = _write({**head, "designs": designs})
    numbers = tuple(sorted(point[0] for _, points in parts for point in points))
    return Chunk(sha256(content.encode()).hexdigest()[:24], content, numbers, work_s)
