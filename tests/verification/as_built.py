"""What discovery tools say of a fabric that was built by its plan, as text that a test may spoil.

The text is written here line by line, without the export of `fabric`, and spoiled as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from random import Random

from fabric.export.plan import Plan

__all__ = ["AsBuilt", "Spoiled", "spoil"]

RATES = {100: "1xNDR", 200: "2xNDR", 400: "4xNDR", 800: "4xXDR"}
"""The width and speed of a link by its rate in Gb/s."""

End = tuple[str, int]
"""A device, by its GUID with `H-` or `S-`, and a port."""


@dataclass
class Record:
    """A device with what is at its ports."""

    name: str
    """Its node description."""
    head: list[str]
    """The lines before its ports."""
    ports: dict[int, tuple[str, int, str]] = field(default_factory=dict)
    """At each port the device and port at the other end, and the width and speed."""


@dataclass
class AsBuilt:
    """A discovered fabric as text."""

    records: dict[str, Record] = field(default_factory=dict)
    """The devices by GUID, in the order of the file."""
    no_names: bool = False
    """Whether node descriptions are those that adapters and switches have by default."""
    no_lids: bool = False
    """Whether no device has a LID."""
    labels: dict[End, str] = field(default_factory=dict)
    """The name of each planned port, as its vendor writes it."""

    @classmethod
    def of(cls, plan: Plan) -> AsBuilt:
        """Return the fabric as planned; every adapter is a device."""
        found = cls()
        for row in range(plan.network.links):
            rate = RATES.get(int(plan.link_gbps[row]), "4xNDR")
            one, other = _end(plan, row, 0), _end(plan, row, 1)
            for (name, (own, port)), (_, (peer, peer_port)) in ((one, other), (other, one)):
                found.records.setdefault(own, Record(name, _head(own))).ports[port] = (peer, peer_port, rate)
            for side, (_, end) in enumerate((one, other)):
                names = (plan.lower, plan.upper)[side]
                found.labels[end] = names.names[int(names.name[row])]
        return found

    @staticmethod
    def ends_of(plan: Plan, row: int) -> tuple[End, End]:
        """Return the two ends of a planned link."""
        return _end(plan, row, 0)[1], _end(plan, row, 1)[1]

    def cables(self) -> list[tuple[End, End]]:
        """Return the two ends of each cable, in order."""
        return [
            ((own, port), (peer, peer_port))
            for own, record in self.records.items()
            for port, (peer, peer_port, _) in record.ports.items()
            if (own, port) < (peer, peer_port)
        ]

    def at(self, end: End) -> End:
        """Return the other end of the cable at a port."""
        return self.records[end[0]].ports[end[1]][:2]

    def rate(self, end: End) -> str:
        """Return the width and speed of the cable at a port."""
        return self.records[end[0]].ports[end[1]][2]

    def plug(self, one: End, other: End, rate: str) -> None:
        """Lay a cable between two ports."""
        self.records[one[0]].ports[one[1]] = (*other, rate)
        self.records[other[0]].ports[other[1]] = (*one, rate)

    def unplug(self, end: End) -> End:
        """Take out the cable at a port, and return its other end."""
        far = self.at(end)
        del self.records[end[0]].ports[end[1]]
        del self.records[far[0]].ports[far[1]]
        return far

    def remove(self, device: str) -> None:
        """Take out a device with its cables."""
        for port in list(self.records[device].ports):
            self.unplug((device, port))
        del self.records[device]

    def text(self) -> str:
        """Return the file."""
        lines = ["# Topology file: generated on Mon Nov  2 08:00:00 2026", "#"]
        for number, (own, record) in enumerate(self.records.items(), 1):
            kind = f'Ca\t1 "{own}"' if own[0] == "H" else f'Switch\t64 "{own}"'
            name = self._name(own)
            end = "" if own[0] == "H" else f" enhanced port 0 lid {'' if self.no_lids else number} lmc 0"
            lines += ["", *record.head, f'{kind}\t\t# "{name}"{end}']
            for port, (peer, peer_port, rate) in sorted(record.ports.items()):
                lid = "" if self.no_lids else number
                lines.append(f'[{port}]\t"{peer}"[{peer_port}]\t\t# "{self._name(peer)}" lid {lid} {rate}')
        return "\n".join(lines) + "\n"

    def csv(self, random: Random) -> str:
        """Return a list of the cables, in any order and either end first, with the rate of each in Gb/s."""
        rows = []
        for one, other in self.cables():
            width, word = self.rate(one).split("x")
            gbps = int(width) * {"NDR": 100, "XDR": 200, "SDR": 2.5}[word]
            first, second = random.sample((one, other), 2)
            rows.append(
                f"{self._host(first[0])},{self.labels[first]},{self._host(second[0])},{self.labels[second]},{gbps}\n"
            )
        random.shuffle(rows)
        return "A-Node,A-Port,Z-Node,Z-Port,speed_gbps\n" + "".join(rows)

    def lldp(self, random: Random) -> dict[str, str]:
        """Return what lldpcli says on each switch, by its name: in one shape or the other, as JSON writes it."""
        files = {}
        for own, record in self.records.items():
            if own[0] == "S":
                ports = [(self.labels[own, port], far[0], far[1]) for port, far in record.ports.items()]
                random.shuffle(ports)
                write = random.choice((_write_json, _write_json0))
                rows = [(label, self._host(peer), self.labels[peer, port]) for label, peer, port in ports]
                files[record.name] = write(rows)
        return files

    def _host(self, own: str) -> str:
        """Return the name of a device without that of its adapter."""
        return self.records[own].name.split()[0]

    def _name(self, own: str) -> str:
        if not self.no_names:
            return self.records[own].name
        return "MT4129 ConnectX7   Mellanox Technologies" if own[0] == "H" else "Quantum Mellanox Technologies"


def _write_json(rows: list[tuple[str, str, str]]) -> str:
    """Return neighbours (port, host, far port) in the shape of `-f json`: one is an object, several are a list."""
    found = [
        f'{{"{port}": {{"chassis": {{"{host}": {{"mgmt-ip": "10.0.0.1"}}}},'
        f' "port": {{"id": {{"type": "ifname", "value": "{far}"}}}}}}}}'
        for port, host, far in rows
    ]
    return f'{{"lldp": {{"interface": {found[0] if len(found) == 1 else "[" + ", ".join(found) + "]"}}}}}'


def _write_json0(rows: list[tuple[str, str, str]]) -> str:
    """Return neighbours in the shape of `-f json0`, in which everything is a list."""
    found = [
        f'{{"name": "{port}", "chassis": [{{"name": [{{"value": "{host}"}}]}}],'
        f' "port": [{{"id": [{{"type": "ifname", "value": "{far}"}}]}}]}}'
        for port, host, far in rows
    ]
    return f'{{"lldp": [{{"interface": [{", ".join(found)}]}}]}}'


def _head(own: str) -> list[str]:
    guid = own[2:]
    which = f"caguid=0x{guid}" if own[0] == "H" else f"switchguid=0x{guid}({guid})"
    return ["vendid=0x2c9", "devid=0x1021", f"sysimgguid=0x{guid}", which]


@cache
def _most_parts(plan: Plan) -> list[int]:
    """Return the most parts of a port of each role: InfiniBand counts all ports of a switch in them."""
    found = [1] * len(plan.network.groups)
    for ends in (plan.lower, plan.upper):
        for role in range(len(found)):
            found[role] = max(found[role], int(ends.parts[plan.network.role[ends.device] == role].max(initial=1)))
    return found


def _end(plan: Plan, row: int, side: int) -> tuple[str, End]:
    """Return the node description and the end of a planned link."""
    ends = (plan.lower, plan.upper)[side]
    device, port, part, parts = (int(each[row]) for each in (ends.device, ends.port, ends.part, ends.parts))
    if plan.is_switch[device]:
        width = _most_parts(plan)[int(plan.network.role[device])]
        number = (port - 1) * width + part * (width // parts) + 1
        return plan.device_names[device], (f"S-{0x2C9000000000000 + device:016x}", number)
    host = int(plan.host[row])
    nic = re.sub(r"p\d+$", "", ends.names[int(ends.name[row])]) if parts > 1 else ends.names[int(ends.name[row])]
    return f"{plan.hosts.names[host]} {nic}", (f"H-{0x2C9010000000000 + host * 4096 + port:016x}", part + 1)


@dataclass
class Spoiled:
    """What was done to a fabric."""

    planned: set[frozenset[End]] = field(default_factory=set)
    """The planned cables that are no longer there, each as its two ends."""
    moves: int = 0
    """The fewest cable ends to move, where no cable was lost."""
    lost: int = 0
    """The cables that were lost."""
    slow: int = 0
    """The cables that run slower."""
    renamed: set[str] = field(default_factory=set)
    """The hosts that have each other's names."""
    gone: set[str] = field(default_factory=set)
    """The devices that are absent."""


