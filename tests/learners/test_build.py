"""The learner that an environment file describes: every option arrives, and what cannot be is named."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from curriculum_rl.batch import Batch
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment, build
from curriculum_rl.learners import BatchedLearner, TransformerConfig
from curriculum_rl.learners.build import make_learner
from curriculum_rl.learners.transformers.learner import TransformersLearner
from curriculum_rl.schema import load as configs
from curriculum_rl.schema.learners import ModelOptions

GPT2 = {"model_type": "gpt2", "n_embd": 32, "n_layer": 1, "n_head": 2}


def _made(experiment: Experiment, tiny: dict[str, Any], overrides: dict[str, Any], replicas: int = 1) -> Any:
    # Without tasks: some are not for learners of every kind.
    return make_learner(configs.load(tiny, overrides), replace(experiment.problem, tasks=()), replicas=replicas)


def test_options_of_the_native_learner_arrive(experiment: Experiment, tiny: dict[str, Any]) -> None:
    overrides = {
        "learner.tied": False,
        "learner.dropout": 0.25,
        "learner.activation": "silu",
        "learner.precision": "bfloat16",
        "optimizer.label_smoothing": 0.1,
        "optimizer.accumulate": 5,
        "optimizer.clip": 0.5,
        "report.finetune.batch": 10,
    }
    learner = _made(experiment, tiny, overrides, replicas=2)
    assert isinstance(learner, BatchedLearner)
    config, optimizer = learner.config, learner.optimizer
    assert (learner.replicas, config.context, config.vocab_size) == (2, 16, experiment.tokenizer.vocab_size)
    assert (config.tied, config.dropout, config.activation, learner.precision) == (False, 0.25, "silu", "bfloat16")
    assert (optimizer.label_smoothing, optimizer.accumulate, optimizer.clip) == (0.1, 5, 0.5)


def test_options_of_transformers_learners_arrive(experiment: Experiment, tiny: dict[str, Any]) -> None:
    options = {"attention": "eager", "dropout": True, "gradient_checkpointing": True, "precision": "bfloat16"}
    learner = _made(experiment, tiny, {"learner": {"kind": "transformers", "model": GPT2, **options}}, replicas=2)
    assert isinstance(learner, TransformersLearner)
    assert learner.options == ModelOptions(**options)
    assert learner.replicas == 2


@pytest.mark.parametrize("replicas", [0, -1])
@pytest.mark.parametrize("learner", [{"kind": "transformer"}, {"kind": "transformers", "model": GPT2}])
def test_no_learner_at_all_is_an_error(
    experiment: Experiment, tiny: dict[str, Any], learner: dict[str, Any], replicas: int
) -> None:
    with pytest.raises(ConfigError, match=f"num_envs.*got {replicas}"):
        _made(experiment, tiny, {"learner": learner}, replicas)
    with pytest.raises(ConfigError, match=f"got {replicas}"):
        make_learner(experiment.config, experiment.problem, replicas=replicas)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"optimizer.accumulate": 2}, r"optimizer\.accumulate: must be a divisor of batch, which is 5 \(got 2\)"),
        (
            {"optimizer.accumulate": 5},
            r"optimizer\.accumulate: must be a divisor of report\.finetune\.batch, which is 4 \(got 5\)",
        ),
        ({"optimizer.accumulate": 0}, r"optimizer\.accumulate"),
        ({"optimizer.label_smoothing": 1.0}, r"optimizer\.label_smoothing"),
        ({"learner.dropout": 1.0}, r"learner.*dropout"),
        ({"learner.tied": "perhaps"}, r"learner.*tied"),
        ({"learner.precision": "fp8"}, r"learner.*precision"),
        ({"learner.precision": "tf32"}, "no tf32"),
        ({"learner.capture": True}, "CUDA graphs need"),
        ({"learner": {"kind": "transformers", "model": GPT2, "attention": "flash"}}, r"learner.*attention"),
    ],
)
def test_wrong_options_are_named(
    experiment: Experiment, tiny: dict[str, Any], overrides: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        _made(experiment, tiny, overrides)


def test_replicas_of_a_transformers_learner_run_in_an_environment(tiny: dict[str, Any]) -> None:
    overrides = {"learner": {"kind": "transformers", "model": GPT2}, "tasks": [{"objective": "causal_lm"}]}
    experiment = build(configs.load(tiny, overrides))
    learner = make_learner(experiment.config, experiment.problem, replicas=2)
    learner.reset([3, 3])
    batch = experiment.problem.target_windows("reward", 4, [0, 0], causal=learner.causal_rows)
    losses = learner.token_losses(batch)
    assert losses.shape == (2, 4, 16)
    assert (losses[0] == losses[1]).all()


class Half:
    """A user's learner that lacks a few things."""

    def __init__(self, **arguments: Any) -> None:
        self.replicas, self.context, self.vocab_size = 1, 16, 400

    def train(self, plan: Any) -> None:
        pass


def test_what_a_learner_of_the_users_own_lacks_is_named(experiment: Experiment, tiny: dict[str, Any]) -> None:
    section = {"learner": {"kind": "test_build:Half"}}
    with pytest.raises(
        ConfigError, match=r"learner: Half lacks bidirectional_rows, .*gradient_products.*learners.base"
    ):
        make_learner(configs.load({**tiny, **section}), experiment.problem, replicas=1)


class Peeking(BatchedLearner):
    """A user's learner that says it reads left to right, and reads both ways."""

    def __init__(self, tokenizer: Any, replicas: int, peeks: bool = True, **_: Any) -> None:
        shape = TransformerConfig(vocab_size=tokenizer.vocab_size, layers=1, width=16, heads=2, context=16)
        super().__init__(shape, replicas=replicas, pad_id=tokenizer.pad_id)
        self.peeks = peeks

    def token_losses(self, batch: Batch) -> torch.Tensor:
        return super().token_losses(replace(batch, causal=batch.causal & (not self.peeks)))


def test_a_learner_of_the_users_own_is_tried(experiment: Experiment, tiny: dict[str, Any]) -> None:
    section = {"kind": "test_build:Peeking"}
    with pytest.raises(ConfigError, match=r"learner: Peeking says that it reads left to right \(causal_rows\), but"):
        _made(experiment, tiny, {"learner": section}, 2)
    assert _made(experiment, tiny, {"learner": {**section, "peeks": False}}, 2).replicas == 2
