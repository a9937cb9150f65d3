"""The words around a picture: the fabric in one line, the models of its groups, and the notes under it."""

from __future__ import annotations

from collections.abc import Collection

from fabric.blueprint import Blueprint
from fabric.blueprint.appliances import describe_appliances
from fabric.blueprint.native_ports import tier_ports
from fabric.blueprint.port_use import port_use
from fabric.blueprint.server_kinds import list_kinds
from fabric.catalog import Server, Switch
from fabric.draw.sampling import axis_span, has_planes
from fabric.draw.style import style_of
from fabric.draw.words import count_devices
from fabric.topology.clos import filled_name
from fabric.topology.topology import Bundle, Group, title
from fabric.units import count, count_ends, count_noun, rate

__all__ = ["describe_bundle", "describe_place", "describe_ports", "model_title", "notes", "subtitle"]


def subtitle(blueprint: Blueprint) -> str:
    """Return the fabric in one line: size, family, tiers or the longest path, planes and where the rails meet."""
    planes = [count_noun(blueprint.planes, "plane")] if has_planes(blueprint) else []
    parts = [
        count_ends(blueprint.gpus, blueprint.servers),
        *([count_devices(blueprint.servers, "server")] if blueprint.gpus else []),
        blueprint.topology.family,
        style_of(blueprint).describe_size(),
        *planes,
        *_describe_rails(blueprint),
    ]
    return " · ".join(parts)


def _describe_rails(blueprint: Blueprint) -> list[str]:
    role = blueprint.topology.rails_meet_at
    if blueprint.rails == 1 or role == blueprint.topology.roles[0]:
        return []
    rails = f"{blueprint.rails} rails"
    return [f"{rails} that never meet" if role is None else f"{rails}, meeting at the {title(role)}"]


def model_title(blueprint: Blueprint, group: Group) -> str:
    """Return the model of a group without what is in brackets, or its catalogue name; several with their counts."""
    if server := blueprint.servers_by_role.get(group.role):
        return _short_title(server)
    models = blueprint.model_counts(group.role)
    several = (f"{count(number)} {_short_title(model)}" for model, number in models)
    return _short_title(models[0][0]) if len(models) == 1 else ", ".join(several)


def _short_title(part: Server | Switch) -> str:
    return part.title.partition(" (")[0] or part.name


def describe_ports(blueprint: Blueprint, group: Group) -> str:
    """Return how the ports of one device are used: `64 down, 64 up of 128 ports`."""
    if server := blueprint.servers_by_role.get(group.role):
        links = f"{count_noun(blueprint.ports_up(group.role), 'link')} up"
        return f"{count_noun(server.gpus, 'GPU')}, {links}" if server.gpus else links
    return (
        f"{style_of(blueprint).describe_ports(group)} of {count(tier_ports(blueprint, group.role).radix)} ports"
        f"{_describe_use(blueprint, group.role)}"
    )


def _describe_use(blueprint: Blueprint, role: str) -> str:
    """Return the ports connected now, where those are fewer than when the fabric is full: `; 16 in use now`."""
    use = port_use(blueprint, role)
    if use.least == use.full:
        return ""
    now = count(use.most) if use.least == use.most else f"{count(use.least)} to {count(use.most)}"
    return f"; {now} in use now"


def describe_bundle(blueprint: Blueprint, bundle: Bundle) -> tuple[str, str]:
    """Return the total links of a bundle, then those of each pair or device and their rate."""
    each = style_of(blueprint).describe_bundle(bundle)
    return count_noun(blueprint.links(bundle), "link"), f"{each}, {rate(blueprint.rate(bundle))}"


def describe_place(blueprint: Blueprint, axis: str) -> tuple[str, str]:
    """Return the number of places of an axis: within its parent, then the total."""
    placement = blueprint.topology.server.axes
    parent = placement[placement.index(axis) - 1] if placement.index(axis) else None
    total, each = blueprint.sizes[filled_name(axis)], axis_span(blueprint, axis)
    if parent is None or total == each:
        return f"{title(axis)} × {count(total)}", ""
    return f"{title(axis)} × {count(each)} in each {title(parent)}", f"{count(total)} in total"


def notes(blueprint: Blueprint, drawn: Collection[str] | None = None) -> tuple[str, ...]:
    """Return the notes: totals, oversubscription, what is partly filled, and what the fabric does not join.

    `drawn` are the roles of the devices that the picture has; by default, of unlike servers, those of the first kind.
    """
    style = style_of(blueprint)
    lines = [
        _total_note(blueprint),
        *_describe_other_servers(blueprint, drawn),
        style.load_note(),
        style.room_note(),
        *_separation_notes(blueprint),
    ]
    lines += describe_appliances(blueprint)
    return tuple(filter(None, lines))


def _describe_other_servers(blueprint: Blueprint, drawn: Collection[str] | None) -> list[str]:
    """Return the kinds of unlike servers that are not drawn, which leaves have instead of those drawn, or too."""
    kinds = list_kinds(blueprint)
    shown = [kind.server.name for kind in kinds if drawn is None or kind.server.name in drawn]
    shown = shown[:1] if drawn is None else shown
    unit = title(next(iter(blueprint.topology.server.axes[-2:-1]), "fabric"))
    each = [
        f"{count(kind.count)} {kind.server.name} ({kind.per_unit} in a full {unit}, {kind.server.nics} NICs of"
        f" {rate(kind.gbps)} each)"
        for kind in kinds
        if kind.server.name not in shown
    ]
    are = "is" if len(shown) == 1 else "are"
    return [f"Of unlike servers {' and '.join(shown)} {are} drawn; the others are {', '.join(each)}."] if each else []


def _total_note(blueprint: Blueprint) -> str:
    switches = count_noun(blueprint.switches, "switch", "switches")
    links, ends = count_noun(blueprint.links_total, "link"), count_ends(blueprint.gpus, blueprint.servers)
    return f"{switches} and {links} connect {ends}."


def _separation_notes(blueprint: Blueprint) -> list[str]:
    """Return the notes on rails, levels and planes that the switches do not join."""
    topology, lines = blueprint.topology, list[str]()
    if topology.rails_meet_at is None and blueprint.leaves_per_server > 1:
        rail = "rail" if blueprint.rails > 1 else title(topology.rail_axes[0])
        nvlink = f": GPUs of different {rail}s reach each other only through NVLink" if blueprint.gpus else ""
        lines.append(f"The {rail}s never meet{nvlink}.")
    if topology.routing.nic_levels:
        ports = "is the port for one" if blueprint.server.cards > 1 else "has a port for each"
        lines.append(f"Each NIC {ports} of {topology.routing.nic_levels} levels of switches.")
        lines += ["Servers forward traffic from level to level."] if topology.routing.server_relay else []
    if has_planes(blueprint):
        lines.append("The planes are joined only at the NICs.")
    return lines
