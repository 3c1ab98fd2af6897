"""Methods: how a segment's plan changes the learner; the agent that picks tasks knows nothing of it."""

from curriculum_rl.methods.base import Method, Multitask
from curriculum_rl.methods.build import make_method
from curriculum_rl.methods.end_task_aware import EndTaskAware
from curriculum_rl.methods.meta_train import MetaTrain
from curriculum_rl.methods.priming import Priming

__all__ = ["EndTaskAware", "MetaTrain", "Method", "Multitask", "Priming", "make_method"]
