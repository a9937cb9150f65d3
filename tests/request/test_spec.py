"""From a request to a Spec: every key and its default, every form of a value, and the mistakes in them."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

import fabric
from fabric.catalog import PortGroup, Server, Switch, servers, switches
from fabric.errors import InputError
from fabric.request import Limits
from fabric.request.parts import InlineServer, InlineSwitch, InlineUplinks
from fabric.request.yaml_reader import read_text
from fabric.request.yaml_writer import yaml_text
from fabric.topology.families import family_sets
from tests.request_fixtures import BASE, BOX, mistakes_of, read


def breakouts(written: Any) -> dict[int, int]:
    """Return what `breakouts` means for a switch of 64 x 800G."""
    return dict(read(BASE, switches={**BOX, "breakouts": written}).models("leaf")[0].breakouts)


def test_a_request_needs_only_gpus_and_a_server() -> None:
    """GPUs and a server are a request; everything else has a default that lets sizing choose."""
    spec = read(BASE)
    assert (spec.name, spec.gpus, spec.server) == ("fabric", 4096, servers()["hgx-h100"])
    assert (spec.families, spec.planes, spec.tiers, spec.rails) == (family_sets()["clos"], (1,), (1, 2, 3, 4), (8,))
    assert (spec.link_gbps, spec.limits, spec.ratio("leaf"), spec.unit_servers) == (400, Limits(16), 1, None)
    assert spec.models("core") == tuple(model for model in switches().values() if model.price_usd)


def test_a_request_says_the_same_from_file_mapping_and_keywords(tmp_path: Path) -> None:
    """YAML, JSON, a mapping and keyword arguments have the same keys."""
    words = {**BASE, "switches": {"leaf": "sn5600", "spine": {**BOX, "breakouts": {"400": 128}}}, "planes": [1, 2]}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(words))
    (tmp_path / "a.json").write_text(json.dumps(words, indent="\t"))
    specs = [read(words), read(**words), read(tmp_path / "a.yaml"), read(str(tmp_path / "a.json"))]
    assert all(spec == specs[0] for spec in specs)


def test_overrides_replace_whole_keys() -> None:
    """A keyword replaces the value of its key, and with it any mistake there."""
    spec = read({**BASE, "gpus": "many", "oversubscription": {"leaf": 2}}, gpus=8, oversubscription=3)
    assert (spec.gpus, spec.oversubscription) == (8, {"*": 3})


def test_the_numbers_of_every_kind_may_be_expected() -> None:
    """A role, a bundle, a total by its first key or its path, and inner numbers are numbers of a design."""
    keys = ("core", "leaf-spine", "switches", "switches.total", "cost_usd.per_gpu", "hops.max", "axes.pod", "tiers")
    deeper = (
        "switches.by_role.leaf.count",
        "links.by_bundle.leaf-spine",
        "modules.by_role.server",
        "copies.leaf-spine",
    )
    assert set(read(BASE, expected=dict.fromkeys((*keys, *deeper), 1)).expected) == {*keys, *deeper}


def test_an_unknown_keyword_is_refused_whatever_it_is_called() -> None:
    """Keyword arguments that are not keys of a request are refused, also those named like an internal parameter."""
    for word in ("families", "sets", "overrides", "gpu"):
        with pytest.raises(InputError, match=f"^{word}: unknown key"):
            fabric.design(gpus=8, server="hgx-h100", **{word: 8})


def test_a_spec_takes_no_further_keys() -> None:
    """A Spec is designed as it is: keywords beside it are refused, except the progress."""
    spec = fabric.read(gpus=8, server="hgx-h100", family="fat-tree", switches="sn5600")
    with pytest.raises(InputError, match=r"^gpus, tiers: a Spec is already read and takes no further keys"):
        fabric.design(spec, gpus=16, tiers=1)
    assert fabric.design(spec, progress=None).blueprint.switches == 1


def test_a_request_is_kept_with_the_defaults_filled_in() -> None:
    """A spec's request reads back as the same spec, and has a value for every key."""
    spec = read(BASE, name="x", switches=[{**BOX, "breakouts": [2]}, "sn5600"], expected={"leaf": 3})
    assert read(spec.request) == spec
    assert (spec.request["link_gbps"], spec.request["rails"], spec.request["planes"]) == (400, 8, 1)
    assert spec.request["limits"]["parallel_links"] == 16
    assert json.loads(json.dumps(dict(spec.request))) == spec.request


