"""Files of traffic: each mistake is reported with its line, and what is right is read as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric.errors import InputError
from fabric.request.traffic_file import SHOWN, read_traffic

HEADER = "source_gpu,target_gpu,bytes\n"


def write(folder: Path, text: str | bytes) -> Path:
    """Return a file with this text."""
    file = folder / "traffic.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_rows_are_read_as_they_stand(tmp_path: Path) -> None:
    """Spaces, quotes, empty lines, CRLF and a byte-order mark change nothing, and a pair may come twice."""
    text = '\ufeff source_gpu , target_gpu,bytes\r\n0, 8,1000\r\n\r\n"7",0,1\r\n0,8,1152921504606846976'
    assert read_traffic(write(tmp_path, text), 9) == ((0, 8, 1000), (7, 0, 1), (0, 8, 2**60))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: is empty; write the header source_gpu,target_gpu,bytes, then rows such as 0,8,1000000000"),
        ("0,8,5\n", ":1: the header is '0,8,5'; write the header source_gpu,target_gpu,bytes"),
        ("source_gpu,bytes,target_gpu\n", ":1: the header is 'source_gpu,bytes,target_gpu'"),
        (HEADER, ":1: no row follows the header"),
        (HEADER + "0,8\n", ":2: 2 columns; write source_gpu, target_gpu, bytes"),
        (HEADER + "0,8,5,6\n", ":2: 4 columns"),
        (HEADER + "\n0,9,5\n", ":3: target_gpu 9: there is no such GPU; the design has 9, numbered from 0 to 8"),
        (HEADER + "-1,8,5\n", ":2: source_gpu '-1': not a whole number; write digits alone"),
        (HEADER + "0,8,1e9\n", ":2: bytes '1e9': not a whole number"),
        (HEADER + "0,8,1.5\n", ":2: bytes '1.5': not a whole number"),
        (HEADER + "0,8,\u0664\n", ":2: bytes '\u0664': not a whole number"),
        (HEADER + "0,8,0\n", ":2: bytes 0: nothing is sent; leave the row out"),
        (HEADER + f"0,8,{2**60 + 1}\n", ":2: bytes 1152921504606846977: over an exbibyte (2**60)"),
        (HEADER + f"0,8,{10**25}\n", ":2: bytes 10000000000000000000000000: over an exbibyte (2**60)"),
        (
            HEADER + f"0,{'9' * 5000},8\n",
            ":2: target_gpu 9999999999999999999999999999999999999999: there is no such GPU",
        ),
        (HEADER + "3,3,5\n", ":2: GPU 3 sends to itself; leave the row out, or name another target"),
        (HEADER + "0,8,5\n" + "1" * 200_000 + ",0,5\n", ":3: not readable as CSV: field larger than field limit"),
        (HEADER.encode() + b"0,8,\xff\n", ":2: byte 0xff is not UTF-8"),
    ],
)
def test_mistakes_are_refused_with_their_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    """Each mistake is one message with file, line, value and remedy."""
    with pytest.raises(InputError) as refused:
        read_traffic(write(tmp_path, text), 9)
    assert f"traffic.csv{message}" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_mistakes_are_reported_together_and_bounded(tmp_path: Path) -> None:
    """All mistakes are counted, and the first are reported one by one."""
    with pytest.raises(InputError) as refused:
        read_traffic(write(tmp_path, HEADER + "0,0,1\n" * (SHOWN + 1000)), 9)
    lines = str(refused.value).splitlines()
    assert len(lines) == SHOWN + 1
    assert lines[-1].endswith("and 1,000 more mistakes")
