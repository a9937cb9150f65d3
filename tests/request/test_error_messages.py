"""Every mistake that a request can have: its place and its message, and that nothing else ever happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric.errors import InputError
from fabric.request.fields import WRITING
from fabric.request.model import Request
from fabric.request.yaml_reader import read_text
from fabric.request.yaml_writer import yaml_text
from fabric.units import parse_size
from tests.request_fixtures import BASE, BOX, SERVER, Run, mistakes_of, read

DAC = {"name": "dac", "rate_gbps": 400, "price_usd": 1}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"gpus": 0}, "gpus: 0 is too small; at least 1"),
    ({"gpus": -8}, "gpus: -8 is too small; at least 1"),
    ({"gpus": 10**12}, "gpus: 1000000000000 is too large; at most 100,000,000"),
    ({"gpus": True}, "gpus: true is a boolean, not a whole number"),
    ({"gpus": "100000"}, "gpus: '100000' is text, not a whole number; write it without quotes: 100000"),
    ({"gpus": "12:30"}, "gpus: '12:30' is text, not a whole number; write for example `gpus: 100000`"),
    ({"gpus": 1e5}, "gpus: 100000.0 is not a whole number; write 100000"),
    ({"gpus": 8.5}, "gpus: 8.5 is not a whole number"),
    ({"gpus": float("nan")}, "gpus: nan is not a whole number"),
    ({"gpus": None}, "gpus: is empty; write for example `gpus: 100000`"),
    ({"gpus": [8]}, "gpus: this is a list, not a whole number"),
    ({"gpu": 8}, "gpu: unknown key; did you mean 'gpus'?"),
    ({"nic_gbp": 8}, "nic_gbp: unknown key; did you mean 'server.nic_gbps'?"),
    ({"parallel_links": 16}, "parallel_links: unknown key; did you mean 'limits.parallel_links'?"),
    ({"<<": {}}, "<<: unknown key; known: $schema, appliances, as_built, available, calibration, currency, "),
    ({"name": "a/b"}, "name: 'a/b' is not valid"),
    ({"name": ".hidden"}, "name: '.hidden' is not valid"),
    ({"name": "-rf"}, "name: '-rf' is not valid"),
    ({"name": "a\nb"}, "name: 'a\\nb' is not valid"),
    ({"name": "a\x1b[31m"}, "name: 'a\\x1b[31m' is not valid"),
    ({"name": ""}, "name: '' is not valid"),
    ({"name": "x" * 101}, "is 101 characters long; at most 100"),
    ({"name": 400}, "name: 400 is a number, not text; write it in quotes: '400'"),
    ({"title": "a\x00"}, "title: contains a line break or another control character"),
    ({"title": "a\u202eb"}, "title: contains a line break or another control character"),
    ({"title": "x" * 1001}, "is 1,001 characters long; at most 1,000"),
    (
        {"nccl": {"version": 2.30}},
        "version: 2.3 is a number, not text; write it in quotes, with the zeros at its end: '2.3'",
    ),
    ({"server": "hgx-h10"}, "server: unknown server 'hgx-h10'; did you mean 'hgx-h100'?"),
    ({"server": 3}, "server: 3 is a number, not a name or a mapping of a server's facts"),
    ({"server": {**SERVER, "nics": 0}}, "server.nics: 0 is too small"),
    ({"server": {"name": "srv", "gpus": 8, "nics": 8}}, "server.nic_gbps: missing; write for example `nic_gbps: 400`"),
    ({"server": {**SERVER, "nic_gbp": 4}}, "server.nic_gbp: unknown key; did you mean 'nic_gbps'?"),
    ({"server": {**SERVER, "rails": 3}}, "server.rails: 3 does not divide the server's 8 nics"),
    ({"server": {**SERVER, "trays": 3}}, "server.trays: 3 does not divide the server's 8 gpus"),
    ({"server": {**SERVER, "power_w": -1}}, "server.power_w: -1 is too small"),
    ({"server": {**SERVER, "nvlink_GBps": float("inf")}}, "server.nvlink_GBps: inf is not a finite number"),
    ({"family": "fat-tre"}, "family: unknown family 'fat-tre'; did you mean 'fat-tree'?"),
    ({"family": ["fat-tree", "x"]}, "family[1]: unknown family 'x'; known: any, bcube, clos"),
    ({"family": []}, "family: is empty; give at least one"),
    ({"switches": "sn470"}, "switches: unknown switch 'sn470'; did you mean 'sn4700'?"),
    ({"switches": []}, "switches: is empty; give at least one"),
    (
        {"switches": 5},
        "switches: 5 is a number, not a name, a mapping of a switch's facts, a list or a mapping by tier",
    ),
    ({"switches": {"leaf": "sn5600", "spin": "sn5600"}}, "switches.spin: unknown tier 'spin'; did you mean 'spine'?"),
    ({"switches": {"leaf": 5}}, "switches.leaf: 5 is a number, not a name, a mapping of a switch's facts or a list"),
    ({"switches": {"leef": "sn5600"}}, "switches.leef: unknown tier 'leef'; did you mean 'leaf'?"),
    ({"switches": {"name": "b", "ports": 4}}, "switches.rate_gbps: missing"),
    ({"switches": {**BOX, "port": 4}}, "switches.port: unknown key; did you mean 'ports'?"),
    ({"switches": {"leaf": {**BOX, "leaf": "sn5600"}}}, "switches.leaf.leaf: unknown key"),
    ({"switches": ["sn5600", {**BOX, "name": "sn5600"}]}, "switches[1]: 'sn5600' is already the name of a switch with"),
    ({"switches": [BOX, {**BOX, "ports": 32}]}, "switches[1]: 'box' is already the name of a switch with other facts"),
    ({"switches": ["any", {**BOX, "name": "sn5600"}]}, "switches[1]: 'sn5600' is already the name of a switch with"),
    ({"switches": [{**BOX, "name": "sn5600"}, "any"]}, "switches[0]: 'sn5600' is already the name of a switch with"),
    (
        {"switches": {"leaf": "any", "spine": {**BOX, "name": "sn5600"}}},
        "switches.spine: 'sn5600' is already the name of a switch with",
    ),
    ({"switches": {"leaf": "sn5600"}, "tiers": [2, 3]}, "switches: a fabric of 2 tiers also needs a switch for spine"),
    (
        {"prices_usd": {"sn470": 1}},
        "prices_usd.sn470: unknown switch, server or link part 'sn470'; did you mean 'sn4700'?",
    ),
    ({"prices_usd": {"sn5600": -1}}, "prices_usd.sn5600: -1 is too small"),
    ({"prices_usd": {"sn5600": 0.004}}, "prices_usd.sn5600: 0.004 is less than a cent; write 0 or at least 0.01"),
    ({"link_price_usd": 1e-9}, "link_price_usd: 1e-09 is less than a cent"),
    ({"link_price_usd": {"leaf-spine": 0.009}}, "link_price_usd.leaf-spine: 0.009 is less than a cent"),
    ({"switches": {**BOX, "price_usd": 0.005}}, "switches.price_usd: 0.005 is less than a cent"),
    ({"link_price_usd": -1}, "link_price_usd: -1 is too small"),
    ({"link_price_usd": "1"}, "link_price_usd: '1' is text, not a number or a mapping; write it without quotes: 1"),
    (
        {"link_price_usd": {"leaf-spin": 1}},
        "link_price_usd.leaf-spin: unknown bundle 'leaf-spin'; did you mean 'leaf-spine'?",
    ),
    ({"link_price_usd": float("inf")}, "link_price_usd: inf is not a finite number"),
    ({"link_gbps": 800}, "link_gbps: 800 is faster than the server's NICs; at most 400"),
    ({"link_gbps": 0}, "link_gbps: 0 is too small"),
    ({"planes": 3}, "planes: a NIC of 400G does not split evenly over 3; choose from 1, 2, 4, 5, 8"),
    ({"planes": [3, 7]}, "planes: a NIC of 400G does not split evenly over 3 or 7"),
    ({"planes": 0}, "planes: 0 is too small"),
    ({"planes": "two"}, "planes: 'two' is text, not any, a whole number or a list"),
    ({"planes": "2"}, "planes: '2' is text, not any, a whole number or a list; write it without quotes: 2"),
    ({"planes": "²"}, "planes: '²' is text, not any, a whole number or a list"),
    ({"\ud800": 1}, "'\\ud800' has a lone surrogate; write text that is valid Unicode"),
    ({"expected": {"a\ud800": 1}}, "expected: 'a\\ud800' has a lone surrogate"),
    ({"title": "\udcff"}, "title: '\\udcff' has a lone surrogate"),
    ({"planes": {"a": 1}}, "planes: this is a mapping, not a number, any or a list"),
    ({"planes": [1, True]}, "planes[1]: true is a boolean, not a whole number"),
    ({"tiers": 5}, "tiers: 5 is too large; at most 4"),
    ({"tiers": []}, "tiers: is empty"),
    ({"tiers": [0]}, "tiers[0]: 0 is too small"),
    ({"rails": 3}, "rails: 3 does not divide the server's 8 NICs"),
    ({"rails": [8, 5]}, "rails[1]: 5 does not divide the server's 8 NICs"),
    ({"oversubscription": 0}, "oversubscription: 0 is too small"),
    ({"oversubscription": 1e9}, "oversubscription: 1000000000.0 is too large; at most 1,000"),
    (
        {"oversubscription": {"super": 2}},
        "oversubscription.super: unknown tier with uplinks 'super'",
    ),
    ({"oversubscription": {}}, "oversubscription: is empty"),
    ({"oversubscription": "2:0"}, "oversubscription: '2:0' is not a ratio; write for example 2, or 2:1"),
    ({"oversubscription": {"leaf": "two to one"}}, "oversubscription.leaf: 'two to one' is not a ratio; write"),
    ({"oversubscription": {"min": "2:1", "max": "1:1"}}, "oversubscription.max: 1 is less than min, 2"),
    ({"oversubscription": "2000:1"}, "oversubscription: '2000:1' is too large; at most 1,000"),
    ({"oversubscription": {"min": 2}}, "oversubscription.max: missing; write for example `max: 3`"),
    ({"oversubscription": {"min": 3, "max": 2}}, "oversubscription.max: 2 is less than min, 3"),
    ({"oversubscription": {"leaf": {"min": 3, "max": 2}}}, "oversubscription.leaf.max: 2 is less than min, 3"),
    (
        {"oversubscription": {"leaf": {"min": 2, "max": 3, "mim": 2}}},
        "oversubscription.leaf.mim: unknown key; did you mean 'min'?",
    ),
    ({"oversubscription": {"min": 1, "max": 2, "leaf": 3}}, "oversubscription.leaf: unknown key"),
    ({"oversubscription": {"leaf": [2]}}, "oversubscription.leaf: this is a list, not a number or a range of min"),
    ({"oversubscription": True}, "oversubscription: true is a boolean, not a number"),
    ({"unit_gpus": 100}, "unit_gpus: 100 is not a multiple of the server's 8 GPUs; the nearest is 96"),
    ({"limits": 8}, "limits: 8 is a number, not a mapping"),
    ({"limits": {"parallel": 8}}, "limits.parallel: unknown key; did you mean 'parallel_links'?"),
    (
        {"switches": {"name": "a", "ports": 144, "rate_gbps": 400, "cages": 7}},
        "switches.cages: 144 ports do not divide evenly over 7 cages",
    ),
    ({"pinned": {"slot": 16}, "unit_gpus": 256}, "pinned.slot: 16 servers have 128 GPUs, but unit_gpus is 256"),
    ({"expected": {"leaff": 2}}, "expected.leaff: a design has no such number; did you mean 'leaf'?"),
    ({"expected": {"optimizer.wall_s": 2}}, "expected.optimizer.wall_s: a design has no such number"),
    ({"expected": {"switches.totl": 2}}, "a design has no such number; did you mean 'switches.total'?"),
    ({"expected": {"hops": 2}}, "a design has no such number; did you mean 'hops.max'?"),
    ({"expected": {"axes.podd": 2}}, "a design has no such number; did you mean 'axes.pod'?"),
    ({"expected": {"leaf.count": 2}}, "expected.leaf.count: a design has no such number"),
    ({"pinned": {"pood": 2}}, "pinned.pood: no allowed topology has such an axis or bundle; did you mean 'pod'?"),
    ({"pinned": {"pod": 2}, "tiers": [1, 2]}, "pinned.pod: no allowed topology has such an axis or bundle"),
    ({"pinned": {"stripe": 2}, "family": "rail-only"}, "pinned.stripe: no allowed topology has such an axis or bundle"),
    ({"limits": {"parallel_links": 0}}, "limits.parallel_links: 0 is too small"),
    ({"pinned": {"Pod": 1}}, "pinned.Pod: 'Pod' is not valid"),
    ({"pinned": {"pod": 0}}, "pinned.pod: 0 is too small"),
    (
        {"pinned": {"leaf-spine": 17}, "switches": BOX},
        "pinned.leaf-spine: 17 parallel links, but limits.parallel_links is 16; make them agree",
    ),
    (
        {"pinned": {"leaf-spine": 33}},
        "pinned.leaf-spine: 33 parallel links, but limits.parallel_links is 16 native ports, of up to 2 links each",
    ),
    ({"pinned": {"plane": 2}}, "pinned.plane: 2, but planes is 1; make them agree"),
    ({"pinned": {"rail": 4}, "rails": [1, 8]}, "pinned.rail: 4, but rails is 1 or 8; make them agree"),
    (
        {"expected": {"leaf": "12"}},
        "expected.leaf: '12' is text, not a number or a mapping; write it without quotes: 12",
    ),
    ({"uplink_spread": ["even"]}, "uplink_spread: this is a list, not one of even or balanced"),
    ({"expected": {"a/b": 12}}, "expected.a/b: 'a/b' is not valid"),
    ({"expected": {"leaf": {"within": 0.1}}}, "expected.leaf.value: missing"),
    ({"expected": {"leaf": {"value": 1, "within": 2}}}, "expected.leaf.within: 2 is too large"),
    ({"server": SERVER | {"nic_names": ['a"b']}}, "server.nic_names[0]: 'a\"b' is not valid; use up to 40 letters"),
    ({"server": SERVER | {"nic_names": ["a,b"]}}, "server.nic_names[0]: 'a,b' is not valid; use up to 40 letters"),
    ({"server": SERVER | {"nic_names": ["it's"]}}, 'server.nic_names[0]: "it\'s" is not valid; use up to 40 letters'),
    (
        {"server": SERVER | {"nic_names": ["a", "a"]}},
        "server.nic_names: two NICs of one tray are 'a'; give each its own",
    ),
    ({"server": SERVER | {"nic_names": ["nic7"]}}, "server.nic_names: two NICs of one tray are 'nic7'; give each its"),
    (
        {"site": {"halls": [{"name": "A,1", "rows": 2, "racks_per_row": 20}]}},
        "site.halls[0].name: 'A,1' is not valid; use up to 20 letters a-z, digits, _ and -",
    ),
    (
        {"links": [DAC | {"media": "cooper"}]},
        "links[0].media: unknown value 'cooper'; known: acc, aec, aoc, dac, mmf, rj45, smf",
    ),
    ({"links": [DAC | {"reach": 3}]}, "links[0].reach: unknown key; did you mean 'reach_m'?"),
    ({"links": [{"name": "dac", "price_usd": 1}]}, "links[0].rate_gbps: missing; write for example `rate_gbps: 400`"),
    ({"sources": "x"}, "sources: 'x' is text, not a list"),
    ({"sources": [1]}, "sources[0]: 1 is a number, not text"),
    ({"sources": ["a"] * 101}, "sources: has over 100 items"),
]


def test_every_mistake_is_reported_with_its_place_value_and_remedy() -> None:
    """One invalid value gives one message, which begins with the key and says what would be valid.

    It is the same whether the value comes from the request or from an override.
    """
    reported = [(words, text, mistakes_of({**BASE, **words}), mistakes_of(BASE, **words)) for words, text in WRONG]
    assert [row for row in reported if len(row[2]) != 1 or row[1] not in row[2][0] or row[2] != row[3]] == []


def test_every_pattern_says_what_to_write() -> None:
    """A pattern that text must match has words for people; without them a request ended in a traceback."""
    patterns = set(find_patterns(Request.model_json_schema()))
    assert len(patterns) > 8
    assert patterns <= WRITING.keys()


def find_patterns(schema: Any) -> Iterator[str]:
    """Yield the patterns of texts and of keys in a schema."""
    if isinstance(schema, dict):
        yield from (schema["pattern"],) if isinstance(schema.get("pattern"), str) else ()
        yield from schema.get("patternProperties", ())
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from find_patterns(part)


def test_an_invalid_size_is_refused() -> None:
    """Text that is not a whole, positive number of bytes, or is too long to be read, is refused in one short line."""
    for size in ("9" * 5000, 10**5000, -1, 0, "", "²", "1.5", "1 XiB", "\ud800"):
        with pytest.raises(InputError, match=r"^'.{0,40}' is not a ") as caught:
            parse_size(size)
        assert len(str(caught.value)) < 120


@pytest.mark.parametrize("key", ["gpus", "server"])
def test_a_missing_key_is_reported_with_an_example(key: str, tmp_path: Path) -> None:
    """A request without GPUs or a server is refused with the missing key and an example."""
    words = {name: value for name, value in BASE.items() if name != key}
    (tmp_path / "my.yaml").write_text(f"# request\n{yaml.safe_dump(words)}")
    for (mistake,), place in ((mistakes_of(words), ""), (mistakes_of(tmp_path / "my.yaml"), f"{tmp_path}/my.yaml:1: ")):
        assert mistake.startswith(f"{place}{key}: missing; write for example `{key}: ")


FILE = """\
name: a/b
gpus: "4096"
server:
  name: mine
  gpus: 8
  nics: 8
  nic_gbp: 400
  nic_gbps: 400
  gpus: 9
