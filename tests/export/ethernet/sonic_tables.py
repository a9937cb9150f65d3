"""A reader of SONiC's tables by the grammar of its YANG models: keys, fields, ranges, and what refers to what.

As published in sonic-net/sonic-buildimage, src/sonic-yang-models/yang-models, in July 2026. `lanes` of a port, which
the models ask for, is among the tables of the switch onto which these are loaded where the model's are not known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

Check = Callable[[str], bool]

NAME = r"[a-zA-Z0-9]{1}([-a-zA-Z0-9_]{0,31})"


def one_of(*words: str) -> Check:
    """Return a check that a value is one of some words."""
    return lambda text: text in words


def between(least: int, most: int) -> Check:
    """Return a check that a value is a whole number in a range."""
    return lambda text: text.isascii() and text.isdecimal() and least <= int(text) <= most


def like(pattern: str) -> Check:
    """Return a check that a value has a form."""
    return lambda text: re.fullmatch(pattern, text) is not None


def is_a(kind: Callable[[str], Any]) -> Check:
    """Return a check that a value can be read as something."""

    def check(text: str) -> bool:
        try:
            kind(text)
        except ValueError:
            return False
        return True

    return check


def ref(table: str, prefix: str = "") -> str:
    """Return what stands for a reference to the first key of a table, or to its key that begins with a prefix."""
    return f"-> {table}|{prefix}"


BOOLEAN, PORT = one_of("true", "false"), ref("PORT")
ASN, BYTES, PERCENT = between(1, 4294967295), between(0, 2**64 - 1), between(0, 100)
COLOURS = ("green", "yellow", "red")
QOS_MAP = {str(each): between(0, 7) for each in range(8)}

Field = Check | str
GRAMMAR: Mapping[str, list[tuple[tuple[Field, ...], Mapping[str, Field]]]] = {
    "DEVICE_METADATA": [
        (
            (one_of("localhost"),),
            {
                "hostname": like(r"[a-zA-Z0-9-]{1,63}"),
                "type": one_of("ToRRouter", "LeafRouter", "SpineRouter"),
                "bgp_asn": ASN,
                "docker_routing_config_mode": one_of("separated", "unified", "split", "split-unified"),
                "frr_mgmt_framework_config": BOOLEAN,
                "buffer_model": one_of("dynamic", "traditional"),
            },
        )
    ],
    "PORT": [
        (
            (like("Ethernet[0-9]+"),),
            {
                "admin_status": one_of("up", "down"),
                "mtu": between(68, 9216),
                "speed": between(1, 1600000),
                "description": like(".{0,255}"),
                "alias": like(".{1,128}"),
                "index": between(0, 65535),
                "lanes": like(r"(?=.{1,128}$)[0-9]+(,[0-9]+)*"),
                "fec": one_of("rs", "fc", "none", "auto"),
            },
        )
    ],
    "BREAKOUT_CFG": [((like("Ethernet[0-9]+"),), {"brkout_mode": like(r"[1-8]x[0-9]+G(\[[0-9G,]+\])?")})],
    "LOOPBACK_INTERFACE": [((like("Loopback[0-9]+"),), {}), ((ref("LOOPBACK_INTERFACE"), is_a(IPv4Interface)), {})],
    "INTERFACE": [
        ((PORT,), {"ipv6_use_link_local_only": one_of("enable", "disable")}),
        ((ref("INTERFACE"), is_a(IPv4Interface)), {}),
    ],
    "BGP_GLOBALS": [
        (
            (one_of("default"),),
            {
                "local_asn": ASN,
                "router_id": is_a(IPv4Address),
                "load_balance_mp_relax": BOOLEAN,
                "fast_external_failover": BOOLEAN,
                "log_nbr_state_changes": BOOLEAN,
            },
        )
    ],
    "BGP_GLOBALS_AF": [((ref("BGP_GLOBALS"), one_of("ipv4_unicast")), {"max_ebgp_paths": between(1, 256)})],
    "BGP_GLOBALS_AF_AGGREGATE_ADDR": [
        ((ref("BGP_GLOBALS"), one_of("ipv4_unicast"), is_a(IPv4Network)), {"summary_only": BOOLEAN})
    ],
    "ROUTE_REDISTRIBUTE": [
        (
            (one_of("default"), one_of("connected"), one_of("bgp"), one_of("ipv4")),
            {"route_map": ref("ROUTE_MAP_SET")},
        )
    ],
    "ROUTE_MAP_SET": [((like(NAME),), {})],
    "ROUTE_MAP": [
        (
            (ref("ROUTE_MAP_SET"), between(1, 65535)),
            {"route_operation": one_of("permit", "deny"), "match_prefix_set": ref("PREFIX_SET")},
        )
    ],
    "PREFIX_SET": [((like(NAME),), {"mode": one_of("IPv4", "IPv6")})],
    "PREFIX": [
        (
            (ref("PREFIX_SET"), between(1, 4294967295), is_a(IPv4Network), like(r"exact|[0-9]+\.\.[0-9]+")),
            {"action": one_of("permit", "deny")},
        )
    ],
    "BGP_PEER_GROUP": [
        (
            (ref("BGP_GLOBALS"), like(NAME)),
            {"peer_type": one_of("internal", "external"), "bfd": BOOLEAN, "capability_ext_nexthop": BOOLEAN},
        )
    ],
    "BGP_PEER_GROUP_AF": [
        (
            (ref("BGP_GLOBALS"), ref("BGP_PEER_GROUP", "default|"), one_of("ipv4_unicast")),
            {"admin_status": one_of("up", "down")},
        )
    ],
    "BGP_NEIGHBOR": [((ref("BGP_GLOBALS"), PORT), {"peer_group_name": ref("BGP_PEER_GROUP", "default|")})],
    "CABLE_LENGTH": [((like(NAME),), {"*": like("[0-9]+m|None")})],
    "BUFFER_PG": [((PORT, like("[0-7]((-)[0-7])?")), {"profile": one_of("NULL")})],
    "LOSSLESS_TRAFFIC_PATTERN": [((like(NAME),), {"mtu": between(1, 9216), "small_packet_percentage": PERCENT})],
    "DSCP_TO_TC_MAP": [((like(NAME),), {str(dscp): between(0, 15) for dscp in range(64)})],
    "TC_TO_QUEUE_MAP": [((like(NAME),), QOS_MAP)],
    "TC_TO_PRIORITY_GROUP_MAP": [((like(NAME),), QOS_MAP)],
    "MAP_PFC_PRIORITY_TO_QUEUE": [((like(NAME),), QOS_MAP)],
    "PORT_QOS_MAP": [
        (
            (PORT,),
            {
                "dscp_to_tc_map": ref("DSCP_TO_TC_MAP"),
                "tc_to_queue_map": ref("TC_TO_QUEUE_MAP"),
                "tc_to_pg_map": ref("TC_TO_PRIORITY_GROUP_MAP"),
                "pfc_to_queue_map": ref("MAP_PFC_PRIORITY_TO_QUEUE"),
                "pfc_enable": like("([0-7](,[0-7])*)?"),
                "pfcwd_sw_enable": like("([0-7](,[0-7])*)?"),
            },
        )
    ],
    "PFC_WD": [
        ((one_of("GLOBAL"),), {"POLL_INTERVAL": between(100, 1000)}),
        (
            (PORT,),
            {
                "action": one_of("drop", "forward", "alert"),
                "detection_time": between(100, 5000),
                "restoration_time": between(100, 60000),
            },
        ),
    ],
    "SCHEDULER": [((like(NAME),), {"type": one_of("DWRR", "WRR", "STRICT"), "weight": between(1, 100)})],
    "WRED_PROFILE": [
        (
            (like(NAME),),
            {
                "ecn": one_of("ecn_all"),
                **{f"wred_{colour}_enable": BOOLEAN for colour in COLOURS},
                **{f"{colour}_{end}_threshold": BYTES for colour in COLOURS for end in ("min", "max")},
                **{f"{colour}_drop_probability": PERCENT for colour in COLOURS},
            },
        )
    ],
    "QUEUE": [((PORT, between(0, 7)), {"scheduler": ref("SCHEDULER"), "wred_profile": ref("WRED_PROFILE")})],
    "ARS_PROFILE": [
        (
            (like(NAME),),
            {
                "algorithm": one_of("ewma"),
                "ars_nhg_path_selector_mode": one_of("global", "interface", "nexthop"),
                "default_ars_object": ref("ARS_OBJECT"),
                "ipv4_enable": BOOLEAN,
            },
        )
    ],
    "ARS_OBJECT": [((like(NAME),), {"assign_mode": one_of("per_flowlet_quality", "per_packet_quality")})],
    "ARS_INTERFACE": [((PORT,), {})],
}
"""Of each table the forms of its keys, part by part, and the fields of a row: each a check, or what it refers to."""


def read_tables(text: str) -> dict[str, Any]:
    """Return the tables of a switch; fails where a key occurs twice, or the grammar does not allow them."""
    tables: dict[str, Any] = json.loads(text, object_pairs_hook=_refuse_twins)
    faults = list(_list_faults(tables))
    assert not faults, faults[:5]
    return tables


def _refuse_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), [key for key, _ in pairs]
    return dict(pairs)


def _list_faults(tables: dict[str, Any]) -> Iterator[str]:
    for table, rows in tables.items():
        if table not in GRAMMAR:
            yield f"{table}: unknown table"
            continue
        for key, row in rows.items():
            parts = key.split("|")
            forms = [form for form in GRAMMAR[table] if len(form[0]) == len(parts)]
            if not forms:
                yield f"{table}|{key}: a key of {len(parts)} parts"
                continue
            fitting = [form for form in forms if all(map(partial(_holds, tables), form[0], parts))]
            keys, fields = (fitting or forms)[0]
            yield from (
                f"{table}|{key}: {part}"
                for part, check in zip(parts, keys, strict=True)
                if not _holds(tables, check, part)
            )
            for name, value in row.items():
                check = fields.get(name, fields.get("*"))
                for each in value if isinstance(value, list) else [value]:
                    if check is None or not isinstance(each, str) or not _holds(tables, check, each):
                        yield f"{table}|{key}: {name} {each}"


def _holds(tables: dict[str, Any], check: Field, text: str) -> bool:
    if not isinstance(check, str):
        return check(text)
    table, _, prefix = check.removeprefix("-> ").partition("|")
    return prefix + text in tables.get(table, {})
