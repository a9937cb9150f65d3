"""Pictures on pages of a shape, and floor plans: nothing leaves the page, and nothing lies over other text."""

from __future__ import annotations

import pytest

import fabric
from fabric.draw import PAGES, Diagram, FloorPicture
from fabric.draw.canvas import Canvas, Label
from fabric.draw.diagram import lay_out_diagram
from fabric.draw.floor_plan import lay_out_floor
from fabric.draw.page_shape import fit_page
from fabric.draw.plain_style import plain_style
from tests.draw.fabrics import build
from tests.draw.legibility import problems


def wrong(canvas: Canvas) -> list[str]:
    """Return what is illegible but for small type, which a page that is smaller than a picture asks for."""
    return [text for text in problems(canvas) if " is set in " not in text]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", ["superpod", "colossus"])
def test_a_picture_fills_its_page(name: str, page: str) -> None:
    """It has the page's size, turned or not, all words of the picture, and touches a margin of one direction."""
    blueprint = build(name)
    plain, found = (lay_out_diagram(blueprint, Diagram(page=each)) for each in ("", page))
    assert {found.width, found.height} == set(PAGES[page])
    if page == "16:9":
        assert found.width > found.height
    assert wrong(found) == []
    words = [sorted(mark.text for mark in each.marks if isinstance(mark, Label)) for each in (plain, found)]
    assert words[0] == words[1]


def test_parts_of_a_slide_stand_side_by_side() -> None:
    """The whole and the unit are larger on a slide than one under the other, and the whole alone larger yet."""
    blueprint = build("colossus")
    sizes = {}
    for key, diagram in {"beside": Diagram(page="16:9"), "whole": Diagram(page="16:9", whole=True)}.items():
        labels = [mark for mark in lay_out_diagram(blueprint, diagram).marks if isinstance(mark, Label)]
        sizes[key] = max(label.size_pt for label in labels)
    below = lay_out_diagram(blueprint, Diagram())
    flat = fit_page(Canvas(below.width, below.height, below.marks), "16:9")
    sizes["below"] = max(mark.size_pt for mark in flat.marks if isinstance(mark, Label))
    assert sizes["below"] < sizes["beside"] < sizes["whole"]


def test_the_whole_has_no_unit_below_it() -> None:
    """Asked for alone, the fabric is drawn without a unit device by device."""
    blueprint = build("colossus")
    texts = [
        {mark.text for mark in lay_out_diagram(blueprint, Diagram(whole=whole)).marks if isinstance(mark, Label)}
        for whole in (False, True)
    ]
    assert [any("device by device" in text for text in each) for each in texts] == [True, False]


@pytest.mark.parametrize("show", ["contents", "power", "fill"])
@pytest.mark.parametrize("name", ["superpod-h100-1su", "superpod-h100-4su", "colossus-100k"])
def test_floor_plans_are_in_order(name: str, show: str) -> None:
    """No text over text and nothing beyond the page, of all halls and of the first alone."""
    study = fabric.design(name)
    for hall in ("", study.layout.halls[0].name):
        with plain_style():
            canvas = lay_out_floor(name, study.layout, study.layout.network, FloorPicture(show, hall), study.tray_fill)
        assert wrong(canvas) == []
