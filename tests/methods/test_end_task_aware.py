"""End-task aware training as the method of a run: weights, price, data, META's signal, resume, any agent, refusals."""

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
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.methods import EndTaskAware
from curriculum_rl.methods.base import Shares
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs
from curriculum_rl.signals import DevExamples
from curriculum_rl.signals.windows import Windows

TARTAN = {"kind": "tartan", "dev_head_rows": 8}
TASKS: list[dict[str, Any]] = [
    {"corpora": ["star"], "objective": {"kind": "classification", "causal": False}},
    {"corpora": ["star", "noise"], "objective": "masked_lm"},
]
UNLABELLED = {"target": {"corpus": "sea"}, "proxy": {"sequences": 2}, "report": {"sequences": 4}}
EVEN = np.full((1, 3), 1 / 3)
STEADY = {"schedule": "constant", "warmup": 0.0}
"""Rates follow the budget that is spent: runs that pay for more are compared at one rate."""
SKEWED = np.array([[0.6, 0.3, 0.1]])


@pytest.fixture
def end(tiny: dict[str, Any]) -> dict[str, Any]:
    """Three tasks, the end-task first; a segment is one update."""
    report = {**tiny["report"], "finetune": {"updates": 0, "test_examples": 16}}
    segment, action = {"updates": 1}, {"kind": "mixture"}
    return {**tiny, "method": TARTAN, "tasks": TASKS, "segment": segment, "report": report, "action": action}


def examples(run: Pretraining) -> DevExamples:
    method: Any = run.config.method
    return DevExamples(Windows(run.problem, run.config, run.learner), method)


def made(config: dict[str, Any], *, replicas: int = 1, **changes: Any) -> Pretraining:
    return Pretraining(build(configs.load({**config, **changes})), replicas=replicas)


def played(run: Pretraining, mixture: np.ndarray = EVEN) -> list[Any]:
    outcomes = []
    while run.next_updates():
        outcomes.append(run.segment(mixture))
    return outcomes


def test_one_task_is_multitask_bit_for_bit(end: dict[str, Any]) -> None:
    """Every outcome of a whole run, the ledger, the learner and the report."""
    plain, weighted = (
        made(end, replicas=2, tasks=TASKS[:1], method={"kind": kind}) for kind in ("multitask", "tartan")
    )
    for run in (plain, weighted):
        run.begin([3, 4])
    one = np.ones((2, 1))
    for wanted, found in zip(played(plain, one), played(weighted, one), strict=True):
        for name, value in vars(wanted).items():
            np.testing.assert_array_equal(getattr(found, name), value)
    assert np.array_equal(plain.learner.snapshot().state, weighted.learner.snapshot().state)
    assert weighted.ledger.entries() == plain.ledger.entries()
    corpora = list(plain.experiment.problem.heldout.corpora)
    assert weighted.finish().entries(1, corpora) == plain.finish().entries(1, corpora)


def test_a_mixture_is_weights_and_every_task_is_read(end: dict[str, Any]) -> None:
    run = made(end, segment={"updates": 2})
    run.begin([0])
    outcome = run.segment(SKEWED)
    assert outcome.mixture.tolist() == SKEWED.tolist()
    assert run.progress.counters.tolist() == [[10, 10, 10]]
    assert run.progress.credit.tolist() == [[0, 0, 0]]
    assert outcome.loss[0] == pytest.approx(float(outcome.task_losses[0] @ SKEWED[0]))
    plan, credit = EndTaskAware(3).rows(Shares(SKEWED[0], 2, 4, np.zeros(3), 7, 100))
    assert plan.tolist() == [[task] * 4 for task in (0, 1, 2)] * 2
    assert credit.tolist() == [0, 0, 0]


def test_the_weights_matter_and_the_rows_do_not(end: dict[str, Any]) -> None:
    """Two mixtures read the same rows; a task of weight 0 leaves no trace in the learner."""
    two = [TASKS[0], {**TASKS[1], "corpora": ["star"]}]
    first, second, without = (made(end, optimizer=STEADY, tasks=tasks) for tasks in (TASKS, TASKS, two))
    states = []
    for run, weights in ((first, EVEN), (second, np.array([[0.5, 0.5, 0.0]])), (without, np.array([[0.5, 0.5]]))):
        run.begin([0])
        run.segment(weights)
        states.append(run.learner.snapshot().state)
    assert first.progress.counters.tolist() == second.progress.counters.tolist()
    assert not np.array_equal(states[0], states[1])
    assert np.allclose(states[1], states[2], atol=1e-6)


