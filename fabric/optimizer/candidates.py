"""The candidates of a request: each form of an allowed family on each allowed number of planes, or why it is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fabric.blueprint.prices import Prices, unknown
from fabric.catalog import Switch
from fabric.errors import InputError, nearest
from fabric.request import Spec
from fabric.topology.families import family
from fabric.topology.topology import PLANE, Topology

__all__ = ["Candidate", "Rejected", "candidates", "lane_sizes"]


@dataclass(frozen=True)
class Candidate:
    """One form on one number of planes, with the switch models that have ports at its rate in each role."""

    spec: Spec
    topology: Topology
    planes: int
    models: dict[str, tuple[Switch, ...]]
    prices: Prices

    @property
    def link_gbps(self) -> int:
        return self.prices.link_gbps

    def unknown(self, fact: str) -> tuple[str, ...]:
        """Return the parts of which `fact` (price, power or height) is not known; see `candidates`."""
        models = [model for allowed in self.models.values() for model in allowed]
        return unknown(self.prices, fact, models, (bundle.name for bundle in self.topology.bundles))

    def radix(self, role: str) -> tuple[int, ...]:
        """Return the ports of each model allowed for `role`, at this candidate's rate."""
        return tuple(model.radix(self.link_gbps) for model in self.models[role])

    def mixes(self, role: str) -> bool:
        """Return whether `role` may have several models: where there are several, and one of limited stock."""
        models = self.models[role]
        return len(models) > 1 and any(model.name in self.spec.available for model in models)

    def __str__(self) -> str:
        meets = (
            f", rails meeting at the {self.topology.rails_meet_at}"
            if "rail" in self.topology.rail_axes and self.topology.rails_meet_at
            else ""
        )
        planes = f" on {self.planes} planes" if self.planes > 1 else ""
        return f"{self.topology.family} in {self.topology.size_label}{meets}{planes}"


def lane_sizes(spec: Spec, axis: str) -> tuple[int, ...] | None:
    """Return the sizes that the request or the server allows a lane axis, or None where sizing is free."""
    server = spec.server
    if axis == "rail":
        return spec.rails or (server.rails or server.nics,)
    if axis == "stripe":
        return tuple(n for n in range(1, server.trays + 1) if server.trays % n == 0)
    return None


@dataclass(frozen=True)
class Rejected:
    """A form on a number of planes that could not even be tried, and why."""

    name: str
    reason: str


def candidates(spec: Spec, needs: Sequence[str]) -> tuple[list[Candidate], list[Rejected]]:
    """Return the candidates of `spec` and the rejected ones with their reasons.

    Of several models allowed in a role, those of which every fact in `needs` is known are kept if there are any.
    Raises InputError when a pinned axis is one that no allowed form has.
    """
    forms = [form for name in spec.families for form in family(name).forms if form.tiers in spec.tiers]
    _check_pinned(spec, forms)
    found: list[Candidate] = []
    rejected: list[Rejected] = []
    for form in forms:
        for planes in spec.planes:
            for layer in _link_layers(spec):
                result = _candidate(spec, form, planes, layer, needs)
                if isinstance(result, Candidate):
                    found.append(result)
                else:
                    rejected.append(result)
    return found, rejected


def _link_layers(spec: Spec) -> list[str | None]:
    """Return the link layers that the allowed switches speak, each to be tried by itself; None where none says."""
    layers = {model.link_layer for models in spec.switches.values() for model in models if model.link_layer}
    return [*sorted(layers)] if layers else [None]


def _speaking(models: tuple[Switch, ...], layer: str | None) -> tuple[Switch, ...]:
    return tuple(model for model in models if layer is None or model.link_layer in (None, layer))


def _candidate(
    spec: Spec, form: Topology, planes: int, layer: str | None, needs: Sequence[str]
) -> Candidate | Rejected:
    gbps = spec.plane_gbps(planes)
    prices = Prices(spec, gbps)
    models = {role: _known_first(prices, _speaking(spec.models(role), layer), needs) for role in form.roles}
    candidate = Candidate(spec, form, planes, models, prices)
    reason = next(_objections(spec, form, planes, layer, models), None)
    return candidate if reason is None else Rejected(str(candidate), reason)


def _known_first(prices: Prices, models: tuple[Switch, ...], needs: Sequence[str]) -> tuple[Switch, ...]:
    """Keep the models with ports at the rate; of several, those of which all is known that comparing them needs."""
    fits = tuple(model for model in models if model.radix(prices.link_gbps))
    known = tuple(model for model in fits if not any(unknown(prices, fact, [model], ()) for fact in needs))
    return known or fits


def _objections(
    spec: Spec, form: Topology, planes: int, layer: str | None, models: dict[str, tuple[Switch, ...]]
) -> Iterator[str]:
    gbps = spec.plane_gbps(planes)
    if not gbps:
        yield f"a NIC of {spec.server.nic_gbps}G does not split evenly over {planes} planes"
    if spec.pinned.get(PLANE, planes) != planes:
        yield f"pinned.plane is {spec.pinned[PLANE]}"
    yield from _family_objections(spec, form, planes)
    for axis, size in spec.pinned.items():
        domain = lane_sizes(spec, axis)
        if axis not in form.axes and axis not in (bundle.name for bundle in form.bundles):
            yield f"it has no axis or bundle '{axis}', which is pinned"
        elif domain and size not in domain:
            yield f"pinned.{axis} {size} is none of {', '.join(map(str, domain))}"
    for role, allowed in models.items():
        if not spec.models(role):
            yield f"the request names no switch for the {role}"
        elif not _speaking(spec.models(role), layer):
            yield f"no switch allowed for the {role} speaks {layer}, as others do: one fabric has one link layer"
        elif not allowed:
            has = ", ".join(f"{model.name} {_rates(model)}" for model in _speaking(spec.models(role), layer))
            yield f"the {role} has no ports at {gbps}G ({has})"


def _family_objections(spec: Spec, form: Topology, planes: int) -> Iterator[str]:
    least = family(form.family).least_planes
    if planes < least:
        yield f"each NIC has a port in each of several planes: planes must be {least} or more"
    levels = form.routing.nic_levels
    if levels and planes != levels:
        ratio = f", and oversubscription about {levels}" if form.routing.server_relay else ""
        yield f"each NIC has a port for each of {levels} levels: planes must be {levels}{ratio}"
    if spec.grown_servers > spec.servers and not form.layered:
        yield "it can't grow without moving cables"
    if invalid := form.invalid_size(spec.pinned):
        yield invalid


def _rates(model: Switch) -> str:
    return "at " + " and ".join(f"{rate}G" for rate in model.rates)


def _check_pinned(spec: Spec, forms: list[Topology]) -> None:
    known = {name for form in forms for name in (*form.axes, *(bundle.name for bundle in form.bundles))}
    for axis in spec.pinned:
        if forms and axis not in known:
            raise InputError(f"pinned: {axis}: no allowed topology has such an axis or bundle{nearest(axis, known)}")
