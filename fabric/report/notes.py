"""The notes on a design: what a reader of its numbers must know and might not guess."""

from __future__ import annotations

from collections.abc import Iterator

from fabric import units
from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import describe_appliances
from fabric.blueprint.composition import Composition
from fabric.blueprint.metrics import matched_share, uneven_bundles
from fabric.blueprint.port_rules import may_have_ports
from fabric.blueprint.port_use import port_use
from fabric.blueprint.prices import prices_of
from fabric.blueprint.splits import fill_cables, pair_split
from fabric.catalog import MEDIA, Server
from fabric.catalog.link_parts import COPPER
from fabric.optimizer import OBJECTIVES
from fabric.report.library_lines import note_library
from fabric.report.link_parts import list_link_parts, list_models, parts_at_typical_power, parts_of_unknown_power
from fabric.report.text import format_percent, join_words
from fabric.report.topology_notes import note_topology
from fabric.report.unlike_servers import has_times, note_unlike_servers
from fabric.request import LIMITS
from fabric.request.site import Site
from fabric.studies.study import Study
from fabric.topology.topology import Bundle, title

__all__ = [
    "LENGTHS_LEFT_OUT",
    "list_notes",
    "list_unknown_breakouts",
    "list_unpriced",
    "note_unknown_nvlink",
]


LENGTHS_LEFT_OUT = "Lengths of cables on the site, and the parts that reach, are"
"""The beginning of a sentence on a choice that counts the parts of the request without the layout."""


def list_notes(study: Study) -> Iterator[str]:
    """Yield the notes on the design of `study`."""
    blueprint, topology = study.blueprint, study.blueprint.topology
    yield from note_topology(study)
    yield from describe_appliances(blueprint)
    yield from _note_full_leaves(blueprint)
    if parts := study.proof.unpriced:
        have = f"{join_words(parts)} {'has' if len(parts) == 1 else 'have'}"
        yield f"{have} no price, so switches, then links, were minimised instead of cost."
    asked, cost = list(study.proof.objectives), OBJECTIVES["cost"].key
    if study.spec.site != Site() and cost in asked and asked != [cost]:
        yield f"{LENGTHS_LEFT_OUT} not counted in this choice; `fabric optimize --objective cost` counts them."
    yield from _note_prices(study)
    for server in blueprint.servers_by_role.values():
        yield from note_unknown_nvlink(server)
    if has_times(blueprint):
        yield from note_library(blueprint)
    yield from note_unlike_servers(blueprint)
    yield from _note_power(study)
    yield from _note_module_power(study)
    yield from _note_unknown_forms(study)
    yield from _note_copper(study)
    yield from _note_power_limit(study)
    yield from _note_broken_limits(study)
    for bundle in topology.fabric_bundles:
        yield from _note_parallel_links(study, bundle)
    yield from _note_balanced(blueprint)
    if unpriced := list_unpriced(study):
        yield f"Not considered (no price): {', '.join(unpriced)}."
    if unknown := list_unknown_breakouts(study):
        rates = " and ".join(f"{rate}G" for rate in dict.fromkeys(blueprint.bundle_rates.values()))
        yield f"Not considered (breakouts to {rates} not known): {', '.join(unknown)}."
    yield from _note_partly_filled(blueprint)
    idle = (
        sum(blueprint.devices(role) * each.gpus for role, each in blueprint.servers_by_role.items()) - study.spec.gpus
    )
    if idle:
        yield f"The last server has {blueprint.server.gpus - idle} of its {blueprint.server.gpus} GPUs in use."


def list_unpriced(study: Study) -> list[str]:
    """Return the allowed switches that were not considered because they have no price."""
    if not {"cost_usd", "total_cost_usd"} & set(study.proof.objectives):
        return []
    models = [model for role in study.blueprint.topology.roles for model in study.spec.models(role)]
    return list(dict.fromkeys(model.name for model in models if model.price_usd is None))


def list_unknown_breakouts(study: Study) -> list[str]:
    """Return the allowed switches that were not considered because their breakouts are not known."""
    blueprint = study.blueprint
    allowed = [
        (model, blueprint.rates_at(role)) for role in blueprint.topology.roles for model in study.spec.models(role)
    ]
    return list(dict.fromkeys(model.name for model, rates in allowed if may_have_ports(model, rates)))