def test_an_update_is_charged_all_it_reads(end: dict[str, Any]) -> None:
    run = made(end)
    run.begin([0])
    updates = sum(outcome.updates for outcome in played(run))
    training = run.learner.flops(5 * 16, training=True)
    assert run.ledger.flops["train"] == pytest.approx(updates * 3 * training)
    assert run.ledger.tokens["train"] == updates * 3 * 5 * 16
    assert run.ledger.flops["signal"] == 0
    assert run.budget == pytest.approx(20 * 3 * training)


def test_what_listening_costs(end: dict[str, Any]) -> None:
    """A forward pass of 8 rows, a training pass of 5, 7 products; the last segment is cut to what that leaves."""
    run = made(end, segment={"updates": 3})
    run.request_signals(["products"])
    run.begin([0])
    updates = sum(outcome.updates for outcome in played(run))
    learner = run.learner
    price = learner.flops(8 * 16, training=False) + learner.flops(5 * 16, training=True) + 2 * 7 * learner.size
    assert run.ledger.flops["signal"] == pytest.approx(updates * price)
    assert run.ledger.tokens["signal"] == updates * 13 * 16
    update = 3 * learner.flops(5 * 16, training=True) + price
    reading = learner.flops(8 * 16, training=False)
    assert 0 <= run.budget - run.ledger.charged < update + reading


def test_listening_changes_no_bit(end: dict[str, Any]) -> None:
    deaf, hearing = (made(end, replicas=2, optimizer=STEADY) for _ in range(2))
    hearing.request_signals(["products"])
    for run in (deaf, hearing):
        run.begin([3, 4])
    weights = np.repeat(SKEWED, 2, axis=0)
    for _ in range(3):
        assert not deaf.segment(weights).signals
        found = hearing.segment(weights).signals["products"]
        assert found.shape == (2, 4, 4)
        assert (found[:, :3, :3] == np.eye(3)).all() and (found[:, 3, 3] == 1).all()
        np.testing.assert_array_equal(found[:, :3, 3], found[:, 3, :3])
        assert (np.abs(found[:, :3, 3]) > 0).all() and (np.abs(found[:, :3, 3]) < 1).all()
    assert np.array_equal(deaf.learner.snapshot().state, hearing.learner.snapshot().state)


def test_the_mean_over_a_segments_updates(end: dict[str, Any]) -> None:
    """Two segments of one update tell what one of two does, and the examples are those of the update's number."""
    one, two = (made(end, optimizer=STEADY, segment={"updates": updates}) for updates in (1, 2))
    for run in (one, two):
        run.request_signals(["products"])
        run.begin([0])
    alone = [one.segment(EVEN).signals["products"] for _ in range(2)]
    np.testing.assert_allclose(two.segment(EVEN).signals["products"], np.mean(alone, axis=0), atol=1e-12)


def test_meta_tartans_weights_by_hand(end: dict[str, Any]) -> None:
    """Three segments of one update: logits grow by step x cosine, and the softmax of them is what is executed."""
    env = PretrainingEnv(configs.load(end))
    agent = make("meta-tartan", env, seed=0, step=20.0)
    seen: list[dict[str, Any]] = []

    class Watch:
        def __call__(self, local: dict[str, Any], _: dict[str, Any]) -> bool:
            seen.extend(local["infos"])
            return len(seen) < 4

    agent.learn(10, callback=Watch())
    logits = np.zeros(3)
    for info in seen:
        weights = np.exp(logits) / np.exp(logits).sum()
        np.testing.assert_allclose(info["mixture"], weights, atol=1e-6)
        np.testing.assert_allclose(info["share"], np.full(3, 1 / 3))
        logits = logits + 20.0 * info["signals"]["products"][:-1, -1]
    assert len(seen) == 4
    assert np.ptp(seen[-1]["mixture"]) > 0.01


