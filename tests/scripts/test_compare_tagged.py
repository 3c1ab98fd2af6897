"""A comparison on a target whose words have tags: its table shows entity F1 in place of the accuracy."""

from pathlib import Path

import numpy as np
import pytest

from curriculum_rl.scripts.compare import compare


def test_entity_f1_stands_in_the_table(tmp_path: Path) -> None:
    pytest.importorskip("seqeval", reason="the optional library seqeval is not installed")
    draw = np.random.default_rng(0)
    for name in ("aa", "bb"):
        rows = []
        for _ in range(150):
            words = [str(word) for word in draw.choice(["go", "see", "Kim", "Rom", "very"], size=6)]
            rows.append("".join(f"{word}{name}\t{'B-PER' if word[0].isupper() else 'O'}\n" for word in words))
        (tmp_path / f"{name}.conll").write_text("\n".join(rows))
    env = {
        "name": "tagged",
        "corpora": {"aa": {"paths": str(tmp_path / "aa.conll"), "format": "conll"}},
        "tokenizer": {"kind": "bpe", "vocab_size": 330, "labels": 6},
        "tasks": [{"corpora": "all", "objective": "tagging"}, {"corpora": "all", "objective": "causal_lm"}],
        "learner": {"kind": "transformer", "layers": 1, "width": 16, "heads": 2},
        "context": 16,
        "batch": 4,
        "target": {"corpus": {"paths": str(tmp_path / "bb.conll"), "format": "conll"}},
        "proxy": {"kind": "heldout_loss", "sequences": 2},
        "report": {
            "sequences": 4, "task_sequences": 2,
            "finetune": {"examples": 16, "updates": 5, "batch": 4, "test_examples": 16},
        },
        "budget": {"updates": 10},
    }  # fmt: skip
    found = compare(env, "random", out=tmp_path / "out", seeds=2, static_mixtures=0, baselines=False, quiet=True)
    figures = found["agents"]["random"]["figures"]
    assert 0 <= figures["downstream_entity_f1"]["mean"] <= 1
    table = (tmp_path / "out" / "compare.md").read_text()
    assert "|  | entity F1 | - stratified [95 %] | log-loss |" in table
    assert f"| random | {figures['downstream_entity_f1']['mean']:.3f} |" in table
