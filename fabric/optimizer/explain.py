"""Why a request is infeasible, in words: the limits that conflict, and what the candidates that come nearest lack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from fabric import units
from fabric.blueprint.appliances import name_appliances
from fabric.catalog import PortGroup
from fabric.errors import Conflict, Infeasible, InputError
from fabric.optimizer.allowance import Allowance
from fabric.optimizer.appliances import APPLIANCES
from fabric.optimizer.cages import CAGES
from fabric.optimizer.candidates import Candidate, Rejected
from fabric.optimizer.infeasibility import RATE, SPREAD
from fabric.optimizer.limit_relaxation import smallest_conflict
from fabric.optimizer.pair_links import CONNECTORS, LIMIT
from fabric.optimizer.pods import POD
from fabric.optimizer.port_limits import PORTS, UPLINKS
from fabric.optimizer.remedies import describe_near, describe_rejected, write_value
from fabric.request import Spec
from fabric.topology.families import family
from fabric.topology.topology import title

__all__ = ["describe_conflict", "explain"]

SHOWN = 3
"""The nearest candidates that are explained in full; the rest are counted."""

ALLOWANCE_S = 3.0
"""The most work of an explanation; what it does not reach is said to be open."""

WIRING = {
    CONNECTORS: (
        "whole connectors and cables",
        "no cable joins parts of two connectors or cages; one for each link at one end",
    ),
    CAGES: (
        "cages with one kind of part each",
        "no cage holds links below and above a switch whose parts are unlike; alike ones",
    ),
}
"""What limits that have no value are called, and why they exclude a fabric with what would do instead."""

UNDECIDED = "which limits conflict was not determined within the solve budget; allow fewer families, planes or switches"


def explain(
    spec: Spec, found: Sequence[Candidate], rejected: Sequence[Rejected], facts: Sequence[str] = ()
) -> Infeasible | InputError:
    """Return the Infeasible that names a smallest set of limits that conflict, then the candidates that come nearest.

    `facts` are those that must be known of every part, as the candidates were found with (see `candidates`). Where
    there is no candidate because a fact is not known, it is an InputError that asks for it.
    """
    if not found and (unknown := [item for item in rejected if item.unknown]):
        return InputError([spec.mistake(unknown[0].unknown, unknown[0].reason)])
    clashes = dict.fromkeys(item.reason for item in rejected if item.clash)
    text = f"no fabric for {units.count_ends(spec.gpus, spec.servers)} meets the request"
    if clashes and not found:
        return Infeasible(text, clashes)
    untried = _untried(found, rejected)
    asked = list(describe_rejected(item for item in untried if item.unknown))
    short = list(describe_rejected(item for item in untried if item.lacks_ports))
    others = list(describe_rejected(item for item in untried if not item.unknown and not item.lacks_ports))
    allowance = Allowance(ALLOWANCE_S)
    conflict = smallest_conflict(spec, facts, allowance)
    if conflict:
        conflict = replace(conflict, conflict=tuple(_count_growth(spec, item) for item in conflict.conflict))
    # Where nothing could be tried and no limit changed alone would do, it is a part that excludes every fabric.
    excluded = [*short, *others]
    if not conflict or (excluded and not found and all(item.nearest is None for item in conflict.conflict)):
        return Infeasible(text, [*clashes, *asked, *_without_conflict(spec, found, excluded)])
    named = {_name_limit(spec, _name_ends(spec, item)): item for item in conflict.conflict}
    near = describe_near(conflict.near, conflict.others, allowance) if found or not excluded else ()
    nearest = [*near, *others][:SHOWN]
    lines = [*describe_conflict(named, smallest=conflict.smallest), *_suppositions(spec, conflict.conflict)]
    lines += _whole_cables(found) if any(item.limit == CONNECTORS for item in conflict.conflict) else []
    # Where no port is as fast as the links, that is the cause, and the limits are the ways out.
    return Infeasible(
        text,
        [*clashes, *asked, *short[:SHOWN], *lines, *nearest],
        tuple(_name_ends(spec, item) for item in conflict.conflict),
    )


def _name_ends(spec: Spec, item: Conflict) -> Conflict:
    """Return a limit of a conflict; the number of servers, where no GPUs count them, is that of `servers`."""
    return replace(item, limit="servers") if item.limit == "gpus" and not spec.gpus else item


def _count_growth(spec: Spec, item: Conflict) -> Conflict:
    """Return a limit of a conflict; of the growth of unlike servers with the GPUs of the kind that grows."""
    key, gpus = spec.growth
    if item.limit != "grow_to_gpus" or key == item.limit:
        return item
    others = item.value - gpus
    return replace(item, limit=key, value=gpus, nearest=None if item.nearest is None else item.nearest - others)


def _untried(found: Sequence[Candidate], rejected: Sequence[Rejected]) -> list[Rejected]:
    """Return the rejected candidates whose topology could not be tried on any number of planes, but for clashes."""
    tried = [candidate.topology for candidate in found]
    return [item for item in rejected if not item.clash and item.topology not in tried]


def _without_conflict(spec: Spec, found: Sequence[Candidate], others: Sequence[str]) -> Sequence[str]:
    """Return the reasons where no limits are named: no candidate could be tried, or the allowance ended."""
    if found:
        return [UNDECIDED]
    known = sorted({form.tiers for name in spec.families for form in family(name).forms})
    allowed, tiers = (" or ".join(map(str, numbers)) for numbers in (spec.tiers, known))
    return others or [f"{' or '.join(spec.families)} has {tiers} tiers, and tiers allows {allowed} only"]


def _suppositions(spec: Spec, conflict: Iterable[Conflict]) -> Iterator[str]:
    """Yield which rule of the wiring the ports of an upper tier are too few for."""
    forms = [form for name in spec.families for form in family(name).forms if form.layered]
    for role in filter(None, (_ports_role(spec, item.limit) for item in conflict)):
        below = {form.bundle_below(role) for form in forms if role in form.roles} & {
            bundle for form in forms for bundle in form.fabric_bundles if bundle.uniform
        }
        for lower in dict.fromkeys(title(bundle.lower.role) for bundle in below):
            spread = "by equally many links" if spec.uplink_spread == "even" else "by links that differ by one at most"
            yield f"this supposes that each {lower} is joined to every {title(role)} above it, {spread}"


def _whole_cables(found: Iterable[Candidate]) -> Iterator[str]:
    """Yield which cables between two cages of several links were asked for, so that no pair may have a part of one."""
    bundles = ((each.prices, bundle) for each in found for bundle in each.topology.bundles)
    chosen = (parts for prices, bundle in bundles if (parts := prices.parts(bundle.name)))
    cables = {(parts.joint.name, parts.links_in_step): None for parts in chosen if parts.links_in_step > 1}
    for name, links in cables:
        yield f"{name} carries {links} links between two cages; `media` can ask for another where a pair has one"


def describe_conflict(named: Mapping[str, Conflict], *, smallest: bool = True) -> Iterator[str]:
    """Yield which limits conflict, each by its name with its value, and then the nearest feasible value of each."""
    names = list(named)
    unproven = "" if smallest else " (perhaps fewer of them do)"
    if len(names) == 1:
        yield f"this limit alone excludes every fabric: {names[0]}"
    else:
        yield f"these limits conflict{unproven}: {', '.join(names[:-1])} and {names[-1]}"
    for name, item in named.items():
        yield f"{name}{_nearest_value(item)}"


def _name_limit(spec: Spec, item: Conflict) -> str:
    """Return a limit with its value."""
    if item.limit == APPLIANCES:
        return f"appliances ({name_appliances(item.value)})"
    if item.limit in WIRING:
        return WIRING[item.limit][0]
    if not item.limit.startswith((PORTS, UPLINKS)):
        return f"{item.limit} {write_value(item.value)}"
    role = _ports_role(spec, item.limit)
    if item.limit.startswith(UPLINKS):
        groups = [(model.name, model.uplinks) for model in spec.models(role or "") if model.uplinks]
        return f"the {item.limit} ({'; '.join(f'{name}: {_ports([group], group.rates)}' for name, group in groups)})"
    choices = [spec.models(role)] if role else spec.switches.values()
    rates = dict.fromkeys(_link_rates(spec))
    models = {model.name: model for allowed in choices for model in allowed}
    named = {name: model for name, model in models.items() if any(map(model.radix, rates))} or models
    if len(named) > SHOWN:
        each = [(f"{len(named)} switch models", f"at most {_ports(named.values(), rates)}")]
    else:
        each = [(name, _ports([model], rates)) for name, model in named.items()]
    if role:
        return f"the ports of the {title(role)} ({'; '.join(f'{model}: {ports}' for model, ports in each)})"
    return f"the ports of {', '.join(f'{model} ({ports})' for model, ports in each)}"


def _ports_role(spec: Spec, limit: str) -> str | None:
    """Return the role whose ports a limit of a conflict bounds; None for those of every tier."""
    roles = (role for name in spec.families for form in family(name).forms for role in form.roles)
    return next((role for role in roles if _names_role(limit, role)), None)


def _names_role(limit: str, role: str) -> bool:
    return limit.partition(" at ")[0] in (f"{PORTS} of the {title(role)}", f"{UPLINKS} of the {title(role)}")


def _link_rates(spec: Spec) -> Iterator[int]:
    """Yield the rates that links may have: of the servers on any number of planes, and of those between switches."""
    yield from (gbps for planes in spec.planes if (gbps := spec.plane_gbps(planes)))
    yield from spec.link_rates.values()
    models = (model for allowed in spec.switches.values() for model in allowed)
    yield from (rate for model in models if model.uplinks for rate in model.uplinks.rates)


def _ports(models: Iterable[PortGroup], rates: Iterable[int]) -> str:
    """Return the most ports that one of the models has at each rate, or at its own."""
    models = tuple(models)
    each = {gbps: most for gbps in rates if (most := max(model.radix(gbps) for model in models))}
    each = each or {model.rate_gbps: model.ports for model in models}
    return ", ".join(f"{units.count(ports)} at {gbps}G" for gbps, ports in each.items())


HIGH = ("is", "too high", "maximum feasible value")
LOW = ("is", "too low", "minimum feasible value")
EITHER = ("is", "infeasible", "nearest feasible value")

VERDICTS = {
    **dict.fromkeys(("gpus", "grow_to_gpus", "reserve", "least_oversubscription", "survive"), HIGH),
    **dict.fromkeys(("tiers", "planes", "unit_gpus", "per_unit", POD, "pinned"), EITHER),
    APPLIANCES: ("take", "too many ports", "maximum feasible value"),
    PORTS: ("are", "too few", "minimum per switch"),
    UPLINKS: ("are", "too few", "minimum per switch"),
}
"""The verb, what is wrong and what the nearest value is, by the kind of a limit; `LOW` for others."""


def _nearest_value(item: Conflict) -> str:
    """Return what is wrong with a limit, and the nearest value with which the request is feasible, others unchanged."""
    if item.nearest is None:
        return f": {'changing this alone is not enough' if item.settled else 'not determined within the solve budget'}"
    if item.limit in WIRING:
        return f" exclude it: {WIRING[item.limit][1]} would do"
    if item.limit == SPREAD:
        return f" excludes it; feasible (others unchanged): {SPREAD}: {item.nearest}, links up that differ by one"
    if item.limit == RATE:
        return f" is faster than the ports; fastest feasible rate (others unchanged): write {RATE}: {item.nearest}"
    verb, problem, nearest = VERDICTS.get(item.limit.partition(" ")[0].partition(".")[0], LOW)
    unproven = "" if item.settled else ", and perhaps a nearer value"
    nearest = nearest if item.settled else "feasible"
    return f" {verb} {problem}; {nearest} (others unchanged): {write_value(item.nearest)}{_unit(item)}{unproven}"


def _unit(item: Conflict) -> str:
    """Return the unit of a limit's nearest value, in words that follow it."""
    if item.limit == APPLIANCES:
        return f" of their {sum(each['ports'] for each in item.value):,} ports"
    rate = item.limit.partition(" at ")[2]
    return " native ports per pair" if item.limit == LIMIT else f" at {rate}" if rate else ""
