"""Where racks stand: blocks of racks fill the rows of the halls in order, and pinned ones the places asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fabric.errors import InputError, Mistake
from fabric.layout.rack_contents import Block
from fabric.layout.spots import spots_of
from fabric.request.site import Hall, Place, Site
from fabric.units import count, count_noun

__all__ = ["Positions", "place_blocks"]

ROW_RACKS, HALL_ROWS = 24, 24
"""The racks of a row, about, and the most rows of a hall, where the request gives no halls."""

NEAR_ROWS = 6
"""How many rows away switches may stand from the racks that they serve, to fill positions that stay free otherwise."""

SPARE_ROOM = 0.04
"""The share of positions beyond the racks that assumed halls keep, for rows that whole blocks do not fill."""

GAP_M = 3.0
"""The distance in metres between halls whose place is not given."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Positions:
    """The place of every rack: columns of shape (racks,), by the racks' numbers."""

    halls: tuple[Hall, ...]
    """The halls, with their places."""
    hall: Ints
    """The index of the hall."""
    row: Ints
    """The row, from 0."""
    position: Ints
    """The position in the row, from 0."""


@dataclass
class _Run:
    """Free positions side by side."""

    hall: int
    row: int
    first: int
    free: int
    backwards: bool = False
    """Whether it is filled from its last position on."""

    def take(self, racks: int) -> int:
        """Take as many positions, side by side at its beginning, and return the first of them."""
        start = self.first + self.free - racks if self.backwards else self.first
        self.first, self.free = self.first + (0 if self.backwards else racks), self.free - racks
        return start


def place_blocks(site: Site, blocks: Sequence[Block], racks: int, *, near: bool = False, limits: str = "") -> Positions:
    """Return the place of every rack; raises InputError, with the racks that are missing, for too small halls.

    Rows are filled in order. With `near`, of assumed halls those farthest from the middle stay free, and each row is
    filled from the end farther from it, so that what stays free, for switches too, is near the middle. `limits` says
    what keeps racks from taking more, for the message about too small halls.
    """
    halls = _lay_halls(site.halls or _usual_halls(blocks, racks))
    places = Positions(halls, *(np.full(racks, -1, np.int64) for _ in range(3)))
    runs = _list_rows(halls)
    if near:
        runs = runs if site.halls else _leave_far_rows(halls, runs, racks)
        _fill_inward(halls, runs)
    for role, place in site.places.items():
        pinned = [block for block in blocks if block.role == role]
        if pinned:
            runs = _pin_blocks(places, runs, pinned, role, place)
    rest = [block for block in blocks if block.role not in site.places]
    _check_room(runs, rest, racks, limits)
    for block in rest:
        if block.central:
            _place_in_middle(places, runs, block, racks)
    at, longest = 0, max((len(block.racks) for block in rest if not block.role), default=1)
    for block in rest:
        if block.role and not block.central:
            _place_beside(places, runs, block, at, longest)
        elif not block.central:
            at = _place_block(places, runs, block, at)
    return places


def _list_rows(halls: Sequence[Hall]) -> list[_Run]:
    """Return the rows of all halls, hall by hall; each begins at that end which is nearer to the row before."""
    runs, last = [], 0.0
    for number, hall in enumerate(halls):
        first = hall.y_m or 0.0
        end = first + (hall.rows - 1) * hall.row_pitch_m
        backwards = number > 0 and abs(end - last) < abs(first - last)
        rows = range(hall.rows - 1, -1, -1) if backwards else range(hall.rows)
        runs += [_Run(number, row, 0, hall.racks_per_row) for row in rows]
        last = first if backwards else end
    return runs


def _fill_inward(halls: Sequence[Hall], runs: Sequence[_Run]) -> None:
    """Let the rows beyond the middle of the floor be filled from their far end."""
    middles = [(hall.x_m or 0.0) + hall.length_m / 2 for hall in halls]
    middle = np.median([middles[run.hall] for run in runs])
    for run in runs:
        run.backwards = bool(middles[run.hall] > middle)


def _leave_far_rows(halls: Sequence[Hall], runs: list[_Run], racks: int) -> list[_Run]:
    """Return the rows, in order, without those farthest from the middle of the floor that surely stay free."""
    places = spots_of(
        halls,
        np.array([run.hall for run in runs]),
        np.array([run.row for run in runs]),
        np.array([halls[run.hall].racks_per_row / 2 - 0.5 for run in runs]),
    )
    far = np.abs(places.x_m - np.median(places.x_m)) + np.abs(places.y_m - np.median(places.y_m))
    order = np.argsort(far, kind="stable")
    room = np.cumsum([runs[each].free for each in order.tolist()])
    kept = int(np.searchsorted(room, racks * (1 + SPARE_ROOM))) + 1
    return [runs[each] for each in np.sort(order[:kept]).tolist()]


