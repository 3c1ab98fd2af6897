"""Counting alone: the rows are those that stratified reads, whatever the order of the file, and a line is a bar."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.seeding import np_random

from curriculum_rl.envs.replicas import run_seed
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.pretraining.counting import BACKOFFS, RUN_SEED, CountingLosses, counting_losses, stratified_rows
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs
from curriculum_rl.text.bigrams import Bigrams, Texts
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.corpora import Corpus

METHODS: dict[str, dict[str, Any]] = {
    "multitask": {},
    "meta_train": {"method": {"kind": "meta_train", "depth": 2, "same_task": True}},
    "tartan": {"method": {"kind": "tartan"}},
}


def made(tiny: dict[str, Any], **changes: Any) -> Experiment:
    return build(configs.load(tiny, changes))


def rows_of(experiment: Experiment) -> dict[str, int]:
    return stratified_rows(Pretraining(experiment, charge_proxy=False))


def losses(experiment: Experiment, folder: Path) -> CountingLosses:
    """Counted anew, not found in the cache."""
    return counting_losses(experiment, rows_of(experiment), Cache(folder))


def with_text(experiment: Experiment, text: Mapping[Any, Corpus]) -> Experiment:
    """The same with other splits of the target."""
    target = replace(experiment.problem.target, text=text)
    return replace(experiment, problem=replace(experiment.problem, target=target))


def played(experiment: Experiment) -> Pretraining:
    """The stratified run of seed 0."""
    run = Pretraining(experiment, charge_proxy=False)
    run.begin([run_seed(np_random(0)[0])])
    while run.next_updates():
        run.segment(np.full((1, len(experiment.problem.tasks)), 1 / len(experiment.problem.tasks)))
    return run


def test_the_seed_is_that_of_a_run_under_seed_0() -> None:
    assert run_seed(np_random(0)[0]) == RUN_SEED


@pytest.mark.parametrize("method", METHODS)
def test_the_rows_are_those_of_the_stratified_run(tiny: dict[str, Any], method: str) -> None:
    """With every method; the names of these tasks are in order, so not one row is another's."""
    sorted_names = {"corpora": ["land", "noise", "sea", "star"], "objective": "causal_lm"}
    experiment = made(tiny, **{"tasks": [sorted_names], "budget.updates": 7, **METHODS[method]})
    run = played(experiment)
    names = [task.name for task in experiment.problem.tasks]
    assert names == sorted(names)
    counted = rows_of(experiment)
    assert sum(counted.values()) == 7 * run.method.batches * 5
    assert counted == dict(zip(names, run.progress.counters[0].tolist(), strict=True))


@pytest.mark.parametrize("budget", [{"tokens": 7 * 80 + 79}, {"flops": None}])
def test_budgets_in_other_units(tiny: dict[str, Any], budget: dict[str, Any]) -> None:
    if "flops" in budget:
        update = Pretraining(made(tiny)).learner.flops(80, training=True)
        budget = {"flops": 7.5 * update}
    experiment = made(tiny, budget=budget)
    assert sum(rows_of(experiment).values()) == 7 * 5 == played(experiment).progress.counters.sum()


def test_the_line_is_counted_on_the_windows_that_the_run_read(tiny: dict[str, Any], tmp_path: Path) -> None:
    """Pair by pair, with one corpus that is read more than twice; masked text is counted as it was."""
    experiment = made(tiny, **{"budget.updates": 171, "corpora.noise.tokens": 400, "batch": 4})
    order = sorted(experiment.problem.tasks, key=lambda task: task.name)
    experiment = replace(experiment, problem=replace(experiment.problem, tasks=tuple(order)))
    counters = played(experiment).progress.counters[0]
    pairs: dict[tuple[int, int], int] = {}
    context, vocabulary = experiment.config.context, experiment.tokenizer.vocab_size
    for task, rows in zip(order, counters.tolist(), strict=True):
        index = task.draw(seed=RUN_SEED, first=0, rows=rows, context=context)
        drawn = task.batch(seed=RUN_SEED, first=0, rows=rows, context=context)
        for window, inputs in zip(task.corpus.windows(index, context), drawn.input_ids.numpy(), strict=True):
            if task.objective.causal:
                assert (inputs == window[:-1]).all()
            for pair in pairwise(window.tolist()):
                pairs[pair] = pairs.get(pair, 0) + 1
    assert counters[order.index(next(task for task in order if task.name == "noise.causal_lm"))] > 2 * 24
    text = experiment.problem.target.text["report"].tokens.tolist()
    first, second = np.zeros(vocabulary), np.ones(vocabulary)
    for (a, b), times in pairs.items():
        first[a] += times
        second[b] += times
    second /= second.sum()
    nats = [-np.log((pairs.get((a, b), 0) + 2 * second[b]) / (first[a] + 2)) for a, b in pairwise(text)]
    found = losses(experiment, tmp_path)
    assert found.bigram == pytest.approx(np.mean(nats))
    assert found.unigram == pytest.approx(-np.log(second[text[1:]]).mean())
    assert found.rows == 171 * 4


