"""The documentation as a site: it builds strictly, and every link in it leads somewhere."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import fabric

ROOT = Path(__file__).parents[1]


class Page(HTMLParser):
    """What a page links to, and the anchors that it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Note the links and the anchor of an element."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.targets.append(value)
            elif name == "id" and value:
                self.anchors.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `make docs` does, without a network and with warnings as errors."""
    out = tmp_path_factory.mktemp("site")
    words = ("-b", "html", "-W", "--keep-going", "-q", "-d", out / "doctrees", "-c", ROOT / "docs", ROOT, out / "site")
    command = [sys.executable, "-m", "sphinx", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"a page of its own needs its line in docs/index.md\n{done.stderr}"
    return out / "site"


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    """A link within the site leads to a page, file and anchor that exist; a page loads nothing from elsewhere."""
    pages = {path: Page(path) for path in site.rglob("*.html")}
    assert len(pages) > 30
    wrong = []
    for path, page in pages.items():
        for target in page.targets:
            link = urlsplit(target)
            if link.scheme in ("http", "https", "mailto", "data"):
                continue
            file = (path.parent / unquote(link.path)).resolve() if link.path else path
            if not file.exists() or (link.fragment and file in pages and link.fragment not in pages[file].anchors):
                wrong.append(f"{path.relative_to(site)}: {target}")
    assert not wrong


def test_the_site_has_every_public_name_and_command(site: Path) -> None:
    """The reference has an entry for each public name of `fabric` and `fabric.flow`, and for each command."""
    from fabric.cli.commands import COMMANDS

    anchors = {anchor for path in site.glob("docs/reference/python/*.html") for anchor in Page(path).anchors}
    documented = {anchor.rpartition(".")[2] for anchor in anchors if anchor.startswith("fabric.")}
    assert {name for name in fabric.__all__ if name != "__version__"} <= documented
    assert not {*fabric.flow.__all__} - documented
    assert "{names}" not in (site / "docs/reference/command-line.html").read_text(encoding="utf-8")
    commands = Page(site / "docs/reference/command-line.html").anchors
    assert {f"fabric-{command.name}" for command in COMMANDS} <= commands
