"""The configuration of SONiC for every switch: tables of its `config_db.json` that a design decides.

They are loaded onto a switch's own tables (`config load`): its memory and its type of hardware are not known here, and
which lanes of its chip a port has is known of some models. BGP is that of the unified model
(`frr_mgmt_framework_config`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fabric.catalog import PortPart, port_name_systems
from fabric.export.ethernet.addresses import PORT_LENGTH
from fabric.export.ethernet.batches import Batches
from fabric.export.ethernet.ethernet_plan import EthernetPlan, SwitchEnds, refuse_others, with_port_names
from fabric.export.ethernet.frr import MOST_PATHS
from fabric.export.ethernet.lossless import (
    CNP_CLASS,
    CNP_DSCP,
    FRAME_BYTES,
    MARK_PERCENT,
    ROCE_CLASS,
    ROCE_DSCP,
    ROCE_SHARE,
    mark_bytes,
)
from fabric.export.ethernet.sonic_ports import breakout_mode, list_port_fields
from fabric.export.ethernet.texts import choose_texts, join_texts, number_texts, spell_address, spell_addresses
from fabric.export.file_format import Witness
from fabric.export.plan import PlanFormat
from fabric.resources import Work

__all__ = ["SONIC", "write_sonic"]

TYPES = ("ToRRouter", "LeafRouter", "SpineRouter")
"""What SONiC calls the switches of each tier; those above the third are as those of the third."""

MAP = "roce"
"""The name of the maps from DSCP values to classes, and from these to queues."""

CLASSES = range(8)
"""The traffic classes."""

QUEUES = {0: "other", ROCE_CLASS: "roce", CNP_CLASS: "cnp"}
"""The queues in use, each with its scheduler."""

TABLE_METRES = np.array([5, 40, 300])
"""The lengths of cables that SONiC's own tables have, in metres (docs.nvidia.com, SONiC, QoS and Buffers)."""

WATCH_MS, WATCHED_PORTS, MOST_POLL_MS = 200, 32, 1000
"""The PFC watchdog's time in ms for each 32 ports of a switch, to detect a queue that is stuck and to restore it, and
the most time between two looks: what `pfcwd start_default` sets (github.com/sonic-net/sonic-utilities)."""

SEPARATOR = ",\n        "
"""What stands between the rows of a table."""

Tables = dict[str, dict[str, Any]]

COMMON: Tables = {
    "DSCP_TO_TC_MAP": {
        MAP: {str(dscp): str({ROCE_DSCP: ROCE_CLASS, CNP_DSCP: CNP_CLASS}.get(dscp, 0)) for dscp in range(64)}
    },
    "TC_TO_QUEUE_MAP": {MAP: {str(each): str(each) for each in CLASSES}},
    "TC_TO_PRIORITY_GROUP_MAP": {MAP: {str(each): str(ROCE_CLASS if each == ROCE_CLASS else 0) for each in CLASSES}},
    "MAP_PFC_PRIORITY_TO_QUEUE": {MAP: {str(each): str(each) for each in CLASSES}},
    "SCHEDULER": {
        "roce": {"type": "DWRR", "weight": str(ROCE_SHARE)},
        "other": {"type": "DWRR", "weight": str(100 - ROCE_SHARE)},
        "cnp": {"type": "STRICT"},
    },
    "LOSSLESS_TRAFFIC_PATTERN": {"AZURE": {"mtu": str(FRAME_BYTES), "small_packet_percentage": "100"}},
    "ROUTE_MAP_SET": {"own": {}},
    "ROUTE_MAP": {"own|10": {"route_operation": "permit", "match_prefix_set": "own"}},
    "PREFIX_SET": {"own": {"mode": "IPv4"}},
    "ROUTE_REDISTRIBUTE": {"default|connected|bgp|ipv4": {"route_map": ["own"]}},
    "BGP_PEER_GROUP": {"default|fabric": {"peer_type": "external", "bfd": "true", "capability_ext_nexthop": "true"}},
    "BGP_PEER_GROUP_AF": {"default|fabric|ipv4_unicast": {"admin_status": "up"}},
}
"""The tables that are alike on all switches. The pattern of traffic counts with small packets only, the worst case."""

ADAPTIVE: Tables = {
    "ARS_PROFILE": {
        "fabric": {
            "algorithm": "ewma",
            "ars_nhg_path_selector_mode": "interface",
            "default_ars_object": "fabric",
            "ipv4_enable": "true",
        }
    },
    "ARS_OBJECT": {"fabric": {"assign_mode": "per_packet_quality"}},
}
"""The tables of switches that choose among paths by their load."""


