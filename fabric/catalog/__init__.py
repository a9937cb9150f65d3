"""The shipped catalogue: parts, models to train, and constants of collectives and training, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fabric.catalog.accelerators import PRECISIONS, Accelerator
from fabric.catalog.constants import constant_at, with_constants
from fabric.catalog.errors_measured import ErrorTable, MeasuredKind, OwnRuns
from fabric.catalog.failure_rates import HOURS_PER_YEAR, FailureRate
from fabric.catalog.library_tuning import (
    MOST_CHANNELS,
    MOST_QPS,
    PROTOCOLS,
    GenerationTuning,
    LibrarySettings,
    LibraryTuning,
    TuningCost,
)
from fabric.catalog.link_parts import MEDIA, LinkPart
from fabric.catalog.models import LatentAttention, Model
from fabric.catalog.parts import (
    USUAL_GENERATION,
    Collectives,
    Generation,
    Multicast,
    Protocol,
    Server,
    Shares,
    Steps,
    Switch,
)
from fabric.catalog.port_names import LANES, PLAIN, PortNames, PortPart, lane_count, name_nic
from fabric.catalog.ports import PortGroup
from fabric.catalog.sonic_ports import SonicPorts
from fabric.catalog.training_efficiency import KernelClass, Software, TrainingEfficiency
from fabric.catalog.transports import Delivery, Transport
from fabric.frozen import FrozenMapping, frozen

__all__ = [
    "HOURS_PER_YEAR",
    "LANES",
    "MEDIA",
    "MOST_CHANNELS",
    "MOST_QPS",
    "PLAIN",
    "PRECISIONS",
    "PROTOCOLS",
    "USUAL_GENERATION",
    "Accelerator",
    "Collectives",
    "Delivery",
    "ErrorTable",
    "FailureRate",
    "Generation",
    "GenerationTuning",
    "KernelClass",
    "LatentAttention",
    "LibrarySettings",
    "LibraryTuning",
    "LinkPart",
    "MeasuredKind",
    "Model",
    "OwnRuns",
    "PortGroup",
    "PortNames",
    "PortPart",
    "Protocol",
    "Server",
    "Shares",
    "Software",
    "SonicPorts",
    "Steps",
    "Switch",
    "TrainingEfficiency",
    "Transport",
    "TuningCost",
    "accelerators",
    "collectives",
    "constant_at",
    "expected_errors",
    "failure_rates",
    "lane_count",
    "library_tunings",
    "models",
    "name_nic",
    "optics",
    "port_name_systems",
    "servers",
    "sonic_ports",
    "switches",
    "training_efficiency",
    "training_software",
    "transports",
    "with_constants",
]


@cache
def switches() -> FrozenMapping[str, Switch]:
    """Return the shipped switch models by name."""
    return FrozenMapping({row["name"]: Switch(**_ports_of(row)) for row in _rows("switches")})


def _ports_of(row: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a switch or of its uplinks with read-only breakouts, and its uplinks as a group of ports."""
    if "breakouts" in row:
        row = row | {"breakouts": FrozenMapping(row["breakouts"])}
    if "uplinks" in row:
        row = row | {"uplinks": PortGroup(f"{row['name']} uplinks", **_ports_of(row["uplinks"]))}
    return row


@cache
def servers() -> FrozenMapping[str, Server]:
    """Return the shipped servers by name."""
    return FrozenMapping({row["name"]: Server(**_freeze(row)) for row in _rows("servers")})


@cache
def accelerators() -> FrozenMapping[str, Accelerator]:
    """Return the GPUs that training is timed on, by name."""
    return FrozenMapping({row["name"]: Accelerator(**row) for row in _rows("accelerators")})


@cache
def models() -> FrozenMapping[str, Model]:
    """Return the published transformers by name."""
    return FrozenMapping({row["name"]: Model(**_latent_of(row)) for row in _rows("models")})


def _latent_of(row: dict[str, Any]) -> dict[str, Any]:
    return row | ({"latent": LatentAttention(**row["latent"])} if "latent" in row else {})


@cache
def optics() -> FrozenMapping[str, LinkPart]:
    """Return the shipped link parts by name."""
    return FrozenMapping({row["name"]: LinkPart(**_freeze(row)) for row in _rows("optics")})