def test_nothing_depends_on_the_order_of_the_file(tiny: dict[str, Any], tmp_path: Path) -> None:
    """With a tokenizer that is given: one that is trained here reads the corpora in their order."""
    made(tiny).tokenizer.save(tmp_path / "tokenizer")
    tokenizer = {"kind": "transformers", "path": str(tmp_path / "tokenizer"), "labels": 4}
    tasks = [
        {"corpora": ["sea", "land", "star"], "objective": "causal_lm"},
        {"corpora": "all", "objective": "masked_lm"},
    ]
    forth = {**tiny, "tokenizer": tokenizer, "tasks": tasks, "budget": {"updates": 16}}
    tasks = [tasks[1], {"corpora": ["star", "sea", "land"], "objective": "causal_lm"}]
    back = {**forth, "tasks": tasks, "corpora": dict(reversed(forth["corpora"].items()))}
    one, other = (build(configs.load(content)) for content in (forth, back))
    names = [task.name for task in one.problem.tasks]
    assert names != [task.name for task in other.problem.tasks]
    assert rows_of(one) == rows_of(other)
    assert losses(one, tmp_path / "one") == losses(other, tmp_path / "other")
    # 80 rows of 7 tasks: a run deals the three that are left over in the order of its file.
    for experiment in (one, other):
        rows = rows_of(experiment)
        read = dict(
            zip((t.name for t in experiment.problem.tasks), played(experiment).progress.counters[0], strict=True)
        )
        assert all(abs(read[name] - rows[name]) <= 1 for name in names)


def test_the_lines_beside_it_are_chosen_on_the_selection_split(experiment: Experiment, tmp_path: Path) -> None:
    """On a report split of another text the same lines are chosen, though they are not its best."""
    found = losses(experiment, tmp_path / "one")
    assert found.corpus == "star"
    assert found.single < found.bigram < found.unigram
    assert found.smoothed < found.bigram
    assert found.backoff in BACKOFFS
    text = {**experiment.problem.target.text, "report": experiment.problem.heldout.corpora["sea"]}
    moved = with_text(experiment, text)
    other = losses(moved, tmp_path / "other")
    assert (other.corpus, other.backoff) == (found.corpus, found.backoff)
    assert other.single > other.bigram
    assert other.bigram != found.bigram


def test_a_line_is_kept_by_its_content(experiment: Experiment, tmp_path: Path) -> None:
    rows = rows_of(experiment)
    cache = Cache(tmp_path)
    found = counting_losses(experiment, rows, cache)
    again = replace(experiment, config=configs.load(experiment.config, {"proxy.sequences": 4}))
    assert counting_losses(again, rows, Cache(tmp_path)) == found
    assert len(list(tmp_path.glob("*/counting.json"))) == 1
    more = {name: count + 1 for name, count in rows.items()}
    assert counting_losses(experiment, more, cache) != found
    text = {**experiment.problem.target.text, "selection": experiment.problem.heldout.corpora["sea"]}
    moved = with_text(experiment, text)
    assert counting_losses(moved, rows, cache).backoff != found.backoff
    assert len(list(tmp_path.glob("*/counting.json"))) == 3


def test_labels_and_padding_are_not_counted(tiny: dict[str, Any], tmp_path: Path) -> None:
    """A classification task reads texts, so its line is that of the texts."""
    experiment = made(tiny, tasks=[{"corpora": ["star"], "objective": "classification"}])
    rows = rows_of(experiment)
    task, special = experiment.problem.tasks[0], experiment.tokenizer
    labels = {special.pad_id, special.cls_id, *special.label_ids}
    texts = Texts({"report": experiment.problem.target.text["report"].tokens}, special.vocab_size)
    counts = Bigrams(texts)
    index = task.draw(seed=RUN_SEED, first=0, rows=rows[task.name], context=16)
    for window in task.corpus.windows(index, 16):
        counts.add(np.array([[token for token in window.tolist() if token not in labels]]))
    assert counting_losses(experiment, rows, Cache(tmp_path)).bigram == counts.loss("report")


def test_a_small_target_has_a_bar_where_its_corpora_help(tmp_path: Path) -> None:
    """Counts on the signal split of a target of 60,000 tokens are beaten by anything that reads the corpora."""
    rng = np.random.default_rng(0)
    words = np.array(["".join(letters) for letters in product("bdfgklmnprst", "aeiou", "dklmnrstxz", "aei")])
    follow = rng.integers(0, len(words), (len(words), 6))  # one language: after each word any of six

    def written(name: str, sentences: int) -> dict[str, str]:
        line = [rng.integers(0, len(words), sentences)]
        for _ in range(11):
            line.append(follow[line[-1], rng.integers(0, 6, sentences)])
        (tmp_path / name).write_text("\n".join(" ".join(sentence) for sentence in words[np.stack(line, axis=1)]))
        return {"paths": str(tmp_path / name), "format": "lines"}

    content = {
        "name": "small target",
        "corpora": {"near": written("near.txt", 10_000), "far": written("far.txt", 10_000)},
        "tokenizer": {"kind": "bpe", "vocab_size": 4096, "labels": 4},
        "learner": {"kind": "transformer", "layers": 1, "width": 16, "heads": 2},
        "target": {"corpus": written("target.txt", 4_500)},
        "budget": {"updates": 600},
        "report": {"sequences": 64},
    }
    experiment = build(configs.load(content))
    text = experiment.problem.target.text
    assert sum(len(part.tokens) for part in text.values()) == pytest.approx(60_000, rel=0.1)
    old = Bigrams(Texts({"report": text["report"].tokens}, experiment.tokenizer.vocab_size))
    old.add(np.asarray(text["signal"].tokens).astype(np.int64)[None])
    found = losses(experiment, tmp_path / "cache")
    assert old.loss("report") > 4
    assert found.bigram < found.unigram - 3
    assert found.bigram < old.loss("report") - 1.5
