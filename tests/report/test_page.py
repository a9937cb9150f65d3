"""Truths about the report as a page: one file, that a browser opens offline, sorts, draws and opens down to ports."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fabric
from fabric.cli.main import cli
from fabric.report.page import page, write_page
from fabric.report.page.drill import drill
from fabric.units import parse_size

HOSTILE = "<script>alert(1)</script> \"'& \u05d0\u05d1\u05d2 </bdi>"
MARKS = f"{HOSTILE} \u202etxt"
SIZES = {"small": 64, "colossus-1m": 1_000_000, "colossus-100k": 100_000}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the reports of 64, 100,000 and 1,000,000 GPUs, and of two designs with a hostile name."""
    folder = tmp_path_factory.mktemp("pages")
    small = fabric.design(name="small", gpus=64, server="hgx-h100", switches="sn5600", title=HOSTILE)
    named = fabric.design(
        name="named", title=HOSTILE, gpus=128, server="hgx-h100", switches="sn5600", sources=[HOSTILE]
    )
    found = {"small": write_page([small], folder / "small.html", "fabric report small.yaml")}
    for name in ("colossus-100k", "colossus-1m"):
        found[name] = write_page([fabric.design(name)], folder / f"{name}.html", front=name == "colossus-100k")
    found["hostile"] = write_page([named, small], folder / "hostile.html", MARKS)
    return found


def missing() -> str:
    """Return why no browser can be driven; nothing where one can."""
    tools = [tool for tool in ("chromium", "chromedriver") if not shutil.which(tool)]
    return f"not installed: {', '.join(tools)}" if tools else ""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Drive headless Chromium, with its console and what it asks of the network noted."""
    if missing() and not os.environ.get("CI"):
        pytest.skip(missing())
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1280,1000",
    ):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


def opened(browser: Any, file: Path) -> Any:
    """Open a page, or go back to its start where it is open, and wait until its fabric can be opened."""
    from selenium.webdriver.support.ui import WebDriverWait

    if browser.current_url.partition("#")[0] == file.as_uri() and (crumbs := all_of(browser, ".crumbs button")):
        click(browser, crumbs[0])
    else:
        browser.get(file.as_uri())
    WebDriverWait(browser, 20).until(lambda each: all_of(each, ".shown tbody tr"))
    return browser


def all_of(browser: Any, selector: str) -> list[Any]:
    """Return the elements that a selector finds."""
    return list(browser.find_elements("css selector", selector))


def complaints(browser: Any) -> list[str]:
    """Return what the console holds, and every request but those of the file and the data in it."""
    asked = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    urls = [each["params"]["request"]["url"] for each in asked if each["method"] == "Network.requestWillBeSent"]
    errors = [entry["message"] for entry in browser.get_log("browser") if "favicon" not in entry["message"]]
    return errors + [url for url in urls if not url.startswith(("file:", "data:", "chrome:"))]


def click(browser: Any, element: Any) -> None:
    """Scroll to an element and click it."""
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def test_a_page_is_small_and_of_one_piece(pages: dict[str, Path]) -> None:
    """A report is under 3 MB, names no address to load from, and forbids its reader's browser all of them."""
    for name in SIZES:
        text = pages[name].read_text(encoding="utf-8")
        assert len(text.encode()) < 3e6
        assert "default-src 'none'" in text
        assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", text.split("<script")[0])


@pytest.mark.parametrize("name", SIZES)
def test_a_browser_opens_it_down_to_the_ports(browser: Any, pages: dict[str, Path], name: str) -> None:
    """A fabric opens from its groups to a switch's ports, whose number is what the design says, without complaint."""
    opened(browser, pages[name])
    titles, seen = [], set[str]()
    while buttons := [each for each in all_of(browser, ".shown button") if each.text.startswith("open")]:
        deeper = [each for each in buttons if each.text in ("open a pod", "open a unit")] or buttons
        click(browser, deeper[0])
        titles.append(all_of(browser, ".where")[0].text)
        assert titles[-1] not in seen
        seen.add(titles[-1])
    used = re.search(r"([\d,]+) ports in use", titles[-1])
    assert used
    assert len(all_of(browser, ".shown tbody tr")) == int(used[1].replace(",", ""))
    click(browser, all_of(browser, ".crumbs button")[0])
    assert "by groups" in all_of(browser, ".where")[0].text
    assert all_of(browser, ".graph canvas")
    assert complaints(browser) == []


