"""Priming as the method of a run: rows, price, what moves, what inner steps take off, any agent, tuning after it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from curriculum_rl.agents.table import make
from curriculum_rl.envs.pretraining import PretrainingEnv
from curriculum_rl.envs.vector import PretrainingVectorEnv
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.methods import Priming
from curriculum_rl.methods.base import Shares
from curriculum_rl.pretraining.outcomes import Outcome
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs

EVEN = np.full((1, 2), 0.5)
BERT = {
    "model_type": "bert",
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 16,
}
TUNING = {"examples": 40, "updates": 60, "batch": 4, "test_examples": 40, "learning_rate": 1e-2, "tune": "light"}


def write_language(path: Path, words: list[str], seed: int, count: int = 120) -> dict[str, str]:
    """Sentences in which capitals are entities; a corpus of an environment file."""
    draw = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        chosen = [str(word) for word in draw.choice(words, size=int(draw.integers(4, 8)))]
        rows.append("".join(f"{word}\t{'B-PER' if word[0].isupper() else 'O'}\n" for word in chosen))
    path.write_text("\n".join(rows))
    return {"paths": str(path), "format": "conll"}


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two source languages and a third that is left out."""
    pytest.importorskip("seqeval", reason="the optional library seqeval is not installed")
    folder = tmp_path_factory.mktemp("languages")
    stems = ["go", "see", "Kim", "Rom", "the", "Bern", "very", "Max"]
    first, second, third = (
        write_language(folder / f"{end}.conll", [stem + end for stem in stems], n) for n, end in enumerate("aeo")
    )
    return {
        "name": "primed",
        "corpora": {"aa": first, "ee": second},
        "tokenizer": {"kind": "bpe", "vocab_size": 330, "labels": 6},
        "tasks": [{"corpora": "all", "objective": "tagging"}],
        "learner": {"kind": "transformers", "model": BERT, "head": "masked", "light": {"kind": "adapter", "size": 4}},
        "method": {"kind": "priming", "steps": 2, "rate": 0.3},
        "optimizer": {"learning_rate": 2e-3},
        "context": 16,
        "batch": 4,
        "target": {"corpus": third, "signal": 0.3, "reward": 0.3, "selection": 0.1, "report": 0.3},
        "proxy": {"kind": "heldout_loss", "sequences": 4},
        "report": {"sequences": 4, "task_sequences": 2, "finetune": TUNING},
        "segment": {"updates": 4},
        "budget": {"updates": 24},
    }


def made(env: dict[str, Any], overrides: dict[str, Any] | None = None, *, replicas: int = 1) -> Pretraining:
    run = Pretraining(build(configs.load(env, overrides)), replicas=replicas, charge_proxy=False)
    run.begin(list(range(replicas)))
    return run


def played(run: Pretraining, mixture: np.ndarray = EVEN) -> list[Outcome]:
    outcomes = []
    while run.next_updates():
        outcomes.append(run.segment(mixture))
    return outcomes


def parameters(run: Pretraining, which: str) -> dict[str, torch.Tensor]:
    learner: Any = run.learner
    return {name: learner.flat.parameters[name].clone() for name in learner._part(which)}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_all_batches_of_an_update_are_of_one_task_and_tasks_take_turns_by_share() -> None:
    method = Priming(torch.tensor([3]), steps=2, rate=0.1, inner="light", order=1, initial=True)
    credit, counts = np.zeros(3), np.zeros(3)
    for segment in range(5):
        shares = Shares(np.array([0.5, 0.3, 0.2]), 4, 6, credit, seed=0, first=4 * segment)
        rows, credit = method.rows(shares)
        assert rows.shape == (12, 6)
        updates = rows.reshape(4, -1)
        assert (updates == updates[:, :1]).all()
        counts += np.bincount(updates[:, 0], minlength=3)
    assert counts.tolist() == [10, 6, 4]


def test_an_update_is_charged_its_inner_steps_and_inner_loops_learn(env: dict[str, Any]) -> None:
    run = made(env)
    outcomes = played(run)
    light, everything = (run.learner.label_flops(4 * 16, part) for part in ("light", "all"))  # type: ignore[attr-defined]
    assert run.progress.updates == 24
    assert run.ledger.flops["train"] == pytest.approx(24 * (2 * light + everything))
    assert run.ledger.tokens["train"] == 24 * 3 * 4 * 16 == run.progress.counters.sum() * 16
    drops = [float(outcome.inner_drop[0]) for outcome in outcomes if outcome.inner_drop is not None]
    assert len(drops) == len(outcomes)
    assert np.mean(drops) > 0
    assert outcomes[-1].loss[0] < outcomes[0].loss[0]


@pytest.mark.parametrize(
    ("changes", "light_moves"),
    [
        ({}, True),
        ({"method.initial": False}, False),
        ({"method.inner": "all"}, True),
        ({"method.order": 2}, True),
        ({"method.steps": 0, "method.initial": False}, True),
        ({"learner.light": {"kind": "head"}}, True),
    ],
)
def test_what_a_run_moves(env: dict[str, Any], changes: dict[str, Any], light_moves: bool) -> None:
    """Ordinary fine-tuning (no inner steps) has no other light parameters than those that it trains."""
    run = made(env, changes)
    body, light = parameters(run, "body"), parameters(run, "light")
    outcome = run.segment(EVEN)
    assert not same(parameters(run, "body"), body)
    assert same(parameters(run, "light"), light) != light_moves
    assert (outcome.inner_drop is None) == (changes.get("method.steps") == 0)


