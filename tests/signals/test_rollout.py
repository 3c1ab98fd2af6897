"""Rollout credit: branches that stratified updates finish."""

from typing import Any

import numpy as np
import pytest
import torch

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.learners.losses import mean_loss
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs
from curriculum_rl.signals import Meter, Moment
from curriculum_rl.signals.branches import branch
from curriculum_rl.signals.rollout import Rollout
from curriculum_rl.signals.windows import Windows

EVEN = np.full((2, 5), 0.2)


def begun(tiny: dict[str, Any], **changes: Any) -> Pretraining:
    config = configs.load(tiny, {f"signals.{key}": value for key, value in changes.items()})
    made = Pretraining(build(config), replicas=2)
    made.begin([3, 4])
    made.segment(EVEN)
    return made


def test_a_task_is_credited_with_what_is_left_of_its_branch(
    tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five finishing updates in segments of two, at the rates that fall from .02 to 0: .018, .014, .010, .006, .002."""
    run = begun(tiny, look_ahead=3, finish=5)
    learner, plans, train = run.learner, [], run.learner.train
    monkeypatch.setattr(learner, "train", lambda plan: (plans.append(plan), train(plan))[1])
    moment = Moment(run.seeds, EVEN, 1, 0.02)
    found = Meter(Windows(run.experiment.problem, run.experiment.config, learner), ["rollout"]).measure(moment)[
        "rollout"
    ]
    assert found.shape == (2, 5)
    lengths = [len(plan.learning_rates) for plan in plans]
    assert lengths == [3, 2, 2, 1] * 6
    rates = np.concatenate([plan.learning_rates for plan in plans[1:4]])
    assert rates == pytest.approx(np.array([0.018, 0.014, 0.010, 0.006, 0.002])[:, None].repeat(2, axis=1))
    for first in range(4, 24, 4):  # every branch is finished by the same rows
        for mine, even in zip(plans[first + 1 : first + 4], plans[1:4], strict=True):
            assert torch.equal(mine.batches.input_ids, even.batches.input_ids)
    windows = Windows(run.experiment.problem, run.experiment.config, learner)
    own = branch(windows, run.experiment.problem.tasks[2], run.seeds, 1, 0.02)
    assert torch.equal(plans[12].batches.input_ids, own.batches.input_ids)
    target = windows.rows(windows.target(), run.seeds, "look-ahead", 4, 4)
    snapshot, losses = learner.snapshot(), []
    for block in (plans[0:4], plans[12:16]):
        for plan in block:
            train(plan)
        losses.append(mean_loss(learner, target))
        learner.restore(snapshot)
    assert np.array_equal(found[:, 2], losses[0] - losses[1])


def test_the_finish_is_stratified_and_repeats_no_window(tiny: dict[str, Any]) -> None:
    """Cut into segments it holds the rows that it holds in one piece."""
    run = begun(tiny, finish=6)
    instrument, moment = (
        Rollout(Windows(run.experiment.problem, run.experiment.config, run.learner), ["rollout"]),
        Moment(run.seeds, EVEN, 0, 0.01),
    )
    whole = instrument._stratified(moment, "finish", 0, np.full(6, 0.01)).batches.input_ids
    parts = [instrument._stratified(moment, "finish", begin, np.full(2, 0.01)).batches.input_ids for begin in (0, 2, 4)]
    assert torch.equal(torch.cat(parts), whole)
    rows = whole[:, 0].flatten(0, 1)
    assert len(torch.unique(rows, dim=0)) == len(rows) == 30


def test_all_branches_are_paid(tiny: dict[str, Any]) -> None:
    run = begun(tiny, look_ahead=3, finish=5)
    cost = Meter(Windows(run.experiment.problem, run.experiment.config, run.learner), ["rollout"]).cost()
    update, read = run.learner.flops(5 * 16, training=True), run.learner.flops(4 * 16, training=False)
    assert cost.lookahead.flops == pytest.approx(6 * (8 * update + read))
    assert cost.lookahead.tokens == 6 * (8 * 5 * 16 + 4 * 16) and cost.signal.flops == 0


def test_the_rest_is_what_is_left_when_all_branches_are_paid(tiny: dict[str, Any]) -> None:
    long = build(configs.load(tiny, {"budget.updates": 80, "signals.finish": "rest", "signals.every": 100}))
    run = Pretraining(long, charge_proxy=False)
    run.request_signals(["rollout"])
    run.begin([0])
    first = run.segment(EVEN[:1])
    assert first.signals["rollout"].shape == (1, 5)
    # 78 updates are left, 76.4 without six readings of 4 rows at a third of the price: seven times 10.9. A branch of 1
    # and a finish of 9, six times, leave 16.
    assert run.ledger.tokens["lookahead"] == 6 * ((1 + 9) * 5 * 16 + 4 * 16)
    while run.next_updates():
        assert not run.segment(EVEN[:1]).signals
    assert run.progress.updates == 2 + 16


def test_what_cannot_be_paid_is_one_line(tiny: dict[str, Any]) -> None:
    small = Pretraining(build(configs.load(tiny)))
    with pytest.raises(ConfigError, match=r"signals: the budget, .* does not pay for one of"):
        small.request_signals(["rollout"])
    for wrong in (0, "all", 2.5):
        with pytest.raises(ConfigError, match=r"signals\.finish: must be a whole number of at least 1, or rest"):
            configs.load(tiny, {"signals.finish": wrong})
    with pytest.raises(ConfigError, match=r"signals\.finish: must be a number .got True."):
        configs.load(tiny, {"signals.finish": True})
