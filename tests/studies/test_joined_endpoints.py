"""Endpoints of a cluster, each kind listed once, and the fabrics that join them."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

import fabric
from tests.request_fixtures import Run

EXAMPLE = Path("examples/clusters/joined-endpoints.yaml")
PORTS = {"name": "ports", "ports": 48, "rate_gbps": 1, "uplinks": 4, "uplink_gbps": 100, "price_usd": 2_000}
WIDE = {"name": "wide", "ports": 64, "rate_gbps": 100, "price_usd": 9_000}
FAST = {"name": "fast", "ports": 64, "rate_gbps": 400, "price_usd": 30_000, "breakouts": [2]}
BOX16 = {**FAST, "name": "box16", "ports": 16}
REQUEST: dict[str, Any] = {
    "name": "drawn",
    "racks": 5,
    "endpoints": {
        "gpus": {"server": "hgx-h100", "count": 16},
        "boxes": {"count": 6},
        "bmcs": {"of": ["gpus", "boxes"]},
        "pdus": {"per_rack": 2},
    },
    "common": {"family": "fat-tree", "link_price_usd": 100, "server": "hgx-a100", "gpus": 8},
    "fabrics": {
        "compute": {"joins": ["gpus"], "switches": FAST},
        "storage": {"joins": ["gpus", "boxes"], "nics": 2, "nic_gbps": 400, "switches": FAST},
        "management": {
            "joins": ["gpus", "boxes", "bmcs", "switches", "pdus"],
            "nic_gbps": 1,
            "switches": {"leaf": PORTS, "spine": WIDE},
        },
    },
}


@pytest.fixture(scope="module")
def example() -> fabric.Cluster:
    """Return the example."""
    return fabric.cluster(EXAMPLE)


def test_the_example_is_as_its_page_says(example: fabric.Cluster) -> None:
    """229 management ports take 5 switches of 48; compute has all GPUs, the others none."""
    page = " ".join((Path("docs/clusters.md")).read_text().split())
    plan = example.fabrics["management"].blueprint
    compute, storage = example.fabrics["compute"].blueprint, example.fabrics["storage"].blueprint
    assert (compute.gpus, storage.gpus, plan.gpus) == (512, 0, 0)
    assert (plan.servers, plan.devices("leaf")) == (229, 5)
    assert "64 + 12 + 4 servers, their 80 BMCs, 29 switches and 40 PDUs: 229 ports, on 5 switches" in page
    assert compute.switches + storage.switches == 29
    assert EXAMPLE.read_text().rstrip() in (Path("docs/clusters.md")).read_text()
    assert example.status == "OPTIMAL"


def test_every_port_of_the_cluster_is_a_link(example: fabric.Cluster) -> None:
    """The host links of each fabric, laid one by one, are those of the endpoints that it joins."""
    for name, study in example.fabrics.items():
        ends = example.attached(name)
        network = study.network
        assert sum(each.links for each in ends) == int((network.lower < network.server_count).sum())
        assert sum(each.count for each in ends) == network.server_count


@pytest.mark.parametrize("own", [False, True])
def test_bonded_nics_join_by_a_link_each(own: bool) -> None:
    """On a BCube of two levels each NIC is the port to one of them, whether the endpoints or the request have it."""
    server = {"name": "box", "gpus": 2, "nics": 2, "nic_gbps": 400}
    ends = {"server": server, "gpus": 128} if own else {"joins": ["box"]}
    endpoints = {"box": {"server": server, "count": 64}}
    found = fabric.cluster({"endpoints": endpoints, "fabrics": {"one": {**ends, "family": "bcube", "switches": BOX16}}})
    (joined,) = found.attached("one")
    assert (joined.count, joined.nics, joined.nic_gbps, joined.links) == (64, 2, 400, 128)
    assert found.fabrics["one"].network.links == 128


def test_a_mistake_of_endpoints_is_the_only_one(tmp_path: Path) -> None:
    """Fabrics that join endpoints of which one can't be read are not said to join unknown ones."""
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({**REQUEST, "endpoints": {**REQUEST["endpoints"], "boxes": {"count": "x"}}}))
    with pytest.raises(fabric.InputError) as caught:
        fabric.cluster(file)
    (mistake,) = map(str, caught.value.mistakes)
    assert "endpoints.boxes.count: 'x' is text" in mistake


