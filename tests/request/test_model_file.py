"""Files of a model to train: what they may leave out, and what is refused where."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from fabric.catalog import models
from fabric.errors import InputError
from fabric.request.model_file import LatentKeys, TrainingKeys, read_training
from fabric.request.parallel_text import ParallelKeys
from fabric.request.schema import key_table
from fabric.request.yaml_writer import yaml_text


def test_every_model_of_the_catalogue_is_the_same_from_a_file(tmp_path: Path) -> None:
    """A file with the shape of any model of the catalogue is that model; its name alone is, too."""
    path = tmp_path / "model.yaml"
    for name, model in models().items():
        path.write_text(yaml_text({key: value for key, value in asdict(model).items() if value is not None}))
        assert read_training(str(path)).model == model
        assert read_training(name).model == model == read_training({"model": name}).model


def test_a_file_has_the_run_beside_the_model(tmp_path: Path) -> None:
    """The degrees, the batch and the rest of a run are keys beside those of the model."""
    path = tmp_path / "run.yaml"
    path.write_text(
        "model: llama3-405b\nsequence: 16384\nbatch: 1024\nprecision: fp8\nparallel: {tp: 8, pp: 16, recompute: full}\n"
        "gpus: 8192\nsoftware: llama3\ngpu_hour_usd: 2.5\n"
    )
    run = read_training(path)
    assert (run.model.name, run.model.sequence, run.batch, run.precision) == ("llama3-405b", 16384, 1024, "fp8")
    assert run.parallel is not None
    assert (run.parallel.pp, run.parallel.dp, run.parallel.recompute) == (16, None, "full")
    assert (run.gpus, run.software, run.gpu_hour_usd) == (8192, "llama3", 2.5)


def test_another_shape_has_another_name(tmp_path: Path) -> None:
    """A model that differs from the catalogue's is not reported by its name."""
    path = tmp_path / "shallow.yaml"
    path.write_text("model: llama3-8b\nlayers: 16\n")
    assert read_training(path).model.name == "shallow"
    small = read_training({"layers": 2, "hidden": 64, "heads": 4, "vocabulary": 100, "sequence": 32}).model
    assert (small.name, small.kv_heads, small.head_dim, small.ffn) == ("model", 4, 16, 256)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("layers: 8\nhidden: 512\nheads: 8\n", "1: vocabulary: missing; give it, or the `model`"),
        ("model: llama3-405\n", "1: model: unknown model 'llama3-405'; did you mean 'llama3-405b'?"),
        ("model: llama3-8b\nheds: 8\n", "2: heds: unknown key; did you mean 'heads'?"),
        ("model: llama3-8b\nkv_heads: 3\n", "2: kv_heads: 3 does not divide the 32 query heads"),
        ("model: llama3-8b\nexperts: 8\ntop_k: 9\n", "3: top_k: 9 of 8 experts; write 1 to 8"),
        ("model: llama3-8b\ntop_k: 2\n", "2: top_k: 2, but the model has no `experts`"),
        ("model: deepseek-v3\nexpert_groups: 7\n", "2: expert_groups: 7 does not divide the 256 experts"),
        ("model: deepseek-v3\ngroup_limit: 9\n", "2: group_limit: 9 of 8 groups with 32 experts each; write 1 to 8"),
        ("model: llama3-8b\ngroup_limit: 2\n", "2: group_limit: 2, but the model has no `experts`"),
        ("model: grok-1\ndense_layers: 65\n", "2: dense_layers: 65 of 64 layers"),
        ("model: grok-1\nparallel: {tp: 0}\n", "2: parallel.tp: 0 is too small; at least 1"),
        ("model: grok-1\nprecision: fp4\n", "2: precision: unknown precision 'fp4'; did you mean 'nvfp4'?"),
        ("model: grok-1\nlayers: 1.5\n", "2: layers: 1.5 is not a whole number"),
        ("[1]\n", "1: a file of a model is a mapping"),
    ],
)
def test_what_is_wrong_is_refused_at_its_line(tmp_path: Path, text: str, says: str) -> None:
    """Each mistake has the line, the key, the value and what would be right."""
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(f"{path}:{says}")):
        read_training(path)


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    """A word that is neither a model nor a file names the nearest model."""
    with pytest.raises(InputError, match="llama3-450b: no model and no file of that name; did you mean 'llama3-405b'"):
        read_training("llama3-450b")


def test_the_keys_of_a_file_are_those_of_models_and_runs() -> None:
    """Every field of a model is a key, so that none can be forgotten here when one is added there."""
    assert set(asdict(models()["deepseek-v3"])) <= set(TrainingKeys.model_fields)


def test_every_key_is_documented_in_its_words() -> None:
    """The page on training has the tables of all keys."""
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    for keys in (TrainingKeys, ParallelKeys, LatentKeys):
        assert key_table(keys) in page, keys


def test_names_are_quoted_in_messages() -> None:
    """A name with a control character is written with its escape, as a terminal would act on it."""
    with pytest.raises(InputError, match=r"parallel.sharding: unknown sharding '\\x00'; known"):
        read_training({"model": "llama3-8b", "parallel": {"sharding": "\0"}})
