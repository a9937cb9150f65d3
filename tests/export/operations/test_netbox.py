"""NetBox's import files: each row's columns are those of its forms, and all that a row names was imported before."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from typing import Any

import jsonschema
import pytest
import yaml

from tests.export.operations.links import many_plans
from tests.export.plans import draw_plans, shipped_plan
from tests.export.simulators.drawn import texts_of

COLUMNS = {
    "01-manufacturers.csv": ("name", "slug"),
    "02-device-roles.csv": ("name", "slug", "color", "vm_role"),
    "03-sites.csv": ("name", "slug", "status"),
    "04-locations.csv": ("site", "name", "slug", "status"),
    "06-racks.csv": ("site", "location", "name", "status", "width", "u_height", "max_weight", "weight_unit"),
    "07-devices.csv": (
        "name", "role", "manufacturer", "device_type", "status", "site", "location", "rack", "position", "face",
    ),
    "08-cables.csv": (
        "side_a_site", "side_a_device", "side_a_type", "side_a_name", "side_b_site", "side_b_device", "side_b_type",
        "side_b_name", "type", "status", "label", "length", "length_unit",
    ),
}  # fmt: skip
"""The columns, each a field of the form in `netbox/dcim/forms/bulk_import.py`, and all of the fields that it needs."""

SLUG = re.compile("[-a-z0-9_]{1,100}")

INTERFACES = {
    "other", "infiniband-edr", "infiniband-hdr", "infiniband-ndr", "infiniband-xdr", "25gbase-x-sfp28",
    "50gbase-x-sfp56", "100gbase-x-qsfp28", "100gbase-x-qsfpdd", "200gbase-x-qsfp56", "200gbase-x-qsfpdd",
    "400gbase-x-qsfp112", "400gbase-x-qsfpdd", "400gbase-x-osfp", "800gbase-x-qsfpdd", "800gbase-x-osfp",
}  # fmt: skip
"""Some of NetBox's types of interfaces (`InterfaceTypeChoices`)."""

CABLES = {"", "dac-passive", "dac-active", "aoc", "mmf", "mmf-om3", "mmf-om4", "smf", "smf-os2"}
"""Some of NetBox's types of cables (`CableTypeChoices`)."""

NAME = {"type": "string", "minLength": 1, "maxLength": 64}
DEVICE_TYPE = {
    "type": "object",
    "required": ["manufacturer", "model", "slug", "u_height", "is_full_depth"],
    "additionalProperties": False,
    "dependentRequired": {"weight": ["weight_unit"], "weight_unit": ["weight"]},
    "properties": {
        "manufacturer": {"type": "string", "maxLength": 100},
        "model": {"type": "string", "maxLength": 100},
        "slug": {"type": "string", "maxLength": 100, "pattern": "^[-a-z0-9_]+$"},
        "part_number": {"type": "string", "maxLength": 50},
        "u_height": {"type": "number", "minimum": 0, "multipleOf": 0.5},
        "is_full_depth": {"type": "boolean"},
        "weight": {"type": "number", "minimum": 0},
        "weight_unit": {"enum": ["kg", "g", "lb", "oz"]},
        "comments": {"type": "string"},
        "interfaces": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "type"],
                "additionalProperties": False,
                "properties": {"name": NAME, "type": {"enum": sorted(INTERFACES)}},
            },
        },
    },
}
"""What the device-type library's `schema/devicetype.json` says of the keys that are written, and no others."""


VALIDATOR = jsonschema.Draft202012Validator(DEVICE_TYPE)


