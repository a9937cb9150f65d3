"""Mistakes that only the layout finds name the file and the line, and what would be valid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import fabric
from fabric.errors import InputError
from fabric.studies.study import Study

REQUEST = """\
gpus: 256
server: dgx-h100
family: rail-optimized
tiers: 2
switches: qm9700
"""


def _message(folder: Path, site: str, ask: Callable[[Study], object] = lambda study: study.layout) -> str:
    file = folder / "my.yaml"
    file.write_text(f"{REQUEST}{site}")
    with pytest.raises(InputError) as found:
        ask(fabric.design(file))
    return str(found.value).replace(f"{folder}/", "")


HALL = "[{name: A, rows: 1, racks_per_row: 20}]"


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ("{rack: {units: 4}}", "6: site.rack.units: dgx-h100 is 8 rack units high, but a server rack has 4"),
        ("\n  layout: in-rack\n  rack: {units: 8}", "7: site.layout: in-rack needs 1 leaf beside a dgx-h100"),
        ("\n  rack:\n    power_kw: 9", "8: site.rack.power_kw: dgx-h100 draws up to 10.2 kW"),
        ("\n  halls: [{name: A, rows: 1, racks_per_row: 2}]", "7: site.halls: 9 racks needed, but the halls have 2"),
        (f"\n  halls: {HALL}\n  places:\n    spine: hall B", "9: site.places.spine: there is no hall B; known: A"),
        ("\n  names: {leaf: '{rack}-{colour}'}", "7: site.names: '{rack}-{colour}' has {colour}, which no leaf has"),
        ("\n  names: {leaf: x}", "7: site.names: leaf[block=0,rail=0,plane=0] and"),
    ],
)
def test_mistakes_of_the_layout_have_a_line(tmp_path: Path, site: str, message: str) -> None:
    """The innermost key that was written gives the line."""
    assert _message(tmp_path, f"site: {site}\n").startswith(f"my.yaml:{message}")


def test_mistakes_of_the_wiring_have_a_line(tmp_path: Path) -> None:
    """A port that links down need is refused at its tier."""
    site = "site:\n  first_uplinks:\n    leaf: 20\n"
    message = _message(tmp_path, site, lambda study: study.wiring)
    assert message == (
        "my.yaml:8: site.first_uplinks.leaf: port 20 belongs to links down, which end at port 32; write 33 or more"
    )


def test_mistakes_without_a_file_have_their_key() -> None:
    """A request from Python has no lines."""
    with pytest.raises(InputError, match=r"^site\.places\.spine: there is no hall B; known: A"):
        _ = fabric.design("superpod-h100-1su", site={"halls": [{"name": "A", "rows": 1, "racks_per_row": 20}],
                                                     "places": {"spine": "hall B"}}).layout  # fmt: skip


def test_names_that_nothing_has_are_refused_together(tmp_path: Path) -> None:
    """Every name is reported at its line, with what there is."""
    site = (
        "site:\n  places: {core: hall A}\n  first_uplinks: {super: 3}\n  names: {core: x}\n  heights: {dgx-h10: 3}\n"
        "  weights_kg: {nobody: 1}\n  power_w: {sn560: 1}\n  diameters_mm: {mpo12-mm: 3}\n"
        "  port_names: {qm970: sonic}\n"
    )
    device, tier = "unknown server, switch or appliance", "no allowed topology has a tier"
    expected = [
        f"my.yaml:7: site.places.core: {tier} 'core'; there are leaf, spine",
        f"my.yaml:8: site.first_uplinks.super: {tier} 'super'; there are leaf, spine",
        f"my.yaml:9: site.names.core: {tier} 'core'; there are leaf, spine",
        f"my.yaml:10: site.heights.dgx-h10: {device} 'dgx-h10'; did you mean 'dgx-h100'?",
        f"my.yaml:11: site.weights_kg.nobody: {device} 'nobody'; known: ",
        f"my.yaml:12: site.power_w.sn560: {device} 'sn560'; did you mean '",
        "my.yaml:13: site.diameters_mm.mpo12-mm: unknown cable or fibre 'mpo12-mm'; did you mean 'mpo12-",
        "my.yaml:14: site.port_names.qm970: unknown switch 'qm970'; did you mean 'qm97",
    ]
    lines = _message(tmp_path, site).splitlines()
    assert all(line.startswith(start) for line, start in zip(lines, expected, strict=True))


def test_tiers_that_this_fabric_lacks_are_told() -> None:
    """A tier that another size of the fabric would have is no mistake; the layout says that the key has no effect."""
    from fabric.report.site import summarize_layout

    study = fabric.design("superpod-h100-1su", tiers="any", expected={}, site={"places": {"core": "hall A"}})
    assert "Without effect, for this fabric has no such tier: core (key site.places)." in summarize_layout(study).lines
