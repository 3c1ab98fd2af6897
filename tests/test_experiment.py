"""Environments made real: the user's own classes, transformers learners, corpora derived from others, leakage."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_sources import written

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.learners.build import make_learner
from curriculum_rl.objectives import Rows
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.problem import Problem
from curriculum_rl.proxies.base import Price, Reading, Stateless
from curriculum_rl.schema import load as configs
from curriculum_rl.testing.problems import STAR, sentences
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.documents import Document
from curriculum_rl.text.tokenizers import Tokenizer


@dataclass(frozen=True)
class Backwards:
    """Predict the previous token: an objective of the user's own."""

    tokenizer: Tokenizer
    name: str = "backwards"
    causal: bool = True
    labelled: bool = False

    def __call__(self, windows: np.ndarray, keys: np.ndarray) -> Rows:
        turned = windows[:, ::-1]
        return Rows(turned[:, :-1], turned[:, 1:], np.ones(turned[:, 1:].shape, np.float32))


@dataclass(frozen=True)
class Counting:
    """A corpus of the user's own."""

    lines: int

    def fingerprint(self) -> str:
        return f"counting {self.lines}"

    def documents(self) -> Iterator[Document]:
        yield from (Document(" ".join(str(i + j) for j in range(10))) for i in range(self.lines))


class Steady(Stateless):
    """A proxy of the user's own."""

    def __init__(self, *, problem: Problem, learner: Any, seeds: Any, level: float) -> None:
        self.level = level

    def price(self, learner: Any) -> Price:
        return Price(0, 0.0)

    def score(self, learner: Any) -> Reading:
        return Reading(np.array([self.level]))


def played(experiment: Experiment) -> Pretraining:
    run = Pretraining(experiment)
    run.begin([0])
    shares = np.full((1, len(experiment.problem.tasks)), 1 / len(experiment.problem.tasks))
    while run.next_updates():
        run.segment(shares)
    return run


def test_classes_of_the_users_own(tiny: dict[str, Any]) -> None:
    changes = {
        "corpora.numbers": {"kind": f"{__name__}:Counting", "lines": 300},
        "tasks": [{"corpora": ["numbers", "sea"], "objective": {"kind": f"{__name__}:Backwards"}}],
        "proxy": {"kind": f"{__name__}:Steady", "level": -2.0},
    }
    experiment = build(configs.load(tiny, changes))
    run = played(experiment)
    assert [task.name for task in experiment.problem.tasks] == ["numbers.backwards", "sea.backwards"]
    assert run.progress.score.tolist() == [-2.0]
    assert run.progress.counters.sum() == 20 * 5


def test_an_argument_that_the_users_class_does_not_take(tiny: dict[str, Any]) -> None:
    changes = {"corpora.numbers": {"kind": f"{__name__}:Counting", "rows": 3}}
    with pytest.raises(ConfigError, match=r"Counting. does not take these arguments: .*.lines."):
        build(configs.load(tiny, changes))


LLAMA = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 32,
}
BERT = {**LLAMA, "model_type": "bert"}


@pytest.mark.parametrize(
    ("model", "head", "objective"), [(LLAMA, "causal", "causal_lm"), (BERT, "masked", "masked_lm")]
)
def test_transformers_learners_run_and_learn(
    tiny: dict[str, Any], model: dict[str, Any], head: str, objective: str
) -> None:
    changes = {
        "learner": {"kind": "transformers", "model": model, "head": head},
        "tasks": [{"corpora": ["sea", "star"], "objective": objective}],
        "budget.updates": 60,
        "optimizer.learning_rate": 0.01,
    }
    run = played(build(configs.load(tiny, changes)))
    assert run.progress.score[0] > run.progress.initial[0] + 0.5
    report = run.finish()
    assert report.few_shot is not None
    assert np.isfinite(report.few_shot.log_loss).all()


def test_an_objective_that_the_learner_cannot_do(tiny: dict[str, Any]) -> None:
    experiment = build(configs.load(tiny, {"learner": {"kind": "transformers", "model": LLAMA, "head": "causal"}}))
    with pytest.raises(ConfigError, match=r"star\.masked_lm.*both directions"):
        make_learner(experiment.config, experiment.problem)


def test_classification_is_a_task_too(tiny: dict[str, Any]) -> None:
    changes = {
        "tasks": [{"corpora": ["star"], "objective": "classification"}],
        "budget.updates": 120,
        "optimizer.learning_rate": 0.01,
    }
    experiment = build(configs.load(tiny, changes))
    run = Pretraining(experiment)
    run.begin([0])
    losses = []
    while run.next_updates():
        losses.append(run.segment(np.ones((1, 1))).loss[0])
    assert np.mean(losses[:3]) > 1.0
    assert np.mean(losses[-10:]) < np.log(2)


