"""Ranking the tasks of an environment: what is read, who is left out, how measures agree, and the picture."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from curriculum_rl.agents.shell.wrapping import Wrapping
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.learners.build import make_learner
from curriculum_rl.ranking.picture import ranking_picture
from curriculum_rl.ranking.ranking import MEASURES, Measured, Ranking, features_of, rank
from curriculum_rl.schema import load as configs
from curriculum_rl.text import divergence
from curriculum_rl.text.corpora import Corpus
from curriculum_rl.text.targets import Target


@pytest.fixture(scope="module")
def ranking(experiment: Experiment) -> Ranking:
    return rank(experiment, rows=64)


def test_every_measure_puts_the_targets_own_corpus_first(ranking: Ranking) -> None:
    assert [measured.name for measured in ranking.measures] == list(MEASURES)
    for measured in ranking.measures:
        if measured.name != "coral":  # its covariances of 16 windows' worth of words are mostly chance
            nearest = np.flatnonzero(measured.divergence == measured.divergence.min())
            assert [ranking.tasks[i] for i in nearest] == ["star.causal_lm", "star.masked_lm"], measured.name
        assert measured.flops > 0
        assert measured.seconds > 0
    assert ranking.tasks[ranking.order()[0]] == "star.causal_lm"


def test_js_is_what_the_environment_itself_reads(experiment: Experiment, ranking: Ranking) -> None:
    assert ranking.measures[0].divergence.tolist() == experiment.problem.divergence.tolist()


@pytest.mark.parametrize("measure", sorted(divergence.TERM_MEASURES))
def test_an_environment_may_read_another_measure(measure: str, tiny: dict[str, Any], ranking: Ranking) -> None:
    own = build(configs.load(tiny, {"target.divergence": measure})).problem.divergence
    (found,) = (measured for measured in ranking.measures if measured.name == measure)
    assert own.tolist() == found.divergence.tolist()


def test_the_setting_is_checked(tiny: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"target\.divergence"):
        configs.load(tiny, {"target.divergence": "mmd"})


def test_only_the_signal_split_of_the_target_is_read(experiment: Experiment) -> None:
    """With the other splits gone, nothing changes."""
    target = SimpleNamespace(name="star", text={"signal": experiment.problem.target.text["signal"]})
    blind = replace(experiment, problem=replace(experiment.problem, target=cast(Target, target)))
    found, expected = rank(blind, ["kl", "mmd"], rows=16), rank(experiment, ["kl", "mmd"], rows=16)
    for one, other in zip(found.measures, expected.measures, strict=True):
        assert one.divergence.tolist() == other.divergence.tolist()


def test_a_learner_of_ones_own_is_read_and_left_alone(experiment: Experiment) -> None:
    learner = make_learner(experiment.config, experiment.problem, replicas=2)
    learner.reset([5, 6])
    before = learner.snapshot().state.clone()
    found = rank(experiment, ["pad"], learner=learner, rows=32)
    again = rank(experiment, ["pad"], learner=learner, rows=32)
    assert found.measures[0].divergence.tolist() == again.measures[0].divergence.tolist()
    assert learner.snapshot().state.equal(before)


def test_the_price_of_features_is_that_of_reading_them(experiment: Experiment) -> None:
    """Five texts of 16 windows (four corpora and the target), and a mean of a few thousand numbers."""
    learner = make_learner(experiment.config, experiment.problem)
    found = rank(experiment, ["mean-cosine"], learner=learner, rows=16)
    reading = learner.flops(5 * 16 * experiment.config.context, training=False)
    assert reading < found.measures[0].flops < 1.01 * reading


def test_a_labelled_text_is_another_text(tiny: dict[str, Any]) -> None:
    tasks = [{"corpora": ["sea", "star"]}, {"corpora": ["star"], "objective": "classification"}]
    ranking = rank(build(configs.load(tiny, {"tasks": tasks})), ["js", "wasserstein"], rows=16)
    assert ranking.texts == ("sea", "star", "star (labelled)")
    assert (ranking.measures[0].divergence > 0).all()


def test_another_vocabulary_is_refused(experiment: Experiment, tiny: dict[str, Any]) -> None:
    smaller = build(configs.load(tiny, {"tokenizer.vocab_size": 350}))
    other = make_learner(smaller.config, smaller.problem)
    with pytest.raises(ConfigError, match="vocabulary of 350 tokens"):
        rank(experiment, ["mmd"], learner=other)


@pytest.mark.parametrize("measures", [["js", "nonsense"], []])
def test_an_unknown_measure_is_refused(experiment: Experiment, measures: list[str]) -> None:
    with pytest.raises(ConfigError, match="measure:"):
        rank(experiment, measures)


def test_windows_differ_and_repeat_by_seed(experiment: Experiment) -> None:
    learner = make_learner(experiment.config, experiment.problem)
    corpus = Corpus("c", experiment.problem.tasks[0].corpus.tokens, "")
    one = features_of(learner, corpus, rows=8, context=16, seed=0)
    assert one.shape == (8, 32)
    assert np.array_equal(one, features_of(learner, corpus, rows=8, context=16, seed=0))
    assert not np.array_equal(one, features_of(learner, corpus, rows=8, context=16, seed=1))
    assert len(features_of(learner, corpus, rows=10**6, context=16, seed=0)) == corpus.size(16)


def made(*columns: list[float]) -> Ranking:
    tasks = tuple(f"task {i}" for i in range(len(columns[0])))
    measures = tuple(Measured(f"m{i}", np.array(column), 0.1, 10.0) for i, column in enumerate(columns))
    return Ranking("goal", tasks, tasks, measures)


@pytest.mark.parametrize(
    ("share", "out"), [(0.0, []), (0.4, [0, 3]), (0.59, [0, 3]), (0.6, [0, 3, 4]), (0.99, [0, 1, 3, 4])]
)
def test_who_is_left_out(share: float, out: list[int]) -> None:
    """As `agent.prune` does: rounded down, of equally far tasks the later, and one stays."""
    assert made([0.9, 0.2, 0.1, 0.8, 0.2]).measures[0].pruned(share) == out


@given(distances=st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), min_size=1, max_size=30), share=st.floats(0, 0.99))
def test_who_is_left_out_is_whom_the_agents_option_leaves_out(distances: list[float], share: float) -> None:
    wrapping = Wrapping(prune=share)
    kept = wrapping.kept({"divergence": np.array([distances])})[0].tolist()
    assert made(distances).measures[0].pruned(share) == [i for i in range(len(distances)) if i not in kept]


def test_ranks_and_agreement_by_hand() -> None:
    ranking = made([1, 2, 2, 4], [4, 3, 2, 1], [7, 7, 7, 7])
    assert ranking.measures[0].ranks.tolist() == [1, 2.5, 2.5, 4]
    agreement = ranking.agreement()
    assert agreement[0, 0] == pytest.approx(1)
    assert agreement[0, 1] == agreement[1, 0] == pytest.approx(-4.5 / np.sqrt(4.5 * 5))
    assert np.isnan(agreement[2]).all()


def test_tasks_of_one_text_count_once_in_the_agreement() -> None:
    measures = (Measured("a", np.array([1.0, 1, 2, 3]), 0, 0), Measured("b", np.array([1.0, 1, 3, 2]), 0, 0))
    ranking = Ranking("goal", ("a1", "a2", "b1", "c1"), ("a", "a", "b", "c"), measures)
    assert ranking.agreement()[0, 1] == pytest.approx(0.5)


@pytest.mark.parametrize("tasks", [1, 3, 30])
def test_any_ranking_is_drawn(tasks: int, tmp_path: Any) -> None:
    draw = np.random.default_rng(0)
    ranking = made(*draw.random((2, tasks)).tolist(), [1.0] * tasks)
    path = tmp_path / "new" / "ranking.png"
    ranking_picture(ranking, path)
    picture = Image.open(path)
    assert picture.width > 500
    assert picture.height > 200
