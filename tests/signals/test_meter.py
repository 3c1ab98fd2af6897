"""All signals keep the contract; what they cost by hand, and who hands them on."""

from typing import Any

import numpy as np
import pytest

from curriculum_rl.envs.pretraining import PretrainingEnv
from curriculum_rl.envs.vector import PretrainingVectorEnv
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs
from curriculum_rl.signals import SIGNALS
from curriculum_rl.testing.signals import SignalContract

EVEN = np.full((2, 5), 0.2)
SKEWED = np.array([[0.6, 0.1, 0.1, 0.1, 0.1], [0.0, 0.2, 0.4, 0.4, 0.0]])
ALL = tuple(name for name in SIGNALS if name != "ghost")


class TestSignals(SignalContract):
    @pytest.fixture(params=[name for name in SIGNALS if name != "ghost"])
    def signal(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)


def test_variances_are_positive_and_products_symmetric(found: dict[str, np.ndarray]) -> None:
    assert (found["variance"] > 0).all()
    assert np.allclose(found["products"], found["products"].transpose(0, 2, 1), rtol=1e-5, atol=1e-9)


def test_signals_are_paid_from_the_budget_and_change_no_data(tiny: dict[str, Any]) -> None:
    long = build(configs.load(tiny, {"budget.updates": 80}))
    runs = []
    for names in ((), ("heldout_loss", "products", "look_ahead", "duel")):
        made = Pretraining(long)
        made.request_signals(names)
        made.begin([0])
        outcomes = []
        while made.next_updates():
            outcomes.append(made.segment(EVEN[:1]))
        runs.append((made, outcomes))
    (plain, first), (measured, second) = runs
    update, reading = plain.learner.flops(5 * 16, training=True), plain.learner.flops(8 * 16, training=False)
    assert np.array_equal(first[0].task_losses, second[0].task_losses, equal_nan=True)
    taken = sum(bool(outcome.signals) for outcome in second)
    assert 0 < taken < len(second) < len(first)
    assert not second[-1].signals
    learner, rows = measured.learner, 4
    gradients = learner.flops(2 * 6 * rows * 16, training=True) + 4 * 12**2 * learner.size
    heldout = learner.flops(5 * rows * 16, training=False)
    assert measured.ledger.flops["signal"] == pytest.approx(taken * (gradients + heldout))
    branches = 2 * learner.flops(5 * 16, training=True) + 2 * learner.flops(rows * 16, training=False)
    branches += 5 * learner.flops(5 * 16, training=True) + 6 * learner.flops(rows * 16, training=False)
    assert measured.ledger.flops["lookahead"] == pytest.approx(taken * branches)
    assert measured.budget - update - reading < measured.ledger.charged <= measured.budget


def test_infos_keep_the_order_of_the_tasks_whatever_the_agent_sees(tiny: dict[str, Any]) -> None:
    seen = {}
    for permute in (False, True):
        env = PretrainingEnv(tiny, overrides={"action.kind": "mixture", "action.permute": permute})
        env.request_signals(["heldout_loss", "products"])
        env.reset(seed=1)
        seen[permute] = env.step(np.zeros(5, np.float32))[4]
    assert not np.array_equal(seen[True]["order"], np.arange(5))
    for name in ("heldout_loss", "products"):
        assert np.array_equal(seen[True]["signals"][name], seen[False]["signals"][name])


def test_vector_env_and_shards_hand_signals_on(tiny: dict[str, Any]) -> None:
    got = []
    for shards in (1, 2):
        env = PretrainingVectorEnv(tiny, num_envs=2, shards=shards)
        env.request_signals(["heldout_loss"])
        env.reset(seed=0)
        got.append(env.step(np.array([0, 1]))[4]["signals"]["heldout_loss"])
        env.close()
    assert got[0].shape == (2, 5) and np.array_equal(got[0], got[1])


def test_mistakes_are_one_line(experiment: Experiment, tiny: dict[str, Any]) -> None:
    run = Pretraining(experiment)
    with pytest.raises(ConfigError, match=r"signals: must be one of heldout_loss, products, .*\(got 'gain'\)"):
        run.request_signals(["gain"])
    small = Pretraining(build(configs.load(tiny, {"budget.updates": 3})), charge_proxy=False)
    with pytest.raises(ConfigError, match=r"signals: the budget, .* does not pay for one of"):
        small.request_signals(["transfer", "products"])
