"""A fabric on which no GPU stands, of storage or management ports, through the whole line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import fabric
from fabric.report.describe import describe_json
from fabric.testing import check_blueprint
from tests.request_fixtures import Run, read

BOX = {"name": "box", "ports": 48, "rate_gbps": 1, "uplinks": 4, "uplink_gbps": 100, "price_usd": 2_000, "power_w": 90}
TOP = {"name": "top", "ports": 32, "rate_gbps": 100, "price_usd": 9_000, "power_w": 300}
REQUEST: dict[str, Any] = {
    "name": "management",
    "servers": [{"server": {"name": "port", "gpus": 0, "nics": 1, "nic_gbps": 1}, "count": 400}],
    "family": "fat-tree",
    "switches": {"leaf": BOX, "spine": TOP},
    "link_price_usd": 10,
}
GPU_WORDS = ("GPU", "all-reduce", "NVLink")


@pytest.fixture(scope="module")
def study() -> fabric.Study:
    """Return a management network of 400 ports."""
    return fabric.design(REQUEST)


def test_ports_alone_size_a_fabric(study: fabric.Study) -> None:
    """400 ports on leaves of 48 take 9 leaves, and every count is that of the network laid link by link."""
    assert (study.spec.gpus, study.spec.servers, study.blueprint.devices("leaf")) == (0, 400, 9)
    check_blueprint(study.blueprint)
    network = study.network
    assert network.server_count == 400
    assert sum(network.bundle_gbps[bundle] == 1 for bundle in network.bundle.tolist()) == 400


@pytest.mark.parametrize("count", [1, 47, 48, 49, 200])
def test_leaves_are_the_fewest_that_have_ports(count: int) -> None:
    """One port each, and no leaf beyond what their number needs."""
    servers = [{**REQUEST["servers"][0], "count": count}]
    assert fabric.design(REQUEST, servers=servers).blueprint.devices("leaf") == -(-count // 48)


def test_servers_of_a_unit_are_as_asked() -> None:
    """`per_unit` stands for `unit_gpus`, which can't count servers without GPUs."""
    servers = [{**REQUEST["servers"][0], "per_unit": 20}]
    study = fabric.design(REQUEST, servers=servers)
    assert (study.spec.unit_servers, study.blueprint.devices("leaf")) == (20, 20)


def test_nothing_is_per_gpu_and_nothing_is_timed(study: fabric.Study) -> None:
    """Shares of no GPU are null, and so are times: the list of all-reduces is empty."""
    found = describe_json(study)
    assert (found["gpus"], found["servers"], found["allreduce"]) == (0, 400, [])
    assert (found["cost_usd"]["per_gpu"], found["power_w"]["per_gpu"]) == (None, None)
    assert (found["pod_gpus"], found["unit_gpus"]) == (None, None)
    assert found["cost_usd"]["total"] > 0


def test_the_request_of_the_result_asks_for_the_same(study: fabric.Study) -> None:
    """The request with its defaults, as the result has it, is the same request."""
    assert read(dict(study.spec.request)) == study.spec


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file of the request."""
    path = tmp_path / "management.yaml"
    path.write_text(yaml.safe_dump(REQUEST))
    return path


@pytest.mark.parametrize(
    "words",
    [("design",), ("bill",), ("compare", "--families", "fat-tree"), ("optimize", "--pareto", "cost,hops")],
)
def test_what_is_printed_speaks_of_endpoints(words: tuple[str, ...], run: Run, file: Path) -> None:
    """No sentence counts GPUs where there are none."""
    code, printed, _ = run(words[0], file, *words[1:])
    assert code == 0
    assert words[0] == "optimize" or "400 endpoints" in printed
    if words[0] in ("design", "bill"):
        assert not [word for word in GPU_WORDS if word in printed]


def test_files_and_pages_have_no_times(run: Run, file: Path, tmp_path: Path) -> None:
    """There is no picture of all-reduces, and neither report has a word of them."""
    out = tmp_path / "out"
    assert run("design", file, "--out", out)[0] == 0
    assert {each.name for each in out.iterdir()} == {"design.json", "report.md", "bom.csv", "fabric.svg", "fabric.png"}
    page = tmp_path / "page.html"
    assert run("report", file, "-o", page)[0] == 0
    body = page.read_text().partition("<main")[2].partition("<footer")[0]
    for text in ((out / "report.md").read_text(), (out / "fabric.svg").read_text(), body):
        assert not [word for word in GPU_WORDS if word in text]


@pytest.mark.parametrize("kind", ["tiers", "racks", "adjacency"])
def test_pictures_are_drawn(kind: str, run: Run, file: Path, tmp_path: Path) -> None:
    """Every kind of picture that needs no traffic is drawn."""
    picture = tmp_path / "it.svg"
    code, _, error = run("diagram", file, "--kind", kind, "-o", picture)
    assert (code, error) == (0, "")
    assert "GPU" not in picture.read_text()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("allreduce",), "no GPU stands on this fabric"),
        (("diagram", "--kind", "load", "-o", "it.svg"), "no GPU stands on this fabric"),
        (("optimize", "--objective", "allreduce"), "has no time; minimise cost or hops"),
    ],
)
def test_what_needs_gpus_says_that_there_are_none(words: tuple[str, ...], text: str, run: Run, file: Path) -> None:
    """A time, and the load of its traffic, is refused in one sentence."""
    code, _, error = run(words[0], file, *words[1:])
    assert code == 2
    assert text in " ".join(error.split())


def test_an_infeasible_request_names_servers() -> None:
    """Where the ports do not suffice, the number of servers is the limit, and its nearest value is feasible."""
    with pytest.raises(fabric.Infeasible, match="no fabric for 400 endpoints") as caught:
        fabric.design(REQUEST, tiers=1)
    assert "GPU" not in str(caught.value)
    conflict = {item.limit: item for item in caught.value.conflict}
    assert conflict["servers"].nearest == 48
    servers = [{**REQUEST["servers"][0], "count": 48}]
    assert fabric.design(REQUEST, servers=servers, tiers=1).blueprint.switches == 1