class Inventory:
    """What an import of the files leaves, file by file in the order of their names; it refuses what NetBox does."""

    def __init__(self, texts: dict[str, str]) -> None:
        assert sorted(texts) == [*texts]
        self.tables: dict[str, list[dict[str, str]]] = {}
        self.types: dict[tuple[str, str], dict[str, Any]] = {}
        for file, text in texts.items():
            if file.endswith(".yaml"):
                self._add_type(yaml.load(text, yaml.CSafeLoader))
                continue
            head, *rows = csv.reader(io.StringIO(text))
            assert tuple(head) == COLUMNS[file]
            self.tables[file] = [dict(zip(head, row, strict=True)) for row in rows]
        assert self.tables.keys() == COLUMNS.keys()

    def _add_type(self, document: dict[str, Any]) -> None:
        VALIDATOR.validate(document)
        key = document["manufacturer"], document["model"]
        assert key[0] in self.names("01-manufacturers.csv")
        assert key not in self.types
        assert document["slug"] not in {each["slug"] for each in self.types.values()}
        names = [each["name"] for each in document["interfaces"]]
        assert len(set(names)) == len(names)
        self.types[key] = document

    def names(self, file: str) -> set[str]:
        """Return the names in a table, which are all different, as are their slugs."""
        rows = self.tables[file]
        names = {row["name"] for row in rows}
        assert len(names) == len(rows)
        if rows and "slug" in rows[0]:
            assert len({row["slug"] for row in rows}) == len(rows)
            assert all(SLUG.fullmatch(row["slug"]) for row in rows)
        return names

    def check_places(self) -> None:
        """Racks stand in known locations, and every device has rack units of its own in a known rack."""
        (site,), halls = self.names("03-sites.csv"), self.names("04-locations.csv")
        assert {row["site"] for row in self.tables["04-locations.csv"]} == {site}
        racks = {row["name"]: row for row in self.tables["06-racks.csv"]}
        assert len(racks) == len(self.tables["06-racks.csv"])
        for rack in racks.values():
            assert rack["site"] == site
            assert rack["location"] in halls
            assert rack["width"] == "19"
            assert bool(rack["max_weight"]) == bool(rack["weight_unit"])
        taken: set[tuple[str, int]] = set()
        for row in self.tables["07-devices.csv"]:
            rack = racks[row["rack"]]
            assert (row["site"], row["location"], row["face"]) == (site, rack["location"], "front")
            height = self.types[row["manufacturer"], row["device_type"]]["u_height"]
            units = {(row["rack"], unit) for unit in range(int(row["position"]), int(row["position"]) + height)}
            assert not units & taken
            assert max(unit for _, unit in units) <= int(rack["u_height"])
            taken |= units

    def check_cables(self) -> None:
        """Both ends of a cable are interfaces of known devices, and no interface has two cables."""
        roles = self.names("02-device-roles.csv")
        assert all(row["role"] in roles for row in self.tables["07-devices.csv"])
        self.names("07-devices.csv")
        ports = {
            (row["name"], each["name"])
            for row in self.tables["07-devices.csv"]
            for each in self.types[row["manufacturer"], row["device_type"]]["interfaces"]
        }
        for row in self.tables["08-cables.csv"]:
            assert row["type"] in CABLES
            assert len(row["label"]) <= 100
            assert float(row["length"]) > 0
            assert row["length_unit"] == "m"
            for side in "ab":
                assert row[f"side_{side}_site"] == self.tables["03-sites.csv"][0]["name"]
                assert row[f"side_{side}_type"] == "dcim.interface"
                ports.remove((row[f"side_{side}_device"], row[f"side_{side}_name"]))


def test_every_file_imports_after_those_before_it() -> None:
    """Of shipped and drawn fabrics, with planes, trays, appliances, unlike servers and split ports."""
    trays = kinds = appliances = 0
    for plan in [*many_plans(51, 10), shipped_plan("superpod-h100-2su")]:
        trays += plan.blueprint.server.trays > 1
        kinds += len(plan.blueprint.kinds) > 1
        appliances += plan.network.appliances
        inventory = Inventory(texts_of(plan, "netbox"))
        inventory.check_places()
        inventory.check_cables()
        counts = Counter(row["role"] for row in inventory.tables["07-devices.csv"])
        assert counts == {group.role: group.count for group in plan.network.groups if group.count}
        assert len(inventory.tables["08-cables.csv"]) == plan.network.links
        assert {row["status"] for file in ("06-racks.csv", "07-devices.csv") for row in inventory.tables[file]} == {
            "planned"
        }
    assert trays
    assert kinds
    assert appliances


def test_cables_have_the_lengths_and_types_of_the_wiring() -> None:
    """The lengths of all cables add up to those of the wiring, and a cable is of the part's medium."""
    plan = shipped_plan("superpod-h100-1su")
    rows = Inventory(texts_of(plan, "netbox")).tables["08-cables.csv"]
    assert sum(float(row["length"]) for row in rows) == pytest.approx(float(plan.wiring.length_m.sum()))
    media = {name: found.joint.media for name, found in plan.wiring.compositions.items() if found}
    assert {row["type"][:3] for row in rows} == {medium[:3] for medium in media.values()}


def test_a_switch_has_an_interface_for_every_port() -> None:
    """Ports in use have their parts, others are whole; the type says the rate, and InfiniBand where it is."""
    plan = shipped_plan("superpod-h100-1su")
    types = Inventory(texts_of(plan, "netbox")).types
    leaf = types["NVIDIA", "qm9700 leaf"]["interfaces"]
    assert [each["name"] for each in leaf] == [str(number) for number in range(1, 65)]
    assert {each["type"] for each in leaf} == {"infiniband-ndr"}
    plan = shipped_plan("superpod-b300-1su")
    types = Inventory(texts_of(plan, "netbox")).types
    spine = [each["name"] for each in types["NVIDIA", "sn5600 spine"]["interfaces"]]
    used = {plan.upper.names[name] for name in plan.upper.name.tolist()}
    assert used <= {each["name"] for key in types for each in types[key]["interfaces"]}
    assert spine[:3] == ["swp1s0", "swp1s1", "swp2s0"]


def test_drawn_fabrics_have_interfaces_of_every_model() -> None:
    """A port that has no link is whole, so that all native ports of a model are there."""
    for plan in draw_plans(52, 4, "ethernet"):
        types = Inventory(texts_of(plan, "netbox")).types
        for role in plan.blueprint.topology.roles:
            ((model, _),) = plan.blueprint.model_counts(role)
            found = types[model.vendor or "Unknown", f"{model.name} {role}"]["interfaces"]
            assert len(found) >= model.ports
