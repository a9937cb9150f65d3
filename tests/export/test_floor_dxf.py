"""The floor plan as DXF, read back by the library that CAD scripts use."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import ezdxf
import pytest
from ezdxf import bbox
from ezdxf.document import Drawing

import fabric
from fabric.export.floor_dxf import LAYERS, write_floor_dxf


def test_racks_names_and_trays_are_on_layers(tmp_path: Path) -> None:
    """Every rack is a closed outline of its kind with its name in it, in metres, and the file has no error."""
    layout = fabric.design("superpod-h100-4su").layout
    write_floor_dxf(layout, tmp_path / "floor.dxf")
    document: Drawing = ezdxf.readfile(tmp_path / "floor.dxf")  # type: ignore[attr-defined]
    assert not document.audit().errors
    assert document.units == 6
    found = Counter((each.dxftype(), each.dxf.layer) for each in document.modelspace())
    assert found["LWPOLYLINE", "SERVER_RACKS"] == 32
    assert found["LWPOLYLINE", "NETWORK_RACKS"] == 5
    assert {layer for _, layer in found} == set(LAYERS) - {"RESERVED"}
    names = {each.dxf.text for each in document.modelspace().query("TEXT")}
    assert set(layout.rack_names()) < names


def test_names_stay_within_their_racks(tmp_path: Path) -> None:
    """A long name of a hall makes small letters; the middle of a name is that of its rack."""
    hall = {"name": "north-wing-2", "rows": 2, "racks_per_row": 12}
    layout = fabric.design("superpod-h100-1su", site={"halls": [hall]}).layout
    write_floor_dxf(layout, tmp_path / "floor.dxf")
    document: Drawing = ezdxf.readfile(tmp_path / "floor.dxf")  # type: ignore[attr-defined]
    texts = {each.dxf.text: each for each in document.modelspace().query("TEXT")}
    for name, x, y in zip(layout.rack_names(), *layout.spots[3:], strict=True):
        text = texts[name]
        box = bbox.extents([text])
        assert x - 0.3 <= box.extmin.x < box.extmax.x <= x + 0.3
        assert tuple(text.dxf.align_point)[:2] == pytest.approx((x, -y))


def test_reserved_positions_are_on_a_layer_of_their_own(tmp_path: Path) -> None:
    """A fabric that grows has an outline for each rack to come, where it will stand, beside those of today."""
    study = fabric.design("superpod-h100-1su", grow_to_gpus=[512])
    write_floor_dxf(study.layout, tmp_path / "floor.dxf")
    document: Drawing = ezdxf.readfile(tmp_path / "floor.dxf")  # type: ignore[attr-defined]
    outlines = [each for each in document.modelspace().query("LWPOLYLINE") if each.dxf.layer == "RESERVED"]
    spots = study.planned_wiring.layout.spots
    assert len(outlines) == len(study.layout.reserved) > 0
    assert len(outlines) + study.layout.racks == len(spots.x_m)
    today = {(round(x, 6), round(y, 6)) for x, y in zip(*study.layout.spots[3:], strict=True)}
    later = {(round(x, 6), round(y, 6)) for x, y in zip(*spots[3:], strict=True)} - today
    drawn = set()
    for each in outlines:
        xs, ys = zip(*((point[0], point[1]) for point in each.get_points()), strict=True)
        drawn.add((round((min(xs) + max(xs)) / 2, 6), round(-(min(ys) + max(ys)) / 2, 6)))
    assert drawn == later
