"""Cases of the fuzz: command lines and the files that they read, plausible and hostile, each drawn by its own seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Case", "draw_case", "draw_request"]

SHIPPED = ("superpod-h100-1su", "superpod-b300-1su", "superpod-h100-2su", "atop-roft-4096", "deepseek-mpft")
FAMILIES = ("fat-tree", "rail-optimized", "rail-only", "hpn", "dragonfly", "dragonfly-plus", "slim-fly", "hyperx",
            "torus", "mesh", "jellyfish", "bcube", "zcube", "clos", "direct")  # fmt: skip
SWITCHES = ("sn5600", "qm9700", "tomahawk5-64x800g", "sn2201", "sn3700", "q3400-ra", "any")
SERVERS = ("hgx-h100", "dgx-h100", "hgx-a100", "dgx-b300", "gb200-nvl72")

HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**40, 0.5, -0.0, 1e308, float("inf"), float("nan"), "", " ", "any",
    "none", "~", "1e3", "0x10", "1_000", "١٢", "64 ", "sn5600\n", "\x1b[31mred", "a\u202eb", "\ud800", "\x00", "```",
    "<script>alert(1)</script>", "=SUM(A1)", "+1", "../../etc/passwd", "é" * 300, "x" * 5000, "{{7*7}}", "$(id)", [],
    {}, [[]], [None], {"": None}, {"a": {"b": {"c": 1}}}, [1, [2, [3]]], "8.8", "1/0", "1:0", "%s%n", "-", "--help",
)  # fmt: skip
"""Values that some key, option or file may not expect."""

KEYS = (
    "gpus", "server", "servers", "family", "switches", "tiers", "planes", "oversubscription", "limits", "prices_usd",
    "link_price_usd", "survive", "unit_gpus", "pod_gpus", "reserve", "grow_to_gpus", "pinned", "expected", "available",
    "uplink_spread", "racks", "spares", "discount", "currency", "title", "description", "sources", "name", "links",
    "constants", "nccl", "electricity", "appliances", "rails", "$schema", "common", "cables", "per_unit",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A command line and the files that it finds in its folder."""

    seed: str
    """What draws it again."""
    words: tuple[str, ...]
    """The words after `fabric`."""
    files: dict[str, bytes]
    """The files, by name."""

    def __str__(self) -> str:
        files = "".join(f"\n  {name}: {content[:600]!r}" for name, content in self.files.items())
        return f"seed {self.seed}: fabric {' '.join(map(repr, self.words))}{files}"


def draw_case(seed: int | str, number: int = 0) -> Case:
    """Return case `number` of a seed; the same on every machine."""
    name = f"{seed}:{number}"
    rng = random.Random(name)
    files: dict[str, bytes] = {}
    words = rng.choices(list(COMMANDS), list(COMMANDS.values()))[0](rng, files)
    if rng.random() < 0.08:
        words.insert(rng.randint(0, len(words)), _text(rng))
    return Case(name, tuple(words), files)


