"""Reading request files: YAML and JSON to plain values with their lines, and everything that is refused."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fabric.errors import InputError
from fabric.request.document import Document, Tree, add_plain, dotted
from fabric.request.yaml_reader import MAX_BYTES, read_file, read_text

UNFIT = re.compile("control character|nested too deeply")
LAUGHS = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"


def refusal_of(text: str, name: str) -> str | None:
    """Return the message that refuses a text; None where it is read."""
    try:
        read_text(text, name)
    except InputError as error:
        return str(error)
    return None


def refusal_message(text: str, name: str = "my.yaml") -> str:
    """Return the message for a text that must be refused."""
    with pytest.raises(InputError) as caught:
        read_text(text, name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("400", 400),
        ("100_000", 100000),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e5", 1e5),
        ("1568.", 1568.0),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("NO", "NO"),
        ("yes", "yes"),
        ("12:30", "12:30"),
        ("017", "017"),
        ("0x10", "0x10"),
        ("2024-10-01", "2024-10-01"),
        ("'400'", "400"),
        ('"true"', "true"),
        ("[1, a]", [1, "a"]),
        ("{400: 128}", {"400": 128}),
    ],
)
def test_scalars_are_typed_as_yaml_1_2_types_them(written: str, value: object) -> None:
    """A number is a number and `true` a boolean; NO, 12:30 and octal-looking digits stay text."""
    assert read_text(f"key: {written}", "my.yaml").values == {"key": value}
    assert type(read_text(f"key: {written}", "my.yaml").values["key"]) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "my.yaml: is empty"),
        ("  \n\n", "my.yaml: is empty"),
        ("# only a comment\n", "not a single value"),
        ("---\n", "not a single value"),
        ("- gpus\n", "not a list"),
        ("gpus\n", "not a single value"),
        ("gpus: 1\ngpus: [\n", "my.yaml:3: not readable as YAML"),
        ("gpus: 1\n\tserver: x\n", "my.yaml:2: not readable as YAML"),
        ("gpus: 1\n---\ngpus: 2\n", "my.yaml:2: a second document begins"),
        (LAUGHS, "my.yaml:1: anchor &a: anchors are not supported"),
        ("a: *b\n", "my.yaml:1: alias *b: aliases are not supported"),
        ("a: 1\nb: !!python/object:os.system x\n", "my.yaml:2: tag tag:yaml.org,2002:python/object:os.system"),
        ("a: ! x\n", "my.yaml:1: tag !"),
        ("a: 1\n? [b]\n: 2\n", "my.yaml:2: a mapping or a list where a key is expected"),
        ("a: 1\nb: x\x07y\n", "my.yaml:2: control character U+0007"),
        ("a: \x00", "my.yaml:1: control character U+0000"),
        (f"a: {'9' * 5000}", "my.yaml:1: a number of 5,000 characters"),
        ("a: " + "[" * 100_000, "my.yaml:1: nested too deeply"),
        ("a: " + "{b: " * 100_000, "my.yaml:1: nested too deeply"),
        ("- " * 100_000, "my.yaml:1: nested too deeply"),
        (f"a: [{'1, ' * 30_000}]", "my.yaml:1: over 20,000 values"),
        ("%YAML 9.9\n---\na: 1\n", "not readable as YAML"),
    ],
)
def test_yaml_that_is_not_a_plain_request_is_refused_at_its_line(text: str, message: str) -> None:
    """YAML that is broken, hidden behind aliases or tags, or larger inside than out never becomes a request."""
    assert message in refusal_message(text)


def test_nesting_is_refused_in_our_words_where_the_parser_gives_up_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever limit the YAML parser has of its own, and before whichever event it meets that, the refusal is ours."""
    parse = yaml.parse

    def give_up(text: str, **words: Any) -> Iterator[yaml.Event]:
        if text.count("[") > 20:
            place = [at for at, letter in enumerate(text) if letter == "["][20]
            mark = yaml.Mark("", place, text.count("\n", 0, place), 0, None, None)
            raise yaml.scanner.ScannerError(None, None, "a reason", mark)
        return parse(text, **words)

    monkeypatch.setattr(yaml, "parse", give_up)
    assert refusal_message("a: 1\nb:\n - " + "[" * 30).startswith("my.yaml:3: nested too deeply")
    assert refusal_message("a: 1\nb:\n - " + "[], " * 30) == "my.yaml:3: not readable as YAML: a reason"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n}', "my.json:"),
        ("a: 1", "my.json:1: not readable as JSON"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a":\n[1\n', "my.json:"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' * 13 + "1" + "}" * 13, "nested too deeply"),
        (f'{{"a": {"9" * 5000}}}', "a number of 5,000 characters"),
        ("[1]", "not a list"),
        ("3", "not a single value"),
        ('{"a": "x\ny"}', "my.json:1: not readable as JSON"),
    ],
)
def test_json_that_is_not_a_request_is_refused_at_its_line(text: str, message: str) -> None:
    """A .json file follows the grammar of JSON."""
    assert message in refusal_message(text, "my.json")


