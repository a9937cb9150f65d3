"""Hedgehog's wiring diagram: its objects have the fields of its API, and its own rules of connections hold."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import jsonschema
import pytest
import yaml

from fabric.errors import InputError
from fabric.export.plan import Plan
from tests.export.operations.links import nodes_of
from tests.export.plans import draw_plans
from tests.export.simulators.drawn import design, texts_of


def port() -> dict[str, Any]:
    """Return the schema of one end of a link: `device/port`."""
    name = {"type": "string", "pattern": "^[a-z0-9-]+/.+$"}
    return {"type": "object", "required": ["port"], "additionalProperties": False, "properties": {"port": name}}


def keys(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object with these keys, all of them needed."""
    return {"type": "object", "required": [*properties], "additionalProperties": False, "properties": properties}


SPECS = {
    "VLANNamespace": keys(
        ranges={"type": "array", "items": keys(**{"from": {"type": "integer"}, "to": {"type": "integer"}})}
    ),
    "Switch": keys(
        role={"enum": ["spine", "server-leaf", "border-leaf", "mixed-leaf", "virtual-edge"]},
        description={"type": "string"},
        profile={"type": "string", "minLength": 1},
        roce={"type": "boolean"},
        portBreakouts={"type": "object", "additionalProperties": {"type": "string", "pattern": r"^\d+x\d+G$"}},
    ),
    "Server": keys(description={"type": "string"}),
    "Connection": {
        "oneOf": [
            keys(unbundled=keys(link=keys(server=port(), switch=port()))),
            keys(fabric=keys(links={"type": "array", "minItems": 1, "items": keys(spine=port(), leaf=port())})),
        ]
    },
}
SPECS["Switch"]["required"] = ["role", "description", "profile"]
"""What `api/wiring/v1beta1` of github.com/githedgehog/fabric says of the fields that are written, and no others."""

VALIDATORS = {kind: jsonschema.Draft202012Validator(schema) for kind, schema in SPECS.items()}

NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
"""The name of an object of Kubernetes."""


def read(text: str) -> dict[str, dict[str, Any]]:
    """Return the objects by kind and name, each of its schema, and no two of one name."""
    found: dict[str, dict[str, Any]] = {kind: {} for kind in SPECS}
    for document in yaml.load_all(text, yaml.CSafeLoader):
        assert set(document) == {"apiVersion", "kind", "metadata", "spec"}
        assert document["apiVersion"] == "wiring.githedgehog.com/v1beta1"
        name = document["metadata"]["name"]
        assert NAME.fullmatch(name)
        assert len(name) <= 253
        assert name not in found[document["kind"]]
        VALIDATORS[document["kind"]].validate(document["spec"])
        found[document["kind"]][name] = document["spec"]
    return found


def ports_of(objects: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Return both ends of every link, that of the host or leaf first, by the rules of `ConnectionSpec.Endpoints`."""
    switches, pairs = objects["Switch"], []
    for spec in objects["Connection"].values():
        if "unbundled" in spec:
            link = spec["unbundled"]["link"]
            assert link["server"]["port"].split("/")[0] in objects["Server"]
            assert switches[link["switch"]["port"].split("/")[0]]["role"] == "server-leaf"
            pairs.append((link["server"]["port"], link["switch"]["port"]))
            continue
        links = [(link["leaf"]["port"], link["spine"]["port"]) for link in spec["fabric"]["links"]]
        assert len({(leaf.split("/")[0], spine.split("/")[0]) for leaf, spine in links}) == 1, "two switches"
        for leaf, spine in links:
            assert switches[leaf.split("/")[0]]["role"] == "server-leaf"
            assert switches[spine.split("/")[0]]["role"] == "spine"
        pairs += links
    ends = [end for pair in pairs for end in pair]
    assert len(set(ends)) == len(ends), "a port is used twice"
    return pairs


def check_ports(plan: Plan, objects: dict[str, dict[str, Any]], pairs: list[tuple[str, str]]) -> None:
    """Check that a port of a switch is one of its model's, and split as its breakout says."""
    models = dict(zip(plan.device_names, plan.models, strict=True))
    for end in (end for pair in pairs for end in pair):
        device, port = end.split("/", 1)
        if device not in objects["Switch"]:
            continue
        model = models[device]
        assert model is not None
        number, *part = port.removeprefix("E1/").split("/")
        assert 1 <= int(number) <= model.ports
        mode = objects["Switch"][device].get("portBreakouts", {}).get(f"E1/{number}", "1x")
        parts = int(mode.split("x")[0])
        assert part in ([] if parts == 1 else [[str(each + 1)] for each in range(parts)]) or (parts == 1 and not part)


def test_every_device_and_link_is_in_the_diagram() -> None:
    """Over all files there is each switch once and each link once; a file is of switches that are joined."""
    files, split = Counter(), 0
    for plan in [design(512, server="dgx-b300", planes=2), *draw_plans(41, 8, "ethernet")]:
        topology = plan.blueprint.topology
        if len(topology.roles) > 2:
            continue
        texts = texts_of(plan, "hedgehog")
        files[len(texts) > 1] += 1
        switches, hosts, links = Counter(), set(), Counter()
        for text in texts.values():
            objects = read(text)
            pairs = ports_of(objects)
            check_ports(plan, objects, pairs)
            switches.update(objects["Switch"].keys())
            hosts |= objects["Server"].keys()
            links.update((a.split("/")[0], b.split("/")[0]) for a, b in pairs)
            split += any("portBreakouts" in spec for spec in objects["Switch"].values())
        assert set(switches.values()) == {1}
        assert switches.keys() | hosts == nodes_of(plan)
        wanted = Counter()
        for row in range(plan.network.links):
            host, upper = plan.host[row], plan.device_names[plan.upper.device[row]]
            wanted[plan.device_names[plan.lower.device[row]] if host < 0 else plan.hosts.names[host], upper] += 1
        assert links == wanted
    assert set(files) == {True, False}
    assert split


def test_a_model_has_the_profile_that_hedgehog_knows_it_by() -> None:
    """An SN5610 is known, also to be lossless; of another model the file says that a profile is missing."""
    ((_, text),) = texts_of(design(256, switches="sn5610", family="fat-tree"), "hedgehog").items()
    known = read(text)["Switch"].values()
    assert {(spec["profile"], spec["roce"]) for spec in known} == {("nvidia-sn5610", True)}
    assert not text.startswith("#")
    ((_, text),) = texts_of(design(256, family="fat-tree"), "hedgehog").items()
    assert text.startswith("# Hedgehog has no profile of sn5600")
    assert {(spec["profile"], "roce" in spec) for spec in read(text)["Switch"].values()} == {("sn5600", False)}


@pytest.mark.parametrize(
    ("request_", "word"),
    [({"family": "dragonfly"}, "leaves and spines"), ({"switches": "qm9700", "server": "dgx-h100"}, "InfiniBand")],
)
def test_what_is_no_leaf_spine_fabric_of_ethernet_is_refused(request_: dict[str, Any], word: str) -> None:
    """One line says why."""
    with pytest.raises(InputError, match=word):
        texts_of(design(**request_), "hedgehog")