def draw_request(rng: random.Random) -> dict[str, Any]:
    """Return a request that mostly is valid, of a small cluster."""
    gpus = rng.choice([1, 8, 16, 64, 96, 100, 128, 250, 256, 506, 512, 1000, 1024, 2048])
    request: dict[str, Any] = {"name": "drawn", "gpus": gpus, "server": rng.choice(SERVERS[:3])}
    if rng.random() < 0.4:
        request["server"] = {
            "name": "box", "gpus": rng.choice([1, 2, 4, 8]), "nics": rng.choice([1, 2, 3, 4, 8, 9]), "nic_gbps": 400,
        }  # fmt: skip
    if rng.random() < 0.85:
        request["family"] = rng.choice(FAMILIES) if rng.random() < 0.8 else rng.sample(FAMILIES, 2)
    switch = {"name": "own", "ports": rng.choice([8, 16, 24, 32, 36, 64, 128]), "rate_gbps": 400}
    if rng.random() < 0.7:
        switch["price_usd"] = rng.choice([0, 1, 10_000])
    if rng.random() < 0.8:
        request["switches"] = rng.choice([switch, *SWITCHES[:3], [*SWITCHES[:2]]])
    extras: dict[str, Callable[[], Any]] = {
        "oversubscription": lambda: rng.choice([1, 1.5, 2, 3, "3:1", {"leaf": 2}]),
        "planes": lambda: rng.choice([1, 2, 4, "any"]),
        "tiers": lambda: rng.choice([1, 2, 3, "any"]),
        "limits": lambda: rng.choice([{"cost_usd": 10**6}, {"parallel_links": 2}, {"models": 1}, {"power_w": 10**5}]),
        "survive": lambda: {"leaf": rng.choice([0.5, 0.9])},
        "uplink_spread": lambda: rng.choice(["even", "balanced", "any"]),
        "link_price_usd": lambda: rng.choice([0, 100, 1e6]),
        "grow_to_gpus": lambda: gpus * rng.choice([1, 2, 4]),
        "spares": lambda: rng.choice([0, 0.02, {"*": 0.1}]),
        "unit_gpus": lambda: rng.choice([8, 16, 64]),
        "reserve": lambda: rng.choice([0.1, {"leaf": 4}]),
        "title": lambda: rng.choice(["ok", "a\u202eb", "```\n# x", "<b>", "=1+1"]),
    }
    for key in rng.sample(list(extras), rng.choice([0, 0, 1, 1, 2, 3])):
        request[key] = extras[key]()
    return request


def _spoil(rng: random.Random, value: Any, depth: int = 0) -> Any:
    """Return a value with one part replaced, removed, repeated or renamed."""
    if isinstance(value, dict) and value and rng.random() < (0.9 if depth < 2 else 0.5):
        spoiled = dict(value)
        key = rng.choice(list(spoiled))
        action = rng.random()
        if action < 0.6:
            spoiled[key] = _spoil(rng, spoiled[key], depth + 1)
        elif action < 0.7:
            del spoiled[key]
        elif action < 0.85:
            spoiled[rng.choice(KEYS)] = rng.choice(HOSTILE)
        else:
            spoiled[str(rng.choice(HOSTILE))] = spoiled.pop(key)
        return spoiled
    if isinstance(value, list) and value and rng.random() < 0.6:
        position = rng.randrange(len(value))
        return [*value[:position], _spoil(rng, value[position], depth + 1), *value[position + rng.randint(0, 1) :]]
    return rng.choice(HOSTILE)