@pytest.mark.parametrize(
    "text", ["1e5", "NO", "12:30", "~", "0x10", "1_000", ".5", "é 'x': #", "- a", "", "2026-07-01"]
)
def test_text_written_as_yaml_stays_text(text: str) -> None:
    """A request written as YAML reads back the same, whatever its texts look like."""
    spec = read(BASE, title=text, sources=[text, text])
    assert read_text(yaml_text(spec.request), "my.yaml").values == spec.request


def test_the_inline_parts_have_the_facts_of_the_catalogue() -> None:
    """A switch or server given by its facts has exactly the fields of one in the catalogue; uplinks may be a number."""
    assert list(InlineServer.model_fields) == [item.name for item in fields(Server)]
    assert {*InlineSwitch.model_fields} - {"uplink_gbps"} == {item.name for item in fields(Switch)}
    assert {*InlineUplinks.model_fields} == {item.name for item in fields(PortGroup)}


def test_parts_of_the_catalogue_serve_as_inline_parts() -> None:
    """From Python a part can be given as itself, changed or not."""
    cheaper = replace(switches()["sn5600"], price_usd=1.0)
    spec = read(gpus=8, server=servers()["gb200-nvl72"], switches=[cheaper])
    assert spec.server == servers()["gb200-nvl72"]
    assert spec.models("leaf") == (cheaper,)


@pytest.mark.parametrize(
    "written", [{400: 128}, {"400": 128}, [2], ["2x400G"], ["128x400G"], ["128 X 400"], [" 2x400 "]]
)
def test_breakouts_may_be_written_in_three_ways(written: Any) -> None:
    """Total ports by rate, the number of parts of a port, and text of either kind mean the same."""
    assert breakouts(written) == {400: 128}


def test_several_breakouts_make_several_rates() -> None:
    """A port splits in two and in four."""
    assert breakouts([2, 4]) == {400: 128, 200: 256}
    assert breakouts({}) == breakouts([]) == {}


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ({400: 129}, "at most 128"),
        ({800: 64}, "slower than the port's 800G"),
        ({1600: 32}, "slower than the port's 800G"),
        ({"4x": 1}, "write a rate as a whole number of Gb/s"),
        ({400: 0}, "at least 1"),
        ([3], "not a breakout of 800G"),
        ([9], "at most 8"),
        ([1], "at least 2"),
        (["4x400G"], "at most 128"),
        (["two"], "write a number that divides it"),
        (["0x400G"], "write a number that divides it"),
        ([2, "2x400G"], "duplicate rate 400G"),
        ([2.0], "write 2"),
        ([True], "true is a boolean"),
        (2, "2 is a number, not a mapping or a list"),
    ],
)
def test_an_invalid_breakout_is_refused(written: Any, remedy: str) -> None:
    """Breakouts are slower than the port and never exceed its bandwidth."""
    (mistake,) = mistakes_of(BASE, switches={**BOX, "breakouts": written})
    assert mistake.startswith("switches.breakouts")
    assert remedy in mistake


def test_switches_are_chosen_by_name_facts_list_tier_or_any() -> None:
    """Every form of `switches` becomes models by role, in the order asked and each once."""
    box = Switch("box", 64, 800)
    assert read(BASE, switches=["sn5600", BOX, "sn5600"]).switches == {"*": (switches()["sn5600"], box)}
    spec = read(BASE, tiers=2, switches={"leaf": [BOX, "qm9700"], "spine": "box"})
    assert spec.switches == {"leaf": (box, switches()["qm9700"]), "spine": (box,)}
    assert spec.models("core") == ()
    assert read(BASE, switches={"leaf": "any"}).models("leaf") == read(BASE, switches="any").models("leaf")


