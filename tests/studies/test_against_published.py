"""No published design is cheaper than the fabric that the optimizer finds for the same cluster."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.published import freed, shipped, table, worth
from fabric.request import topologies

PAGE = Path(__file__).parents[2] / "docs" / "published.md"


def test_no_published_design_is_cheaper() -> None:
    """With unit, family, tiers and pinned sizes free, the proven optimum costs no more than what was published.

    Where a part has no price, it has no more switches, and no more links if it has as many switches.
    """
    for name in topologies():
        published, ours = shipped(name), freed(name)
        assert ours.proof.status == published.proof.status == "OPTIMAL", name
        assert worth(ours) <= worth(published), name


def test_the_freed_cluster_is_the_same_cluster() -> None:
    """Freeing a design leaves its GPUs, server, switches, ratios, rails, planes and link prices as they were."""
    for name in topologies():
        before, after = shipped(name).spec, freed(name).spec
        for kept in ("gpus", "server", "switches", "oversubscription", "rails", "planes", "link_price_usd"):
            assert getattr(before, kept) == getattr(after, kept), (name, kept)
        assert (after.unit_gpus, dict(after.pinned), after.tiers) == (None, {}, (1, 2, 3, 4))
        assert ("rail-only" in before.families) == ("rail-only" in after.families)


def test_what_the_page_explains_of_colossus_and_meta() -> None:
    """Colossus' cores fill 125 of 128 ports and not 98; Meta's spines are 6.44:1 and not 6.86:1."""
    colossus, meta = "colossus-100k", "meta-llama3-24k"
    assert [study.blueprint.ports_down("core") for study in (shipped(colossus), freed(colossus))] == [98, 125]
    ratios = [study.blueprint.oversubscription("spine") for study in (shipped(meta), freed(meta))]
    assert [f"{float(ratio or 0):.2f}" for ratio in ratios] == ["6.86", "6.44"]
    sizes = freed(meta).blueprint.sizes
    assert sizes["block"] * sizes["slot"] * 8 == 992


def test_the_page_has_the_table_that_the_code_prints() -> None:
    """The table of docs/published.md is the one that benchmarks/published.py prints, to the letter."""
    assert re.findall(r"(?:^\|.*\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == [table() + "\n"]
