"""The keys of a site: mistakes have the place that the file has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fabric
from fabric.errors import InputError
from fabric.report.site import summarize_layout

PACKAGE = Path(fabric.__file__).parent


@pytest.mark.parametrize(
    ("rack", "key"), [("{units: 0}", "site.rack.units"), ("{server: {units: 0}}", "site.rack.server.units")]
)
def test_a_mistake_in_a_rack_has_its_key(tmp_path: Path, rack: str, key: str) -> None:
    """The key is as in the file: no word of the checker stands in it."""
    path = tmp_path / "my.yaml"
    path.write_text(f"gpus: 64\nserver: hgx-h200\nswitches: sn5600\nsite:\n  rack: {rack}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        fabric.design(path)
    assert str(caught.value) == f"{path}:5: {key}: 0 is too small; at least 1"


def test_messages_know_every_tag_of_the_request() -> None:
    """A tag that messages do not know would stand in the key of a mistake."""
    from fabric.request.error_messages import _TAGS

    written = {tag for path in PACKAGE.glob("request/*.py") for tag in re.findall(r'"(<[a-z ]+>)"', path.read_text())}
    assert written >= {"<rack>", "<by kind>", "<one>"}
    assert written == set(_TAGS)


def test_names_of_no_device_are_listed() -> None:
    """A height, weight or power of a model that the fabric has not is listed, for it may be a slip of the pen."""
    request = {"gpus": 64, "server": "hgx-h200", "switches": "sn5600"}
    site = {"heights": {"hgx-h100": 6, "hgx-h200": 6}, "power_w": {"sn5600": 900, "sn5400": 900}}
    lines = summarize_layout(fabric.design(request, site=site)).lines
    assert "Without effect, for this fabric has none: hgx-h100 (key site.heights)." in lines
    assert "Without effect, for this fabric has none: sn5400 (key site.power_w)." in lines
    assert not any("site.weights_kg" in line for line in lines)


def test_cross_trays_beyond_the_rows_are_listed() -> None:
    """20 racks of 0.6 m end at 12 m: a cross tray there is within, one in millimetres or feet stands out."""
    site = {"halls": [{"name": "A", "rows": 2, "racks_per_row": 20}], "trays": {"cross_aisles_m": [0, 12, 120]}}
    lines = summarize_layout(fabric.design({"gpus": 64, "server": "hgx-h200", "switches": "sn5600"}, site=site)).lines
    assert "Cross trays beyond the longest row, which ends at 12 m: 120 m (key site.trays.cross_aisles_m)." in lines