def test_a_price_in_the_request_replaces_the_catalogues() -> None:
    """A switch without a known price joins `any` once the request prices it."""
    spec = read(BASE, prices_usd={"sn5600": 7, "tomahawk6-128x800g": 9})
    prices = {model.name: model.price_usd for model in spec.models("leaf")}
    assert (prices["sn5600"], prices["tomahawk6-128x800g"]) == (7, 9)
    assert "sn6810" not in prices


def test_oversubscription_is_a_maximum_or_a_range() -> None:
    """A number is a maximum; a range has a minimum too, for all tiers or for one."""
    spec = read(BASE, oversubscription={"min": 1.5, "max": 3})
    assert [(spec.least_ratio(role), spec.ratio(role)) for role in ("leaf", "core")] == 2 * [(Fraction(3, 2), 3)]
    spec = read(BASE, oversubscription={"leaf": {"min": 2, "max": 2}, "spine": 7})
    assert [(spec.least_ratio(role), spec.ratio(role)) for role in ("leaf", "spine", "core")] == [
        (2, 2),
        (0, 7),
        (0, 1),
    ]


def test_choices_are_numbers_lists_or_any() -> None:
    """`any` stands for every number that splits evenly; a list keeps its order, without duplicates."""
    spec = read(BASE, planes="any", rails="any", tiers=[3, 2, 3], family=["rail-only", "any"])
    assert (spec.planes, spec.rails, spec.tiers) == ((1, 2, 4, 5, 8), (1, 2, 4, 8), (3, 2))
    assert spec.families == ("rail-only", *family_sets()["any"])
    assert read(BASE, server="gb200-nvl72").rails == (4,)


def test_planes_split_the_nic() -> None:
    """A host link runs at the NIC's rate over the planes, or at link_gbps if that is less."""
    spec = read(BASE, server="dgx-b300", planes=[1, 2, 4], link_gbps=400)
    assert [spec.plane_gbps(planes) for planes in spec.planes] == [400, 400, 200]


@pytest.mark.parametrize(
    ("written", "ratio"),
    [(1, 1), (1.5, Fraction(3, 2)), (1.1, Fraction(11, 10)), (1.333333, Fraction(4, 3)), (0.5, Fraction(1, 2))],
)
def test_oversubscription_is_the_fraction_that_was_meant(written: float, ratio: Fraction) -> None:
    """A ratio is exact: 1.1 is 11/10 and not the nearest binary number."""
    assert read(BASE, oversubscription=written).ratio("spine") == ratio
    assert read(BASE, oversubscription=f"{ratio.numerator}:{ratio.denominator}").ratio("spine") == ratio
    by_tier = read(BASE, oversubscription={"leaf": written})
    assert (by_tier.ratio("leaf"), by_tier.ratio("spine")) == (ratio, 1)


def test_prices_of_links_are_one_or_by_bundle() -> None:
    """One price is every link's; a bundle without one is left to the catalogue."""
    assert read(BASE, link_price_usd=0).link_price("leaf-spine") == 0
    spec = read(BASE, link_price_usd={"server-leaf": 507})
    assert (spec.link_price("server-leaf"), spec.link_price("leaf-spine")) == (507, None)


def test_earlier_names_of_generations_are_read() -> None:
    """A server of a request may have the name that AMD's generations had, and stands on the same constants."""
    server = {"name": "mine", "gpus": 8, "nics": 8, "nic_gbps": 400}
    for earlier, name in (("mi300x", "cdna3"), ("mi355x", "cdna4"), ("hopper", "hopper")):
        spec = read(BASE, server={**server, "generation": earlier})
        assert spec.server.generation == name
        assert name in spec.constants.generations
