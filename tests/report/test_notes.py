"""The notes on a design."""

from __future__ import annotations

from typing import Any

import pytest

import fabric
from fabric.report.describe import describe_json
from fabric.report.notes import list_notes

GAUDI: dict[str, Any] = {"gpus": 512, "server": "gaudi3", "rails": 3, "family": "rail-only", "switches": "sn5600"}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            {},
            "leaf-spine links are at their limit: limits.parallel_links = 16 native ports per pair, 64 links of 200G.",
        ),
        ({"limits": {"parallel_links": 17}}, None),
        (
            {"gpus": 1024, "server": "hgx-h100", "rails": 8, "switches": "qm9700", "limits": {"parallel_links": 2}},
            "The leaf-spine links are at their limit: limits.parallel_links = 2 per pair.",
        ),
    ],
)
def test_a_pair_at_its_limit_is_told_in_native_ports(words: dict[str, Any], text: str | None) -> None:
    """Where links are split, the note has the ports, which are limited, and the links."""
    notes = [note for note in list_notes(fabric.design({**GAUDI, **words})) if "parallel_links" in note]
    assert [text in note for note in notes if text] == ([True] if text else [])
    assert bool(notes) == bool(text)


def test_a_bundle_without_links_is_at_no_limit() -> None:
    """A HyperX axis of one switch has no links, so it has no parallel ones either."""
    words = {"gpus": 64, "server": {"name": "box", "gpus": 1, "nics": 1, "nic_gbps": 100}, "family": "hyperx"}
    words |= {"switches": {"name": "r", "ports": 32, "rate_gbps": 100, "price_usd": 1}, "link_price_usd": 1}
    study = fabric.design(words | {"pinned": {"x": 1, "y": 1}})
    assert [describe_json(study)["copies"][name] for name in ("leaf-x", "leaf-y")] == [0, 0]
    assert not [note for note in list_notes(study) if "parallel_links" in note]
