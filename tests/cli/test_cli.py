"""The command: what it prints, where, and with which exit code."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Protocol, TextIO

import pytest
import yaml
from click.shell_completion import ShellComplete

import fabric
from fabric.catalog import models
from fabric.cli.main import cli
from fabric.report.catalog_lists import LISTS
from fabric.request.model_file import read_training
from tests.request_fixtures import Run

ROOT = Path(__file__).parents[2]

REQUEST = "name: mine\ngpus: 64\nserver: hgx-h100\nfamily: fat-tree\nswitches: sn5600\n"


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    """Return a request of 64 GPUs on one switch."""
    path = tmp_path / "mine.yaml"
    path.write_text(REQUEST)
    return path


def test_design_prints_the_choice_and_its_proof(run: Run, request_file: Path) -> None:
    """A design run prints what was chosen, its tables within 80 columns, and the proof."""
    code, out, err = run("design", str(request_file))
    assert (code, err) == (0, "")
    assert "1 switch (1 leaf)" in " ".join(out.split())
    assert "Status: OPTIMAL (proven)." in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_json_holds_every_promised_key(run: Run) -> None:
    """`--json` prints the documented object and nothing else on stdout."""
    code, out, _ = run("design", "colossus-100k", "--json")
    design = json.loads(out)
    assert code == 0
    assert design["schema"] == "fabric.design/1"
    assert design["switches"]["by_role"]["leaf"] == {
        "count": 1568,
        "model": "sn5600",
        "models": {"sn5600": 1568},
        "models_added": {},
        "ports_down": 64,
        "ports_up": 64,
        "ports_used": 128,
        "ports_now": {"min": 84, "max": 128, "total": 200352},
        "ports_full": 128,
        "ports_free": 352,
        "radix": 128,
        "rate_gbps": 400,
        "uplink_gbps": 400,
    }
    assert design["links"]["by_bundle"] == {"server-leaf": 100_000, "leaf-spine": 100_352, "spine-core": 100_352}
    assert design["links"]["total"] == sum(design["links"]["by_bundle"].values())
    assert design["optimizer"]["status"] == "OPTIMAL"
    assert design["optimizer"]["wall_s"] > 0
    assert {"size_bytes", "algorithm", "routing", "time_s", "algbw_GBps", "busbw_GBps", "limited_by"} <= set(
        design["allreduce"][0]
    )
    promised = "name family gpus servers rails planes tiers axes oversubscription survives hops"
    assert {*promised.split(), "bisection_gbps", "cost_usd", "power_w"} <= set(design)


def test_options_override_the_request_in_its_own_words(run: Run, request_file: Path) -> None:
    """`--gpus`, `--family` and the others mean what they mean in the file, lists with commas."""
    words = ("--gpus", "4096", "--family", "fat-tree,rail-optimized", "--planes", "1,2", "--tiers", "any")
    code, out, _ = run("design", str(request_file), "--json", *words)
    assert code == 0
    assert json.loads(out)["gpus"] == 4096


def test_show_prints_a_model_as_a_file_of_it(run: Run, tmp_path: Path) -> None:
    """What `show` prints of a model is a file from which the same model is read."""
    path = tmp_path / "model.yaml"
    code, out, _ = run("show", "deepseek-v3")
    path.write_text(out)
    assert code == 0
    assert read_training(path).model == models()["deepseek-v3"]


def test_show_prints_gpus_and_software_of_training(run: Run) -> None:
    """Facts that are not known are left out; a GPU has the precisions in which it is timed, none where none was."""
    h800, mi300x, software = (json.loads(run("show", name, "--json")[1]) for name in ("h800", "mi300x", "megatron"))
    assert (h800["hbm_gib"], h800["peak_tflops"]["fp8"]) == (80, 1979)
    assert (h800["timed"], mi300x["timed"]) == (["bf16", "fp16", "fp8"], [])
    assert software["kernel_classes"] == {"none": "fused", "selective": "fused", "full": "fused"}
    assert "attention" not in yaml.safe_load(run("show", "megatron-2021")[1])


def test_show_suggests_names_of_training(run: Run) -> None:
    """A name near that of a model or a GPU gets it suggested, and one near that of a design still gets the design."""
    near_names = {"lama3-70b": "llama3-70b", "H100": "h100", "megatrn": "megatron", "colosus-100k": "colossus-100k"}
    for word, near in near_names.items():
        code, _, error = run("show", word)
        assert (code, f"did you mean '{near}'?" in error) == (2, True), error


def test_lists_fit_the_terminal(run: Run) -> None:
    """Every list has rows, within 80 columns, and the same as JSON."""
    for what in LISTS:
        code, out, _ = run("list", what)
        assert code == 0
        assert max(map(len, out.splitlines())) <= 80
        rows = json.loads(run("list", what, "--json")[1])
        assert rows
        assert all(row["name"] in out for row in rows)


def test_show_prints_a_request_that_can_be_run_again(run: Run, tmp_path: Path) -> None:
    """What `show` prints is itself a request, with its sources and published numbers, that designs the same fabric."""
    for name, options in (("copy.yaml", ()), ("copy.json", ("--json",))):
        _, shown, _ = run("show", "superpod-h100-4su", *options)
        (tmp_path / name).write_text(shown)
        spec = fabric.read(tmp_path / name)
        assert spec.expected["leaf"] == 32
        assert spec.sources
        assert spec == fabric.read("superpod-h100-4su")
    assert json.loads(shown)["gpus"] == 1024


def test_check_distinguishes_feasible_infeasible_and_ill_formed(run: Run, request_file: Path) -> None:
    """`check` exits 0, 1 with the limit that binds, or 2 with file and line."""
    assert run("check", str(request_file))[0] == 0
    code, _, err = run("check", str(request_file), "--gpus", "1000000", "--tiers", "2")
    assert code == 1
    assert "carries at most 8,192 GPUs; the leaf needs" in err
    request_file.write_text(REQUEST + "gpu: 3\n")
    code, out, err = run("check", str(request_file))
    assert (code, out) == (2, "")
    assert f"{request_file}:6: gpu: unknown key; did you mean 'gpus'?" in err


def test_an_infeasible_request_is_json_too(run: Run, request_file: Path) -> None:
    """With `--json` the conflict is data on stdout, with exit code 1 and the message on stderr."""
    code, out, err = run("design", str(request_file), "--gpus", "1000000", "--tiers", "2", "--json")
    answer = json.loads(out)
    assert (code, answer["status"]) == (1, "INFEASIBLE")
    assert {"limit": "gpus", "value": 1_000_000, "nearest": 8192, "settled": True} in answer["conflict"]
    assert "these limits conflict: gpus 1,000,000, tiers 2" in err


def test_check_names_the_published_numbers_that_are_missed(run: Run) -> None:
    """A design that misses a number of `expected` fails `check`, which names it; `design` only warns."""
    code, out, err = run("check", "superpod-h100-4su", "--gpus", "2048")
    assert code == 1
    assert "feasible" in out
    assert "expected.leaf: published 32, designed 64\n" in err
    assert run("design", "superpod-h100-4su", "--gpus", "2048")[0] == 0
    assert run("check", "superpod-h100-4su")[::2] == (0, "")


def test_whole_numbers_have_no_decimals(run: Run, request_file: Path, tmp_path: Path) -> None:
    """Published and designed numbers stand without `.0` in the table and in the report."""
    request_file.write_text(REQUEST + "expected: {cost_usd.total: {value: 52000.0, within: 1}, hops.mean: 2.5}\n")
    _, out, _ = run("design", str(request_file), "--out", str(tmp_path / "new"))
    for text in (out, (tmp_path / "new" / "report.md").read_text()):
        assert "52,000 " in text
        assert "2.5" in text
        assert not re.search(r"\d\.0\b(?! [GMkTP]|:)", text.partition("Published")[2].partition("Hops")[0])


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--planes", "²"), "planes: '²' is text, not any"),
        (("--planes", "9" * 5000), "a number of 5,000 characters; at most 100 are read"),
        (("--gpus", "9" * 5000), "a number of 5,000 characters; at most 100 are read"),
        (("--gpus", "1e3"), "gpus: '1e3' is text, not a whole number"),
        (("--tiers", "٣"), "tiers: '٣' is text, not any"),
        (("--planes", "-1"), "planes: -1 is too small"),
        (("--planes", "1.5"), "planes: 1.5 is not a whole number"),
        (("--tiers", "2,"), "tiers[1]: '' is text, not a whole number"),
        (("--server", "8"), "server: unknown server '8'"),
        (("--switches", "²,\udcff"), "has a lone surrogate"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_words_that_are_not_numbers_are_refused(run: Run, words: tuple[str, str], text: str) -> None:
    """What looks like a number and is not one, or is far too long, is reported like any other mistake."""
    code, out, err = run("check", "superpod-h100-1su", *words)
    assert (code, out) == (2, "")
    assert text in " ".join(err.split())


@pytest.mark.parametrize("strange", ["a\nb", "\x1b[31m", "\u202eb", "a\x9b", "\u2028"], ids=ascii)
@pytest.mark.parametrize("words", ["design", "allreduce x --size", "diagram x --kind", "report x -o", "list"])
def test_control_characters_in_arguments_never_reach_the_terminal(run: Run, words: str, strange: str) -> None:
    """An argument that would move the cursor, colour the text or turn its order is refused, and shown escaped."""
    code, out, err = run(*words.split(), strange)
    assert (code, out) == (2, "")
    assert "control character" in err
    assert strange not in err


def test_prices_of_a_name_that_is_no_text_are_refused(run: Run) -> None:
    """A byte of a shell's argument that is not UTF-8 is shown escaped, with its option."""
    code, _, err = run("check", "superpod-h100-1su", "--price", "\udcff=1")
    assert code == 2
    assert "'--price': '\\udcff=1' is not NAME=USD" in err


