"""The benchmark of priming: its figures by hand, and a toy run on made-up languages, resumed."""

import gzip
import json

import numpy as np
import pytest


@pytest.fixture
def data(tmp_path):
    """Two languages of few words, capital ones entities; a test sentence stands in the train part of the other."""
    for number, language in enumerate(("aa", "bb")):
        draw = np.random.default_rng(number)
        words = [f"{stem}{language}" for stem in ("go", "see", "Kim", "Rom", "the", "Bern", "very", "Max")]
        for part, count in (("train", 60), ("dev", 300), ("test", 300)):
            lines = []
            for _ in range(count):
                drawn = [str(word) for word in draw.choice(words, size=6)]
                lines += [f"{language}:{word}\t{'B-LOC' if word[0].isupper() else 'O'}" for word in drawn] + [""]
            path = tmp_path / "data" / language / f"{part}.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            with gzip.open(path, "wt") as file:
                file.write("\n".join([*lines, "zz:shared\tO", ""]) + "\n")
    return tmp_path / "data"


def played(arm, target, seed, f1, drop=None):
    told = {"flops": 5.0, "seconds": 1.0, "sentences": 8, "updates": 2, "drop": drop, "share falling": 1.0, "loss": 0.9}
    tuned = {"f1": f1, "log_loss": 1.0, "flops": 1.0}
    return {
        "seed": seed, "target": target, "arm": arm, "tuned": tuned, "priming": told if "->" in arm else None,
        "backbone": {"loss": 4.0, "bigram": 5.0}, "scored": "test, clean",
    }  # fmt: skip


def test_figures_by_hand(papers):
    claims = papers("priming_claims")
    rows = []
    for seed in range(5):
        for target, more in (("de", 0.02), ("nl", -0.01)):
            rows += [played("multitask->adapter", target, seed, 0.5 + seed / 100)]
            rows += [played("meta->adapter", target, seed, 0.5 + seed / 100 + more, drop=0.25)]
    found = claims.summarise(rows)
    (pair,) = found["compared"].values()
    assert pair["difference"]["mean"] == pytest.approx(0.5)
    assert pair["by language"]["de"]["mean"] == pytest.approx(2)
    assert (pair["languages won"], pair["cells won"], pair["cells"], pair["seeds won"]) == (1, 5, 10, 5)
    assert pair["p"] == pytest.approx(2 / 2**5)
    assert found["inner"]["meta->adapter"]["drop"] == pytest.approx(0.25)
    assert found["inner"]["multitask->adapter"] is None
    assert "meta->adapter above multitask->adapter" in claims.report(found)
    assert "bigram counts; raise" not in claims.report(found)
    assert "bigram counts; raise" in claims.report(found | {"backbone": {"loss": 5.0, "bigram": 5.0}})
    flat = [row | {"priming": row["priming"] and {**row["priming"], "drop": None}} for row in rows]
    assert "above" not in claims.report(claims.summarise(flat))
    risen = [row | {"priming": {**row["priming"], "drop": -1.0}} for row in rows]
    assert "do not learn" in claims.report(claims.summarise(risen))


def test_sentences(papers, data, tmp_path):
    """No train sentence stands in a test part of any language, none twice; pools are nested draws; files come back."""
    made = papers("priming_data")
    languages = made.without_shared(made.read_languages(data, ["aa", "bb"]))
    texts = {
        name: {part: [row.text for row in rows] for part, rows in parts.items()} for name, parts in languages.items()
    }
    assert all("zz:shared" not in each["train"] and "shared" not in each["train"] for each in texts.values())
    assert sum("shared" in each["test"] for each in texts.values()) == 2
    train = languages["aa"]["train"]
    assert len({row.text for row in train}) == len(train)
    few, more = (made.sampled(train, 3, count) for count in (4, 9))
    assert few == more[:4]
    path = tmp_path / "x" / "aa.conll"
    made.write(path, few)
    again = list(made.source_of(made.FilesCorpus(paths=str(path), format="conll")).documents())
    assert [(row.text, row.label) for row in again] == [(row.text, row.label) for row in few]


TOY = {
    "context": 16, "batch": 4, "steps": 2, "budget": 12, "adapter": 4, "pool": 40, "shots": 8, "tuning": 3,
    "scored": 20, "vocab_size": 320, "layers": 1, "width": 16, "heads": 2, "window": 16, "pretraining": 20,
}  # fmt: skip


def test_a_toy_run_and_its_continuation(papers, data, tmp_path, capsys, monkeypatch):
    pytest.importorskip("seqeval", reason="the optional library seqeval is not installed")
    monkeypatch.setenv("CURRICULUM_RL_CACHE", str(tmp_path / "cache"))
    priming, out = papers("priming"), tmp_path / "out"
    settings = [part for key, value in TOY.items() for part in ("--set", f"{key}={value}")]
    common = ["--data", str(data), "--out", str(out), "--languages", "aa,bb", "--jobs", "1", *settings]
    priming.main([*common, "--seeds", "1", "--targets", "aa", "--arms", "adapter,multitask->adapter,meta->adapter"])
    printed = capsys.readouterr().out
    assert "entity F1 in points on test, clean sentences, 1 seed(s), left out: aa" in printed
    assert "meta->adapter - multitask->adapter" in printed
    assert (out / "backbones" / "seed-0" / "learner" / "model.safetensors").exists()
    assert "shared" not in (out / "texts" / "train" / "bb.conll").read_text()
    files = sorted(path.name for path in out.glob("aa.*.json"))
    assert files == ["aa.adapter.0.json", "aa.meta-after-adapter.0.json", "aa.multitask-after-adapter.0.json"]
    spent = [json.loads((out / name).read_text())["priming"]["flops"] for name in files[1:]]
    assert max(spent) < 2 * min(spent)
    told = json.loads((out / files[1]).read_text())["priming"]
    assert told["sentences"] == 12 * told["updates"]
    times = {path: path.stat().st_mtime_ns for path in [*out.glob("aa.*.json"), *out.glob("compare/aa*/runs/*/*")]}

    priming.main([*common, "--seeds", "1", "--targets", "all", "--arms", "adapter,head,multitask->head"])
    assert {path: path.stat().st_mtime_ns for path in times} == times
    result = json.loads((out / "result.json").read_text())
    assert result["targets"] == ["aa", "bb"]
    assert len(list(out.glob("compare/*/compare.json"))) == 3

    with pytest.raises(SystemExit):
        priming.main([*common, "--seeds", "1", "--set", "steps=3"])
    assert "begun at another size" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--set", "foo=1"], ["--set", "steps=0"], ["--seeds", "0"], ["--data", "/nowhere"], ["--arms", "foo"]],
)
def test_mistakes(papers, tmp_path, capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        papers("priming").main(["--out", str(tmp_path / "o"), "--jobs", "1", *arguments])
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