@pytest.mark.parametrize("name", ["my.yaml", "my.json"])
def test_a_duplicate_key_is_a_mistake_and_the_first_is_kept(name: str) -> None:
    """The message names both lines, in YAML and in JSON."""
    document = read_text('{"gpus": 1,\n "server": {"name": "a",\n "name": "b"},\n "gpus": 2}', name)
    assert document.values == {"gpus": 1, "server": {"name": "a"}}
    assert [str(mistake) for mistake in document.mistakes] == [
        f"{name}:3: server.name: set twice, first in line 2; keep one",
        f"{name}:4: gpus: set twice, first in line 1; keep one",
    ]


def test_tabs_may_indent_json() -> None:
    """JSON takes tabs, escapes and surrogate pairs, and its lines are counted through them."""
    document = read_text('{\n\t"a": "\\ud83d\\ude00\\/",\n\t"b": [1,\n\t\t-2.5e1, true, null]\n}', "my.json")
    assert document.values == {"a": "\N{GRINNING FACE}/", "b": [1, -25.0, True, None]}
    assert document.lines[("b", 1)] == 4


def test_every_key_and_item_knows_its_line() -> None:
    """A mistake anywhere in a file can be placed."""
    document = read_text("a: 1\nb:\n  c: 2\n  d:\n    - 3\n    - {e: 4}\n", "my.yaml")
    expected = {("a",): 1, ("b",): 2, ("b", "c"): 3, ("b", "d"): 4, ("b", "d", 0): 5, ("b", "d", 1): 6}
    assert document.lines == {**expected, ("b", "d", 1, "e"): 6}
    assert str(document.mistake(("b", "d", 1, "x"), "wrong")) == "my.yaml:6: b.d[1].x: wrong"


def test_an_override_has_a_key_and_no_line() -> None:
    """A mistake in an override is placed at its key, whatever the file says of that key."""
    document = read_text("gpus: 1\nserver: x\n", "my.yaml").override({"gpus": (2, 3)})
    assert document.values == {"gpus": [2, 3], "server": "x"}
    assert str(document.mistake(("gpus", 1), "wrong")) == "gpus[1]: wrong"
    assert str(document.mistake(("server",), "wrong")) == "my.yaml:2: server: wrong"


def test_odd_keys_are_shown_quoted() -> None:
    """Control characters never reach a message as they are."""
    assert dotted(("a\nb", 0, "")) == "'a\\nb'[0].''"
    assert len(dotted(("x" * 1000,))) == 60


