"""The shipped designs as files, the JSON Schema, and the page on the request: all say what the model says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from fabric.errors import InputError
from fabric.request import topologies
from fabric.request.model import Published, RatioRange, Request, RequestLimits
from fabric.request.parts import InlineServer, InlineSwitch
from fabric.request.schema import FILE, key_table, schema_text
from tests.request_fixtures import read

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads(FILE.read_text(encoding="utf-8"))
PUBLISHED = ("colossus", "superpod", "deepseek", "atop", "meta", "oci")


def words(name: str) -> dict[str, object]:
    """Return a shipped design's file as JSON would hold it."""
    loaded = json.loads(json.dumps(yaml.safe_load(topologies()[name].read_text(encoding="utf-8"))))
    assert isinstance(loaded, dict)
    return loaded


def test_the_shipped_designs_are_found_by_name_in_order() -> None:
    """Every family of published systems is shipped, and a checkout finds all of its files."""
    found = list(topologies())
    assert found == sorted(path.stem for path in (ROOT / "topologies").glob("*") if path.is_file())
    assert all(any(name.startswith(system) for name in found) for system in PUBLISHED)


@pytest.mark.parametrize("name", topologies())
def test_a_shipped_design_says_what_it_is_and_where_that_is_published(name: str) -> None:
    """A shipped design is called as its file is, and has a title, sources, and a spec."""
    spec = read(name)
    assert spec.name == name
    assert spec.sources
    assert spec.request["title"]
    assert spec.expected or name == "colossus-1m", "of a design without published numbers only one is shipped"


@pytest.mark.parametrize("name", topologies())
def test_a_shipped_design_obeys_the_schema_that_it_names(name: str) -> None:
    """Editors find no fault with a shipped design, and find the schema beside it."""
    jsonschema.validate(words(name), SCHEMA)
    first = topologies()[name].read_text(encoding="utf-8").splitlines()[0]
    relative = first.removeprefix("# yaml-language-server: $schema=")
    assert (ROOT / "topologies" / relative).resolve() == FILE.resolve()


@pytest.mark.parametrize(
    "wrong",
    [
        {"gpus": 0},
        {"nic_gbp": 1},
        {"server": "hgx"},
        {"switches": {"Spine": "sn5600"}},
        {"link_price_usd": {"leaf spine": 1}},
        {"pinned": {"Pod": 1}},
        {"tiers": 5},
        {"planes": "two"},
    ],
)
def test_the_schema_refuses_what_the_model_refuses(wrong: dict[str, object]) -> None:
    """An editor marks a wrong word before the command line does."""
    request = {"gpus": 8, "server": "hgx-h100", **wrong}
    with pytest.raises(InputError):
        read(request)
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(request)


def test_the_schema_is_sound_and_current() -> None:
    """The shipped schema is what the model makes; `python -m fabric.request.schema` writes it anew."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert FILE.read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("model", [Request, InlineServer, InlineSwitch, RatioRange, RequestLimits, Published])
def test_every_key_is_documented_in_the_models_own_words(model: type[Request]) -> None:
    """The page on the request has each table of keys as `fabric.request.schema.key_table` writes it."""
    assert key_table(model) in (ROOT / "docs" / "request.md").read_text(encoding="utf-8")


def test_a_checkout_and_an_installation_are_searched_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The designs inside an installed package win over a stranger's folder beside it; without either there are none."""
    module = tmp_path / "site" / "fabric" / "spec" / "topologies.py"
    monkeypatch.setitem(topologies.__globals__, "__file__", str(module))
    assert topologies() == {}
    for folder in (tmp_path / "site" / "topologies", tmp_path / "site" / "fabric" / "topologies"):
        folder.mkdir(parents=True)
        (folder / "mine.yaml").write_text("gpus: 8\n")
        assert topologies() == {"mine": folder / "mine.yaml"}