def test_a_fabric_that_joins_is_the_request_of_what_it_joins() -> None:
    """A fabric is what its servers alone, written by hand, would be designed as."""
    found = fabric.cluster(REQUEST).fabrics
    words = {"family": "fat-tree", "link_price_usd": 100}
    compute = fabric.design(words, server="hgx-h100", gpus=128, switches=FAST)
    ports = {"name": "port", "gpus": 0, "nics": 2, "nic_gbps": 400}
    storage = fabric.design(words, servers=[{"server": ports, "count": 22}], switches=FAST)
    assert found["compute"].blueprint.sizes == compute.blueprint.sizes
    assert found["storage"].blueprint.sizes == storage.blueprint.sizes
    assert fabric.read(dict(found["storage"].spec.request)) == found["storage"].spec


def test_a_unit_has_as_many_endpoints_as_are_asked_for() -> None:
    """`per_unit` counts GPU servers, and management ports of all kinds together."""
    fabrics = {name: {**words, "per_unit": 4} for name, words in REQUEST["fabrics"].items()}
    found = fabric.cluster({**REQUEST, "fabrics": fabrics}).fabrics
    assert found["compute"].blueprint.unit_gpus == 32
    plan = found["management"].blueprint
    assert plan.devices("leaf") == -(-plan.servers // 4)


@pytest.mark.parametrize("seed", range(4))
def test_drawn_clusters_are_managed_port_by_port(seed: int) -> None:
    """Every server, BMC, switch of another fabric and PDU has a port, and leaves are no more than these need."""
    random = Random(seed)
    gpus, boxes, racks, each = (random.randint(*ends) for ends in ((1, 40), (1, 30), (1, 20), (1, 3)))
    endpoints = {
        **REQUEST["endpoints"],
        "gpus": {"server": "hgx-h100", "count": gpus},
        "boxes": {"count": boxes},
        "pdus": {"per_rack": each},
    }
    found = fabric.cluster({**REQUEST, "racks": racks, "endpoints": endpoints})
    others = sum(study.blueprint.switches for name, study in found.fabrics.items() if name != "management")
    ports = 2 * (gpus + boxes) + others + racks * each
    plan = found.fabrics["management"].blueprint
    assert (plan.servers, plan.devices("leaf")) == (ports, -(-ports // 48))


def test_a_shared_limit_changes_the_number_of_managed_switches() -> None:
    """Within a limit on rack units fewer switches are chosen, and the management network has ports for those."""
    free = fabric.cluster(limited({}))
    tight = fabric.cluster(limited({"rack_units": (free.totals["rack_units"] or 0) - 4}))
    for found in (free, tight):
        (switches,) = (each.count for each in found.attached("management") if each.endpoint == "switches")
        assert switches == found.fabrics["compute"].blueprint.switches
    assert (tight.totals["rack_units"] or 0) <= tight.spec.limits["rack_units"]
    assert (tight.totals["cost_usd"] or 0) > (free.totals["cost_usd"] or 0)


def limited(limits: dict[str, float]) -> dict[str, Any]:
    """Return a cluster with a choice of switches, all of known height, within shared limits."""
    small = {**FAST, "name": "small", "ports": 16, "price_usd": 2_000, "rack_units": 1}
    large = {**FAST, "name": "large", "price_usd": 40_000, "rack_units": 1}
    low = {"leaf": {**PORTS, "rack_units": 1}, "spine": {**WIDE, "rack_units": 1}}
    fabrics = {
        "compute": {"joins": ["gpus"], "switches": [small, large]},
        "management": {**REQUEST["fabrics"]["management"], "switches": low},
    }
    endpoints = {**REQUEST["endpoints"], "boxes": {"count": 40}}
    return {**REQUEST, "endpoints": endpoints, "fabrics": fabrics, "limits": limits}


def test_a_limit_is_met_by_fewer_switches_and_their_smaller_network() -> None:
    """The least rack units that are said to be enough are, by fewer switches to manage, and one less is not."""
    free = fabric.cluster(limited({}))
    with pytest.raises(fabric.Infeasible, match="rack_units 3 is too low") as caught:
        fabric.cluster(limited({"rack_units": 3}))
    (conflict,) = caught.value.conflict
    assert conflict.nearest is not None
    tight = fabric.cluster(limited({"rack_units": float(conflict.nearest)}))
    assert tight.totals["rack_units"] == conflict.nearest
    assert tight.switches_but("management") < free.switches_but("management")
    assert tight.fabrics["management"].blueprint.devices("leaf") < free.fabrics["management"].blueprint.devices("leaf")
    with pytest.raises(fabric.Infeasible):
        fabric.cluster(limited({"rack_units": float(conflict.nearest) - 1}))


def test_an_error_names_its_fabric() -> None:
    """Of several fabrics the one that can't be built is named."""
    fabrics = {**REQUEST["fabrics"], "storage": {**REQUEST["fabrics"]["storage"], "switches": BOX16, "tiers": 1}}
    with pytest.raises(fabric.Infeasible, match=r"^storage: no fabric for 22 endpoints"):
        fabric.cluster({**REQUEST, "fabrics": fabrics})


def test_the_command_says_what_each_fabric_joins(run: Run, tmp_path: Path) -> None:
    """The terminal, the report and the JSON have the endpoints of each fabric, and no GPUs where none stand."""
    code, printed, _ = run("cluster", EXAMPLE)
    text = " ".join(printed.split())
    assert code == 0
    assert "joins 64 gpu-servers, 12 storage, 4 login, 80 bmcs, 29 switches and 40 pdus" in text
    assert max(map(len, printed.splitlines())) <= 80
    code, printed, _ = run("cluster", EXAMPLE, "--json", "--out", tmp_path / "out")
    document = json.loads(printed)
    assert code == 0
    assert [row["endpoint"] for row in document["joins"]["storage"]] == ["gpu-servers", "storage", "login"]
    assert document["joins"]["compute"] == [
        {"endpoint": "gpu-servers", "count": 64, "gpus": 8, "nics": 8, "nic_gbps": 400, "links": 512}
    ]
    assert document["fabrics"]["management"]["allreduce"] == []
    assert "29 switches" in (tmp_path / "out" / "report.md").read_text()
    assert not (tmp_path / "out" / "management" / "allreduce.svg").exists()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"endpoints": {"pdus": {"per_rack": 2}}, "racks": None}, "endpoints.pdus.per_rack: is for each rack, but their"),
    ({"endpoints": {"a": {}}}, "endpoints.a: has no number; write one of `count`, `per_rack` and `of`"),
    ({"endpoints": {"a": {"count": 1, "per_rack": 1}}}, "endpoints.a: has count and per_rack; write one of"),
    ({"endpoints": {"a": {"of": ["b"]}}}, "endpoints.a.of: 'b' is no kind with a number of its own"),
    ({"endpoints": {"switches": {"count": 3}}}, "endpoints.switches: are those of all other fabrics"),
    ({"endpoints": {"a": {"count": 0}}}, "endpoints.a.count: 0 is too small; at least 1"),
    ({"endpoints": {"a": {"count": 1, "serve": 2}}}, "serve: unknown key; did you mean 'server'?"),
    ({"endpoints": {"a": {"count": 1, "server": "hgx-h10"}}}, "unknown server 'hgx-h10'; did you mean 'hgx-h100'?"),
    ({"fabrics": {"one": {"joins": ["gpu"]}}}, "joins[0]: unknown endpoint 'gpu'; did you mean 'gpus'?"),
    ({"fabrics": {"one": {"joins": ["gpus", "gpus"]}}}, "joins[1]: 'gpus' is joined twice; keep one"),
    ({"fabrics": {"one": {"joins": ["boxes"]}}}, "joins[0]: 'boxes' has no server, so its rate is missing; write for"),
    ({"fabrics": {"one": {"joins": ["gpus"], "gpus": 8}}}, "gpus: follows from what the fabric `joins`; keep one"),
    ({"fabrics": {"one": {"joins": ["gpus"], "nics": {"boxes": 2}}}}, "nics.boxes: is no endpoint that the fabric"),
    ({"fabrics": {"one": {"joins": []}}}, "joins: is empty; give at least one"),
    (
        {"fabrics": {"one": {"joins": ["switches"], "nic_gbps": 1}}},
        "one.joins: joins the switches of all other fabrics",
    ),
    (
        {"fabrics": {key: {"joins": ["switches"], "nic_gbps": 1} for key in ("one", "two")}},
        "two.joins: 'one' joins the switches of all other fabrics already",
    ),
]
"""Clusters with one mistake each, and what the message says."""


@pytest.mark.parametrize(("words", "text"), WRONG, ids=[text[:30] for _, text in WRONG])
def test_a_mistake_of_endpoints_is_named_with_its_line_and_remedy(
    words: dict[str, Any], text: str, tmp_path: Path
) -> None:
    """One message says what is wrong and what to write; where the request is a file, with its line."""
    request = {**REQUEST, "fabrics": {"compute": REQUEST["fabrics"]["compute"]}, **words}
    if "fabrics" not in words:
        request["fabrics"] = {"compute": {"server": "hgx-h100", "gpus": 8}}
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump({key: value for key, value in request.items() if value is not None}))
    with pytest.raises(fabric.InputError) as caught:
        fabric.cluster(file)
    (mistake,) = map(str, caught.value.mistakes)
    assert text in mistake
    assert mistake.startswith(f"{file}:")
