"""Pictures of a sweep as they are asked for: small multiples, a heat map, or bands of percentiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fabric.errors import InputError, nearest
from fabric.sweeps.failure_measure import FAILURES, KEPT

__all__ = ["KINDS", "Picture", "read_picture", "read_pictures"]

KINDS = {
    "curves": ("x", "y"),
    "heat": ("x", "y", "value"),
    "bands": ("x",),
}
"""The kinds of pictures, each with the parts that it needs: one panel of curves or several, a heat map, bands."""

OPTIONAL = {"curves": ("colour", "by"), "heat": (), "bands": ("by",)}
"""The parts that it may have."""

MOST_FACETS = 2
"""The columns by which a picture is split into panels."""

WHAT = "write KIND:PART=COLUMN,..., such as curves:x=gpus,y=cost_usd,colour=family,by=planes"


@dataclass(frozen=True)
class Picture:
    """One picture of a sweep's table; its parts are names of columns."""

    kind: str
    """The kind, one of KINDS."""
    x: str
    """What is along the horizontal axis."""
    y: str = ""
    """What is along the vertical axis; bands show the share of bandwidth kept after failures."""
    value: str = ""
    """What the colours of a heat map show."""
    colour: str = ""
    """What the curves of a panel differ in; empty for one curve."""
    by: tuple[str, ...] = ()
    """What panels differ in: one or two columns; empty for one panel."""

    @property
    def file(self) -> str:
        """The name of its files, without a suffix."""
        parts = [self.kind, *filter(None, (self.value, self.y, self.x, self.colour)), *self.by]
        return "-".join(part.replace("/", "_").replace(".", "_") for part in parts)

    @property
    def place(self) -> tuple[str, ...]:
        """The columns that decide where a point is, and in which colour or panel."""
        return (*filter(None, (self.x, self.colour, self.y if self.kind == "heat" else "")), *self.by)

    def check(self, kinds: Mapping[str, str]) -> None:
        """Raise InputError unless all parts are columns, and numbers where they must be; `kinds` are by name."""
        where = f"picture {self.kind}"
        if self.kind == "bands" and KEPT[50] not in kinds:
            raise InputError(f"{where}: shows the measure '{FAILURES.name}', which is not among the measures; add it")
        numbers = {"curves": (self.x, self.y), "heat": (self.value,), "bands": (self.x,)}[self.kind]
        for name in filter(None, (self.x, self.y, self.value, self.colour, *self.by)):
            if name not in kinds:
                raise InputError(f"{where}: '{name:.60}' is no column{nearest(name, kinds)}")
            if name in numbers and kinds[name] not in ("whole", "number"):
                raise InputError(f"{where}: {name} holds {kinds[name]}, and not numbers; take another column")


def read_pictures(value: Any) -> tuple[Picture, ...]:
    """Return a list of pictures, each as `read_picture` takes it; raises InputError for anything else."""
    listed = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(read_picture(each) for each in listed))


def read_picture(value: Any) -> Picture:
    """Return a picture from a mapping with `kind` and its parts, or from text: `heat:x=gpus,y=planes,value=cost_usd`.

    Raises InputError for an unknown kind or part, and for a part that is missing.
    """
    parts = _split(value) if isinstance(value, str) else value
    if not isinstance(parts, Mapping):
        raise InputError(f"picture {value!r:.60}: {WHAT}")
    kind, given = parts.get("kind"), {key: each for key, each in parts.items() if key != "kind"}
    if kind not in KINDS:
        raise InputError(f"picture '{kind!s:.60}': unknown kind{nearest(str(kind), KINDS)}")
    known = (*KINDS[kind], *OPTIONAL[kind])
    for key in given:
        if key not in known:
            raise InputError(f"picture {kind}: unknown part '{key!s:.60}'{nearest(str(key), known)}")
    if missing := [key for key in KINDS[kind] if key not in given]:
        raise InputError(f"picture {kind}: {' and '.join(missing)} missing; {WHAT}")
    by = given.pop("by", ())
    by = tuple(by.split("+")) if isinstance(by, str) else by
    if not isinstance(by, list | tuple) or len(by) > MOST_FACETS:
        raise InputError(f"picture {kind}: by {by!r:.60} is not one or two columns, such as by=planes+tiers")
    if not all(isinstance(name, str) and name for name in (*given.values(), *by)):
        raise InputError(f"picture {kind}: a part is not the name of a column; {WHAT}")
    return Picture(kind, by=tuple(by), **given)


def _split(text: str) -> dict[str, str]:
    kind, _, rest = text.partition(":")
    pairs = [part.partition("=") for part in rest.split(",") if part.strip()]
    return {"kind": kind.strip(), **{key.strip(): name.strip() for key, _, name in pairs}}
