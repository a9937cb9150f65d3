"""A design read from design.json: the study as it was, without a search for the best fabric."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fabric.errors import InputError, unreadable
from fabric.optimizer import (
    OBJECTIVES,
    Alternative,
    BindingLimit,
    ChosenFabric,
    FewerHops,
    LinearObjective,
    Proof,
    parse_objectives,
)
from fabric.report.design_json import SCHEMA, fabric_object
from fabric.report.load_proof import check_proof
from fabric.request.document import quoted
from fabric.studies.study import Study, read

__all__ = ["load"]


def load(source: str | os.PathLike[str] | Mapping[str, Any]) -> Study:
    """Return the study of a design.json, or of the object in it (docs/design-json.md), without sizing it again.

    Its proof is the one in the file, and what was not written is computed when it is first read. Raises InputError for
    a file that is no design object, for one whose request is no longer valid, and where the fabric has other counts or
    costs than it says: parts of the catalogue have changed since.
    """
    name, found = _read(source)
    try:
        if found["schema"] != SCHEMA:
            raise InputError(f"{name}: its schema is {found['schema']!r:.60}, not {SCHEMA}")
        return _make_study(name, found)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise InputError(f"{name}: not a design object of {SCHEMA}: {error!r:.100}") from None


def _read(source: str | os.PathLike[str] | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return the name of what is read, for messages, and the design object."""
    if isinstance(source, Mapping):
        return "design", source
    if not isinstance(source, str | os.PathLike):
        raise InputError(f"{source!r:.40}: not a design; give the file design.json, or the object in it")
    name = quoted(os.fsdecode(source))
    try:
        found = json.loads(Path(source).read_text(encoding="utf-8"))
    except OSError as error:
        raise unreadable(name, error) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: not readable as JSON: {error!s:.200}") from None
    if not isinstance(found, dict):
        raise InputError(f"{name}: not a design object of {SCHEMA}")
    return name, found


def _make_study(name: str, found: Mapping[str, Any]) -> Study:
    optimizer = found["optimizer"]
    check_proof(name, optimizer)
    spec, values = read(dict(found["request"])), optimizer["objectives"]
    objectives = () if optimizer["binding"] is None else _objectives_of(values)
    blueprint, candidates = _read_choice(found).restore(spec, objectives)
    if blueprint is None:
        raise InputError(
            f"{name}: its request no longer allows {found['form']} on {found['planes']} planes of such sizes"
        )
    proof = Proof(
        optimizer["status"], optimizer["objective_name"], optimizer["objective"], optimizer["bound"],
        optimizer["wall_s"], values, tuple(optimizer["unpriced"]), optimizer.get("fabrics_laid_out", 0),
    )  # fmt: skip
    others = tuple(Alternative(each["name"], _without_name(each)) for each in optimizer["others"])
    study = Study(spec, blueprint, proof, others, objectives, candidates)
    _check_counts(name, study, found)
    if objectives:
        # What was computed of it when it was written, so that it need not be computed again.
        hops = optimizer["fewer_hops"]
        known = {"binding": tuple(BindingLimit(**each) for each in optimizer["binding"])}
        vars(study).update(known | {"fewer_hops": FewerHops(**hops) if hops else None})
    return study


def _without_name(alternative: Mapping[str, Any]) -> dict[str, float]:
    return {key: value for key, value in alternative.items() if key != "name"}


def _objectives_of(values: Mapping[str, float]) -> tuple[LinearObjective, ...]:
    """Return the objectives of these keys of results: names in order, or the one that is a weighted sum."""
    words = {objective.key: word for word, objective in OBJECTIVES.items()}
    weighted = [key for key in values if key not in words]
    parts = [part.partition(" ")[::2] for key in weighted for part in key.split(" + ")]
    text = [f"{words[key]}={weight.replace(',', '')}" for weight, key in parts] or [words[key] for key in values]
    return tuple(each for each in parse_objectives(",".join(text)) if isinstance(each, LinearObjective))


def _read_choice(found: Mapping[str, Any]) -> ChosenFabric:
    tiers = found["switches"]["by_role"]
    return ChosenFabric(
        found["family"], found["form"], found["virtual_channels"], found["planes"], found["links"]["gbps"],
        found["sizes"],
        {role: tier["models"] for role, tier in tiers.items()},
        {role: tier["models_added"] for role, tier in tiers.items()},
    )  # fmt: skip


def _check_counts(name: str, study: Study, found: Mapping[str, Any]) -> None:
    """Raise InputError where the fabric is not what the file says, of all that is quickly counted again."""
    plan, bill = study.blueprint, study.bill
    tiers = found["switches"]["by_role"]
    links = {each.name: plan.links(each) for each in plan.topology.bundles if each.name in found["links"]["by_bundle"]}
    pairs = {
        "servers": (found["servers"], plan.servers),
        "switches": (found["switches"]["total"], plan.switches),
        **{f"{role} switches": (tier["count"], plan.devices(role)) for role, tier in tiers.items()},
        **{f"{bundle} links": (found["links"]["by_bundle"][bundle], count) for bundle, count in links.items()},
        "links": (found["links"]["total"], sum(found["links"]["by_bundle"].values())),
        "cost": (found["cost_usd"]["total"], bill.cost_usd()),
    }
    for what, (written, computed) in pairs.items():
        if written != computed:
            raise InputError(
                f"{name}: {what} {written!s:.60}, but {computed} with the parts as they are now; "
                "design its request again"
            )
    for key, value in json.loads(json.dumps(fabric_object(plan))).items():
        if key in found and found[key] != value:
            raise InputError(
                f"{name}: {key}: {found[key]!r:.60}, but {value!r:.60} by its request and sizes; "
                "design its request again"
            )
