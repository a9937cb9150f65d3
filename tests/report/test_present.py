"""How results show themselves: as plain data, as tables in a notebook, in one line, and as charts."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.figure import Figure

import fabric
from fabric.errors import Conflict, InputError, Mistake
from fabric.flow import Routing, Workload, estimate_impact, estimate_workload
from fabric.presented import Presented
from fabric.report.html import ROWS, html_of
from fabric.report.present import plot, summarize, to_pandas
from fabric.report.table import Summary, Table
from fabric.studies.training_search import AskedSearch
from fabric.topology.families import families

SMALL = "superpod-h100-1su"
REQUEST = {"gpus": 64, "server": {"name": "box", "gpus": 4, "nics": 2, "nic_gbps": 400}, "planes": "any"}
UNLIKE = [{"server": "hgx-h100", "count": 8}, {"server": "dgx-a100", "count": 4}]
PORT = {"name": "port", "gpus": 0, "nics": 1, "nic_gbps": 400}
CLUSTER = {"common": {"server": "hgx-h100", "switches": "sn5600"}, "fabrics": {"a": {"gpus": 64}}}


def design(name: str) -> fabric.Study:
    """Return a design of one family, of switches of 400G."""
    box = {"name": "s64", "ports": 64, "rate_gbps": 400, "breakouts": {200: 128}, "price_usd": 20_000}
    return fabric.design(REQUEST, family=name, switches=box, oversubscription=8)


RESULTS: dict[str, Callable[[], Any]] = {
    "spec": lambda: fabric.read(SMALL),
    "blueprint": lambda: fabric.design(SMALL).blueprint,
    "study": lambda: fabric.design(SMALL),
    "large": lambda: fabric.design("colossus-100k"),
    "unlike": lambda: fabric.design({"servers": UNLIKE, "switches": "qm9700"}),
    "without GPUs": lambda: fabric.design({"servers": [{"server": PORT, "count": 48}], "switches": "qm9700"}),
    "bill": lambda: fabric.design(SMALL).bill,
    "network": lambda: fabric.design(SMALL).network,
    "view": lambda: fabric.design(SMALL).view("device"),
    "estimate": lambda: fabric.design(SMALL).allreduce(2**30),
    "answer": lambda: estimate_workload(fabric.design(SMALL).blueprint, Workload(engine="flows"), [2**20])[0][0],
    "impact": lambda: estimate_impact(
        fabric.design(SMALL).blueprint, Workload(failures=("link:1",)), [2**20, 2**30], seeds=2
    ),
    "front": lambda: fabric.pareto(SMALL, "cost,hops", oversubscription=2),
    "comparison": lambda: fabric.compare(fabric.design(SMALL), fabric.design("colossus-100k")),
    "scaling": lambda: fabric.scale(SMALL, [64, 256]),
    "cluster": lambda: fabric.cluster(CLUSTER),
    "optimum": lambda: fabric.optimize_training(
        {"gpus": 64, "server": "hgx-h100", "switches": "qm9700"},
        {"model": "llama3-8b", "parallel": {"tp": 2}, "batch": 64},
    ),
    "search": lambda: AskedSearch.read("llama3-8b", "tp=2,cp=1,pp=1,micro_batch=1", batch=64).on(fabric.design(SMALL))[
        1
    ],
    "sweep": lambda: fabric.sweep(SMALL, grid={"gpus": [64, 128]}, jobs=1),
}


class Balanced(HTMLParser):
    """Collects the text of HTML, and checks that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element; the only style is how its text is aligned."""
        assert all(pair in (("style", "text-align: left"), ("style", "text-align: right")) for pair in attrs)
        self.tags.add(tag)
        self.open += [] if tag == "br" else [tag]

    def handle_endtag(self, tag: str) -> None:
        """Close the last element."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.words.append(data)


def parse(html: str) -> Balanced:
    """Return the parsed HTML, all of whose elements are closed."""
    parser = Balanced()
    parser.feed(html)
    parser.close()
    assert not parser.open
    return parser


@pytest.mark.parametrize("kind", RESULTS)
def test_every_result_is_plain_data_a_short_table_and_one_line(kind: str) -> None:
    """Its mapping survives JSON unchanged, its HTML has a table and no colours, and its repr is one line."""
    value = RESULTS[kind]()
    assert isinstance(value, Presented)
    found = value.to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    html = value._repr_html_()
    assert len(html) < 9000
    parsed = parse(html)
    assert parsed.tags <= {"div", "p", "b", "br", "table", "thead", "tbody", "tr", "th", "td"}
    assert "table" in parsed.tags
    assert len(repr(value)) < (450 if kind in ("estimate", "answer") else 160)  # these are records of numbers


