"""`fabric init`: five answers, each checked at once, and a request with comments that `fabric design` takes."""

from __future__ import annotations

import io
import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import fabric
from fabric.catalog import servers, switches
from fabric.request.model import Request
from fabric.request.starter import (
    read_budget,
    read_gpus,
    read_growth,
    read_ratio,
    read_server,
    read_switches,
    read_terms,
)
from tests.marks import slow
from tests.request_fixtures import Run

ROOT = Path(__file__).parents[2]


def type_lines(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Let stdin hold these lines."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


@pytest.mark.parametrize("seed", [*range(6), *slow(*range(6, 60))])
def test_design_takes_what_init_writes(seed: int, run: Run, tmp_path: Path) -> None:
    """For drawn answers the file has them, and its design is the proven optimum of the same keys."""
    draw = random.Random(seed)
    gpus = draw.choice([8, 100, 512, 1000, 1024, 2048, 4096, 5000])
    vendors = sorted({each.vendor.lower() for each in switches().values()})
    words = {
        "--gpus": f"{gpus:,}",
        "--server": draw.choice([*servers()]),
        "--switches": draw.choice(["any", "sn5600", "qm9700", "Tomahawk5-64x800g", *vendors, "nvidia,broadcom"]),
        "--oversubscription": draw.choice(["1", "2:1", "1.5", "3:2"]),
        "--grow-to": draw.choice(["no", str(gpus * 2), f"{gpus * 2},{gpus * 3}"]),
    }
    given = [word for option in draw.sample([*words], draw.randint(2, 5)) for word in (option, words[option])]
    file = tmp_path / "drawn.yaml"
    code, _, said = run("-q", "init", file, *given, "--yes")
    if code == 1:  # no fabric of these parts: said at once, and nothing is written
        assert "no fabric for" in said
        assert not [*tmp_path.iterdir()]
        return
    assert code == 0, said
    keys = yaml.safe_load(file.read_text())
    if "--gpus" in given:
        assert keys["gpus"] == gpus
    if "--server" in given:
        assert keys["server"] == words["--server"]
    study = fabric.design(file)
    assert study.proof.status == "OPTIMAL"
    assert study.spec.oversubscription == fabric.design(keys).spec.oversubscription


def test_typed_answers_are_checked_at_once(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong answer gets a remedy and the same question again; an empty line takes the default."""
    type_lines(
        monkeypatch, "0", "2,048", "hgx-h10", "HGX-H100", "qm97000", "sn5600", "$1M", "$9M, 2:1", "1024", "4096"
    )  # fmt: skip
    code, printed, said = run("-q", "init", tmp_path / "typed.yaml")
    assert code == 0, said
    plain = " ".join(said.split())
    for remedy in (
        "'0' is not a whole, positive number",
        "unknown server 'hgx-h10'; did you mean 'hgx-h100'?",
        "unknown switch or vendor 'qm97000'; did you mean 'qm9700'?",
        "limits.cost_usd 1,000,000 is too low; minimum feasible value (others unchanged): ",
        "grow_to_gpus: 1024 is less than gpus, 2048",
    ):
        assert remedy in plain
    assert all(name in said for name in (*servers(), *switches()))
    assert plain.count("GPUs [1024]:") == 2
    assert "Next: fabric design" in printed
    assert yaml.safe_load((tmp_path / "typed.yaml").read_text()) == {
        "name": "typed",
        "gpus": 2048,
        "server": "hgx-h100",
        "switches": "sn5600",
        "limits": {"cost_usd": 9_000_000},
        "oversubscription": 2,
        "grow_to_gpus": 4096,
    }


def test_every_key_is_explained(run: Run, tmp_path: Path) -> None:
    """The file has each key of a request with its description; one that is left out holds without its #."""
    file = tmp_path / "all.yaml"
    assert run("-q", "init", file, "--switches", "sn5600", "--yes")[0] == 0
    text = file.read_text()
    plain = " ".join(text.replace("\n# ", " ").split())
    left_out = re.findall(r"^#([a-z_]+): .*$", text, re.MULTILINE)
    written = yaml.safe_load(text)
    for name, field in Request.model_fields.items():
        if not (field.alias or name in ("servers", "mix")):
            assert str(field.description) in plain
            assert (name in written) != (name in left_out), name
    for key in left_out:
        if key not in ("calibration", "oversubscription"):
            changed = re.sub(rf"^#({key}: )", r"\1", text, flags=re.MULTILINE)
            assert key in fabric.read(yaml.safe_load(changed)).request, key


def test_a_file_is_never_lost(run: Run, tmp_path: Path) -> None:
    """A file that exists is kept without --force, and a name that is not YAML's or a missing answer writes nothing."""
    file = tmp_path / "mine.yaml"
    file.write_text("mine")
    code, _, said = run("-q", "init", file, "--yes")
    assert (code, file.read_text()) == (2, "mine")
    assert "exists; use --force to replace it" in " ".join(said.split())
    assert run("-q", "init", file, "--yes", "--force")[0] == 0
    assert fabric.read(file).gpus == 1024
    code, _, said = run("-q", "init", tmp_path / "mine.json", "--yes")
    assert (code, "write for example mine.yaml" in " ".join(said.split())) == (2, True)
    assert [each.name for each in tmp_path.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--gpus", "many", "--gpus: 'many' is not a whole, positive number"),
        ("--gpus", "200000000", "gpus: 200000000 is too large; at most 100,000,000"),
        ("--server", "hgx-h110", "did you mean 'hgx-h100'?"),
        ("--server", "toaster", "`fabric list servers` has them all"),
        ("--switches", "nvidea", "did you mean 'nvidia'?"),
        ("--oversubscription", "$4M", "--oversubscription: '$4M' is not a ratio"),
        ("--budget", "2:1", "--budget: '2:1' is not an amount of dollars"),
        ("--grow-to", "512", "grow_to_gpus: 512 is less than gpus, 1024"),
    ],
)
def test_a_wrong_option_is_refused_with_a_remedy(option: str, text: str, said: str, run: Run, tmp_path: Path) -> None:
    """It is named with what would do, the exit code is 2, and nothing is written."""
    code, _, err = run("-q", "init", tmp_path / "new.yaml", option, text, "--yes")
    assert code == 2
    assert said in " ".join(err.split())
    assert not [*tmp_path.iterdir()]


def test_a_budget_too_low_says_what_would_do(run: Run, tmp_path: Path) -> None:
    """Where no fabric meets the answers the exit code is 1, as of `fabric design`, and nothing is written."""
    code, _, said = run("-q", "init", tmp_path / "new.yaml", "--budget", "$1M", "--yes")
    assert code == 1
    assert "minimum feasible value (others unchanged)" in " ".join(said.split())
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("lines", [[], ["64"], ["64", "", "", ""]])
def test_stdin_that_ends_writes_nothing(
    lines: list[str], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed stdin, or one that ends before the last answer, gives exit code 2 and the options that answer."""
    type_lines(monkeypatch, *lines)
    code, _, said = run("-q", "init", tmp_path / "new.yaml")
    assert code == 2
    assert "stdin has ended, nothing is written; answer by --" in " ".join(said.split())
    monkeypatch.setattr(sys, "stdin", None)
    assert run("-q", "init", tmp_path / "new.yaml")[0] == 2
    assert not [*tmp_path.iterdir()]


def test_an_interrupt_at_a_question_writes_nothing(tmp_path: Path) -> None:
    """Ctrl-C ends the command, as a shell sees with 130, and leaves no file."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "fabric", "init"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(b"64\n")
        process.stdin.flush()
        assert any(b"hgx-h100" in line for line in process.stderr)  # the list before the second question
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) in (130, -signal.SIGINT)
    assert not [*tmp_path.iterdir()]


def test_answers_are_read_as_they_are_meant() -> None:
    """Ratios, budgets, vendors and stages in the ways in which people write them."""
    assert read_gpus("100,000") == {"gpus": 100_000}
    assert read_server(" DGX-H100 ") == {"server": "dgx-h100"}
    assert read_ratio("2") == read_ratio("2:1") == read_ratio("2 : 1") == {"oversubscription": 2}
    assert read_ratio("3:2") == read_ratio("1.5") == {"oversubscription": 1.5}
    four = {"limits": {"cost_usd": 4_000_000}}
    assert all(read_budget(text) == four for text in ("4000000", "$4M", "4m", "4,000,000 USD", "$ 4_000_000", "4000k"))
    assert read_terms("2:1 and $4M") == read_terms("$4,000,000; 2") == {"oversubscription": 2, **four}
    assert read_terms("4000000") == four
    assert read_growth("no") == {}
    assert read_growth("2,048") == {"grow_to_gpus": 2048}
    assert read_growth("2048,4096") == read_growth("2,048, 4,096") == {"grow_to_gpus": [2048, 4096]}
    assert read_switches("Broadcom") == {"switches": "tomahawk5-64x800g"}
    assert read_switches("sn5600, any") == {"switches": "any"}
    assert "q3400-ra" in read_switches("nvidia", "hgx-b300")["switches"]  # 800G NICs, as its ports are
    nvidia = read_switches("nvidia, sn5600")["switches"]
    assert nvidia == [name for name, each in switches().items() if each.vendor == "NVIDIA" and each.price_usd]
    for read, text in ((read_ratio, "1:0"), (read_terms, "1, 2"), (read_terms, ""), (read_switches, " , ")):
        with pytest.raises(fabric.InputError):
            read(text)


def test_every_switch_has_a_vendor() -> None:
    """A vendor is a name, such as people type it."""
    assert {each.vendor for each in switches().values()} == {
        "Arista", "Asterfusion", "Broadcom", "Edgecore", "Juniper", "Meta", "NVIDIA",
    }  # fmt: skip


@pytest.mark.parametrize("vendor", ["nvidia", "arista"])
def test_a_vendor_stands_for_switches_whose_ports_are_known(vendor: str, run: Run, tmp_path: Path) -> None:
    """Designing what init writes leaves out no switch for breakouts or prices that are not known."""
    file = tmp_path / "mine.yaml"
    assert run("-q", "init", file, "--gpus", "512", "--switches", vendor, "--yes")[0] == 0
    assert "Not considered" not in run("-q", "design", file)[1]
