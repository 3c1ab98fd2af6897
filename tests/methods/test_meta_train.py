"""Meta-training as the method of a run: bits, price, budget, data, depths that an agent picks, any agent."""

from typing import Any

import numpy as np
import pytest
from stable_baselines3 import PPO

from curriculum_rl.agents.table import make
from curriculum_rl.envs.pretraining import PretrainingEnv
from curriculum_rl.envs.stable_baselines import PretrainingVecEnv
from curriculum_rl.envs.vector import PretrainingVectorEnv
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.methods import MetaTrain
from curriculum_rl.methods.base import Shares
from curriculum_rl.pretraining.counting import counting_losses
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs

EVEN = np.full((1, 5), 0.2)
META = {"kind": "meta_train", "depth": 1, "rate": 0.1}
DEPTHS: dict[str, Any] = {
    "method": META,
    "tasks": [{"corpora": ["sea", "star"], "objective": "causal_lm", "depth": [0, 1, 2]}],
    "action": {"kind": "task", "emphasis": 1},
}


def made(tiny: dict[str, Any], *, replicas: int = 1, **changes: Any) -> Pretraining:
    return Pretraining(build(configs.load({**tiny, **changes})), replicas=replicas)


def played(run: Pretraining, mixture: np.ndarray = EVEN) -> list[Any]:
    outcomes = []
    while run.next_updates():
        outcomes.append(run.segment(mixture))
    return outcomes


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("same_task", [False, True])
def test_depth_0_is_multitask_bit_for_bit(tiny: dict[str, Any], order: int, same_task: bool) -> None:
    """Every outcome of a whole run, the ledger, the learner and the report."""
    shares = np.array([[0.5, 0.1, 0.1, 0.1, 0.2], [0.2, 0.2, 0.2, 0.2, 0.2]])
    zero = {**META, "depth": 0, "order": order, "same_task": same_task}
    plain, through = (made(tiny, replicas=2, **changes) for changes in ({}, {"method": zero}))
    for run in (plain, through):
        run.begin([3, 4])
    for wanted, found in zip(played(plain, shares), played(through, shares), strict=True):
        for name, value in vars(wanted).items():
            np.testing.assert_array_equal(getattr(found, name), value)
    assert np.array_equal(plain.learner.snapshot().state, through.learner.snapshot().state)
    assert through.ledger.entries() == plain.ledger.entries()
    wanted_report, found_report = plain.finish(), through.finish()
    corpora = list(plain.experiment.problem.heldout.corpora)
    for n in range(2):
        assert found_report.entries(n, corpora) == wanted_report.entries(n, corpora)


@pytest.mark.parametrize(("order", "price"), [(1, 3), (2, 7)])
def test_an_update_is_charged_all_it_reads_and_computes(tiny: dict[str, Any], order: int, price: int) -> None:
    """Depth 2: three batches; at order 2 each inner step costs three trainings."""
    run = made(tiny, method={**META, "depth": 2, "order": order})
    run.begin([0])
    outcomes = played(run)
    updates = sum(outcome.updates for outcome in outcomes)
    training = run.learner.flops(5 * 16, training=True)
    assert run.ledger.flops["train"] == pytest.approx(updates * price * training)
    assert run.ledger.tokens["train"] == updates * 3 * 5 * 16 == run.progress.counters.sum() * 16
    assert run.progress.updates == updates
    assert run.budget == pytest.approx(20 * price * training)
    assert run.ledger.charged <= run.budget


@pytest.mark.parametrize(("budget", "updates"), [({"updates": 12}, 12), ({"tokens": 12 * 80}, 4)])
def test_budgets(tiny: dict[str, Any], budget: dict[str, int], updates: int) -> None:
    """Updates are outer ones; tokens are all that are read."""
    for order in (1, 2):
        experiment = build(configs.load({**tiny, "budget": budget, "method": {**META, "depth": 2, "order": order}}))
        run = Pretraining(experiment, charge_proxy=False)
        run.begin([0])
        played(run)
        assert run.progress.updates == updates


def test_a_flop_budget_buys_fewer_updates(tiny: dict[str, Any]) -> None:
    training = made(tiny).learner.flops(5 * 16, training=True)
    experiment = build(configs.load({**tiny, "budget": {"flops": 12 * training}, "method": {**META, "depth": 2}}))
    run = Pretraining(experiment, charge_proxy=False)
    run.begin([0])
    played(run)
    assert run.progress.updates == 4


