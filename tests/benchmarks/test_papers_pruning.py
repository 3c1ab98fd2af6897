"""The benchmark of divergence-based pruning: its figures on made-up accuracies, and a toy run, resumed."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

DOMAINS = 8


@pytest.fixture
def distances():
    """Domains on a line: the distance of two is symmetric."""
    places = np.random.default_rng(1).random(DOMAINS)
    return abs(places[:, None] - places)


def test_a_perfect_measure(papers, distances):
    claims = papers("pruning_claims")
    accuracy = 0.9 - 0.3 * distances
    assert claims.global_correlation(distances, accuracy) == pytest.approx(-1)
    assert claims.target_correlation(distances, accuracy) == pytest.approx(-1)
    assert claims.pair_test(distances, accuracy) == 1
    assert claims.mantel(distances, accuracy, permutations=199) == pytest.approx(1 / 200)


def test_the_diagonal_is_never_read(papers, distances):
    claims = papers("pruning_claims")
    accuracy = 0.9 - 0.3 * distances
    wrong = accuracy - 5 * np.eye(DOMAINS)
    assert claims.target_correlation(distances, wrong) == pytest.approx(-1)
    assert claims.keep_closest(distances - 9 * np.eye(DOMAINS), 0.6).tolist() == (
        claims.keep_closest(distances, 0.6).tolist()
    )


def test_how_hard_a_target_is_counts_only_among_all_pairs(papers):
    """Far targets that are hard look like a measure that works; within a target it says nothing."""
    claims = papers("pruning_claims")
    hard = np.tile(np.arange(DOMAINS), (DOMAINS, 1))
    noise = np.random.default_rng(0).random((DOMAINS, DOMAINS))
    assert claims.global_correlation(hard + 0.1 * noise, -hard.astype(float)) < -0.9
    assert abs(claims.target_correlation(hard + 0.1 * noise, -hard.astype(float))) < 1e-9


def test_correlation_within_targets_is_the_mean_of_scipys(papers):
    from scipy.stats import spearmanr

    claims = papers("pruning_claims")
    delta, accuracy = np.random.default_rng(0).random((2, DOMAINS, DOMAINS))
    each = [spearmanr(np.delete(delta[:, t], t), np.delete(accuracy[:, t], t)).statistic for t in range(DOMAINS)]
    assert claims.target_correlation(delta, accuracy) == pytest.approx(np.mean(each))


def test_mantel_keeps_its_level_where_pairs_are_dependent(papers):
    """Sources that differ in quality alone, unrelated to distance: p below .1 about one time in ten."""
    claims = papers("pruning_claims")
    low = 0
    for seed in range(100):
        draw = np.random.default_rng(seed)
        quality, far = draw.random(DOMAINS)[:, None], draw.random(DOMAINS)[:, None]
        ones = np.ones((1, DOMAINS))
        low += claims.mantel(far * ones, quality * ones, permutations=199, seed=seed) < 0.1
    assert low <= 19  # the 99.8 % point of a binomial with p = .1


def test_pair_test_by_hand(papers):
    claims = papers("pruning_claims")
    delta = np.array([[0, 1, 1], [1, 0, 2], [2, 2, 0]], float)
    accuracy = np.array([[0, 0.8, 0.7], [0.6, 0, 0.7], [0.7, 0.9, 0]])
    # Target 0: the closer 1 is worse; target 1: the closer 0 is worse; target 2: a tie.
    assert claims.pair_test(delta, accuracy) == pytest.approx(0.5 / 3)


@pytest.mark.parametrize(("share", "left"), [(0.8, 6), (0.6, 5), (0.4, 3), (0.2, 2), (0.01, 1)])
def test_how_many_sources_are_kept(papers, distances, share, left):
    """Of 7 sources; what is left out is rounded down."""
    kept = papers("pruning_claims").keep_closest(distances, share)
    assert kept.sum(axis=0).tolist() == [left] * DOMAINS


def test_regret_by_hand(papers):
    """Sources right on all, half (every second) and none of the examples; the first one is pruned or not."""
    claims = papers("pruning_claims")
    hits = np.stack([np.ones(40, bool), np.tile([True, False], 20), np.zeros(40, bool)])
    kept = {name: np.array([row]).T for name, row in {"all": [1, 1, 1], "half": [0, 1, 1], "none": [0, 0, 1]}.items()}
    found = claims.regrets([hits], {name: mask.astype(bool) for name, mask in kept.items()} | {"random": 1}, splits=300)
    assert found["all"] == 0
    assert found["half"] == pytest.approx(50)  # both halves are scored, so the luck of a half cancels
    assert found["none"] == 100
    assert found["random"] == pytest.approx((0 + 50 + 100) / 3, abs=6)


def test_the_best_source_is_not_scored_where_it_was_picked(papers):
    """Twenty sources that guess: the best of them is no better than chance on the other half."""
    claims = papers("pruning_claims")
    hits = np.random.default_rng(0).random((20, 2000)) < 0.5
    kept = np.zeros((20, 1), bool)
    kept[0] = True
    lost = claims.regrets([hits], {"one": kept}, splits=50)["one"]
    assert abs(lost) < 2.5


def test_costs_by_hand(papers):
    """Three domains, one of two sources kept; tuning costs 10, scoring 1, the divergence 3."""
    claims = papers("pruning_claims")
    names = ["a", "b", "c"]
    price = {"flops": 10.0, "seconds": 10.0}
    one = {"flops": 1.0, "seconds": 1.0}
    state = {
        "domains": names,
        "sources": {name: {"tune": price, "evaluate": dict.fromkeys(names, one)} for name in names},
    }
    delta = np.array([[0, 1, 1], [1, 0, 2], [2, 2, 0]], float)  # a is kept for b and c, b for a, c for nobody
    saved = claims.costs(state, delta, {"flops": 3.0, "seconds": 0.0}, 0.5)
    assert saved["pairs flops"] == pytest.approx(1 - (3 * 11 + 3) / (6 * 11))
    assert saved["pairs seconds"] == pytest.approx(0.5)
    assert saved["shared flops"] == pytest.approx(1 - (2 * 10 + 3 + 3) / (30 + 6))


def reviews(folder: Path) -> None:
    """Four domains of made-up reviews; `shared` is tested on in one and may be trained on in none."""
    folder.mkdir()
    for number, name in enumerate(["a", "b", "c", "d"]):
        draw = np.random.default_rng(number)
        things = [f"thing{number + i}" for i in range(6)]
        rows = []
        for split, count in (("train", 24), ("unlabel", 40), ("test", 16)):
            for i in range(count):
                words = [*draw.choice(things, 8), ("great" if i % 2 else "bad"), str(draw.integers(1000))]
                rows.append({"split": split, "label": None if split == "unlabel" else i % 2, "text": " ".join(words)})
        rows.append({"split": "test" if name == "a" else "train", "label": 1, "text": "shared  words"})
        with gzip.open(folder / f"{name}.jsonl.gz", "wt") as file:
            file.write("\n".join(json.dumps(row) for row in rows))


TOY = {
    "vocab_size": 330, "context": 16, "layers": 1, "width": 32, "heads": 2, "body_updates": 25, "epochs": 1, "rows": 8,
}  # fmt: skip


def test_a_toy_run_and_its_continuation(papers, tmp_path, capsys):
    pruning = papers("pruning")
    reviews(tmp_path / "data")
    settings = [part for key, value in TOY.items() for part in ("--set", f"{key}={value}")]
    folders = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    pruning.main([*folders, *settings, "--jobs", "1", "--seeds", "2"])
    printed = capsys.readouterr().out
    assert "4 domains, 2 seed(s)" in printed
    assert "js: pair test >= .70" in printed
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert set(result["measures"]) >= {"js", "kl", "mmd", "pad", "source length"}
    assert len(result["measures"]["js"]["within"]) == 2
    assert set(result["pooled"]) == {*result["measures"], "random"}
    file = tmp_path / "out" / "seed-1.json"
    state = json.loads(file.read_text())
    assert [len(bits) for bits in state["truth"].values()] == [17, 16, 16, 16]

    del state["sources"]["c"], state["divergence"]  # as if it had been stopped there
    file.write_text(json.dumps(state))
    pruning.main([*folders, *settings, "--jobs", "1", "--seeds", "2"])
    again = json.loads((tmp_path / "out" / "result.json").read_text())
    assert again["pairs"] == result["pairs"]
    assert again["measures"]["mmd"]["within"] == result["measures"]["mmd"]["within"]

    with pytest.raises(SystemExit):
        pruning.main([*folders, *settings, "--set", "epochs=2", "--jobs", "1", "--seeds", "1"])
    assert "begun at another size" in capsys.readouterr().err


def test_no_text_that_is_tested_on_is_read(papers, tmp_path):
    data = papers("pruning_data")
    reviews(tmp_path / "data")
    tokenizer, domains = data.read_domains(tmp_path / "data", vocab_size=330)
    for domain in domains[1:]:
        assert len(domain.train.labels) == 24
        assert "shared" not in tokenizer.decode(domain.text.tokens.tolist())
    assert "shared words" in tokenizer.decode(domains[0].test.tokens.tolist())


@pytest.mark.parametrize("arguments", [["--set", "foo=1"], ["--seeds", "0"], ["--data", "/nowhere"]])
def test_mistakes(papers, tmp_path, capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        papers("pruning").main(["--out", str(tmp_path / "out"), "--jobs", "1", "--seeds", "1", *arguments])
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
