"""A fabric of network namespaces: a namespace for each device, a pair of virtual interfaces for each cable.

The bed is cabled by a plan, or by one in which the upper ends of some cables are swapped. Everything in it lives in
namespaces of processes and mounts of its own and ends with the process that built it, however that ends.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fabric.export.ethernet.ethernet_plan import with_port_names
from fabric.export.plan import Plan

FRR = Path("/usr/lib/frr")
LONGEST = 15
"""The longest name of an interface of Linux."""

INSIDE = "/mnt"
"""The folder of a bed's files, as its processes see it: a file system in memory, which is gone with the bed."""

APART = ("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc")
"""What runs a program in namespaces of its own."""

HOLD = f"""
for folder in /run /var/tmp {INSIDE}; do mount -t tmpfs -o mode=755 tmpfs $folder; done
mkdir /run/netns /run/lldpd /run/frr
ip link set lo up
echo ready
exec cat
"""
"""What the first process of a bed runs: it ends, and all others with it, when its input is closed."""

Cable = tuple[str, str, str, str]
"""The lower device and its interface, the upper device and its interface."""


@cache
def missing_for_beds(*programs: str) -> str:
    """Say what this machine lacks for a bed with these programs; empty where it has all."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "unshare", "nsenter", *programs):
        if missing := missing_program(program):
            return missing
    probe = [*APART, *"ip link add one type veth peer name two".split()]  # noqa: SIM905 (as one types it)
    made = subprocess.run(probe, capture_output=True, text=True, check=False)
    return f"no network namespaces here: {made.stderr.strip()}" if made.returncode else ""


def missing_program(program: str) -> str:
    """Say that a program is not installed, where it isn't."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:{FRR}")
    return "" if found else f"{program} is not installed"


def needs_beds(*programs: str) -> pytest.MarkDecorator:
    """Return the mark of tests that are skipped, with the reason, where beds with these programs can't be built."""
    missing = missing_for_beds(*programs)
    return pytest.mark.skipif(bool(missing), reason=missing)


