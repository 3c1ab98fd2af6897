"""The signal `ghost` in a run: what it costs, what it changes (nothing), and that it survives."""

import copy
from typing import Any

import numpy as np
import pytest

from curriculum_rl.envs.pretraining import PretrainingEnv
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.learners.build import make_learner
from curriculum_rl.pretraining.outcomes import Outcome
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs
from curriculum_rl.signals import Ghost
from curriculum_rl.signals.windows import Windows

EVEN = np.full((2, 5), 0.2)
# The tiny learner's products alone cost more than a twentieth of an update, so that some are left out.
LONG = {"budget.updates": 80, "segment.updates": 8, "signals.rows": 1, "optimizer.schedule": "constant"}
LONG |= {"optimizer.warmup": 0}


@pytest.fixture(scope="module")
def long(tiny: dict[str, Any]) -> Experiment:
    return build(configs.load(tiny, LONG))


def begun(experiment: Experiment, *names: str) -> Pretraining:
    made = Pretraining(experiment, replicas=2, charge_proxy=False)
    made.request_signals(names)
    made.begin([0, 1])
    return made


def segments(run: Pretraining) -> list[Outcome]:
    outcomes = []
    while run.next_updates():
        outcomes.append(run.segment(EVEN))
    return outcomes


def test_ghosts_change_no_data_and_cost_a_twentieth_of_training(long: Experiment) -> None:
    plain, watched = begun(long), begun(long, "ghost")
    first, second = segments(plain), segments(watched)
    for one, other in zip(first[:-1], second[:-1], strict=False):
        assert one.task_losses.tolist() == other.task_losses.tolist() and one.score.tolist() == other.score.tolist()
    assert all(outcome.signals["ghost"].shape == (2, 5) for outcome in second)
    assert all(np.isfinite(outcome.signals["ghost"]).all() for outcome in second)
    ghost = Ghost(Windows(long.problem, long.config, watched.learner))
    draws = -(-len(second) // ghost.refresh)
    wanted = draws * ghost.cost().flops + watched.progress.updates * ghost.flops_per_update
    ledger = watched.ledger
    assert ledger.flops["signal"] == pytest.approx(wanted) and ledger.tokens["signal"] == draws * 16
    assert ghost.every == 2 and ghost.flops_per_update * 2 == watched.learner.ghost_flops(5 * 16)  # type: ignore[attr-defined]
    assert watched.budget - ledger.charged < watched.learner.flops(5 * 16, training=True) * 1.05


@pytest.mark.parametrize(
    "changes",
    [
        {"learner.layers": 2, "learner.width": 64, "learner.heads": 2, "context": 32, "batch": 12},
        {"learner.layers": 1, "segment.updates": 1},
        {"learner.layers": 4, "signals.every": 6, "signals.rows": 1, "segment.updates": 100},
    ],
)
def test_the_price_is_a_twentieth_of_training_at_most(tiny: dict[str, Any], changes: dict[str, Any]) -> None:
    experiment = build(configs.load(tiny, changes))
    learner, config = make_learner(experiment.config, experiment.problem, replicas=1), experiment.config
    ghost = Ghost(Windows(experiment.problem, experiment.config, learner))
    update = learner.flops(config.batch * config.context, training=True)
    draws = ghost.cost().flops / (ghost.refresh * config.segment.updates * update)
    assert 0.01 < ghost.flops_per_update / update + draws <= 0.05
    assert ghost.refresh >= config.signals.every


def test_a_run_goes_on_exactly_where_its_state_was_taken(long: Experiment) -> None:
    run = begun(long, "ghost")
    for _ in range(3):
        run.segment(EVEN)
    state = copy.deepcopy(run.state())
    wanted = [outcome.signals["ghost"] for outcome in segments(run)]
    other = Pretraining(long, replicas=2, charge_proxy=False)
    other.load_state(state)
    other.request_signals(["ghost"])
    assert np.array_equal(wanted, [outcome.signals["ghost"] for outcome in segments(other)])
    assert other.ledger.entries() == run.ledger.entries()


def test_a_task_without_rows_has_no_ghost(long: Experiment) -> None:
    run = begun(long, "ghost")
    found = run.segment(np.array([[0.5, 0.5, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.2, 0.8]])).signals["ghost"]
    assert np.isnan(found).tolist() == [[False, False, True, True, True], [True, True, True, False, False]]


def test_rows_of_a_task_are_averaged_and_failed_learners_say_nothing(long: Experiment) -> None:
    ghost = Ghost(Windows(long.problem, long.config, begun(long).learner))
    rows = np.array([[[1.0, 3.0], [5.0, 5.0]], [[np.nan, 8.0], [5.0, 5.0]]])
    plan = np.array([[[0, 0], [1, 1]], [[0, 1], [1, 1]]])
    found = ghost.of_tasks(rows, plan, np.array([True, False]))
    assert found[0, :2].tolist() == [2.0, 8.0] and np.isnan(found[0, 2:]).all() and np.isnan(found[1]).all()


def test_the_order_of_an_agent_changes_nothing(tiny: dict[str, Any]) -> None:
    seen = {}
    for permute in (False, True):
        env = PretrainingEnv(tiny, overrides={**LONG, "action.kind": "mixture", "action.permute": permute})
        env.request_signals(["ghost"])
        env.reset(seed=1)
        seen[permute] = env.step(np.zeros(5, np.float32))[4]
    assert not np.array_equal(seen[True]["order"], np.arange(5))
    assert np.array_equal(seen[True]["signals"]["ghost"], seen[False]["signals"]["ghost"])


def test_beside_other_signals_it_is_there_after_every_segment(tiny: dict[str, Any]) -> None:
    run = begun(build(configs.load(tiny, {**LONG, "signals.every": 2})), "ghost", "heldout_loss")
    assert [sorted(run.segment(EVEN).signals) for _ in range(2)] == [["ghost", "heldout_loss"], ["ghost"]]


def test_a_learner_without_ghosts_is_refused_at_the_door(long: Experiment) -> None:
    run = Pretraining(long)
    run.learner._captured = object()  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="signals: BatchedLearner does not measure 'ghost'"):
        run.request_signals(["ghost"])
