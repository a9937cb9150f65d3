"""What a page says of one design: the words, the numbers that stand first, tables, pictures, curves and views."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fabric import units
from fabric.draw import draw_fabric, svg
from fabric.report.design_json import document
from fabric.report.files import allreduce_picture
from fabric.report.markdown import asked, choice, models, reach, remains, running, sought
from fabric.report.objectives import amount
from fabric.report.page.curves import Curve, front_curve, scale_curve, size_curve
from fabric.report.page.drill import Drawn, drill
from fabric.report.page.grid import Grid, grid
from fabric.report.rationale import reasons
from fabric.studies.study import Study

__all__ = ["Content", "content"]


@dataclass(frozen=True)
class Content:
    """A design as a page shows it; pictures are SVG in base64 with their words."""

    key: str
    name: str
    title: str
    choice: str
    figures: tuple[tuple[str, str], ...]
    request: str
    why: tuple[str, ...]
    notes: tuple[str, ...]
    sources: tuple[str, ...]
    tables: tuple[Grid, ...]
    fabric: str
    curve: str
    curves: tuple[Curve, ...]
    views: dict[str, Drawn]


def content(study: Study, key: str, name: str, *, front: bool) -> Content:
    """Return what a page says of a design by this name; `front` says whether the trade-off is computed for it."""
    design = document(study, timed=False)
    curves = [size_curve(design), scale_curve(study), *([front_curve(study)] if front else [])]
    return Content(
        key=key,
        name=name,
        title=str(study.spec.request.get("title") or ""),
        choice=choice(study, design),
        figures=tuple(_figures(design)),
        request=asked(design["request"]),
        why=tuple(_why(design)),
        notes=tuple(design["notes"]),
        sources=tuple(design["sources"]),
        tables=tuple(_tables(study, design)),
        fabric=_encoded(draw_fabric(study.blueprint)),
        curve=_encoded(allreduce_picture(study, design)),
        curves=tuple(curves),
        views=drill(study),
    )


def _figures(design: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the numbers that a meeting asks for first."""
    large = [row for row in design["allreduce"] if row["size_bytes"] == 2**30]
    yield "GPUs", units.count(design["gpus"])
    yield "switches", units.count(design["switches"]["total"])
    yield "links", units.count(design["links"]["total"])
    yield "cost", units.money(design["cost_usd"]["total"])
    yield "power", units.power(design["power_w"]["total"])
    yield "hops at most", str(design["hops"]["max"])
    yield from ((f"busbw, 1 GiB, {row['routing']}", f"{row['busbw_GBps']:.0f} GB/s") for row in large)
    yield "proof", design["optimizer"]["status"]


def _why(design: dict[str, Any]) -> Iterator[str]:
    proof = design["optimizer"]
    below = "" if proof["bound"] is None else f", and nothing allowed is below {_said(proof, 'bound')}"
    yield f"Sought: {sought(proof)}. Status {proof['status']}: {_said(proof, 'objective')}{below}."
    yield from reasons(design)
    yield f"{remains(design['survives'])}."
    yield f"Form: {design['form']}."
    yield reach(design)
    yield from running(design)


def _said(proof: dict[str, Any], key: str) -> str:
    return amount(proof["objective_name"], proof[key])


def _tables(study: Study, design: dict[str, Any]) -> Iterator[Grid]:
    yield grid("Switches", SWITCHES, _switches(design))
    links, each = design["links"]["by_bundle"], design["links"]["per_pair"]
    yield grid(
        f"Links of {units.rate(design['link_gbps'])}",
        (("bundle", str), ("links", units.count), ("links per pair", "{:.4g}".format), ("cables", units.count)),
        ((name, n, each[name], design["cables"]["by_bundle"][name]) for name, n in links.items()),
    )
    rows = (
        (row.part, row.used_for, row.quantity, row.unit_price_usd, row.price_usd, row.power_w)
        for kind in ("switch", "link", "nic")
        for row in study.bill.of(kind)
    )
    yield grid("Bill and power", BILL, rows)
    yield grid("All-reduce to expect", ALLREDUCE, ([row[key] for key in ALLREDUCE_KEYS] for row in design["allreduce"]))
    shares = study.hops.shares.items()
    yield grid("Hops", (("switches on the path", str), ("share of pairs", "{:.4%}".format)), shares)
    if design["expected"]:
        numbers = ((row["key"], row["published"], row["designed"], _met(row["ok"])) for row in design["expected"])
        yield grid("Published numbers", EXPECTED, numbers)


SWITCHES = (
    ("role", str), ("count", units.count), ("model", str), ("ports down", units.count), ("ports up", units.count),
    ("used", units.count), ("radix", units.count), ("down over up", str),
)  # fmt: skip
BILL = (
    ("part", str), ("for", str), ("quantity", units.count), ("each", units.money), ("in all", units.money),
    ("power", units.power),
)  # fmt: skip
ALLREDUCE_KEYS = ("size_bytes", "routing", "algorithm", "time_s", "algbw_GBps", "busbw_GBps", "limited_by")
ALLREDUCE = (
    ("size", units.size), ("routing", str), ("algorithm", str), ("time", units.time), ("algbw, GB/s", "{:.1f}".format),
    ("busbw, GB/s", "{:.1f}".format), ("limited by", str),
)  # fmt: skip
EXPECTED = (("number", str), ("published", units.number), ("designed", units.number), ("met", str))


def _switches(design: dict[str, Any]) -> Iterable[tuple[Any, ...]]:
    keys = ("ports_down", "ports_up", "ports_used", "radix")
    for role, row in design["switches"]["by_role"].items():
        yield role, row["count"], models(row), *(row[key] for key in keys), _ratio(design["oversubscription"].get(role))


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.4g}"


def _met(ok: bool) -> str:
    return "yes" if ok else "no"


def _encoded(figure: Any) -> str:
    """Return a picture as SVG in base64."""
    return base64.b64encode(svg(figure)).decode("ascii")