def exchange_names(built: AsBuilt, random: Random, pairs: int, done: Spoiled) -> None:
    """Let pairs of hosts have each other's names."""
    hosts = sorted({record.name.split()[0] for own, record in built.records.items() if own[0] == "H"})
    chosen = random.sample(hosts, 2 * pairs)
    other = dict(zip(chosen, [*chosen[pairs:], *chosen[:pairs]], strict=True))
    for own, record in built.records.items():
        host, _, nic = record.name.partition(" ")
        if own[0] == "H":
            record.name = f"{other.get(host, host)} {nic}"
    done.renamed |= set(chosen)


def lose_switch(built: AsBuilt, random: Random, done: Spoiled) -> None:
    """Take out a switch that no host is at."""
    upper = [
        own
        for own, record in built.records.items()
        if own[0] == "S" and not any(peer[0] == "H" for peer, _, _ in record.ports.values())
    ]
    chosen = random.choice(upper)
    done.gone.add(built.records[chosen].name)
    built.remove(chosen)


def spoil(built: AsBuilt, seed: int, count: int, *, pairs: int = 0, switches: int = 0) -> Spoiled:
    """Make `count` mistakes at different cables, drawn with a seed, and return what they are.

    Before, some switches are taken out, and pairs of hosts get each other's names.
    """
    random, done = Random(seed), Spoiled()
    for _ in range(switches):
        lose_switch(built, random, done)
    exchange_names(built, random, pairs, done)
    fresh = _Cables(built, random)
    for _ in range(count):
        what = random.choice([_swap, _swap, _swap_within, _turn, _lose, _slow])
        what(built, random, fresh, done)
    return done