@pytest.mark.parametrize("name", sorted(families()))
def test_the_mapping_of_a_study_is_read_back(name: str) -> None:
    """load() takes what Study.to_dict() gives, and a request is read from its own mapping again."""
    study = design(name)
    assert fabric.load(study.to_dict()) == study
    assert fabric.read(study.spec.to_dict()) == study.spec
    for value in (study.blueprint, study.network, study.bill, study.view("fabric")):
        plain = value.to_dict()
        assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    links = study.network.to_dict()
    assert len(links["lower"]) == study.blueprint.to_dict()["links"]["total"]
    assert study.bill.to_dict()["totals"]["parts"] == study.bill.cost_usd()


def test_the_mapping_of_a_study_is_its_file(tmp_path: Path) -> None:
    """Study.to_dict() is what design.json holds, whatever time the design took."""
    study = fabric.design(SMALL)
    fabric.write(study, tmp_path)
    assert json.loads((tmp_path / "design.json").read_text(encoding="utf-8")) == study.to_dict()


def test_tables_show_the_values_that_they_are_of() -> None:
    """The cost of a study, the parts of a bill, and the rates of a network are in what a notebook shows."""
    study = fabric.design(SMALL)
    text = " ".join(parse(study._repr_html_()).words)
    assert f"${study.bill.cost_usd():,.0f}" in text
    assert "OPTIMAL" in text
    bill = " ".join(parse(study.bill._repr_html_()).words)
    assert {row.part for row in study.bill.rows} <= set(parse(study.bill._repr_html_()).words)
    assert f"Total: ${study.bill.order_usd:,.0f}" in bill
    found = study.allreduce(2**30)
    assert f"{found.busbw_GBps:.1f} GB/s" in " ".join(parse(found._repr_html_()).words)


def test_text_of_a_request_is_escaped() -> None:
    """Markup in a request's own words is shown and not obeyed."""
    spec = fabric.read(SMALL, title="<script>alert('x')</script> & co")
    assert "<script>" not in spec._repr_html_()
    assert "<script>alert('x')</script> & co" in parse(spec._repr_html_()).words


def test_a_long_table_is_cut_and_says_so() -> None:
    """A table of many rows shows the first, and the number of the others."""
    rows = [("row", str(number)) for number in range(ROWS + 5)]
    parsed = parse(html_of(Summary("", [Table("Rows", ("what", "number"), rows)], [])))
    assert parsed.words.count("row") == ROWS
    assert parsed.words[-1] == "and 5 more rows"


@pytest.mark.parametrize("kind", ["study", "front", "scaling", "cluster"])
def test_charts_are_figures_of_their_own(kind: str) -> None:
    """plot() returns a figure that pyplot does not know, with what is drawn on it."""
    figure = RESULTS[kind]().plot()
    assert isinstance(figure, Figure)
    assert figure.findobj()


def test_what_has_no_chart_or_table_is_refused() -> None:
    """Other values are of the wrong type."""
    for show in (plot, summarize):
        with pytest.raises(TypeError, match="a str has no"):
            show("word")


def test_numbers_of_numpy_are_taken_where_numbers_are_due() -> None:
    """Integers and floats of numpy give what Python's do, in requests, sizes, GPUs, seeds and places."""
    study = fabric.design(SMALL, gpus=np.int64(256), oversubscription=np.float32(1), limits={"hops": np.int8(3)})
    assert study == fabric.design(SMALL, gpus=256, oversubscription=1, limits={"hops": 3})
    assert study.spec.to_dict()["gpus"] == 256
    assert study.allreduce(np.int64(2**40)) == study.allreduce(2**40)
    assert study.path(np.uint8(3), np.int16(200)) == study.path(3, 200)
    place = study.view("unit", unit=np.int64(0)).place
    assert [type(number) for number in place.values()] == [int]
    assert fabric.scale(SMALL, np.array([256, 64])) == fabric.scale(SMALL, [64, 256])
    asked = Workload(gpus=np.int64(64), seed=np.int32(3), routing=Routing("ecmp", qps=np.int64(2), seed=np.uint8(1)))
    assert asked == Workload(gpus=64, seed=3, routing=Routing("ecmp", qps=2, seed=1))
    assert {type(number) for number in (asked.gpus, asked.seed, asked.routing.qps, asked.routing.seed)} == {int}
    optimum = fabric.optimize(SMALL, "cost,allreduce", size_bytes=np.int64(2**20))
    assert optimum.proof.objectives == fabric.optimize(SMALL, "cost,allreduce", size_bytes=2**20).proof.objectives


