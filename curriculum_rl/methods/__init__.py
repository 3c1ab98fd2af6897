"""Methods: how a segment's plan changes the learner; the agent that picks tasks knows nothing of it."""

from curriculum_rl.methods.base import Method, Multitask
from curriculum_rl.methods.build import make_method
from curriculum_rl.methods.meta_train import MetaTrain

__all__ = ["MetaTrain", "Method", "Multitask", "make_method"]
