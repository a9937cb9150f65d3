"""The content of a page on one design: sentences, key figures, tables, pictures, curves and views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fabric import units
from fabric.draw import draw_fabric
from fabric.report.columns import list_tables
from fabric.report.describe import describe
from fabric.report.design import Design
from fabric.report.growth import describe_growth
from fabric.report.markdown import request_yaml
from fabric.report.near_optima import describe_near_optima
from fabric.report.page.curves import Curve, front_curve, scale_curve, size_curve
from fabric.report.page.drill import Drawn, drill
from fabric.report.page.floor import FloorContent, floor_content
from fabric.report.page.grid import SortableTable, sortable_table
from fabric.report.page.pictures import encode_svg
from fabric.report.pictures import allreduce_picture
from fabric.report.rationale import describe_savings, explain_choice
from fabric.report.sentences import (
    describe_bandwidth,
    describe_choice,
    describe_electricity,
    describe_failures,
    describe_objective,
    describe_status,
    describe_uplinks,
)
from fabric.report.text import write_place
from fabric.studies.study import Study

__all__ = ["Content", "make_content"]


@dataclass(frozen=True)
class Content:
    """A design as a page shows it."""

    key: str
    """The id of its part of the page."""
    name: str
    """Its name."""
    title: str
    """The title of its request."""
    choice: str
    """The paragraph that says what was chosen."""
    figures: tuple[tuple[str, str], ...]
    """The key figures with their labels."""
    request: str
    """The request as YAML."""
    rationale: tuple[str, ...]
    """Why it was chosen, a sentence each."""
    notes: tuple[str, ...]
    """The notes."""
    sources: tuple[str, ...]
    """The sources of the request."""
    tables: tuple[SortableTable, ...]
    """The tables."""
    fabric: str
    """The picture of the fabric, as SVG in base64."""
    curve: str
    """The picture of its all-reduces, as SVG in base64; empty where no GPU stands."""
    curves: tuple[Curve, ...]
    """The interactive curves; none where no GPU stands."""
    views: dict[str, Drawn]
    """The views that a reader can open."""
    floor: FloorContent | None
    """The floor plan; None where the request has no site."""


def make_content(study: Study, key: str, name: str, *, front: bool) -> Content:
    """Return the content of a page on a design by this name, with its Pareto front where `front`."""
    design = describe(study)
    times = (
        [size_curve(design), scale_curve(study), *([front_curve(study)] if front else [])] if design.allreduce else []
    )
    return Content(
        key=key,
        name=name,
        title=str(study.spec.request.get("title") or ""),
        choice=" ".join([describe_choice(design), *describe_savings(design)]),
        figures=tuple(_list_figures(design)),
        request=request_yaml(study.spec.request),
        rationale=tuple(_list_rationale(design)),
        notes=design.notes,
        sources=tuple(study.spec.sources),
        tables=tuple(map(sortable_table, list_tables(design))),
        fabric=encode_svg(draw_fabric(study.blueprint)),
        curve=encode_svg(allreduce_picture(design)) if times else "",
        curves=tuple(times),
        views=drill(study),
        floor=floor_content(study),
    )


def _list_figures(design: Design) -> Iterator[tuple[str, str]]:
    """Yield the figures that a meeting asks for first."""
    if design.spec.gpus:
        yield "GPUs", units.count(design.spec.gpus)
        yield "GPUs per pod", write_place(design.blueprint.pod_gpus)
        yield "GPUs per unit", write_place(design.blueprint.unit_gpus)
    else:
        yield "endpoints", units.count(design.blueprint.servers)
    yield "switches", units.count(design.switches_total)
    yield "links", units.count(design.links_total)
    yield "cost", design.write_money(design.cost.total)
    yield "power", units.power(design.power_w)
    yield "max hops", str(design.study.hops.max)
    for estimate in design.allreduce:
        if estimate.size_bytes == 2**30:
            yield f"busbw, 1 GiB, {estimate.routing}", f"{estimate.busbw_GBps:,.0f} GB/s"
    for estimate in design.allreduce_in_network:
        if estimate.size_bytes == 2**30:
            yield "busbw, 1 GiB, reduced in switches (SHARP)", f"{estimate.busbw_GBps:,.0f} GB/s"
    if design.allreduce_bound:
        yield "busbw, best possible", f"{design.allreduce_bound.busbw_GBps:,.0f} GB/s"
    yield "status", design.proof.status


def _list_rationale(design: Design) -> Iterator[str]:
    yield f"{describe_objective(design)} {describe_status(design, bound=True)}"
    yield from explain_choice(design)
    yield from describe_uplinks(design)
    yield from describe_near_optima(design)
    yield describe_failures(design)
    yield f"Topology: {design.blueprint.topology.text}."
    yield describe_bandwidth(design)
    yield from describe_electricity(design)
    yield from describe_growth(design)
