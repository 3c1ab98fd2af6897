"""Both kinds of learner keep the contract."""

from pathlib import Path

import pytest
from made_models import BERT, GPT2, LLAMA, Words

from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.learners.transformers.learner import TransformersLearner
from curriculum_rl.schema.learners import Head
from curriculum_rl.testing.learners import LearnerContract, MakeLearner


def native(dropout: float = 0.0) -> MakeLearner:
    config = TransformerConfig(vocab_size=50, layers=1, width=32, heads=2, context=16, dropout=dropout)
    return lambda replicas: BatchedLearner(config, replicas=replicas, pad_id=0)


class TestNative(LearnerContract):
    @pytest.fixture
    def learner(self) -> MakeLearner:
        return native()


class TestNativeWithDropout(LearnerContract):
    # A training loss is that of the dropped states, a score is not.
    test_losses_are_what_is_scored = None  # type: ignore[assignment]
    test_label_ids_bound_the_softmax = None  # type: ignore[assignment]

    @pytest.fixture
    def learner(self) -> MakeLearner:
        return native(dropout=0.2)


class TestTransformers(LearnerContract):
    @pytest.fixture(params=[LLAMA | {"num_hidden_layers": 1}, BERT | {"num_hidden_layers": 1}], ids=["llama", "bert"])
    def learner(self, request: pytest.FixtureRequest) -> MakeLearner:
        head: Head = "masked" if request.param["model_type"] == "bert" else "causal"
        return lambda replicas: TransformersLearner(
            request.param, head=head, tokenizer=Words(), context=16, replicas=replicas
        )


class TestPretrained(LearnerContract):
    pretrained = True

    @pytest.fixture
    def learner(self, tmp_path: Path) -> MakeLearner:
        made = TransformersLearner(GPT2 | {"n_layer": 1}, tokenizer=Words(), context=16)
        made.save(tmp_path / "pretrained")
        return lambda replicas: TransformersLearner(
            str(tmp_path / "pretrained"), tokenizer=Words(), context=16, replicas=replicas
        )