def test_a_table_sorts_by_its_numbers(browser: Any, pages: dict[str, Path]) -> None:
    """A click and the key Enter on a head sort a table by the numbers of the column, up and down."""
    from selenium.webdriver.common.keys import Keys

    opened(browser, pages["colossus-100k"])
    table = next(each for each in all_of(browser, "table.sorts") if each.text.startswith("Estimated all-reduce"))
    head = next(each for each in table.find_elements("css selector", "th") if each.text == "time")
    places = [[each.text for each in table.find_elements("css selector", "thead th")].index("time") + 1]

    def times() -> list[float]:
        cells = table.find_elements("css selector", f"td:nth-child({places[0]})")
        return [float(cell.get_attribute("data-sort")) for cell in cells]

    click(browser, head)
    assert times() == sorted(times(), reverse=head.get_attribute("aria-sort") == "descending")
    before = head.get_attribute("aria-sort")
    head.send_keys(Keys.ENTER)
    assert head.get_attribute("aria-sort") != before
    assert times() == sorted(times(), reverse=head.get_attribute("aria-sort") == "descending")


def test_a_curve_shows_its_values_on_hover(browser: Any, pages: dict[str, Path]) -> None:
    """Under the pointer a curve's legend holds the size and the bandwidths that the design has there."""
    from selenium.webdriver.common.action_chains import ActionChains

    opened(browser, pages["colossus-100k"])
    chart = all_of(browser, ".chart")[0]
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", chart)
    over, study, seen = chart.find_element("css selector", ".u-over"), fabric.design("colossus-100k"), set[str]()
    width = over.size["width"]
    for share in (0.02, 0.3, 0.5, 0.98):
        ActionChains(browser).move_to_element_with_offset(over, int(width * (share - 0.5)), 0).perform()
        names = [each.text for each in chart.find_elements("css selector", ".u-label")]
        names = [name for name in names if name.strip(": ") in ("adaptive", "ecmp")]
        size, *values = (each.text for each in chart.find_elements("css selector", ".u-value"))
        for name, value in zip(names, values, strict=True):
            busbw = study.allreduce(parse_size(size), routing=name.strip(": ")).busbw_GBps
            assert value == f"{busbw:.1f} GB/s"
        seen.add(size)
    assert len(seen) >= 3


def test_the_keyboard_stays_where_it_opens(browser: Any, pages: dict[str, Path]) -> None:
    """After Enter on what opens, the focus is on where one now is, and a screen reader is given the view alone."""
    from selenium.webdriver.common.keys import Keys

    opened(browser, pages["colossus-100k"])
    for title in ("pod 0", "unit 0 of pod 0"):
        buttons = [each for each in all_of(browser, ".shown tbody tr:last-child button, .inside button") if each.text]
        buttons[0].send_keys(Keys.ENTER)
        assert browser.switch_to.active_element.get_attribute("aria-current") == "location"
        assert all_of(browser, ".where")[0].text.startswith(f"colossus-100k, {title};")


def test_the_last_pod_is_shown_where_it_is_filled_in_part(browser: Any, pages: dict[str, Path]) -> None:
    """Next to the first pod a reader opens the last one, whose last unit has fewer servers."""
    opened(browser, pages["colossus-100k"])
    for word, title in (("last pod", "pod 48"), ("last unit", "unit 3 of pod 48")):
        (button,) = (each for each in all_of(browser, ".inside button") if word in each.text)
        click(browser, button)
        assert title in all_of(browser, ".where")[0].text
    click(browser, all_of(browser, ".shown tfoot button")[0])
    assert sum(row.text.startswith("server") for row in all_of(browser, ".shown tbody tr")) == 20


def test_a_hostile_name_stays_text(browser: Any, pages: dict[str, Path]) -> None:
    """A title with markup, quotes and letters from right to left is shown as it is, and runs nothing."""
    opened(browser, pages["hostile"])
    texts = [each.get_property("textContent") for each in all_of(browser, ".title bdi, li bdi")]
    assert texts.count(HOSTILE) == 3
    assert all_of(browser, "footer code bdi")[0].get_property("textContent") == MARKS
    assert complaints(browser) == []


def test_a_page_reads_without_scripts_and_in_the_dark(browser: Any, pages: dict[str, Path]) -> None:
    """Without JavaScript words, tables and both pictures are shown, and no button; the button turns a page dark."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(pages["small"].as_uri())
    shown = [each for each in all_of(browser, "img.drawing, caption, button, .explorer") if each.is_displayed()]
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert sum(each.tag_name == "img" for each in shown) == 2
    assert {each.tag_name for each in shown} == {"img", "caption"}
    opened(browser, pages["small"])
    colours = []
    for _ in range(2):
        click(browser, all_of(browser, "#theme")[0])
        colours.append(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert {*colours} == {"rgb(22, 27, 32)", "rgb(255, 255, 255)"}
    assert complaints(browser) == []


@pytest.mark.parametrize(
    "words",
    [
        {"gpus": 17_408, "family": "rail-optimized", "unit_gpus": 512, "tiers": 3},
        {"gpus": 66_560, "family": "rail-optimized", "unit_gpus": 512, "tiers": 3},
        {"gpus": 1_000, "family": "fat-tree"},
        {"gpus": 1_000, "family": "rail-optimized", "unit_gpus": 256, "tiers": 3},
        {"gpus": 100_000},
        {"gpus": 8},
        {"gpus": 4_096, "family": "dragonfly"},
        {"gpus": 4_096, "family": "hpn", "planes": 2},
    ],
)
def test_all_that_can_be_opened_is_there(words: dict[str, Any]) -> None:
    """Every node that opens, and every view above, is one of the page's; and the switches opened have its ports."""
    study = fabric.design(name="it", server="hgx-h100", switches="sn5600", **words)
    views = drill(study)
    links = dict[str, int]()
    for end in (study.network.lower, study.network.upper):
        for row, number in zip(*np.unique(end, return_counts=True), strict=True):
            name = study.network.name(int(row))
            links[name] = links.get(name, 0) + int(number)
    for key, view in views.items():
        assert view["above"] in views or key == "fabric"
        for name, role, multiplicity, _, _, _, opens, _ in view.get("nodes", ()):
            assert opens == "" or opens in views
            if opens.startswith("switch:") and multiplicity == 1 and role != "server":
                assert len(views[opens]["ports"]) == links[name], (key, name)


