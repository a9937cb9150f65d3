"""Truths about plans: names that DNS takes, every port used once, and files written whole."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

import fabric
from fabric.errors import FabricError, InputError
from fabric.export import FORMATS, Witness, list_plan_files
from fabric.export.plan import Plan, PlanFormat, PlanText
from fabric.export.plan.device_names import HOST_NAME, shorten_axes
from tests.export.plans import CLOS, GRAPHS, draw_plans, shipped_plan
from tests.request_fixtures import Run

SITE_NAMES = {"leaf": "lf-{block:02}-{rail}", "server": "gpu_{number:04}"}


def plans() -> Iterator[Plan]:
    """Yield shipped and drawn plans."""
    yield from map(shipped_plan, ("superpod-h100-2su", "superpod-b300-1su", "alibaba-hpn-pod"))
    yield from draw_plans(1, 12, "infiniband", CLOS + GRAPHS)
    yield from map(draw_levels, ("bcube", "zcube"))


def draw_levels(family: str, nics: int = 4) -> Plan:
    """Return a plan whose NICs have a port, or where there are more are one, for each of two levels of switches."""
    box = {"name": "box", "gpus": 4, "nics": nics, "nic_gbps": 400, "trays": 2 if nics > 1 else 1}
    switch = {"name": "switch", "ports": 32, "rate_gbps": 400, "breakouts": {200: 64}}
    return fabric.design(name="levels", gpus=64, server=box, switches=[switch], family=family, link_price_usd=1).plan


def test_every_name_is_that_of_a_host_and_every_port_is_used_once() -> None:
    """Names are unique in DNS; a part of a port has one link and is in its model; a host has a link for each NIC."""
    trays = kinds = planes = 0
    for plan in plans():
        names = [*plan.device_names, *plan.hosts.names]
        assert all(map(HOST_NAME.fullmatch, names))
        assert len({name.lower() for name in plan.device_names}) == plan.network.devices
        assert len({name.lower() for name in plan.hosts.names}) == len(plan.hosts)
        taken: Counter[tuple[int, ...]] = Counter()
        for ends in (plan.lower, plan.upper):
            taken.update(zip(*(getattr(ends, key).tolist() for key in ("device", "tray", "port", "part")), strict=True))
            assert (ends.part < ends.parts).all()
        assert set(taken.values()) == {1}
        for device, port in {(device, port) for device, _, port, _ in taken}:
            if model := plan.models[device]:
                assert 1 <= port <= model.ports + (model.uplinks.ports if model.uplinks else 0)
        nics = [blueprint_nics(plan, device) for device in plan.hosts.device]
        used = np.bincount(plan.host[plan.host >= 0], minlength=len(plan.hosts))
        assert [int(number) for number in used] == nics
        trays += plan.blueprint.server.trays > 1
        kinds += len(plan.blueprint.servers_by_role) > 1
        planes += plan.blueprint.planes > 1
    assert min(trays, kinds, planes) > 0


def blueprint_nics(plan: Plan, device: np.int64) -> int:
    """Return the links that a host of a device has, by the facts of its server or appliance."""
    group = plan.network.groups[plan.network.role[device]]
    if group.role in plan.blueprint.servers_by_role:
        server = plan.blueprint.servers_by_role[group.role]
        return server.nics // server.trays * (plan.blueprint.topology.routing.nic_levels or plan.blueprint.planes)
    return next(each.ports for each in plan.spec.appliances if each.name == group.role)


def test_names_of_ports_are_those_of_the_cable_table() -> None:
    """A port's name is the one in the table of cables, where a server's tray stands before it."""
    for plan in plans():
        for ends, codes in ((plan.lower, plan.wiring.a_port), (plan.upper, plan.wiring.b_port)):
            cabled = [plan.wiring.port_names[code].rpartition("tray")[2] for code in codes.tolist()]
            trays = [f"{tray + 1:02d} {ends.names[name]}" for tray, name in zip(ends.tray, ends.name, strict=True)]
            assert all(text in (ours, ours[3:]) for text, ours in zip(cabled, trays, strict=True))


@pytest.mark.parametrize(
    ("family", "nics", "names"),
    [
        ("bcube", 4, ["nic0", "nic1"] * 2),
        ("bcube", 2, ["nic0", "nic0"]),
        ("bcube", 1, ["nic0p0", "nic0p1"]),
        ("zcube", 4, ["nic0p0", "nic0p1", "nic1p0", "nic1p1"] * 2),
    ],
)
def test_nics_on_one_level_each_are_named_as_nics(family: str, nics: int, names: list[str]) -> None:
    """A BCube spreads a server's NICs over its levels where there are as many; else each has a port on every level."""
    plan = draw_levels(family, nics)
    rows = np.flatnonzero(plan.lower.device == 0)
    rows = rows[np.argsort(plan.network.lower_port[rows])]
    assert [plan.lower.names[name] for name in plan.lower.name[rows]] == names
    assert set(plan.lower.parts[rows].tolist()) == {2 if names[0] == "nic0p0" else 1}
    made = json.loads("".join(str(piece) for piece in list_plan_files(plan, "infragraph")[0][1]))
    server = next(each for each in made["devices"] if each["name"] == "server")
    assert next(each["count"] for each in server["components"] if each["name"] == "nic") == nics


