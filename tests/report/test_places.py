"""GPUs per pod and per unit, and what kind of fabric a row is, wherever fabrics are counted."""

from __future__ import annotations

import html
import re
from collections import Counter

import networkx as nx
import pytest

import fabric
from fabric.report.comparison import describe_kinds, summarize_comparison
from fabric.report.describe import describe, describe_json
from fabric.report.family_comparison import summarize_families
from fabric.report.growth import describe_growth
from fabric.report.page import page
from fabric.report.page.curves import scale_curve
from fabric.report.pareto import front_object, pareto_csv, summarize_front
from fabric.report.scaling import summarize_scaling
from fabric.report.sensitivity import name_alternative
from fabric.report.sentences import describe_choice
from fabric.report.text import letter_fabrics
from fabric.studies.family_comparison import compare_families

BOX = {"name": "box", "gpus": 4, "nics": 2, "nic_gbps": 100}
SWITCH = {"name": "s8", "ports": 8, "rate_gbps": 100, "price_usd": 100, "breakouts": {50: 16}}
SMALL = {"gpus": 96, "server": BOX, "switches": SWITCH, "link_price_usd": 1, "oversubscription": 3}


def largest_shares(study: fabric.Study, roles: tuple[str, ...]) -> int:
    """Return the most GPUs whose servers are joined by the links of these roles and those below, by networkx."""
    graph = fabric.to_networkx(study.network)
    kept = [node for node in graph if node.partition("[")[0] in ("server", *roles)]
    parts = nx.connected_components(nx.Graph(graph.subgraph(kept)))
    return 4 * max(Counter(node.partition("[")[0] for node in part)["server"] for part in parts)


@pytest.mark.parametrize("family", ["fat-tree", "rail-optimized"])
@pytest.mark.parametrize("tiers", [1, 2, 3])
def test_units_and_pods_are_what_leaves_and_spines_join(family: str, tiers: int) -> None:
    """The servers of a full unit are joined by leaves alone, those of a full pod by leaves and spines alone."""
    study = fabric.design({**SMALL, "gpus": 16 if tiers == 1 else 64 if tiers == 2 else 96}, family=family, tiers=tiers)
    plan = study.blueprint
    assert plan.unit_gpus == largest_shares(study, ("leaf",))
    assert plan.pod_gpus == largest_shares(study, ("leaf", "spine"))
    assert (describe_json(study)["unit_gpus"], describe_json(study)["pod_gpus"]) == (plan.unit_gpus, plan.pod_gpus)


def test_direct_networks_have_units_and_no_pods() -> None:
    """A leaf of a torus has its servers as a unit; nothing is a pod, which the object says by null."""
    study = fabric.design(SMALL, family="torus", oversubscription=8)
    plan = study.blueprint
    assert plan.pod_gpus is None
    assert plan.unit_gpus == 4 * plan.sizes["slot"]