def test_dev_examples(end: dict[str, Any]) -> None:
    """Of the signal split, by seed and number; all different in an update; read both ways, no label in them."""
    run = made(end)
    experiment = run.experiment
    dev = examples(run).draw([3, 4], first=0, updates=3)
    later = examples(run).draw([4], first=2, updates=1)
    assert dev.support.input_ids.shape == (3, 2, 8, 16) and dev.query.input_ids.shape == (3, 2, 5, 16)
    assert np.array_equal(dev.query.input_ids[2, 1], later.query.input_ids[0, 0])
    assert not np.array_equal(dev.query.input_ids[0, 1], dev.query.input_ids[1, 1])
    assert not dev.support.causal.any()
    labels = set(experiment.tokenizer.label_ids)
    for batch in (dev.support, dev.query):
        assert not labels & set(batch.input_ids.flatten().tolist())
    signal = experiment.problem.target.labelled["signal"]
    texts = {tuple(row) for row in signal.windows(np.arange(signal.size(16)), 16)[:, :8].tolist()}
    rows = np.concatenate([dev.support.input_ids[0, 0], dev.query.input_ids[0, 0]])
    assert len({tuple(row) for row in rows.tolist()}) == 13
    assert {tuple(row[:8]) for row in rows.tolist()} <= texts


def test_left_to_right_examples_hide_their_labels(end: dict[str, Any]) -> None:
    run = made(end, tasks=[{"corpora": ["star"], "objective": "classification"}])
    dev = examples(run).draw([0], first=0, updates=1)
    ids = dev.support.input_ids
    assert dev.support.causal.all()
    assert (ids == run.experiment.tokenizer.cls_id).any()
    assert not set(run.experiment.tokenizer.label_ids) & set(ids.flatten().tolist())


def test_other_signals_are_still_measured(end: dict[str, Any]) -> None:
    """By the meter, beside the one that the updates tell; `every` holds for both."""
    run = made(end, signals={"every": 2, "rows": 2}, budget={"updates": 40})
    run.request_signals(["products", "variance", "heldout_loss"])
    run.begin([0])
    names = [sorted(run.segment(EVEN).signals) for _ in range(4)]
    assert names == [["heldout_loss", "products", "variance"], []] * 2
    met = made(end, method={"kind": "multitask"})
    met.request_signals(["products"])
    met.begin([0])
    assert not (np.diagonal(met.segment(EVEN).signals["products"][0]) == 1).any()


def test_continuation_is_exact(end: dict[str, Any]) -> None:
    envs = [PretrainingEnv(configs.load(end)) for _ in range(2)]
    for env in envs:
        env.request_signals(["products"])
    actions = np.random.default_rng(0).uniform(-1, 1, (30, 3)).astype(np.float32)

    def rest(env: PretrainingEnv, at: int) -> list[Any]:
        found, ended = [], False
        while not ended:
            _, reward, ended, _, info = env.step(actions[at])
            found.append((reward, info["score"], info["mixture"].tolist(), str(info.get("signals")), info["ledger"]))
            at += 1
        return [*found, info["final"]]

    envs[0].reset(seed=5)
    for at in range(3):
        envs[0].step(actions[at])
    state = envs[0].get_state()
    wanted = rest(envs[0], 3)
    envs[1].set_state(state)
    assert rest(envs[1], 3) == wanted


def test_replicas_are_what_they_are_alone(end: dict[str, Any]) -> None:
    """Two side by side in the vector environment, each with its own weights, hear what each hears alone."""
    config = configs.load(end)
    pair = PretrainingVectorEnv(config, num_envs=2)
    pair.request_signals(["products"])
    _, infos = pair.reset(seed=[1, 2])
    actions = np.random.default_rng(0).uniform(-1, 1, (3, 2, 3)).astype(np.float32)
    together = [pair.step(action) for action in actions]
    for n in range(2):
        env = PretrainingEnv(config)
        env.request_signals(["products"])
        _, info = env.reset(seed=n + 1)
        assert info["seed"] == infos["seed"][n]
        for action, found in zip(actions, together, strict=True):
            _, reward, _, _, info = env.step(action[n])
            assert reward == found[1][n]
            np.testing.assert_array_equal(info["mixture"], found[4]["mixture"][n])
            np.testing.assert_array_equal(info["signals"]["products"], found[4]["signals"]["products"][n])