def _note_full_leaves(blueprint: Blueprint) -> Iterator[str]:
    """Say where no leaf has a port left."""
    full = [title(role) for role in blueprint.topology.roles if port_use(blueprint, role).free == 0]
    if blueprint.topology.roles[0] in full:
        yield (
            f"Every {join_words(full)} port is in use: no port is left for an appliance such as UFM, or for a tester;"
            " `reserve` keeps ports free on every switch, `appliances` those of a box."
        )


def _note_parallel_links(study: Study, bundle: Bundle) -> Iterator[str]:
    """Say where the links of a pair take as many native ports as they may."""
    blueprint, limit = study.blueprint, study.spec.limits.parallel_links
    links, found = blueprint.sizes[bundle.name], prices_of(study.spec, blueprint).parts(bundle.name)
    split = fill_cables(pair_split(blueprint, bundle), found)
    if blueprint.links(bundle) and links + split.whole > limit * split.per_port:
        each = (
            f" native ports per pair, {links} links of {blueprint.rate(bundle)}G" if split.per_port > 1 else " per pair"
        )
        yield f"The {bundle.name} links are at their limit: limits.parallel_links = {limit}{each}."


def _note_balanced(blueprint: Blueprint) -> Iterator[str]:
    """Say what the numbers count where switches have more links to some switches above them than to others."""
    uneven = uneven_bundles(blueprint)
    if uneven:
        least = ", ".join(f"{each.name} {format_percent(float(matched_share(blueprint, each)))}" for each in uneven)
        yield (
            "Bisection bandwidth, adaptive routing and closed forms count the uplinks of a switch as one pool, an upper"
            " bound that traffic of all to all comes up to. Two switches that send each other all they have are sure of"
            f" their links in common: {least}. Explicit flows take the links as they are (`--engine flows`)."
        )


def _note_power(study: Study) -> Iterator[str]:
    if study.bill.power_w is None:
        yield f"The power is unknown: no figure for {', '.join(parts_of_unknown_power(study))}."


def note_unknown_nvlink(server: Server) -> Iterator[str]:
    """Say where times are estimated without NVLink, whose bandwidth is not known."""
    if server.gpus > 1 and server.nvlink_GBps is None:
        yield (
            f"The NVLink bandwidth of {server.name} is not known, so estimated times leave NVLink out: they may be too"
            " short. Give nvlink_GBps in the request."
        )


def _note_power_limit(study: Study) -> Iterator[str]:
    """Say how much of a limit on power the fabric may draw, and which parts count at typical power."""
    most = study.spec.limits.power_w
    if most is None or study.bill.max_power_w is None:
        return
    parts = parts_at_typical_power(study)
    typical = f"; the maximum of {', '.join(parts)} is not known, so typical power counts" if parts else ""
    drawn = units.power(study.bill.max_power_w)
    yield f"Switches and modules draw at most {drawn} of limits.power_w, {units.power(most)}{typical}."


def _note_broken_limits(study: Study) -> Iterator[str]:
    """Say where whole modules and cables exceed a limit that the shares that links use of them keep to."""
    bill, limits = study.bill, study.spec.limits
    cost, running = bill.cost_usd(), bill.electricity_usd
    total = None if cost is None or running is None else cost + running
    for key, value in (("cost_usd", cost), ("total_cost_usd", total), ("power_w", bill.max_power_w)):
        most = limits.value(key)
        if most is not None and value is not None and round(value - most, 2) > 0:
            found, limit = (
                units.power(each) if key == "power_w" else units.money(each, study.spec.currency)
                for each in (value, most)
            )
            yield (
                f"With whole modules and cables the {LIMITS[key].label} is {found}, above limits.{key}, {limit}: sizing"
                " counts the shares that links use of them. A lower limit rules this fabric out."
            )