family: fat-tre
switches: [sn470, {name: box, ports: 8.0, rate_gbps: 400}]
gpus: 3
planes: 1
pinned: {plane: 2}
"""


def test_all_mistakes_of_a_file_are_reported_at_once_by_line(tmp_path: Path) -> None:
    """Duplicate and unknown keys, wrong types, unknown parts and contradictions are reported together, by line."""
    path = tmp_path / "my.yaml"
    path.write_text(FILE)
    found = [mistake.removeprefix(f"{tmp_path}/") for mistake in mistakes_of(path)]
    assert [mistake[: len(start)] for mistake, start in zip(found, STARTS, strict=True)] == STARTS


def test_every_unknown_pin_and_number_is_reported_by_line(tmp_path: Path) -> None:
    """Axes and numbers that no fabric has are all reported at once, before anything is sized."""
    path = tmp_path / "my.yaml"
    path.write_text(
        "gpus: 8\nserver: hgx-h100\npinned:\n  podd: 2\n  lef-spine: 3\nexpected:\n  switches.totl: 4\n  hops.min: 5\n"
    )
    assert [": ".join(mistake.removeprefix(f"{path}:").split(": ")[:2]) for mistake in mistakes_of(path)] == [
        "4: pinned.podd",
        "5: pinned.lef-spine",
        "7: expected.switches.totl",
        "8: expected.hops.min",
    ]


STARTS = [
    "my.yaml:1: name: 'a/b' is not valid",
    "my.yaml:2: gpus: '4096' is text",
    "my.yaml:7: server.nic_gbp: unknown key; did you mean 'nic_gbps'?",
    "my.yaml:9: server.gpus: set twice, first in line 5; keep one",
    "my.yaml:10: family: unknown family 'fat-tre'; did you mean 'fat-tree'?",
    "my.yaml:11: switches[0]: unknown switch 'sn470'; did you mean 'sn4700'?",
    "my.yaml:11: switches[1].ports: 8.0 is not a whole number; write 8",
    "my.yaml:12: gpus: set twice, first in line 2; keep one",
    "my.yaml:14: pinned.plane: 2, but planes is 1; make them agree",
]


def test_mistakes_beyond_a_hundred_are_counted() -> None:
    """A file of nonsense is answered with a readable number of lines."""
    found = mistakes_of({**BASE, **{f"key{number}": 1 for number in range(500)}})
    assert len(found) == 101
    assert found[-1] == "and 400 more mistakes"


def test_an_override_of_a_file_is_placed_at_its_key(tmp_path: Path) -> None:
    """A mistake in an override is not placed in the file."""
    path = tmp_path / "my.yaml"
    path.write_text("gpus: 8\nserver: hgx-h100\nplanes: 3\n")
    assert mistakes_of(path, gpus=0) == [
        "gpus: 0 is too small; at least 1",
        f"{path}:3: planes: a NIC of 400G does not split evenly over 3; choose from 1, 2, 4, 5, 8",
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("colosus-100k", "colosus-100k: no shipped design and no file of that name; did you mean 'colossus-100k'?"),
        ("no/such.yaml", "no/such.yaml: no shipped design and no file of that name"),
        ("a\0b", "'a\\x00b': no shipped design and no file of that name"),
        ("", "'': no shipped design and no file of that name"),
        (".", ".: is a directory; a request is a YAML or JSON file"),
        (7, "a request is a name, a path or a mapping, not a int"),
    ],
)
def test_a_source_that_is_not_a_request_is_refused(source: Any, text: str) -> None:
    """A name that is neither a design's nor a file's is refused with the nearest."""
    assert mistakes_of(source)[0].startswith(text)


def test_a_file_of_a_shipped_name_is_reached_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shipped name always means the shipped design; `./` in front of it means the file."""
    monkeypatch.chdir(tmp_path)
    Path("colossus-100k").write_text("gpus: 8\nserver: hgx-h100\n")
    assert read("colossus-100k").gpus == 100_000
    assert read("./colossus-100k").gpus == read(Path("colossus-100k")).gpus == 8


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["any", "sn5600", "hgx-h100", "leaf", "name", "box", "2x400G", 400, 8, 10**400, {1}, b"x"])
)
KEYS = st.sampled_from(["leaf", "spine", "name", "ports", "rate_gbps", "breakouts", "value", "400", "-"]) | st.text(
    max_size=3
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))
REQUESTS = st.dictionaries(st.sampled_from([*Request.model_fields, "$schema", "x"]), VALUES, max_size=6)