def test_the_libraries_are_those_published() -> None:
    """Each library inside a report is, to the byte, the file of its npm package that the list names."""
    folder = files("fabric.report.page").joinpath("assets", "vendor")
    listed = json.loads(folder.joinpath("versions.json").read_text())
    assert {*listed} == {each.name for each in folder.iterdir() if each.name.endswith((".js", ".css"))}
    for name, row in listed.items():
        assert hashlib.sha256(folder.joinpath(name).read_bytes()).hexdigest() == row["sha256"]


def test_the_same_design_gives_the_same_page(pages: dict[str, Path]) -> None:
    """A page is the same to the byte on every run."""
    small = fabric.design(name="small", gpus=64, server="hgx-h100", switches="sn5600", title=HOSTILE)
    assert page([small], "fabric report small.yaml") == pages["small"].read_text(encoding="utf-8")


def test_the_command_writes_a_page_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fabric report` writes one file named after the design, or by -o; a wrong name is refused and nothing made."""
    from click.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    request = json.dumps({"name": "tiny", "gpus": 16, "server": "hgx-h100", "switches": "qm9700"})
    Path("tiny.json").write_text(request)
    assert CliRunner().invoke(cli, ["report", "tiny.json", "--no-front"]).exit_code == 0
    assert {each.name for each in tmp_path.iterdir()} == {"tiny.json", "tiny.html"}
    with pytest.raises(fabric.InputError, match=r"must end in \.html"):
        CliRunner().invoke(cli, ["report", "tiny.json", "-o", "x.pdf"], standalone_mode=False, catch_exceptions=False)
    assert len([*tmp_path.iterdir()]) == 2


def test_a_rack_opens_into_devices_ports_and_their_far_ends(browser: Any, tmp_path: Path) -> None:
    """Every rack opens; a device has as many ports as cables, and the far end's ports lead back."""
    study = fabric.design("superpod-h100-1su", site={"group_racks": 4})
    write_page([study], tmp_path / "floor.html", front=False)
    opened(browser, tmp_path / "floor.html")
    racks = all_of(browser, ".plan rect")
    assert len(racks) == study.layout.racks
    network = study.layout.network
    ends = np.bincount(np.concatenate([network.lower, network.upper]), minlength=network.devices)
    for rack in (0, len(racks) - 1):
        click(browser, racks[rack])
        inside = all_of(browser, ".inside-rack tbody tr")
        assert len(inside) == int((study.layout.device_rack == rack).sum())
        shown = sorted(int(row.find_elements("css selector", "td")[3].text) for row in inside)
        assert shown == sorted(ends[study.layout.device_rack == rack].tolist())
    click(browser, racks[0])
    click(browser, all_of(browser, ".inside-rack button")[0])
    first = all_of(browser, ".trail button")[1].text
    port = all_of(browser, ".inside-rack tbody tr td")[0].text
    far = [cell.text for cell in all_of(browser, ".inside-rack tbody tr:first-child td")][1:5]
    click(browser, all_of(browser, ".inside-rack button")[0])
    assert all_of(browser, ".trail button")[1].text == far[0]
    back = [
        [cell.text for cell in row.find_elements("css selector", "td")]
        for row in all_of(browser, ".inside-rack tbody tr")
    ]
    assert [(row[1], row[3]) for row in back if row[0] == far[2]] == [(first, port)]
    assert complaints(browser) == []


def test_a_page_without_a_site_has_no_floor(pages: dict[str, Path]) -> None:
    """A request without a site has no section on it; Colossus has the plan, and too many cables to list."""
    texts = {name: pages[name].read_text(encoding="utf-8") for name in SIZES}
    assert "<h3>The floor</h3>" not in texts["small"]
    assert "<h3>The floor</h3>" in texts["colossus-100k"]
    assert "cables are more than the 20,000 that a page lists" in texts["colossus-100k"]
    assert "The plan is that of hall A" in texts["colossus-1m"]