def _freeze(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its lists as tuples and its mappings as tuples of pairs."""
    lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
    return row | lists | {key: tuple(value.items()) for key, value in row.items() if isinstance(value, dict)}


@cache
def port_name_systems() -> FrozenMapping[str, PortNames]:
    """Return the rules of port names by operating system."""
    return FrozenMapping({row["name"]: PortNames(**row) for row in _rows("port_names")})


@cache
def sonic_ports() -> FrozenMapping[str, SonicPorts]:
    """Return what SONiC must be told of the ports of switch models, by model; of most it is not known."""
    return FrozenMapping({row["name"]: SonicPorts(**_sonic_of(row)) for row in _rows("sonic_ports")})


def _sonic_of(row: dict[str, Any]) -> dict[str, Any]:
    lanes = row["first_lanes"]
    modes = FrozenMapping(row.get("modes", {}))
    return row | {"first_lanes": () if lanes == "consecutive" else tuple(lanes), "modes": modes}


@cache
def collectives() -> Collectives:
    """Return the constants of the collective model."""
    data = _read("collectives")
    generations = {name: _generation_of(row) for name, row in data.pop("generations").items()}
    return Collectives(_protocols_of(data.pop("protocols")), generations, Multicast(**data.pop("nvls")), **data)


def _generation_of(row: dict[str, Any]) -> Generation:
    protocols = _protocols_of(row["protocols"]) if "protocols" in row else None
    return Generation(**{key: frozen(value) for key, value in row.items()} | {"protocols": protocols})


def _protocols_of(rows: list[dict[str, Any]]) -> tuple[Protocol, ...]:
    return tuple(Protocol(row["name"], row["fill_GB"], Steps(**row["ring"]), Steps(**row["tree"])) for row in rows)


@cache
def transports() -> FrozenMapping[str, Transport]:
    """Return the shipped transports by name."""
    rows = [row | {key: row[key] and Delivery(**row[key]) for key in _ORDERS} for row in _rows("transports")]
    return FrozenMapping({row["name"]: Transport(**row) for row in rows})


_ORDERS = ("ordered", "sprayed")


@cache
def library_tunings() -> tuple[LibraryTuning, ...]:
    """Return the cost models of collective libraries, the newest version of each first."""
    return tuple(_tuning_of(row) for row in _read("library_tuning"))


def _tuning_of(row: dict[str, Any]) -> LibraryTuning:
    row = dict(row)
    costs = {
        algorithm: FrozenMapping({name: TuningCost(**_freeze(each)) for name, each in protocols.items()})
        for algorithm, protocols in row.pop("costs").items()
    }
    generations = {name: GenerationTuning(**_freeze(each)) for name, each in row.pop("generations").items()}
    return LibraryTuning(**_freeze(row), costs=FrozenMapping(costs), generations=FrozenMapping(generations))


@cache
def expected_errors() -> ErrorTable:
    """Return the errors to expect of estimates, by what was measured."""
    data = _read("expected_errors")
    kinds = tuple(MeasuredKind(**{key: frozen(value) for key, value in row.items()}) for row in data.pop("kinds"))
    return ErrorTable(kinds=kinds, **{key: frozen(value) for key, value in data.items()})


@cache
def failure_rates() -> FrozenMapping[str, FailureRate]:
    """Return the published failure rates by kind of part."""
    return FrozenMapping({row["kind"]: FailureRate(**_rate_of(row)) for row in _read("failure_rates")})


def _rate_of(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its rate in place of what was counted: how many of how many parts failed in how many days."""
    row = dict(row)
    counted = [row.pop(key, None) for key in ("failures", "parts", "days")]
    known = None not in counted
    per_year = counted[0] / counted[1] / (counted[2] * 24) * HOURS_PER_YEAR if known else None
    return {"repair_h": None, **row, "per_year": per_year}


@cache
def training_efficiency() -> TrainingEfficiency:
    """Return the constants of the time of training's kernels, and the frameworks that were measured."""
    data = _read("training_efficiency")
    rows = [(row.pop("accelerators"), FrozenMapping(row)) for row in data.pop("matmul")]
    matmul = {accelerator: shares for accelerators, shares in rows for accelerator in accelerators}
    attention = {kind: FrozenMapping(row) for kind, row in data.pop("attention").items()}
    classes = {row["name"]: KernelClass(**row) for row in data.pop("kernel_classes")}
    frameworks = {row["name"]: Software(**row) for row in data.pop("software")}
    return TrainingEfficiency(matmul=matmul, attention=attention, kernel_classes=classes, software=frameworks, **data)


def training_software() -> Mapping[str, Software]:
    """Return the frameworks that training was measured with, by name."""
    return training_efficiency().software


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _read(name)
    return [row | ({"price_date": str(row["price_date"])} if "price_date" in row else {}) for row in rows]


def _read(name: str) -> Any:
    import yaml

    text = (files(__name__) / "data" / f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.CSafeLoader)
