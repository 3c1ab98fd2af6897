"""Small real-shaped data for tests: three corpora on disk, one labelled, and an environment over them."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from curriculum_rl.experiment import Experiment, build
from curriculum_rl.schema import load as configs

DATA = Path(os.environ.get("CURRICULUM_RL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))

torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests neither read nor fill the user's cache."""
    os.environ["CURRICULUM_RL_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real corpora; a stranger's clone has none."""
    if not DATA.is_dir():
        pytest.skip(f"needs the real data at {DATA} (CURRICULUM_RL_DATA)")
    return DATA


def sentences(words: list[str], count: int, seed: int) -> list[str]:
    """Sentences in which each word tells something about the next."""
    draw = np.random.default_rng(seed)
    out = []
    for _ in range(count):
        at = int(draw.integers(len(words)))
        line = []
        for _ in range(int(draw.integers(8, 16))):
            line.append(words[at])
            at = (at * 3 + int(draw.integers(2))) % len(words)
        out.append(" ".join(line) + ".")
    return out


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sea.txt, land.txt and labelled star.jsonl."""
    folder = tmp_path_factory.mktemp("corpora")
    sea = ["wave", "salt", "harbour", "sail", "tide", "gull", "anchor", "reef", "storm", "deck", "rope"]
    land = ["hill", "barn", "wheat", "plough", "fence", "orchard", "sheep", "lane", "stone", "meadow", "oak"]
    star = ["comet", "orbit", "nebula", "quasar", "dust", "moon", "ring", "flare", "void", "pulsar", "light"]
    (folder / "sea.txt").write_text("\n\n".join(sentences(sea, 900, 1)))
    (folder / "land.txt").write_text("\n\n".join(sentences(land, 900, 2)))
    rows = [
        {"text": line, "label": "bright" if "comet" in line or "light" in line else "dark", "id": f"g{i // 2}"}
        for i, line in enumerate(sentences(star, 900, 3))
    ]
    (folder / "star.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return folder


@pytest.fixture(scope="session")
def tiny(corpora: Path) -> dict[str, Any]:
    """An environment of 5 tasks whose runs take a fraction of a second."""
    star = {"kind": "files", "paths": str(corpora / "star.jsonl"), "label_field": "label", "group_field": "id"}
    return {
        "name": "tiny",
        "corpora": {
            "sea": {"kind": "files", "paths": str(corpora / "sea.txt")},
            "land": {"kind": "files", "paths": str(corpora / "land.txt")},
            "star": {**star, "heldout": 0.4},
            "noise": {"kind": "noise", "tokens": 4000},
        },
        "tokenizer": {"kind": "bpe", "vocab_size": 400, "labels": 4},
        "tasks": [{"corpora": "all", "objective": "causal_lm"}, {"corpora": ["star"], "objective": "masked_lm"}],
        "learner": {"kind": "transformer", "layers": 1, "width": 32, "heads": 2},
        "context": 16,
        "batch": 5,
        "target": {"corpus": "star"},
        "proxy": {"kind": "heldout_loss", "sequences": 8},
        "report": {
            "sequences": 16,
            "task_sequences": 4,
            "finetune": {"examples": 16, "updates": 2, "batch": 4, "test_examples": 16},
        },
        "segment": {"updates": 2},
        "budget": {"updates": 20},
    }


@pytest.fixture(scope="session")
def experiment(tiny: dict[str, Any]) -> Experiment:
    """The tiny environment, built."""
    return build(configs.load(tiny))
