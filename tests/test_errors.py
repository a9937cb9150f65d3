"""Errors are the built-in exceptions of their kind too, and travel between processes whole."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import fabric
from fabric.discovery import read_discovery
from fabric.flow import Workload, estimate_workload
from fabric.request.published_table import read_table
from fabric.request.resolve import read_spec
from fabric.request.traffic_file import read_traffic
from fabric.studies.nccl_logs import read_log

READERS: dict[str, Callable[[Path], object]] = {
    "design": fabric.design,
    "cluster": fabric.cluster,
    "load": fabric.load,
    "log": read_log,
    "discovery": lambda path: read_discovery([path]),
    "traffic": lambda path: read_traffic(path, 8),
    "table": lambda path: read_table(path, read_spec),
}


@pytest.mark.parametrize("kind", READERS)
def test_a_missing_file_is_a_file_not_found_error(kind: str, tmp_path: Path) -> None:
    """Whatever reads a file raises what Python's open raises, as an InputError whose text names the file."""
    with pytest.raises(FileNotFoundError, match="absent") as caught:
        READERS[kind](tmp_path / "absent.yaml")
    assert isinstance(caught.value, fabric.InputError)
    assert caught.value.mistakes
    assert caught.value.errno is None  # its text is ours


@pytest.mark.parametrize("kind", READERS)
def test_a_folder_is_a_value_error(kind: str, tmp_path: Path) -> None:
    """A folder in place of a file is there, and is refused in one message that names it once."""
    with pytest.raises(fabric.InputError) as caught:
        READERS[kind](tmp_path)
    assert isinstance(caught.value, ValueError)
    assert not isinstance(caught.value, FileNotFoundError)
    assert str(caught.value).count(str(tmp_path)) == 1


def test_bad_values_are_value_errors() -> None:
    """A bad key of a request and a bad argument of a function are caught as any ValueError is."""
    with pytest.raises(ValueError, match="gpus"):
        fabric.design(gpus="many", server="hgx-h100")  # type: ignore[arg-type]
    plan = fabric.design(gpus=64, server="hgx-h100").blueprint
    with pytest.raises(ValueError, match="size"):
        estimate_workload(plan, Workload(), [-1])


def test_errors_come_back_whole() -> None:
    """A copied or pickled error has its places, its reasons and the limits that conflict."""
    with pytest.raises(fabric.InputError) as bad:
        fabric.design({"gpus": "x", "server": "hgx-h100", "famly": 1})
    with pytest.raises(fabric.Infeasible) as none:
        fabric.design(gpus=4096, server="hgx-h100", switches="qm9700", tiers=[1])
    for again in (pickle.loads(pickle.dumps(bad.value)), copy.deepcopy(bad.value)):
        assert (str(again), again.mistakes) == (str(bad.value), bad.value.mistakes)
        assert len(again.mistakes) == 2
    again = pickle.loads(pickle.dumps(none.value))
    assert (str(again), again.reasons, again.conflict) == (str(none.value), none.value.reasons, none.value.conflict)
    assert again.conflict
