"""The benchmark of depths: its arithmetic on made-up curves, and a toy run of both settings, resumed."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest


def test_accounts(papers):
    """FLOPs in trainings of one batch, with U = 84 and one token a row: 84 in all, or more where data are equal."""
    settings = papers("meta_train_settings")
    size = settings.Size(updates=84, batch=1, context=1)

    def read(depth, order, account):
        return settings.column_of("supervised", depth, order, account).budget(size)["tokens"]

    assert [read(depth, 1, "compute") for depth in (0, 1, 5)] == [84, 84, 84]
    assert [read(depth, 1, "data") for depth in (0, 1, 5)] == [84, 84, 84]
    assert [read(depth, 2, "data") for depth in (1, 2)] == [84, 84]
    # An update of depth 1 reads 2 batches and costs 4 trainings, one of depth 2 reads 3 and costs 7.
    assert [read(depth, 2, "compute") for depth in (1, 2)] == [2 * 84 // 4, 3 * 84 // 7]


def test_columns_are_there_once(papers):
    settings = papers("meta_train_settings")
    made = settings.columns("supervised", [1, 5], [1], ["compute", "data", "updates"])
    names = [column.name.removeprefix("supervised-") for column in made]
    assert names == [
        "depth0-order1-compute", "depth1-order1-compute", "depth1-order1-updates", "depth5-order1-compute",
        "depth5-order1-updates", "depth1-order2-compute", "depth1-order2-data", "depth1-order2-updates",
    ]  # fmt: skip
    for depth, order in ((0, 1), (1, 1), (5, 1), (1, 2)):
        for account in ("compute", "data", "updates"):
            assert settings.column_of("supervised", depth, order, account) in made


def test_a_slower_learner_has_no_other_cosine_at_its_loss(papers):
    """The cosine is a function of the loss alone: at equal compute the slow one is above, at equal loss it is not."""
    claims = papers("meta_train_claims")
    fast, slow = np.linspace(4, 1, 13), np.linspace(4, 2, 13)
    runs = [
        {"loss": np.stack([loss, loss + 0.1], 1), "cosine": np.stack([loss / 8, loss / 9], 1)} for loss in (fast, slow)
    ]
    found = claims.at_matched_loss(*runs, "cosine")
    assert found["difference"]["mean"] == pytest.approx(0, abs=1e-12)
    assert found["losses"] == pytest.approx([2.05, 4.05])
    runs[1]["cosine"] = runs[1]["cosine"] + 0.2
    found = claims.at_matched_loss(*runs, "cosine")
    assert found["difference"]["mean"] == pytest.approx(0.2)
    assert found["wins"] == 2
    runs[1]["loss"] = runs[1]["loss"] + 9
    assert claims.at_matched_loss(*runs, "cosine") is None


def test_differences_to_depth_0_are_paired(papers):
    claims = papers("meta_train_claims")
    zero = [0.50, 0.60, 0.70, 0.80]
    found = claims.against_zero(zero, {"a": [v + 0.01 for v in zero], "b": zero[::-1]})
    assert found["a"]["difference"]["mean"] == pytest.approx(1)
    assert found["a"]["wins"] == 4
    assert found["a"]["p"] == pytest.approx(2 / 2**4)
    assert found["a"]["holm"] == pytest.approx(2 * 2 / 2**4)
    assert found["b"]["difference"]["mean"] == pytest.approx(0)


def test_cosines_by_hand(papers):
    """Two tasks of length 2 at 60 degrees, and noise of length 1 in every half that is its own."""
    measures = papers("meta_train_measures")
    tasks = np.array([[2.0, 0.0], [1.0, np.sqrt(3)]])
    halves = np.concatenate([np.repeat(tasks, 2, axis=0), np.eye(4)], axis=1)
    found = measures.cosines((halves @ halves.T)[None])
    assert found["clean"] == pytest.approx([0.5])
    assert found["cosine"] == pytest.approx([2 / 4.5])
    assert np.isnan(measures.cosines(np.eye(4)[None])["clean"]).all()


def reviews(folder: Path, names: list[str]) -> None:
    """Made-up reviews whose label is a word."""
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        draw = np.random.default_rng(number)
        rows = []
        for split, count in (("train", 150), ("unlabel", 60)):
            for i in range(count):
                words = [*draw.choice(["one", "two", "red", "blue", "near"], 5), "great" if i % 2 else "bad"]
                text = f"{' '.join(words)}. {name} {draw.integers(1000)} is {words[-1]}."
                label = i % 2 if split == "train" else None
                rows.append({"split": split, "label": label, "domain": label, "text": text})
        with gzip.open(folder / f"{name}.jsonl.gz", "wt") as file:
            file.write("\n".join(json.dumps(row) for row in rows))


TOY = {
    "vocab_size": 330, "context": 16, "layers": 1, "width": 16, "heads": 1, "batch": 4, "updates": 84, "domains": 2,
    "shots": "[8, 16]", "shot_updates": 2, "tested": 20, "rows": 8, "points": 3,
}  # fmt: skip


def test_a_toy_run_and_its_continuation(papers, tmp_path, capsys):
    script, settings = papers("meta_train"), papers("meta_train_settings")
    grouped = [name for names in settings.UNLABELLED.values() for name in names[:2]]
    names = {*grouped, *settings.LABELLED[:2], *settings.HELD_OUT[:2]}
    reviews(tmp_path / "data" / "fdu_mtl", sorted(names))
    reviews(tmp_path / "data" / "intents", ["snips", "clinc150"])
    size = [part for key, value in TOY.items() for part in ("--set", f"{key}={value}")]
    where = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--jobs", "1"]
    short = ["--depths", "0,2", "--second", "1", "--accounts", "compute,data,updates"]
    script.main([*where, *size, *short, "--settings", "supervised", "--seeds", "2"])
    assert "supervised, equal updates, 16 shots: depth 0" in capsys.readouterr().out
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    found = result["settings"]["supervised"]
    table = found["few shot"]["equal compute, 8 shots"]
    assert set(table) == {"chance", "untrained", "depth 0", "depth 2, order 1", "depth 1, order 2"}
    assert table["chance"] == 50
    assert table["depth 2, order 1"]["seeds"] == 2
    same = found["few shot"]["equal data, 8 shots"]
    assert same["depth 2, order 1"]["accuracy"] == table["depth 2, order 1"]["accuracy"]
    assert set(found["cosines"]) == {"depth 2, order 1", "depth 1, order 2"}

    compared = json.loads((tmp_path / "out/compare/supervised-depth2-order1-compute/compare.json").read_text())
    zero = json.loads((tmp_path / "out/compare/supervised-depth0-order1-compute/compare.json").read_text())
    spent = [one["agents"]["stratified"]["cost"]["flops"]["train"] for one in (zero, compared)]
    assert spent[0] == spent[1]

    first = sorted((tmp_path / "out" / "few-shot").rglob("*.json"))[0]
    kept = first.read_text()
    first.unlink()
    script.main([*where, *size, *short, "--settings", "supervised", "--seeds", "2"])
    again = json.loads((tmp_path / "out" / "result.json").read_text())
    assert again == result
    assert json.loads(first.read_text())["tuned"] == json.loads(kept)["tuned"]

    script.main([*where, *size, "--depths", "0,1", "--second", "", "--settings", "unsupervised", "--seeds", "1"])
    assert "unsupervised, equal compute, 8 shots: depth 0" in capsys.readouterr().out
    few = json.loads((tmp_path / "out/few-shot/unsupervised-depth1-order1-compute/seed-0.json").read_text())
    assert set(few["tuned"]) == {"snips", "clinc150"}
    with pytest.raises(SystemExit):
        script.main([*where, *size, "--set", "width=32", "--seeds", "1"])
    assert "begun at another size" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "foo=1"], "must be one of"),
        (["--seeds", "0"], "at least 1"),
        (["--second", "0"], "depths of at least 1"),
        (["--accounts", "time"], "'time' is not one of compute, data, updates"),
        (["--data", "/nowhere"], "nowhere"),
    ],
)
def test_mistakes(papers, tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit) as ended:
        papers("meta_train").main(["--out", str(tmp_path / "out"), "--jobs", "1", "--seeds", "1", *arguments])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