class RunInto(Protocol):
    """The command, run in this process with another stdout: its exit code and stderr."""

    def __call__(self, stream: TextIO, *words: object) -> tuple[int, str]: ...


@pytest.fixture
def run_into(run: Run, monkeypatch: pytest.MonkeyPatch) -> RunInto:
    """Run `fabric` in this process with a stream as its stdout."""

    def run_into(stream: TextIO, *words: object) -> tuple[int, str]:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stream)
            code, _, err = run(*words)
        return code, err

    return run_into


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command in which `fabric` is this tree's, from the tree."""
    line = f'set -o pipefail; fabric() {{ {sys.executable} -m fabric "$@"; }}; {command}'
    words = ["bash", "-c", line]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | environment)


def test_a_full_output_is_reported_in_one_line(run_into: RunInto) -> None:
    """Where stdout can't be written, the run says so and exits 2, whatever prints: rich, click or the help."""
    message = f"fabric: can't write the output: {os.strerror(errno.ENOSPC)}\n"
    for words in (("list", "topologies"), ("show", "colossus-100k"), ("--help",)):
        with Path("/dev/full").open("w", encoding="utf-8") as stream:
            assert run_into(stream, *words) == (2, message), words
    done = shell("fabric --help > /dev/full")
    assert (done.returncode, done.stderr) == (2, message)


