"""The shipped designs as files, the JSON Schema, and the page on the request: all agree with the model."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

import fabric
from fabric.errors import InputError
from fabric.request import topologies
from fabric.request.calibration_keys import CalibratedConstant, CalibratedError, CalibratedRun, CalibrationKeys
from fabric.request.cluster import KEYS
from fabric.request.endpoints import EndpointKind, JoinKeys
from fabric.request.library_keys import LibraryKeys
from fabric.request.model import Published, Request, RequestLimits
from fabric.request.parts import ApplianceKeys, InlineLink, InlineServer, InlineSwitch
from fabric.request.ranges import PodRange, RatioRange
from fabric.request.schema import CLUSTER_FILE, FILE, cluster_schema_text, key_table, schema_text
from fabric.request.server_lists import ServerCount
from fabric.request.site_keys import HallKeys, RackKeys, SiteKeys, TrayKeys
from tests.request_fixtures import read

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads(FILE.read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
CLUSTER_SCHEMA = json.loads(CLUSTER_FILE.read_text(encoding="utf-8"))
CLUSTER_VALIDATOR = jsonschema.Draft202012Validator(CLUSTER_SCHEMA)
PUBLISHED = ("colossus", "superpod", "deepseek", "atop", "meta", "oci")


def words(name: str) -> dict[str, object]:
    """Return a shipped design's file as JSON would have it."""
    loaded = json.loads(json.dumps(yaml.safe_load(topologies()[name].read_text(encoding="utf-8"))))
    assert isinstance(loaded, dict)
    return loaded


def test_the_shipped_designs_are_found_by_name_in_order() -> None:
    """Every family of published systems is shipped, and a checkout finds all of its files."""
    found = list(topologies())
    assert found == sorted(path.stem for path in (ROOT / "topologies").glob("*") if path.is_file())
    assert all(any(name.startswith(system) for name in found) for system in PUBLISHED)


def test_a_shipped_design_has_a_title_and_sources() -> None:
    """A shipped design has the name of its file, a title, sources, and published numbers."""
    for name in topologies():
        spec = read(name)
        assert spec.name == name
        assert spec.sources, name
        assert spec.request["title"], name
        assert spec.expected or name == "colossus-1m", "only one design is shipped without published numbers"


def test_a_shipped_design_obeys_the_schema_that_it_names() -> None:
    """Editors find no mistake in a shipped design, and find the schema beside it."""
    for name, path in topologies().items():
        VALIDATOR.validate(words(name))
        first = path.read_text(encoding="utf-8").splitlines()[0]
        relative = first.removeprefix("# yaml-language-server: $schema=")
        assert (ROOT / "topologies" / relative).resolve() == FILE.resolve(), name


def test_the_schema_refuses_what_the_model_refuses() -> None:
    """An editor marks an invalid value before the command line does."""
    for wrong in (
        {"gpus": 0},
        {"nic_gbp": 1},
        {"server": "hgx"},
        {"switches": {"Spine": "sn5600"}},
        {"link_price_usd": {"leaf spine": 1}},
        {"pinned": {"Pod": 1}},
        {"tiers": 5},
        {"planes": "two"},
        {"servers": [{"server": "hgx-h100"}]},
        {"mix": "mixed"},
    ):
        request = {"gpus": 8, "server": "hgx-h100", **wrong}
        with pytest.raises(InputError):
            read(request)
        assert not VALIDATOR.is_valid(request), wrong


def test_the_schema_takes_a_list_of_servers_for_a_server() -> None:
    """A request needs GPUs and a server, or a list of unlike servers."""
    assert VALIDATOR.is_valid({"servers": [{"server": "hgx-h100", "count": 4}]})
    assert not VALIDATOR.is_valid({"gpus": 8})


def test_the_schema_is_sound_and_current() -> None:
    """The shipped schema is what the model makes; `python -m fabric.request.schema` writes it anew."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert FILE.read_text(encoding="utf-8") == schema_text()


def test_the_schema_of_clusters_is_sound_and_current() -> None:
    """It has the keys of a cluster, is what the models make, and takes the example clusters."""
    jsonschema.Draft202012Validator.check_schema(CLUSTER_SCHEMA)
    assert CLUSTER_FILE.read_text(encoding="utf-8") == cluster_schema_text()
    assert tuple(CLUSTER_SCHEMA["properties"]) == KEYS
    for path in (ROOT / "examples" / "clusters").glob("*.yaml"):
        CLUSTER_VALIDATOR.validate(json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")))))


def test_the_schema_of_clusters_refuses_what_is_refused() -> None:
    """An editor marks a wrong key or value of a cluster, of its endpoints and of its fabrics."""
    endpoints: dict[str, object] = {"boxes": {"server": "hgx-h100", "count": 8}}
    joining: dict[str, object] = {"joins": ["boxes"], "switches": "qm9700"}
    right: dict[str, object] = {"endpoints": endpoints, "common": {"tiers": [1, 2]}, "fabrics": {"one": joining}}
    CLUSTER_VALIDATOR.validate(right)
    assert fabric.cluster(right).fabrics["one"].spec.gpus == 64
    for wrong in (
        {"fabrics": {}},
        {"fabrics": {"one": joining | {"famly": "fat-tree"}}},
        {"fabrics": {"one": joining | {"gpus": 8}}},
        {"fabrics": {"one": joining | {"nics": 0}}},
        {"fabrics": {"one": {"joins": []}}},
        {"fabrics": [joining]},
        {"common": {"tiers": 5}},
        {"endpoints": {"boxes": {"server": "hgx-h100", "count": 0}}},
        {"endpoints": {"boxes": {"serve": "hgx-h100", "count": 8}}},
        {"racks": 0},
        {"limits": {"power_w": 0}},
        {"limits": {"parallel_links": 4}},
        {"gpus": 8},
    ):
        with pytest.raises(InputError):
            fabric.cluster(right | wrong)
        assert not CLUSTER_VALIDATOR.is_valid(right | wrong), wrong


def test_every_key_is_documented_in_the_words_of_the_model() -> None:
    """The page on the request has each table of keys as `fabric.request.schema.key_table` makes it."""
    page = (ROOT / "docs" / "request.md").read_text(encoding="utf-8")
    parts = (
        ApplianceKeys,
        InlineServer,
        ServerCount,
        InlineSwitch,
        InlineLink,
        LibraryKeys,
        SiteKeys,
        HallKeys,
        RackKeys,
        TrayKeys,
    )
    own = (CalibrationKeys, CalibratedConstant, CalibratedError, CalibratedRun)
    for model in (Request, *parts, *own, RatioRange, PodRange, RequestLimits, Published):
        assert key_table(model) in page, model


def test_every_key_of_endpoints_is_documented_in_the_words_of_the_model() -> None:
    """The page on clusters has the tables of their own keys."""
    page = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")
    for model in (EndpointKind, JoinKeys):
        assert key_table(model) in page, model


def test_a_checkout_and_an_installation_are_searched_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The designs inside an installed package win over a stranger's folder beside it; without either there are none."""
    module = tmp_path / "site" / "fabric" / "spec" / "topologies.py"
    monkeypatch.setitem(topologies.__globals__, "__file__", str(module))
    assert topologies() == {}
    for folder in (tmp_path / "site" / "topologies", tmp_path / "site" / "fabric" / "topologies"):
        folder.mkdir(parents=True)
        (folder / "mine.yaml").write_text("gpus: 8\n")
        assert topologies() == {"mine": folder / "mine.yaml"}