def _file(rng: random.Random, files: dict[str, bytes], name: str, value: Any) -> str:
    """Write a value as a file of the case, spoiled now and then, and return its name."""
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
        value = _spoil(rng, value)
    content = (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")
    action = rng.random()
    if action < 0.04:
        content = content[: rng.randrange(len(content) + 1)]
    elif action < 0.08 and content:
        position = rng.randrange(len(content))
        content = content[:position] + bytes([rng.randrange(256)]) + content[position + 1 :]
    elif action < 0.1:
        content = rng.randbytes(rng.choice([0, 1, 40, 2000]))
    files[name] = content
    return name if rng.random() > 0.02 else "missing.yaml"


def _text(rng: random.Random) -> str:
    """Return a word as only strange command lines have it: what no system passes on is left out."""
    return str(rng.choice(HOSTILE)).replace("\0", "").encode("utf-8", "replace").decode()


def _request(rng: random.Random, files: dict[str, bytes]) -> str:
    if rng.random() < 0.15:
        return rng.choice(SHIPPED)
    return _file(rng, files, rng.choice(["request.yaml", "request.json"]), draw_request(rng))


def _options(rng: random.Random, usual: dict[str, tuple[str, ...]], most: int = 3) -> list[str]:
    """Return some of the options, a value of each from its usual ones or, seldom, a strange one."""
    words = []
    for option in rng.sample(list(usual), min(len(usual), rng.randint(0, most))):
        words.append(option)
        if usual[option]:
            words.append(rng.choice(usual[option]) if rng.random() < 0.85 else _text(rng))
    return words


OVERRIDES = {
    "--gpus": ("64", "100", "512", "1,024"), "--server": SERVERS, "--family": (*FAMILIES, "clos,torus"),
    "--switches": SWITCHES, "--planes": ("1", "2", "any", "1,2"), "--tiers": ("1", "2", "3", "any"), "--price":
    ("sn5600=5", "own=1", "own=-1", "x=y", "optical-400g=0"), "--json": (),
}  # fmt: skip


def _design(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    usual = {**OVERRIDES, "--out": ("out", "out/below", "request.yaml")}
    if rng.random() < 0.3:
        prices = {"sn5600": 10, "own": 5, "optical-400g": 700}
        return [
            "design",
            _request(rng, files),
            "--prices",
            _file(rng, files, "prices.yaml", prices),
            *_options(rng, usual),
        ]
    return ["design", _request(rng, files), *_options(rng, usual)]


def _look(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    if rng.random() < 0.2:
        lists = ("switches", "servers", "optics", "families", "formats", "measures", "tables", "transports", "nothing")
        return ["list", rng.choice(lists), *_options(rng, {"--json": ()})]
    return [rng.choice(["check", "show"]), _request(rng, files), *_options(rng, OVERRIDES)]


def _bill(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    return ["bill", _request(rng, files), *_options(rng, {**OVERRIDES, "-o": ("b.csv", "b.json", "b.xlsx", "b.doc")})]


def _workload(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    usual = {
        "--size": ("1MiB", "1GiB", "1KiB..1MiB", "0", "1GiB..1MiB"), "--collective": ("all-reduce", "all-to-all",
        "all-gather", "broadcast", "send-recv", "permutation"), "--gpus": ("8", "16", "63", "100"), "--algorithm":
        ("ring", "tree", "pairwise", "nvls", "halving-doubling"), "--routing": ("ecmp", "adaptive", "dmodk", "valiant",
        "ecmp,adaptive"), "--qps": ("1", "3", "8"), "--nccl": ("channels=4", "qps=2,protocol=ll", "version=9", "x"),
        "--transport": ("rdma", "tcp"), "--placement": ("random", "contiguous", "strided", "by-rail", "fragmented"),
        "--stride": ("1", "2", "8"), "--fail": ("leaf:1", "link:1%", "spine:2", "leaf:999", "gpu:1", "leaf[block=0]",
        "link:100%"), "--seeds": ("1", "2"), "--seed": ("0", "5"), "--pxn": (), "--engine": ("closed", "flows", "lp"),
        "--json": (), "--out": ("out",),
    }  # fmt: skip
    words = ["allreduce", _request(rng, files), *_options(rng, usual, 5)]
    action = rng.random()
    if action < 0.12:
        jobs = {"jobs": [{"name": "a", "gpus": 16}, {"name": "b", "gpus": 24, "collective": "all-to-all"}]}
        words += ["--jobs", _file(rng, files, "jobs.yaml", jobs)]
    elif action < 0.24:
        rows = [f"{rng.randint(0, 70)},{rng.randint(0, 70)},{rng.choice([1, 10**6, -1, 'x', ''])}" for _ in range(6)]
        words += [
            "--traffic",
            _file(rng, files, "traffic.csv", "\n".join(["source_gpu,target_gpu,bytes", *rows]) + "\n"),
        ]
    elif action < 0.3:
        words += ["--fail", f"@{_file(rng, files, 'failed.txt', 'leaf:1' + chr(10) + 'link:2' + chr(10))}"]
    return words


def _compare(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    if rng.random() < 0.4:
        return ["compare", _request(rng, files), "--families", rng.choice(["clos", "torus,mesh", "x", ","]), "--json"]
    other = _file(rng, files, "other.yaml", draw_request(rng))
    return ["compare", _request(rng, files), other, *_options(rng, {**OVERRIDES, "--differences": ()})]


def _optimize(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    usual = {
        **OVERRIDES, "--objective": ("cost", "hops,cost", "power", "cost=1,hops=5", "allreduce", "x"),
        "--pareto": ("cost,hops", "cost", "switches,links,power"), "--size": ("1GiB", "0"),
    }  # fmt: skip
    return ["optimize", _request(rng, files), *_options(rng, usual)]


def _export(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    usual = {"--level": ("fabric", "pod", "unit", "device"), "--pod": ("0", "99"), "--unit": ("0", "-1"),
             "--format": ("graphml", "dot", "drawio", "node-link", "x")}  # fmt: skip
    suffix = rng.choice(["graphml", "dot", "drawio", "json", "x", ""])
    return ["export", _request(rng, files), "-o", f"x.{suffix}", *_options(rng, usual)]


def _diagram(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    usual = {"--kind": ("tiers", "adjacency", "racks", "load"), "--level": ("fabric", "pod", "unit"),
             "--pod": ("0", "9"), "--highlight": ("path:0,63", "path:0", "x")}  # fmt: skip
    return ["diagram", _request(rng, files), "-o", rng.choice(["x.svg", "x.svg", "x.gif"]), *_options(rng, usual)]


def _cluster(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    fabrics = {name: draw_request(rng) for name in rng.sample(["compute", "storage", "a b", "cluster.json"], 2)}
    for each in fabrics.values():
        each.pop("name")
    cluster = {"name": "west", "common": {"server": "hgx-h100"}, "limits": {"power_w": 10**6}, "fabrics": fabrics}
    return ["cluster", _file(rng, files, "cluster.yaml", cluster), *_options(rng, {"--json": (), "--out": ("out",)})]


def _sweep(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    sweep = {
        "base": {"server": "hgx-h100", "family": "fat-tree"},
        "grid": {"gpus": [64, 128], "oversubscription": [1, 2]},
        "measures": rng.sample(["fabric", "cost", "power", "hops", "allreduce"], 2),
    }
    usual = {"--json": (), "--core-hours": ("1", "0.000001"), "--pareto": ("cost_usd", "x")}
    return ["sweep", _file(rng, files, "sweep.yaml", sweep), "--plan", *_options(rng, usual)]


def _calibrate(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    log = (
        "# nThread 1 nGpus 1 minBytes 8 maxBytes 64\n#  Rank  0 Group  0 Pid  1 on host0 device  0 [0x1b] NVIDIA H100\n"
    )
    log += "#       size         count      type   redop    root     time   algbw   busbw #wrong\n"
    log += "".join(f"{8 << n} {2 << n} float sum -1 {20 + n * rng.random():.2f} 0.1 0.2 0\n" for n in range(8))
    name = _file(rng, files, "log.txt", log)
    out = [] if rng.random() < 0.5 else ["-o", "constants.yaml"]
    return [rng.choice(["calibrate", "accept"]), _request(rng, files), name, *out, *_options(rng, {"--json": ()})]


def _failures(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    usual = {"--count": ("link=3", "leaf=1", "x=1", "link=-1"), "--rate": ("link=0.1", "leaf=2"), "--draws": ("2", "0"),
             "--json": (), "--seed": ("1",)}  # fmt: skip
    return ["failures", _request(rng, files), "--draws", "3", *_options(rng, usual)]


def _strange(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    del files
    return [_text(rng) for _ in range(rng.randint(0, 4))]


COMMANDS: dict[Callable[[random.Random, dict[str, bytes]], list[str]], int] = {
    _design: 20, _look: 14, _bill: 6, _workload: 22, _compare: 6, _optimize: 5, _export: 6, _diagram: 4, _cluster: 6,
    _sweep: 5, _calibrate: 6, _failures: 4, _strange: 3,
}  # fmt: skip
"""What draws the words of each kind of command line, and how often."""