def test_the_rows_are_those_of_multitask(tiny: dict[str, Any]) -> None:
    """Two updates of three batches read the windows that six plain updates do, and are resumed by counters alone."""
    plain, through = made(tiny, segment={"updates": 6}), made(tiny, method={**META, "depth": 2})
    for run in (plain, through):
        run.begin([0])
        run.segment(EVEN)
    assert through.progress.counters.tolist() == plain.progress.counters.tolist()
    assert through.progress.credit.tolist() == plain.progress.credit.tolist()


def test_inner_batches_of_one_task() -> None:
    """Drawn by share, anew for every update; the last batch is of the mixture."""
    method = MetaTrain((2, 2, 2), 0.1, order=1, same_task=True)
    mixture = np.array([0.6, 0.4, 0.0])
    plan, credit = method.rows(Shares(mixture, 400, 5, np.zeros(3), 7, 100))
    updates = plan.reshape(400, 3, 5)
    inner = updates[:, :2].reshape(400, 10)
    assert (inner == inner[:, :1]).all()
    assert set(inner[:, 0]) == {0, 1}
    assert np.mean(inner[:, 0] == 0) == pytest.approx(0.6, abs=4 * np.sqrt(0.24 / 400))
    assert (updates[:, 2] == [0, 0, 0, 1, 1]).all()
    assert credit == pytest.approx(np.zeros(3))
    later, _ = method.rows(Shares(mixture, 10, 5, np.zeros(3), 7, 490))
    assert (later.reshape(10, 3, 5)[:, 0] == updates[390:, 0]).all()


def test_it_learns(tiny: dict[str, Any]) -> None:
    """At depth 2 and order 1 and 2: the target's own task takes more off its loss than unigrams of its rows do."""
    for order in (1, 2):
        changes: dict[str, Any] = {"budget": {"updates": 60}, "optimizer": {"learning_rate": 0.01}}
        run = made(tiny, method={**META, "depth": 2, "order": order}, **changes)
        run.begin([0])
        played(run, np.eye(5)[[2]])
        counted = counting_losses(run.experiment, {"star.causal_lm": int(run.progress.counters[0, 2])})
        assert -run.progress.score[0] < counted.unigram - 0.3


def test_tasks_of_several_depths(tiny: dict[str, Any]) -> None:
    """Named by depth; replicas that pick others side by side are what they are alone, and cost the same."""
    pair = made(tiny, replicas=2, **DEPTHS)
    names = [f"{corpus}.causal_lm@{depth}" for corpus in ("sea", "star") for depth in (0, 1, 2)]
    assert [task.name for task in pair.experiment.problem.tasks] == names
    assert pair.tokens_per_update == 3 * 5 * 16
    pair.begin([7, 8])
    picks = np.eye(6)[[1, 5]]
    both = [pair.segment(picks) for _ in range(2)]
    for n, seed in enumerate((7, 8)):
        alone = made(tiny, **DEPTHS)
        alone.begin([seed])
        for outcome in both:
            single = alone.segment(picks[[n]])
            assert single.score[0] == outcome.score[n]
            assert single.loss[0] == outcome.loss[n]
        assert alone.ledger.entries() == pair.ledger.entries()
    for depth, tokens in enumerate(pair.progress.counters[0, :3]):
        assert tokens == (2 * 2 * 3 * 5 if depth == 1 else 0)


