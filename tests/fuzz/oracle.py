"""What every run must keep to, whatever it is asked: the oracle of the fuzz."""

from __future__ import annotations

import json
import re
import signal
import traceback
from itertools import zip_longest
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

import fabric
from tests.fuzz.cases import Case
from tests.fuzz.children import MOST_CPU_S, MOST_IDLE_S, Run

__all__ = ["design_faults", "find_differences", "find_faults"]

CODES = (0, 1, 2, 3)
"""The exit codes that the command documents."""

RAW = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What must never reach a terminal as it is."""


TIMES = re.compile(r"\d[\d.,]*(?= (?:s|ms|min|h|minutes?)\b)|(?<=\"wall_s\": )[\d.e-]+")
"""Times, which no two runs have in common."""


def find_faults(case: Case, run: Run, folder: Path) -> list[str]:
    """Return what a run did that none may do, in words."""
    faults = []
    if "Traceback (most recent call last)" in run.stderr:
        return [f"crash: {run.stderr.strip().splitlines()[-1]}\n{run.stderr}"]
    faults += _end_faults(run)
    for name, text in (("stdout", run.stdout), ("stderr", run.stderr)):
        if found := RAW.search(text):
            faults.append(
                f"raw U+{ord(found[0]):04X} on {name}: {text[max(0, found.start() - 40) : found.end() + 20]!r}"
            )
    if run.code == 2 and not run.stderr.strip():
        faults.append("refused without a message")
    if run.code == 2 and len(run.stderr) > 20_000:
        faults.append(f"a message of {len(run.stderr):,} characters")
    if "--json" in case.words and run.stdout.strip() and run.code in (0, 1) and "--help" not in case.words:
        faults += _json_faults(run.stdout)
    faults += _file_faults(case, run, folder)
    return faults


def _end_faults(run: Run) -> list[str]:
    faults = ["a process is left"] if run.orphans else []
    if run.idle:
        return [*faults, f"no end, and nothing computed for {MOST_IDLE_S} s"]
    if run.code == -signal.SIGXCPU:
        return [*faults, f"over {MOST_CPU_S} s of processor time"]
    return faults if run.code in CODES else [*faults, f"exit code {run.code}"]


def _json_faults(text: str) -> list[str]:
    def refuse(name: str) -> float:
        raise ValueError(f"{name} is no JSON")

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError as error:
        return [f"--json printed no JSON ({error}): {text[:200]!r}"]
    return []


def _file_faults(case: Case, run: Run, folder: Path) -> list[str]:
    """Return what is wrong with the files that a run leaves: a hidden one, one changed, or any after a refusal."""
    left = {str(path.relative_to(folder)): path for path in folder.rglob("*")}
    faults = [f"hidden files left: {name}" for name in left if "/." in f"/{name}"]
    new = sorted(set(left) - set(case.files))
    if run.code == 2 and new:
        faults.append(f"files after a refusal: {new}")
    faults += [f"empty file {name}" for name in new if left[name].is_file() and not left[name].stat().st_size]
    changed = [name for name, content in case.files.items() if name in left and left[name].read_bytes() != content]
    if changed and not any(word in case.words for word in changed):
        faults.append(f"inputs changed: {changed}")
    return faults


def find_differences(run: Run, other: Run, folder: Path, other_folder: Path) -> list[str]:
    """Return what two runs of one case show differently, apart from times."""
    faults = []
    for name in ("code", "stdout", "stderr"):
        one, two = (TIMES.sub("", str(getattr(each, name))) for each in (run, other))
        if one != two:
            lines = zip_longest(one.splitlines(), two.splitlines(), fillvalue="")
            first = next((pair for pair in lines if pair[0] != pair[1]), (one, two))
            faults.append(f"another {name} as a process: {first[0][:300]!r} and {first[1][:300]!r}")
    one, two = ({str(path.relative_to(each)) for path in each.rglob("*")} for each in (folder, other_folder))
    if one != two:
        faults.append(f"other files as a process: {sorted(one ^ two)}")
    return faults


def design_faults(request: dict[str, Any]) -> list[str]:
    """Design a request through the Python API, and return what no fabric may be, counted link by link.

    A request that is refused or infeasible has no faults; any other error is one.
    """
    try:
        study = fabric.design(request)
    except fabric.FabricError:
        return []
    except BaseException:  # noqa: BLE001  (this is what is looked for)
        return [f"crash: {traceback.format_exc()}"]
    return [*_link_faults(study), *_port_faults(study), *_bill_faults(study), *_limit_faults(study, request)]


def _link_faults(study: fabric.Study) -> list[str]:
    """Return what is wrong with the links laid: their number, servers without any, parts that are not joined."""
    blueprint, network = study.blueprint, study.network
    faults = []
    if network.links != blueprint.links_total:
        faults.append(f"{network.links} links laid of {blueprint.links_total}")
    if blueprint.gpus != study.spec.gpus or network.server_count * blueprint.server.gpus < blueprint.gpus:
        faults.append("GPUs without a server")
    if (np.bincount(network.lower, minlength=network.devices)[: network.server_count] == 0).any():
        faults.append("a server without a link")
    graph = nx.Graph(zip(network.lower.tolist(), network.upper.tolist(), strict=True))
    graph.add_nodes_from(range(network.devices))
    pieces = nx.number_connected_components(graph)
    if pieces != 1 and network.server_count > 1:  # servers join all planes and rails
        faults.append(f"{pieces} parts that are not joined")
    return faults


def _bill_faults(study: fabric.Study) -> list[str]:
    bill = study.bill
    total = sum(row.order_usd or 0 for row in bill.rows)
    if bill.order_usd is not None and not np.isclose(total, bill.order_usd, rtol=1e-9, atol=0.01):
        return [f"a bill of {bill.order_usd} whose rows add up to {total}"]
    return []


def _limit_faults(study: fabric.Study, request: dict[str, Any]) -> list[str]:
    """Return the limits of a request that its design breaks."""
    faults, blueprint = [], study.blueprint
    limits = request.get("limits", {})
    if (most := limits.get("cost_usd")) and (cost := study.bill.cost_usd()) and cost > most:
        faults.append(f"cost {cost} over the limit {most}")
    if isinstance(ratio := request.get("oversubscription"), int | float):
        worst = max(float(blueprint.oversubscription(role) or 0) for role in blueprint.topology.roles)
        if worst > ratio * (1 + 1e-9):
            faults.append(f"oversubscription {worst} over {ratio}")
    return faults


def _port_faults(study: fabric.Study) -> list[str]:
    """Return the roles in which a switch has more links than its model has ports."""
    blueprint, network = study.blueprint, study.network
    links_of = sum(np.bincount(end, minlength=network.devices) for end in (network.lower, network.upper))
    faults = []
    for role in blueprint.topology.roles:
        group = network.group(role)
        most = int(links_of[group.first : group.first + group.count].max(initial=0))
        rates = [
            blueprint.rate(each) for each in blueprint.topology.bundles if role in (each.lower.role, each.upper.role)
        ]
        ports = max(
            model.radix(min(rates)) + (model.uplinks.radix(min(rates)) if model.uplinks else 0)
            for model, _ in blueprint.model_counts(role)
        )
        if most > ports:
            faults.append(f"a {role} with {most} links and {ports} ports")
    return faults
