"""Commands of NVUE, checked against the models that are generated from NVIDIA's published schema of release 5.16."""

from __future__ import annotations

import shlex
from collections import Counter
from random import Random
from typing import Any, get_args, get_origin

import numpy as np
import pytest

import fabric
from fabric.errors import InputError
from fabric.export.ethernet.cumulus import CUMULUS, write_cumulus
from fabric.export.ethernet.ethernet_plan import EthernetPlan
from tests.export.ethernet.fabrics import DRAWN, draw_request

schema = pytest.importorskip("nvueschema.models.v5_16", reason="nvueschema, the schema of NVUE, is not installed")


def fields_of(kind: Any) -> Any:
    """Return the model, or the mapping, that the values of a field are of."""
    while get_args(kind) and get_origin(kind) is not dict:
        kinds = [each for each in get_args(kind) if each is not type(None)]
        if not (hasattr(kinds[0], "model_fields") or get_args(kinds[0])):
            return kinds[0]
        kind = kinds[0]
    return kind


def read_commands(text: str) -> dict[str, Any]:
    """Return what commands set, as one tree; every word must be a key of the schema, or a key or value of its own."""
    tree: dict[str, Any] = {}
    for line in text.splitlines():
        words = shlex.split(line)
        assert words[:2] == ["nv", "set"], line
        here, kind = tree, schema.NvueConfig
        for word, rest in zip(words[2:], [*words[3:], None], strict=True):
            kind = fields_of(kind)
            if hasattr(kind, "model_fields"):
                known = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
                assert word in known, f"{line}: {word} is none of {sorted(known)}"
                kind = known[word]
            elif get_origin(kind) is dict:
                kind = get_args(kind)[1]
            else:
                raise AssertionError(f"{line}: nothing follows before {word}")
            last = fields_of(kind)
            if rest is not None and not (hasattr(last, "model_fields") or get_origin(last) is dict):
                assert here.get(word, rest) == rest, f"{line}: set twice"
                here[word] = rest
                assert words[-2] == word, f"{line}: too many words"
                break
            here = here.setdefault(word, {})
    return tree


def check_switch(text: str) -> dict[str, Any]:
    """Return what the commands of a switch set, which must be sound by the schema."""
    tree = read_commands(text)
    schema.NvueConfig.model_validate(tree)
    return tree


@pytest.mark.parametrize("seed", DRAWN)
def test_commands_are_those_of_the_schema(seed: int) -> None:
    """On drawn designs: planes, partial units, split ports, unlike servers, one to three tiers."""
    plan = EthernetPlan(fabric.design(draw_request(Random(seed), "cumulus", seed)).plan)
    files = {name: "".join(text) for name, text in write_cumulus(plan)}
    assert list(files) == [f"{name}.nv" for name in plan.switch_names]
    for row, text in enumerate(files.values()):
        tree = check_switch(text)
        own = slice(plan.ports.start[row], plan.ports.start[row + 1])
        bgp = tree["vrf"]["default"]["router"]["bgp"]
        assert len(bgp.get("neighbor", {})) == plan.between[row]
        ports = {name for name, each in tree["interface"].items() if "mtu" in each.get("link", {})}
        assert len(ports) == own.stop - own.start
        check_breakouts(tree["interface"], ports)
        check_profiles(tree, ports, plan, own)


def check_breakouts(interfaces: dict[str, Any], ports: set[str]) -> None:
    """Fail unless a part of a port has a port that is split into enough parts, and a whole port is split into none."""
    split = {
        name: int(next(iter(each["link"]["breakout"]))[:-1])
        for name, each in interfaces.items()
        if "breakout" in each.get("link", {})
    }
    for name in ports:
        number, _, part = name.removeprefix("swp").partition("s")
        assert (f"swp{number}" in split) == bool(part), name
        assert not part or int(part) < split[f"swp{number}"]


def check_profiles(tree: dict[str, Any], ports: set[str], plan: EthernetPlan, own: slice) -> None:
    """Fail unless every port has the profiles of its cable's length and of its rate, as often as the plan has them."""
    links, qos = plan.ports.link[own], tree["qos"]
    chosen = [tree["interface"][name]["qos"] for name in ports]
    lengths = Counter(int(qos["pfc"][each["pfc"]["profile"]]["cable-length"]) for each in chosen)
    assert lengths == Counter(max(1, int(np.ceil(each))) for each in plan.plan.wiring.length_m[links])
    marks = (qos["congestion-control"][each["congestion-control"]["profile"]] for each in chosen)
    least = Counter(int(each["traffic-class"]["3"]["min-threshold"]) for each in marks)
    assert least == Counter(4000 * int(each) for each in plan.plan.link_gbps[links])


@pytest.mark.parametrize(
    "line",
    [
        "nv set interface swp1 link mtu 9217",
        "nv set interface swp1 ip address 10.0.0.0/31",
        "nv set vrf default router bgp neighbor swp1 remote-as outside",
        "nv set qos pfc long cable-length 0",
        "nv set router adaptive-routing enable on",
    ],
)
def test_the_schema_notices_what_is_wrong(line: str) -> None:
    """Values out of range, words of other releases and words of nobody."""
    with pytest.raises((AssertionError, ValueError)):
        check_switch(line)


def test_adaptive_routing_is_on_between_switches_that_have_it() -> None:
    """On Spectrum-4, on ports to switches; not on Spectrum-2, of which it is not known."""
    on = EthernetPlan(fabric.design("superpod-b300-1su").plan)
    files = [text for _, text in write_cumulus(on)]
    for row in (0, len(files) - 1):
        tree = check_switch("".join(files[row]))
        assert tree["router"]["adaptive-routing"] == {"state": "enabled"}
        count = sum("router" in each for each in tree["interface"].values())
        assert count == on.between[row]
    server = {"name": "srv", "gpus": 8, "nics": 8, "nic_gbps": 200}
    off = EthernetPlan(fabric.design(gpus=64, server=server, switches="sn3700", family="fat-tree").plan)
    assert not any("adaptive" in "".join(text) for _, text in write_cumulus(off))


def test_other_systems_are_refused() -> None:
    """Commands of Cumulus are of no use on a switch with another operating system, or of InfiniBand."""
    for switches, words in (("7060xe7-64ps", "7060xe7-64ps runs eos"), ("qm9700", "qm9700 is an InfiniBand switch")):
        server = {"name": "srv", "gpus": 8, "nics": 8, "nic_gbps": 400}
        plan = fabric.design(gpus=64, server=server, switches=switches, family="fat-tree").plan
        with pytest.raises(InputError, match=words):
            CUMULUS.fits(plan)