def check_is_read_or_refused(words: dict[str, Any]) -> None:
    """Assert that a request becomes a spec that reads back as itself, or mistakes of one short line each."""
    try:
        spec = read(words)
    except InputError as error:
        lines = [str(mistake) for mistake in error.mistakes]
        assert lines
        assert all(line.isprintable() and len(line) < 1500 for line in lines)
    else:
        written = read_text(yaml_text(spec.request), "my.yaml")
        assert read(spec.request) == read(written.values) == spec


@given(REQUESTS, st.booleans())
@settings(max_examples=40)
def test_any_request_is_read_or_refused(words: dict[str, Any], complete: bool) -> None:
    """Whatever a request contains, it becomes a spec that reads back as itself, or mistakes of one line each."""
    check_is_read_or_refused({**BASE, **words} if complete else words)


@pytest.mark.slow
@given(REQUESTS, st.booleans())
@settings(max_examples=2000)
def test_any_of_many_requests_is_read_or_refused(words: dict[str, Any], complete: bool) -> None:
    """The same for more requests."""
    check_is_read_or_refused({**BASE, **words} if complete else words)


@given(st.text(alphabet=st.sampled_from("gpus: server\nhx-10{}[],'\"&*!#\t"), max_size=80))
@settings(max_examples=50)
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever a file contains, reading it ends in a spec or in mistakes."""
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_text(text)
    assert mistakes_of(path)


@pytest.mark.parametrize("command", ["check", "show", "compare --table", "allreduce FILE --jobs", "cluster"])
@pytest.mark.parametrize("text", [r'{"\ud800": 1}', r'{"name": "\udfff"}'])
def test_half_a_character_in_json_is_refused_at_its_line(run: Run, tmp_path: Path, command: str, text: str) -> None:
    """A lone surrogate, which an escape in JSON can write, is named with its file and line by whatever reads it."""
    plain, file = tmp_path / "plain.yaml", tmp_path / "half.json"
    plain.write_text("gpus: 64\nserver: hgx-h100\nswitches: sn5600\n")
    file.write_text("\n" + text)
    words = [str(plain) if word == "FILE" else word for word in command.split()]
    code, out, err = run(*words, str(file))
    assert (code, out) == (2, "")
    assert "half.json:2: " in err
    assert "has a lone surrogate" in err