def test_wall_times_are_not_shown_where_equal_results_must_be_equal() -> None:
    """Two comparisons of the same requests are equal, however long each design took."""
    one, two = (fabric.compare(fabric.design(SMALL), fabric.design(SMALL)) for _ in range(2))
    assert one == two
    study = fabric.design(SMALL)
    later = replace(study, proof=replace(study.proof, wall_s=99.0))
    assert study.to_dict() == later.to_dict()


@pytest.mark.parametrize("kind", ["tiers", "adjacency", "load"])
def test_a_diagram_is_a_figure_with_axes_that_a_notebook_shows(kind: str) -> None:
    """Its axes cover the page in points, IPython shows it as PNG without pyplot, and it can be changed and pickled."""
    figure = fabric.design(SMALL).diagram(kind)
    (axes,) = figure.axes
    width, height = figure.get_size_inches() * 72
    assert (*axes.get_xlim(), *axes.get_ylim()) == pytest.approx((0, width, 0, height))
    before = DisplayFormatter().format(figure)[0]["image/png"]
    axes.annotate("here", (width / 2, height / 2))
    after = DisplayFormatter().format(pickle.loads(pickle.dumps(figure)))[0]["image/png"]
    assert before[:8] == after[:8] == b"\x89PNG\r\n\x1a\n"
    assert before != after
    assert "matplotlib.pyplot" not in sys.modules or not plt_knows(figure)


def plt_knows(figure: Figure) -> bool:
    """Say whether pyplot keeps a figure."""
    plt = sys.modules["matplotlib.pyplot"]
    return any(plt.figure(number) is figure for number in plt.get_fignums())


def test_a_chart_has_axes_with_its_curves() -> None:
    """A scaling study has a curve for each algorithm and routing, through the numbers of its estimates."""
    scaling = fabric.scale(SMALL, [64, 256])
    (axes,) = scaling.plot().axes
    drawn = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    for curve in scaling.curves:
        speeds = [estimate.busbw_GBps for estimate in curve.estimates]
        assert drawn[f"{curve.algorithm}, {curve.routing}"] == pytest.approx(speeds)
    diagram = fabric.draw.Diagram("racks")
    assert fabric.design(SMALL).diagram(diagram).axes


def test_results_of_many_rows_are_frames() -> None:
    """A bill, a front, a scaling study and a comparison have their rows in pandas, with the same numbers."""
    study = fabric.design(SMALL)
    bill = study.bill.to_pandas()
    assert bill["part"].tolist() == [row.part for row in study.bill.rows]
    assert bill.loc[bill["counted"], "price_usd"].sum() == study.bill.cost_usd()
    front = RESULTS["front"]()
    assert front.to_pandas()["cost_usd"].tolist() == [values["cost_usd"] for values in front.values]
    assert front.to_pandas()["links_total"].tolist() == [each.blueprint.links_total for each in front.studies]
    scaling = RESULTS["scaling"]()
    estimates = [each for curve in scaling.curves for each in curve.estimates]
    assert scaling.to_pandas()["busbw_GBps"].tolist() == [each.busbw_GBps for each in estimates]
    assert scaling.to_pandas()["curve"].nunique() == 2
    compared = fabric.compare(study, study).to_pandas().set_index("quantity")
    assert compared.loc["cost_usd.total"].tolist() == ["usd", study.bill.cost_usd(), study.bill.cost_usd()]
    assert list(compared.columns) == ["unit", SMALL, f"{SMALL} (2)"]
    with pytest.raises(TypeError, match="a str has no rows"):
        to_pandas("word")


@pytest.mark.parametrize(
    "error",
    [
        InputError([Mistake("file:1", "wrong"), Mistake("", "worse")]),
        fabric.Infeasible("no fabric", ["too few ports"], [Conflict("limits.hops", 3, 5)]),
        fabric.TooLarge("1 TiB"),
        fabric.MissingLibrary.of("pandas", "frames"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_too(error: fabric.FabricError) -> None:
    """An error that another process raised has the same text, mistakes, reasons and conflict."""
    found = pickle.loads(pickle.dumps(error))
    assert (type(found), str(found), vars(found)) == (type(error), str(error), vars(error))