def test_a_depth_of_its_own_for_one_task(tiny: dict[str, Any]) -> None:
    tasks = [{"corpora": ["sea"], "depth": 2}, {"corpora": ["land"]}]
    run = made(tiny, method=META, tasks=tasks, action={"emphasis": 1.0})
    assert [task.name for task in run.experiment.problem.tasks] == ["sea.causal_lm@2", "land.causal_lm"]
    assert run.method.batches == 3
    run.begin([0])
    with pytest.raises(ConfigError, match=r"a segment must be of one depth, this one has 1, 2"):
        run.segment(np.array([[0.5, 0.5]]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": {"kind": "multitask"}}, r"method.kind: must be meta_train .* tasks.0.depth \(got 'multitask'\)"),
        ({"action": {"kind": "mixture"}}, r"action.kind: must be task with tasks of several depths \(got 'mixture'\)"),
        ({"action": {"emphasis": 0.5}}, r"action.emphasis: must be 1.0 with tasks of several depths \(got 0.5\)"),
        ({"method": {**META, "order": 2}}, r"method.order: must be 1 with tasks of several depths \(got 2\)"),
        ({"reward": {"baseline": "stratified"}}, "reward.baseline: must be none with tasks of several depths"),
        ({"method": {**META, "depth": -1}}, r"^method.depth: "),
        ({"method": {**META, "order": 3}}, r"^method.order: "),
        (
            {"method": {"kind": "maml"}},
            r"^method.kind: must be one of multitask, meta_train, priming, tartan, module:Class \(got 'maml'\)",
        ),
        ({"method": {"depth": 2}}, r"^method.depth: unknown key"),
        ({"tasks": [{"depth": [1, -1]}]}, r"tasks.0.depth: must be a whole number of at least 0"),
        ({"tasks": [{"depth": []}]}, r"tasks.0.depth: must be a whole number of at least 0"),
    ],
)
def test_mistakes(tiny: dict[str, Any], changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configs.load({**tiny, **DEPTHS, **changes})


def test_several_equal_depths_may_be_mixed(tiny: dict[str, Any]) -> None:
    run = made(tiny, **{**DEPTHS, "tasks": [{"depth": 2}], "action": {"kind": "mixture"}})
    run.begin([0])
    assert np.isfinite(run.segment(np.full((1, 4), 0.25)).score).all()


def test_ghosts_are_refused(tiny: dict[str, Any]) -> None:
    run = made(tiny, method=META)
    with pytest.raises(ConfigError, match=r"'ghost' is not seen by method.kind 'meta_train': use multitask"):
        run.request_signals(["ghost"])
    run.request_signals(["products"])
    run.begin([0])
    assert run.segment(EVEN).signals["products"].shape == (1, 6, 6)


def test_a_learner_that_cannot_is_refused_at_the_door(tiny: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"order 2 cannot train BatchedLearner: optimizer.accumulate"):
        made(tiny, method={**META, "order": 2}, optimizer={"accumulate": 2}, batch=4)
    model = {"model_type": "gpt2", "n_embd": 32, "n_layer": 1, "n_head": 2}
    tasks = [{"corpora": "all", "objective": "causal_lm"}]
    learner = {"kind": "transformers", "model": model}
    checkpointing = {**learner, "gradient_checkpointing": True}
    with pytest.raises(ConfigError, match=r"order 2 cannot train TransformersLearner: learner.gradient_checkpointing"):
        made(tiny, method={**META, "order": 2}, learner=checkpointing, tasks=tasks)
    for order in (1, 2):
        run = made(tiny, method={**META, "order": order}, learner=learner, tasks=tasks)
        run.begin([0])
        assert np.isfinite(run.segment(np.full((1, 4), 0.25)).score).all()


@pytest.mark.parametrize(
    ("agent", "changes"),
    [("exp3s", {"method": META}), ("d-ts", DEPTHS), ("stratified", {"method": META, "action": {"kind": "mixture"}}),
     ("pike", {"method": META, "action": {"kind": "mixture"}})],
)  # fmt: skip
def test_any_agent_with_this_method(tiny: dict[str, Any], agent: str, changes: dict[str, Any]) -> None:
    """A bandit on tasks, one on task x depth, a baseline and a mixer that reads signals."""
    vector = PretrainingVectorEnv({**tiny, "budget": {"updates": 12}, **changes}, num_envs=2)
    assert make(agent, PretrainingVecEnv(vector), seed=0).learn(total_timesteps=8).num_timesteps == 8
    replicas: Any = vector._replicas
    run = replicas.run
    assert run.progress.counters.sum(axis=1).tolist() == [run.progress.updates * run.method.batches * 5] * 2


def test_ppo_with_this_method(tiny: dict[str, Any]) -> None:
    env = PretrainingEnv({**tiny, **DEPTHS, "budget": {"updates": 8}})
    model = PPO("MlpPolicy", env, n_steps=8, batch_size=8, n_epochs=1, seed=0)
    model.learn(total_timesteps=8)
    assert model.num_timesteps == 8
    assert env.run.progress.updates > 0
