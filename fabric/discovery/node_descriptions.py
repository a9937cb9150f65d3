"""The names of InfiniBand devices: what their owner called them, which part of a host or chassis, and the model."""

from __future__ import annotations

import re
from typing import NamedTuple

from fabric.discovery.discovery import AGGREGATION, HOST, SWITCH

__all__ = [
    "AGGREGATION_NODE",
    "Description",
    "cabled_ports",
    "describe",
    "lane_gbps_of_number",
    "lane_rate_gbps",
    "model_of",
]

LANE_GBPS = {
    "SDR": 2.5,
    "DDR": 5.0,
    "QDR": 10.0,
    "FDR10": 10.0,
    "FDR": 14.0,
    "EDR": 25.0,
    "HDR": 50.0,
    "NDR": 100.0,
    "XDR": 200.0,
}
"""The nominal rate of a lane in Gb/s, as rates are named: 4 lanes of FDR are 56 Gb/s (InfiniBand Trade Association)."""

DEVICES = {
    0xC738: "SwitchX",
    0xCB20: "Switch-IB",
    0xCF08: "Switch-IB 2",
    0xD2F0: "Quantum",
    0xD2F2: "Quantum-2",
    0xD2F4: "Quantum-3",
    0x1003: "ConnectX-3",
    0x1013: "ConnectX-4",
    0x1017: "ConnectX-5",
    0x101B: "ConnectX-6",
    0x1021: "ConnectX-7",
    0x1023: "ConnectX-8",
}
"""The device number of chips and their names (the PCI ID repository, vendor 15b3)."""

AGGREGATION_NODE = 0xCF09
"""The device number of SHARP's aggregation node, a host adapter inside a switch."""

_MANAGED = re.compile(r"MF0;(?P<name>[^:]*):(?P<model>[^/]*)/?(?P<part>.*)")

_VOLTAIRE = re.compile(r"(?P<model>Voltaire \S+) # (?P<name>\S.*)")

_ADAPTER = re.compile(r"(?P<name>\S+)\s+(?P<part>(?:mlx\d+_|HCA-|ib|bnxt_re|irdma|roce|hfi1_)\S*)", re.IGNORECASE)

_NAMED_PORT = re.compile(r"(?P<name>\S+)\s+(?P<part>[A-Za-z][\w.-]*\d[\w.-]*)")
"""A host and an adapter of any other name, such as a network interface's: `node7 enp28s0np0`."""

_MODEL = re.compile(
    r".*\b(?:Mellanox|Voltaire|QLogic|Intel|NVIDIA|Technologies|ConnectX\S*|InfiniHost|InfiniScale\S*)\b.*",
    re.IGNORECASE,
)

_UNSET = re.compile(r"localhost(?:\.\S*)?|\(none\)|unknown|n/?a|0x[0-9a-f]+", re.IGNORECASE)


class Description(NamedTuple):
    """What a node description says."""

    name: str
    """The name that the owner gave the host or switch; empty where there is none."""
    part: str
    """The adapter of a host, or the chip of a chassis; empty where it is the whole."""
    model: str
    """The model; empty where it does not say."""
    kind: int
    """An index into `KINDS`; a switch or host only by what follows from the text."""


def describe(text: str, kind: int) -> Description:
    """Return what a description says: `host mlx5_0`, `MF0;leaf1:MQM9701/U1`, a bare model; of the kind where known."""
    text = text.strip()
    if "aggregation node" in text.lower() and kind != SWITCH:
        return Description("", "", text, AGGREGATION)
    if managed := _MANAGED.fullmatch(text):
        part = managed["part"]
        return Description(managed["name"], "" if part == "U1" else part, managed["model"], SWITCH)
    if voltaire := _VOLTAIRE.fullmatch(text):
        return Description(voltaire["name"], "", voltaire["model"], kind)
    if (adapter := _ADAPTER.fullmatch(text)) and kind != SWITCH:
        name = "" if _UNSET.fullmatch(adapter["name"]) else adapter["name"]
        return Description(name, adapter["part"], "", HOST)
    if _MODEL.fullmatch(text):
        return Description("", "", text, kind)
    if kind == HOST and (adapter := _NAMED_PORT.fullmatch(text)) and not _UNSET.fullmatch(adapter["name"]):
        return Description(adapter["name"], adapter["part"], "", HOST)
    return Description("" if _UNSET.fullmatch(text) else text, "", "", kind)


def model_of(device_number: int) -> str:
    """Return the chip of a device number, empty for one that is not known."""
    return DEVICES.get(device_number, "")


def lane_rate_gbps(word: str) -> float:
    """Return the rate of a lane in Gb/s by its word, such as NDR; NaN for one that is not known."""
    return LANE_GBPS.get(word.upper(), float("nan"))


def lane_gbps_of_number(number: float) -> float:
    """Return the nominal rate of a lane from its rate in Gb/s as some tools write it, such as 14.0625 or 25.78125."""
    return min(LANE_GBPS.values(), key=lambda known: abs(known - number))


def cabled_ports(ports: int, kind: int) -> int:
    """Return the ports for cables of a device that says to have `ports`.

    Switches have an even number of ports for cables: a 64-port one with an aggregation node says that it has 65.
    """
    return ports - 1 if kind == SWITCH and ports % 2 and ports > 1 else ports