def test_several_units_and_pods_are_in_the_first_sentence() -> None:
    """What there are several of is said with its GPUs; one leaf is the whole fabric, and nothing is said."""
    text = describe_choice(describe(fabric.design(SMALL, family="fat-tree", tiers=3)))
    pods, pod, units, unit = map(int, re.findall(r"in (\d+) pods of (\d+) GPUs and (\d+) units of (\d+) GPUs", text)[0])
    assert (-(-96 // pod), -(-96 // unit)) == (pods, units)
    assert "unit" not in describe_choice(describe(fabric.design(SMALL, gpus=16, tiers=1)))


def test_rows_of_a_front_say_what_fabric_they_are() -> None:
    """Each row has its letter, which is explained, and its GPUs per pod and unit; the files have them too."""
    words = {"gpus": 512, "server": "hgx-h100", "switches": "qm9700", "oversubscription": 2}
    front = fabric.pareto(words, "cost,ring_hops")
    summary = summarize_front(front)
    (table,) = summary.tables
    assert {study.blueprint.topology.family for study in front.studies} == {"fat-tree", "rail-optimized"}
    for row, study in zip(table.rows, front.studies, strict=True):
        plan, cells = study.blueprint, dict(zip(table.heads, row, strict=True))
        assert (cells["GPUs per pod"], cells["GPUs per unit"]) == (f"{plan.pod_gpus:,}", f"{plan.unit_gpus:,}")
        (legend,) = [line for line in summary.lines if line.startswith(f"Fabric {cells['fabric']}:")]
        assert f"{plan.topology.family}, {plan.tiers} tiers" in legend
    assert "pod_gpus,unit_gpus" in pareto_csv(front)
    assert front_object(front)["front"][0]["design"]["pod_gpus"] == front.studies[0].blueprint.pod_gpus


def test_rows_by_cluster_size_say_where_the_fabric_changes() -> None:
    """From one tier to two the letter of the row changes."""
    table, *_ = summarize_scaling(fabric.scale(SMALL, [16, 64], routings=["adaptive"])).tables
    assert [row[1] for row in table.rows] == ["A", "B"]


def test_letters_go_on_after_z() -> None:
    """Thirty kinds have thirty letters."""
    letters, lines = letter_fabrics([f"kind {number}" for number in range(30)])
    assert (letters[25], letters[26], letters[29], len(lines)) == ("Z", "AA", "AD", 30)


def test_a_price_that_changes_the_family_says_from_which() -> None:
    """What would be chosen instead names what is chosen now where that is another kind of fabric."""
    two, three = (fabric.design(SMALL, gpus=64, family="fat-tree", tiers=tiers).blueprint for tiers in (2, 3))
    assert name_alternative(two, three).endswith(", instead of fat-tree, 3 tiers")
    assert "instead of" not in name_alternative(two, two)


def test_families_on_other_planes_than_asked_are_named() -> None:
    """A family that takes more planes than the request allows differs from the rest in more than its name."""
    results = compare_families(SMALL, ["fat-tree", "hpn"])
    summary = summarize_families(fabric.read(SMALL), results)
    assert "On other planes than the 1 of the request, by their own definition: hpn." in summary.lines


def test_a_comparison_says_where_the_kind_of_fabric_changes() -> None:
    """On the terminal and on the page, designs of several kinds are named by kind; those of one kind are not."""
    one, two = fabric.design(SMALL, name="one", gpus=16, tiers=1), fabric.design(SMALL, name="two", gpus=64, tiers=2)
    (line,) = describe_kinds(fabric.compare(one, two), ["one", "two"])
    assert line.startswith("The fabric changes between designs: one: ")
    assert f"; two: {two.blueprint.topology.family}, 2 tiers" in line
    assert line in summarize_comparison(fabric.compare(one, two), ["one", "two"], differences=False).lines
    assert line in html.unescape(page([one, two], "fabric report"))
    assert not list(describe_kinds(fabric.compare(two, two), ["two", "also two"]))


def test_the_points_of_the_pages_curves_say_what_they_are() -> None:
    """The text of each cluster size has the kind of its fabric."""
    curve = scale_curve(fabric.design(SMALL, gpus=64, family="fat-tree"))
    assert any(text.endswith("GPUs, fat-tree, 2 tiers") for text in curve["texts"])


def test_foresight_says_where_the_fabric_that_need_not_grow_is_another() -> None:
    """Where one tier is enough today and two are built, the sentence names the kind; where that is the same, not."""
    growing = describe(fabric.design(SMALL, gpus=16, grow_to_gpus=64, family="fat-tree"))
    (line,) = [line for line in describe_growth(growing) if line.startswith("Price of foresight")]
    assert "that need not grow is fat-tree, 1 tier, with 1 leaf switch and costs $" in line
    alike = describe(fabric.design(SMALL, gpus=32, grow_to_gpus=64, family="fat-tree", tiers=2))
    (line,) = [line for line in describe_growth(alike) if line.startswith("Price of foresight")]
    assert "that need not grow has " in line


def test_unlike_servers_have_no_other_sizes() -> None:
    """A scaling study of a list of servers is refused for what it is, not for a number of GPUs that disagrees."""
    servers = [{"server": "hgx-h100", "count": 2}, {"server": "hgx-a100", "count": 1}]
    with pytest.raises(fabric.InputError, match="of unlike servers each kind has its own number"):
        fabric.scale({"servers": servers, "switches": "qm9700", "family": "fat-tree"}, [16, 64])
