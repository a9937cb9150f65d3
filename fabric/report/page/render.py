"""The page as text: a template filled in, with styles, scripts, pictures and data all inside it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fabric.report.comparison import compare, describe_kinds, write_quantity
from fabric.report.page.content import Content, make_content
from fabric.report.page.whole import Whole, make_whole
from fabric.studies.multi_fabric import Cluster
from fabric.studies.study import Study

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["cluster_page", "page"]

SCRIPTS = (
    "vendor/uplot.min.js", "vendor/cytoscape.min.js", "vendor/tablesort.min.js", "vendor/tablesort.number.min.js",
    "page.js",
)  # fmt: skip
STYLES = ("vendor/uplot.min.css", "page.css")

MARKUP = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})
"""What may not stand as it is in a script, as JSON can say it otherwise."""


def page(
    studies: Sequence[Study],
    command: str = "",
    *,
    names: Sequence[str] = (),
    front: bool = True,
    progress: Callable[[str], None] | None = None,
) -> str:
    """Return the report of one design, or of several side by side, as one HTML page that needs no network.

    `command` is what made it, shown at the end; `names` are those of the designs, by default their own; `front`
    computes the Pareto front over cost, hops and all-reduce time for a single design. The same designs give the
    same page.
    """
    say, contents = progress or (lambda text: None), list[Content]()
    names = names or [study.spec.name for study in studies]
    for number, (study, name) in enumerate(zip(studies, names, strict=True)):
        say(f"describing {name}")
        contents.append(make_content(study, f"d{number}", name, front=front and len(studies) == 1))
    comparison = _compare_designs(studies, contents) if len(studies) > 1 else None
    return _fill(" vs. ".join(one.name for one in contents), contents, command, comparison=comparison)


def cluster_page(cluster: Cluster, command: str = "", *, progress: Callable[[str], None] | None = None) -> str:
    """Return the report of a cluster as one HTML page: the whole with its picture and bill, then every fabric."""
    say, contents = progress or (lambda text: None), list[Content]()
    for number, (name, study) in enumerate(cluster.fabrics.items()):
        say(f"describing {name}")
        contents.append(make_content(study, f"d{number}", name, front=False))
    return _fill(cluster.spec.name, contents, command, whole=make_whole(cluster))


def _fill(
    title: str,
    contents: Sequence[Content],
    command: str,
    *,
    comparison: dict[str, Any] | None = None,
    whole: Whole | None = None,
) -> str:
    """Return the template with its designs, and what compares them or what they are parts of."""
    scripts = [_asset(name) for name in SCRIPTS]
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            contents=contents,
            comparison=comparison,
            whole=whole,
            command=command,
            styles=[_asset(name) for name in STYLES],
            scripts=scripts,
            hashes=hashes,
            licences={name: _asset(f"vendor/{name}.LICENSE") for name in ("uplot", "cytoscape", "tablesort")},
            data=_json({one.key: _data_of(one) for one in contents}),
            version=_version(),
        )
    )


def _compare_designs(studies: Sequence[Study], contents: Sequence[Content]) -> dict[str, Any]:
    """Return the rows in which designs are compared, each value with whether it differs from the first's."""
    found = compare(*studies)
    rows = [
        (row.label, [(write_quantity(value, row.unit, found.currency), value != row.values[0]) for value in row.values])
        for row in found.rows
    ]
    names = [one.name for one in contents]
    return {"names": names, "rows": rows, "notes": [*describe_kinds(found, names)]}


def _data_of(content: Content) -> dict[str, Any]:
    """Return what the script of the page shows of a design."""
    floor = {"floor": content.floor.data} if content.floor and content.floor.data else {}
    return {"curves": content.curves, "views": content.views, **floor}


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("fabric.report.page", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _asset(name: str) -> str:
    return files("fabric.report.page").joinpath("assets", *name.split("/")).read_text(encoding="utf-8")


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _json(value: Any) -> str:
    """Return JSON that may stand within a script element."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(MARKUP)


def _version() -> str:
    from fabric import __version__

    return __version__