def _usual_halls(blocks: Sequence[Block], racks: int) -> tuple[Hall, ...]:
    """Return equal halls, as many as are needed, whose rows hold whole blocks."""
    sizes = [len(block.racks) for block in blocks if not block.role] or [len(block.racks) for block in blocks]
    longest = min(max(sizes), 2 * ROW_RACKS)
    together = max(1, ROW_RACKS // longest)
    rows = sum(-(-size // longest) for size in sizes) // together + 1
    alone = [block for block in blocks if block.role]
    beside = sum(len(block.racks) for block in alone if not block.central)
    row = together * longest + -(-beside // rows)  # with room for the switches of pods between the blocks
    rows += -(-(racks - sum(sizes)) // row)
    number = -(-rows // HALL_ROWS)
    deep = -(-rows // number)
    width, depth = row * Hall.rack_pitch_m + GAP_M, deep * Hall.row_pitch_m + GAP_M
    columns = max(1, round((number * depth / width) ** 0.5))  # the site is about as wide as it is deep
    return tuple(
        Hall(
            _letters(each),
            deep,
            row,
            x_m=each % columns * width,
            y_m=each // columns * depth,
        )
        for each in range(number)
    )


def _letters(number: int) -> str:
    """Return A to Z, then AA, AB and so on."""
    text = chr(ord("A") + number % 26)
    return text if number < 26 else _letters(number // 26 - 1) + text


def _lay_halls(halls: Sequence[Hall]) -> tuple[Hall, ...]:
    """Return the halls with their places: without one, beside the hall before."""
    laid: list[Hall] = []
    for hall in halls:
        beside = laid[-1] if laid else None
        x = hall.x_m if hall.x_m is not None else (beside.x_m or 0) + beside.length_m + GAP_M if beside else 0.0
        y = hall.y_m if hall.y_m is not None else (beside.y_m or 0) if beside else 0.0
        laid.append(replace(hall, x_m=x, y_m=y))
    _refuse_overlap(laid)
    return tuple(laid)


def _refuse_overlap(halls: Sequence[Hall]) -> None:
    """Raise InputError for two halls whose racks stand in one place, as halls of two storeys would."""
    left, front = (np.array([getattr(hall, name) for hall in halls]) for name in ("x_m", "y_m"))
    right = left + [hall.length_m for hall in halls]
    back = front + [(hall.rows - 1) * hall.row_pitch_m for hall in halls]
    along = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    across = np.minimum(back[:, None], back) - np.maximum(front[:, None], front)
    pairs = np.argwhere(np.triu((along > 1e-6) & (across > -1e-6), 1))
    if len(pairs):
        one, other = (halls[at] for at in pairs[0])
        text = (
            f"the rows of {one.name} (x_m {one.x_m:g}, y_m {one.y_m:g}) and {other.name} "
            f"(x_m {other.x_m:g}, y_m {other.y_m:g}) overlap; move one, or leave both keys out"
        )
        raise InputError([Mistake("site.halls", text)])


def _pin_blocks(places: Positions, runs: list[_Run], pinned: list[Block], role: str, place: Place) -> list[_Run]:
    """Put blocks at the first free positions of a place, and return the runs that stay free."""
    names = [hall.name for hall in places.halls]
    if place.hall not in names:
        text = f"there is no hall {place.hall}; known: {', '.join(names)}"
        raise InputError([Mistake(f"site.places.{role}", text)])
    hall = names.index(place.hall)
    first, last = (place.first or 1) - 1, place.last or places.halls[hall].racks_per_row
    wanted = np.concatenate([block.racks for block in pinned])
    taken, left = 0, []
    for run in runs:
        inside = run.hall == hall and place.row in (None, run.row + 1)
        start, end = max(run.first, first), min(run.first + run.free, last)
        here = min(max(0, end - start), len(wanted) - taken) if inside else 0
        if not here:
            left.append(run)
            continue
        _set_places(places, wanted[taken : taken + here], run.hall, run.row, start)
        taken += here
        left += [_Run(run.hall, run.row, run.first, start - run.first)] if start > run.first else []
        rest = run.first + run.free - start - here
        left += [_Run(run.hall, run.row, start + here, rest)] if rest else []
    if taken < len(wanted):
        text = (
            f"{count_noun(len(wanted), 'network rack')} needed, but only {count(taken)} "
            f"{'position is' if taken == 1 else 'positions are'} free there; give it more room"
        )
        raise InputError([Mistake(f"site.places.{role}", text)])
    return left


def _check_room(runs: Sequence[_Run], blocks: Sequence[Block], racks: int, limits: str) -> None:
    free, needed = sum(run.free for run in runs), sum(len(block.racks) for block in blocks)
    if needed > free:
        text = (
            f"{count_noun(racks, 'rack')} needed, but the halls have {count(free)} free rack positions: "
            f"{count(needed - free)} missing{limits and f' ({limits})'}; add rows or a hall, or put more into a rack"
        )
        raise InputError([Mistake("site.halls", text)])


def _place_block(places: Positions, runs: list[_Run], block: Block, after: int) -> int:
    """Put a block into the first run with room for all of it, from run `after` on, and return that run.

    Where none has, it is put into the nearest rows of one hall that have, and else into the free positions in order.
    """
    fits = [number for number, run in enumerate(runs) if run.free >= len(block.racks)]
    at = next((number for number in fits if number >= after), fits[0] if fits else None)
    taken = 0
    for each in _find_near_runs(runs, len(block.racks)) if at is None else [runs[at]]:
        here = min(each.free, len(block.racks) - taken)
        _set_places(places, block.racks[taken : taken + here], each.hall, each.row, each.take(here))
        taken += here
        if taken == len(block.racks):
            break
    return after if at is None else at


def _find_near_runs(runs: list[_Run], racks: int) -> list[_Run]:
    """Return the runs of one hall with room for the racks in the fewest rows, or all where no hall has the room."""
    hall, row, free = (np.array([getattr(run, name) for run in runs]) for name in ("hall", "row", "free"))
    ends = np.searchsorted(np.cumsum(free), np.cumsum(free) - free + racks)  # the last run that each needs
    last = np.minimum(ends, len(runs) - 1)
    enough = (free > 0) & (ends < len(runs)) & (hall[last] == hall)
    if not enough.any():
        return runs
    first = int(np.where(enough, np.abs(row[last] - row), np.inf).argmin())
    return runs[first : int(last[first]) + 1]


def _place_beside(places: Positions, runs: list[_Run], block: Block, at: int, longest: int) -> None:
    """Put network racks near run `at`: first into what is left of rows near it, where no other block would fit."""
    taken = 0
    near = sorted(range(max(0, at - NEAR_ROWS), min(len(runs), at + NEAR_ROWS + 1)), key=lambda each: abs(each - at))
    left = [each for each in near if 0 < runs[each].free < longest]
    for each in [*left, *range(at, len(runs)), *range(at)]:
        run = runs[each]
        here = min(run.free, len(block.racks) - taken)
        _set_places(places, block.racks[taken : taken + here], run.hall, run.row, run.take(here))
        taken += here
        if taken == len(block.racks):
            return


def _place_in_middle(places: Positions, runs: list[_Run], block: Block, racks: int) -> None:
    """Put the racks of a block around the middle of the positions that the fabric fills, some side by side each time.

    Ways are along and across rows, so the middle is the median of both, of the first `racks` positions.
    """
    halls = places.halls
    hall, row, position = _first_positions(runs, racks)
    where = spots_of(halls, hall, row, position)
    far = np.abs(where.x_m - np.median(where.x_m)) + np.abs(where.y_m - np.median(where.y_m))
    order = np.argsort(far, kind="stable")
    spots = list(zip(hall[order].tolist(), row[order].tolist(), position[order].tolist(), strict=True))
    taken, free = 0, {(run.hall, run.row): run for run in runs}
    for at_hall, at_row, at in spots:
        run = free.get((at_hall, at_row))
        if taken == len(block.racks):
            break
        if run is None or not run.first <= at < run.first + run.free:
            continue
        del free[at_hall, at_row]
        here = min(run.free, len(block.racks) - taken)
        start = max(run.first, min(at - here // 2, run.first + run.free - here))
        _set_places(places, block.racks[taken : taken + here], at_hall, at_row, start)
        taken += here
        at_run = runs.index(run)
        left = _Run(at_hall, at_row, run.first, start - run.first, run.backwards)
        right = _Run(at_hall, at_row, start + here, run.first + run.free - start - here, run.backwards)
        runs[at_run : at_run + 1] = [each for each in (left, right) if each.free]


def _first_positions(runs: Sequence[_Run], racks: int) -> tuple[Ints, Ints, Ints]:
    """Return hall, row and position of the first free positions."""
    frees = np.array([run.free for run in runs])
    used = np.minimum(frees, np.maximum(racks - np.cumsum(frees) + frees, 0))
    index = np.repeat(np.arange(len(runs)), used)
    step = np.array([-1 if run.backwards else 1 for run in runs])
    firsts = np.array([run.first + run.backwards * (run.free - 1) for run in runs])
    position = firsts[index] + step[index] * (np.arange(len(index)) - np.repeat(np.cumsum(used) - used, used))
    return np.array([run.hall for run in runs])[index], np.array([run.row for run in runs])[index], position


def _set_places(places: Positions, racks: Ints, hall: int, row: int, first: int) -> None:
    places.hall[racks], places.row[racks] = hall, row
    places.position[racks] = first + np.arange(len(racks))