class _Cables:
    """The planned cables in random order, each taken once, so that no two mistakes meet."""

    def __init__(self, built: AsBuilt, random: Random) -> None:
        self.left = built.cables()
        random.shuffle(self.left)

    def take(self) -> tuple[End, End]:
        """Return a cable."""
        return self.left.pop()

    def take_at(self, switch: str, *others: str) -> tuple[End, End] | None:
        """Return a cable of a switch that leads to none of some devices, if one is left."""
        for place, cable in enumerate(self.left):
            devices = {device for device, _ in cable}
            if switch in devices and not devices & set(others):
                return self.left.pop(place)
        return None


def _turn_ends(built: AsBuilt, cables: list[tuple[End, End]], done: Spoiled, side: int) -> None:
    """Let each cable have the end of the next one."""
    rates = [built.rate(one) for one, _ in cables]
    for cable in cables:
        built.unplug(cable[0])
        done.planned.add(frozenset(cable))
    for place, cable in enumerate(cables):
        built.plug(cable[1 - side], cables[(place + 1) % len(cables)][side], rates[place])
    done.moves += len(cables)


def _swap(built: AsBuilt, random: Random, fresh: _Cables, done: Spoiled) -> None:
    """Exchange the ends of two cables."""
    _turn_ends(built, [fresh.take(), fresh.take()], done, random.randrange(2))


def _turn(built: AsBuilt, random: Random, fresh: _Cables, done: Spoiled) -> None:
    """Exchange the ends of three cables in turn."""
    _turn_ends(built, [fresh.take() for _ in range(3)], done, random.randrange(2))


def _swap_within(built: AsBuilt, _: Random, fresh: _Cables, done: Spoiled) -> None:
    """Exchange the ends of two cables at one switch."""
    one = fresh.take()
    here = max(one)
    far = min(one)
    other = fresh.take_at(here[0], far[0])
    if other:
        pair = [far, here], sorted(other, key=lambda end: end[0] == here[0])
        _turn_ends(built, [(each[0], each[1]) for each in pair], done, 1)


def _lose(built: AsBuilt, _: Random, fresh: _Cables, done: Spoiled) -> None:
    """Take out a cable."""
    cable = fresh.take()
    built.unplug(cable[0])
    done.planned.add(frozenset(cable))
    done.lost += 1


def _slow(built: AsBuilt, _: Random, fresh: _Cables, done: Spoiled) -> None:
    """Let a cable run at a lower rate."""
    cable = fresh.take()
    built.plug(*cable, "4xSDR")
    done.slow += 1
