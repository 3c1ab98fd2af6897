"""The benchmark of end-task aware training: its splits, its figures, and a toy run with a tiny body, resumed."""

import gzip
import importlib
import json

import numpy as np
import pytest
import tokenizers
import transformers

WORDS = ["red", "green", "like", "the", "is", *(f"thing{n}" for n in range(12))]


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as file:
        file.write("\n".join(lines) + "\n")


@pytest.fixture
def data(tmp_path):
    """All three data sets; a test text stands in train and dev of each, a dev text in train."""
    for number, name in enumerate(("citation_intent", "sciie", "chemprot")):
        draw = np.random.default_rng(number)
        for part, count in (("train", 40), ("dev", 24), ("test", 20)):
            rows = [(f"the {draw.choice(WORDS[5:])} is {WORDS[i % 2]} {part} {i}", WORDS[i % 2]) for i in range(count)]
            rows += [("tested  on", "red")] + ([("selected on", "red")] if part != "test" else [])
            lines = [json.dumps({"text": text, "label": label, "metadata": {}}) for text, label in rows]
            write(tmp_path / "data" / name / f"{part}.jsonl.gz", lines)
        write(
            tmp_path / "data" / name / "domain.1xTAPT.txt.gz", ["", "tested on", *(f"the thing{i}" for i in range(9))]
        )
    return tmp_path / "data"


@pytest.fixture
def body(tmp_path):
    """A folder with a tiny random BERT and its tokenizer."""
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    backend = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({name: n for n, name in enumerate(names)}, unk_token="[UNK]")
    )
    backend.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    special = dict(zip(("pad", "unk", "cls", "sep", "mask"), names, strict=False))
    settings = {f"{name}_token": token for name, token in special.items()}
    transformers.PreTrainedTokenizerFast(tokenizer_object=backend, **settings).save_pretrained(tmp_path / "body")
    config = transformers.BertConfig(
        vocab_size=len(names), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=16,
    )  # fmt: skip
    transformers.BertForMaskedLM(config).save_pretrained(tmp_path / "body")
    return tmp_path / "body"


def test_splits(papers, data, body):
    read = papers("tartan_data").read_problem
    tokenizer = importlib.import_module("curriculum_rl.text.tokenizers").from_transformers(body, labels=0)
    sizes = {}
    for split in ("published", "clean"):
        problem = read(data, "sciie", tokenizer, context=12, split=split)
        sizes[split] = [len(part.labels) for part in (problem.train, problem.dev, problem.test)]
        assert len(problem.texts["tapt"]) == len(problem.train.labels)
        assert len(problem.texts["dapt"]) == 9
        assert (problem.classes, problem.metric) == (2, "macro_f1")
    assert sizes == {"published": [42, 26, 21], "clean": [40, 25, 21]}
    noise, text = problem.texts["noise"], problem.texts["tapt"]
    assert ((noise == 0) == (text == 0)).all()
    assert (noise != text).mean() > 0.2
    assert read(data, "chemprot", tokenizer, context=12).metric == "accuracy"


def played(arm, seed, score, weights):
    tasks = ("end", "tapt", "noise")[: len(weights)]
    return {
        "dataset": "d", "arm": arm, "seed": seed, "metric": "accuracy", "split": "clean", "test": {"accuracy": score},
        "dev": score, "flops": 1.0, "seconds": 1.0, "joint": {"updates": 5}, "final kept": True,
        "weights": dict(zip(tasks, weights, strict=True)), "lm head": {"losses": [7.0, 6.0]},
    }  # fmt: skip


def test_figures_by_hand(papers):
    claims = papers("tartan_claims")
    rows = []
    for seed in range(5):
        rows += [played("mt", seed, 0.5 + seed / 100, [0.5, 0.5])]
        rows += [played("tapt->ft", seed, 0.48 + seed / 100, [1.0])]
        rows += [played("meta+noise", seed, 0.6, [0.4, 0.35, 0.25])]
    found = claims.summarise(rows)["d"]
    (pair,) = found["compared"]
    assert pair == "mt - tapt->ft"
    assert found["compared"][pair]["difference"]["mean"] == pytest.approx(2)
    assert found["compared"][pair]["wins"] == 5
    assert found["compared"][pair]["p"] == pytest.approx(2 / 2**5)
    assert set(found["weights"]) == {"mt", "meta+noise"}
    printed = claims.report({"d": found})
    assert "noise - even: -0.083, below: yes; below tapt in 5 of 5 seed(s)" in printed


TOY = {
    "context": 12, "batch": 4, "updates": 4, "every": 2, "final_updates": 2, "final_every": 1, "lm_head_updates": 4,
    "lm_head_every": 2,
}  # fmt: skip


def test_a_toy_run_and_its_continuation(papers, data, body, tmp_path, capsys):
    tartan = papers("tartan")
    settings = [part for key, value in TOY.items() for part in ("--set", f"{key}={value}")]
    common = [
        "--data",
        str(data),
        "--datasets",
        "sciie",
        "--out",
        str(tmp_path / "out"),
        "--model",
        str(body),
        "--jobs",
        "1",
        *settings,
    ]
    tartan.main([*common, "--seeds", "1", "--arms", "all"])
    printed = capsys.readouterr().out
    assert "sciie, clean split: test macro_f1 in points, 1 seed(s)" in printed
    assert "meta - dev-control" in printed
    files = sorted(path.name for path in (tmp_path / "out").glob("sciie.*.json"))
    assert len(files) == 14
    assert "sciie.tapt-ft.0.json" in files
    times = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in files}

    tartan.main([*common, "--seeds", "2", "--arms", "ft,mt"])
    assert {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in files} == times
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert len(result["sciie"]["scores"]["mt"]) == 2
    assert result["sciie"]["compared"]["mt - ft"]["p"] is not None

    with pytest.raises(SystemExit):
        tartan.main([*common, "--seeds", "1", "--set", "batch=5"])
    assert "begun at another size" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--set", "foo=1"], ["--seeds", "0"], ["--data", "/nowhere"], ["--arms", "foo"], ["--datasets", "foo"]],
)
def test_mistakes(papers, body, tmp_path, capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        papers("tartan").main(["--out", str(tmp_path / "o"), "--model", str(body), "--jobs", "1", *arguments])
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
