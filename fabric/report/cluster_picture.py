"""The picture of a cluster: its kinds of endpoints, its fabrics, and the links between them."""

from __future__ import annotations

from typing import Any

from fabric import units
from fabric.draw.cluster import Bar, draw_cluster
from fabric.report.text import name_fabric, name_switches
from fabric.studies.multi_fabric import Attached, Cluster

__all__ = ["cluster_picture", "list_bars", "list_cards"]


def cluster_picture(cluster: Cluster, page: str = "") -> Any:
    """Draw a cluster, the kinds of endpoints below and the fabrics above; on a page of a shape or none."""
    switches = sum(study.blueprint.switches for study in cluster.fabrics.values())
    links = sum(study.blueprint.links_total for study in cluster.fabrics.values())
    size = [units.count_noun(switches, "switch", "switches"), units.count_noun(links, "link")]
    text = f"{units.count_noun(len(cluster.fabrics), 'fabric')} · {' · '.join(size)}"
    cost = cluster.totals["cost_usd"]
    text += "" if cost is None else f" · {units.money(cost, cluster.spec.currency)}"
    return draw_cluster(cluster.spec.name, text, list_cards(cluster), list_bars(cluster), page)


def list_cards(cluster: Cluster) -> dict[str, list[str]]:
    """Return the kinds of endpoints that any fabric joins, by key: the name, the number, and the GPUs of each."""
    cards: dict[str, list[str]] = {}
    for name in cluster.fabrics:
        for each in cluster.attached(name):
            words = cards.setdefault(_key(each), [each.endpoint, f"× {units.count(each.count)}"])
            if each.gpus and len(words) == 2:
                words.append(f"{units.count_noun(each.gpus, 'GPU')} each")
    return cards


def list_bars(cluster: Cluster) -> list[Bar]:
    """Return the fabrics, each with its links to the endpoints that it joins."""
    return [
        Bar(
            name,
            (name_fabric(study.blueprint), name_switches(study.blueprint)),
            {_key(each): _describe_links(each) for each in cluster.attached(name)},
        )
        for name, study in cluster.fabrics.items()
    ]


def _key(attached: Attached) -> str:
    """Return what tells kinds of endpoints apart: equal servers of two requests are the same if as many."""
    return f"{attached.endpoint} {attached.count}"


def _describe_links(attached: Attached) -> tuple[str, str]:
    return units.count_noun(attached.links, "link"), f"{attached.nics} × {units.rate(attached.nic_gbps)}"