def test_files_that_are_not_requests_are_refused_before_they_are_read(tmp_path: Path) -> None:
    """Directories, devices, pipes, sockets, missing and enormous files end in one message, and nothing hangs."""
    os.mkfifo(tmp_path / "pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "sock"))
    server.close()
    (tmp_path / "big.yaml").write_bytes(b"a: 1\n" * (MAX_BYTES // 5 + 1))
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    message = {
        "": "is a directory",
        "pipe": "is not a regular file",
        "sock": "is not a regular file",
        "big.yaml": "has over 1,048,576 bytes",
        "missing.yaml": f"not readable: {os.strerror(errno.ENOENT)}",
        "loop": f"not readable: {os.strerror(errno.ELOOP)}",
        "x" * 300: f"not readable: {os.strerror(errno.ENAMETOOLONG)}",
    }
    for name, text in message.items():
        with pytest.raises(InputError, match=re.escape(text)):
            read_file(tmp_path / name)
    with pytest.raises(InputError, match="not a regular file"):
        read_file(os.devnull)
    with pytest.raises(InputError, match="not readable"):
        read_file("a\0b")


def test_a_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is refused with the system's reason; simulated, because root reads everything."""
    (tmp_path / "shut.yaml").write_text("gpus: 1")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "a reason")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="not readable: a reason"):
        read_file(tmp_path / "shut.yaml")


def test_text_is_utf_8_with_or_without_a_mark(tmp_path: Path) -> None:
    """A byte-order mark is not part of the first key, and another encoding is refused at its line."""
    (tmp_path / "a.yaml").write_bytes("gpus: 1\ntitle: é\n".encode("utf-8-sig"))
    assert read_file(tmp_path / "a.yaml").values == {"gpus": 1, "title": "é"}
    (tmp_path / "b.yaml").write_bytes("gpus: 1\ntitle: é\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"b.yaml:2: byte 0xe9 is not UTF-8"):
        read_file(tmp_path / "b.yaml")


def test_python_values_are_read_as_yaml_would_have_them() -> None:
    """Tuples are lists, keys are text, and a value that YAML cannot express is refused with its place."""
    tree = Tree("")
    add_plain({"a": (1, 2.5), "b": {400: 1}}, tree)
    assert tree.document() == Document({"a": [1, 2.5], "b": {"400": 1}})
    for odd, message in (({1}, "a: .* is a set"), (10**200, "a: a number of 665 bits"), ({None: 1}, "a: the key None")):
        with pytest.raises(InputError, match=message):
            add_plain({"a": odd}, Tree(""))
    ring: list[object] = []
    ring.append(ring)
    with pytest.raises(InputError, match="nested too deeply"):
        add_plain({"a": ring}, Tree(""))


LEAVES = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    LEAVES | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


DOCUMENTS = (st.dictionaries(st.text(), PLAIN, max_size=5), st.sampled_from([None, 2, "\t"]), st.booleans())


def check_json_is_read_back(values: dict[str, object], indent: int | str | None, ascii: bool) -> None:
    """Assert that JSON text of plain values gives the same values, unless a request cannot contain them."""
    text = json.dumps(values, indent=indent, ensure_ascii=ascii)
    message = refusal_of(text, "my.json")
    assert read_text(text, "my.json").values == values if not message else UNFIT.search(message)


@given(*DOCUMENTS)
@settings(max_examples=20)
def test_json_is_read_back(values: dict[str, object], indent: int | str | None, ascii: bool) -> None:
    """What json writes of plain values is read back as the same values, whatever the layout."""
    check_json_is_read_back(values, indent, ascii)


@pytest.mark.slow
@given(*DOCUMENTS)
@settings(max_examples=500)
def test_more_json_is_read_back(values: dict[str, object], indent: int | str | None, ascii: bool) -> None:
    """The same for more values."""
    check_json_is_read_back(values, indent, ascii)


@given(st.text(alphabet=st.sampled_from("ab1:.-?,[]{}&*!|>'\"%@`#~\n\t \\<=e_\x85\u2028\ud800"), max_size=60))
@example("? ? ? a")
@example("a: !<tag:x> b")
@example("%TAG ! tag:x,2000:\n---\na: !b c")
def test_any_text_is_read_or_refused(text: str) -> None:
    """Any text is read, or refused with a message."""
    for name in ("my.yaml", "my.json"):
        assert refusal_of(text, name) != ""
