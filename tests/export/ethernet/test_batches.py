"""Files are the same however many switches are written at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest

import fabric
from fabric.export.ethernet import batches
from fabric.export.ethernet.cumulus import write_cumulus
from fabric.export.ethernet.ethernet_plan import EthernetPlan
from fabric.export.ethernet.frr import write_frr
from fabric.export.ethernet.sonic import write_sonic
from tests.export.ethernet.fabrics import draw_request

Write = Callable[[EthernetPlan], Iterator[tuple[str, Iterator[str]]]]


@pytest.mark.parametrize("write", [write_frr, write_cumulus, write_sonic])
def test_files_are_the_same_in_small_batches(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five switches at a time as of all, whether each file is read when it comes or all names come first."""
    plan = EthernetPlan(fabric.design(draw_request(Random(5), "cumulus", 5)).plan)
    whole = {name: "".join(text) for name, text in write(plan)}
    monkeypatch.setattr(batches, "SWITCHES", 5)
    assert {name: "".join(text) for name, text in write(plan)} == whole
    later = list(write(plan))
    assert {name: "".join(text) for name, text in reversed(later)} == whole
