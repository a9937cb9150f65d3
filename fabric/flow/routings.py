"""The routings: how flows take paths, and what each leaves of line rate in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from fabric.catalog import Delivery, Transport
from fabric.errors import InputError, is_whole
from fabric.flow.ecmp_model import mean_hashed_share, slowest_hashed_share
from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.hashing import Keys, flow_keys
from fabric.flow.steps import Step
from fabric.flow.subflows import Subflows
from fabric.flow.transports import TRANSPORTS, USUAL
from fabric.frozen import as_integers
from fabric.registry import Registry

if TYPE_CHECKING:
    from fabric.blueprint import Blueprint
    from fabric.flow.layer import Ends
    from fabric.flow.phase import Phase

__all__ = ["ADAPTIVE", "ROUTINGS", "Routing", "RoutingPolicy", "closed_form_routings"]

HashKeys = Callable[[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], int], Keys]
"""Returns the hash key of each sub-flow, from its source NIC, its target NIC, its queue pair and the seed."""


@dataclass(frozen=True)
class RoutingPolicy:
    """A way to choose paths."""

    name: str
    """The word by which it is asked for."""
    label: str
    """Its name for people, such as `ECMP`."""
    description: str
    """How it takes paths, in a few words."""
    paths: str = "minimal"
    """The kind of paths: one of the topology's `virtual_channels`, `minimal` or `valiant` (by an intermediate switch).

    Topologies without this kind of path are refused.
    """
    sprays: bool = False
    """Whether packets spread over all paths by load, those by an intermediate switch included where these help.

    Otherwise every sub-flow (queue pair) keeps to one path, and a flow ends with its slowest sub-flow.
    """
    hash_keys: HashKeys = flow_keys
    """Returns the keys whose hashes choose the path of each sub-flow."""
    digits_of: Callable[[Ends, Ends], Ends] | None = None
    """Returns the end of a path, of the source and the target, whose number chooses the path through a Clos.

    The number is read digit by digit going up, as in destination-mod-k. None: hashes choose there too.
    """
    slowest_share: Callable[[FabricSummary, Step, Subflows], float] | None = None
    """Returns, in closed form, the share of line rate that collisions leave to the slowest NIC.

    It is given the fabric, a step of a collective, and what each NIC sends at the same time. It must not fall where the
    fabric gets better (see `FabricSummary`). None: no closed form.
    """
    mean_share: Callable[[FabricSummary, Step, Subflows], float] | None = None
    """Returns the same on average; None: where all links of a tier are shared evenly."""

    choose_paths: Callable[[Blueprint, Phase, Routing, npt.NDArray[Any] | None], npt.ArrayLike] | None = None
    """Returns the links of every path, as rows in the network, shape (flows * queue pairs, hops), padded with -1.

    It is given the fabric, the flows as they leave their servers, the routing with its queue pairs and seed, and which
    links are up, shape (links,), or None for all. Rows n * i to n * i + n - 1 are the n queue pairs of flow i; a row of
    -1 alone is no path. Paths are checked as those of `fabric.flow.route_by_paths`. None: hashes or digits choose.
    """

    link_layers: tuple[str, ...] = ("ethernet", "infiniband")
    """The link layers whose switches are run with it: reports show it on fabrics of these."""

    def __post_init__(self) -> None:
        """Raise InputError for packets on several paths where each queue pair is to keep to the one chosen."""
        if self.sprays and self.choose_paths:
            raise InputError(f"routing {self.name}: choose_paths gives a queue pair one path; leave sprays False")

    @property
    def closed_form(self) -> bool:
        """Whether estimates in closed form know it."""
        return self.slowest_share is not None

    def transport_share(self) -> float:
        """Return the share of line rate that the usual transport makes use of, the only one that closed forms know."""
        delivery = TRANSPORTS[USUAL].delivery(sprays=self.sprays, queue_pairs=1)
        assert delivery is not None
        return delivery.share


def _hash_target(_: npt.NDArray[Any], target: npt.NDArray[Any], queue_pair: npt.NDArray[Any], seed: int) -> Keys:
    return flow_keys(0 * target, target, queue_pair, seed)


BUILTIN = (
    RoutingPolicy(
        "adaptive",
        "adaptive",
        "each packet takes the least loaded path",
        sprays=True,
        slowest_share=lambda summary, step, sent: 1.0,
    ),
    RoutingPolicy(
        "ecmp",
        "ECMP",
        "a hash of each queue pair chooses among equal-cost paths",
        slowest_share=slowest_hashed_share,
        mean_share=mean_hashed_share,
        link_layers=("ethernet",),
    ),
    RoutingPolicy(
        "dmodk",
        "destination-mod-k",
        "the target and the number of the queue pair choose the path, as with LMC above 0",
        hash_keys=_hash_target,
        digits_of=lambda source, target: target,
        link_layers=("infiniband",),
    ),
    RoutingPolicy(
        "valiant",
        "Valiant",
        "by a random intermediate switch, on direct networks",
        paths="valiant",
        link_layers=(),
    ),
)

ROUTINGS = Registry("routing", "routings", RoutingPolicy, lambda: BUILTIN)
"""The routings by name; another package adds one under the entry-point group `fabric.routings`."""


def closed_form_routings() -> tuple[str, ...]:
    """Return the names of the routings that estimates in closed form know."""
    return tuple(name for name, policy in ROUTINGS.items() if policy.closed_form)


@dataclass(frozen=True)
class Routing:
    """How explicit flows take paths.

    ECMP deals the sub-flows of a flow over the planes in turn, and sends each where a hash of its flow's ends, its
    number and `seed` says, evenly at every hop over the links that are up and lead to the target. Destination-mod-k is
    that of InfiniBand's fat trees (E. Zahavi 2012, doi 10.1016/j.jpdc.2011.12.006), each sub-flow with a number of its
    own. Adaptive routing sprays over all links in proportion to what is up, whatever the queue pairs.

    Raises InputError for an unknown name, without queue pairs, for a negative seed, and for packets on several paths
    where nothing is known of how the transport takes them.
    """

    name: str = "adaptive"
    """The name of a routing, one of ROUTINGS."""
    qps: int = 1
    """The queue pairs of a flow."""
    seed: int = 0
    """The seed of the hashes."""
    pxn: bool = False
    """Whether a flow crosses to its target's rail by NVLink before it leaves; where rails never meet it always does."""
    transport: str = USUAL
    """The name of the transport, one of TRANSPORTS."""

    def __post_init__(self) -> None:
        """Raise InputError as the class says."""
        # Built-in names need no other packages, which may be importing this module just now.
        if self.name not in (policy.name for policy in BUILTIN):
            ROUTINGS.get_record(self.name)
        if not is_whole(self.qps, 1):
            raise InputError(f"{self.qps!r:.40} queue pairs carry nothing; take 1 or more")
        if not is_whole(self.seed, 0):
            raise InputError(f"seed {self.seed!r:.40}: not a whole number from 0")
        as_integers(self, "qps", "seed")
        if self.transport != USUAL and self._delivery is None:
            able = ", ".join(name for name, each in TRANSPORTS.items() if each.sprayed)
            raise InputError(
                f"transport '{self.transport}' was not measured with packets on several paths, as {self.policy.label}"
                " routing sends them; take a routing that keeps each queue pair to one path, such as ecmp, or one of:"
                f" {able}"
            )

    @property
    def policy(self) -> RoutingPolicy:
        """The record of its name."""
        return ROUTINGS[self.name]

    @property
    def protocol(self) -> Transport:
        """The record of its transport."""
        return TRANSPORTS.get_record(self.transport)

    @property
    def delivery(self) -> Delivery:
        """What the transport delivers with it."""
        assert self._delivery is not None  # others are refused
        return self._delivery

    @property
    def _delivery(self) -> Delivery | None:
        return self.protocol.delivery(sprays=self.policy.sprays, queue_pairs=self.qps)

    def over(self, planes: int) -> Routing:
        """Return the routing with at least one queue pair of each flow in each of `planes` planes."""
        return replace(self, qps=max(self.qps, planes))


ADAPTIVE = Routing()