def _note_prices(study: Study) -> Iterator[str]:
    """Say how old the prices are, and where a link is priced as the share of a faster one."""
    prices = prices_of(study.spec, study.blueprint)
    parts = [each for each in list_link_parts(study) if study.spec.link_price(each[0]) is None]
    taken = [found for _, found in parts if found]
    rate_of = {found.joint.name: prices.rate(name) for name, found in parts if found}
    priced = {part.name: part for found in taken for part, _ in found.shares if part.price_usd is not None}
    dated = {model.name: model.price_date for model in list_models(study) if model.price_date}
    dated |= {part.name: part.price_date for part in priced.values() if part.price_date}
    shares = {part.name: share for found in taken if found.kind == "link" for part, share in found.shares}
    for name, share in shares.items():
        if share < 1:
            each = f"{float(share):g} of the price and power of one {name}"
            yield f"Assumption: a {rate_of[name]}G link has {each}, which is split."
    if dated:
        dates = ", ".join(f"{name}: {date}" for name, date in dated.items())
        yield f"Prices are dated indications, not quotes ({dates}); put your own in the request."
    if (study.bill.rounding_usd or 0) > 0 and not study.proof.fabrics_laid_out:
        more = units.money(study.bill.rounding_usd, study.spec.currency)
        yield (
            f"Whole modules and cables cost {more} more than the shares that links use of them, by which"
            " the design was chosen."
        )


def _note_module_power(study: Study) -> Iterator[str]:
    """Say which modules of unknown power stand in cages that give only so much."""
    prices = prices_of(study.spec, study.blueprint)
    limits: dict[str, float] = {}
    for name, found in list_link_parts(study):
        for module, end in zip((found.lower, found.upper), prices.ends[name], strict=True) if found else ():
            if module and end and end.power_w is not None and module.power_w is None and module.max_power_w is None:
                limits[module.name] = min(end.power_w, limits.get(module.name, end.power_w))
    for name, watts in limits.items():
        yield f"The power of {name} is not known; a cage gives a module at most {watts:g} W."


def _note_unknown_forms(study: Study) -> Iterator[str]:
    """Say which modules and plugs may not fit, because the form factor of a cage or their own is not known."""
    bundles = {bundle.name: bundle for bundle in study.blueprint.topology.bundles}
    parts = ((bundles[name], found) for name, found in list_link_parts(study) if found)
    found = (each for bundle, part in parts for each in _find_unknown_forms(study, bundle, part))
    for what, part in dict.fromkeys(found):
        yield f"The form factor of {what} is not known, so {'it' if what == part else part} may not fit."


def _find_unknown_forms(study: Study, bundle: Bundle, parts: Composition) -> Iterator[tuple[str, str]]:
    """Yield whose form factor is not known at the ends of a bundle's links, and the part that is to fit there."""
    blueprint, prices = study.blueprint, prices_of(study.spec, study.blueprint)
    if parts.kind == "link" or parts.at_one_price:
        return
    ends = zip(prices.ends[bundle.name], (bundle.lower, bundle.upper), (parts.lower, parts.upper), strict=True)
    for end, group, module in ends:
        part = module or parts.joint
        if end and not end.form:
            models = blueprint.model_counts(group.role) if group in blueprint.topology.switch_groups else ()
            devices = [model.name for model, _ in models] or [blueprint.server.name]
            yield f"the cages of {join_words(devices)}", part.name
        elif not part.form:
            yield part.name, part.name


def _note_copper(study: Study) -> Iterator[str]:
    """Say how far copper reaches, where nobody says how long the links are."""
    for name, parts in [] if study.spec.site != Site() else list_link_parts(study):
        if parts and parts.media in COPPER and not parts.at_one_price and not study.spec.length_m(name):
            reach = (
                "whose reach is not known" if parts.reach_m is None else f"which reaches {parts.reach_m:g} m at most"
            )
            what = f"The {name} links are {MEDIA[parts.media]} ({parts.joint.name})"
            yield f"{what}, {reach}; with `lengths_m` only parts that reach are taken."


def _note_partly_filled(blueprint: Blueprint) -> Iterator[str]:
    for place in blueprint.topology.partial_places(blueprint.sizes):
        yield f"The last {place.name} is partly filled: {place.filled} of {place.full} {place.things}."