def test_plain_maml_costs_more_and_one_flops_budget_is_one_for_all_ways(env: dict[str, Any]) -> None:
    budget = 12 * made(env, {"method.steps": 0}).method.flops(made(env).learner, 64)
    updates = {}
    for name, changes in (
        ("light", {}), ("all", {"method.inner": "all"}), ("one", {"method.steps": 1}), ("none", {"method.steps": 0}),
    ):  # fmt: skip
        run = made(env, {"budget": {"flops": budget}, **changes})
        played(run)
        updates[name] = run.progress.updates
        assert run.ledger.charged <= run.budget == budget
    assert updates["all"] < updates["light"] < updates["one"] < updates["none"] == 12


def test_replicas_equal_runs_alone_and_a_run_goes_on_exactly(env: dict[str, Any]) -> None:
    config = {**env, "budget": {"updates": 12}}
    both = PretrainingVectorEnv(config, num_envs=2)
    alone = PretrainingVectorEnv(config, num_envs=1)
    both.reset(seed=[5, 6])
    alone.reset(seed=[6])
    for action in (0, 1):
        *_, infos = both.step(np.array([1 - action, action]))
        *_, mine = alone.step(np.array([action]))
        assert infos["inner_drop"][1] == mine["inner_drop"][0]
        assert infos["loss"][1] == mine["loss"][0]
    single = PretrainingEnv(config)
    single.reset(seed=3)
    single.step(0)
    state = single.get_state()
    wanted = [single.step(1)[4], single.step(0)[4]]
    other = PretrainingEnv(config)
    other.reset(seed=9)
    other.set_state(state)
    for info in wanted:
        found = other.step(1 if info is wanted[0] else 0)[4]
        assert found["inner_drop"] == info["inner_drop"]
        assert found["score"] == info["score"]
    assert found["final"] == wanted[1]["final"]


@pytest.mark.parametrize(("name", "kind"), [("d-ts", "task"), ("exp3s", "mixture"), ("stratified", "mixture")])
def test_any_agent_picks_the_languages(env: dict[str, Any], name: str, kind: str) -> None:
    made_env = PretrainingEnv({**env, "action": {"kind": kind}, "budget": {"updates": 12}})
    agent = make(name, made_env, seed=0)
    agent.learn(total_timesteps=3)
    observation, _ = made_env.reset(seed=0)
    action, _ = agent.predict(observation)
    assert made_env.step(action)[4]["mixture"].sum() == pytest.approx(1)


def test_the_proxy_tunes_light_parameters_and_leaves_no_trace(env: dict[str, Any]) -> None:
    """Tuning learns the toy language, F1 is counted over entities, and body and light parameters come back."""
    proxy = {"kind": "finetune", "every": 1, **TUNING}
    run = made(env, {"proxy": proxy})
    before = run.learner.snapshot()
    reading = run._proxy.score(run.learner)
    assert torch.equal(run.learner.snapshot().state, before.state)
    assert reading.details["accuracy"][0] > 0.8
    assert 0.5 < reading.details["entity_f1"][0] <= 1
    none = made(env, {"proxy": {**proxy, "updates": 1, "learning_rate": 1e-9}})
    assert none._proxy.score(none.learner).score[0] < reading.score[0] < 0
    full, light = (
        made(env, {"proxy": {**proxy, "tune": tune}})._proxy.price(run.learner).flops for tune in ("all", "light")
    )
    assert light < full
    final = run.finish().entries(0, ["aa", "ee"])
    assert final["downstream_entity_f1"] > 0.5  # type: ignore[operator]
    assert 0 < final["downstream_log_loss"] < 1  # type: ignore[operator]


def test_a_native_learner_is_tuned_on_tags_too(env: dict[str, Any]) -> None:
    native = {"kind": "transformer", "layers": 1, "width": 32, "heads": 2}
    run = made(env, {"learner": native, "method": {"kind": "multitask"}, "report.finetune": {**TUNING, "tune": "all"}})
    entries = run.finish().entries(0, ["aa", "ee"])
    assert 0 <= entries["downstream_entity_f1"] <= entries["downstream_accuracy"] <= 1  # type: ignore[operator]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learner.light": None, "report.finetune": None}, "method.kind: priming: needs .* learner.light"),
        ({"learner.light": None, "method": {"kind": "multitask"}}, "finetune.tune: light: needs"),
        ({"tasks": [{"corpora": "all", "objective": "masked_lm"}]}, "needs labels, and aa.masked_lm has none"),
        ({"optimizer.accumulate": 2, "method.order": 2}, "accumulate must be 1"),
        ({"learner.light": {"kind": "head", "size": 3}}, r"light\.kind: must be adapter .* size \(got 'head'\)"),
        ({"learner.light": {"kind": "lora", "adapted": "x"}}, "light.kind: must be adapter where there is adapted"),
        ({"learner.light": {"kind": "adapter", "adapted": "nowhere"}}, "no linear module"),
        ({"method.steps": -1}, "method.*steps"),
    ],
)
def test_what_cannot_be(env: dict[str, Any], changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made(env, changes)


def test_ghosts_are_refused(env: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"'ghost' is not seen by method.kind 'priming'"):
        made(env).request_signals(["ghost"])
