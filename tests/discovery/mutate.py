"""Spoil the text of ibnetdiscover as building sites and tools do, with a seed and a list of what was done."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random

__all__ = ["Mutated", "add_aggregation_nodes", "add_strangers", "drop_lids", "exchange", "mutate", "strip_names"]

PORT = re.compile(r'^\[(\d+)\](\(\w+\))?(\s+)"([SH]-\w+)"\[(\d+)\](.*)$')
DEVICE = re.compile(r'^(Switch|Ca)\s+(\d+)\s+"([SH]-\w+)"')

End = tuple[str, str]
"""A device, by its GUID with `S-` or `H-`, and a port."""


@dataclass
class Mutated:
    """A text and what was done to it."""

    text: str
    """The text."""
    gone: set[frozenset[End]] = field(default_factory=set)
    """The cables that are no longer there, each as its two ends."""
    new: set[frozenset[End]] = field(default_factory=set)
    """The cables that are there instead."""
    done: list[str] = field(default_factory=list)
    """What was done, in order."""


def mutate(text: str, seed: int, exchanges: int = 3) -> Mutated:
    """Exchange the ends of cables, then add one or more kinds of dirt that change no cable of what was there."""
    random = Random(seed)
    result = exchange(Mutated(text), random, exchanges)
    dirt = [strip_names, drop_lids, reorder, add_aggregation_nodes, add_strangers]
    for spoil in random.sample(dirt, random.randint(1, len(dirt))):
        spoil(result, random)
    return result


def _rows(lines: list[str]) -> dict[End, int]:
    """Return the line of each port of each device."""
    own, rows = "", {}
    for row, line in enumerate(lines):
        if device := DEVICE.match(line):
            own = device[3]
        elif port := PORT.match(line):
            rows[own, port[1]] = row
    return rows


def _far(line: str) -> End:
    found = PORT.match(line)
    assert found
    return found[4], found[5]


def _point(line: str, like: str) -> str:
    """Return the line of a port with the far end of another line."""
    own, other = PORT.match(line), PORT.match(like)
    assert own
    assert other
    return f'[{own[1]}]{own[2] or ""}{own[3]}"{other[4]}"[{other[5]}]{other[6]}'


def exchange(result: Mutated, random: Random, count: int) -> Mutated:
    """Put the far ends of pairs of cables into each other's ports, in the records of all four devices."""
    lines = result.text.splitlines()
    rows = _rows(lines)
    ends = sorted(rows)
    random.shuffle(ends)
    used: set[End] = set()
    for one in ends:
        if len(result.new) == 2 * count:
            break
        other = random.choice(ends)
        group = [one, other, _far(lines[rows[one]]), _far(lines[rows[other]])]
        if len(set(group)) < 4 or used & set(group) or not all(end in rows for end in group):
            continue
        used |= set(group)
        first, second = group[2], group[3]
        result.gone |= {frozenset((one, first)), frozenset((other, second))}
        result.new |= {frozenset((one, second)), frozenset((other, first))}
        for left, right in ((one, other), (first, second)):
            here, there = lines[rows[left]], lines[rows[right]]
            lines[rows[left]], lines[rows[right]] = _point(here, there), _point(there, here)
        result.done.append(f"{one} and {other} exchange their far ends")
    result.text = "\n".join(lines) + "\n"
    return result


def strip_names(result: Mutated, random: Random) -> None:
    """Give every device the description that its hardware has, or only adapters."""
    result.text = re.sub(r'"[\w.-]+ (?:mlx5_|HCA-)\d+"', '"MT4129 ConnectX7   Mellanox Technologies"', result.text)
    if random.random() < 0.5:
        result.text = re.sub(r'"MF0;[^"]*"', '"Quantum Mellanox Technologies"', result.text)
    result.done.append("names stripped")


def drop_lids(result: Mutated, random: Random) -> None:  # noqa: ARG001
    """Leave out the numbers of LIDs, as before a subnet manager ran."""
    result.text = re.sub(r"lid \d+", "lid ", result.text)
    result.done.append("LIDs dropped")


def reorder(result: Mutated, random: Random) -> None:
    """Put the records in another order, with no blank lines between them."""
    records = [part for part in result.text.split("\n\n") if part.strip()]
    random.shuffle(records)
    result.text = "\n".join(part.strip("\n") for part in records) + "\n\n"
    result.done.append("records in another order")


def add_aggregation_nodes(result: Mutated, random: Random) -> None:
    """Give some switches a node of SHARP on the port past their last."""
    records = []
    for switch, last in [(m[2], int(m[1])) for m in re.finditer(r'Switch\s+(\d+)\s+"(S-\w+)"', result.text)]:
        if random.random() < 0.5:
            guid = f"{0xA << 60 | len(records):016x}"
            records.append(
                f"vendid=0x2c9\ndevid=0xcf09\nsysimgguid=0x{switch[2:]}\ncaguid=0x{guid}\n"
                f'Ca\t1 "H-{guid}"\t\t# "Mellanox Technologies Aggregation Node"\n'
                f'[1]({guid}) \t"{switch}"[{last}]\t\t# lid 1 lmc 0 "x" lid 1 4xHDR\n'
            )
    result.text += "\n" + "\n".join(records)
    result.done.append(f"{len(records)} aggregation nodes added")


def add_strangers(result: Mutated, random: Random) -> None:
    """Add a switch with hosts that no plan has and no cable joins to the rest."""
    number = random.randrange(1 << 16)
    switch = f"{0xB << 60 | number:016x}"
    text = f'\nSwitch\t36 "S-{switch}"\t\t# "lab" base port 0 lid 9 lmc 0\n'
    for port in (1, 2):
        text += f'[{port}]\t"H-{0xC << 60 | number << 8 | port:016x}"[1]({port}) \t\t# "lab{port} mlx5_0" lid 8 4xEDR\n'
    result.text += text
    result.done.append("a stranger added")
