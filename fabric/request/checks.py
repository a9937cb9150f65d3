"""Cross-field rules: what in a request contradicts the rest of it, where each key is valid by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from math import gcd

from fabric.errors import nearest
from fabric.request import chosen_parts
from fabric.request.document import Keys
from fabric.request.expected_keys import unknown_result
from fabric.request.known_names import KnownNames, TopologyNames
from fabric.request.model import Request
from fabric.request.part_checks import PART_CHECKS
from fabric.request.ranges import PodRange
from fabric.request.server_kinds import check_growth, check_server_names, check_servers, fastest_nic
from fabric.request.site_checks import check_site_names, check_site_tiers
from fabric.request.spec import even_planes
from fabric.units import count_noun

__all__ = ["allowed_families", "allowed_tiers", "find_contradictions", "own_values"]

Finding = tuple[Keys, str]
Check = Callable[[Request], Iterator[Finding]]
NameCheck = Callable[[Request, KnownNames], Iterator[Finding]]


def find_contradictions(request: Request, invalid: Collection[str], names: KnownNames) -> Iterator[Finding]:
    """Yield every contradiction of a request; checks that need one of the `invalid` keys are left out."""
    for needs, check in _CHECKS:
        if set(needs).isdisjoint(invalid):
            yield from check(request)
    for needs, check_names in _NAME_CHECKS:
        if set(needs).isdisjoint(invalid):
            yield from check_names(request, names)


def allowed_families(request: Request, names: KnownNames) -> tuple[str, ...]:
    """Return the names of the families that a request allows, in its order and without duplicates."""
    families = request.family if isinstance(request.family, list) else [request.family]
    spread = (name for asked in families for name in names.sets.get(asked, (asked,)))
    return tuple(dict.fromkeys(spread))


def allowed_tiers(request: Request) -> tuple[int, ...]:
    """Return the numbers of tiers that a request allows, in its order and without duplicates."""
    if isinstance(request.tiers, str):
        return (1, 2, 3, 4)
    return tuple(dict.fromkeys(request.tiers)) if isinstance(request.tiers, list) else (request.tiers,)


def own_values(request: Request, names: KnownNames) -> dict[str, tuple[int, ...]]:
    """Return the values of the keys that are left to the one family that is asked for by its name.

    Only those are in it for which the family's own is another than 1, by its topologies of the tiers allowed, and
    `rails`, without a value, where it decides about one tier. Several families are compared by the same values, so
    there nothing is left to them.
    """
    named = allowed_families(request, names)
    if len(named) > 1 or request.family not in (named[0], list(named)):
        return {}
    forms = names.allowed(named, allowed_tiers(request))
    found = {
        "planes": tuple(dict.fromkeys(form.planes for form in forms)),
        "oversubscription": tuple(dict.fromkeys(form.oversubscription for form in forms)),
    }
    found = {key: values for key, values in found.items() if getattr(request, key) is None and set(values) - {1}}
    apart = {"rail" in form.axes for form in forms if form.tiers == 1}
    rails: dict[str, tuple[int, ...]] = {"rails": ()} if request.rails is None and (found or len(apart) > 1) else {}
    return found | rails


def _check_link_rate(request: Request) -> Iterator[Finding]:
    nic_gbps = fastest_nic(request)
    asked = request.link_gbps if isinstance(request.link_gbps, dict) else {None: request.link_gbps or 0}
    for name, rate in asked.items():
        if rate > nic_gbps and (name is None or chosen_parts.is_host(name)):
            yield (
                ("link_gbps", *([name] if name else [])),
                f"{rate} is faster than the server's NICs; at most {nic_gbps}",
            )


def _check_planes(request: Request) -> Iterator[Finding]:
    numbers = [number for _, number in _given_numbers("planes", request.planes)]
    rates = {server.nic_gbps for server in chosen_parts.chosen_servers(request)}
    uneven = [rate for rate in rates if numbers and all(rate % number for number in numbers)]
    if uneven:
        even, asked = ", ".join(map(str, even_planes(gcd(*rates)))), " or ".join(map(str, numbers))
        yield ("planes",), f"a NIC of {max(uneven)}G does not split evenly over {asked}; choose from {even}"


def _check_rails(request: Request) -> Iterator[Finding]:
    nics = max(server.nics for server in chosen_parts.chosen_servers(request))
    for keys, number in _given_numbers("rails", request.rails):
        if nics % number:
            of = "the most NICs of a server, " if request.servers else "the server's "
            yield keys, f"{number} does not divide {of}{nics}{'' if request.servers else ' NICs'}"


def _check_unit(request: Request) -> Iterator[Finding]:
    gpus, unit = chosen_parts.chosen_servers(request)[0].gpus, request.unit_gpus
    if unit and gpus and unit % gpus:
        whole = max(1, round(unit / gpus)) * gpus
        yield ("unit_gpus",), f"{unit} is not a multiple of the server's {gpus} GPUs; the nearest is {whole}"


def _check_pod(request: Request) -> Iterator[Finding]:
    """Check that a pod may be a whole number of servers, or of units, unless one pod holds all of them."""
    asked = request.pod_gpus
    if asked is None:
        return
    least, most = (asked.min, asked.max) if isinstance(asked, PodRange) else (asked, asked)
    step = request.unit_gpus or chosen_parts.chosen_servers(request)[0].gpus
    if request.servers:
        yield ("pod_gpus",), "is for equal servers, and `servers` lists unlike ones; leave it out"
    elif least is None and most is None:
        yield ("pod_gpus",), "has neither min nor max; give one of them, or a number"
    elif least and most and most < least:
        yield ("pod_gpus", "max"), f"{most} is less than min, {least}"
    elif most and most // step * step < (least or 1) and most < (request.gpus or 0):
        what = f"unit_gpus, {step}" if request.unit_gpus else f"the server's {step} GPUs"
        given = f"{most} is no" if least == most else f"{least or 1} to {most} has no"
        yield ("pod_gpus",), f"{given} multiple of {what}; the nearest is {max(1, round(most / step)) * step}"


def _check_switches_by_tier(request: Request, names: KnownNames) -> Iterator[Finding]:
    """Check that switches by tier suffice for an allowed topology; what the one of fewest tiers lacks is reported."""
    topologies = _allowed_topologies(request, names)
    if not isinstance(request.switches, dict) or not topologies:
        return
    missing = [[role for role in each.roles if role not in request.switches] for each in topologies]
    if all(missing):
        fewest, roles = min((each.tiers, roles) for each, roles in zip(topologies, missing, strict=True))
        yield ("switches",), f"a fabric of {count_noun(fewest, 'tier')} also needs a switch for {' and '.join(roles)}"


def _check_pinned_links(request: Request, names: KnownNames) -> Iterator[Finding]:
    """Check that pinned bundles are within the limit even where ports are split as far as any allowed switch can."""
    limit, split = request.limits.parallel_links, _most_links_per_port(request, _asked_planes(request, names))
    each = f" native ports, of up to {split} links each" if split > 1 else ""
    for name, size in request.pinned.items():
        pair = "-" in name and not chosen_parts.is_host(name) and not name.endswith("-uplinks")
        if pair and size > limit * split:
            yield (
                ("pinned", name),
                f"{size} parallel links, but limits.parallel_links is {limit}{each}; make them agree",
            )


def _most_links_per_port(request: Request, planes: int | str | list[int]) -> int:
    """Return the most links into which an allowed switch splits a port, on any number of planes that is allowed."""
    nic = fastest_nic(request)
    most = chosen_parts.host_gbps(request, nic)
    asked = [number for _, number in _given_numbers("planes", planes)] or even_planes(nic)
    rates = {min(most, nic // planes) for planes in asked if nic % planes == 0}
    models = [model for allowed in chosen_parts.chosen_switches(request).values() for model in allowed]
    rates |= {*chosen_parts.rates_between_switches(request).values()}
    rates |= {rate for model in models if model.uplinks for rate in model.uplinks.rates}
    ports = [each for model in models for each in (model, model.upward)]
    return max((each.links_per_port(rate) for each in ports for rate in rates), default=1) or 1


def _asked_planes(request: Request, names: KnownNames) -> int | str | list[int]:
    """Return the planes that a request asks for, or leaves to a family."""
    return request.planes or list(own_values(request, names).get("planes", (1,)))


def _check_pinned_planes(request: Request, names: KnownNames) -> Iterator[Finding]:
    yield from _check_pin(request, "plane", "planes", _asked_planes(request, names))


def _check_pinned_rails(request: Request) -> Iterator[Finding]:
    yield from _check_pin(request, "rail", "rails", request.rails)


def _check_pin(request: Request, axis: str, key: str, asked: int | str | list[int] | None) -> Iterator[Finding]:
    size, numbers = request.pinned.get(axis), [number for _, number in _given_numbers(key, asked)]
    if size and numbers and size not in numbers:
        yield ("pinned", axis), f"{size}, but {key} is {' or '.join(map(str, numbers))}; make them agree"


def _given_numbers(key: str, asked: int | str | list[int] | None) -> list[tuple[Keys, int]]:
    """Return the numbers given for a key, each with its place; there are none for `any` and for no value."""
    if isinstance(asked, list):
        return [((key, index), number) for index, number in enumerate(asked)]
    return [((key,), asked)] if isinstance(asked, int) else []


def _check_pinned_slot(request: Request) -> Iterator[Finding]:
    slot, unit = request.pinned.get("slot"), request.unit_gpus
    gpus = chosen_parts.chosen_servers(request)[0].gpus
    if slot and unit and slot * gpus != unit:
        yield ("pinned", "slot"), f"{slot} servers have {slot * gpus} GPUs, but unit_gpus is {unit}; make them agree"


def _allowed_topologies(request: Request, names: KnownNames) -> list[TopologyNames]:
    return names.allowed(allowed_families(request, names), allowed_tiers(request))


def _check_pinned_names(request: Request, names: KnownNames) -> Iterator[Finding]:
    """Check that what is pinned is an axis or a bundle of a topology that is allowed, or uplinks where it has such."""
    topologies = _allowed_topologies(request, names)
    known = {name for each in topologies for name in (*each.axes, *each.bundles)}
    uplinks = {name for each in topologies for name in each.uplinks}
    known |= uplinks if request.uplink_spread == "balanced" else set()
    for name in request.pinned:
        if name in uplinks - known:
            yield (
                ("pinned", name),
                "uplinks are a size where they are balanced; write `uplink_spread: balanced` too",
            )
        elif topologies and name not in known:
            yield ("pinned", name), f"no allowed topology has such an axis or bundle{nearest(name, known)}"


def _check_expected_names(request: Request, names: KnownNames) -> Iterator[Finding]:
    for key in request.expected:
        if problem := unknown_result(key, names):
            yield ("expected", key), problem


def _check_electricity(request: Request) -> Iterator[Finding]:
    """Check that the total cost, where it is limited, can count electricity."""
    costs = {"years": request.years, "electricity_usd_per_kwh": request.electricity_usd_per_kwh}
    missing = [key for key, value in costs.items() if value is None]
    if request.limits.total_cost_usd is not None and missing:
        yield ("limits", "total_cost_usd"), f"includes electricity; add {' and '.join(missing)}"


def _check_appliance_names(request: Request, names: KnownNames) -> Iterator[Finding]:
    """Check that each appliance has a name of its own, which bills and links use."""
    taken = {*names.roles, *names.bundles, "server", "total"}
    for index, each in enumerate(request.appliances):
        if each.name in taken:
            yield ("appliances", index, "name"), f"'{each.name}' is already the name of something else; choose another"
        taken.add(each.name)


_CHECKS: tuple[tuple[tuple[str, ...], Check], ...] = (
    *PART_CHECKS,
    (("server", "link_gbps"), _check_link_rate),
    (("server", "planes"), _check_planes),
    (("server", "rails"), _check_rails),
    (("server", "unit_gpus"), _check_unit),
    (("gpus", "server", "servers", "unit_gpus", "pod_gpus"), _check_pod),
    (("gpus", "server", "servers", "unit_gpus", "pod_gpus", "rails", "mix", "pinned"), check_servers),
    (("gpus", "server", "grow_to_gpus"), check_growth),
    (("limits", "years", "electricity_usd_per_kwh"), _check_electricity),
    (("pinned", "server", "unit_gpus"), _check_pinned_slot),
    (("pinned", "rails"), _check_pinned_rails),
    (("site", "server", "servers", "switches", "appliances", "links"), check_site_names),
)
"""Each check, with the keys that must be valid for it."""

_NAME_CHECKS: tuple[tuple[tuple[str, ...], NameCheck], ...] = (
    (("switches", "family", "tiers"), _check_switches_by_tier),
    (("expected",), _check_expected_names),
    (("appliances",), _check_appliance_names),
    (("server",), check_server_names),
    (("pinned", "family", "tiers", "uplink_spread"), _check_pinned_names),
    (("pinned", "limits", "server", "switches", "planes", "link_gbps"), _check_pinned_links),
    (("pinned", "planes"), _check_pinned_planes),
    (("site", "family", "tiers"), lambda *each: check_site_tiers(each[0], _allowed_topologies(*each))),
)
"""The same for the checks against the names that families use."""
