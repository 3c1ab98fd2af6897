"""A run is its data: whoever goes on with one, or puts runs side by side, is told which text has changed since."""

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import load as configs
from curriculum_rl.scripts.compare import compare
from curriculum_rl.scripts.comparing.running import workers
from curriculum_rl.scripts.evaluate import evaluate
from curriculum_rl.scripts.running.request import Request
from curriculum_rl.scripts.train import train
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.library import Library

Content = dict[str, Any]


@pytest.fixture
def content(tiny: Content, corpora: Path, tmp_path: Path) -> Content:
    """The tiny environment over texts and a tokenizer of its own, with a target of its own."""
    folder = tmp_path / "data"
    shutil.copytree(corpora, folder)
    made: Content = json.loads(json.dumps(tiny).replace(str(corpora), str(folder)))
    made |= {
        "tokenizer": {"kind": "transformers", "path": str(folder / "tokenizer"), "labels": 4},
        "tasks": [{"corpora": ["sea", "land"], "objective": "causal_lm"}],
        "report": {"sequences": 8, "task_sequences": 2},
        "budget": {"updates": 4},
    }
    del made["corpora"]["noise"]
    Library(configs.load(tiny), Cache()).tokenizer.save(folder / "tokenizer")
    return made


def request(content: Content, out: Path) -> Request:
    return Request(env=content, agent="random", seed=1, out=out, quiet=True, picture=False, summarise=False)


def compared(content: Content, out: Path, agents: Sequence[str] = ("random",), **settings: Any) -> Any:
    return compare(content, list(agents), out=out, seeds=1, baselines=False, quiet=True, **settings)


def files(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def in_sea(folder: Path) -> None:
    text = (folder / "sea.txt").read_text()
    (folder / "sea.txt").write_text(text.replace("wave", "wove", 1))


def in_star(folder: Path) -> None:
    rows = (folder / "star.jsonl").read_text().splitlines()
    (folder / "star.jsonl").write_text("\n".join(row.replace("comet", "count") for row in rows))


def in_tokenizer(folder: Path) -> None:
    file = folder / "tokenizer" / "tokenizer.json"
    kept = json.loads(file.read_text())
    kept["model"]["merges"].pop()
    file.write_text(json.dumps(kept))


CHANGES: dict[str, Callable[[Path], None]] = {
    "corpora.sea: its text has changed": in_sea,
    "corpora.star, target.signal, target.reward, target.selection, target.report: their texts have": in_star,
    "tokenizer: it has changed": in_tokenizer,
}


@pytest.mark.parametrize("message", CHANGES)
def test_a_changed_text_is_named_and_nothing_else_happens(content: Content, tmp_path: Path, message: str) -> None:
    assert train(request(content, tmp_path / "run"))
    compared(content, tmp_path / "compared")
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["data"]["sha256"] == json.loads((tmp_path / "run" / "data.json").read_text())
    assert set(result["data"]["overlap"]) == {"corpora.sea", "corpora.land", "corpora.star", "target.corpus"}
    shutil.copytree(tmp_path / "run", tmp_path / "begun")
    (tmp_path / "begun" / "result.json").unlink()
    shutil.copytree(tmp_path / "compared", tmp_path / "begun compared")
    for cell in (tmp_path / "begun compared").glob("runs/*/*/result.json"):
        cell.unlink()
    CHANGES[message](tmp_path / "data")
    before = files(tmp_path)
    for attempt in (
        lambda: train(request(content, tmp_path / "run"), resume=True),
        lambda: train(request(content, tmp_path / "begun"), resume=True),
        lambda: evaluate(tmp_path / "run", episodes=1, seed=0, frozen=True, deterministic=False),
        lambda: compared(content, tmp_path / "compared"),
        lambda: compared(content, tmp_path / "compared", ["random", "round-robin"], reach=["random"]),
        lambda: compared(content, tmp_path / "begun compared"),
    ):
        with pytest.raises(ConfigError) as caught:
            attempt()
        assert str(caught.value).startswith(message) and "\n" not in str(caught.value)
    assert files(tmp_path) == before


def test_the_same_text_in_another_file_is_the_same_data(content: Content, tmp_path: Path) -> None:
    """Packed anew, with other blank lines; what a corpus is, is its documents."""
    data = tmp_path / "data"
    (data / "sea.txt.gz").write_bytes(gzip.compress((data / "sea.txt").read_bytes()))
    content["corpora"]["sea"]["paths"] = str(data / "sea.txt.gz")
    assert train(request(content, tmp_path / "run"))
    text = (data / "sea.txt").read_text().replace("\n\n", "\n\n\n")
    (data / "sea.txt.gz").write_bytes(gzip.compress(text.encode(), 1))
    assert train(request(content, tmp_path / "run"), resume=True)


def test_every_cell_is_of_one_data_set(content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell from elsewhere is refused; and so is a text that changes while cells are being run."""
    out = tmp_path / "out"
    compared(content, out)
    cell = out / "runs" / "random" / "seed-0" / "data.json"
    kept = json.loads(cell.read_text())
    cell.write_text(json.dumps(kept | {"corpora.land": "another"}))
    with pytest.raises(ConfigError, match=r"^corpora.land: its text has changed since .*random/seed-0 was begun"):
        compared(content, out)
    cell.write_text(json.dumps(kept))
    shutil.rmtree(out / "runs" / "stratified")
    performing = workers.perform

    def later(*arguments: Any, **settings: Any) -> Any:
        in_sea(tmp_path / "data")
        return performing(*arguments, **settings)

    monkeypatch.setattr(workers, "perform", later)
    compared(content, out)
    assert not (out / "runs" / "stratified" / "seed-0" / "result.json").exists()
    error = (out / "runs" / "stratified" / "seed-0.error.txt").read_text()
    assert "corpora.sea: its text has changed since the comparison was begun" in error


def test_a_comparison_whose_data_are_not_known_is_not_gone_on_with(content: Content, tmp_path: Path) -> None:
    compared(content, tmp_path / "out")
    (tmp_path / "out" / "data.json").unlink()
    with pytest.raises(ConfigError, match=r"holds no data\.json"):
        compared(content, tmp_path / "out")