def test_rails_and_planes_of_links_are_those_of_their_switches() -> None:
    """A link has the rail and plane in its switches' names, and no rail where switches have none."""
    rails = set()
    for plan in plans():
        names = plan.network.names()
        for row in range(0, plan.network.links, 7):
            lower, upper = names[plan.lower.device[row]], names[plan.upper.device[row]]
            plane = plan.link_plane[row]
            assert f"plane={plane}" in upper if plane >= 0 else "plane=" not in upper
            rail = plan.link_rail[row]
            assert f"rail={rail}" in lower + upper if rail >= 0 else "rail=" not in lower + upper
            rails.add(rail >= 0)
    assert rails == {True, False}


def test_a_sites_names_are_kept_where_dns_takes_them() -> None:
    """Patterns that give names of hosts are kept; devices of other roles are named by their places."""
    plan = fabric.design("superpod-h100-1su", site={"names": SITE_NAMES}).plan
    named = dict(zip(plan.network.names(), plan.device_names, strict=True))
    assert named["leaf[block=0,rail=3,plane=0]"] == "lf-01-4"
    assert (named["server[block=0,slot=31]"], named["spine[spine=2,plane=0]"]) == ("server-b0-s31", "spine-s2")
    twins = {"leaf": "x{number}", "spine": "X{number}"}
    with pytest.raises(InputError, match=r"would both be the host 'X1'.*site\.names"):
        _ = fabric.design("superpod-h100-1su", site={"names": twins}).plan.device_names


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ({"server": "n{number}", "leaf": "N1-tray0{number}"}, "'n1-tray01' has the name of another device"),
        ({"server": "n" * 58 + "{number}"}, "has 66 characters, and a host's name at most 63"),
    ],
)
def test_names_of_trays_are_those_of_hosts_and_of_nothing_else(names: dict[str, str], reason: str) -> None:
    """A tray is a host by the name of its server, which the site gives, and a suffix."""
    plan = fabric.design(
        name="trays", gpus=144, server="gb200-nvl72", switches="qm9700", family="rail-optimized", site={"names": names}
    ).plan
    with pytest.raises(InputError, match=reason):
        _ = plan.hosts


def test_letters_of_axes_differ() -> None:
    """An axis has as many letters as tell it from those before it, even where one is the beginning of another."""
    assert shorten_axes(["pod", "block", "rail", "plane"]) == ["p", "b", "r", "pl"]
    assert shorten_axes(["row", "ro", "r", "a_b"]) == ["r", "ro", "rx", "a"]


def write_lines(plan: Plan) -> PlanText:
    """Yield a file of switches and, where there are some, one of appliances in a folder."""
    yield "switches.txt", (f"{name}\n" for name in np.array(plan.device_names)[plan.is_switch])
    if plan.network.appliances:
        yield "more/appliances.txt", iter([f"{plan.device_names[-1]}\n"])


def refuse_ethernet(plan: Plan) -> None:
    """Refuse a plan of Ethernet switches."""
    if any(model and model.link_layer == "ethernet" for model in plan.models):
        raise InputError(f"{plan.name}: lines are for InfiniBand")


@pytest.fixture
def lines() -> Iterator[PlanFormat]:
    """Register a format of plans for the life of a test."""
    witness = Witness("grammar", "these lines")
    format_ = PlanFormat("lines", (".lines",), "people", "names", write_lines, refuse_ethernet, witness=witness)
    FORMATS.add(format_)
    yield format_
    FORMATS.remove("lines")


