"""Saved learners say what was saved: a bit that flips in any of their files is no learner."""

import json
from pathlib import Path

import pytest
import torch

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment
from curriculum_rl.learners import seals
from curriculum_rl.learners.build import learner_of
from curriculum_rl.learners.saved import load_learner


@pytest.fixture(scope="module")
def saved(experiment: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    (folder / "notes.txt").write_text("of the user's")
    learner_of(experiment.config, experiment.tokenizer, replicas=2).save(folder, optimizer=True)
    return folder


def test_every_file_of_a_learner_is_entered_and_none_of_the_users(saved: Path) -> None:
    known = json.loads((saved / "learner.json").read_text())["sha256"]
    assert set(known) == {"learner.json", "learner.safetensors", "optimizer.safetensors"}
    load_learner(saved)


@pytest.mark.parametrize("name", ["learner.json", "learner.safetensors", "optimizer.safetensors"])
@pytest.mark.parametrize("how", ["flipped", "cut", "missing"])
def test_a_damaged_learner_is_refused_by_the_file(saved: Path, tmp_path: Path, name: str, how: str) -> None:
    for path in saved.iterdir():
        content = path.read_bytes()
        if path.name == name:
            flipped = content.replace(b'"pad_id": 0', b'"pad_id": 1') if name.endswith("json") else None
            changed = content[:-1] + bytes([content[-1] ^ 1]) if flipped is None else flipped
            assert changed != content
            content = {"flipped": changed, "cut": content[: len(content) // 2], "missing": b""}[how]
        (tmp_path / path.name).write_bytes(content)
    if how == "missing":
        (tmp_path / name).unlink()
    with pytest.raises(ConfigError, match=name) as caught:
        load_learner(tmp_path)
    assert "\n" not in str(caught.value)


def test_what_an_older_version_saved_is_loaded(saved: Path, tmp_path: Path) -> None:
    for path in saved.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    description = json.loads((tmp_path / "learner.json").read_text())
    del description["sha256"]
    (tmp_path / "learner.json").write_text(json.dumps(description))
    assert torch.equal(load_learner(tmp_path).snapshot().state, load_learner(saved).snapshot().state)


def test_a_learner_is_entered_again_when_it_is_saved_again(tmp_path: Path) -> None:
    for value in ("a", "a", "b"):
        with seals.sealing(tmp_path):
            (tmp_path / "weights.bin").write_text(value)
            (tmp_path / "learner.json").write_text('{"kind": "mine:Learner"}')
        assert seals.read(tmp_path) == {"kind": "mine:Learner"}
        assert set(json.loads((tmp_path / "learner.json").read_text())["sha256"]) == {"learner.json", "weights.bin"}
    (tmp_path / "weights.bin").write_text("c")
    with pytest.raises(ConfigError, match=r"weights\.bin is not what was written"):
        seals.read(tmp_path)
