"""The text that ibnetdiscover writes about a two-tier fabric, made line by line and without our own export."""

from __future__ import annotations


def guid(kind: int, number: int) -> str:
    """Return a GUID of 16 digits: its own range for each kind of device."""
    return f"{0x2C9000000000000 + (kind << 40) + (number << 8):016x}"


def host_record(number: int, leaf: int, port: int, rate: str = "4xNDR") -> str:
    """Return the record of a host's adapter at a port of a leaf."""
    own, far = guid(1, number), guid(2, leaf)
    return (
        f"vendid=0x2c9\ndevid=0x1021\nsysimgguid=0x{own.lstrip('0')}\ncaguid=0x{own.lstrip('0')}\n"
        f'Ca\t1 "H-{own}"\t\t# "node{number:05} mlx5_0"\n'
        f'[1]({own.lstrip("0")}) \t"S-{far}"[{port}]\t\t# lid {number + 1} lmc 0 "leaf{leaf:03}" lid 1 {rate}\n\n'
    )


def switch_record(name: str, own: str, ports: int, lines: list[str]) -> str:
    """Return the record of a switch, its last port past those for cables."""
    short = own.lstrip("0")
    return (
        f"vendid=0x2c9\ndevid=0xd2f2\nsysimgguid=0x{short}\nswitchguid=0x{short}({short})\n"
        f'Switch\t{ports + 1} "S-{own}"\t\t# "MF0;{name}:MQM9700/U1" enhanced port 0 lid 7 lmc 0\n'
        + "".join(lines)
        + "\n"
    )


def two_tiers(leaves: int, hosts: int, spines: int) -> str:
    """Return the text of leaves with `hosts` each, and one cable to every spine."""
    records = []
    for leaf in range(leaves):
        lines = []
        for port in range(1, hosts + 1):
            number = leaf * hosts + port - 1
            own = guid(1, number)
            lines.append(f'[{port}]\t"H-{own}"[1]({own.lstrip("0")}) \t\t# "node{number:05} mlx5_0" lid 3 4xNDR\n')
        for spine in range(spines):
            far = guid(3, spine)
            lines.append(
                f'[{hosts + 1 + spine}]\t"S-{far}"[{leaf + 1}]\t\t# "MF0;spine{spine:03}:MQM9700/U1" lid 2 4xNDR\n'
            )
        records.append(switch_record(f"leaf{leaf:03}", guid(2, leaf), 2 * hosts, lines))
    for spine in range(spines):
        lines = [
            f'[{leaf + 1}]\t"S-{guid(2, leaf)}"[{hosts + 1 + spine}]\t\t# "MF0;leaf{leaf:03}:MQM9700/U1" lid 5 4xNDR\n'
            for leaf in range(leaves)
        ]
        records.append(switch_record(f"spine{spine:03}", guid(3, spine), leaves + leaves % 2, lines))
    records += [host_record(number, number // hosts, number % hosts + 1) for number in range(leaves * hosts)]
    head = (
        "#\n# Topology file: generated on Tue Jun  5 14:15:10 2026\n#\n# Initiated from node 2c90000 port 2c90000\n\n"
    )
    return head + "".join(records)
