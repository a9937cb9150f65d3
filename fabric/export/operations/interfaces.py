"""The names of interfaces of Linux for ports, which laboratories of virtual devices give to their links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fabric.export.plan import Plan

__all__ = ["LONGEST", "name_interfaces"]

LONGEST = 15
"""The most characters of the name of an interface of Linux (IFNAMSIZ is 16, with the zero at the end)."""

RESERVED = "eth0"
"""The interface of a container to the management network."""

_OTHER = re.compile(r"[^A-Za-z0-9_.-]+")


def name_interfaces(plan: Plan) -> dict[str, str]:
    """Return for each name of a port a name that Linux takes, different for different ports, and the same where it can.

    Characters that Linux or the file of a laboratory doesn't take become a hyphen, and a number is that of a `port`.
    Where that is too long, or another port has it, the port is `if1`, `if2` and so on, by its place among all names.
    """
    names: dict[str, str] = {}
    taken = {RESERVED}
    for number, port in enumerate(dict.fromkeys((*plan.lower.names, *plan.upper.names)), 1):
        name = _OTHER.sub("-", port).strip("-.")
        name = f"port{name}" if name[:1].isdigit() else name
        if not name or len(name) > LONGEST or name in taken:
            name = f"if{number}"
        while name in taken:
            name = f"x{name}"
        taken.add(name)
        names[port] = name
    return names
