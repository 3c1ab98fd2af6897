"""Learners: the language models that the environment trains."""

from curriculum_rl.learners.base import Learner, Snapshot
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.learners.saved import load_learner
from curriculum_rl.learners.schedule import learning_rate
from curriculum_rl.schema.learners import Execution, OptimizerConfig

__all__ = [
    "BatchedLearner",
    "Execution",
    "Learner",
    "OptimizerConfig",
    "Snapshot",
    "TransformerConfig",
    "learning_rate",
    "load_learner",
]