def test_derived_corpora(tiny: dict[str, Any]) -> None:
    changes = {
        "corpora.again": {"kind": "copy", "of": "sea"},
        "corpora.mixed": {"kind": "shuffled", "of": "sea"},
        "corpora.few": {"kind": "small", "of": "sea", "characters": 2000},
    }
    experiment = build(configs.load(tiny, changes))
    tokens = {task.corpus.name: np.asarray(task.corpus.tokens) for task in experiment.problem.tasks}
    assert (tokens["again"] == tokens["sea"]).all()
    assert len(tokens["few"]) < 1500
    assert sorted(experiment.tokenizer.decode(tokens["mixed"].tolist()).split())[:50] != []
    assert abs(len(tokens["mixed"]) - len(tokens["sea"])) < 0.1 * len(tokens["sea"])
    assert not np.array_equal(tokens["mixed"][:200], tokens["sea"][:200])
    assert set(experiment.problem.heldout.corpora) == {"sea", "land", "star"}


def test_no_target_text_is_trained_on(experiment: Experiment) -> None:
    eos = experiment.tokenizer.eos_id

    def documents(tokens: Any) -> set[tuple[int, ...]]:
        cuts = np.split(np.asarray(tokens), np.flatnonzero(np.asarray(tokens) == eos) + 1)
        return {tuple(cut.tolist()) for cut in cuts if len(cut) > 1}

    trained = set().union(*(documents(task.corpus.tokens) for task in experiment.problem.tasks))
    parts = [documents(corpus.tokens) for corpus in experiment.problem.target.text.values()]
    assert all(len(part) > 20 for part in parts)
    for i, part in enumerate(parts):
        assert not part & trained
        assert not any(part & other for other in parts[i + 1 :])


def test_divergence_is_smallest_for_the_targets_own_corpus(experiment: Experiment) -> None:
    by_name = dict(zip((task.name for task in experiment.problem.tasks), experiment.problem.divergence, strict=True))
    assert by_name["star.causal_lm"] < 0.2 < min(by_name[f"{name}.causal_lm"] for name in ("sea", "land", "noise"))


def test_one_task_trains_on_the_signal_split_and_nobody_else_notices(tiny: dict[str, Any]) -> None:
    plain, more = (build(configs.load(tiny, {"target.train": train})) for train in (False, True))
    tasks, told = more.problem.tasks, more.problem.task_info
    assert [task.name for task in tasks] == [*(task.name for task in plain.problem.tasks), "star.signal.causal_lm"]
    assert tasks[-1].corpus is more.problem.target.text["signal"]
    assert not plain.problem.task_info["target_signal"].any()
    assert told["target_signal"].tolist() == [0, 0, 0, 0, 0, 1]
    assert told["target_objective"].tolist() == [1, 1, 1, 1, 0, 1]
    assert told["corpus_tokens"].tolist() == [float(len(task.corpus.tokens)) for task in tasks]
    assert told["divergence"][-1] == 0
    # The rest of the run does not depend on whether the task is there.
    runs = [Pretraining(experiment) for experiment in (plain, more)]
    for run in runs:
        run.begin([3])
    shares = [np.full((1, 5), 0.2), np.array([[0.2] * 5 + [0.0]])]
    outcomes = [run.segment(share) for run, share in zip(runs, shares, strict=True)]
    assert outcomes[0].score.tolist() == outcomes[1].score.tolist()
    assert outcomes[0].loss.tolist() == outcomes[1].loss.tolist()
    assert runs[0].ledger.flops == runs[1].ledger.flops


def test_no_split_but_the_signal_split_is_trained_on(tiny: dict[str, Any]) -> None:
    """Documents of the task's corpus stand in no other split, and in no train part."""
    experiment = build(configs.load(tiny, {"target.train": True}))
    context = 16
    own = experiment.problem.tasks[-1].corpus
    seen = {tuple(row) for row in own.windows(np.arange(own.size(context)), context)}
    others = [experiment.problem.target.text[split] for split in ("reward", "selection", "report")]
    for corpus in [*others, *(task.corpus for task in experiment.problem.tasks[:-1])]:
        windows = corpus.windows(np.arange(corpus.size(context)), context)
        assert seen.isdisjoint(tuple(row) for row in windows), corpus.name


def test_counts_of_reading_are_the_same_from_the_cache(tiny: dict[str, Any], tmp_path: Path) -> None:
    rows = [{"text": text, "id": f"g{n // 2}"} for n, text in enumerate(sentences(STAR, 300, seed=9))]
    path = written(tmp_path, "rows.jsonl", rows)
    target = {"corpus": {"paths": str(path), "group_field": "id"}}
    config = configs.load({**tiny, "target": target, "report": {"sequences": 16}})
    first, again = (build(config, Cache(tmp_path / "cache")).counts for _ in range(2))
    assert first == again and list(first) == ["sea", "land", "star", "target.corpus"]
    assert (first["sea"].documents, first["sea"].ungrouped, first["sea"].labels) == (900, 900, {})
    star = first["star"]
    assert (star.groups, star.grouped, star.classes) == (450, 900, 2) and sum(star.labels.values()) == 900
    assert (first["target.corpus"].groups, first["target.corpus"].labelled) == (150, 0)
