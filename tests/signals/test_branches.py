"""Look-ahead branches and duels."""

from typing import Any

import numpy as np

from curriculum_rl.experiment import build
from curriculum_rl.learners.losses import mean_loss
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs
from curriculum_rl.signals import Meter, Moment
from curriculum_rl.signals.branches import branch
from curriculum_rl.signals.windows import Windows

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
