"""A run: budget, cost, learning rate, failure, exact continuation."""

from typing import Any

import numpy as np
import pytest
import torch

from curriculum_rl.batch import SegmentPlan, SegmentReport
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.pretraining.outcomes import Outcome
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs

EVEN = np.full((1, 5), 0.2)


def finished(run: Pretraining, mixture: np.ndarray = EVEN) -> list[Outcome]:
    outcomes = []
    while run.next_updates():
        outcomes.append(run.segment(mixture))
    return outcomes


def test_an_uncharged_proxy_leaves_the_whole_budget_to_updates(experiment: Experiment) -> None:
    run = Pretraining(experiment, charge_proxy=False)
    run.begin([0])
    finished(run)
    assert run.progress.updates == 20
    assert run.ledger.charged == run.budget
    assert run.ledger.flops["proxy"] == 0
    assert run.ledger.tokens["report"] == 11 * 8 * 16


def test_the_proxy_is_paid_from_the_budget_and_never_overspends(experiment: Experiment) -> None:
    run = Pretraining(experiment)
    run.begin([0])
    outcomes = finished(run)
    update = run.learner.flops(5 * 16, training=True)
    reading = run.learner.flops(8 * 16, training=False)
    assert run.ledger.flops["train"] == run.progress.updates * update
    assert run.ledger.flops["proxy"] == (len(outcomes) + 1) * reading
    assert run.budget - update - reading < run.ledger.charged <= run.budget
    assert run.spent <= 1


def test_gains_add_up_to_the_change_of_the_score(experiment: Experiment) -> None:
    run = Pretraining(experiment)
    run.begin([0])
    initial = run.progress.initial[0]
    outcomes = finished(run)
    assert sum(o.gain[0] for o in outcomes) == pytest.approx(outcomes[-1].score[0] - initial)
    assert -initial == pytest.approx(np.log(400), rel=0.1)


def test_training_on_the_target_helps_most(tiny: dict[str, Any]) -> None:
    experiment = build(configs.load(tiny, {"budget.updates": 150, "optimizer.learning_rate": 0.01}))
    scores = {}
    for task in range(4):
        run = Pretraining(experiment)
        run.begin([0])
        finished(run, np.eye(5)[[task]])
        scores[experiment.problem.tasks[task].name] = run.progress.score[0]
    target = scores.pop("star.causal_lm")
    assert target > max(scores.values()) + 0.5


def test_learning_rate_follows_the_budget(experiment: Experiment) -> None:
    run = Pretraining(experiment, charge_proxy=False)
    run.begin([0])
    rates = [o.learning_rate for o in finished(run)]
    peak = experiment.config.optimizer.learning_rate
    assert max(rates) == peak
    assert rates[-1] == pytest.approx(peak * (0.5 / 20) / 0.2)


def test_replicas_share_nothing(experiment: Experiment) -> None:
    pair = Pretraining(experiment, replicas=2)
    pair.begin([7, 8])
    alone = Pretraining(experiment)
    alone.begin([8])
    mixture = np.array([[1.0, 0, 0, 0, 0], [0.2, 0.2, 0.2, 0.2, 0.2]])
    both = pair.segment(mixture)
    single = alone.segment(mixture[1:])
    assert both.gain[1] == single.gain[0]
    assert both.task_losses[1].tolist() == single.task_losses[0].tolist()
    assert np.isnan(both.task_losses[0, 1:]).all()


def test_continuation_is_exact(experiment: Experiment) -> None:
    run = Pretraining(experiment)
    run.begin([5])
    run.segment(EVEN)
    state = run.state()
    expected = [o.score[0] for o in finished(run)]
    final = run.finish()
    other = Pretraining(experiment)
    for _ in range(2):  # a run does not change the state that it went on from
        other.load_state(state)
        assert [o.score[0] for o in finished(other)] == expected
        assert other.finish().target_loss.tolist() == final.target_loss.tolist()
        assert other.ledger.entries() == run.ledger.entries()


class Exploding:
    """A learner whose n-th segment of training is not finite and ruins the parameters."""

    def __init__(self, learner: Any, failing: int) -> None:
        self._learner = learner
        self._failing = failing
        self._segment = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._learner, name)

    def train(self, plan: SegmentPlan) -> SegmentReport:
        report = self._learner.train(plan)
        self._segment += 1
        if self._segment == self._failing:
            self._learner.flat.parameters["embedding"].fill_(float("nan"))
            report = SegmentReport(report.row_losses, report.losses, report.gradient_norms, np.array([False]))
        return report


def test_a_failed_segment_is_undone_and_paid_for(experiment: Experiment) -> None:
    run = Pretraining(experiment)
    run.learner = Exploding(run.learner, failing=2)
    run.begin([0])
    first = run.segment(EVEN)
    before = run.learner.snapshot().state.clone()
    charged = run.ledger.charged
    second = run.segment(EVEN)
    assert second.failed.tolist() == [True]
    assert second.gain.tolist() == [0.0]
    assert second.score.tolist() == first.score.tolist()
    assert torch.equal(run.learner.snapshot().state, before)
    assert run.ledger.charged > charged
    third = run.segment(EVEN)
    assert not third.failed[0]
    assert np.isfinite(third.score[0])


def test_a_real_explosion_is_caught(tiny: dict[str, Any]) -> None:
    run = Pretraining(build(configs.load(tiny, {"optimizer.learning_rate": 1e6, "optimizer.schedule": "constant"})))
    run.begin([0])
    outcomes = finished(run)
    assert any(o.failed[0] for o in outcomes)
    assert all(np.isfinite(o.score[0]) for o in outcomes)


@pytest.mark.parametrize("budget", [{"flops": 10.0}, {"tokens": 1}])
def test_a_budget_below_one_update_is_refused(tiny: dict[str, Any], budget: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="budget"):
        Pretraining(build(configs.load(tiny, {"budget": budget})))


def test_a_budget_that_only_pays_for_the_proxy_is_refused(tiny: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="proxy"):
        Pretraining(build(configs.load(tiny, {"budget.updates": 1})))


@pytest.mark.parametrize("key", ["proxy.sequences", "report.sequences"])
def test_a_target_that_is_too_small_shows_before_anything_runs(tiny: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=r"100000 windows of the target's (reward|report) split"):
        Pretraining(build(configs.load(tiny, {key: 100_000})))


def test_a_segment_larger_than_the_memory_is_refused_at_once(tiny: dict[str, Any]) -> None:
    experiment = build(configs.load(tiny, {"batch": 10**10}))
    with pytest.raises(ConfigError, match=r"batch: 20,000,000,000 rows of 16 tokens, .* lower batch, context"):
        Pretraining(experiment)
