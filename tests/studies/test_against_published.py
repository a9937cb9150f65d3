"""No published design is cheaper than the fabric that the optimizer finds for the same cluster."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fabric
from benchmarks.published import freed, table, worth
from fabric.request import topologies

PAGE = Path(__file__).parents[2] / "docs" / "published.md"


@pytest.mark.parametrize("name", sorted(topologies()))
def test_no_published_design_is_cheaper(name: str) -> None:
    """With unit, family, tiers and pinned sizes free, the proven optimum costs no more than what was published.

    Where a part has no price, it has no more switches, and no more links if it has as many switches.
    """
    published = fabric.design(name)
    ours = freed(published)
    assert ours.proof.status == published.proof.status == "OPTIMAL"
    assert worth(ours) <= worth(published)


def test_the_freed_cluster_is_the_same_cluster() -> None:
    """Freeing a design leaves its GPUs, server, switches, ratios, rails, planes and link prices as they were."""
    for name in topologies():
        published = fabric.design(name)
        before, after = published.spec, freed(published).spec
        for kept in ("gpus", "server", "switches", "oversubscription", "rails", "planes", "link_price_usd"):
            assert getattr(before, kept) == getattr(after, kept), (name, kept)
        assert (after.unit_gpus, dict(after.pinned), after.tiers) == (None, {}, (1, 2, 3, 4))
        assert ("rail-only" in before.families) == ("rail-only" in after.families)


def test_what_the_page_explains_of_colossus_and_meta() -> None:
    """Colossus' cores fill 125 of 128 ports and not 98; Meta's spines come to 6.44 to 1 and not 6.86."""
    colossus, meta = fabric.design("colossus-100k"), fabric.design("meta-llama3-24k")
    assert [study.blueprint.ports_down("core") for study in (colossus, freed(colossus))] == [98, 125]
    ratios = [study.blueprint.oversubscription("spine") for study in (meta, freed(meta))]
    assert [f"{float(ratio or 0):.2f}" for ratio in ratios] == ["6.86", "6.44"]
    sizes = freed(meta).blueprint.sizes
    assert sizes["block"] * sizes["slot"] * 8 == 992


def test_the_page_has_the_table_that_the_code_prints() -> None:
    """The table of docs/published.md is the one that benchmarks/published.py prints, to the letter."""
    assert re.findall(r"(?:^\|.*\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == [table() + "\n"]
