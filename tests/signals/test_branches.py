"""Look-ahead branches and duels."""

from typing import Any

import numpy as np
import pytest

from curriculum_rl.batch import SegmentPlan
from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.learners.losses import mean_loss
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs
from curriculum_rl.signals import Meter, Moment
from curriculum_rl.signals.branches import branch
from curriculum_rl.signals.rollout import cooled
from curriculum_rl.signals.windows import Windows
from curriculum_rl.tasks import apportion, segment_batches

EVEN = np.full((2, 5), 0.2)


def test_look_ahead_is_a_branch_taken_back(run: Pretraining, found: dict[str, np.ndarray]) -> None:
    windows = Windows(run.experiment.problem, run.experiment.config, run.learner)
    target = windows.rows(windows.target(), run.seeds, "look-ahead", 2 * 4, 4)
    before, snapshot = mean_loss(run.learner, target), run.learner.snapshot()
    run.learner.train(branch(windows, run.experiment.problem.tasks[2], run.seeds, 2, 0.01))
    after = mean_loss(run.learner, target)
    run.learner.restore(snapshot)
    assert np.array_equal(found["look_ahead"][:, 2], before - after)


def test_stratified_against_itself_is_a_draw(run: Pretraining) -> None:
    found = Meter(Windows(run.experiment.problem, run.experiment.config, run.learner), ["duel"]).measure(
        Moment(run.seeds, EVEN, 1, 0.01)
    )
    assert found["duel"].tolist() == [0.0, 0.0]


def test_training_on_the_target_wins_its_duel(tiny: dict[str, Any]) -> None:
    made = Pretraining(build(configs.load(tiny, {"signals.look_ahead": 20, "signals.rows": 16})), replicas=2)
    made.begin([0, 1])
    made.segment(EVEN)
    own = np.eye(5)[[2, 2]]
    noise = np.eye(5)[[3, 3]]
    meter = Meter(Windows(made.experiment.problem, made.experiment.config, made.learner), ["duel"])
    gains = [meter.measure(Moment(made.seeds, mixture, 0, 0.01))["duel"] for mixture in (own, noise)]
    assert (gains[0] > 0).all() and (gains[1] < gains[0]).all()


def test_the_prior_against_itself_is_a_draw(run: Pretraining) -> None:
    assert run.problem.prior is not None
    prior = np.tile(run.problem.prior, (2, 1))
    meter = Meter(Windows(run.experiment.problem, run.experiment.config, run.learner), ["prior_duel"])
    assert meter.measure(Moment(run.seeds, prior, 1, 0.01))["prior_duel"].tolist() == [0.0, 0.0]


def test_a_duel_with_the_prior_is_of_branches_that_cool(tiny: dict[str, Any]) -> None:
    """By hand: both branches of one steady update and four whose rate falls, read on the selection split."""
    made = Pretraining(build(configs.load(tiny, {"signals.finish": 4})), charge_proxy=False)
    made.begin([0])
    made.segment(EVEN[:1])
    windows = Windows(made.problem, made.config, made.learner)
    meter, moment = Meter(windows, ["prior_duel"]), Moment(made.seeds, EVEN[:1], 1, 0.01)
    assert cooled(0.01, 4) == pytest.approx([0.00875, 0.00625, 0.00375, 0.00125])
    assert made.problem.prior is not None
    target = windows.rows(windows.target("selection"), made.seeds, "duel", 4, 4)
    losses, snapshot = [], made.learner.snapshot()
    for shares in (made.problem.prior, EVEN[0]):
        plan, _ = apportion(shares, made.config.batch, 5, np.zeros(5))
        counters, streams = np.full((1, 5), 5 * made.config.batch), [key(made.seeds[0], "duel")]
        batches, _ = segment_batches(made.problem.tasks, plan[:, None], counters, streams, made.config.context)
        rates = np.array([0.01, 0.00875, 0.00625, 0.00375, 0.00125])
        made.learner.train(SegmentPlan(batches, rates[:, None]))
        losses.append(mean_loss(made.learner, target))
        made.learner.restore(snapshot)
    assert meter.measure(moment)["prior_duel"] == pytest.approx(losses[0] - losses[1], rel=1e-5)
    plain = windows.train(made.config.batch).flops
    assert meter.cost().lookahead.flops == pytest.approx(2 * (5 * plain + windows.read(4).flops))
    assert made.signal_price(["prior_duel"]) == pytest.approx(meter.cost().flops / made.budget)


def test_without_a_prior_there_is_no_duel_with_it(tiny: dict[str, Any]) -> None:
    made = Pretraining(build(configs.load(tiny, {"target.prior": "none"})))
    for ask in (made.request_signals, made.signal_price):
        with pytest.raises(ConfigError, match=r"signals: 'prior_duel' needs a prior, and target\.prior is none"):
            ask(["prior_duel"])
