"""A tiny environment over made texts, built in a second, and a learner that is watched.

Try a proxy on it::

    experiment = tiny_experiment(proxy={"kind": "my_pkg.my_mod:MyProxy"})
    run = Pretraining(experiment)
    run.begin([0])
    print(run.segment(np.full((1, 5), 0.2)).gain)

Shape letters: N replicas, K tasks, B rows, T tokens.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache, wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.batch import Batch, SegmentPlan
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.build import make_learner
from curriculum_rl.problem import Problem
from curriculum_rl.schema import load as configs
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.targets import SPLITS

SEA = ("wave", "salt", "harbour", "sail", "tide", "gull", "anchor", "reef", "storm", "deck", "rope")
LAND = ("hill", "barn", "wheat", "plough", "fence", "orchard", "sheep", "lane", "stone", "meadow", "oak")
STAR = ("comet", "orbit", "nebula", "quasar", "dust", "moon", "ring", "flare", "void", "pulsar", "light")
GPT2 = {"model_type": "gpt2", "n_embd": 32, "n_layer": 1, "n_head": 2}
BERT = {
    "model_type": "bert",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
NATIVE: dict[str, Any] = {"learner": {"kind": "transformer", "layers": 1, "width": 32, "heads": 2}}
TRANSFORMERS: dict[str, Any] = {
    "learner": {"kind": "transformers", "model": GPT2},
    "tasks": [{"objective": "causal_lm"}],
}
MASKED: dict[str, Any] = {
    "learner": {"kind": "transformers", "head": "masked", "model": BERT},
    "tasks": [{"objective": "masked_lm"}],
}
"""Sections with other learners: the native one reads both ways, models of `transformers` one way alone."""
COMPARED = 12
"""Tokens by which rows are taken to be the same."""


def sentences(words: Sequence[str], count: int, seed: int) -> list[str]:
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


def write_texts(folder: Path) -> None:
    """`sea.txt`, `land.txt` and `star.jsonl`, whose texts are labelled `bright` or `dark`."""
    (folder / "sea.txt").write_text("\n\n".join(sentences(SEA, 900, 1)))
    (folder / "land.txt").write_text("\n\n".join(sentences(LAND, 900, 2)))
    rows = [
        {"text": line, "label": "bright" if "comet" in line or "light" in line else "dark", "id": f"g{i // 2}"}
        for i, line in enumerate(sentences(STAR, 900, 3))
    ]
    (folder / "star.jsonl").write_text("\n".join(json.dumps(row) for row in rows))


def tiny_environment(folder: Path) -> dict[str, Any]:
    """An environment of five tasks over the texts in a folder, whose runs take a fraction of a second."""
    star = {"kind": "files", "paths": str(folder / "star.jsonl"), "label_field": "label", "group_field": "id"}
    return {
        "name": "tiny",
        "corpora": {
            "sea": {"kind": "files", "paths": str(folder / "sea.txt")},
            "land": {"kind": "files", "paths": str(folder / "land.txt")},
            "star": {**star, "heldout": 0.4},
            "noise": {"kind": "noise", "tokens": 4000},
        },
        "tokenizer": {"kind": "bpe", "vocab_size": 400, "labels": 4},
        "tasks": [{"corpora": "all", "objective": "causal_lm"}, {"corpora": ["star"], "objective": "masked_lm"}],
        **NATIVE,
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


def tiny_experiment(overrides: dict[str, Any] | None = None, **sections: Any) -> Experiment:
    """The tiny environment, built; its texts and cache are in a folder that goes with the process.

    Args:
        overrides: by dotted key, such as `{"budget.updates": 80}`.
        **sections: of the environment file, instead of those of `tiny_environment`.
    """
    folder = _folder()
    return build(configs.load({**tiny_environment(folder), **sections}, overrides), Cache(folder / "cache"))


@cache
def _folder() -> Path:
    _KEPT.append(TemporaryDirectory(prefix="curriculum_rl_testing_"))
    folder = Path(_KEPT[0].name)
    write_texts(folder)
    return folder


_KEPT: list[TemporaryDirectory[str]] = []


class Watch:
    """Watches what is asked of a learner from now on.

    Attributes:
        rows: the first `COMPARED` tokens of every row that was read.
        flops: what a replica's share of it takes, by the learner's own price: forward passes of what was scored, three
            of what was trained on or had gradients taken.
    """

    def __init__(self, learner: Learner) -> None:
        self.rows: set[tuple[int, ...]] = set()
        self.flops = 0.0
        for name in ("token_losses", "features", "label_logits", "tag_logits"):
            self._watch(learner, name, lambda batch: batch, training=False)
        self._watch(learner, "gradient_products", lambda batches: batches, training=True)
        self._watch(learner, "train", lambda plan: plan.batches, training=True)

    def _watch(self, learner: Learner, name: str, read: Callable[[Any], Batch], *, training: bool) -> None:
        method = getattr(learner, name)

        @wraps(method)
        def watched(given: Batch | SegmentPlan, *others: Any, **options: Any) -> Any:
            ids = read(given).input_ids
            self.rows |= prefixes(ids.reshape(-1, ids.shape[-1]).numpy())
            one = ids.numel() // learner.replicas if ids.ndim > 2 and ids.shape[-3] == learner.replicas else ids.numel()
            self.flops += learner.flops(one, training=training)
            return method(given, *others, **options)

        setattr(learner, name, watched)


def prefixes(rows: npt.NDArray[Any]) -> set[tuple[int, ...]]:
    """The first `COMPARED` tokens of some rows."""
    return {tuple(row) for row in rows[:, :COMPARED].tolist()}


def reported(problem: Problem, seeds: Sequence[int]) -> set[tuple[int, ...]]:
    """What the report of some seeds scores, and all of the target's report split, but what other splits repeat."""
    target, heldout = problem.target, problem.heldout
    modelling = problem.modelling(problem.causal)
    drawn = [heldout.report(name, modelling, seeds).input_ids.flatten(0, 1).numpy() for name in heldout.corpora]
    rows: set[tuple[int, ...]] = set().union(*(prefixes(each) for each in drawn))
    others: set[tuple[int, ...]] = set()
    for split in SPLITS:
        for part in (target.text.get(split), target.labelled.get(split)):
            if part is not None:
                found = prefixes(part.windows(np.arange(part.size(problem.context)), problem.context))
                (rows if split == "report" else others).update(found)
    return rows - others


def trained(experiment: Experiment, seeds: Sequence[int]) -> Learner:
    """Learners of these seeds after two updates on the first task: moments and counts are there to be changed."""
    learner = make_learner(experiment.config, experiment.problem, replicas=len(seeds))
    learner.reset(seeds)
    train(experiment, learner)
    return learner


def train(experiment: Experiment, learner: Learner) -> None:
    """Two updates on the first task, of the same rows for every replica."""
    config, task = experiment.config, experiment.problem.tasks[0]
    rows = task.batch(seed=0, first=0, rows=2 * config.batch, context=config.context)
    batches = [Batch.stack([rows[start : start + config.batch]] * learner.replicas) for start in (0, config.batch)]
    learner.train(SegmentPlan(Batch.stack(batches), np.full((2, learner.replicas), 1e-2)))
