"""Every class of the package keeps the contract of its kind, and one run uses them all."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from my_lab.bandit import Pursuit
from my_lab.corpus import Sums
from my_lab.learner import SmallStart
from my_lab.mixer import BySpread
from my_lab.objective import Backwards

from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs
from curriculum_rl.schema.learners import OptimizerConfig
from curriculum_rl.testing.agents import AgentContract
from curriculum_rl.testing.learners import LearnerContract, MakeLearner
from curriculum_rl.testing.methods import MethodContract
from curriculum_rl.testing.objectives import ObjectiveContract, known_tokenizer
from curriculum_rl.testing.problems import NATIVE, TRANSFORMERS, tiny_experiment
from curriculum_rl.testing.proxies import ProxyContract
from curriculum_rl.testing.rules import MixerRuleContract, RuleContract
from curriculum_rl.testing.signals import SignalContract

ENVIRONMENT = Path(__file__).resolve().parents[1] / "environment.yaml"


class TestBanditRule(RuleContract):
    @pytest.fixture
    def rule(self) -> Pursuit:
        return Pursuit()


class TestMixerRule(MixerRuleContract):
    @pytest.fixture
    def rule(self) -> BySpread:
        return BySpread()


class TestAgents(AgentContract):
    @pytest.fixture(params=["my_lab.bandit:Pursuit", "my_lab.mixer:BySpread"])
    def agent(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)


class TestObjective(ObjectiveContract):
    @pytest.fixture
    def objective(self) -> Backwards:
        return Backwards(known_tokenizer())


class TestProxy(ProxyContract):
    @pytest.fixture
    def proxy(self) -> dict[str, Any]:
        return {"kind": "my_lab.proxy:HardestWindows", "sequences": 8}


class TestSignal(SignalContract):
    @pytest.fixture
    def signal(self) -> str:
        return "my_lab.signal:Spread"


class TestMethod(MethodContract):
    @pytest.fixture
    def method(self) -> dict[str, Any]:
        return {"method": {"kind": "my_lab.method:Lookahead", "step": 0.8}}


@pytest.mark.parametrize("learner", [NATIVE, TRANSFORMERS], ids=["native", "transformers"])
def test_the_method_goes_back_half_of_the_way(learner: dict[str, Any]) -> None:
    """On both kinds of learner."""
    start, end, half = (_parameters(learner, updates, step) for updates, step in ((0, 1.0), (1, 1.0), (1, 0.5)))
    torch.testing.assert_close(half, (start + end) / 2)
    assert (start - end).abs().max() > 1e-3


def _parameters(learner: dict[str, Any], segments: int, step: float) -> torch.Tensor:
    run = Pretraining(tiny_experiment(**learner, method={"kind": "my_lab.method:Lookahead", "step": step}))
    run.begin([0])
    tasks = len(run.problem.tasks)
    for _ in range(segments):
        run.segment(np.full((1, tasks), 1 / tasks))
    return run.learner.snapshot().state[0]


class TestLearner(LearnerContract):
    @pytest.fixture
    def learner(self) -> MakeLearner:
        config, tokenizer, optimizer = configs.load(ENVIRONMENT, trust=True), known_tokenizer(), OptimizerConfig()
        return lambda replicas: SmallStart(tokenizer=tokenizer, config=config, optimizer=optimizer, replicas=replicas)


def test_the_corpus_is_what_it_says_it_is() -> None:
    documents = list(Sums(largest=20, count=3).documents())
    assert (
        documents == list(Sums(largest=20, count=3).documents()) != list(Sums(largest=20, count=3, seed=1).documents())
    )
    for addition in documents[0].text.split(", "):
        terms, _, total = addition.partition(" = ")
        assert sum(map(int, terms.split(" + "))) == int(total)
    assert len({Sums(largest, 3, seed).fingerprint() for largest in (20, 21) for seed in (0, 1)}) == 4


@pytest.mark.parametrize("agent", ["my_lab.bandit:Pursuit", "my_lab.mixer:BySpread"])
def test_one_run_uses_them_all(agent: str, tmp_path: Path) -> None:
    command = [
        "train",
        "--env",
        str(ENVIRONMENT),
        "--agent",
        agent,
        "--out",
        str(tmp_path / "run"),
        "--quiet",
        "--trust",
    ]
    # Modules of the current directory are found; a package that is installed is found from anywhere.
    whole = [sys.executable, "-m", "curriculum_rl.scripts.main", *command]
    subprocess.run(whole, check=True, cwd=ENVIRONMENT.parent)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["share"].keys() >= {"small.causal_lm", "large.backwards"}
    assert ("signal" in result["ledger"]) == (agent == "my_lab.mixer:BySpread")
    assert result["final"]["target_loss"] < result["baselines"]["unigram"]
