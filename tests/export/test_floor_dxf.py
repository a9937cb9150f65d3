"""The floor plan as DXF, read back by the library that CAD scripts use."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import ezdxf
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
    assert {layer for _, layer in found} == set(LAYERS)
    names = {each.dxf.text for each in document.modelspace().query("TEXT")}
    assert set(layout.rack_names()) < names
