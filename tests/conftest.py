"""What tests of several files are given."""

from __future__ import annotations

import gc
import sys

import pytest
from hypothesis import HealthCheck, settings

from fabric.cli.main import main
from tests.pythons import RELEASES, find_python
from tests.request_fixtures import Run

# A loaded machine fails no test: Hypothesis would measure how long an example takes to draw and to run.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Modules and tests live until the end, so searching them for garbage while they are imported finds none.
gc.disable()


LONGEST = (
    "test_site.py", "test_opensm.py", "test_slurm.py", "test_bed.py", "test_pareto_search.py", "test_installation.py",
    "test_engines.py", "test_extending.py", "test_failures_never_help.py", "test_fuzz.py", "test_page.py",
    "test_notebooks.py", "test_pages.py",
)  # fmt: skip
"""The files whose tests take longest, to start with: the last file to end decides when all workers do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


def pytest_collection_finish() -> None:
    """Collect garbage from here on, among what the tests make."""
    gc.freeze()
    gc.enable()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `fabric` in this process, 80 columns wide; give its exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fabric", *map(str, words)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return int(exit_.value.code or 0), captured.out, captured.err

    return run


def pytest_report_header() -> str:
    """Name the releases of Python that are not here, on which nothing is tried."""
    missing = [release for release in RELEASES if not find_python(release)]
    return f"not installed, so not tried: Python {', '.join(missing)}" if missing else ""