@pytest.mark.usefixtures("lines")
def test_one_file_goes_where_it_is_sent_and_several_to_a_folder(run: Run, tmp_path: Path) -> None:
    """Stdout, a file by its suffix, or a folder; several files need a folder, and are all there or none."""
    small = "superpod-h100-1su"
    plan = shipped_plan(small)
    switches = [name for name, is_switch in zip(plan.device_names, plan.is_switch, strict=True) if is_switch]
    code, text, _ = run("export", small, "--format", "lines")
    assert (code, text.splitlines()) == (0, switches)
    assert run("export", small, "-o", tmp_path / "it.lines")[0] == 0
    assert run("export", small, "--format", "lines", "-o", f"{tmp_path}/folder/")[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"it.lines", "folder"}
    assert (tmp_path / "folder/switches.txt").read_text() == (tmp_path / "it.lines").read_text() == text


@pytest.mark.usefixtures("lines")
def test_several_files_need_a_folder(run: Run, tmp_path: Path) -> None:
    """Stdout and a file are refused with the names of the files; a folder has them, and one that fails has none."""
    file = tmp_path / "two.yaml"
    file.write_text(
        "name: two\ngpus: 64\nserver: hgx-h100\nswitches: qm9700\nappliances: [{name: manager, ports: 1}]\n"
    )
    code, _, said = run("export", file, "--format", "lines")
    reason = "folder of files (switches.txt, more/appliances.txt); give --out FOLDER"
    assert (code, reason in " ".join(said.split())) == (2, True)
    code, _, said = run("export", file, "--format", "lines", "-o", file.with_suffix(".txt"))
    assert code == 0
    assert (tmp_path / "two.txt/more/appliances.txt").read_text() == "manager\n"
    (tmp_path / "taken").write_text("mine")
    code, _, said = run("export", file, "--format", "lines", "-o", tmp_path / "taken")
    assert (code, "write a folder's name" in " ".join(said.split())) == (2, True)
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_folder_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """Where the second file fails, the first is not there either."""

    def fail(_: Plan) -> PlanText:
        yield "one", iter(["fine\n"])
        yield "two", (1 // 0 for _ in "x")  # type: ignore[misc]

    FORMATS.add(PlanFormat("failing", (), "", "", fail))
    try:
        with pytest.raises(ZeroDivisionError):
            fabric.write_plan(shipped_plan("superpod-h100-1su"), tmp_path / "out", "failing")
    finally:
        FORMATS.remove("failing")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def devices() -> Iterator[PlanFormat]:
    """Register a format of a file for each device for the life of a test."""

    def write(plan: Plan) -> PlanText:
        return ((f"{name}/name.txt", iter([f"{name}\n"])) for name in plan.device_names)

    FORMATS.add(format_ := PlanFormat("devices", (), "people", "names", write, folder=True))
    yield format_
    FORMATS.remove("devices")


def list_files(folder: Path) -> set[str]:
    """Return the files below a folder, relative to it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("devices")
def test_files_of_an_earlier_larger_fabric_go(run: Run, tmp_path: Path) -> None:
    """What is in the folder afterwards is as in a new one, beside what others put there; empty folders go too."""
    large, small = "superpod-h100-2su", "superpod-h100-1su"
    (tmp_path / "out/server-b1-s0").mkdir(parents=True)
    (tmp_path / "out/server-b1-s0/notes.txt").write_text("mine")
    run("export", large, "--format", "slurm-tree", "-o", tmp_path / "out")
    others = list_files(tmp_path / "out")
    for name in (large, small):
        code, said, _ = run("export", name, "--format", "devices", "-o", tmp_path / "out")
        assert code == 0
    gone = len(shipped_plan(large).device_names) - len(shipped_plan(small).device_names)
    assert f"removed {gone} files of an earlier export that this one does not have" in " ".join(said.split())
    run("export", small, "--format", "devices", "-o", tmp_path / "new")
    assert list_files(tmp_path / "out") == list_files(tmp_path / "new") | others
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == {
        *shipped_plan(small).device_names,
        "server-b1-s0",
    }
    done = subprocess.run(["sha256sum", "--check", "--quiet", "devices.sha256"], cwd=tmp_path / "out", check=False)
    assert done.returncode == 0


@pytest.mark.usefixtures("devices")
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda out: (out / "server-b1-s0/name.txt").write_text("mine"), "has been changed since; move it away"),
        (lambda out: (out / "devices.sha256").write_text("abc  x\n"), "line 1: 'abc x' is no checksum of a file"),
        (lambda out: (out / "devices.sha256").write_text(f"{'0' * 64}  ../x\n"), "no checksum of a file below this"),
    ],
)
def test_what_is_not_ours_stays(run: Run, tmp_path: Path, spoil: Callable[[Path], object], reason: str) -> None:
    """Where a file that would go was changed, or the list of files is none of ours, nothing is changed."""
    run("export", "superpod-h100-2su", "--format", "devices", "-o", tmp_path / "out")
    spoil(tmp_path / "out")
    before = {name: (tmp_path / "out" / name).read_text() for name in list_files(tmp_path / "out")}
    code, _, said = run("export", "superpod-h100-1su", "--format", "devices", "-o", tmp_path / "out")
    assert (code, reason in " ".join(said.split())) == (2, True)
    assert {name: (tmp_path / "out" / name).read_text() for name in list_files(tmp_path / "out")} == before


@pytest.mark.usefixtures("devices")
def test_what_stands_in_the_way_is_named_with_a_remedy(run: Run, tmp_path: Path) -> None:
    """A file where a folder must go, and a folder where a file must go."""
    (tmp_path / "taken").write_text("mine")
    (tmp_path / "out/spine-s0/name.txt").mkdir(parents=True)
    for out, reason in (("taken/x", "/taken' is no folder"), ("out", "spine-s0/name.txt is a folder")):
        code, _, said = run("export", "superpod-h100-1su", "--format", "devices", "-o", tmp_path / out)
        text = "".join(said.split())
        assert (code, reason.replace(" ", "") in text, "chooseanotherfolder,ormove" in text) == (2, True, True)
    assert list_files(tmp_path) == {"taken"}


@pytest.mark.usefixtures("lines")
def test_what_does_not_fit_is_refused_with_a_reason(run: Run) -> None:
    """Another link layer, a view's option, and a plan's format for a view or the reverse are answered."""
    code, _, said = run("export", "superpod-b300-1su", "--format", "lines")
    assert (code, "lines are for InfiniBand" in said) == (2, True)
    code, _, said = run("export", "superpod-h100-1su", "--format", "lines", "--pod", 0)
    assert (code, "--pod does not apply to --format lines" in " ".join(said.split())) == (2, True)
    with pytest.raises(InputError, match="written from the whole plan of a fabric, not from a view"):
        fabric.write_view(fabric.design("superpod-h100-1su").view(), "it.lines")
    with pytest.raises(InputError, match="written from a view of a fabric, not from the whole plan"):
        list_plan_files(shipped_plan("superpod-h100-1su"), "dot")


@pytest.mark.parametrize("names", [("/etc/x",), ("../x",), ("",), ("a", "A"), (), ("a//b",)])
def test_files_outside_the_folder_or_under_one_name_are_refused(names: tuple[str, ...]) -> None:
    """A format writes inside its folder, and no two files that some file systems would take for one."""
    FORMATS.add(PlanFormat("bad", (), "", "", lambda _: iter([(name, iter([""])) for name in names])))
    try:
        with pytest.raises(FabricError, match="format 'bad'"):
            list_plan_files(shipped_plan("superpod-h100-1su"), "bad")
    finally:
        FORMATS.remove("bad")


def test_every_format_names_its_witness(run: Run) -> None:
    """`list formats` says of each how it was shown; a witness without a tool, or of another kind, is refused."""
    rows = json.loads(run("list", "formats", "--json")[1])
    assert {row["witness"].partition(":")[0] for row in rows} <= {"run", "schema", "grammar"}
    said = run("list", "formats")[1]
    assert max(map(len, said.splitlines())) <= 80
    assert all(row["name"] in said for row in chain(rows))
    for wrong in (("seen", "x"), ("run", ""), ("none", "x")):
        with pytest.raises(InputError, match="write one of run, schema and grammar"):
            Witness(*wrong)


def test_what_takes_too_long_is_refused_before_cables_are_laid(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what a format takes for each device and link; a workbook of cables takes more than text."""
    study = fabric.design("superpod-b300-1su")
    plan = Plan(study.spec, study.blueprint, lambda: pytest.fail("cables are laid"))
    monkeypatch.setenv("FABRIC_MINUTES", "0.001")
    with pytest.raises(FabricError, match="2,136 devices and links as point-to-point-xlsx need about"):
        list_plan_files(plan, "point-to-point-xlsx")
    assert list_plan_files(study.plan, "point-to-point")