@pytest.mark.parametrize("name", ["stratified", "multidds", "odm", "d-ts", "fixed"])
def test_any_agent(end: dict[str, Any], name: str) -> None:
    kind = "task" if name == "d-ts" else "mixture"
    env = PretrainingEnv(configs.load({**end, "action": {"kind": kind}}))
    options = {"task": 0} if name == "fixed" else {}
    agent = make(name, env, seed=0, **options)
    agent.learn(8)
    run = env.run
    assert run.progress.counters.tolist() == [[run.progress.updates * 5] * 3]
    assert run.progress.segments == 8


def test_ppo_plays_it(end: dict[str, Any]) -> None:
    env = PretrainingVecEnv(PretrainingVectorEnv(configs.load(end), num_envs=2))
    PPO("MlpPolicy", env, n_steps=4, batch_size=8, n_epochs=1, seed=0).learn(8)


def test_a_transformers_learner(end: dict[str, Any]) -> None:
    model = {"model_type": "bert", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    learner = {"kind": "transformers", "head": "masked", "model": {**model, "num_attention_heads": 2}}
    run = made(end, replicas=2, learner=learner)
    run.request_signals(["products"])
    run.begin([0, 1])
    found = run.segment(np.repeat(SKEWED, 2, axis=0))
    cosines = found.signals["products"][:, :3, 3]
    assert (np.abs(cosines) > 0).all() and cosines[0].tolist() != cosines[1].tolist()


def test_it_learns_the_end_task(end: dict[str, Any]) -> None:
    """Scored as it is: the classes of stars, better than the larger one alone; and better trained than not."""
    report = {"sequences": 16, "task_sequences": 0, "finetune": {"updates": 0, "test_examples": 200}}
    short, trained = (
        made(end, budget={"updates": n}, batch=16, optimizer={"learning_rate": 0.01}, report=report) for n in (5, 120)
    )
    found = []
    for run in (short, trained):
        run.begin([0])
        played(run, np.array([[0.9, 0.1, 0.0]]))
        few_shot = run.finish().few_shot
        assert few_shot is not None
        found.append(few_shot.log_loss[0])
    assert found[1] < 0.8 * found[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": {"kind": "tartan", "dev_head_rows": 0}}, r"^method\.dev_head_rows: "),
        ({"method": {"kind": "tartan", "depth": 1}}, r"^method\.depth: unknown key"),
        ({"method": {"kind": "tartan", "dev_head_betas": [0.9, 1.0]}}, r"^method\.dev_head_betas\.1: "),
        ({"tasks": [{**TASKS[0], "depth": 1}]}, r"method\.kind: must be meta_train .* tasks.0.depth \(got 'tartan'\)"),
    ],
)
def test_mistakes(end: dict[str, Any], changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configs.load({**end, **changes})


def test_a_learner_that_cannot_is_refused_at_the_door(end: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BatchedLearner, "captured", True)
    with pytest.raises(ConfigError, match=r"'tartan' cannot train BatchedLearner: learner\.capture"):
        made(end)


@pytest.mark.parametrize(
    ("changes", "names", "message"),
    [
        ({}, ["ghost"], "'ghost' is not seen by method.kind 'tartan'"),
        ({}, ["products", "no such"], r"signals: must be one of .* \(got 'no such'\)"),
        (UNLABELLED, ["products"], "'products' under method.kind"),
        ({"method": {"kind": "tartan", "dev_head_rows": 400}}, ["products"], r"method\.dev_head_rows: 400 and the 5"),
        ({"budget": {"flops": 5.5e7}}, ["products"], "does not pay for one"),
    ],
)
def test_signals_refused(end: dict[str, Any], changes: dict[str, Any], names: list[str], message: str) -> None:
    run = made(end, **changes)
    with pytest.raises(ConfigError, match=message):
        run.request_signals(names)
