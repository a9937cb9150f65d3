"""What every run must keep to, whatever it is asked: the oracle of the fuzz."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import networkx as nx
import numpy as np

import fabric
from fabric.cli.main import main
from tests.fuzz.cases import Case

__all__ = ["Run", "design_faults", "find_faults", "run_case"]

MOST_CPU_S = 90.0
"""The processor time after which a run counts as one that hangs."""

CODES = (0, 1, 2, 3)
"""The exit codes that the command documents."""

RAW = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What must never reach a terminal as it is."""


class _OverTimeError(BaseException):
    """A run that hangs; no handler of errors catches it."""


@dataclass(frozen=True)
class Run:
    """How a case ended."""

    code: int | None
    """The exit code; None where it ended by an exception."""
    stdout: str
    """What it printed."""
    stderr: str
    """What it reported."""
    crash: str = ""
    """The traceback, if any."""


def run_case(case: Case, folder: Path) -> Run:
    """Run a case in a folder of its own, in this process, as the command runs."""
    for name, content in case.files.items():
        (folder / name).write_bytes(content)
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    code, crash = None, ""
    kept = sys.argv, sys.stdout, sys.stderr, Path.cwd()
    os.chdir(folder)
    sys.argv = ["fabric", *case.words]
    sys.stdout, sys.stderr = streams
    try:
        with _time_limit():
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001  (this is what is looked for)
        crash = traceback.format_exc()
    finally:
        sys.argv, sys.stdout, sys.stderr, before = kept
        os.chdir(before)
    texts = []
    for stream in streams:
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("utf-8", "surrogateescape"))  # type: ignore[attr-defined]
    return Run(code, *texts, crash)


@contextmanager
def _time_limit() -> Iterator[None]:
    """Raise where the block takes more processor time than a run may."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise _OverTimeError(f"over {MOST_CPU_S:g} s of processor time")

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, MOST_CPU_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def find_faults(case: Case, run: Run, folder: Path) -> list[str]:
    """Return what a run did that none may do, in words."""
    faults = []
    if run.crash:
        return [f"crash: {run.crash.strip().splitlines()[-1]}\n{run.crash}"]
    if run.code not in CODES:
        faults.append(f"exit code {run.code}")
    if "Traceback (most recent call last)" in run.stderr:
        faults.append("traceback on stderr")
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


def design_faults(request: dict[str, Any]) -> list[str]:
    """Design a request through the Python API, and return what no fabric may be, counted link by link.

    A request that is refused or infeasible has no faults; any other error is one.
    """
    try:
        with _time_limit():
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
