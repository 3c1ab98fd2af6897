"""`curriculum-rl mixture` as a person uses it: a table, a file, and one line for a mistake."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from curriculum_rl.scripts.main import main
from curriculum_rl.testing.problems import STAR, sentences
from curriculum_rl.text.tokenizers import train_bpe


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, corpora: Path, tmp_path: Path) -> Any:
    monkeypatch.chdir(tmp_path)
    for file in corpora.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "target.txt").write_text("\n\n".join(sentences(STAR, 60, 7)))
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "short.txt").write_text("a few words\n\nand a few more")

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["curriculum-rl", "mixture", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


FILES = ["--source", "sea=sea.txt", "--source", "[land]=land.txt", "--source", "star=star.jsonl"]
TARGET = ["--target", "target.txt"]


def test_a_table_and_a_file(run: Any, tmp_path: Path) -> None:
    """Words of one world tell nothing of another: the source of the target's own gets all."""
    status, printed, err = run(*FILES, *TARGET, "--out", "made/mixture.json")
    assert status == 0, err
    content = json.loads((tmp_path / "made" / "mixture.json").read_text())
    assert content["shares"]["star"] > 0.9 and sum(content["shares"].values()) == pytest.approx(1)
    assert list(content["shares"]) == ["sea", "[land]", "star"] == list(content["sources"])
    assert content["prior"] == "em" and content["effective_sources"] < 1.5
    gain = content["predicted_gain"]
    assert gain["nats"] == pytest.approx(gain["counted"] * gain["factor"])
    assert gain["low"] < gain["nats"] < gain["high"]
    assert content["target"]["documents"] == 60 and content["sources"]["star"]["read"] == "star.jsonl"
    lines = printed.splitlines()
    assert lines[1].split() == ["source", "share", "even", "documents", "tokens"]
    assert lines[2].split() == ["star", f"{content['shares']['star']:.3f}", "0.333", "900", *lines[2].split()[-1:]]
    assert "[land]" in printed and "predicted gain: " in printed and "wrote made/mixture.json" in printed


def test_json_is_what_the_file_holds_and_the_same_every_time(run: Any, tmp_path: Path) -> None:
    status, printed, _ = run(*FILES, *TARGET, "--prior", "js", "--json", "--out", "mixture.json")
    assert status == 0
    content = json.loads(printed)
    assert content == json.loads((tmp_path / "mixture.json").read_text())
    assert content["prior"] == "js" and 0.34 < content["shares"]["star"] < 1
    assert json.loads(run(*FILES, *TARGET, "--prior", "js", "--json")[1]) == content


def test_sources_that_are_alike_are_said_to_be(run: Any, tmp_path: Path) -> None:
    for part in (0, 1):
        (tmp_path / f"part{part}.txt").write_text("\n\n".join(sentences(STAR, 900, 20 + part)))
    status, printed, _ = run("--source", "a=part0.txt", "--source", "b=part1.txt", *TARGET)
    assert status == 0 and "scheduling cannot help here" in printed


def test_too_little_of_a_target_is_said(run: Any, tmp_path: Path) -> None:
    (tmp_path / "few.txt").write_text("\n\n".join(sentences(STAR, 20, 8)))
    status, printed, _ = run(*FILES, "--target", "few.txt")
    assert status == 0 and "in 20 documents: weights are reliable from 2,000 tokens in 50 documents on" in printed


def test_another_tokenizer(run: Any, tmp_path: Path) -> None:
    train_bpe(sentences(STAR, 60, 9), vocab_size=330, labels=4).save(tmp_path / "saved")
    tokens = []
    for given in ([], ["--vocab-size", "330"], ["--tokenizer", "saved"]):
        status, printed, err = run(*FILES, *TARGET, *given, "--json")
        assert status == 0, err
        tokens.append(json.loads(printed)["target"]["tokens"])
    assert tokens[0] == tokens[2] < tokens[1]  # 330 are enough for the words of one source, not for those of three


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*FILES[:2], *TARGET], "source: must be given twice or more"),
        (["--source", "sea.txt", *FILES, *TARGET], "source: must be NAME=PATH (got 'sea.txt')"),
        (["--source", "sea=land.txt", *FILES, *TARGET], "source: 'sea' is there twice"),
        (["--source", "a=nowhere.txt", *FILES, *TARGET], "source a: paths: no file"),
        (["--source", "a=empty.txt", *FILES, *TARGET], "source a: paths: no document in"),
        (["--source", "a=short.txt", *FILES, *TARGET], "tokens, fewer than 130"),
        (["--source", "a=.", *FILES, *TARGET], "but a folder; name its files"),
        ([*FILES, "--target", "star.jsonl"], "star.jsonl is read by source star, too"),
        ([*FILES, "--target", "short.txt"], "target: has"),
        ([*FILES, "--target", "nowhere.txt"], "target: paths: no file"),
        ([*FILES, *TARGET, "--out", "."], "out: '.' is a folder, not a file"),
        ([*FILES, *TARGET, "--tokenizer", "t", "--vocab-size", "500"], "vocab_size: 500 is of a tokenizer"),
    ],
)
def test_a_mistake_is_one_line(run: Any, arguments: list[str], message: str) -> None:
    status, printed, err = run(*arguments)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1 and not printed


def test_counting_reads_nothing_again_that_gets_much(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The given text may be a sample of what is trained on; the source that gets nearly all has some 48,000 words."""
    from curriculum_rl.scripts import mixture

    (tmp_path / "long.txt").write_text("\n\n".join(sentences(STAR, 4_000, 30)))
    asked = []
    counted = mixture.counted_gain
    monkeypatch.setattr(mixture, "counted_gain", lambda *a, **k: asked.append(k["tokens"]) or counted(*a, **k))
    for star in ("star.jsonl", "long.txt"):
        assert run(*FILES[:4], "--source", f"star={star}", *TARGET, "--out", "made.json")[0] == 0
    content = json.loads((tmp_path / "made.json").read_text())
    assert asked[0] == mixture.LEAST < asked[1]
    assert asked[1] == int(content["sources"]["star"]["tokens"] / content["shares"]["star"])
