"""Pictures on pages of a shape, and floor plans: nothing leaves the page, and nothing lies over other text."""

from __future__ import annotations

import numpy as np
import pytest

import fabric
from fabric.draw import PAGES, Diagram, FloorPicture
from fabric.draw.canvas import Boxes, Canvas, Label, Line
from fabric.draw.diagram import lay_out_diagram
from fabric.draw.floor_plan import lay_out_floor
from fabric.draw.page_shape import fit_page
from fabric.draw.palette import LATER
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


TALL = {"halls": [{"name": "A", "rows": 16, "racks_per_row": 6}]}


@pytest.mark.parametrize("page", ["", *PAGES])
def test_a_narrow_hall_is_turned_where_it_is_larger_so(page: str) -> None:
    """A hall of 16 short rows lies along a slide and stands on paper; racks keep shape and order."""
    layout = fabric.design("superpod-h100-8su", site=TALL).layout
    with plain_style():
        canvas = lay_out_floor("tall", layout, layout.network, FloorPicture(page=page))
    assert wrong(canvas) == []
    boxes = next(mark for mark in canvas.marks if isinstance(mark, Boxes) and len(mark.spots) == 64)
    assert (boxes.width > boxes.height) == (page == "16:9")
    assert max(boxes.width, boxes.height) / min(boxes.width, boxes.height) == pytest.approx(1.2 / 0.54)
    lefts, lows = zip(*boxes.spots, strict=True)
    rows, along = (lefts, [-low for low in lows]) if page == "16:9" else ([-low for low in lows], lefts)
    servers = np.flatnonzero(layout.holds_servers)
    assert np.argsort(np.lexsort((along, rows))).tolist() == list(range(64))
    assert len({round(place, 3) for place in rows}) == len(np.unique(layout.row[servers]))
    middle = (min(lefts) + max(lefts) + boxes.width) / 2
    assert middle == pytest.approx(canvas.width / 2, abs=110 if page == "16:9" else 20)


def test_a_page_of_no_asked_shape_is_no_wider_than_its_plan() -> None:
    """The narrow hall has a narrow page, as wide as its words ask; a wide one the width of A3."""
    wide = {"halls": [{"name": "A", "rows": 3, "racks_per_row": 32}]}
    sizes = []
    for site in (TALL, wide):
        layout = fabric.design("superpod-h100-8su", site=site).layout
        with plain_style():
            sizes.append(lay_out_floor("hall", layout, layout.network).width)
    assert sizes == [560, 1190]


@pytest.mark.parametrize("show", ["contents", "power", "fill"])
@pytest.mark.parametrize("page", ["", "16:9", "a4"])
def test_reserved_positions_are_shown_with_their_number(show: str, page: str) -> None:
    """A fabric that grows has the positions of its later racks in one colour, which the legend of contents names."""
    request = {"gpus": 256, "grow_to_gpus": [512], "server": "dgx-h100", "family": "rail-optimized"}
    study = fabric.design(request, switches="qm9700", unit_gpus=256, site={"layout": "network-rows"})
    layout = study.layout
    with plain_style():
        canvas = lay_out_floor("grow", layout, layout.network, FloorPicture(show, page=page), study.tray_fill)
    assert wrong(canvas) == []
    reserved = [mark for mark in canvas.marks if isinstance(mark, Boxes) and mark.fill == LATER]
    assert [len(mark.spots) for mark in reserved] == [len(layout.reserved)] == [8]
    texts = {mark.text for mark in canvas.marks if isinstance(mark, Label)}
    assert ("reserved for later stages: 8" in texts) == (show != "power")


def test_trays_meet_and_leave_racks_and_names_free() -> None:
    """Coloured stretches of rows and cross trays share ends, lie below the racks, and are those with cables."""
    study = fabric.design("superpod-h100-4su")
    with plain_style():
        canvas = lay_out_floor("trays", study.layout, study.layout.network, FloorPicture("fill"), study.tray_fill)
    fill = study.tray_fill
    marks = list(canvas.marks)
    lines = [mark for mark in marks if isinstance(mark, Line) and mark.line_pt == 5.0]
    assert len(lines) == int((fill.cables > 0).sum()) < len(fill.cables)
    assert max(map(marks.index, lines)) < min(number for number, mark in enumerate(marks) if isinstance(mark, Boxes))
    ends = [{(round(line.x0, 3), round(line.y0, 3)), (round(line.x1, 3), round(line.y1, 3))} for line in lines]
    across = [each for each, line in zip(ends, lines, strict=True) if line.x0 == line.x1]
    along = set().union(*(each for each, line in zip(ends, lines, strict=True) if line.y0 == line.y1))
    assert across
    assert all(each & along for each in across)


def test_elevations_show_the_room_of_later_devices() -> None:
    """The rack of 8 leaves has room for 8 more, drawn where they will stand."""
    request = {"gpus": 256, "grow_to_gpus": [512], "server": "dgx-h100", "family": "rail-optimized"}
    study = fabric.design(request, switches="qm9700", unit_gpus=256, site={"layout": "network-rows"})
    canvas = lay_out_diagram(study.blueprint, study.place_diagram(Diagram("racks")))
    assert problems(canvas) == []
    texts = [mark.text for mark in canvas.marks if isinstance(mark, Label)]
    assert texts.count("later stage") == len(study.layout.reserved_units) == 8
    assert "8 positions on the floor reserved for racks of later stages." in texts
    whole = study.planned_wiring.layout
    names = whole.rack_names()
    later = {
        (study.layout.rack_names()[rack], unit, height) for rack, unit, height in study.layout.reserved_units.tolist()
    }
    columns = (whole.device_rack.tolist(), whole.device_unit.tolist(), whole.device_height.tolist())
    stages = study.grown_floor.device_stage if study.grown_floor else np.zeros(0)
    places = {
        (names[rack], *rest) for (rack, *rest), stage in zip(zip(*columns, strict=True), stages, strict=True) if stage
    }
    assert later == {place for place in places if place[0] in set(study.layout.rack_names())}
