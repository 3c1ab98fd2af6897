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
        for part, count in (("train", 60), ("dev", 300), ("test", 20)):
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
    look = {"update": 0, "language": 0, "before": 1.0, "after": 1.0 - (drop or 0), "query": 0.9}
    told = {"flops": 5.0, "seconds": 1.0, "sentences": 8, "updates": 2, "looks": [look] if drop else []}
    tuned = {"f1": f1, "parameters": 10, "flops": 1.0, "seconds": 1.0}
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
    flat = [row | {"priming": row["priming"] and {**row["priming"], "looks": []}} for row in rows]
    assert "above" not in claims.report(claims.summarise(flat))


TOY = {
    "set": {
        "context": 16, "batch": 4, "steps": 2, "budget": 3, "adapter": 4, "pool": 16, "target": 8, "epochs": 1,
        "look": 1,
    },
    "size": {
        "vocab_size": 320, "layers": 1, "width": 16, "heads": 2, "context": 16, "batch": 2, "updates": 20,
    },
}  # fmt: skip


def test_a_toy_run_and_its_continuation(papers, data, tmp_path, capsys, monkeypatch):
    pytest.importorskip("seqeval", reason="the optional library seqeval is not installed")
    monkeypatch.setenv("CURRICULUM_RL_CACHE", str(tmp_path / "cache"))
    priming, out = papers("priming"), tmp_path / "out"
    settings = [part for option, each in TOY.items() for k, v in each.items() for part in (f"--{option}", f"{k}={v}")]
    common = ["--data", str(data), "--out", str(out), "--languages", "aa,bb", "--processes", "1", *settings]
    priming.main([*common, "--seeds", "1", "--targets", "aa", "--arms", "adapter,multitask->adapter,meta->adapter"])
    printed = capsys.readouterr().out
    assert "entity F1 in points on test, clean sentences, 1 seed(s), left out: aa" in printed
    assert "meta->adapter - multitask->adapter" in printed
    assert (out / "backbones" / "seed-0" / "learner" / "model.safetensors").exists()
    texts = (out / "texts-0" / "bb.texts.txt").read_text().splitlines()
    assert "shared" not in texts
    files = sorted(path.name for path in out.glob("aa.*.json"))
    assert files == ["aa.adapter.0.json", "aa.meta-after-adapter.0.json", "aa.multitask-after-adapter.0.json"]
    spent = [json.loads((out / name).read_text())["priming"]["flops"] for name in files[1:]]
    assert max(spent) < 2 * min(spent)
    times = {path: path.stat().st_mtime_ns for path in [*out.glob("aa.*.json"), *out.glob("primed/*")]}

    priming.main([*common, "--seeds", "1", "--targets", "all", "--arms", "adapter,head,multitask->head"])
    assert {path: path.stat().st_mtime_ns for path in times} == times
    result = json.loads((out / "result.json").read_text())
    assert result["targets"] == ["aa", "bb"]
    assert len(list(out.glob("primed/*.safetensors"))) == 3

    with pytest.raises(SystemExit):
        priming.main([*common, "--seeds", "1", "--set", "steps=3"])
    assert "begun at another size" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--set", "foo=1"], ["--size", "foo=1"], ["--seeds", "0"], ["--data", "/nowhere"], ["--arms", "foo"]],
)
def test_mistakes(papers, tmp_path, capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        papers("priming").main(["--out", str(tmp_path / "o"), "--processes", "1", *arguments])
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