def test_a_reader_that_has_gone_is_not_an_error(run_into: RunInto) -> None:
    """A pipe that nobody reads any more ends the run quietly, whatever prints."""
    for words in (("list", "topologies"), ("list", "families"), ("--help",)):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w", encoding="utf-8") as stream:
            assert run_into(stream, *words) == (0, ""), words
    done = shell("(sleep 0.1; fabric list topologies) | true")
    assert (done.returncode, done.stderr) == (0, "")


def test_an_impossible_width_is_ignored(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A COLUMNS that no terminal has leaves the output whole."""
    for columns in ("0", "-3", "²", "9" * 5000, "x", "1"):
        monkeypatch.setenv("COLUMNS", columns)
        code, out, err = run("list", "topologies")
        assert (code, err) == (0, ""), columns
        assert "superpod-h100-16su" in out


def test_a_folder_whose_name_is_not_text_is_written(request_file: Path, run_into: RunInto) -> None:
    """A name of bytes that are not UTF-8 is printed with an escape, and the run goes on."""
    output = io.BytesIO()
    with io.TextIOWrapper(output, encoding="utf-8") as stream:
        done = run_into(stream, "design", request_file, "--out", f"{request_file.parent}/caf\udce9")
        stream.flush()
        assert b"wrote" in output.getvalue()
        assert b"caf\\udce9/design.json" in output.getvalue()
    assert done == (0, "")
    assert len(list(request_file.parent.glob("caf*/*"))) == 6


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("--family ra", {"rail-only", "rail-optimized"}),
        ("--family fat-tree,rail-on", {"fat-tree,rail-only"}),
        ("--switches sn560", {"sn5600"}),
        ("--switches sn5600,an", {"sn5600,any"}),
        ("--server dgx-b3", {"dgx-b300"}),
    ],
)
def test_names_are_completed(words: str, offered: set[str]) -> None:
    """The shell is offered the families, switches and servers that begin with what is typed."""
    *before, start = words.split()
    shell = ShellComplete(cli, {}, "fabric", "_FABRIC_COMPLETE")
    assert {item.value for item in shell.get_completions(["design", "colossus-100k", *before], start)} == offered


def test_the_shell_is_answered_by_the_command() -> None:
    """Asked by bash, the command names what completes its words."""
    words = "fabric design colossus-100k --server dgx-b3"
    done = shell("fabric", _FABRIC_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD="4")
    assert "dgx-b300" in done.stdout
    assert "dgx-h100" not in done.stdout


def test_the_list_of_families_breaks_no_word(run: Run) -> None:
    """A DOI is not broken across lines."""
    assert "doi 10.1145/1402958.1402967\n" in run("list", "families")[1]


def test_a_wrong_command_is_bad_input(run: Run) -> None:
    """Unknown commands, options and requests exit 2 with one message."""
    for words in (("desing",), ("design",), ("design", "colossus-10k"), ("list", "cables"), ("design", "x", "--nope")):
        code, out, err = run(*words)
        assert code == 2, words
        assert err
        assert not out


def test_files_are_written_whole_or_not_at_all(run: Run, request_file: Path, tmp_path: Path) -> None:
    """`--out` writes its six files; where it can't, it says so, exits 2 and leaves nothing behind."""
    out = tmp_path / "build"
    assert run("design", str(request_file), "--out", str(out))[0] == 0
    made = {"design.json", "report.md", "bom.csv", "fabric.svg", "fabric.png", "allreduce.svg"}
    assert {path.name for path in out.iterdir()} == made
    blocked = tmp_path / "file"
    blocked.write_text("here")
    code, _, err = run("design", str(request_file), "--out", str(blocked / "below"))
    assert code == 2
    assert "can't write there" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["build", "file", "mine.yaml"]


def test_too_little_memory_is_one_message(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what needs less, and ends with 2."""

    def run_out(*_args: object, **_words: object) -> None:
        raise MemoryError("Unable to allocate 91.8 MiB")

    monkeypatch.setattr("fabric.design", run_out)
    code, _, error = run("allreduce", "colossus-1m", "-q")
    assert code == 2
    assert "fabric: not enough memory (Unable to allocate 91.8 MiB); take fewer GPUs" in " ".join(error.split())


def refuse(*_: object) -> None:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, "the disk is full")


def test_a_failure_midway_changes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a picture can't be saved, the earlier files of the folder stay as they were and no part-made one is left."""
    study = fabric.design(name="a", gpus=8, server="hgx-h100", family="fat-tree", switches="sn5600")
    (tmp_path / "design.json").write_text("old")
    monkeypatch.setattr("fabric.report.files.save", refuse)
    with pytest.raises(fabric.FabricError, match="the disk is full"):
        fabric.write(study, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["design.json"]
    assert (tmp_path / "design.json").read_text() == "old"


def test_a_folder_in_the_place_of_a_file_changes_nothing(tmp_path: Path) -> None:
    """Where one of the files can't go, none is written."""
    study = fabric.design(name="a", gpus=8, server="hgx-h100", family="fat-tree", switches="sn5600")
    (tmp_path / "fabric.svg").mkdir()
    with pytest.raises(fabric.FabricError, match=r"fabric\.svg is a folder"):
        fabric.write(study, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["fabric.svg"]


@pytest.mark.parametrize("folder", ["", "a\0b", "a\ud800b", "x" * 300, "new/below/" + "x" * 300])
def test_a_folder_that_can_not_be_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """A name that is empty, too long or not text for the system is refused, and no parent of it is left behind."""
    monkeypatch.chdir(tmp_path)
    study = fabric.design(name="a", gpus=8, server="hgx-h100", family="fat-tree", switches="sn5600")
    with pytest.raises(fabric.FabricError, match=r"not a folder name|can't write there"):
        fabric.write(study, folder)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_no_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure removes every folder that was made on the way, and no other."""
    study = fabric.design(name="a", gpus=8, server="hgx-h100", family="fat-tree", switches="sn5600")
    monkeypatch.setattr("fabric.report.files.save", refuse)
    (tmp_path / "old").mkdir()
    with pytest.raises(fabric.FabricError, match="the disk is full"):
        fabric.write(study, tmp_path / "old" / "new" / "below")
    assert [path.name for path in tmp_path.rglob("*")] == ["old"]


def test_an_empty_folder_is_refused_before_sizing(run: Run, request_file: Path) -> None:
    """`--out ""`, as from an unset variable, is bad input and not the same as no `--out`."""
    code, out, err = run("design", str(request_file), "--out", "")
    assert (code, out) == (2, "")
    assert "--out" in err
    assert "write the name of a folder" in err


def test_quiet_stands_before_or_after_the_command(run: Run) -> None:
    """`--quiet` is taken in both places."""
    assert run("--quiet", "check", "superpod-h100-1su")[0] == 0
    assert run("check", "superpod-h100-1su", "--quiet")[0] == 0


def test_closed_streams_are_no_trouble() -> None:
    """A run whose stderr is closed from the start is done all the same."""
    command = f"{sys.executable} -m fabric list optics 2>&-"
    assert subprocess.run(command, shell=True, check=False, stdout=subprocess.DEVNULL, cwd=ROOT).returncode == 0


def test_output_that_nothing_takes_is_refused_before_any_work(tmp_path: Path) -> None:
    """A run whose stdout is closed from the start prints one line on stderr, writes no file, and exits with 2."""
    command = f"{sys.executable} -m fabric design superpod-h100-1su --json --out {tmp_path / 'out'} >&-"
    done = subprocess.run(command, shell=True, check=False, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (2, "fabric: can't write the output: stdout is closed\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["superpod-h100-1su", pytest.param("superpod-h100-16su", marks=pytest.mark.slow)])
def test_the_same_request_gives_the_same_bytes(run: Run, tmp_path: Path, name: str) -> None:
    """Two processes write byte-identical files, with different hash seeds and a MPLBACKEND that is not known."""
    assert run("design", name, "--out", tmp_path / "1")[0] == 0
    command = [sys.executable, "-m", "fabric", "design", name, "--out", str(tmp_path / "2")]
    environment = os.environ | {"PYTHONHASHSEED": "2", "MPLBACKEND": "nope"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.stderr == ""
    names = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert len(names) == 6
    for file in names:
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes(), file


def test_the_library_takes_the_same_words() -> None:
    """`fabric.design` with keyword arguments gives blueprint, network, bill and all-reduce."""
    study = fabric.design(name="mine", gpus=512, server="hgx-h100", family="rail-optimized", switches="qm9700")
    assert study.network.links == study.blueprint.links_total
    assert study.bill.cost_usd() == study.proof.objective
    assert study.allreduce(2**30, routing="ecmp").time_s >= study.allreduce(2**30).time_s
    assert fabric.to_networkx(study.network).number_of_edges() == study.blueprint.links_total


@pytest.mark.parametrize(
    "words",
    [("export", "--format", "dot", "-o"), ("diagram", "-o"), ("report", "--no-front", "-o")],
    ids=lambda words: words[0],
)
def test_an_output_spares_what_stands_there(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    """A request, a folder and a device are left alone; a link is followed, and a file keeps who may read it."""
    suffix = {"export": ".dot", "diagram": ".svg", "report": ".html"}[words[0]]
    request, folder, device = (tmp_path / f"{name}{suffix}" for name in ("request", "folder", "device"))
    request.write_text(REQUEST)
    folder.mkdir()
    os.mkfifo(device)
    for out, said in (
        (request, "is an input"),
        (folder, "is a folder"),
        (device, "a pipe"),
        (request / f"it{suffix}", "is a file"),
    ):
        code, _, err = run(words[0], request, *words[1:], out)
        assert (code, said in err.replace("\n", " ")) == (2, True), err
    assert request.read_text() == REQUEST
    kept, link = tmp_path / f"kept{suffix}", tmp_path / f"link{suffix}"
    kept.write_text("old")
    kept.chmod(0o600)
    link.symlink_to(kept)
    assert run(words[0], request, *words[1:], link)[0] == 0
    assert link.is_symlink()
    assert kept.read_text() != "old"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_what_the_encoding_lacks_is_escaped_as_the_format_has_it(tmp_path: Path) -> None:
    """In an 8-bit encoding `--json` is JSON still and `show` YAML, both with the same text."""
    file = tmp_path / "a.yaml"
    file.write_text("gpus: 64\nserver: hgx-h100\nswitches: sn5600\ntitle: caf\u00e9 \U0001f600\n", encoding="utf-8")
    for words, parse in (("design --json", json.loads), ("show --json", json.loads), ("show", yaml.safe_load)):
        found = shell(f"fabric {words} {file} | iconv -f latin1 -t utf8", PYTHONIOENCODING="latin-1")
        assert found.returncode == 0, found.stderr
        value = parse(found.stdout)
        assert value.get("request", value)["title"] == "caf\u00e9 \U0001f600"


def test_a_page_is_the_same_from_any_folder_and_under_any_name(tmp_path: Path) -> None:
    """The command that a page shows has no folders, and bytes of a file name that are not UTF-8 are escaped."""
    request = tmp_path / "a.yaml"
    request.write_text("gpus: 64\nserver: hgx-h100\nswitches: sn5600\n")
    (tmp_path / "inner").mkdir()
    shell(f"cd {tmp_path} && PYTHONPATH={ROOT} fabric report a.yaml --no-front -o b.html")
    shell(f"cd {tmp_path}/inner && PYTHONPATH={ROOT} fabric report ../a.yaml --no-front -o ./b.html")
    assert (tmp_path / "b.html").read_bytes() == (tmp_path / "inner" / "b.html").read_bytes()
    found = shell(f"cd {tmp_path} && PYTHONPATH={ROOT} fabric report a.yaml --no-front -o $'p\\xff.html'")
    assert found.returncode == 0, found.stderr
    assert len(list(tmp_path.glob("p*.html"))) == 1