def write_sonic(plan: EthernetPlan) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield the tables of every switch as JSON, `config_db.json` in a folder by its name.

    Headroom is what SONiC derives from the length and the rate of each cable: by a formula on NVIDIA's switches, and by
    a table on others, which has 5, 40 and 300 metres, so that lengths are rounded up to these.
    """
    named, ports = with_port_names(plan.plan, "sonic"), plan.ports
    dynamic = np.array([model.vendor == "NVIDIA" for model in plan.switch_models])
    lines = Batches(ports.start, lambda rows: _list_rows(plan, plan.list_ends(named, rows), dynamic, rows))
    for row, name in enumerate(plan.switch_names):
        yield f"{name}/config_db.json", _write_switch(plan, row, lines)


def _write_switch(
    plan: EthernetPlan, row: int, lines: Batches[tuple[SwitchEnds, Mapping[str, list[str]]]]
) -> Iterator[str]:
    """Yield the pieces of a switch's tables."""
    (ends, tables), own = lines.of(row)
    model = plan.switch_models[row]
    fixed = {**COMMON, **_list_own(plan, row), **(ADAPTIVE if model.adaptive_routing else {})}
    text = {table: _write_table(rows) for table, rows in fixed.items()}
    text |= {table: _join_rows(rows[own]) for table, rows in tables.items()}
    poll_ms = min(MOST_POLL_MS, int(_watch_ms(np.array(own.stop - own.start))))
    text["PFC_WD"] = _join_rows([*tables["PFC_WD"][own], f'"GLOBAL": {{"POLL_INTERVAL": "{poll_ms}"}}'])
    text["CABLE_LENGTH"] = '{\n        "AZURE": ' + text["CABLE_LENGTH"] + "\n    }"
    rates = np.unique(plan.gbps[plan.ports.start[row] : plan.ports.start[row + 1]])
    text["WRED_PROFILE"] = _write_table(dict(map(_mark, rates.tolist())))
    text["BREAKOUT_CFG"] = _write_table(dict(_list_breakouts(plan, ends, own, row)))
    if not model.adaptive_routing:
        del text["ARS_INTERFACE"]
    filled = sorted((table, rows) for table, rows in text.items() if rows != "{}")
    yield "{\n"
    yield ",\n".join(f'    "{table}": {rows}' for table, rows in filled)
    yield "\n}\n"


def _list_own(plan: EthernetPlan, row: int) -> Tables:
    """Return the tables of a switch that are not of its ports."""
    addresses, between = plan.addresses, int(plan.between[row])
    loopback = spell_address(int(addresses.loopback[row]))
    metadata = {
        "hostname": plan.switch_names[row],
        "type": TYPES[min(int(plan.tiers[row]), len(TYPES) - 1)],
        "bgp_asn": str(addresses.asn[row]),
        "docker_routing_config_mode": "unified",
        "frr_mgmt_framework_config": "true",
        "buffer_model": "dynamic" if plan.switch_models[row].vendor == "NVIDIA" else "traditional",
    }
    tables: Tables = {
        "DEVICE_METADATA": {"localhost": metadata},
        "LOOPBACK_INTERFACE": {"Loopback0": {}, f"Loopback0|{loopback}/32": {}},
        "BGP_GLOBALS": {
            "default": {
                "local_asn": str(addresses.asn[row]),
                "router_id": loopback,
                "load_balance_mp_relax": "true",
                "fast_external_failover": "true",
                "log_nbr_state_changes": "true",
            }
        },
        "BGP_GLOBALS_AF": {"default|ipv4_unicast": {"max_ebgp_paths": str(min(MOST_PATHS, max(1, between)))}},
        "PREFIX": {f"own|5|{loopback}/32|exact": {"action": "permit"}},
    }
    if addresses.has_hosts[row]:
        length = addresses.prefix_length
        prefix = f"{spell_address(int(addresses.host_prefix[row]))}/{length}"
        tables["PREFIX"][f"own|10|{prefix}|{length}..32"] = {"action": "permit"}
        if length < PORT_LENGTH:
            tables["BGP_GLOBALS_AF_AGGREGATE_ADDR"] = {f"default|ipv4_unicast|{prefix}": {"summary_only": "true"}}
    return tables


