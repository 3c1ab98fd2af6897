"""The table that `train` and `demo` end with."""

from typing import Any

import pytest
from rich.console import Console

from curriculum_rl.scripts.running.summary import summary

COUNTED = {
    "unigram": 6.0, "bigram": 5.0, "rows": 100, "smoothed": 4.5, "backoff": 32.0, "single": 4.0, "corpus": "sea",
}  # fmt: skip


def result(agent: str, **final: float) -> dict[str, Any]:
    same = {"env": "tiny", "share": {"sea": 1.0}, "pruned": [], "tokens": 10, "wall_seconds": 1.0, "overhead": 0.1}
    return {"agent": agent, "final": {"mean_corpus_loss": 5.0, **final}, "baselines": COUNTED, **same}


def shown(*results: dict[str, Any]) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(summary(list(results)))
    return captured.get()


@pytest.mark.parametrize(
    ("loss", "score", "said"), [(4.8, 0.4, True), (4.8, 0.3, True), (4.8, 0.41, False), (5.0, 0.3, False)]
)
@pytest.mark.parametrize("figure", ["accuracy", "entity_f1"])
def test_a_lower_loss_is_not_yet_a_better_score(loss: float, score: float, said: bool, figure: str) -> None:
    key = f"downstream_{figure}"
    text = shown(
        result("auto", target_loss=loss, **{key: score}),
        result("stratified", target_loss=5.0, **{key: 0.4}),
        result("round-robin", target_loss=5.2, **{key: 0.1}),
    )
    (row,) = [line for line in text.splitlines() if "downstream" in line and "0.100" in line]
    assert (f"{score:.3f} (no better)" in row) == said
    assert row.count("no better") == said
    assert ("(no better): the loss is lower than stratified's" in " ".join(text.split())) == said


def test_without_stratified_or_a_score_nothing_is_said() -> None:
    alone = result("auto", target_loss=4.8, downstream_accuracy=0.4)
    assert "no better" not in shown(alone)
    assert "no better" not in shown(alone, result("stratified", target_loss=5.0))
    assert "no better" not in shown({**alone, "final": None}, result("stratified", target_loss=5.0))
