"""Print the table of docs/published.md: each shipped design and the optimum with its particulars left free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

import fabric
from fabric import Study
from fabric.blueprint.prices import prices_of
from fabric.request import topologies
from fabric.topology.topology import Bundle

GIB = 2**30
HEAD = (
    "design",
    "published: switches / links / cost",
    "fibres / module pairs by bundle",
    "ours: switches / links / cost",
    "saved",
    "what changed",
    "all-reduce, adaptive",
    "all-reduce, ecmp",
    "max hops",
)


@cache
def shipped(name: str) -> Study:
    """Return a shipped design."""
    return fabric.design(name)


@cache
def freed(name: str) -> Study:
    """Return the best fabric for the same GPUs, parts, ratios, rails and planes, with unit, tiers and family free.

    A rail-only design stays rail-only: a fabric whose rails meet provides more. Where a part has no price, switches
    and then links are minimised, as `fabric.design` does.
    """
    published = shipped(name)
    rail_only = published.spec.families == ("rail-only",)
    return fabric.optimize(
        published.spec.name,
        "cost" if priced(published) else "switches,links",
        family="rail-only" if rail_only else "clos",
        tiers="any",
        unit_gpus=None,
        pinned={},
        expected={},
    )


def priced(study: Study) -> bool:
    """Return whether every part has a price."""
    return study.bill.cost_usd() is not None


def worth(study: Study) -> tuple[float, ...]:
    """Return what is compared: the cost of a fabric, or its switches and then its links."""
    cost = study.bill.cost_usd()
    return (study.blueprint.switches, study.blueprint.links_total) if cost is None else (cost,)


def table() -> str:
    """Return the table in Markdown, one row for each shipped design."""
    rows = [HEAD, ("---",) * len(HEAD), *(row(name) for name in sorted(topologies()))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def row(name: str) -> tuple[str, ...]:
    """Return the cells of one design."""
    published, ours = shipped(name), freed(name)
    mark = "" if states_total(published) else " (sized)"
    times = [slower(published, ours, routing) for routing in ("adaptive", "ecmp")]
    hops = " to ".join(dict.fromkeys(str(study.hops.max) for study in (published, ours)))
    return (
        name,
        size(published) + mark,
        cables(published),
        size(ours),
        saved(published, ours),
        changed(published, ours),
        *times,
        hops,
    )


def states_total(study: Study) -> bool:
    """Return whether the published numbers give the total of switches, and not only some tiers."""
    expected = study.spec.expected
    return "switches.total" in expected or all(role in expected for role in study.blueprint.topology.roles)


def size(study: Study) -> str:
    """Return the switches, links and cost of a fabric."""
    cost = f"${study.bill.cost_usd():,.0f}" if priced(study) else "no price"
    return f"{study.blueprint.switches:,} / {study.blueprint.links_total:,} / {cost}"


def cables(study: Study) -> str:
    """Return the fibres of each bundle and the modules at the end of it that has more."""
    fibres = Counter[str]()
    for row in study.bill.of("fibre"):  # a row for each length, where the request has a site
        fibres[row.used_for] += row.quantity
    links = {bundle.name: bundle for bundle in study.blueprint.topology.bundles}
    pairs = {name: module_pairs(study, links[name]) for name in fibres}
    return "; ".join(f"{name} {count:,} / {pairs[name]:,}" for name, count in fibres.items())


def module_pairs(study: Study, bundle: Bundle) -> int:
    """Return the modules of a bundle at the end that has more: single-port NICs, or twin-port cages at both ends."""
    ends = prices_of(study.spec, study.blueprint).ends[bundle.name]
    return max(-(-study.blueprint.links(bundle) // end.links) for end in ends if end)


def saved(published: Study, ours: Study) -> str:
    """Return what ours saves of the cost, or else of the switches, in per cent."""
    before, after = worth(published)[0], worth(ours)[0]
    what = "" if priced(published) else " of the switches"
    return f"{100 * (before - after) / before:.2f} %{what}" if after != before else "0"


def changed(published: Study, ours: Study) -> str:
    """Return in a few words how ours differs in family, tiers and sizes."""
    return "; ".join(changes(published, ours)) or "nothing"


def changes(published: Study, ours: Study) -> Iterator[str]:
    """Yield each difference: the family, the tiers, and the servers, places and switches that are counted apart."""
    pairs = [(study.blueprint.topology.family, study.blueprint.tiers) for study in (published, ours)]
    if pairs[0][0] != pairs[1][0]:
        yield f"{pairs[0][0]} to {pairs[1][0]}"
    if pairs[0][1] != pairs[1][1]:
        yield f"{pairs[0][1]} to {pairs[1][1]} tiers"
    before, after = counts(published), counts(ours)
    for word in before:
        if word in after and before[word] != after[word]:
            yield f"{word} {before[word]:,} to {after[word]:,}"


def counts(study: Study) -> dict[str, int]:
    """Return the sizes that the table shows, by their labels."""
    blueprint, sizes = study.blueprint, study.blueprint.sizes
    places = {"servers per leaf": sizes["slot"], "pods": sizes.get("pods", 0)}
    return places | {role: blueprint.devices(role) for role in blueprint.topology.roles}


def slower(published: Study, ours: Study, routing: str) -> str:
    """Return by how much all-reduce of 1 GiB takes longer on ours, in per cent."""
    change = ours.allreduce(GIB, routing).time_s / published.allreduce(GIB, routing).time_s - 1
    return f"{100 * change:+.1f} %" if abs(change) >= 0.0005 else "0"


if __name__ == "__main__":
    print(table())
