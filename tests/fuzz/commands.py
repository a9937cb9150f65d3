"""Command lines of the fuzz, with the files that they read."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.requests import FAMILIES, SERVERS, SHIPPED, SWITCHES, draw_request, draw_text, write_file
from tests.log_fixtures import Truth, write_log

__all__ = ["COMMANDS"]


def _request(rng: random.Random, files: dict[str, bytes]) -> str:
    if rng.random() < 0.15:
        return rng.choice(SHIPPED)
    return write_file(rng, files, rng.choice(["request.yaml", "request.json"]), draw_request(rng))


def _options(rng: random.Random, usual: dict[str, tuple[str, ...]], most: int = 3) -> list[str]:
    """Return some of the options, a value of each from its usual ones or, seldom, a strange one."""
    words = []
    for option in rng.sample(list(usual), min(len(usual), rng.randint(0, most))):
        words.append(option)
        if usual[option]:
            words.append(rng.choice(usual[option]) if rng.random() < 0.85 else draw_text(rng))
    return words


OVERRIDES = {
    "--gpus": ("64", "100", "512", "1,024"), "--server": SERVERS, "--family": (*FAMILIES, "clos,torus"),
    "--switches": SWITCHES, "--planes": ("1", "2", "any", "1,2"), "--tiers": ("1", "2", "3", "any"), "--price":
    ("sn5600=5", "qm9700=1", "own=-1", "x=y", "optical-400g=0"), "--quiet": (), "--json": (),
}  # fmt: skip


def _design(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    usual = {**OVERRIDES, "--out": ("out", "out/below", "request.yaml")}
    if rng.random() < 0.3:
        prices = {"sn5600": 10, "own": 5, "optical-400g": 700}
        return [
            "design",
            _request(rng, files),
            "--prices",
            write_file(rng, files, "prices.yaml", prices),
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
        "--size": ("1MiB", "1GiB", "1KiB..1MiB", "4KiB,64MiB", "1"), "--collective": ("all-reduce", "all-to-all",
        "all-gather", "broadcast", "send-recv"), "--gpus": ("8", "16", "24", "64"), "--algorithm":
        ("ring", "tree", "pairwise", "nvls", "halving-doubling", "best"), "--routing": ("ecmp", "adaptive", "dmodk",
        "valiant", "ecmp,adaptive"), "--qps": ("1", "3", "8"), "--nccl": ("channels=4", "qps=2", "protocol=ll"),
        "--transport": ("rdma", "ideal", "ndp", "roce-pfc"), "--placement": ("random", "contiguous",
        "strided", "by-rail", "fragmented"), "--fail":
        ("leaf:1", "link:1%", "spine:2", "leaf:999", "gpu:1", "leaf[block=0]", "link:100%"),
        "--seeds": ("1", "2"), "--seed": ("0", "5"), "--pxn": (), "--engine": ("flows", "flows", "closed", "lp"),
        "--json": (), "--out": ("out",),
    }  # fmt: skip
    words = ["allreduce", _request(rng, files), *_options(rng, usual, rng.choice([1, 2, 5]))]
    action = rng.random()
    if action < 0.12:
        jobs = {"jobs": [{"name": "a", "gpus": 16}, {"name": "b", "gpus": 24, "collective": "all-to-all"}]}
        words += ["--jobs", write_file(rng, files, "jobs.yaml", jobs)]
    elif action < 0.24:
        sizes = [10**6] if rng.random() < 0.6 else [1, 10**6, -1, "x", ""]
        rows = [f"{rng.randint(0, 70)},{rng.randint(0, 70)},{rng.choice(sizes)}" for _ in range(6)]
        text = "\n".join(["source_gpu,target_gpu,bytes", *rows]) + "\n"
        words += ["--traffic", write_file(rng, files, "traffic.csv", text)]
    elif action < 0.3:
        words += ["--fail", f"@{write_file(rng, files, 'failed.txt', 'leaf:1' + chr(10) + 'link:2' + chr(10))}"]
    return words


def _compare(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    if rng.random() < 0.4:
        return ["compare", _request(rng, files), "--families", rng.choice(["clos", "torus,mesh", "x", ","]), "--json"]
    other = write_file(rng, files, "other.yaml", draw_request(rng))
    return ["compare", _request(rng, files), other, *_options(rng, {**OVERRIDES, "--differences": ()})]


def _optimize(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    usual = {
        **OVERRIDES, "--objective": ("cost", "hops,cost", "power", "cost=1,hops=5", "allreduce", "x"),
        "--pareto": ("cost,hops", "switches,links"), "--size": ("1GiB", "0"),
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
    return [
        "cluster",
        write_file(rng, files, "cluster.yaml", cluster),
        *_options(rng, {"--json": (), "--out": ("out",)}),
    ]


def _sweep(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    sweep = {
        "base": {"server": "hgx-h100", "family": "fat-tree"},
        "grid": {"gpus": [64, 128], "oversubscription": [1, 2]},
        "measures": rng.sample(["fabric", "cost", "power", "hops", "allreduce"], 2),
    }
    usual = {"--json": (), "--core-hours": ("1", "0.000001"), "--pareto": ("cost_usd", "x")}
    return ["sweep", write_file(rng, files, "sweep.yaml", sweep), "--plan", *_options(rng, usual)]


def _calibrate(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        log = write_log(Path(folder) / "log.txt", Truth(), seed=rng.randrange(9)).read_text(encoding="utf-8")
    name = write_file(rng, files, "log.txt", log)
    if rng.random() < 0.5:
        return ["calibrate", name, *_options(rng, {"-o": ("constants.yaml", "c.x"), "--json": (), "--server": SERVERS})]
    usual = {"--json": (), "--within": ("5", "200"), "--routing": ("ecmp",), "--gpus": ("32",)}
    return ["accept", _request(rng, files), name, *_options(rng, usual)]


def _failures(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    usual = {
        "--count": ("link=3", "leaf=1", "gpu=2", "x=1", "link=-1"), "--rate": ("link=0.1:4", "leaf=2:24", "leaf=2"),
        "--json": (), "--seed": ("1",), "--routing": ("ecmp", "adaptive"), "--out": ("out",),
    }  # fmt: skip
    return ["failures", _request(rng, files), "--draws", "3", *_options(rng, usual)]


def _floor(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    if rng.random() < 0.5:
        usual: dict[str, tuple[str, ...]] = {
            "-o": ("f.svg", "f.dxf", "f.json", "f.x"), "--show": ("contents", "power", "fill"), "--hall": ("A", "B"),
            "--page": ("a4", "16:9"), "--lost": (), "--json": (),
        }  # fmt: skip
        return ["layout", _request(rng, files), *_options(rng, usual, 2)]
    usual = {
        "-o": ("c.csv", "c.parquet", "c.xlsx", "c.x"),
        "--of": ("hall A", "A01-01", "leaf[block=0,rail=0]", "x--y"),
    }
    return ["wiring", _request(rng, files), *_options(rng, usual, 2)]


def _change(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    usual: dict[str, tuple[str, ...]] = {"-o": ("w.csv", "w.x"), "--json": ()}
    if rng.random() < 0.5:
        steps = [word for gpus in sorted(rng.sample(["512", "1024", "3000"], 2)) for word in ("--to", gpus)]
        return ["grow", _request(rng, files), *steps, *_options(rng, usual)]
    other = write_file(rng, files, "after.yaml", draw_request(rng))
    return ["diff", _request(rng, files), other, *_options(rng, {**usual, "--exit-code": ()})]


def _maxflow(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    groups = ("server.*", r"server\[.*slot=0.*", "leaf.*", ".*0.*", "(", "", "core.*")
    usual = {"--fail": ("leaf:1", "link:2%", "x:1"), "--json": (), "--seed": ("3",)}
    return ["maxflow", _request(rng, files), "--from", rng.choice(groups), "--to", rng.choice(groups),
            *_options(rng, usual)]  # fmt: skip


def _first(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    del files
    usual = {
        "--gpus": ("64", "1000"), "--server": SERVERS, "--switches": (*SWITCHES, "nvidia"), "--oversubscription":
        ("1", "2:1", "1.5"), "--budget": ("4M", "1", "400000000"), "--grow-to": ("2048", "2048,4096"), "--force": (),
    }  # fmt: skip
    return ["init", rng.choice(["first.yaml", "first.yaml", "x/first.yaml"]), "--yes", *_options(rng, usual, 4)]


def _train(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    shape = {"layers": 4, "hidden": 512, "heads": 8, "vocabulary": 1000, "sequence": 128, "batch": 64}
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        key = rng.choice([*shape, "experts", "top_k", "expert_ffn", "kv_heads", "gpus", "window", "gpu_hour_usd", "x"])
        shape[key] = rng.choice([0, 1, 3, 8, -1, 10**8, 10**30, 0.5, float("nan"), "8", None, [8]])  # type: ignore[call-overload]
    degrees = rng.choice([{}, {"tp": 2}, {"tp": 2, "pp": 2}, {"dp": 8, "sharding": "zero3"}, {"pp": 2, "vp": 2}])
    if rng.random() < 0.3:
        degrees = {rng.choice(DEGREES): rng.choice([1, 2, 3, 8, "none", "zero3", "full", 10**8])}
    run = {**shape, "parallel": degrees}
    model = write_file(rng, files, "run.yaml", run) if rng.random() < 0.7 else rng.choice(["llama3-8b", "deepseek-v3"])
    divided = ",".join(f"{key}={rng.choice([1, 2, 4, 'dualpipe', 10**9])}" for key in rng.sample(DEGREES, 2))
    usual = {
        "--parallel": ("tp=8", "tp=2,pp=2", "dp=8,sharding=zero3", "tp=8,pp=2,vp=2", divided), "--batch": ("1", "64"),
        "--seq": ("128", "7"), "--precision": ("fp8", "nvfp4"), "--software": ("fsdp", "torchtitan", "hai-llm"),
        "--routing": ("ecmp", "dmodk"), "--gpus": ("8", "9"), "--fail": ("leaf:1", "link:50%"), "--years": ("4", "0"),
        "--gpu-hour-usd": ("2", "1e308"), "--checkpoint": ("30", "1e300"), "--search": (), "--json": (), "--out":
        ("out", "run.yaml"),
    }  # fmt: skip
    fabric = {"name": "small", "gpus": 64, "server": "hgx-h100", "switches": "qm9700"}
    design = _request(rng, files) if rng.random() < 0.3 else write_file(rng, files, "request.yaml", fabric)
    return ["train", design, "--model", model, *_options(rng, usual, 5)]


DEGREES = (
    "tp",
    "pp",
    "vp",
    "cp",
    "dp",
    "ep",
    "etp",
    "micro_batch",
    "sharding",
    "recompute",
    "schedule",
    "offload",
    "x",
)


def _strange(rng: random.Random, files: dict[str, bytes]) -> list[str]:
    del files
    return [draw_text(rng) for _ in range(rng.randint(0, 4))]


COMMANDS: dict[Callable[[random.Random, dict[str, bytes]], list[str]], int] = {
    _design: 18, _look: 12, _bill: 6, _workload: 20, _compare: 5, _optimize: 3, _export: 6, _diagram: 4, _cluster: 5,
    _sweep: 5, _calibrate: 6, _failures: 4, _floor: 7, _change: 5, _maxflow: 4, _first: 3, _train: 8, _strange: 3,
}  # fmt: skip
"""What draws the words of each kind of command line, and how often."""
