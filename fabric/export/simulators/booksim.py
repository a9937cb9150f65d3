"""The network file of BookSim 2 (github.com/booksim/booksim2, `src/networks/anynet.cpp`): routers, nodes and channels.

A node is a port of a NIC and a router is a switch, both numbered from 0; a line has a router and all that it is joined
to. BookSim knows one channel between two routers and one speed for all. A file is of routers that are all joined, so
there is one for each plane, and for each rail that meets no other. Every channel takes one cycle.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from fabric.errors import InputError
from fabric.export.file_format import Witness
from fabric.export.link_layer import refuse_relays
from fabric.export.plan import Plan, PlanFormat
from fabric.export.simulators.link_columns import LinkColumns, link_columns
from fabric.network.connected_parts import label_parts

__all__ = ["BOOKSIM"]

Rows = npt.NDArray[np.int64]


def _check(plan: Plan) -> None:
    """Raise InputError for a fabric with links of several rates, parallel links, or servers that pass traffic on."""
    blueprint = plan.blueprint
    rates = sorted(set(blueprint.bundle_rates.values()))
    if len(rates) > 1:
        found = ", ".join(map(str, rates))
        raise InputError(f"{blueprint.name}: all channels of BookSim are equally fast, and links have {found} Gb/s")
    if blueprint.parallel_links > 1:
        raise InputError(
            f"{blueprint.name}: BookSim has one channel between two routers, and two switches have "
            f"{blueprint.parallel_links} links; write limits: {{parallel_links: 1}}"
        )
    refuse_relays(blueprint, "BookSim has not")


def _list_files(plan: Plan) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield the name and the text of a file for each set of switches that are joined."""
    links, servers = link_columns(plan), plan.network.server_count
    links = links.between(links.lower - servers, links.upper - servers)
    part = label_parts(plan.network, servers, plan.blueprint.switches)
    total = int(part.max(initial=0)) + 1
    for number in range(total):
        yield "fabric.anynet" if total == 1 else f"fabric-{number}.anynet", _write_part(links, part, number)


def _write_part(links: LinkColumns, part: Rows, label: int) -> Iterator[str]:
    """Yield the lines of the switches of one part: the nodes of each, in the order of the NICs, then its routers."""
    rows = np.flatnonzero(part == label)
    router = np.full(len(part), -1)
    router[rows] = np.arange(len(rows))
    here = part[links.upper] == label
    nodes, channels = here & (links.lower < 0), here & (links.lower >= 0)
    # The NICs of a server come in the order of their ports, and servers in theirs.
    at = router[links.upper[nodes]][np.lexsort((links.lower_port[nodes], links.lower[nodes]))]
    ends = np.concatenate([at, router[links.lower[channels]]])
    texts = [f" node {node}" for node in range(len(at))]
    texts += [f" router {each}" for each in router[links.upper[channels]].tolist()]
    order = np.argsort(ends, kind="stable").tolist()
    bounds = np.searchsorted(np.sort(ends), np.arange(len(rows) + 1)).tolist()
    for number in range(len(rows)):
        cells = [texts[each] for each in order[bounds[number] : bounds[number + 1]]]
        if cells:
            yield f"router {number}{''.join(cells)}\n"


BOOKSIM = PlanFormat(
    "booksim",
    (),
    "BookSim 2 (anynet)",
    "ports of NICs, switches, links",
    _list_files,
    _check,
    witness=Witness("grammar", "AnyNet::readFile of BookSim 2"),
)
"""The format of BookSim."""
