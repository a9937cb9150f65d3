"""The words of the tier picture: of the fabric, a tier, a bundle, a place, and the notes that keep it honest."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

from fabric.blueprint import Blueprint
from fabric.blueprint.metrics import hops
from fabric.catalog import Server, Switch
from fabric.draw.canvas import HARD_SPACE
from fabric.draw.sampling import depth, own_axes, plates, span
from fabric.topology.clos import filled_name
from fabric.topology.graph_form import GraphForm, PatternBundle
from fabric.topology.topology import PLANE, Bundle, Group, title
from fabric.units import count, rate

__all__ = [
    "bundle_words",
    "devices_words",
    "group_words",
    "has_planes",
    "model_title",
    "notes",
    "plate_words",
    "ports_words",
    "subtitle",
    "wire_words",
]


def subtitle(blueprint: Blueprint) -> str:
    """Say the fabric in one line: size, family, tiers or the longest path, planes and where the rails meet."""
    form = blueprint.topology
    far = f"at most {_plural(_longest(blueprint, form), 'hop')}" if isinstance(form, GraphForm) else ""
    tiers = far or _plural(blueprint.tiers, "tier")
    planes = [_plural(blueprint.planes, "plane")] if has_planes(blueprint) else []
    servers = _plural(blueprint.servers, "server")
    return " · ".join(
        [_plural(blueprint.gpus, "GPU"), servers, blueprint.topology.family, tiers, *planes, *_meeting(blueprint)]
    )


SEARCHED = 4096
"""The switches up to which a graph without symmetry is searched for its longest path, only to be drawn."""


def _longest(blueprint: Blueprint, form: GraphForm) -> int:
    """Return the hops of the longest path; of a large random graph the most that its sizes allow."""
    quick = form.paths.hop_histogram or form.paths.representatives or blueprint.switches <= SEARCHED
    return hops(blueprint).max if quick else int(blueprint.evaluate(form.paths.diameter))


def has_planes(blueprint: Blueprint) -> bool:
    """Tell whether there are several planes: what a server-centric form counts as planes are levels of one."""
    return blueprint.planes > 1 and not (
        isinstance(blueprint.topology, GraphForm) and blueprint.topology.routing.nic_levels
    )


def _meeting(blueprint: Blueprint) -> list[str]:
    meets = blueprint.topology.rails_meet_at
    if blueprint.rails == 1 or (meets == blueprint.topology.roles[0]):
        return []
    rails = f"{blueprint.rails} rails"
    return [f"{rails} that never meet" if meets is None else f"{rails}, meeting at the {title(meets)}"]


def model_title(blueprint: Blueprint, group: Group) -> str:
    """Return the model of a group without what stands in brackets, or its catalogue name; several with their counts."""
    if group == blueprint.topology.server:
        return _short(blueprint.server)
    boxes = blueprint.boxes(group.role)
    several = (f"{count(number)} {_short(model)}" for model, number in boxes)
    return _short(boxes[0][0]) if len(boxes) == 1 else ", ".join(several)


def _short(part: Server | Switch) -> str:
    return part.title.partition(" (")[0] or part.name


def group_words(blueprint: Blueprint, group: Group) -> str:
    """Say how many devices one place has and along which axes: `32 per pod: group 16 × spine 2`."""
    if isinstance(blueprint.topology, GraphForm) and group == blueprint.topology.server:
        return f"{count(blueprint.sizes[blueprint.topology.unit_axis])} per {title(blueprint.topology.roles[0])}"
    spans = {axis: span(blueprint, axis) for axis in own_axes(blueprint.topology, group) if span(blueprint, axis) > 1}
    many, where = count(math.prod(spans.values())), _where(blueprint, group)
    wired = isinstance(blueprint.topology, GraphForm)
    if len(spans) > 1 or (wired and spans and not where):
        factors = " × ".join(f"{title(axis)}{HARD_SPACE}{count(size)}" for axis, size in spans.items())
        return f"{many} {where}: {factors}" if where else factors
    named = [title(axis) for axis in spans if axis not in (group.role, *blueprint.topology.server.axes)]
    counted = f"{many} {where}" if where else ""
    return f"{counted or many}, one a {named[0]}" if named and not wired else counted


def _where(blueprint: Blueprint, group: Group) -> str:
    inside = blueprint.topology.server.axes[: depth(blueprint.topology, group)]
    places = [title(axis) for axis in plates(blueprint) if axis in inside][-1:]
    planes = ["plane"] if PLANE in group.axes and has_planes(blueprint) else []
    return " ".join(f"per {word}" for word in places + planes)


def _plural(number: int, noun: str, ending: str = "s") -> str:
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}{ending}"


def devices_words(number: int, role: str) -> str:
    """Say so many devices of a role: `1 leaf`, `16 leaves`."""
    return _plural(number, title(role)) if role != "leaf" else f"{count(number)} {'leaf' if number == 1 else 'leaves'}"


def ports_words(blueprint: Blueprint, group: Group) -> str:
    """Say how the ports of one device are used: `64 down, 64 up of 128`, or by whom they are joined to."""
    down, up = blueprint.ports_down(group.role), blueprint.ports_up(group.role)
    if group == blueprint.topology.server:
        return f"{_plural(blueprint.server.gpus, 'GPU')}, {_plural(up, 'link')} up"
    used = f"{count(down)} down, {count(up)} up" if up else f"{count(down)} down"
    if isinstance(blueprint.topology, GraphForm):
        many = {role: devices_words(2, role).partition(" ")[2] for role in blueprint.topology.roles}
        ends = _ends(blueprint, group).items()
        used = ", ".join(f"{count(ports)} to {many.get(role, 'servers')}" for role, ports in ends)
    return f"{used} of {count(blueprint.radix(group.role))} ports"


def _ends(blueprint: Blueprint, group: Group) -> dict[str, int]:
    """Return the ports of one switch of a wired form by the role at their other end."""
    found: dict[str, int] = {}
    for wire in blueprint.topology.bundles:
        assert isinstance(wire, PatternBundle)
        if group in (wire.lower, wire.upper):
            ports, other = (wire.upper_ports, wire.lower) if wire.upper == group else (wire.lower_ports, wire.upper)
            found[other.role] = found.get(other.role, 0) + blueprint.evaluate(ports)
    return {role: ports for role, ports in found.items() if ports}


def wire_words(blueprint: Blueprint, wire: PatternBundle) -> tuple[str, str]:
    """Say a wire's links in all, then by whom they are ended: those of one device at either end, and their rate."""
    links = blueprint.links(wire)
    ends = {wire.lower.role: wire.lower_ports, wire.upper.role: wire.upper_ports}
    said = []
    for role, quantity in ends.items():
        ports = blueprint.evaluate(quantity)
        most = ports * blueprint.devices(role) > links * (1 + (wire.lower == wire.upper))
        said.append(f"{'up to ' if most else ''}{count(ports)} per {title(role)}")
    return _plural(links, "link"), ", ".join([*said, rate(blueprint.link_gbps)])