def _list_rows(
    plan: EthernetPlan, ends: SwitchEnds, dynamic: npt.NDArray[np.bool_], rows: slice
) -> tuple[SwitchEnds, Mapping[str, list[str]]]:
    """Return the rows of some cabled ports in each table of ports, as text, beside their ends."""
    ports, gbps, length, name = plan.ports, plan.gbps[rows], plan.metres[rows], join_texts('"', ends.name)
    to_host = ports.to_host[rows]
    maps = (
        f'"dscp_to_tc_map": "{MAP}", "tc_to_queue_map": "{MAP}", "tc_to_pg_map": "{MAP}", "pfc_to_queue_map": "{MAP}"'
    )
    description = join_texts(ends.peer, " ", ends.peer_port)
    physical = ('"admin_status": "up", "mtu": "', str(FRAME_BYTES), '", "speed": "', number_texts(gbps * 1000))
    alone = join_texts(name, '": {"ipv6_use_link_local_only": "enable"}')
    address = join_texts(name, '": {}', SEPARATOR, name, "|", spell_addresses(ports.gateway[rows]), '/31": {}')
    marks = join_texts(', "wred_profile": "rate-', number_texts(gbps), 'g"')
    queues = [
        join_texts(name, f'|{queue}": {{"scheduler": "{scheduler}"', marks if queue == ROCE_CLASS else "", "}")
        for queue, scheduler in QUEUES.items()
    ]
    on_dynamic = dynamic[ports.device[rows] - plan.addresses.first_switch]
    listed = np.append(TABLE_METRES, np.iinfo(np.int64).max)[np.searchsorted(TABLE_METRES, length)]
    metres = np.where(on_dynamic | (length > TABLE_METRES[-1]), np.maximum(1, length), listed)
    watch_ms = number_texts(_watch_ms(np.diff(ports.start)[ports.device[rows] - plan.addresses.first_switch]))
    times = '"detection_time": "', watch_ms, '", "restoration_time": "', watch_ms
    pool = join_texts(name, f'|{ROCE_CLASS}": {{"profile": "NULL"}}')
    tables = {
        "PORT": join_texts(
            name, '": {', *physical, '"', list_port_fields(plan, ends, rows), ', "description": "', description, '"}'
        ),
        "INTERFACE": choose_texts(to_host, address, alone),
        "BGP_NEIGHBOR": choose_texts(
            to_host, "", join_texts('"default|', ends.name, '": {"peer_group_name": "fabric"}')
        ),
        "CABLE_LENGTH": join_texts(name, '": "', number_texts(metres), 'm"'),
        "PORT_QOS_MAP": join_texts(
            name, f'": {{{maps}, "pfc_enable": "{ROCE_CLASS}", "pfcwd_sw_enable": "{ROCE_CLASS}"}}'
        ),
        "PFC_WD": join_texts(name, '": {"action": "drop", ', *times, '"}'),
        "QUEUE": join_texts(queues[0], *(part for each in queues[1:] for part in (SEPARATOR, each))),
        "BUFFER_PG": choose_texts(on_dynamic, pool, ""),
        "ARS_INTERFACE": choose_texts(to_host, "", join_texts(name, '": {}')),
    }
    return ends, {table: texts.to_pylist() for table, texts in tables.items()}


def _watch_ms(ports: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the time in ms for which a queue must be paused to count as stuck, by the ports of its switch in use."""
    return WATCH_MS * ((ports - 1) // WATCHED_PORTS + 1)


def _mark(gbps: int) -> tuple[str, dict[str, str]]:
    """Return the name of the profile of marks of ports of a rate, and the profile."""
    least, most = mark_bytes(gbps)
    profile = {"ecn": "ecn_all"}
    for colour in ("green", "yellow", "red"):
        profile |= {
            f"wred_{colour}_enable": "true",
            f"{colour}_min_threshold": str(least),
            f"{colour}_max_threshold": str(most),
            f"{colour}_drop_probability": str(MARK_PERCENT),
        }
    return f"rate-{gbps}g", profile


def _list_breakouts(plan: EthernetPlan, ends: SwitchEnds, own: slice, row: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the first part of each split port of a switch, and how the port is split."""
    split, model = ends.parts[own] > 1, plan.switch_models[row]
    gbps = plan.gbps[plan.ports.start[row] : plan.ports.start[row + 1]]
    columns = (ends.port[own][split], ends.parts[own][split], gbps[split])
    found = np.unique(np.stack(columns, axis=1), axis=0).tolist()
    names = port_name_systems()["sonic"].spell(model, [PortPart(port - 1, 0, parts) for port, parts, _ in found])
    for name, (_, parts, rate) in zip(names, found, strict=True):
        yield name, {"brkout_mode": breakout_mode(model, parts, rate)}


def _write_table(rows: Mapping[str, Any]) -> str:
    """Return a table as JSON, a line for each row."""
    return _join_rows([f"{json.dumps(key)}: {json.dumps(value)}" for key, value in rows.items()])


def _join_rows(rows: list[str]) -> str:
    """Return the rows of a table as JSON; empty ones are left out."""
    filled = [row for row in rows if row]
    return "{\n        " + SEPARATOR.join(filled) + "\n    }" if filled else "{}"


SONIC = PlanFormat(
    "sonic",
    (),
    "SONiC 202511 and newer, config load",
    "ports, addresses, eBGP, lossless RoCE, adaptive routing of each switch",
    lambda plan: write_sonic(EthernetPlan(plan)),
    refuse_others,
    row=Work(memory_bytes=500, seconds=1.5e-5),
    folder=True,
    witness=Witness("grammar", "sonic-yang-models of 2026-07"),
)
"""The format of SONiC."""