def interface_name(port: str) -> str:
    """Return a port's name as one of an interface of Linux: no blank, no slash, at most 15 characters."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", port)[:LONGEST]


def list_cables(plan: Plan) -> list[Cable]:
    """Return the cables of a plan, in the order of its links; a server of several trays is several devices."""
    named = with_port_names(plan)
    lower, upper = named.lower, named.upper
    hosts = named.host.tolist()
    ends = (lower.device, lower.name, upper.device, upper.name)
    rows = zip(*(column.tolist() for column in ends), hosts, strict=True)
    ports = [[interface_name(name) for name in end.names] for end in (lower, upper)]
    names, trays = named.device_names, named.hosts.names
    return [(trays[host] if host >= 0 else names[a], ports[0][p], names[b], ports[1][q]) for a, p, b, q, host in rows]


def swap_ends(cables: list[Cable], swaps: Iterable[tuple[int, int]]) -> list[Cable]:
    """Return the cables with the upper ends of each pair swapped, as a technician would mix them up."""
    swapped = list(cables)
    for one, other in swaps:
        swapped[one], swapped[other] = (
            (*swapped[one][:2], *swapped[other][2:]),
            (*swapped[other][:2], *swapped[one][2:]),
        )
    return swapped


@dataclass
class Bed:
    """The namespaces of a fabric, with its cables plugged in and all interfaces up."""

    cables: list[Cable]
    """The cables as they are plugged."""
    first: int
    """The process that holds the bed."""
    devices: tuple[str, ...]
    """The devices that have a namespace."""

    @property
    def outside(self) -> Path:
        """The folder of the bed's files, as this process sees it."""
        return Path(f"/proc/{self.first}/root{INSIDE}")

    def run(self, script: str, timeout: float = 60) -> str:
        """Run a script of the shell in the bed and return what it prints; fails the test where it fails."""
        words = ["nsenter", f"--target={self.first}", "--mount", "--pid", "--net", "bash", "-euc", script]
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False)
        assert done.returncode == 0, f"{script[:400]}\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def ask_each(self, devices: Iterable[str], command: str, timeout: float = 60) -> dict[str, str]:
        """Return what a command prints in each device's namespace; `{name}` in it is the device's name."""
        mark = "=== "
        lines = [f"echo '{mark}{name}'; ip netns exec {name} {command.format(name=name)}" for name in devices]
        parts = ("\n" + self.run("\n".join(lines), timeout)).split(f"\n{mark}")[1:]
        return {name: text for name, _, text in (part.partition("\n") for part in parts)}

    def plug_cables(self) -> None:
        """Make the namespaces and the cables, and set all interfaces up."""
        batch = [f"netns add {name}" for name in self.devices]
        batch += [f"link add {p} netns {a} type veth peer name {q} netns {b}" for a, p, b, q in self.cables]
        ports: dict[str, list[str]] = {name: ["lo"] for name in self.devices}
        for a, p, b, q in self.cables:
            ports[a].append(p)
            ports[b].append(q)
        (self.outside / "batch").write_text("\n".join([*batch, ""]))
        for name, own in ports.items():
            (self.outside / f"{name}.up").write_text("".join(f"link set {port} up\n" for port in own))
        up = [f"ip -n {name} -batch {INSIDE}/{name}.up" for name in ports]
        self.run("\n".join([f"ip -batch {INSIDE}/batch", *up]))

    def set_cables(self, rows: Iterable[int], state: str) -> None:
        """Set both ends of some cables `up` or `down`."""
        ends = [(device, port) for row in rows for device, port in (self.cables[row][:2], self.cables[row][2:])]
        self.run("\n".join(f"ip -n {device} link set {port} {state}" for device, port in ends))

    def start_frr(self, files: Mapping[str, str]) -> None:
        """Start FRR on every switch from the exported files, by name: the daemons of `daemons`, then `frr.conf`."""
        for name, text in files.items():
            file = self.outside / "frr" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        switches = sorted({name.partition("/")[0] for name in files})
        script, own = [f"chown -R frr:frr {INSIDE}/frr"], ""
        for switch in switches:
            own = f"{INSIDE}/frr/{switch}"
            settings = dict(re.findall(r"^(\w+)=(.*)$", files[f"{switch}/daemons"], re.M))
            daemons = [each for each in settings if settings[each] == "yes" and (FRR / each).exists()]
            for daemon in sorted(daemons, key=lambda each: each != "zebra"):
                options = settings[f"{daemon}_options"].strip('" ')
                script.append(
                    f"ip netns exec {switch} {FRR}/{daemon} -d {options} -i {own}/{daemon}.pid -z {own}/zserv.api"
                    f" --vty_socket {own} 2>/dev/null"
                )
        for switch in switches:
            own = f"{INSIDE}/frr/{switch}"
            script.append(f"touch {own}/vtysh.conf")
            script.append(f"(vtysh --vty_socket {own} --config_dir {own} -b > {own}/log 2>&1) &")
        self.run("\n".join([*script, "wait", f"! grep -H . {INSIDE}/frr/*/log"]))

    def read_routes(self, devices: Iterable[str]) -> dict[str, dict[str, list[str]]]:
        """Return the interfaces of each route that BGP gave the kernel, by prefix, on each device."""
        found = {}
        for name, text in self.ask_each(devices, "ip -j route show proto bgp").items():
            routes = json.loads(text or "[]")
            found[name] = {
                each["dst"]: sorted(hop["dev"] for hop in each.get("nexthops", [each]))
                for each in routes
                if each and each.get("type") != "blackhole"  # of its own prefix, whose longer ones are connected
            }
        return found

    def start_lldp(self) -> None:
        """Start lldpd on every device, each with its own name and sending every second."""
        script = [f"mkdir -p {INSIDE}/lldp"]
        for name in self.devices:
            settings = (
                f"configure system hostname {name}",
                "configure lldp tx-interval 1",
                "configure lldp portidsubtype ifname",
            )
            own = f"{INSIDE}/lldp/{name}"
            script += [
                f"printf '%s\\n' {' '.join(repr(each) for each in settings)} > {own}.conf",
                f"(ip netns exec {name} lldpd -d -u {own}.sock -O {own}.conf > {own}.log 2>&1 &)",
            ]
        self.run("\n".join(script))

    def read_neighbours(self, form: str = "json0") -> dict[str, Any]:
        """Return what lldpcli reports on every device, in one of its forms of JSON."""
        command = f"lldpcli -u {INSIDE}/lldp/{{name}}.sock -f {form} show neighbors"
        return {name: json.loads(text) for name, text in self.ask_each(self.devices, command).items()}


@contextmanager
def build(plan: Plan, swaps: Iterable[tuple[int, int]] = ()) -> Iterator[Bed]:
    """Build the bed of a plan, with the upper ends of some pairs of cables swapped; it is gone after the block."""
    cables = swap_ends(list_cables(plan), swaps)
    holder = subprocess.Popen([*APART, "bash", "-euc", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdin
    assert holder.stdout
    try:
        assert holder.stdout.readline() == "ready\n"
        first = int(Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text())
        bed = Bed(cables, first, tuple(dict.fromkeys(name for a, _, b, _ in cables for name in (a, b))))
        bed.plug_cables()
        yield bed
    finally:
        holder.stdin.close()
        holder.wait(timeout=30)


def wait_until(read: Callable[[], Mapping[str, Any]], expected: Mapping[str, Any], seconds: float) -> None:
    """Read again until it is as expected; fails with the first difference where that takes too long."""
    end = time.monotonic() + seconds
    while (found := read()) != expected:
        if time.monotonic() > end:
            differ = [key for key in sorted({*found, *expected}) if found.get(key) != expected.get(key)]
            key = differ[0]
            raise AssertionError(f"{len(differ)} differ, such as {key}: {found.get(key)}, not {expected.get(key)}")
        time.sleep(0.3)