def bundle_words(blueprint: Blueprint, bundle: Bundle) -> tuple[str, str]:
    """Say a bundle's links in all, then those of each pair and their rate."""
    copies = blueprint.sizes[bundle.name]
    return _plural(blueprint.links(bundle), "link"), f"{count(copies)} per pair, {rate(blueprint.link_gbps)}"


def plate_words(blueprint: Blueprint, axis: str) -> tuple[str, str]:
    """Say the multiplicity of a place: within its parent, then in all."""
    placement = blueprint.topology.server.axes
    parent = placement[placement.index(axis) - 1] if placement.index(axis) else None
    total, each = blueprint.sizes[filled_name(axis)], span(blueprint, axis)
    if parent is None or total == each:
        return f"{title(axis)} × {count(total)}", ""
    return f"{title(axis)} × {count(each)} in each {title(parent)}", f"{count(total)} in all"


def notes(blueprint: Blueprint) -> tuple[str, ...]:
    """Say the totals, what is filled in part, and what the fabric does not join."""
    return tuple(filter(None, [_totals(blueprint), _ratios(blueprint), _partial(blueprint), *_apart(blueprint)]))


def _totals(blueprint: Blueprint) -> str:
    switches = _plural(blueprint.switches, "switch", "es")
    return f"{switches} and {_plural(blueprint.links_total, 'link')} join {_plural(blueprint.gpus, 'GPU')}."


def _ratios(blueprint: Blueprint) -> str:
    ratios = {role: blueprint.oversubscription(role) for role in blueprint.topology.roles}
    wired = isinstance(blueprint.topology, GraphForm)
    found = {role: ratio for role, ratio in ratios.items() if ratio and (ratio != 1 or wired)}
    said = [f"{_decimal(ratio)} : 1 at the {title(role)}" for role, ratio in found.items()]
    if said and wired:
        return f"Uniform traffic by minimal routing loads the busiest links {', '.join(said)}."
    return f"Bandwidth down to up is {', '.join(said)}." if said else ""


def _decimal(ratio: Fraction) -> str:
    return f"{float(ratio):,.4f}".rstrip("0").rstrip(".")


def _partial(blueprint: Blueprint) -> str:
    placement, sizes = blueprint.topology.server.axes, blueprint.sizes
    if isinstance(blueprint.topology, GraphForm):
        room = sizes["server"]
        return f"There is room for {_plural(room, 'server')}." if room > blueprint.servers else ""
    said = []
    for outer, inner in pairwise(placement):
        missing = sizes[filled_name(outer)] * sizes[inner] - sizes[filled_name(inner)]
        what = "servers" if inner == placement[-1] else f"{title(inner)}s"
        if missing:
            said.append(
                f"the last {title(outer)} holds {count(sizes[inner] - missing)} of {count(sizes[inner])} {what}"
            )
    return f"Filled in part: {'; '.join(said)}." if said else ""


def _apart(blueprint: Blueprint) -> list[str]:
    said = []
    if blueprint.topology.rails_meet_at is None and blueprint.leaves_per_server > 1:
        what = "rail" if blueprint.rails > 1 else title(blueprint.topology.rail_axes[0])
        said.append(f"The {what}s never meet: GPUs of different {what}s reach each other only through NVLink.")
    if isinstance(blueprint.topology, GraphForm) and blueprint.topology.routing.nic_levels:
        said.append(f"Each NIC has a port for each of {blueprint.topology.routing.nic_levels} levels of switches.")
        said += ["Servers pass on what goes from level to level."] if blueprint.topology.routing.server_relay else []
    if has_planes(blueprint):
        said.append("The planes are joined only at the NICs.")
    return said
